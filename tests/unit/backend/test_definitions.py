"""Definitions: each block once, with all of its uses; splitting and naming."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from defined import CONV, Body, definition, layer, on, only

from inception_dsl.backend import (
    Code,
    Definition,
    Definitions,
    SplitError,
    UseSite,
    named,
    own_scope,
    scope_of,
)
from inception_dsl.ir.typed import TypedProgram, TypedUse
from inception_dsl.types.terms import constant, of

Compiled = Callable[..., TypedProgram]


def instances(block: Definition) -> list[tuple[dict[str, object], int]]:
    return [(dict(use.arguments), use.x.channels) for use in block.instances]


NESTED = """
network: nested
input: {channels: 3, height: 8, width: 8}
blocks:
  outer: {params: {n: int}, steps: [{use: inner, k: $n}, {use: middle, name: m, k: '${n + 1}'}]}
  middle: {params: {k: int}, steps: [{use: inner, name: i, k: $k}, {use: inner, name: j, k: 4}]}
  inner: {params: {k: int}, steps: [{op: conv, kernel_size: 1, filters: $k}]}
  unused: {steps: [{op: identity}]}
body: [{use: outer, name: a, n: 4}, {use: outer, name: b, n: 4}, {use: outer, name: c, n: 4},
    {use: inner, k: 9}]
