"""Text for terminals: escapes, display width, clipping."""

from __future__ import annotations

from collections.abc import Collection, Sequence

WIDTH = 160


def width(text: str) -> int:
    """The number of terminal columns of ``text``.

    A wide character has two, a combining character none.
    """
    if text.isascii():
        return len(text)
    import unicodedata  # only text that is not ASCII needs it

    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)


def clipped(line: str, start: int, end: int) -> tuple[str, str, str]:
    """The text before, in and after ``line[start:end]``, cut to ``WIDTH`` columns."""
    most = WIDTH + 1  # a line may have a megabyte: only this much of it is scanned
    before, marked, after = (
        printable(part)
        for part in (line[max(0, start - most) : start], line[start:end][:most], line[end:][:most])
    )
    if len(before) + len(marked) + len(after) <= WIDTH:
        return before, marked, after
    marked = marked if len(marked) <= WIDTH else f"{marked[: WIDTH - 1]}…"
    room = (WIDTH - len(marked)) // 2 + 1
    return _end(before, room), marked, after if len(after) <= room else f"{after[:room]}…"


def _end(text: str, room: int) -> str:
    return text if len(text) <= room else f"…{text[len(text) - room :]}"


def printable(text: str) -> str:
    """``text`` with invisible characters as escapes, so that a spec cannot control the terminal."""
    return (
        text if text.isprintable() else "".join(c if visible(c) else ascii(c)[1:-1] for c in text)
    )


def aligned(rows: Sequence[Sequence[str]], left: Collection[int]) -> list[str]:
    """Rows of as many cells as lines with aligned columns; those not in ``left`` to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def rule(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The cells of a line as wide as the columns of these rows."""
    return tuple("-" * max(map(len, column)) for column in zip(*rows, strict=True))


def visible(character: str) -> bool:
    """Whether a character is printed as it is, the same in every version of Python.

    Unicode tables differ between versions: a code point that is unassigned in this version counts
    as visible, since a newer version may assign it.
    """
    if character.isprintable() or character.isascii():
        return character.isprintable()
    import unicodedata  # only text that is not ASCII needs it

    never = (
        any(first <= ord(character) <= last for first, last in _NEVER)
        or ord(character) & 0xFFFE == 0xFFFE
    )
    return unicodedata.category(character) == "Cn" and not never


_NEVER = (
    (0x2065, 0x2065),
    (0xFDD0, 0xFDEF),
    (0xFFF0, 0xFFF8),
    (0x13430, 0x1343F),
    (0xE0000, 0xE0FFF),
)
"""Ranges of code points that will never be visible characters."""
