"""Forks, uses and repetitions that are written once for all uses of their block."""

from __future__ import annotations

from typing import Any

import pytest
from defined import CONV, Body, definition, layer, on, only

from inception_dsl.backend import (
    ForkSite,
    Part,
    Scope,
    Site,
    SplitError,
    UseSite,
    VariesError,
    first_that_fits,
    scope_of,
)
from inception_dsl.types.terms import add, constant, multiply, of


def shown(parts: tuple[Part, ...]) -> list[tuple[int, tuple[Any, ...]]]:
    """The start of every part, and the number of its repetitions in every use."""
    return [(part.start, part.count.values) for part in parts]


def test_the_channels_after_a_merge(body: Body) -> None:
    fork = f"{{merge: concat, branches: {{x: [{{{CONV}: $n}}], y: [], z: [{{{CONV}: 2}}]}}}}"
    block = definition(body, fork, on(3, 5))
    n, x = of(block.parameters["n"]), of(block.channels)
    assert only(block).y == add(add(n, x), constant(2))
    assert isinstance(only(block).site, ForkSite)
    added = fork.replace("concat", "add").replace("y: [], ", "")
    total = definition(body, added, "{use: b, n: 2}")
    assert only(total).y == constant(2), "a constant, if a branch has one"


def test_the_channels_after_a_use_follow_from_its_arguments(body: Body) -> None:
    more = f"inner: {{params: {{k: int}}, steps: [{{{CONV}: '${{in_channels * k + 1}}'}}]}}, "
    block = definition(body, "{use: inner, k: '${n + 1}'}", on(3, 5), more=more)
    use = only(block).site
    assert isinstance(use, UseSite)
    x, n = of(block.channels), of(block.parameters["n"])
    assert use.y == add(multiply(x, add(n, constant(1))), constant(1))
    assert use.argument("k").term == add(n, constant(1))
    assert use.definition.instance(use.typed[0]) != use.definition.instance(use.typed[1])
    assert use.instances == (0, 1)
    inner = next(d for d in block.plan if d.block.id == "inner")
    scope = scope_of(block, (), channels=True)
    given = scope_of(inner, (), channels=True)
    given.text(layer(only(inner).site).slot("filters"))
    passed = [scope.passed(use, argument, inner) for argument in given.signature()]
    assert passed == ["in_channels", "n + 1"]


# repetitions


def test_a_step_that_is_not_repeated(body: Body) -> None:
    step = only(definition(body, f"{{{CONV}: $n}}", on(3, 5)))
    assert not step.repeated
    ((part,),) = step.parts()
    assert (part.index, part.start, part.stop.values, part.count.values) == (
        None,
        0,
        (1, 1),
        (1, 1),
    )


def test_constant_channels_are_one_loop(body: Body) -> None:
    block = definition(body, f"{{{CONV}: $in_channels, repeat: '${{n + 1}}'}}", on(3, 5))
    step = only(block)
    first = next(step.parts())
    assert shown(first) == [(0, (2, 3))]
    assert first[0].index is not None
    assert layer(first[0].site).x == of(block.channels)
    scope = scope_of(block, (), channels=True)
    assert scope.text(first[0].stop) == "n + 1"
    assert step.y == of(block.channels)


def test_channels_that_grow_linearly_are_a_loop_with_an_index(body: Body) -> None:
    fork = f"{{merge: concat, branches: {{x: [], y: [{{{CONV}: $n}}]}}, repeat: 3}}"
    block = definition(body, fork, on(3, 5))
    step = only(block)
    (part,) = next(step.parts())
    n, x = of(block.parameters["n"]), of(block.channels)
    assert part.index is not None
    assert isinstance(part.site, ForkSite)
    conv = layer(part.site.branches[1][1].steps[0].site)
    assert conv.x == add(x, multiply(n, of(part.index)))
    assert step.y == add(x, multiply(n, constant(3)))
    for row, value in zip(conv.frame.rows, conv.channels.values, strict=True):
        assert conv.x is not None and conv.x.evaluate(row.values) == value
    assert {row.values[part.index] for row in conv.frame.rows} >= {0, 2}


