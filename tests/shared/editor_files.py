"""Specs in an editor with the language server, and what its messages mean."""

from __future__ import annotations

import sys
from typing import Any

from editor import Editor

COMMAND = [sys.executable, "-m", "inception_dsl", "lsp", "--stdio"]
TOWER = "block: tower\nparams: {n: int}\nsteps: [{op: conv, filters: $n, kernel_size: 3}]\n"
NET = """network: net
input: {channels: 3, height: 32, width: 32}
import: [tower.yaml]
params: {width: {type: int, default: 8}}
title: 😀 net
blocks:
  mix:
    params: {filters: int}
    steps:
      - branches:
          a: [{op: conv_bn, filters: $filters, kernel_size: 1}]
          b: [{op: conv_bn, filters: $filters, kernel_size: 3}]
        merge: concat
body:
  - {use: mix, filters: 8, repeat: 2}
  - {use: tower, n: $width}
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
"""


class Files:
    """New names of files in the editor, one for each test, so that the server starts once."""

    def __init__(self, editor: Editor) -> None:
        self.editor, self.number = editor, 0

    def new(self, text: str, name: str = "net.yaml") -> str:
        """Open a text in a folder of its own, beside `tower.yaml`."""
        self.number += 1
        folder = self.editor.folder / str(self.number)
        folder.mkdir()
        (folder / "tower.yaml").write_text(TOWER, encoding="utf-8")
        found = f"{self.number}/{name}"
        self.editor.open(found, text)
        return found


def codes(found: list[Any]) -> list[str]:
    return [one["code"] for one in found]


def place(one: Any) -> tuple[int, ...]:
    start, end = one["range"]["start"], one["range"]["end"]
    return start["line"], start["character"], end["line"], end["character"]


def edited(text: str, edits: list[Any]) -> str:
    """The text with edits of the protocol applied."""
    lines = text.split("\n")
    for edit in sorted(edits, key=place, reverse=True):
        first, start, last, end = place(edit)
        head, tail = (lines[number].encode("utf-16-le") for number in (first, last))
        new = head[: 2 * start].decode("utf-16-le") + edit["newText"]
        lines[first : last + 1] = [new + tail[2 * end :].decode("utf-16-le")]
    return "\n".join(lines)
