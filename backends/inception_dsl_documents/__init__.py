"""The document backends of inception-dsl: figures and tables of a network."""

from __future__ import annotations

from inception_dsl.backend import Backend, Files, Report, Request, TypedProgram

from . import latex_options


def _latex(typed: TypedProgram, request: Request, report: Report) -> Files | None:
    from .latex import emit

    return emit(typed, request, report)


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