def test_the_first_repetition_by_itself_and_the_rest_in_a_loop(body: Body) -> None:
    block = definition(body, f"{{{CONV}: 7, repeat: '${{n + 1}}'}}", on(3, 5))
    step = only(block)
    ways = list(step.parts())
    assert [shown(way) for way in ways] == [[(0, (2, 3))], [(0, (1, 1)), (1, (1, 2))]]
    first, rest = ways[1]
    assert (layer(first.site).x, layer(rest.site).x) == (of(block.channels), constant(7))
    scope = scope_of(block, (), channels=True)
    assert scope.text(rest.stop) == "n + 1"
    assert scope.text(rest.count) == "n"
    assert step.y == constant(7)
    with pytest.raises(VariesError):
        scope.text(layer(ways[0][0].site).channels)


SQUARE = f"inner: {{steps: [{{{CONV}: '${{in_channels * in_channels % 11 + 1}}'}}]}}, "


def test_channels_that_change_irregularly_are_written_one_by_one(body: Body) -> None:
    """If all uses have the same number of repetitions."""
    block = definition(body, "{use: inner, repeat: 3}", on(3, 5), more=SQUARE)
    step = only(block)
    ways = list(step.parts())
    assert shown(ways[-1]) == [(0, (1, 1)), (1, (1, 1)), (2, (1, 1))]
    for part in ways[-1]:
        assert isinstance(part.site, UseSite)
        values = tuple(use.x.channels for use in part.site.typed)
        assert part.site.frame.holds(part.site.x, values)
    other = definition(body, "{use: inner, repeat: '${n + 1}'}", on(3, 5), more=SQUARE)
    assert all(len(way) < 3 for way in only(other).parts())


def test_the_same_runs_in_all_uses(body: Body) -> None:
    block = definition(body, "{op: max_pool, kernel_size: 3, stride: 2, repeat: 8}", on(3, 5))
    ways = list(only(block).parts())
    assert shown(ways[0]) == [(0, (8, 8))], "a block may be used at other sizes"
    assert shown(ways[-1]) == [(start, (n, n)) for start, n in enumerate((1, 1, 1, 1, 1, 3))]
    fork = "{merge: concat, branches: {x: [], y: [{use: inner}]}, repeat: 2}"
    runs = list(only(definition(body, fork, on(3, 5), more=SQUARE)).parts())[-1]
    assert shown(runs) == [(0, (1, 1)), (1, (1, 1))]


def test_a_repeat_of_one_is_a_loop_only_if_it_is_an_expression(body: Body) -> None:
    """Another use may repeat more often."""
    asked = only(definition(body, "{op: identity, repeat: '${n - n + 1}'}", on(3, 5)))
    assert next(asked.parts())[0].index is not None
    plain = only(definition(body, "{op: identity, repeat: 1}", on(3, 5)))
    assert not plain.repeated


def test_the_first_way_that_fits_is_used_and_failed_ones_are_undone(body: Body) -> None:
    block = definition(body, f"{{{CONV}: 7, repeat: '${{n + 1}}'}}", on(3, 5))
    scope = scope_of(block, (), channels=True)
    tried: list[int] = []

    def write(parts: tuple[Part, ...]) -> list[str]:
        tried.append(len(parts))
        return [
            f"{scope.text(layer(part.site).channels)} x {scope.text(part.count)}" for part in parts
        ]

    assert first_that_fits(only(block), write, scope) == ["in_channels x 1", "7 x n"]
    assert tried == [1, 2]
    assert [a.name for a in scope.signature()] == ["in_channels", "n"]


def test_a_split_error_if_no_way_fits(body: Body) -> None:
    block = definition(body, "{use: inner, repeat: '${n + 1}'}", on(3, 5), more=SQUARE)
    scope: Scope = scope_of(block, (), channels=True)

    def write(parts: tuple[Part, ...]) -> None:
        scope.text(of_use(parts[-1].site))

    def of_use(site: Site) -> Any:
        assert isinstance(site, UseSite)
        values = tuple(use.x.channels for use in site.typed)
        return site.frame.slot(values, None, "in_channels")

    before = scope.state()
    with pytest.raises(SplitError):
        first_that_fits(only(block), write, scope)
    assert scope.state() == before