"""


def test_every_block_is_defined_once_before_it_is_used(compiled: Compiled) -> None:
    found = Definitions(compiled(NESTED))
    assert [d.block.id for d in found] == ["inner", "middle", "outer"]
    inner, middle, outer = found
    assert instances(outer) == [({"n": 4}, 3), ({"n": 4}, 4)]
    assert instances(middle) == [({"k": 5}, 4)]
    expected = [({"k": 4}, 3), ({"k": 5}, 4), ({"k": 4}, 5), ({"k": 4}, 4), ({"k": 9}, 4)]
    assert sorted(map(str, instances(inner))) == sorted(map(str, expected))


def test_the_same_values_on_the_same_input_are_one_instance(compiled: Compiled) -> None:
    """The names of uses do not matter."""
    found = Definitions(compiled(NESTED))
    outer = list(found)[-1]
    uses = [step.site for step in found.top.sections["body"].steps[:3]]
    numbers = []
    for use in uses:
        assert isinstance(use, UseSite)
        assert use.definition is outer
        numbers += use.instances
    assert numbers == [0, 1, 1]


def test_the_rows_of_a_definition_are_its_instances(compiled: Compiled) -> None:
    for block in Definitions(compiled(NESTED)):
        for number, (row, use) in enumerate(zip(block.frame.rows, block.instances, strict=True)):
            assert row.instance == block.instance(use) == number
            assert row.values[block.channels] == use.x.channels
            given = {name: row.values[symbol] for name, symbol in block.parameters.items()}
            assert given == dict(use.arguments)
        assert not block.frame.sized
        assert block.frame.names["in_channels"] == of(block.channels)


def test_symbols_are_those_of_one_definition(compiled: Compiled) -> None:
    """Two blocks may have parameters of the same name."""
    inner, middle, _ = Definitions(compiled(NESTED))
    assert inner.parameters.keys() == middle.parameters.keys() == {"k"}
    assert inner.parameters["k"] != middle.parameters["k"]
    assert inner.channels != middle.channels


def test_a_block_on_maps_and_on_vectors_has_two_definitions(body: Body) -> None:
    typed = body(
        "{use: b, name: x, k: 4}, {op: global_avg_pool}, {use: b, name: y, k: 5}, "
        "{use: b, name: z, k: 5}",
        more="blocks: {b: {params: {k: int}, steps: [{op: dense, units: $k}]}}",
    )
    maps, vectors = Definitions(typed)
    assert (maps.rank, instances(maps)) == (2, [({"k": 4}, 3)])
    assert (vectors.rank, instances(vectors)) == (0, [({"k": 5}, 4), ({"k": 5}, 5)])
    assert maps.parameters["k"] != vectors.parameters["k"]
    use = typed.sections["body"].steps[0].runs[0].typed
    assert isinstance(use, TypedUse)
    assert (maps.holds(use), vectors.holds(use)) == (True, False)


def test_uses_with_different_output_ranks_are_split(body: Body) -> None:
    """Only by rank, even if they differ in other ways."""
    block = (
        "blocks: {b: {params: {k: int, keep: bool}, steps: [{op: conv, kernel_size: 1, "
        "filters: $k}, {op: global_avg_pool, keepdims: $keep}]}}"
    )
    uses = ", ".join(
        f"{{merge: concat, name: f{i}, branches: {{x: [{{use: b, k: {i}, keep: {keep}}}]}}}}"
        for i, keep in ((1, "true"), (2, "true"), (3, "true"), (4, "false"))
    )
    maps, vectors = Definitions(body(uses, more=block))
    assert [use.arguments["k"] for use in maps.instances] == [1, 2, 3]
    assert [use.arguments["k"] for use in vectors.instances] == [4]
    plan = maps.plan
    assert plan.of((maps.instances[0], maps.instances[2])) is maps
    with pytest.raises(SplitError):
        plan.of((maps.instances[0], vectors.instances[0]))


# splitting


def parts(block: Definition, groups: dict[int, str] | None = None) -> list[list[int]]:
    """The values of n in each part."""
    return [[use.arguments["n"] for use in part.instances] for part in block.split(groups)]


FOUR = on(3, 3, 3, 3)


def test_a_split_uses_the_given_groups(body: Body) -> None:
    block = definition(body, f"{{{CONV}: $n, repeat: $n}}", FOUR)
    assert parts(block, {0: "a", 1: "b", 2: "a", 3: "b"}) == [[1, 3], [2, 4]]
    assert parts(block, {0: "a", 1: "a", 2: "a"}) == [[1, 2, 3], [4]]


def test_a_split_without_useful_groups_is_by_repeat_counts(body: Body) -> None:
    block = definition(body, f"{{{CONV}: 5, repeat: '${{n % 2 + 1}}'}}", FOUR)
    assert parts(block) == [[1, 3], [2, 4]]
    assert parts(block, dict.fromkeys(range(4), "alike")) == [[1, 3], [2, 4]]


def test_the_last_resort_is_a_split_by_instance(body: Body) -> None:
    block = definition(body, f"{{{CONV}: $n}}", FOUR)
    assert parts(block) == [[1], [2], [3], [4]]


def test_the_parts_of_a_split_share_the_instances_and_keep_the_symbols(body: Body) -> None:
    block = definition(body, f"{{{CONV}: $n}}", FOUR)
    found = block.split({0: "a", 1: "b", 2: "a", 3: "b"})
    assert [use for part in found for use in part.instances] == [
        block.instances[n] for n in (0, 2, 1, 3)
    ]
    for part in found:
        assert (part.block, part.rank, part.parameters) == (block.block, 2, block.parameters)
        assert only(part).y == of(block.parameters["n"])


def test_the_values_of_a_single_instance_are_literals(body: Body) -> None:
    block = definition(body, f"{{{CONV}: '${{n + 1}}'}}", "{use: b, n: 4}")
    (alone,) = block.split()
    assert alone.parameters == {}
    scope = scope_of(alone, (), channels=True)
    assert scope.text(layer(only(alone).site).slot("filters")) == "5"
    assert not scope.signature()


# names


@pytest.mark.parametrize(
    ("params", "reserved", "called"),
    [
        ("n: int", (), ["n"]),
        ("n: int", ("n",), ["n_"]),
        ("n: int", ("n", "n_"), ["n__2"]),
        ("n: int, n_: int", ("n",), ["n_", "n__"]),
        ("n_: int, n: int", ("n",), ["n_", "n__2"]),
        ("n: int, self: int, x: int", ("self", "x"), ["n", "self_", "x_"]),
        ("n: int, classes: int, num_classes: int", (), ["n", "num_classes", "num_classes_"]),
    ],
)
def test_names_of_parameters_never_clash(
    body: Body, params: str, reserved: tuple[str, ...], called: list[str]
) -> None:
    own = [part.split(":")[0].strip() for part in params.split(",")]
    given = ", ".join(f"{name}: {number}" for number, name in enumerate(own, 2))
    total = " + ".join(own)
    block = definition(body, f"{{{CONV}: '${{{total}}}'}}", f"{{use: b, {given}}}", params)
    scope = scope_of(block, reserved, channels=True)
    scope.text(layer(only(block).site).slot("filters"))
    found = scope.signature()
    assert [argument.name for argument in found] == called
    assert len({*called, *reserved, "in_channels"}) == len(called) + len(reserved) + 1
    values = [block.parameters[name] for name in own]
    assert [argument.symbol for argument in found] == values


def test_channels_are_an_argument_or_a_variable(body: Body) -> None:
    block = definition(body, f"{{{CONV}: $in_channels}}", on(3, 5))
    for channels in (True, False):
        scope = scope_of(block, ("in_channels",), channels=channels)
        assert scope.text(layer(only(block).site).slot("filters")) == "in_channels"
        assert [a.name for a in scope.signature()] == ["in_channels"] * channels
        assert [*scope.reads] == [block.channels]


def test_classes_is_called_num_classes() -> None:
    assert [named(name) for name in ("classes", "num_classes", "n")] == ["num_classes"] * 2 + ["n"]


# the top

TOP = """
network: top
input: {channels: 3, height: 8, width: 8}
params: {num_classes: {type: int, default: 6}, width: {type: int, default: 2}}
classes: 7
body: [{op: conv, name: a, filters: $width, kernel_size: 1},
    {op: conv, name: b, filters: '${in_channels * num_classes}', kernel_size: 1}]
