"""The data of the page beside the editor: texts stay text, and keep every character."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

import pytest
from payloads import SPEC, TAKEN, TEXTS
from served import Json

from inception_dsl.editor.page import panes, results
from inception_dsl.editor.page.highlighting import MAX_CHARACTERS, pieces


def shown(found: Json) -> list[tuple[str, str]]:
    """All pieces of a diagnostic."""
    return [*found["head"], *found["excerpt"], *chain(*found["advice"])]


@pytest.mark.parametrize("payload", [p for p in TAKEN if p.startswith("text")])
def test_texts_of_a_spec_stay_text(
    payload: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Colours come from the program only; every other character is in the text."""
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_text(
        json.dumps({**SPEC, **dict.fromkeys(TEXTS, payload), "wrong": 1}), encoding="utf-8"
    )
    one = results.Followed("net.yaml", {})
    one.compile({})
    for found in panes.problems(one.report)["diagnostics"]:
        assert {kind for kind, _ in shown(found)} <= {
            *("", "error", "strong", "frame", "help", "warning")
        }
        assert "\x1b" not in "".join(text for _, text in shown(found))


def test_a_colour_in_a_text_is_no_colour() -> None:
    assert panes.painted("\x1b[1;31ma\x1b[0mb\x1b[99mc") == [("error", "a"), ("", "b"), ("", "c")]


def test_highlighting_keeps_every_character() -> None:
    for text in ("\n\nx = 1\n\n", "", "a\tb\r", "<b>&amp;</b>", "'unclosed", "\x0c\u2028"):
        assert "".join(part for _, part in pieces("a.py", text)) == text
    assert pieces("a.unknown", "<x>") == [("", "<x>")]
    long = "x = 1\n" * (MAX_CHARACTERS // 6 + 1)
    assert pieces("a.py", long) == [("", long)]
