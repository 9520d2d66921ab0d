"""Links, pipes and files that change during a check, and suggestions for missing files."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attack_names import BLOCK, INPUT, SECRET
from rooted import network, reported

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links, pipes and sockets")


def swap(path: Path, target: Path) -> None:
    """Replace ``path`` by a link to ``target``."""
    path.rename(path.with_name("away"))
    path.symlink_to(target)


@pytest.mark.parametrize("at", ["sub", "sub/unit.yaml"])
@pytest.mark.parametrize("call", ["stat", "open"])
def test_a_link_that_appears_meanwhile(
    project: Path, monkeypatch: pytest.MonkeyPatch, at: str, call: str
) -> None:
    """The link appears after each `stat` or before each `open` of a part of the path."""
    real: Callable[..., Any] = getattr(os, call)
    for turn in range(1, 8):
        calls = iter(range(1, 1000))

        def swapping(*arguments: Any, **more: Any) -> Any:
            relative = "dir_fd" in more or str(arguments[0]) == os.path.realpath(project)
            number = next(calls) if relative else 0  # noqa: B023
            if number == turn and call == "open":  # noqa: B023
                swap(project / at, project.parent / at)
            found = real(*arguments, **more)
            if number == turn and call == "stat":  # noqa: B023
                swap(project / at, project.parent / at)
            return found

        if call == "open":
            monkeypatch.setattr(os, "supports_dir_fd", {*os.supports_dir_fd, swapping})
        monkeypatch.setattr(os, call, swapping)
        text = reported(project / "spec.yaml")
        monkeypatch.undo()
        assert SECRET not in text
        assert text == "" or "E301" in text
        if (project / at).is_symlink():
            (project / at).unlink()
            (project / at).with_name("away").rename(project / at)
    assert reported(project / "spec.yaml") == ""


def test_a_pipe_that_appears_meanwhile(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check does not wait for the pipe and does not read it as an empty file."""
    real = os.open

    def swapping(*arguments: Any, **more: Any) -> int:
        if arguments[0] == "unit.yaml":
            (project / "sub/unit.yaml").unlink()
            os.mkfifo(project / "sub/unit.yaml")
        return real(*arguments, **more)

    monkeypatch.setattr(os, "supports_dir_fd", {*os.supports_dir_fd, swapping})
    monkeypatch.setattr(os, "open", swapping)
    assert "sub/unit.yaml is not a regular file" in reported(project / "spec.yaml")


def test_suggestions_for_a_missing_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only names inside the root are suggested, and none if the folder cannot be read."""
    spec = project / "spec.yaml"
    spec.write_text(network("sub/unitt.yaml"))
    assert "did you mean `sub/unit.yaml`?" in reported(spec)
    (project / "linked").symlink_to(project.parent / "sub")
    (project.parent / "specc.yaml").write_text("")
    for wanted in (
        "linked/unitt.yaml",
        "linked/../../specc.yam",
        "missing/unitt.yaml",
        "spec.yaml/unitt.yaml",
    ):
        spec.write_text(network(wanted))
        assert "E301" in reported(spec)
        assert "unit.yaml`" not in reported(spec), wanted
        assert "specc.yaml" not in reported(spec)
    spec.write_text(network("sub/unitt.yaml"))
    real = os.listdir

    def swapping(at: Any) -> list[str]:
        if isinstance(at, int):
            raise PermissionError(13, "Permission denied")
        return real(at)

    monkeypatch.setattr(os, "listdir", swapping)
    assert "no such file: " in reported(spec)
    assert "did you mean" not in reported(spec)


def test_the_file_of_an_unknown_block(project: Path) -> None:
    """A file with the name of the block is suggested, but links are not searched."""
    (project / "spec.yaml").write_text(f"network: net\n{INPUT}body: [{{use: unit}}]\n")
    (project / "blocks").symlink_to(project.parent / "sub")
    assert "import" not in reported(project / "spec.yaml").replace("import its file", "")
    (project / "blocks").unlink()
    (project / "sub").rename(project / "blocks")
    assert "add `import: [blocks/unit.yaml]`" in reported(project / "spec.yaml")


def test_links_that_come_and_go(project: Path) -> None:
    """A thread swaps a file and a folder repeatedly while a spec is read."""
    (project / "away").symlink_to(project.parent / "sub")
    (project / "link").symlink_to(project.parent / "sub/unit.yaml")
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            (project / "sub").rename(project / "kept")
            (project / "away").rename(project / "sub")
            (project / "sub").rename(project / "away")
            (project / "kept").rename(project / "sub")
            (project / "link").rename(project / "sub/unit.yaml")
            os.symlink(project.parent / "sub/unit.yaml", project / "link")
            (project / "new").write_text(BLOCK.format("unit"))
            (project / "new").rename(project / "sub/unit.yaml")

    thread = threading.Thread(target=flip)
    thread.start()
    try:
        texts = {
            reported(project / "spec.yaml") for _ in range(int(os.environ.get("FLIPS", "300")))
        }
    finally:
        stop.set()
        thread.join()
    assert not [text for text in texts if SECRET in text]
    assert all(text == "" or "E301" in text for text in texts)