head: [{op: flatten}, {op: dense, units: $classes}]
aux_heads: {aux: {after: a, loss_weight: 0.5,
    steps: [{op: flatten}, {op: dense, units: '${in_channels * classes}'}]}}
"""


def test_the_top_is_written_once(compiled: Compiled) -> None:
    top = Definitions(compiled(TOP)).top
    symbols = top.symbols
    assert {*symbols} == {"in_channels", "classes", "num_classes", "width"}
    a, b = top.sections["body"].steps
    assert a.y == of(symbols["width"])
    assert b.y is not None and set(b.y.symbols) == {symbols["in_channels"], symbols["num_classes"]}
    flat, end = top.sections["head"].steps
    assert end.y == of(symbols["classes"])
    assert flat.y is not None, "the sizes are those of the input"
    (row,) = a.frame.rows
    assert flat.y.evaluate(row.values) == 8 * 8 * 3 * 6
    assert a.frame.sized


def test_a_head_in_the_frame_of_the_network_and_in_its_own(compiled: Compiled) -> None:
    found = Definitions(compiled(TOP))
    inside = found.top.heads["aux"]
    assert inside.x == of(found.top.symbols["width"])
    flat, dense = inside.steps
    (row,) = flat.frame.rows
    assert flat.y is not None and flat.y.symbols == (found.top.symbols["width"],)
    assert flat.y.evaluate(row.values) == 8 * 8 * 2
    assert layer(dense.site).slot("units").values == (14,)
    assert dense.frame.holds(dense.y, (14,))
    symbols, own = found.own_head("aux")
    assert own.x == of(symbols["in_channels"])
    assert own.steps[0].y != constant(128)
    (row,) = own.frame.rows
    assert row.values[symbols["in_channels"]] == 2
    assert own.frame.holds(own.steps[1].y, (14,))


def test_num_classes_keeps_its_name_if_another_parameter_has_it(compiled: Compiled) -> None:
    top = Definitions(compiled(TOP)).top
    rows = top.sections["body"].frame.rows
    for channels in (True, False):
        scope = own_scope(top.symbols, rows, ("width",), channels=channels)
        names = {name: scope.known[symbol] for name, symbol in top.symbols.items()}
        assert names == {
            "in_channels": Code("in_channels"),
            "classes": Code("num_classes"),
            "num_classes": Code("num_classes_"),
            "width": Code("width_"),
        }
        assert (top.symbols["in_channels"] in scope.given) is channels
