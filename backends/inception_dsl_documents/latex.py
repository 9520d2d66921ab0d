"""A table of a network for LaTeX, in the manner of the papers, and its entry for BibTeX."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from inception_dsl.backend import (
    Code,
    Files,
    Prose,
    Report,
    Request,
    TypedProgram,
    bibtex,
    citation,
    divided,
    generated_by,
    headline,
    latex,
    render,
)

from .latex_columns import GAP, Fit, fitted
from .options import COUNTS, SIZE, TABLE_LAYOUT, WIDTH
from .sizes import COLUMN, PAGE, times
from .table_body import Body, Chosen

_LONG: Final = 40
"""From how many letters on a word of a caption may be divided: no number, no identifier."""


def emit(typed: TypedProgram, request: Request, report: Report) -> Files | None:
    """The table ``NAME.tex``, and ``NAME.bib`` if the spec has a paper."""
    page, layout = request.value(WIDTH) == "page", request.value(TABLE_LAYOUT)
    inputs, googlenet = request.value(SIZE) == "input", request.value(COUNTS) == "googlenet"
    body = Body(typed, Chosen(page, inputs, googlenet))
    columns = body.columns
    fit = fitted(columns, PAGE if page else COLUMN)
    mark = Code(f"% {generated_by(typed.program.id)}")
    text = render(
        "inception_dsl_documents",
        "table.tex.j2",
        mark=mark,
        totals=Code(_totals(body)),
        standalone=layout == "standalone",
        floating=layout != "tabular",
        environment=Code("{table*}" if page else "{table}"),
        room=Code(r"\textwidth" if page else r"\columnwidth"),
        size=Code(fit.size),
        gap=Code(f"{GAP}pt"),
        gap_argument=Code(f"{{{GAP}pt}}"),
        caption=Code(f"{{{_caption(body)}}}"),
        label=Code(f"{{tab:{request.name}}}"),
        format=Code(f"{{{fit.format(columns)}}}"),
        heads=[_tabbed(fit.cells(line)) for line in zip(*(c[:2] for c in columns), strict=True)],
        parts=[[_line(line, fit) for line in part] for part in body.parts],
    )
    entry = bibtex(typed.program.about, request.name)
    files: Files = {f"{request.name}.bib": f"{mark}\n{entry}"} if entry else {}
    return {f"{request.name}.tex": text, **files}


def _line(texts: list[str], fit: Fit) -> Code:
    """A line of the table; one text is a heading."""
    if len(texts) > 1:
        return _tabbed(fit.cells(texts))
    kind, heading = r"{@{}l@{}}", latex(texts[0])
    return _tabbed([Code(rf"\multicolumn{{{len(fit.widths)}}}{kind}{{\emph{{{heading}}}}}")])


def _tabbed(cells: Iterable[Code]) -> Code:
    return Code(" & ".join(cells).strip() + r" \\")


def _caption(body: Body) -> Code:
    """The title, the input, the totals, what rows hold, and the citation."""
    about, program = body.typed.program.about, body.typed.program
    without = " without auxiliary heads" if body.typed.auxiliary else ""
    totals = f", for an input of {times(program.taken)}: {_totals(body)} (ops){without}."
    found: list[str | Prose] = [headline(about, program.id, totals)]
    if body.joined:
        found.append("A row of several blocks or layers has their sum.")
    if body.chosen.googlenet:
        found.append("In the table, parameters are without biases, and 1K is 1024.")
    cited = citation(about)
    return Code(" ".join(divided(text, _LONG) for text in (*found, *[cited] * bool(cited))))


def _totals(body: Body) -> str:
    return f"{body.cost.total:,} parameters, {body.cost.macs:,} multiply-adds"
