"""Tests the Pareto plot: well-formed, without markup of others, every point in its place."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from inception_dsl.design.chart import HEIGHT, LEFT, TOP, WIDTH, scale
from inception_dsl.design.measured import Measured, Variant
from inception_dsl.design.plot import plot
from inception_dsl.design.sweep import Limits, Sweep

SVG = "{http://www.w3.org/2000/svg}"


def swept(*points: tuple[int, int], names: tuple[str, ...] = ("n",), **settings: object) -> Sweep:
    found = [
        Variant((str(i),) * len(names), Measured(y, x, "3", x, 2 * x, "1x1", 3))
        for i, (x, y) in enumerate(points)
    ]
    return Sweep("net", names, found, **settings)


def drawn(sweep: Sweep) -> ET.Element:
    return ET.fromstring("".join(plot(sweep)))


def circles(root: ET.Element, kind: str) -> list[tuple[float, float]]:
    found = root.iter(f"{SVG}circle")
    return [(float(c.get("cx")), float(c.get("cy"))) for c in found if c.get("class") == kind]


def texts(root: ET.Element, kind: str) -> list[str]:
    return [t.text for t in root.iter(f"{SVG}text") if t.get("class") == kind]


def test_points_and_the_front() -> None:
    root = drawn(swept((10, 10), (20, 30), (30, 20), (40, 40)))
    front, others = circles(root, "front"), circles(root, "other")
    assert (len(front), len(others)) == (3, 1)
    assert front == sorted(front)
    assert [y for _, y in front] == sorted((y for _, y in front), reverse=True)
    assert front[1][0] < others[0][0] < front[2][0]
    assert all(LEFT < x < WIDTH and TOP < y < HEIGHT for x, y in front + others)
    assert texts(root, "label") == ["n 0", "n 3", "n 1"]


@pytest.mark.parametrize(
    "points",
    [
        [(5, 5)],
        [(0, 0)],
        [(7, 3), (7, 3)],
        [(0, 1), (10**15, 2)],
        [(1, 10**15), (10**15, 10**15)],
        [(n, n) for n in range(1, 3000)],
        [(n, 3000 - n) for n in range(3000)],
    ],
    ids=str,
)
def test_any_points(points: list[tuple[int, int]]) -> None:
    """Also where there is no range, and where there are more points than pixels."""
    root = drawn(swept(*points))
    places = circles(root, "front") + circles(root, "other")
    assert places
    assert all(LEFT - 1 <= x <= WIDTH and TOP - 1 <= y <= HEIGHT for x, y in places)
    assert len(circles(root, "other")) < 2000


def test_labels_name_what_differs_on_the_front() -> None:
    found = [
        Variant((str(n), "7", str(-n)), Measured(n, n, "3", 1, 1, "1x1", 3)) for n in range(1, 4)
    ]
    root = drawn(Sweep("net", ("a", "b", "c"), found))
    assert set(texts(root, "label")) == {"a 1, c -1", "a 2, c -2", "a 3, c -3"}
    titles = [c.findtext(f"{SVG}title") for c in root.iter(f"{SVG}circle")]
    assert titles[0] == "a 1, b 7, c -1: 1 MACs, 1 parameters"


def test_labels_do_not_cover_each_other() -> None:
    root = drawn(swept(*((n, n) for n in range(1, 400))))
    labels = [t for t in root.iter(f"{SVG}text") if t.get("class") == "label"]
    assert 2 <= len(labels) < 60
    rows = sorted((float(t.get("y")), float(t.get("x"))) for t in labels)
    assert all(b[0] - a[0] >= 9 or abs(b[1] - a[1]) > 20 for a, b in itertools.pairwise(rows))
    assert {"n 0", "n 398"} <= {t.text for t in labels}


def test_text_is_never_markup() -> None:
    hostile = "</text><script>alert(1)</script>\x00\x1b[31m\ud800\u202e&amp;"
    values = [Variant((hostile,), Measured(2, 1, "3", 1, 1, "1x1", 3))]
    root = drawn(Sweep(hostile, (hostile,), values))
    tags = {e.tag.removeprefix(SVG) for e in root.iter()}
    assert tags <= {"svg", "title", "style", "rect", "text", "line", "path", "circle"}
    whole = "".join(root.itertext())
    assert "</text><script>alert(1)" in whole
    assert not re.search("[\x00\x1b\ud800\u202e]", whole)


def test_long_texts_are_cut() -> None:
    root = drawn(swept((1, 1), (2, 2), names=tuple(f"name_{i}" for i in range(80))))
    assert max(len(t.text or "") for t in root.iter(f"{SVG}text")) <= 100


def test_no_points_are_no_plot() -> None:
    assert not [*plot(swept((5, 5), limits=Limits(macs=1)))]


@pytest.mark.parametrize("axis", ["activations", "training", "receptive-field"])
def test_units(axis: str) -> None:
    root = drawn(swept((2_000_000, 1), (4_000_000, 2), x=axis))
    unit = "" if axis == "receptive-field" else " MB"
    found = [text for text in texts(root, "tick") if text.endswith(unit)]
    assert len(found) >= 3


@pytest.mark.parametrize(
    ("least", "most", "ticks"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (100, 100, [90, 95, 100, 105, 110]),
        (7, 300, [10, 20, 50, 100, 200]),
        (1, 1000, [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]),
        (1, 10**8, [10**n for n in range(9)]),
    ],
)
def test_ticks(least: int, most: int, ticks: list[float]) -> None:
    found = scale(least, most, 0, 100)
    assert found.ticks() == pytest.approx(ticks)
    assert 0 <= found.at(least) <= found.at(most) <= 100
