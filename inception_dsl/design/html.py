"""Tables as HTML, for notebooks.

Texts are escaped. Only positions are styled: colours are those of the notebook, light or dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NamedTuple

from ..diagnostics.text import printable

_LEFT: Final = "text-align: left"
_NUMBERS: Final = 3
"""The columns from this one on are numbers, which notebooks align to the right."""


class Line(NamedTuple):
    """A row: the texts of its cells, how far it is indented, and whether it is a heading."""

    cells: Sequence[str]
    depth: int = 0
    heading: bool = False


def page(caption: Sequence[str], *tables: str) -> str:
    """Tables below a caption, whose first line is a title.

    A dollar sign in a text does not begin a formula.
    """
    title, *about = map(_text, caption)
    head = f"<p><strong>{title}</strong> {'<br>'.join(about)}</p>"
    return f'<div class="tex2jax_ignore mathjax_ignore">{head}{"".join(tables)}</div>'


def table(columns: Sequence[str], lines: Iterable[Line]) -> str:
    """A table with a head; the columns after the third are numbers."""
    rows = "".join(_row(line.cells, line.depth, "th" if line.heading else "td") for line in lines)
    return f"<table><thead>{_row(columns, 0, 'th')}</thead><tbody>{rows}</tbody></table>"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A table of names and values; a name that begins with a space is indented."""
    rows = "".join(
        f"<tr>{_cell('th', name.lstrip(), 0, int(name[:1] == ' '))}{_cell('td', value, 1)}</tr>"
        for name, value in pairs
    )
    return f"<table><tbody>{rows}</tbody></table>"


def _row(cells: Iterable[str], depth: int, tag: str) -> str:
    return f"<tr>{''.join(_cell(tag, text, i, depth) for i, text in enumerate(cells))}</tr>"


def _cell(tag: str, text: str, index: int, depth: int = 0) -> str:
    style = "text-align: right" if index >= _NUMBERS else _LEFT
    if depth and not index:
        style = f"{style}; padding-left: {1 + 1.5 * depth}em"
    return f'<{tag} style="{style}">{_text(text)}</{tag}>'


def _text(text: str) -> str:
    return escape(printable(text))
