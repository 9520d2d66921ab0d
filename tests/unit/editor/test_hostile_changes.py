"""The language server with random changes and hostile texts."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from editor import at
from editor_files import NET, Files, place

PIECES = [
    "😀",
    "\t",
    "\n",
    "\r\n",
    "{",
    "}",
    "[",
    "]",
    "- ",
    ": ",
    "&a ",
    "*a",
    "'",
    '"',
    "${",
    "#",
    "\ud800",
    "漢",
]
WORDS = [
    "op",
    "use",
    "mix",
    "conv",
    "filters",
    "$filters",
    "extends: net.yaml",
    "import",
    "1e9",
    "null",
]


@pytest.mark.parametrize("seed", range(6))
def test_random_changes(seed: int, files: Files) -> None:
    """After any changes the server has the editor's text, and has answered every request."""
    rng, text = random.Random(seed), NET
    name, asked = files.new(text), []
    for version in range(2, 40):
        first = rng.randrange(len(text) + 1)
        last = min(len(text), first + rng.choice((0, 0, 0, 1, 5, 40)))
        if any(text[i - 1 : i + 1] == "\r\n" for i in (first, last)):
            continue
        new = "".join(rng.choices([*PIECES, *WORDS], k=rng.choice((0, 1, 2))))
        start, end = (
            {
                "line": len(lines) - 1,
                "character": len(lines[-1].encode("utf-16-le", "surrogatepass")) // 2,
            }
            for lines in (re.split(r"\r\n|\n|\r", text[:i]) for i in (first, last))
        )
        files.editor.change(name, [{"range": {"start": start, "end": end}, "text": new}], version)
        text = text[:first] + new + text[last:]
        there = {"textDocument": {"uri": files.editor.uri(name)}, "position": start}
        method = rng.choice(("completion", "definition", "hover"))
        asked.append(files.editor.ask(f"textDocument/{method}", there))
    for number in asked:
        assert "error" not in files.editor.answer(number)
    files.editor.change(name, [{"text": text}], 50)
    whole = files.editor.diagnostics(name, 50)
    other = files.new(text)
    assert strip(files.editor.diagnostics(other), other) == strip(whole, name)


def strip(found: list[Any], name: str) -> list[tuple[Any, ...]]:
    return [(place(one), one["code"], one["message"].replace(name, "")) for one in found]


@pytest.mark.parametrize(
    "text",
    [
        "block: b\nsteps: " + "[" * 5000,
        "network: n\nbody: [" + "{op: identity}, " * 20000 + "]",
        "network: n\n" + "a" * 1_000_001,
        NET.replace("repeat: 2", "repeat: 999999999"),
        "network: n\na: &a [x]\nb: [" + "*a, " * 9999 + "]\n",
        "network: n\n" + "extends: net.yaml\n" * 50,
        "network: n\nimport: [/etc/passwd, ../../../x.yaml, net.yaml]\n",
        "network: \ud800\n",
        "network: n\r\rbody: []\r",
        "network: n\n\u2028body: []\u0085x\n",
        "network: n\nparams: {n: {type: int, default: 3}}\nbody: [{op: dense, units: '${"
        + "(" * 200
        + "'}]",
    ],
    ids=range(11),
)
def test_hostile_texts(text: str, files: Files) -> None:
    name = files.new(text)
    assert files.editor.diagnostics(name)
    where = at("network: |")
    assert isinstance(files.editor.completions(name, where), list)
    files.editor.shut(name)
    assert files.editor.diagnostics(files.new(NET)) == []


def test_requests_can_be_cancelled(files: Files) -> None:
    name = files.new(NET)
    where = {
        "textDocument": {"uri": files.editor.uri(name)},
        "position": {"line": 0, "character": 9},
    }
    for method in ("hover", "completion", "definition"):
        number = files.editor.ask(f"textDocument/{method}", where)
        files.editor.notify("$/cancelRequest", {"id": number})
        answer = files.editor.answer(number)
        assert "result" in answer or answer["error"]["code"] == -32800
    assert files.editor.diagnostics(name) == []


def test_positions_far_outside(files: Files) -> None:
    name = files.new(NET)
    for line, character in ((0, 10**9), (10**9, 0), (2**31 - 1, 2**31 - 1)):
        there = {
            "textDocument": {"uri": files.editor.uri(name)},
            "position": {"line": line, "character": character},
        }
        for method in ("completion", "definition", "hover"):
            assert "error" not in files.editor.answer(
                files.editor.ask(f"textDocument/{method}", there)
            )


def test_unknown_documents(files: Files) -> None:
    for uri in (
        "file:///nowhere/x.yaml",
        "untitled:1",
        "file://",
        "http://[",
        "file:///a%00b.yaml",
    ):
        there = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}}
        item = {"uri": uri, "languageId": "yaml", "version": 1, "text": NET}
        for _ in range(2):
            for method in ("completion", "definition", "hover"):
                assert "error" not in files.editor.answer(
                    files.editor.ask(f"textDocument/{method}", there)
                )
            files.editor.notify("textDocument/didOpen", {"textDocument": item})
    assert files.editor.diagnostics(files.new(NET)) == []
