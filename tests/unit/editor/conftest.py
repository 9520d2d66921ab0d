"""The language server, started once for each module, and a folder with a spec for pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from editor import Editor
from editor_files import COMMAND, Files
from served import NET


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    """Files in an editor with a server."""
    with Editor(COMMAND, tmp_path_factory.mktemp("editor"), watching=True) as editor:
        yield Files(editor)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a spec."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    (tmp_path / "net.yaml").write_text(NET, encoding="utf-8")
    return tmp_path
