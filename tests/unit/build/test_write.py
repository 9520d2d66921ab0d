"""Atomic writing of files."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inception_dsl.build.write import _temporary, difference, portable, write_all
from inception_dsl.diagnostics.report import Report


def test_all_files_or_none(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    report = Report()
    assert not write_all({tmp_path / "a.py": "a\n", tmp_path / "folder": "b\n"}, report)
    assert [d.code for d in report] == ["E601"]
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_folders_are_created_and_no_temporary_file_is_left(tmp_path: Path) -> None:
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
def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    target, link, lost = tmp_path / "target.py", tmp_path / "link.py", tmp_path / "lost.py"
    target.write_text("old")
    link.symlink_to(target)
    lost.symlink_to(tmp_path / "nowhere.py")
    for path in (link, lost):
        report = Report()
        assert not write_all({tmp_path / "a.py": "a", path: "new"}, report)
        assert "it is a symbolic link" in report.render()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.py", "lost.py", "target.py"]
    assert write_all({link: "new", lost: "new"}, Report(), force=True)
    assert not link.is_symlink()
    assert not lost.is_symlink()
    assert link.read_text() == lost.read_text() == "new"
    assert target.read_text() == "old"
    assert not (tmp_path / "nowhere.py").exists()


@pytest.mark.skipif(os.name == "nt", reason="special files")
def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.py"
    os.mkfifo(pipe)
    report = Report()
    assert not write_all({pipe: "new"}, report, force=True)
    assert "it is not a regular file" in report.render()
    assert difference(pipe, "new"), "the pipe is not read"


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt()])
@pytest.mark.parametrize("hard_links", [True, False])
@pytest.mark.parametrize("fails", [1, 2, 3, 4])
def test_a_failed_rename_restores_the_old_files(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    hard_links: bool,
    fails: int,
) -> None:
    old = {tmp_path / "b.py": "old b", tmp_path / "d.py": "old d"}
    for path, text in old.items():
        path.write_text(text)
    (tmp_path / "b.py").chmod(0o600)
    real, calls = os.replace, iter(range(1, 100))

    def replace(a: Path, b: Path) -> None:
        if next(calls) == fails:
            raise error
        real(a, b)

    def link(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "replace", replace)
    if not hard_links:
        monkeypatch.setattr(os, "link", link)
    files = {
        tmp_path / "new" / "a.py": "a",
        tmp_path / "b.py": "b",
        tmp_path / "c.py": "c",
        tmp_path / "d.py": "d",
    }
    report = Report()
    try:
        assert not write_all(files, report)
        assert "Input/output error" in report.render()
    except KeyboardInterrupt:
        pass
    assert {p: p.read_text() for p in tmp_path.iterdir()} == old
    assert (tmp_path / "b.py").stat().st_mode & 0o777 == 0o600


def test_files_of_another_process_are_not_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = tmp_path / "a.py", tmp_path / "b.py"
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        if target == b:
            (tmp_path / "theirs").write_text("theirs")
            real(tmp_path / "theirs", a)
            raise OSError(5, "Input/output error")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    assert not write_all({a: "a", b: "b"}, Report())
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a.py": "theirs"}


def test_files_of_dead_processes_are_removed(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with monkeypatched_process(dead.pid):
        left = _temporary(tmp_path / "a.py")
    with monkeypatched_process(os.getppid()):
        theirs, old = _temporary(tmp_path / "b.py"), _temporary(tmp_path / "c.py")
    elsewhere = tmp_path / f".tmp-00000000-{dead.pid}-12345678-d.py"
    for path in (left, theirs, old, elsewhere, tmp_path / ".tmp-mine"):
        path.write_text("")
    os.utime(old, (0, 0))
    assert write_all({tmp_path / "a.py": "a"}, Report())
    assert {p.name for p in tmp_path.iterdir()} == {
        "a.py",
        theirs.name,
        elsewhere.name,
        ".tmp-mine",
    }


@contextlib.contextmanager
def monkeypatched_process(number: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "getpid", lambda: number)
        yield


def test_difference(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    assert "is missing" in difference(path, "x\n")
    path.write_bytes(b"a\nb\xff\n")
    assert "-b\ufffd" in difference(path, "a\nc\n")
    path.write_text("a\n")
    assert difference(path, "a\n") == ""
    path.write_bytes(b"a\r\n")
    assert difference(path, "a\n") != "", "line ends count"


def test_names_of_devices() -> None:
    assert [portable(name) for name in ("con", "AUX", "lpt1", "com", "cons", "lpt10", "net")] == [
        *("con_", "AUX_", "lpt1_", "com", "cons", "lpt10", "net")
    ]
