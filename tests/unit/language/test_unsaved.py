"""Texts of an editor in place of files: by the same rules as files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.language.unsaved import unsaved

BLOCK = "block: b\nsteps: [{op: conv, filters: 3, kernel_size: 3}]\n"
HEAD = "network: n\ninput: {channels: 3, height: 8, width: 8}\n"


def found(path: Path, texts: dict[Path, str]) -> list[str]:
    """The errors of the spec at ``path``."""
    report = Report()
    with unsaved({str(file): text for file, text in texts.items()}):
        compile_spec(path, {}, report)
    return [f"{d.code} {d.message}" for d in report]


def test_a_text_is_read_in_place_of_its_file(tmp_path: Path) -> None:
    net = tmp_path / "net.yaml"
    net.write_text(f"{HEAD}body: [{{op: identity}}]\n")
    assert found(net, {}) == []
    assert found(net, {net: f"{HEAD}bodi: []\n"})[0].startswith("E201")
    assert found(net, {}) == []


def test_files_that_are_only_in_the_editor(tmp_path: Path) -> None:
    net, block, over = (tmp_path / name for name in ("net.yaml", "b.yaml", "over.yaml"))
    text = f"{HEAD}import: [b.yaml]\nbody: [{{use: b}}]\n"
    assert found(net, {net: text, block: BLOCK}) == []
    assert found(over, {net: text, block: BLOCK, over: "extends: net.yaml\n"}) == []
    assert found(net, {net: text})[0].startswith("E301")
    assert found(net, {block: BLOCK})[0].startswith("E101")


def test_a_text_outside_the_root_is_not_read(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in" / "net.yaml", tmp_path / "b.yaml"
    inside.parent.mkdir()
    for known in ({}, {outside: BLOCK}):
        text = f"{HEAD}import: [../b.yaml]\nbody: [{{use: b}}]\n"
        (message, *_) = found(inside, {inside: text, **known})
        assert "outside the root" in message


@pytest.mark.skipif(os.name == "nt", reason="links need rights")
def test_a_link_is_an_error_here_too(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    outside, link, net = tmp_path / "b.yaml", tmp_path / "in" / "b.yaml", tmp_path / "in" / "n.yaml"
    outside.write_text(BLOCK)
    link.symlink_to(outside)
    net.write_text(f"{HEAD}import: [b.yaml]\nbody: [{{use: b}}]\n")
    for texts in ({}, {outside: BLOCK}, {link: BLOCK}):
        assert "is a link" in found(net, texts)[0]


def test_a_text_has_the_limits_of_a_file(tmp_path: Path) -> None:
    net = tmp_path / "net.yaml"
    assert found(net, {net: HEAD + "#" * 1_000_001})[0].startswith("E106")
    assert found(net, {net: f"{HEAD}title: \ud800\n"})[0].startswith("E102")
