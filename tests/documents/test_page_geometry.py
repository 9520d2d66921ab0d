"""The positions in the page are those of the figures: what the browser draws, and the layout."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from browser import Opened
from inception_dsl_documents.columns import draw_columns
from inception_dsl_documents.facts import PageTrees
from inception_dsl_documents.figure import Figure
from inception_dsl_documents.sheet import Sheet
from inception_dsl_documents.tree import Chain, Group, Item, Leaf
from inception_dsl_documents.views import styles
from paths import ROOT

from inception_dsl.backend import TypedProgram
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.testing.random_specs import random_spec

SPECS = sorted(p for f in ("", "family") for p in (ROOT / "specs" / f).glob("*.yaml"))
RANDOM, PARTS, TOLERANCE = 30, 2, 0.01
READ = """() => {
  const at = (g) => {
    const move = g.attributeStyleMap.get("transform")[0];
    const {width, height} = g.querySelector("rect:not(.behind)").attributes;
    return [move.x.value, move.y.value, Number(width.value), Number(height.value)];
  };
  const texts = (g) => [...g.querySelectorAll("text")].map((t) => t.textContent);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const place = (t) => [Number(t.getAttribute("x")), Number(t.getAttribute("y")), t.textContent];
  return {
    boxes: all("#shapes .box").map((g) => [g.dataset.id, at(g), texts(g)]),
    frames: all("#shapes .frame").map((g) => [texts(g)[0], at(g)]),
    texts: all("#texts text").map(place),
    edges: all("#edges g").map((g) => [g.dataset.source, g.dataset.target,
      ...[...g.querySelectorAll("path")].map((p) => p.getAttribute("d"))]),
  };
}"""

EXPAND = """(fragment) => new Promise((done) => {
  window.addEventListener("hashchange", () => done(), {once: true});
  location.hash = fragment;
})"""


CONV = "{op: conv, filters: 4, kernel_size: 3}"
HEADS = {"one": (0, 3), "two": (2, 9), "three": (8, 2)}
"""The index of the step that each head begins after, and how many layers it has."""


def network_with_heads() -> str:
    """The line of the second head would cross the first one, if that were nearest."""
    body = "".join(f"  - {CONV[:-1]}, name: s{n}}}\n" for n in range(12))
    heads = (
        f"  {name}: {{after: s{after}, steps: [{', '.join([CONV] * count)}]}}\n"
        for name, (after, count) in HEADS.items()
    )
    head = f"network: heads\ninput: {{channels: 4, height: 8, width: 8}}\nbody:\n{body}"
    return f"{head}outputs:\n{''.join(heads)}"


def compiled(path: Path) -> TypedProgram:
    typed = compile_spec(path, {}, Report())
    assert typed is not None
    return typed


def blocks(chain: Chain) -> Iterator[str]:
    """The ids of the blocks of a chain, also of those in blocks and heads."""
    for item in chain.items:
        if isinstance(item, Leaf):
            if item.inside:
                yield item.id
                yield from blocks(item.inside)
        elif isinstance(item, Group):
            yield from blocks(item.chain)
        else:
            for branch in item.branches:
                yield from blocks(branch.chain)
    for head in chain.heads:
        yield from blocks(head.chain)


def expanded(chain: Chain, ids: set[str]) -> Chain:
    """The chain with some of its blocks in detail."""
    heads = tuple(replace(head, chain=expanded(head.chain, ids)) for head in chain.heads)
    return Chain(tuple(expanded_item(item, ids) for item in chain.items), heads)


def expanded_item(item: Item, ids: set[str]) -> Item:
    if isinstance(item, Leaf):
        if not item.inside or item.id not in ids:
            return item
        title = ": ".join(item.label.lines)
        return Group(item.id, title, expanded(item.inside, ids), item.y)
    if isinstance(item, Group):
        return replace(item, chain=expanded(item.chain, ids))
    branches = (replace(b, chain=expanded(b.chain, ids)) for b in item.branches)
    return replace(item, branches=tuple(branches))


def wanted(typed: TypedProgram, ids: set[str], *, up: bool) -> Figure:
    """The figure of the layout, in one column."""
    sheet = Sheet()
    chain = expanded(PageTrees.of(typed).network(), ids)
    assert draw_columns(sheet, chain, styles(typed, up=up)[0], 1)
    return sheet.figure("", "", up=up, names={})


def points(line: str, arrow: str) -> list[tuple[float, float]]:
    """The corners of a drawn line: its start, the control points of its curves, and its end."""
    found = re.findall(r"([MLQ])([-\d.e]+),([-\d.e]+)", line)
    end = re.match(r"M([-\d.e]+),([-\d.e]+)", arrow)
    assert end is not None
    corners = [(float(x), float(y)) for kind, x, y in found if kind in "MQ"]
    return [*corners, (float(end[1]), float(end[2]))]


def compare(found: dict[str, Any], figure: Figure) -> None:
    """All boxes, frames, texts and lines, up to where the origin is."""
    (_, (x, y, *_), _), first = found["boxes"][0], figure.boxes[0]
    dx, dy = first.x - x, first.y - y

    def near(one: list[float], two: list[float]) -> None:
        assert len(one) == len(two)
        assert max(abs(a - b) for a, b in zip(one, two, strict=True)) <= TOLERANCE, (one, two)

    assert [(id, tuple(lines)) for id, _, lines in found["boxes"]] == [
        (box.id, box.lines) for box in figure.boxes
    ]
    for (_, (x, y, *size), _), box in zip(found["boxes"], figure.boxes, strict=True):
        near([x + dx, y + dy, *size], [box.x, box.y, box.width, box.height])
    for (title, (x, y, *size)), frame in zip(found["frames"], figure.frames, strict=True):
        assert title == frame.title.text
        near([x + dx, y + dy, *size], [frame.x, frame.y, frame.width, frame.height])
    for (x, y, text), other in zip(found["texts"], figure.texts, strict=True):
        assert text == other.text
        near([x + dx, y + dy - 0.36 * 7.5], [other.x, other.y])
    for (source, target, *paths), edge in zip(found["edges"], figure.edges, strict=True):
        assert (source, target) == (edge.source, edge.target)
        drawn = [(x + dx, y + dy) for x, y in points(*paths)]
        near([n for p in drawn for n in p], [n for p in edge.points for n in p])


def check(window: Opened, file: Path, typed: TypedProgram, *, up: bool, seed: int) -> int:
    """Compare the page with no block, all and some blocks expanded; the number of boxes."""
    ids = sorted(blocks(PageTrees.of(typed).network()))
    some = {id for id in ids if Random(f"{seed} {id}").random() < 0.5}
    count = 0
    for chosen in (set[str](), {*ids}, some) if ids else (set[str](),):
        fragment = f"#open={','.join(quote(id, safe='') for id in sorted(chosen))}"
        if count:
            window.page.evaluate(EXPAND, fragment)
        found = (window.page if count else window.go(file)).evaluate(READ)
        figure = wanted(typed, chosen, up=up)
        compare(found, figure)
        count += len(figure.boxes)
    return count


@pytest.mark.parametrize("direction", ["up", "down"])
def test_positions_of_shipped_specs(
    direction: str, opened: Callable[..., Opened], page_of: Callable[..., Path]
) -> None:
    window, count = opened(), 0
    for path in SPECS if direction == "up" else SPECS[::4]:
        file = page_of(path, direction=direction)
        count += check(window, file, compiled(path), up=direction == "up", seed=len(direction))
    assert count > (2500 if direction == "up" else 600)


def test_positions_of_heads(
    opened: Callable[..., Opened], page_of: Callable[..., Path], tmp_path: Path
) -> None:
    path = tmp_path / "heads.yaml"
    path.write_text(network_with_heads(), encoding="utf-8")
    figure = wanted(compiled(path), set(), up=True)
    first, second, third = (next(b.x for b in figure.boxes if b.id == f"output {n}") for n in HEADS)
    assert third < second < first
    check(opened(), page_of(path), compiled(path), up=True, seed=0)


@pytest.mark.parametrize("part", range(PARTS))
def test_positions_of_random_networks(
    part: int, opened: Callable[..., Opened], page_of: Callable[..., Path], tmp_path: Path
) -> None:
    window, count = opened(), 0
    for seed in range(part, RANDOM, PARTS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        path = random_spec(seed).write(folder)
        count += check(window, page_of(path), compiled(path), up=True, seed=seed)
    assert count > 10 * RANDOM / PARTS
