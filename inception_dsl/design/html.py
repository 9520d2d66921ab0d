"""Tables and figures as HTML, for notebooks.

Texts are escaped. Only positions are styled: colours are those of the notebook, light or dark.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

from ..diagnostics.text import printable
from .tables import Table


def page(caption: Sequence[str], *tables: str) -> str:
    """Tables and images below a caption, whose first line is a title.

    A dollar sign in a text does not begin a formula.
    """
    title, *about = map(_text, caption)
    head = f"<p><strong>{title}</strong> {'<br>'.join(about)}</p>"
    return f'<div class="tex2jax_ignore mathjax_ignore">{head}{"".join(tables)}</div>'


def image(svg: str, name: str) -> str:
    """A figure as an image, which runs no script and has styles of its own."""
    data = b64encode(svg.encode()).decode()
    source = f"data:image/svg+xml;base64,{data}"
    return f'<p><img alt="{_text(name)}" style="max-width: 100%" src="{source}"></p>'


def table(found: Table) -> str:
    """A table with a head; its headings are cells of heads."""
    first = found.numbers
    rows = "".join(
        _row(line.cells, line.depth, "th" if line.heading else "td", first) for line in found.lines
    )
    head = _row(found.columns, 0, "th", first)
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A table of names and values; a name that begins with a space is indented."""
    rows = "".join(
        f"<tr>{_cell('th', name.lstrip(), int(name[:1] == ' '))}{_cell('td', value)}</tr>"
        for name, value in pairs
    )
    return f"<table><tbody>{rows}</tbody></table>"


def _row(cells: Sequence[str], depth: int, tag: str, numbers: int) -> str:
    made = (_cell(tag, text, 0 if i else depth, right=i >= numbers) for i, text in enumerate(cells))
    return f"<tr>{''.join(made)}</tr>"


def _cell(tag: str, text: str, depth: int = 0, *, right: bool = False) -> str:
    style = f"text-align: {'right' if right else 'left'}"
    if depth:
        style = f"{style}; padding-left: {1 + 1.5 * depth}em"
    return f'<{tag} style="{style}">{_text(text)}</{tag}>'


def _text(text: str) -> str:
    return escape(printable(text))
