"""Figures as TikZ pictures, for pdflatex without further packages than ``tikz``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from inception_dsl.backend import Files, Report, Request, TypedProgram, generated_by, latex

from .columns import COLUMN_ROOMS, LEAST, PAGE_ROOMS, printed
from .figure import ARROW, BASELINE, FONT, LINE, ROUND, SMALL, Box, Edge, Figure, Text, strokes
from .options import DIRECTION, LAYOUT, THEME
from .palette import THEMES, Theme
from .sizes import pt
from .views import FULL, figures

_LENGTH: Final = 16_383
"""The largest coordinate of TeX, in points."""
_CHARACTERS: Final = 500_000
"""The longest picture: it takes 1.8 million words of pdflatex's main memory, which has 5 million.
"""
_SMALLER: Final = (
    "use `--backend svg` or `--backend html`, or draw less: one step with `repeat` for equal steps,"
    " a block for a part with many steps"
)
_SIGNS: Final = {"×": r"\texttimes{}", "·": r"\textperiodcentered{}", "−": r"\textminus{}"}


def emit_tikz(typed: TypedProgram, request: Request, report: Report) -> Files | None:
    """The figures of a program, one file for each: ``\\input`` it, or compile it if standalone.

    A figure that is too large for LaTeX is left out (``W501``); an error (``E503``) if nothing
    else is written.
    """
    theme = THEMES[request.value(THEME)]
    alone = request.value(LAYOUT) == "standalone"
    network = typed.program.kind == "network"
    files: dict[str, str | bytes] = {}
    large: dict[str, str] = {}
    for name, figure in figures(typed, up=request.value(DIRECTION) == "up").items():
        file = f"{request.name}{f'-{name}' if name else ''}.tex"
        wide = network and name in ("", FULL)
        text = drawn(figure, theme, typed.program.id, alone=alone, wide=wide)
        if reason := _too_large(figure, text):
            large[file] = f"the figure `{file}` is too large for LaTeX: {reason}"
        else:
            files[file] = text
    _report(large, bool(files) or request.others, typed, report)
    return files or ({} if request.others else None)


def _report(large: dict[str, str], others: bool, typed: TypedProgram, report: Report) -> None:
    """Report the figures that are left out; an error if there are no ``others``."""
    program = typed.program
    span = program.origin.span(program.kind)
    if not others:
        report.error("E503", next(iter(large.values())), span, help=_SMALLER)
    elif large and "W501" not in program.about.allow:
        message, *more = large.values()
        notes = [f"{one}; it is left out, too" for one in more]
        report.warning("W501", f"{message}; it is left out", span, help=_SMALLER, notes=notes)


def _too_large(figure: Figure, text: str) -> str:
    """Why TeX cannot typeset a picture; empty if it can."""
    if (most := max(figure.width, figure.height)) > _LENGTH:
        kind = "high" if figure.height == most else "wide"
        return f"it is {most:,.0f} pt {kind}; at most {_LENGTH:,.0f} are possible"
    if len(text) > _CHARACTERS:
        return f"it has {len(text):,} characters; at most {_CHARACTERS:,} fit its memory"
    return ""


def drawn(figure: Figure, theme: Theme, id: str, *, alone: bool = False, wide: bool = True) -> str:
    """The text of a file; ``wide``: it is scaled for the width of a page, not of a column."""
    scale = printed(figure, PAGE_ROOMS if wide else COLUMN_ROOMS)
    picture = _picture(figure, theme, scale)
    if alone:
        lines = [*_page(figure, scale), *picture, r"\end{document}"]
    else:
        lines = [_use(figure, scale), *picture]
    return "\n".join([f"% {generated_by(id)}", *lines, ""])


def _use(figure: Figure, scale: float) -> str:
    """A comment on how to include a picture."""
    width, alone = figure.width * scale, PAGE_ROOMS[0].width
    wide = "figure*, or figure with one column" if width <= alone else "figure*"
    place = "figure" if width <= COLUMN_ROOMS[0].width else wide
    text = f"% \\usepackage{{tikz}}, and \\input this file in the environment {place}."
    if scale * SMALL < LEAST:
        text += f"\n% Its smallest type is {scale * SMALL:.2g} pt: for a screen, not for print."
    return text


def _page(figure: Figure, scale: float) -> list[str]:
    """The beginning of a document whose page is as large as the figure.

    The text area is larger than the page: TeX rounds, and would begin another page.
    """
    width, height = pt(figure.width * scale), pt(figure.height * scale)
    return [
        r"\documentclass{article}",
        r"\usepackage{tikz}",
        rf"\paperwidth={width}bp \paperheight={height}bp \pagestyle{{empty}}",
        r"\pdfpagewidth=\paperwidth \pdfpageheight=\paperheight",
        r"\hoffset=-1in \voffset=-1in \oddsidemargin=0pt \topmargin=0pt \headheight=0pt",
        r"\headsep=0pt \topskip=0pt \parindent=0pt",
        r"\textwidth=\dimexpr\paperwidth+1in\relax \textheight=\dimexpr\paperheight+1in\relax",
        r"\begin{document}",
    ]


def _picture(figure: Figure, theme: Theme, scale: float) -> list[str]:
    units = f"x={scale:.5g}bp, y=-{scale:.5g}bp, line width={pt(0.7 * scale)}bp, draw=idslline"
    node = f"inner sep=0pt, outer sep=0pt, anchor=base, text=idsltext, font={_font(FONT * scale)}"
    small = f"text=idsloutside, font={_font(SMALL * scale)}"
    box = f"draw=idslborder, line width={pt(0.5 * scale)}bp, rounded corners={pt(1.5 * scale)}bp"
    return [
        r"\begingroup%",
        *(rf"\definecolor{{idsl{name}}}{{HTML}}{{{code}}}%" for name, code in _colours(theme)),
        rf"\begin{{tikzpicture}}[{units},",
        f"  every node/.style={{{node}}},",
        f"  small/.style={{{small}}},",
        f"  box/.style={{{box}}}]",
        *_parts(figure, theme, scale),
        r"\end{tikzpicture}%",
        r"\endgroup",
    ]


def _parts(figure: Figure, theme: Theme, scale: float) -> Iterator[str]:
    if theme.background:
        corner = f"({pt(figure.width)},{pt(figure.height)})"
        yield f"\\fill[idslpage] (0,0) rectangle {corner};"
    else:
        yield f"\\path (0,0) rectangle ({pt(figure.width)},{pt(figure.height)});"
    for frame in figure.frames:
        area = f"({pt(frame.x)},{pt(frame.y)}) rectangle +({pt(frame.width)},{pt(frame.height)})"
        yield f"\\draw[dash pattern=on 2bp off 1.5bp, rounded corners=2bp] {area};"
        yield _small(frame.title)
    for edge in strokes(figure.edges):
        yield from _line(edge, scale)
    for box in figure.boxes:
        yield from _box(box, scale)
    for text in figure.texts:
        yield _small(text)
    for role, (x, y), text in figure.legend:
        yield f"\\filldraw[box, fill=idsl{role}] ({pt(x)},{pt(y)}) rectangle +(8,8);"
        yield _small(text)


def _line(edge: Edge, scale: float) -> Iterator[str]:
    """A line with rounded corners, which ends at the arrowhead."""
    (_, before), (x, y) = edge.points[-2:]
    down = 1 if y > before else -1
    back = y - down * ARROW
    *others, _ = edge.points
    points = " -- ".join(f"({pt(px)},{pt(py)})" for px, py in (*others, (x, back + down)))
    yield f"\\draw[rounded corners={pt(ROUND * scale)}bp] {points};"
    head = (
        f"({pt(x)},{pt(y)}) -- ({pt(x - ARROW / 2)},{pt(back)}) -- ({pt(x + ARROW / 2)},{pt(back)})"
    )
    yield f"\\fill[idslline] {head} -- cycle;"


def _box(box: Box, scale: float) -> Iterator[str]:
    area = f"({pt(box.x)},{pt(box.y)}) rectangle +({pt(box.width)},{pt(box.height)})"
    if box.role == "terminal":
        yield rf"\draw[box, rounded corners={pt(box.height / 2 * scale)}bp] {area};"
    else:
        yield rf"\filldraw[box, fill=idsl{box.role}] {area};"
    size = SMALL if box.role == "merge" else FONT
    kind = "[small]" if box.role == "merge" else ""
    first = box.y + box.height / 2 - (len(box.lines) - 1) * LINE / 2 + BASELINE * size
    for number, line in enumerate(box.lines):
        y = pt(first + LINE * number)
        yield rf"\node{kind} at ({pt(box.middle)},{y}) {{{_text(line)}}};"


def _small(text: Text) -> str:
    at = f"({pt(text.x)},{pt(text.y + BASELINE * SMALL)})"
    return rf"\node[small, anchor=base west] at {at} {{{_text(text.text)}}};"


def _text(text: str) -> str:
    """Text whose signs are those of its font, not of a math font."""
    return "".join(_SIGNS.get(part) or latex(part) for part in re.split("([×·−])", text))


def _font(size: float) -> str:
    """Helvetica, whose widths the layout has."""
    points = f"{{{pt(size)}bp}}{{{pt(1.2 * size)}bp}}"
    return rf"\fontfamily{{phv}}\fontsize{points}\selectfont"


def _colours(theme: Theme) -> Iterator[tuple[str, str]]:
    named = [("text", theme.text), ("outside", theme.outside), ("line", theme.line)]
    named += [("border", theme.border), ("page", theme.background), *theme.fills.items()]
    return ((name, value[1:].upper()) for name, value in named if value)
