"""The positions of figures: nothing overlaps, no lines cross, and everything is drawn once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, pairwise
from pathlib import Path
from random import Random

import pytest
from geometry import bent, crossings, problems
from inception_dsl_documents.columns import COLUMN_ROOMS, PAGE_ROOMS, draw_columns, printed
from inception_dsl_documents.figure import ROUND, SMALL, Edge, Figure, Point, strokes
from inception_dsl_documents.sheet import Sheet
from inception_dsl_documents.trees import Trees
from inception_dsl_documents.views import FULL, figures, styles
from paths import ROOT

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedChain, TypedFork, TypedOp, TypedProgram
from inception_dsl.ir.walk import walk_program
from inception_dsl.testing.random_specs import random_spec

FILES = sorted(
    p for folder in ("", "family", "published") for p in (ROOT / "specs" / folder).glob("*.yaml")
)
PARTS, RANDOM = 4, 500
CROSSING = {"nasnet_a_cell"}  # five sums of one pair of inputs cannot be drawn without crossings

HIGHER = {"inception_unet"}  # the lines beside its column do not allow a second one


def compiled(path: Path) -> TypedProgram:
    typed = compile_spec(str(path), {}, Report())
    assert typed is not None
    return typed


def readable(name: str, typed: TypedProgram) -> bool:
    """Whether a figure is for print: the detailed one of a large network is for the screen."""
    return name != FULL and typed.program.id not in CROSSING


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_figures_of_a_shipped_spec(path: Path) -> None:
    typed = compiled(path)
    for up in (True, False):
        for name, figure in figures(typed, up=up).items():
            assert problems(figure) == [], name
            assert typed.program.id in CROSSING or crossings(figure) == [], name
            assert not [e for e in bent(figure) if e.points[0][0] == e.points[-1][0]], name
            if readable(name, typed):
                column = name or typed.program.kind == "block"
                rooms = COLUMN_ROOMS if column else PAGE_ROOMS
                scale = printed(figure, rooms)
                assert scale * SMALL >= 6, name
                assert figure.width * scale <= rooms[-1].width + 1e-6, name
                higher = typed.program.id in HIGHER
                assert figure.height * scale <= rooms[-1 if higher else 0].height + 1e-6, name
    found = figures(typed)
    every_layer_is_drawn_once(found.get(FULL, found[""]), typed)


@pytest.mark.parametrize("part", range(PARTS))
def test_figures_of_random_networks(part: int, tmp_path: Path) -> None:
    """Lines may cross only where a branch begins after an earlier step."""
    drawn = 0
    for seed in range(part, RANDOM, PARTS):
        spec = random_spec(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        typed = compiled(spec.write(folder))
        for name, figure in figures(typed).items():
            assert problems(figure) == [], (seed, name)
            assert "after:" in spec.text or crossings(figure) == [], (seed, name)
            drawn += 1
    assert drawn > RANDOM / PARTS


def every_layer_is_drawn_once(figure: Figure, typed: TypedProgram) -> None:
    """Each layer has one box; of repetitions that look alike, the first one has it."""
    boxes = [box.id for box in figure.boxes if box.role not in ("merge", "terminal")]
    assert len(set(boxes)) == len(boxes)
    layers = {
        "/".join(path) or "block" for path, t in walk_program(typed) if isinstance(t, TypedOp)
    }
    assert set(boxes) <= layers
    for layer in layers - set(boxes):
        assert sum(same_but_repetition(box, layer) for box in boxes) >= 1, layer


def same_but_repetition(drawn: str, path: str) -> bool:
    one, two = drawn.split("/"), path.split("/")
    return len(one) == len(two) and all(
        a == b or (a.isdigit() and b.isdigit() and int(a) < int(b))
        for a, b in zip(one, two, strict=True)
    )


def concats(chain: TypedChain, path: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """The concats of a block, and the last layer of each of its branches, in order."""
    for step in chain.steps:
        if step.repeated or not step.runs or not isinstance(fork := step.runs[0].typed, TypedFork):
            continue
        here = (*path, *step.node.segments)
        ends = []
        for name, branch in fork.branches:
            yield from concats(branch, (*here, name))
            ends += last_layers(branch, (*here, name))
        if fork.node.merge == "concat":
            yield "/".join((*here, "concat")), ends


def last_layers(branch: TypedChain, path: tuple[str, ...]) -> list[str]:
    if not branch.steps:
        return ["/".join(path)]
    step = branch.steps[-1]
    last = step.runs[0].typed
    here = (*path, *step.node.segments)
    if isinstance(last, TypedFork) and last.node.merge == "concat":
        return [end for n, b in last.branches for end in last_layers(b, (*here, n))]
    return ["/".join(here)]


@pytest.mark.parametrize("name", ["v0", "v4"])
def test_branches_are_in_the_order_of_the_concat(name: str) -> None:
    typed = compiled(ROOT / "specs" / f"{name}.yaml")
    count = 0
    for block, figure in figures(typed).items():
        if block == FULL or (name == "v4" and not block):
            continue
        if name == "v0":
            chain = typed.sections["steps"]
        else:
            uses = [s.runs[0].typed for c in typed.sections.values() for s in c.steps if s.runs]
            chain = next(u.body for u in uses if getattr(u.node, "block", "") == block)
        for concat, ends in concats(chain, ()):
            lines = [e for e in figure.edges if e.target == concat]
            if not lines:
                continue  # its branches end in the concat around it
            in_order = sorted(lines, key=lambda e: e.points[-1][0])
            assert [e.source for e in in_order] == ends
            count += 1
    assert count >= (1 if name == "v0" else 8)


def in_one_column(name: str) -> Figure:
    """The figure of a network without a second column."""
    typed, sheet = compiled(ROOT / "specs" / f"{name}.yaml"), Sheet()
    assert draw_columns(sheet, Trees.of(typed).network(), styles(typed, up=True)[0], 1)
    return sheet.figure("", "", up=True, names={})


@pytest.mark.parametrize("name", ["v1", "v3", "family/vgg_16", "v2"])
def test_a_long_network_has_columns(name: str) -> None:
    """And all shapes: that of 14×14×480 in GoogLeNet is at the end of a column."""
    figure, one = figures(compiled(ROOT / "specs" / f"{name}.yaml"))[""], in_one_column(name)
    assert one.height > PAGE_ROOMS[0].height > 1.2 * figure.height
    assert printed(figure, PAGE_ROOMS) == 1
    assert {t.text for t in figure.texts} >= {t.text for t in one.texts}


def test_a_branch_near_the_middle_is_straight() -> None:
    """The middle branch of three, whose boxes have other widths, is on the line of the input."""
    figure = figures(compiled(ROOT / "specs/v3.yaml"))["reduction_a"]
    down = [e for e in figure.edges if e.source == "input"]
    assert len(down) == 3 and sum(len(e.points) == 2 for e in down) == 1


@pytest.mark.parametrize("name", ["v3", "family/nasnet_a_cell", "family/inception_unet"])
def test_lines_that_leave_a_box_together_are_drawn_once(name: str) -> None:
    for figure in figures(compiled(ROOT / "specs" / f"{name}.yaml")).values():
        drawn = [*strokes(figure.edges)]
        for number, (one, whole) in enumerate(zip(drawn, figure.edges, strict=True)):
            assert one.points[-1] == whole.points[-1]
            if one.points[0] != whole.points[0]:
                earlier = [o for o in drawn[:number] if o.source == one.source]
                assert any(touches(one.points[0], other) for other in earlier)
        for one, other in combinations(drawn, 2):
            if one.source == other.source:
                assert covered(one, other) <= 2 * ROUND, (one, other)


def touches(point: Point, line: Edge) -> bool:
    x, y = point
    return any(
        min(ax, bx) - 1e-6 <= x <= max(ax, bx) + 1e-6
        and min(ay, by) - 1e-6 <= y <= max(ay, by) + 1e-6
        for (ax, ay), (bx, by) in pairwise(line.points)
    )


def covered(one: Edge, other: Edge) -> float:
    """The length of vertical and horizontal parts that two lines have in common."""
    return sum(
        overlap(a, b, c, d) for a, b in pairwise(one.points) for c, d in pairwise(other.points)
    )


def overlap(a: Point, b: Point, c: Point, d: Point) -> float:
    for along, across in ((0, 1), (1, 0)):
        if a[across] == b[across] == c[across] == d[across]:
            first, second = sorted((a[along], b[along])), sorted((c[along], d[along]))
            return max(0.0, min(first[1], second[1]) - max(first[0], second[0]))
    return 0.0


def test_the_checks_see_what_is_wrong() -> None:
    """Each check fails for a figure that is spoilt on purpose."""
    figure = figures(compiled(ROOT / "specs/v4.yaml"))["inception_a"]
    assert problems(figure) == []
    box = next(b for b in figure.boxes if b.role == "conv")
    others = [b for b in figure.boxes if b is not box]

    def spoilt(**changed: object) -> list[str]:
        return problems(figure._replace(boxes=(*others, box._replace(**changed))))  # type: ignore[arg-type]

    assert any("overlap" in p for p in spoilt(x=box.x + 45, y=box.y))
    assert any("does not touch" in p for p in spoilt(y=box.y + 3))
    assert any("wider" in p for p in spoilt(lines=("a text that does not fit",)))
    assert any("outside" in p for p in spoilt(x=-1.0))
    twice = figure._replace(boxes=(*figure.boxes, box))
    assert any("same id" in p for p in problems(twice))
    edge = figure.edges[1]
    (x, y), *rest = edge.points
    crooked = edge._replace(points=((x, y), *((px + 3, py - 5) for px, py in rest)))
    moved = figure._replace(edges=(*figure.edges, crooked))
    assert any("not straight" in p for p in problems(moved))
    across = edge._replace(source="other", points=((0.0, box.y - 4), (figure.width, box.y - 4)))
    assert crossings(figure._replace(edges=(*figure.edges, across)))
    line = edge._replace(points=((0.0, box.y + 4), (figure.width, box.y + 4)))
    assert any("runs through" in p for p in problems(figure._replace(edges=(line,))))


def test_a_network_whose_steps_begin_earlier_has_columns() -> None:
    """NASNet's cells cannot be divided where no line passes: those that do go on in the next
    column, and the type can be read in the text of ``article``.
    """
    typed = compiled(ROOT / "specs/family/nasnet_a_cell.yaml")
    figure, one = figures(typed)[""], in_one_column("family/nasnet_a_cell")
    assert one.height > 1.5 * figure.height
    assert printed(one, PAGE_ROOMS) * SMALL < 4
    assert min(PAGE_ROOMS[0].width / figure.width, printed(figure, PAGE_ROOMS)) * SMALL > 6
    assert {t.text for t in figure.texts} >= {t.text for t in one.texts}
    lines = {(line.source, line.target) for line in figure.edges}
    assert lines == {(line.source, line.target) for line in one.edges}


def beginning_earlier(rng: Random, steps: int) -> str:
    """A network of convolutions and forks whose branches begin after any earlier steps."""
    lines = ["network: net", "input: {channels: 4, height: 8, width: 8}", "body:"]
    for step in range(steps):
        conv = "{op: conv, filters: 4, kernel_size: 3}"
        if step < 2 or rng.random() < 0.3:
            lines.append(f"  - {conv[:-1]}, name: s{step}}}")
            continue
        names = "abc"[: rng.randint(2, 3)]
        branches = ", ".join(f"{name}: [{conv if rng.random() < 0.6 else ''}]" for name in names)
        starts = {name: rng.randrange(step - 1) for name in names[1:] if rng.random() < 0.8}
        after = ", ".join(f"{name}: s{start}" for name, start in starts.items())
        lines.append(
            f"  - {{name: s{step}, merge: add, branches: {{{branches}}}, after: {{{after}}}}}"
        )
    lines += ["aux_heads:", "  aux: {after: s1, loss_weight: 1, steps: [{op: global_avg_pool}]}"]
    return "\n".join(lines)


@pytest.mark.parametrize("part", range(PARTS))
def test_lines_go_on_in_any_column(part: int, write: Callable[..., Path]) -> None:
    """Between columns and across whole ones, beside a head."""
    passed = 0
    for seed in range(part, RANDOM, PARTS):
        rng = Random(seed)
        typed = compiled(write(beginning_earlier(rng, rng.randint(6, 14))))
        trees, style = Trees.of(typed), styles(typed, up=True)[0]
        for count in (2, 3, 4):
            sheet = Sheet()
            if draw_columns(sheet, trees.network(), style, count, across=4):
                figure = sheet.figure("", "", up=True, names={})
                assert problems(figure) == [], (seed, count)
                passed += not draw_columns(Sheet(), trees.network(), style, count)
    assert passed > 20
