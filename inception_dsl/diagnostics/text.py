"""Text for terminals: escapes, display width, clipping."""

from __future__ import annotations

WIDTH = 160


def width(text: str) -> int:
    """Columns of a terminal that ``text`` takes.

    Two for a wide character, none for one that joins another.
    """
    if text.isascii():
        return len(text)
    import unicodedata  # only text that is not ASCII needs it

    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)


def clipped(line: str, start: int, end: int) -> tuple[str, str, str]:
    """What stands before, in and after the place that is marked, as much as fits on a screen."""
    most = WIDTH + 1  # of a line of a megabyte the rest need not be looked at
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
    """``text`` with every control character shown as an escape, so that a spec cannot steer a
    terminal.
    """
    return (
        text if text.isprintable() else "".join(c if visible(c) else ascii(c)[1:-1] for c in text)
    )


def visible(character: str) -> bool:
    """Whether a character is shown as itself, in every version of Python alike.

    Each has other tables of Unicode: what an older one has no character for is taken for one that a
    newer has.
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
"""Where there is no character, and will be none that is seen."""
