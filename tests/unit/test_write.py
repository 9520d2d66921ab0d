"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inception_dsl.diagnostics import Report
from inception_dsl.write import difference, write_all


def test_every_file_or_none(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    report = Report()
    assert not write_all({tmp_path / "a.py": "a\n", tmp_path / "folder": "b\n"}, report)
    assert [d.code for d in report] == ["E601"]
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_folders_are_made_and_nothing_is_left_beside(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.py"
    assert write_all({path: "é\n"}, Report())
    assert path.read_bytes() == b"\xc3\xa9\n"
    assert [p.name for p in path.parent.iterdir()] == ["c.py"]


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_text("old\n")

    def broken(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", broken)
    report = Report()
    assert not write_all({path: "new\n"}, report)
    assert "No space left on device" in report.render()
    assert path.read_text() == "old\n"
    assert [p.name for p in tmp_path.iterdir()] == ["a.py"]


@pytest.mark.skipif(os.name == "nt", reason="modes of files")
def test_modes(tmp_path: Path) -> None:
    old, new = tmp_path / "old.py", tmp_path / "new.py"
    old.write_text("")
    old.chmod(0o640)
    before = os.umask(0o027)
    try:
        assert write_all({old: "x", new: "x"}, Report())
    finally:
        os.umask(before)
    assert old.stat().st_mode & 0o777 == 0o640
    assert new.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target.py", tmp_path / "link.py"
    target.write_text("old")
    link.symlink_to(target)
    assert write_all({link: "new"}, Report())
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_difference(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    assert "is missing" in difference(path, "x\n")
    path.write_bytes(b"a\nb\xff\n")
    assert "-b\ufffd" in difference(path, "a\nc\n")
    path.write_text("a\n")
    assert difference(path, "a\n") == ""
    path.write_bytes(b"a\r\n")
    assert difference(path, "a\n") != "", "line ends count"
