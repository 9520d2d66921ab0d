"""Figures as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from inception_dsl.backend import Files, Report, Request, TypedProgram, generated_by

from .figure import (
    ARROW,
    BASELINE,
    FONT,
    LINE,
    ROUND,
    SMALL,
    Box,
    Edge,
    Figure,
    Point,
    Text,
    strokes,
)
from .options import DIRECTION, THEME
from .palette import THEMES, Theme
from .sizes import pt
from .views import figures

_FAMILY: Final = "Helvetica, Arial, 'Liberation Sans', sans-serif"


def emit_svg(typed: TypedProgram, request: Request, report: Report) -> Files:
    """The figures of a program, one file for each."""
    theme = THEMES[request.value(THEME)]
    found = figures(typed, up=request.value(DIRECTION) == "up")
    return {
        f"{request.name}{f'-{name}' if name else ''}.svg": drawn(figure, theme, typed.program.id)
        for name, figure in found.items()
    }


def drawn(figure: Figure, theme: Theme, id: str) -> str:
    """The text of an SVG file; ``id`` is that of the spec, for the mark."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{pt(figure.width)}pt" '
        f'height="{pt(figure.height)}pt" viewBox="0 0 {pt(figure.width)} {pt(figure.height)}" '
        f'role="img" aria-label="{_text(figure.title)}">',
        f"<!-- {generated_by(id)} -->",
        f"<title>{_text(figure.title)}</title>",
        f"<style>{_style(theme)}</style>",
    ]
    if theme.background:
        lines.append('<rect class="page" width="100%" height="100%"/>')
    lines += _parts(figure)
    return "\n".join([*lines, "</svg>", ""])


def _parts(figure: Figure) -> Iterator[str]:
    for frame in figure.frames:
        yield f'<rect class="frame" {_place(frame.x, frame.y, frame.width, frame.height)} rx="3"/>'
        yield _small(frame.title)
    for edge in strokes(figure.edges):
        yield f'<path class="line" d="{_path(edge)}"/>'
        yield f'<path class="arrow" d="{_arrow(edge)}"/>'
    for box in figure.boxes:
        yield from _box(box)
    for text in figure.texts:
        yield _small(text)
    for role, (x, y), text in figure.legend:
        yield f'<rect class="{role}" {_place(x, y, 8, 8)} rx="1.5"/>'
        yield _small(text)


def _box(box: Box) -> Iterator[str]:
    yield "<g>"
    if box.about:
        yield f"<title>{_text(chr(10).join(box.about))}</title>"
    radius = box.height / 2 if box.role == "terminal" else 2.0
    place = _place(box.x, box.y, box.width, box.height)
    yield f'<rect class="{box.role}" {place} rx="{pt(radius)}"/>'
    size = SMALL if box.role == "merge" else FONT
    first = box.y + box.height / 2 - (len(box.lines) - 1) * LINE / 2 + BASELINE * size
    kind = ' class="small"' if box.role == "merge" else ""
    for number, line in enumerate(box.lines):
        yield (
            f'<text{kind} x="{pt(box.middle)}" y="{pt(first + LINE * number)}" '
            f'text-anchor="middle">{_text(line)}</text>'
        )
    yield "</g>"


def _small(text: Text) -> str:
    y = text.y + BASELINE * SMALL
    return f'<text class="small" x="{pt(text.x)}" y="{pt(y)}">{_text(text.text)}</text>'


def _path(edge: Edge) -> str:
    """A line with rounded corners, which ends at the arrowhead."""
    points = [*edge.points]
    (px, py), (x, y) = points[-2], points[-1]
    points[-1] = (x, y - (ARROW - 1) * _sign(y - py)) if x == px else (x, y)
    parts = [f"M{pt(points[0][0])} {pt(points[0][1])}"]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(ROUND, _length(before, here) / 2, _length(here, after) / 2)
        (ax, ay), (bx, by) = _towards(here, before, radius), _towards(here, after, radius)
        parts.append(f"L{pt(ax)} {pt(ay)}Q{pt(here[0])} {pt(here[1])} {pt(bx)} {pt(by)}")
    return "".join([*parts, f"L{pt(points[-1][0])} {pt(points[-1][1])}"])


def _arrow(edge: Edge) -> str:
    (_, py), (x, y) = edge.points[-2], edge.points[-1]
    back = y - ARROW * _sign(y - py)
    return f"M{pt(x)} {pt(y)}L{pt(x - ARROW / 2)} {pt(back)}H{pt(x + ARROW / 2)}Z"


def _towards(start: Point, end: Point, by: float) -> Point:
    length = _length(start, end) or 1.0
    return (
        start[0] + (end[0] - start[0]) * by / length,
        start[1] + (end[1] - start[1]) * by / length,
    )


def _length(a: Point, b: Point) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])  # all lines are horizontal or vertical


def _sign(value: float) -> int:
    return 1 if value > 0 else -1


def _style(theme: Theme) -> str:
    rules = [
        f"text{{font:{FONT}px {_FAMILY};fill:{theme.text}}}",
        f".small{{font-size:{SMALL}px;fill:{theme.outside}}}",
        f".line{{fill:none;stroke:{theme.line};stroke-width:.8}}",
        f".arrow{{fill:{theme.line}}}",
        f".frame{{fill:none;stroke:{theme.line};stroke-width:.6;stroke-dasharray:2 1.5}}",
        f".page{{fill:{theme.background or 'none'}}}",
        f".terminal{{fill:none;stroke:{theme.line};stroke-width:.6}}",
    ]
    rules += [
        f".{role}{{fill:{fill};stroke:{theme.border};stroke-width:.6}}"
        for role, fill in theme.fills.items()
    ]
    return "".join(rules)


def _place(x: float, y: float, width: float, height: float) -> str:
    return f'x="{pt(x)}" y="{pt(y)}" width="{pt(width)}" height="{pt(height)}"'


def _text(text: str) -> str:
    """Text without markup and control characters."""
    return escape("".join(c for c in text if c == "\n" or c.isprintable()))
