"""Which files a spec can read, rule by rule (attacks are in ``tests/robustness``)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.language.roots import (
    MARKER,
    VARIABLE,
    OutsideError,
    names_inside,
    read_inside,
    root_of,
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and pipes")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root folder with files that can be read, and some that must not be read."""
    root = Path(os.path.realpath(tmp_path)) / "root"
    (root / "sub/deep").mkdir(parents=True)
    for path in (
        "a.yaml",
        "sub/b.yaml",
        "sub/deep/c.yaml",
        "..d.yaml",
        "sub/~e.yaml",
        "../outside.yaml",
    ):
        (root / path).write_text(path)
    (root / "link.yaml").symlink_to("a.yaml")
    (root / "way").symlink_to("sub")
    (root / "sub/up").symlink_to("..")
    (root / "first.yaml").write_text("x")
    os.link(root / "first.yaml", root / "second.yaml")
    os.mkfifo(root / "pipe")
    return root


@pytest.mark.parametrize(
    ("folder", "wanted", "found"),
    [
        ("", "a.yaml", "a.yaml"),
        ("", "sub/b.yaml", "sub/b.yaml"),
        ("", "sub/deep/c.yaml", "sub/deep/c.yaml"),
        ("sub", "b.yaml", "sub/b.yaml"),
        ("sub", "../a.yaml", "a.yaml"),
        ("sub/deep", "../../sub/deep/c.yaml", "sub/deep/c.yaml"),
        ("", "..d.yaml", "..d.yaml"),
        ("", "sub/~e.yaml", "sub/~e.yaml"),
        ("", "./sub//b.yaml", "sub/b.yaml"),
        ("way", "b.yaml", "sub/b.yaml"),  # the user can name a folder through a link
    ],
)
def test_files_inside(root: Path, folder: str, wanted: str, found: str) -> None:
    descriptors = len(os.listdir("/dev/fd"))
    assert read_inside(root / folder, wanted, root, 100).decode() == found
    assert read_inside(root / folder, wanted, root, 3).decode() == found[:3]
    assert len(os.listdir("/dev/fd")) == descriptors, "all files and folders are closed"


@pytest.mark.parametrize(
    ("folder", "wanted", "words", "help"),
    [
        ("", "/etc/passwd", "not a relative path", "this file's folder"),
        ("", "~/x.yaml", "not a relative path", "this file's folder"),
        ("", "sub\\b.yaml", "not a relative path", "this file's folder"),
        ("", "c:a.yaml", "not a relative path", "this file's folder"),
        ("", "a\x07.yaml", "not a relative path", "this file's folder"),
        ("", "../outside.yaml", "outside the root", "--root"),
        ("sub", "../../outside.yaml", "outside the root", "--root"),
        ("", "../root/../outside.yaml", "outside the root", "--root"),
        ("", "../rooted.yaml", "outside the root", "--root"),
        ("", "link.yaml", "a link", "a copy"),
        ("", "way/b.yaml", "a link", "a copy"),
        ("", "sub/up/a.yaml", "a link", "a copy"),
        ("", "second.yaml", "another hard link", "a copy"),
        ("", "pipe", "is not a regular file", ""),
        ("", "sub", "is not a regular file", ""),
        ("", ".", "is not a regular file", ""),
        ("sub", "..", "is not a regular file", ""),
    ],
)
def test_files_that_are_not_read(
    root: Path, folder: str, wanted: str, words: str, help: str
) -> None:
    descriptors = len(os.listdir("/dev/fd"))
    with pytest.raises(OutsideError) as error:
        read_inside(root / folder, wanted, root, 100)
    assert str(error.value).startswith(("is ", "has "))
    assert words in str(error.value)
    assert help in error.value.help
    assert bool(help) == bool(error.value.help)
    assert len(os.listdir("/dev/fd")) == descriptors


def test_missing_files(root: Path) -> None:
    for wanted in ("nothing.yaml", "nothing/b.yaml", "sub/nothing/b.yaml"):
        with pytest.raises(FileNotFoundError):
            read_inside(root, wanted, root, 100)
    with pytest.raises(NotADirectoryError):
        read_inside(root, "a.yaml/b.yaml", root, 100)


