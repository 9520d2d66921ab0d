"""Every op: its documentation, example, shapes, weights and multiply-adds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from pydantic import ValidationError

import inception_dsl.ops
from inception_dsl.analysis.cost import layers
from inception_dsl.backend import Definition, Definitions
from inception_dsl.design.guide import describe, markdown_reference
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.language.schema import schema
from inception_dsl.ops import CORE_OPS, OPS, Flatten, Op, attribute_names
from inception_dsl.types.terms import of
from inception_dsl.yaml import source

Body = Callable[..., TypedProgram]
NORM = {"bn/gamma": (64,), "bn/beta": (64,), "bn/moving_mean": (64,), "bn/moving_variance": (64,)}

# step, input, output, weights, multiply-adds
EXPECTED: list[tuple[str, str, str, dict[str, tuple[int, ...]], int]] = [
    (
        "{op: conv, filters: 8, kernel_size: 3}",
        "9x9x4",
        "9x9x8",
        {"kernel": (3, 3, 4, 8), "bias": (8,)},
        81 * 9 * 32,
    ),
    (
        "{op: conv, filters: 8, kernel_size: 3, groups: 2, use_bias: false}",
        "9x4",
        "9x8",
        {"kernel": (3, 2, 8)},
        9 * 3 * 16,
    ),
    (
        "{op: conv, filters: 8, kernel_size: [1, 7], stride: [1, 2]}",
        "9x9x4",
        "9x5x8",
        {"kernel": (1, 7, 4, 8), "bias": (8,)},
        10080,
    ),
    (
        "{op: conv, filters: 2, kernel_size: 3, padding: 1}",
        "4x4x4x1",
        "4x4x4x2",
        {"kernel": (3, 3, 3, 1, 2), "bias": (2,)},
        3456,
    ),
    (
        "{op: conv_bn, filters: 64, kernel_size: 1}",
        "7x7x3",
        "7x7x64",
        {"conv/kernel": (1, 1, 3, 64), **NORM},
        49 * 192,
    ),
    (
        "{op: conv_bn, filters: 64, kernel_size: 1, use_bias: true, "
        "batch_norm: {scale: false, center: false}}",
        "7x7x3",
        "7x7x64",
        {
            "conv/kernel": (1, 1, 3, 64),
            "conv/bias": (64,),
            "bn/moving_mean": (64,),
            "bn/moving_variance": (64,),
        },
        49 * 192,
    ),
    (
        "{op: separable_conv, filters: 8, kernel_size: 3, stride: 2, depth_multiplier: 2}",
        "9x9x4",
        "5x5x8",
        {
            "depthwise/kernel": (3, 3, 4, 2),
            "pointwise/kernel": (1, 1, 8, 8),
            "pointwise/bias": (8,),
        },
        25 * 72 + 25 * 64,
    ),
    (
        "{op: depthwise_conv, kernel_size: 3, depth_multiplier: 2}",
        "9x9x4",
        "9x9x8",
        {"kernel": (3, 3, 4, 2), "bias": (8,)},
        81 * 72,
    ),
    (
        "{op: conv_transpose, filters: 6, kernel_size: [3, 4], stride: 2, groups: 2}",
        "5x7x4",
        "10x14x6",
        {"kernel": (3, 4, 3, 4), "bias": (6,)},
        35 * 12 * 3 * 4,
    ),
    ("{op: upsample, factor: [2, 3]}", "9x9x4", "18x27x4", {}, 0),
    ("{op: upsample, size: 5, method: linear}", "9x4", "5x4", {}, 0),
    ("{op: space_to_depth, block_size: 3}", "9x6x4", "3x2x36", {}, 0),
    ("{op: space_to_depth, block_size: 2, order: channels_first}", "8x3", "4x6", {}, 0),
    ("{op: depth_to_space, block_size: 2}", "2x3x5x16", "4x6x10x2", {}, 0),
    ("{op: depth_to_space, block_size: 1}", "9x9x5", "9x9x5", {}, 0),
    ("{op: max_pool, kernel_size: 3, stride: 2, padding: valid}", "9x9x4", "4x4x4", {}, 0),
    (
        "{op: max_pool, kernel_size: 3, stride: 2, padding: valid, ceil_mode: true}",
        "10x10x4",
        "5x5x4",
        {},
        0,
    ),
    (
        "{op: avg_pool, kernel_size: 3, padding: 1, count_include_pad: true}",
        "9x9x4",
        "9x9x4",
        {},
        0,
    ),
    ("{op: global_avg_pool}", "9x9x4", "4", {}, 0),
    ("{op: global_max_pool, keepdims: true}", "9x9x4", "1x1x4", {}, 0),
    ("{op: global_avg_pool, over: channels}", "9x9x4", "9x9x1", {}, 0),
    ("{op: global_max_pool, over: channels, keepdims: true}", "9x4", "9x1", {}, 0),
    ("{op: adaptive_avg_pool, output_size: [4, 2]}", "14x9x5", "4x2x5", {}, 0),
    ("{op: dense, units: 5}", "4", "5", {"kernel": (4, 5), "bias": (5,)}, 20),
    ("{op: dense, units: 5, use_bias: false}", "3x3x4", "3x3x5", {"kernel": (4, 5)}, 180),
    (
        "{op: batch_norm}",
        "9x4",
        "9x4",
        {"gamma": (4,), "beta": (4,), "moving_mean": (4,), "moving_variance": (4,)},
        0,
    ),
    ("{op: layer_norm}", "9x4", "9x4", {"gamma": (4,), "beta": (4,)}, 0),
    ("{op: layer_norm, scale: false}", "9x4", "9x4", {"beta": (4,)}, 0),
    ("{op: group_norm, groups: 2}", "9x4", "9x4", {"gamma": (4,), "beta": (4,)}, 0),
    ("{op: local_response_norm}", "9x9x4", "9x9x4", {}, 0),
    ("{op: activation, function: softmax}", "9x9x4", "9x9x4", {}, 0),
    ("{op: activation, function: softmax, parts: 2}", "6", "6", {}, 0),
    ("{op: channel_shuffle, groups: 3}", "9x9x6", "9x9x6", {}, 0),
    ("{op: channel_shuffle, groups: 2}", "4", "4", {}, 0),
    ("{op: l2_normalize}", "128", "128", {}, 0),
    ("{op: dropout, rate: 0.5}", "4", "4", {}, 0),
    ("{op: flatten}", "3x5x4", "60", {}, 0),
    ("{op: zero_pad, padding: [[1, 2], [0, 3]]}", "9x9x4", "12x12x4", {}, 0),
    ("{op: crop, cropping: [[1, 2], [0, 3]]}", "9x9x4", "6x6x4", {}, 0),
    ("{op: crop, cropping: 4}", "9x4", "1x4", {}, 0),
    ("{op: scale, value: 0.1}", "9x9x4", "9x9x4", {}, 0),
    ("{op: scale, value: 1e-6, learned: true}", "9x9x4", "9x9x4", {"gamma": (4,)}, 0),
    ("{op: scale, value: 1, learned: true, per: layer}", "4", "4", {"gamma": (1,)}, 0),
    ("{op: dropout, rate: 0.5, per: sample}", "9x9x4", "9x9x4", {}, 0),
    ("{op: identity}", "9x9x4", "9x9x4", {}, 0),
]


def compiled_on(body: Body, step: str, shape: str) -> TypedProgram:
    """A program with the step on an input of ``shape``; a vector is the output of a flatten."""
    *spatial, channels = map(int, shape.split("x"))
    names = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
    if not spatial:
        return body(f"{{op: flatten, name: flat}}, {step}", size=f"channels: {channels}, length: 1")
    sizes = ", ".join(f"{n}: {s}" for n, s in zip(names[len(spatial)], spatial, strict=True))
    return body(step, size=f"channels: {channels}, {sizes}")


@pytest.mark.parametrize(
    ("step", "x", "y", "weights", "macs"), EXPECTED, ids=[e[0] for e in EXPECTED]
)
def test_expectations(
    body: Body, step: str, x: str, y: str, weights: dict[str, tuple[int, ...]], macs: int
) -> None:
    *_, layer = layers(compiled_on(body, step, x))
    assert str(layer.y) == y
    assert {w.name: w.shape for w in layer.weights} == weights
    assert layer.macs == macs
    assert [w.name for w in layer.weights if not w.trainable] == [
        n for n in weights if "moving" in n
    ]


def test_every_op_has_an_expectation() -> None:
    assert {step.split("op: ")[1].rstrip("}").split(",")[0] for step, *_ in EXPECTED} == set(OPS)


@pytest.mark.parametrize("op", CORE_OPS, ids=lambda op: op.kind)
def test_the_example_is_a_step(op: type[Op], body: Body) -> None:
    typed = compiled_on(body, op.example, "32x32x32")
    assert [layer.op for layer in layers(typed)] == [op.kind]
    document = source.parse(op.example, "example", Report())
    assert document is not None
    check = Draft7Validator({"$ref": f"#/$defs/{op.__name__}", "$defs": schema()["$defs"]})
    assert not list(check.iter_errors(document.data))


@pytest.mark.parametrize("op", CORE_OPS, ids=lambda op: op.kind)
def test_documentation(op: type[Op]) -> None:
    assert op.__doc__
    assert op.summary
    assert op.summary[0].islower() or op.summary[0].isdigit()
    text = describe(op)
    for name in attribute_names(op):
        assert op.model_fields[name].description, name
        assert name in text
    assert "Every step also has name, repeat, each, deviation, allow, weights." in text


def test_the_reference_has_each() -> None:
    table = markdown_reference().partition("### Every step\n")[2].partition("### ")[0]
    assert "\n| `repeat` |" in table
    assert "\n| `each` | Repeats the step with other values" in table


def test_one_file_for_each_op() -> None:
    folder = Path(inception_dsl.ops.__file__).parent
    helpers = {"__init__", "allow", "base", "fields", "guess", "pool", "global_pool", "initializer"}
    helpers |= {"blocks", "groups", "step"}
    assert {p.stem for p in folder.glob("*.py")} - helpers == set(OPS)
    for op in CORE_OPS:
        assert op.__module__ == f"inception_dsl.ops.{op.kind}"


CHANNELS = (32, 96, 64)


def block_of(op: type[Op], body: Body, size: str, channels: tuple[int, ...]) -> Definition:
    """A block of the op's example, used on several numbers of channels."""
    branches = ", ".join(
        f"b{n}: [{{op: conv, filters: {n}, kernel_size: 1}}, {{use: block}}]" for n in channels
    )
    typed = body(
        f"{{merge: concat, branches: {{{branches}}}}}",
        size=f"channels: 8, {size}",
        more=f"blocks: {{block: {{steps: [{op.example}]}}}}",
    )
    (definition,) = Definitions(typed)
    assert [use.x.channels for use in definition.instances] == [*channels]
    return definition


