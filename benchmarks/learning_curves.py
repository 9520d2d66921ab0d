"""The curves of `learning.py` as SVG: accuracy and loss of several runs over their steps."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from inception_dsl.design.chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Scale,
    axes,
    head,
    scale,
    short,
    words,
)

MARK = "<!-- benchmarks/learning.py -->"
COLOURS = (("#0969da", "#4493f8"), ("#bc4c00", "#db6d28"))
"""Of each network, on light and on dark pages."""
DASHES = ("none", "7 4")
"""Of each framework."""
SMOOTH = 10
"""Steps whose mean loss is one point."""


class Curve(NamedTuple):
    """The points of a run, (step, number), in the style of a network and a framework."""

    name: str
    style: str
    points: Sequence[tuple[float, float]]


def rows(run: Path) -> list[dict[str, str]]:
    """The rows of the log of a run."""
    with open(run / "log.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def draw(runs: Mapping[tuple[str, str], Path], out: Path) -> None:
    """Write ``accuracy.svg`` and ``loss.svg`` of runs, by network and framework."""
    networks, frameworks = (list(dict.fromkeys(names)) for names in zip(*runs, strict=True))
    accuracies, losses = [], []
    for (network, framework), run in runs.items():
        found, name = rows(run), f"{network}, {framework}"
        style = f"network{networks.index(network)} framework{frameworks.index(framework)}"
        points = [(int(row["step"]), float(row["average"])) for row in found if row["average"]]
        accuracies.append(Curve(name, style, points))
        values = [float(row["loss"]) for row in found]
        starts = range(0, len(values) - SMOOTH + 1, SMOOTH)
        means = [(n + SMOOTH, sum(values[n : n + SMOOTH]) / SMOOTH) for n in starts]
        losses.append(Curve(name, style, means))
    about = "Accuracy of the running average on 1,000 other digits, after each epoch"
    text = chart(about, "accuracy", accuracies, share=True)
    (out / "accuracy.svg").write_text(text, encoding="utf-8")
    about = f"Loss in training, with the losses of auxiliary heads; means of {SMOOTH} steps"
    text = chart(about, "loss", losses, share=False)
    (out / "loss.svg").write_text(text, encoding="utf-8")


def chart(about: str, name: str, curves: Sequence[Curve], *, share: bool) -> str:
    """Numbers over steps: shares up to 1, or numbers that fall, which may have a log scale."""
    xs, ys = zip(*chain.from_iterable(curve.points for curve in curves), strict=True)
    x = Scale(0, max(xs) * 1.02, LEFT, WIDTH - RIGHT, False)
    y = scale(min(ys), 1.0 if share else max(ys), HEIGHT - BOTTOM, TOP)
    if share:
        y = y._replace(most=1.0)
    spelled: Callable[[float], str] = percent if share else short
    frame = chain(
        head("Learning 4,000 handwritten digits", about, MARK, styles()),
        axes(Axis("steps", x, short), Axis(name, y, spelled)),
    )
    lines = (line(curve, x, y) for curve in curves)
    return "".join((*frame, *lines, *legend(curves, low=share), "</svg>\n"))


def styles() -> str:
    """The colours of networks and the dashes of frameworks, as classes."""
    light, dark = (
        "".join(f".network{n} {{ stroke: {pair[i]}; }}\n" for n, pair in enumerate(COLOURS))
        for i in (0, 1)
    )
    dashes = (f".framework{n} {{ stroke-dasharray: {d}; }}\n" for n, d in enumerate(DASHES))
    own = ".curve { fill: none; stroke-width: 2; stroke-linejoin: round; }\n"
    query = "@media screen and (prefers-color-scheme: dark) {\n"
    return "".join((own, light, *dashes, query, dark, "}\n"))


def line(curve: Curve, x: Scale, y: Scale) -> str:
    """The points of a curve, joined."""
    path = " ".join(f"{x.at(step):.1f},{y.at(number):.1f}" for step, number in curve.points)
    return f'<polyline class="curve {curve.style}" points="{path}"/>\n'


def legend(curves: Sequence[Curve], *, low: bool) -> Iterator[str]:
    """A line of each style with its name, at the right: below lines that rise, else above."""
    left = WIDTH - RIGHT - 150
    first = HEIGHT - BOTTOM - 20 * len(curves) if low else TOP + 22
    for at, curve in enumerate(curves):
        bottom = first + 20 * at
        yield f'<path class="curve {curve.style}" d="M{left} {bottom - 4}h34"/>\n'
        yield words(left + 42, bottom, curve.name, "label")


def percent(number: float) -> str:
    """A share as ``95 %``."""
    return f"{short(100 * number)} %"