def after_stat(monkeypatch: pytest.MonkeyPatch, path: Path, change: Callable[[], object]) -> None:
    """Replace ``path`` right after ``os.stat`` was called for it."""
    look = os.stat

    def stat(
        name: str, *, dir_fd: int | None = None, follow_symlinks: bool = True
    ) -> os.stat_result:
        found = look(name, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
        if dir_fd is not None and name == path.name:
            path.rename(path.with_name("away"))
            change()
        return found

    monkeypatch.setattr(os, "stat", stat)


@pytest.mark.parametrize("swapped", ["sub", "sub/b.yaml"])
def test_a_link_that_is_created_after_stat(
    root: Path, monkeypatch: pytest.MonkeyPatch, swapped: str
) -> None:
    """The system call to open it fails."""
    path = root / swapped
    after_stat(monkeypatch, path, lambda: path.symlink_to(path.with_name("away")))
    with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
        read_inside(root, "sub/b.yaml", root, 100)


def test_a_pipe_that_is_created_after_stat(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is opened without blocking, and not read."""
    path = root / "a.yaml"
    after_stat(monkeypatch, path, lambda: os.mkfifo(path))
    with pytest.raises(OutsideError, match="is not a regular file"):
        read_inside(root, "a.yaml", root, 100)


def test_only_regular_files_are_opened(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, system = [], os.open

    def recording(path: str, *rest: int, **more: int) -> int:
        opened.append(path)
        return system(path, *rest, **more)

    monkeypatch.setattr(os, "open", recording)
    monkeypatch.setattr(os, "supports_dir_fd", {recording, os.stat})
    for wanted in ("pipe", "sub", "link.yaml"):
        with pytest.raises(OutsideError):
            read_inside(root, wanted, root, 100)
    assert set(opened) == {root}


def test_a_root_that_is_not_a_folder(root: Path) -> None:
    with pytest.raises(NotADirectoryError):
        read_inside(root, "a.yaml", root / "a.yaml", 100)
    assert names_inside(root, "a.yaml", root / "a.yaml") == []


def test_the_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert root_of(root / "sub/deep/c.yaml") == root / "sub/deep"
    (root / MARKER).touch()
    assert root_of(root / "sub/deep/c.yaml") == root
    (root / "sub" / MARKER).touch()
    assert root_of(root / "sub/deep/c.yaml") == root / "sub"
    assert root_of(root / "sub/b.yaml") == root / "sub"
    assert root_of(root / "way/b.yaml") == root / "sub"
    assert root_of(root / "a.yaml") == root
    monkeypatch.setenv(VARIABLE, str(root / "way"))
    assert root_of(root / "a.yaml") == root / "sub"
    assert root_of(root / "sub/deep/c.yaml", root / "sub/up") == root


def test_the_owner_of_the_marker(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder where everyone can write, the marker must belong to the user or to root. A link
    or a folder is never a marker.
    """
    monkeypatch.delenv(VARIABLE, raising=False)
    marker = root / MARKER
    marker.touch()
    owner = marker.stat().st_uid
    for mode, user, counts in (
        (0o755, owner + 1, True),
        (0o1777, owner, True),
        (0o1777, owner + 1, owner == 0),
    ):
        root.chmod(mode)
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        assert (root_of(root / "sub/b.yaml") == root) == counts, (mode, user)
    look = os.lstat

    def another(path: str | Path) -> os.stat_result:
        found = look(path)
        return (
            os.stat_result((*found[:4], 4321, *found[5:])) if Path(path).name == MARKER else found
        )

    monkeypatch.setattr(os, "lstat", another)
    for mode, user, counts in ((0o755, 1234, True), (0o1777, 1234, False), (0o1777, 4321, True)):
        root.chmod(mode)
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        assert (root_of(root / "sub/b.yaml") == root) == counts, (mode, user)
    monkeypatch.undo()
    root.chmod(0o755)
    marker.unlink()
    for make in (lambda: marker.symlink_to("a.yaml"), lambda: marker.unlink() or marker.mkdir()):
        make()
        assert root_of(root / "sub/b.yaml") == root / "sub"


def test_without_file_descriptors_of_folders(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows: the path is resolved, and must not change."""
    monkeypatch.setattr(os, "supports_dir_fd", set())
    assert read_inside(root, "sub/b.yaml", root, 100).decode() == "sub/b.yaml"
    for wanted in ("link.yaml", "way/b.yaml", "sub", "pipe", "nothing.yaml"):
        with pytest.raises(
            OutsideError, match="is not a regular file, or its path contains a link"
        ):
            read_inside(root, wanted, root, 100)
    assert names_inside(root, "sub/deep", root) == ["c.yaml"]
    for wanted in ("..", "way", "sub/up", "nothing", "a.yaml"):
        assert names_inside(root, wanted, root) == []


def test_names_in_a_folder(root: Path) -> None:
    descriptors = len(os.listdir("/dev/fd"))
    assert names_inside(root, "", root) == sorted(os.listdir(root))
    assert names_inside(root / "sub", "deep", root) == ["c.yaml"]
    assert names_inside(root / "sub", "../sub/deep", root) == ["c.yaml"]
    for wanted in ("..", "way", "sub/up", "nothing", "a.yaml", "/"):
        assert names_inside(root, wanted, root) == []
    assert len(os.listdir("/dev/fd")) == descriptors