@pytest.mark.parametrize("op", CORE_OPS, ids=lambda op: op.kind)
def test_the_term_of_the_channels_gives_the_value_of_every_use(op: type[Op], body: Body) -> None:
    """A block is generated once, so its channels are a term that is evaluated for each use."""
    definition = block_of(op, body, "height: 32, width: 32", CHANNELS)
    found = definition.chain.y
    if op.kind == "flatten":  # its output also depends on the spatial sizes of each use
        assert found is None
        return
    assert found is not None
    numbers = [use.y.channels for use in definition.instances]
    assert [found.evaluate(row.values) for row in definition.frame.rows] == numbers
    assert found.symbols == ((definition.channels,) if len(set(numbers)) > 1 else ())


def test_the_channels_after_a_flatten_of_one_position_are_those_before(body: Body) -> None:
    definition = block_of(Flatten, body, "height: 1, width: 1", CHANNELS)
    assert definition.chain.y == of(definition.channels)


@pytest.mark.parametrize("op", CORE_OPS, ids=lambda op: op.kind)
def test_at_the_top_level_every_term_gives_the_channels(op: type[Op], body: Body) -> None:
    """At the top level the sizes are those of the input, so a flatten has a term too."""
    typed = body(op.example, size="channels: 32, height: 32, width: 32")
    top = Definitions(typed).top
    found = top.sections["body"].y
    channels = top.symbols["in_channels"]
    assert found is not None
    for n in CHANNELS:
        other = body(op.example, size=f"channels: {n}, height: 32, width: 32")
        assert found.evaluate({channels: n}) == other.y.channels


def test_an_op_is_not_changed_in_place() -> None:
    """Several programs share the objects."""
    op = OPS["conv"].model_validate({"op": "conv", "filters": 3, "kernel_size": 1})
    with pytest.raises(ValidationError, match="frozen"):
        op.filters = 4  # type: ignore[attr-defined]
