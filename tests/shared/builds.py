"""Helpers for builds in a folder of specs."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inception_dsl.cli import main

SPEC = (
    "network: {name}\n"
    "input: {{channels: 3, height: 9, width: 9}}\n"
    "body: [{{op: conv, filters: {n}, kernel_size: 3}}]\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.yaml").write_text(SPEC.format(name="net", n=4))
    return tmp_path


def build(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["build", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
