"""Positions of the protocol and of diagnostics, compared with a count in UTF-16."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_dsl.diagnostics.report import Span
from inception_dsl.editor.positions import Position, Text, units

PARTS = ["a", "\n", "\r\n", "\r", "\t", "é", "😀", "漢", "\ud800"]
TEXTS = st.lists(st.sampled_from(PARTS), max_size=30).map("".join)


def counted(text: str, offset: int) -> Position:
    """The position by encoding everything before it."""
    before = re.split(r"\r\n|\n|\r", text[:offset])
    if text[offset - 1 : offset + 1] == "\r\n":  # between both the line is not over
        before = re.split(r"\r\n|\n|\r", text[: offset - 1])
        before[-1] += "\r"
    return Position(len(before) - 1, len(before[-1].encode("utf-16-le", "surrogatepass")) // 2)


@given(TEXTS)
def test_positions(text: str) -> None:
    made = Text(text)
    for offset in range(len(text) + 1):
        position = made.position(offset)
        assert position == counted(text, offset)
        if text[offset - 1 : offset + 1] != "\r\n":
            assert made.offset(*position) == offset


@given(TEXTS, st.integers(0, 9), st.integers(0, 9))
def test_positions_past_an_end_are_that_end(text: str, line: int, character: int) -> None:
    lines = re.split(r"\r\n|\n|\r", text)
    offset = Text(text).offset(line, character)
    assert 0 <= offset <= len(text)
    if line >= len(lines):
        assert offset == len(text)
    elif character >= units(lines[line]):
        assert Text(text).position(offset) == (line, units(lines[line]))


@given(TEXTS)
def test_places_in_diagnostics(text: str) -> None:
    made = Text(text)
    for offset in range(len(text) + 1):
        line, column = made.place(offset)
        before = text[:offset].split("\n")
        assert (line, column) == (len(before), len(before[-1]) + 1)
        assert made.index(line, column) == offset


def test_a_byte_order_mark_is_not_counted() -> None:
    """The compiler removes it before it counts."""
    made = Text("\ufeffab\ncd")
    assert made.range(Span("f", 1, 2, 2, 2)) == ((0, 2), (1, 1))
    assert made.place(2) == (1, 2)


@pytest.mark.parametrize(
    ("text", "span", "found"),
    [
        ("a: 😀 b\n", (1, 6, 1, 7), ((0, 6), (0, 7))),
        ("\t漢😀😀x", (1, 4, 1, 6), ((0, 4), (0, 7))),
        ("a\r\nb", (2, 1, 2, 2), ((1, 0), (1, 1))),
        ("ab", (1, 1, 1, 90), ((0, 0), (0, 2))),
        ("ab", (7, 1, 8, 1), ((0, 2), (0, 2))),
        ("ab\ncd", (1, 9, 2, 1), ((0, 2), (1, 0))),
    ],
)
def test_ranges(text: str, span: tuple[int, int, int, int], found: object) -> None:
    assert Text(text).range(Span("f", *span)) == found


@given(TEXTS, st.data())
def test_changes(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    cuts = [text[i - 1 : i + 1] == "\r\n" for i in (start, end)]
    if not any(cuts):
        made = Text(text)
        new = made.changed(made.position(start), made.position(end), "😀\n")
        assert new.text == f"{text[:start]}😀\n{text[end:]}"
