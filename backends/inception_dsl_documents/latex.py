"""A table of a network for LaTeX, in the manner of the papers, and its entry for BibTeX."""

from __future__ import annotations

from collections.abc import Iterable

from inception_dsl.backend import (
    Code,
    Files,
    Prose,
    Report,
    Request,
    TypedProgram,
    citation,
    generated_by,
    latex,
    render,
    spelled,
)

from .bibtex import bibtex
from .latex_columns import COLUMN, GAP, PAGE, Fit, fitted
from .latex_options import COUNTS, LAYOUT, SIZE, WIDTH
from .table_body import Body, Chosen
from .table_cells import times


def emit(typed: TypedProgram, request: Request, report: Report) -> Files | None:
    """The table ``NAME.tex``, and ``NAME.bib`` if the spec has a paper."""
    page, layout = request.value(WIDTH) == "page", request.value(LAYOUT)
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
    program = body.typed.program
    title = _plain(program.about.title).rstrip(".") or spelled(program.id)
    without = " without auxiliary heads" if body.typed.auxiliary else ""
    found = [f"{title}, for an input of {times(program.taken)}: {_totals(body)} (ops){without}."]
    if body.joined:
        found.append("A row of several blocks or layers has their sum.")
    if body.chosen.googlenet:
        found.append("In the table, parameters are without biases, and 1K is 1024.")
    return Code(" ".join(latex(text) for text in (*found, _plain(citation(program.about)))).strip())


def _totals(body: Body) -> str:
    return f"{body.cost.total:,} parameters, {body.cost.macs:,} multiply-adds"


def _plain(text: Prose) -> str:
    """A text of the spec in one line."""
    return " ".join(text.plain.split())
