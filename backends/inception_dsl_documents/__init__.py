"""The document backends of inception-dsl: figures and tables of a network.

Importing this package imports nothing that draws them.
"""

from __future__ import annotations

from inception_dsl.backend import Backend, Files, Report, Request, TypedProgram

from .options import DIRECTION, THEME


def _svg(typed: TypedProgram, request: Request, report: Report) -> Files | None:
    from .svg import emit_svg

    return emit_svg(typed, request, report)


SVG = Backend(
    name="svg",
    title="SVG figures",
    emit=_svg,
    suffix=".svg",
    documents=True,
    options=(THEME, DIRECTION),
    shares=True,
    several_inputs=True,
)
