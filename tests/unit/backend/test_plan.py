"""The plan of a file: the order of definitions, and the texts of the documentation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from defined import CONV, Body, on

from inception_dsl.analysis.size_conditions import AxisSizes
from inception_dsl.backend import Definition, Names, SplitError, plan
from inception_dsl.ir.typed import TypedProgram

Compiled = Callable[..., TypedProgram]
TWO = (
    f"blocks: {{b: {{params: {{n: int}}, steps: [{{use: a, k: $n}}]}}, "
    f"a: {{params: {{k: int}}, steps: [{{{CONV}: $k}}]}}}}"
)


def shown(definition: Definition) -> str:
    values = [use.arguments.get("n", use.arguments.get("k")) for use in definition.instances]
    return f"{definition.block.id}{values}"


def test_definitions_are_written_in_order(body: Body) -> None:
    found = plan(body(on(3, 5, 7), more=TWO))
    assert [text for _, text in found.written(shown)] == ["a[1, 2, 3]", "b[1, 2, 3]"]
    assert [shown(definition) for definition, _ in found.written(shown)] == [
        "a[1, 2, 3]",
        "b[1, 2, 3]",
    ]


def test_a_block_that_cannot_be_written_once_is_split_in_its_position(body: Body) -> None:
    """Names recorded by the failed attempt are undone."""
    names, tried = Names(), []

    def write(definition: Definition) -> str:
        tried.append(shown(definition))
        name = names.unique(definition.block.id)
        kinds = [use.arguments["k"] % 2 for use in definition.instances if "k" in use.arguments]
        if len(set(kinds)) > 1:
            raise SplitError(groups=dict(enumerate(kinds)))
        return f"{name}: {shown(definition)}"

    found = [text for _, text in plan(body(on(3, 5, 7), more=TWO)).written(write, names)]
    assert tried == ["a[1, 2, 3]", "a[1, 3]", "a[2]", "b[1, 2, 3]"]
    assert found == ["a: a[1, 3]", "a_2: a[2]", "b: b[1, 2, 3]"]


def test_a_block_is_split_as_far_as_it_has_to_be(body: Body) -> None:
    """In the end, each instance has its own definition, with its values as literals."""

    def write(definition: Definition) -> str:
        if definition.parameters:
            raise SplitError
        return shown(definition)

    found = [text for _, text in plan(body(on(3, 5, 7), more=TWO)).written(write)]
    assert found == ["a[1]", "a[2]", "a[3]", "b[1]", "b[2]", "b[3]"]


def test_a_single_instance_that_cannot_be_written_is_an_internal_error(body: Body) -> None:
    def write(definition: Definition) -> str:
        raise SplitError

    with pytest.raises(SplitError):
        list(plan(body(on(3, 5), more=TWO)).written(write))


WORDS = """
network: words
title: Words
input: {channels: 3, height: 9, width: 9}
classes: 4
body: [{op: conv_bn, name: a, filters: 2, kernel_size: 3, padding: valid},
    {op: conv, name: b, filters: 2, kernel_size: 1, use_bias: false}]
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
aux_heads: {side: {after: a, loss_weight: 0.25,
    steps: [{op: max_pool, kernel_size: 5, padding: valid}, {op: flatten},
        {op: dense, units: $classes}]}}
outputs: {early: b}
training: {label_smoothing: 0.1, initializer: {name: truncated_normal, stddev: 0.02}}
"""


def test_the_cost_of_a_network(compiled: Compiled) -> None:
    """Heads count as trainable parameters; moving statistics are listed separately."""
    found = plan(compiled(WORDS)).counts()
    own, heads = 3 * 9 * 2 + 2 * 2 + 2 * 2 + (2 * 4 + 4), (3 * 3 * 2) * 4 + 4
    assert found.startswith(
        f"{own + heads} trainable parameters ({heads} of them in auxiliary heads)"
    )
    assert " and 4 moving statistics; " in found
    assert found.endswith(
        "multiply-adds for an input of 9x9x3; the smallest input is 3x3;"
        " with auxiliary heads 9x9, the largest 9x9."
    )


def test_the_cost_without_heads_and_moving_statistics(body: Body) -> None:
    found = plan(body(f"{{{CONV}: 2, use_bias: false}}")).counts()
    assert found.startswith("6 trainable parameters; 6,144 multiply-adds")


def test_taps_are_auxiliary_heads_and_outputs(compiled: Compiled) -> None:
    taps = plan(compiled(WORDS)).taps
    assert [(tap.name, tap.after, bool(tap.head)) for tap in taps] == [
        ("side", "a", True),
        ("early", "b", False),
    ]


def test_the_sizes_that_run(compiled: Compiled, body: Body) -> None:
    sizes = plan(compiled(WORDS)).sizes
    assert sizes.inference == (AxisSizes(3), AxisSizes(3))
    assert sizes.training == (AxisSizes(9, 9, fixed=True),) * 2  # a head flattens
    assert plan(body(f"{{{CONV}: 2}}")).sizes.inference == (AxisSizes(1), AxisSizes(1))
    flat = plan(body("{op: max_pool, kernel_size: [3, 5], padding: valid}")).sizes
    assert flat.inference == (AxisSizes(3), AxisSizes(5))


def test_the_loss_in_a_sentence(compiled: Compiled, body: Body) -> None:
    loss = plan(compiled(WORDS)).loss
    assert loss is not None
    assert loss.summary == (
        "Cross-entropy with label smoothing 0.1 of logits and class indices, "
        "plus 0.25 times that of ``side``."
    )
    assert [(t.output, t.weight, t.flat, t.probabilities) for t in loss.terms] == [
        ("logits", 1.0, False, False),
        ("side", 0.25, False, False),
    ]
    assert plan(body(f"{{{CONV}: 2}}")).loss is None


def test_the_initial_weights_in_a_sentence(compiled: Compiled, body: Body) -> None:
    start = plan(compiled(WORDS)).start
    assert start is not None
    assert start.summary == "Truncated normal of standard deviation 0.02; biases 0."
    assert plan(body(f"{{{CONV}: 2}}")).start is None


def test_the_deviation_of_a_step_with_each_is_written_once(body: Body) -> None:
    op = "{op: conv, kernel_size: 1, each: {filters: [3, 4]}, deviation: The table has others.}"
    use = "{use: a, each: {k: [5, 6]}, deviation: The figure has two.}"
    inner = "a: {params: {k: int}, steps: [{op: conv, filters: $k, kernel_size: 1}]}"
    found = plan(body("{use: b}", more=f"blocks: {{{inner}, b: {{steps: [{op}, {use}]}}}}"))
    *_, outer = found.definitions
    text = str(found.block_doc(outer))
    assert text.count("The table has others.") == text.count("The figure has two.") == 1


def test_the_documentation_of_a_block_has_the_shapes_of_its_uses(body: Body) -> None:
    found = plan(body(on(*range(3, 16)), more=TWO))
    _, outer = found.definitions
    text = str(found.block_doc(outer))
    assert text.startswith('"""B.')
    assert "32x32x3 -> 32x32x1\n" in text
    assert text.count(" -> ") == 10
    assert "and 3 more" in text
    single = plan(body("{use: b, n: 4}", more=TWO))
    assert "Shape: 32x32x3 -> 32x32x4 (height x width x channels)." in str(
        single.block_doc(next(iter(single.definitions)))
    )
