"""The document backends of inception-dsl: figures and tables of a network.

Importing this package imports nothing that draws them.
"""

from __future__ import annotations

from inception_dsl.backend import Backend, Files, Report, Request, TypedProgram

from . import latex_options
from .options import DIRECTION, LAYOUT, PAGE_THEME, THEME


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


SVG = Backend(
    name="svg",
    title="SVG figures",
    emit=_svg,
    suffix=".svg",
    several_inputs=True,
    shares=True,
    documents=True,
    options=(THEME, DIRECTION),
)
TIKZ = Backend(
    name="tikz",
    title="TikZ figures",
    emit=_tikz,
    suffix=".tex",
    several_inputs=True,
    shares=True,
    documents=True,
    options=(THEME, DIRECTION, LAYOUT),
)
MERMAID = Backend(
    name="mermaid",
    title="Mermaid figure",
    emit=_mermaid,
    suffix=".mmd",
    several_inputs=True,
    shares=True,
    documents=True,
    options=(DIRECTION,),
)
LATEX = Backend(
    name="latex",
    title="LaTeX table",
    emit=_latex,
    suffix=".tex",
    several_inputs=True,
    shares=True,
    documents=True,
    options=latex_options.OPTIONS,
)
HTML = Backend(
    name="html",
    title="HTML pages to explore",
    emit=_html,
    suffix=".html",
    documents=True,
    options=(PAGE_THEME, DIRECTION),
    shares=True,
    several_inputs=True,
)
