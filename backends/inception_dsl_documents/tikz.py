"""Figures as TikZ pictures, for pdflatex without further packages than ``tikz``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from inception_dsl.backend import Files, Report, Request, TypedProgram, generated_by

from .columns import COLUMN, PAGE, printed
from .figure import FONT, SMALL, Box, Edge, Figure, Text
from .latex_text import latex
from .options import DIRECTION, KIND, THEME
from .palette import THEMES, Theme
from .views import figures

_ROUND: Final = 3.0


def emit_tikz(typed: TypedProgram, request: Request, report: Report) -> Files:
    """The figures of a program, one file for each: ``\\input`` it, or compile it if standalone."""
    theme = THEMES[request.value(THEME)]
    alone = request.value(KIND) == "standalone"
    found = figures(typed, up=request.value(DIRECTION) == "up")
    network = typed.program.kind == "network"
    return {
        f"{request.name}{f'-{name}' if name else ''}.tex": drawn(
            figure, theme, typed.program.id, alone=alone, wide=network and name in ("", "full")
        )
        for name, figure in found.items()
    }


def drawn(figure: Figure, theme: Theme, id: str, *, alone: bool = False, wide: bool = True) -> str:
    """The text of a file; ``wide``: it is scaled for the width of a page, not of a column."""
    scale = printed(figure, PAGE if wide else COLUMN)
    lines = [f"% {generated_by(id)}"]
    if alone:
        lines += [r"\documentclass[border=2pt]{standalone}", r"\usepackage[T1]{fontenc}"]
        lines += [r"\usepackage{tikz}", r"\begin{document}"]
    else:
        place = "figure*" if wide else "figure"
        lines.append(f"% \\usepackage{{tikz}}, then \\input this file in a {place} environment.")
    size = f"x={_n(scale)}pt, y=-{_n(scale)}pt"
    lines += [
        r"\begingroup",
        *(f"\\definecolor{{idsl{name}}}{{HTML}}{{{hex}}}" for name, hex in _colours(theme)),
        f"\\begin{{tikzpicture}}[{size}, line width={_n(0.7 * scale)}pt, draw=idslline,",
        f"  every node/.style={{inner sep=0pt, outer sep=0pt, text=idsltext, font={_font(FONT * scale)}}},",
        f"  small/.style={{text=idsloutside, font={_font(SMALL * scale)}}}, "
        f"box/.style={{draw=idslborder, line width={_n(0.5 * scale)}pt, "
        f"rounded corners={_n(1.5 * scale)}pt}}]",
        *_parts(figure, theme, scale),
        r"\end{tikzpicture}%",
        r"\endgroup",
    ]
    if alone:
        lines.append(r"\end{document}")
    return "\n".join(lines) + "\n"


def _parts(figure: Figure, theme: Theme, scale: float) -> Iterator[str]:
    if theme.background:
        corner = f"({_n(figure.width)},{_n(figure.height)})"
        yield f"\\fill[idslpage] (0,0) rectangle {corner};"
    else:
        yield f"\\path (0,0) rectangle ({_n(figure.width)},{_n(figure.height)});"
    for frame in figure.frames:
        area = f"({_n(frame.x)},{_n(frame.y)}) rectangle +({_n(frame.width)},{_n(frame.height)})"
        yield f"\\draw[dash pattern=on 2pt off 1.5pt, rounded corners=2pt] {area};"
        yield _small(frame.title)
    for edge in figure.edges:
        yield from _line(edge, scale)
    for box in figure.boxes:
        yield from _box(box, scale)
    for text in figure.texts:
        yield _small(text)
    for role, (x, y), text in figure.legend:
        yield f"\\filldraw[box, fill=idsl{role}] ({_n(x)},{_n(y)}) rectangle +(8,8);"
        yield _small(text)


def _line(edge: Edge, scale: float) -> Iterator[str]:
    """A line with rounded corners, and its arrowhead."""
    points = " -- ".join(f"({_n(x)},{_n(y)})" for x, y in edge.points)
    yield f"\\draw[rounded corners={_n(_ROUND * scale)}pt] {points};"
    (_, before), (x, y) = edge.points[-2:]
    back = y - 4 if y > before else y + 4
    head = f"({_n(x)},{_n(y)}) -- ({_n(x - 2)},{_n(back)}) -- ({_n(x + 2)},{_n(back)})"
    yield f"\\fill[idslline] {head} -- cycle;"


def _box(box: Box, scale: float) -> Iterator[str]:
    fill = "" if box.role == "terminal" else f", fill=idsl{box.role}"
    if box.role == "terminal":
        fill = f", rounded corners={_n(box.height / 2 * scale)}pt"
    area = f"({_n(box.x)},{_n(box.y)}) rectangle +({_n(box.width)},{_n(box.height)})"
    yield f"\\filldraw[box{fill or ''}] {area};" if "fill=" in fill else f"\\draw[box{fill}] {area};"
    kind = "[small]" if box.role == "merge" else ""
    first = box.y + box.height / 2 - (len(box.lines) - 1) * 4.75
    for number, line in enumerate(box.lines):
        y = first + 9.5 * number
        yield f"\\node{kind} at ({_n(box.middle)},{_n(y)}) {{\\strut {latex(line)}}};"


def _small(text: Text) -> str:
    return f"\\node[small, anchor=west] at ({_n(text.x)},{_n(text.y)}) {{\\strut {latex(text.text)}}};"


def _font(size: float) -> str:
    """Helvetica, whose widths the layout has."""
    leading = _n(1.2 * size)
    return f"\\fontfamily{{phv}}\\fontsize{{{_n(size)}}}{{{leading}}}\\selectfont"


def _colours(theme: Theme) -> Iterator[tuple[str, str]]:
    named = {"text": theme.text, "outside": theme.outside, "line": theme.line}
    named |= {"border": theme.border, "page": theme.background, **theme.fills}
    return ((name, value[1:].upper()) for name, value in named.items() if value)


def _n(value: float) -> str:
    """A number with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.005 else "0"
