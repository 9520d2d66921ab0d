"""Tests what ``rewrite`` can only do in place, and says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inception_dsl.cli import main

NET = """\
network: net
title: A net  # of tests
input: {channels: 3, height: 32, width: 32}
import: [parts/unit.yaml]
stem: [{op: conv_bn, name: first, filters: 64, kernel_size: 1}]
body:
  # two units
  - {use: unit, repeat: 2}
"""
UNIT = "block: unit\nsteps: [{op: conv_bn, filters: 64, kernel_size: 5}]  # large\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["rewrite", *arguments])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    (tmp_path / "net.yaml").write_text(NET)
    (tmp_path / "parts/unit.yaml").write_text(UNIT)
    return tmp_path


def test_what_only_in_place_can_do_is_said_before_and_after(folder: Path) -> None:
    """The block cannot be copied into a new file, as its own file has defaults."""
    text = UNIT.replace("steps:", "defaults: {conv_bn: {batch_norm: {epsilon: 0.01}}}\nsteps:")
    (folder / "parts/unit.yaml").write_text(text)
    reason = "the block `unit` cannot be copied: its file has defaults of its own"
    shown = run("net.yaml", "factorise-5x5")
    note = f"note: only `--in-place` can rewrite `unit`; with `-o`, {reason}\n"
    assert shown.exit_code == 0 and note in shown.stdout
    found = json.loads(run("net.yaml", "factorise-5x5", "--json").stdout)
    assert found["only_in_place"] == [{"path": "unit", "reason": reason}]
    refused = run("net.yaml", "factorise-5x5", "-o", "new.yaml")
    assert refused.exit_code == 1 and reason in refused.stderr
    assert "= help: use `--in-place`, which changes the files of the spec" in refused.stderr
    assert not (folder / "new.yaml").exists()
    assert run("net.yaml", "factorise-5x5", "--in-place").exit_code == 0


def test_in_place_is_not_advised_where_it_would_not_help(folder: Path) -> None:
    (folder / "parts/unit.yaml").write_text(UNIT.replace("}]", ", repeat: 2}]"))
    refused = run("net.yaml", "factorise-5x5", "-o", "new.yaml").stderr
    assert "it is repeated" in refused and "--in-place" not in refused
    (folder / "parts/unit.yaml").write_text(UNIT)
    assert "only `--in-place`" not in run("net.yaml", "factorise-5x5").stdout
