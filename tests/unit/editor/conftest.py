"""The language server, started once for each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from editor import Editor
from editor_files import COMMAND, Files


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    """Files in an editor with a server."""
    with Editor(COMMAND, tmp_path_factory.mktemp("editor"), watching=True) as editor:
        yield Files(editor)
