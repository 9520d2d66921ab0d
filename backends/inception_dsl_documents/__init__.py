"""The document backends of inception-dsl: figures and tables of a network.

Importing this package imports nothing that draws them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from inception_dsl.backend import Backend, Files, Option, Report, Request, TypedProgram

from .options import (
    COUNTS,
    DIRECTION,
    LAYOUT,
    PAGE_THEME,
    SIZE,
    TABLE_LAYOUT,
    THEME,
    WIDTH,
)

Emit: TypeAlias = Callable[[TypedProgram, Request, Report], Files | None]


def _svg(typed: TypedProgram, request: Request, report: Report) -> Files | None:
    from .svg import emit_svg

    return emit_svg(typed, request, report)


def _tikz(typed: TypedProgram, request: Request, report: Report) -> Files | None:
    from .tikz import emit_tikz

    return emit_tikz(typed, request, report)


def _mermaid(typed: TypedProgram, request: Request, report: Report) -> Files | None:
    from .mermaid import emit_mermaid

    return emit_mermaid(typed, request, report)


def _latex(typed: TypedProgram, request: Request, report: Report) -> Files | None:
    from .latex import emit

    return emit(typed, request, report)


def _html(typed: TypedProgram, request: Request, report: Report) -> Files | None:
    from .html import emit_html

    return emit_html(typed, request, report)


def _documents(name: str, title: str, emit: Emit, suffix: str, *options: Option) -> Backend:
    """A backend of documents, which can draw every network."""
    return Backend(
        name,
        title,
        emit,
        suffix,
        several_inputs=True,
        shares=True,
        documents=True,
        options=options,
    )


SVG = _documents("svg", "SVG figures", _svg, ".svg", THEME, DIRECTION)
TIKZ = _documents("tikz", "TikZ figures", _tikz, ".tex", THEME, DIRECTION, LAYOUT)
MERMAID = _documents("mermaid", "Mermaid figure", _mermaid, ".mmd", DIRECTION)
LATEX = _documents("latex", "LaTeX table", _latex, ".tex", TABLE_LAYOUT, WIDTH, SIZE, COUNTS)
HTML = _documents("html", "HTML pages to explore", _html, ".html", PAGE_THEME, DIRECTION)
