"""Layers that are written once: their attributes in every use, and the attributes' terms."""

from __future__ import annotations

from typing import Any

import pytest
from defined import CONV, Body, definition, layer, on, only

from inception_dsl.backend import scope_of
from inception_dsl.types.expression import parse
from inception_dsl.types.terms import constant, multiply, of


@pytest.mark.parametrize(
    ("step", "field", "values"),
    [
        (f"{{{CONV}: $n}}", "filters", (1, 2)),
        ("{op: conv, filters: 2, kernel_size: '${2 * n + 1}'}", "kernel_size", (3, 5)),
        ("{op: conv, filters: 2, kernel_size: 3, dilation: $n}", "dilation", (1, 2)),
        ("{op: max_pool, kernel_size: 3, stride: $n, padding: 1}", "stride", (1, 2)),
        ("{op: dropout, rate: '${n * 0.25}'}", "rate", (0.25, 0.5)),
        ("{op: scale, value: '${0 - n}'}", "value", (-1, -2)),
        ("{op: batch_norm, epsilon: '${n * 0.1}'}", "epsilon", (0.1, 0.2)),
        ("{op: group_norm, groups: $n}", "groups", (1, 2)),
        ("{op: local_response_norm, size: '${n * 2 + 1}'}", "size", (3, 5)),
        (
            "{op: conv_bn, filters: 2, kernel_size: 1, batch_norm: {decay: '${n * 0.25}'}}",
            "batch_norm.decay",
            (0.25, 0.5),
        ),
    ],
)
def test_an_attribute_has_its_value_in_every_use(
    body: Body, step: str, field: str, values: tuple[Any, ...]
) -> None:
    block = definition(body, step, on(4, 4))
    found = layer(only(block).site).slot(field)
    assert (found.values, found.hint) == (values, field.rpartition(".")[2])
    assert found.term is not None
    assert block.frame.holds(found.term, values)
    assert found.term.symbols == (block.parameters["n"],)


@pytest.mark.parametrize(
    ("kind", "step", "value"),
    [
        ("int", f"{{{CONV}: $p}}", "4"),
        ("int", "{op: conv, filters: 4, kernel_size: $p}", "3"),
        ("int", "{op: conv, filters: 4, kernel_size: [1, $p]}", "3"),
        ("int", "{op: conv, filters: 4, kernel_size: 3, stride: $p}", "2"),
        ("int", "{op: conv, filters: 4, kernel_size: 3, dilation: $p}", "2"),
        ("int", "{op: conv, filters: 4, kernel_size: 3, padding: $p}", "1"),
        ("int", "{op: conv, filters: 6, kernel_size: 3, groups: $p}", "3"),
        ("bool", f"{{{CONV}: 4, use_bias: $p}}", "false"),
        ("str", f"{{{CONV}: 4, activation: $p}}", "relu"),
        ("str", "{op: conv, filters: 4, kernel_size: 3, padding: $p}", "valid"),
        ("int", "{op: depthwise_conv, kernel_size: 3, depth_multiplier: $p}", "2"),
        ("bool", "{op: max_pool, kernel_size: 2, padding: 0, ceil_mode: $p}", "true"),
        ("bool", "{op: avg_pool, kernel_size: 3, count_include_pad: $p}", "true"),
        ("bool", "{op: global_avg_pool, keepdims: $p}", "true"),
        ("int", "{op: adaptive_avg_pool, output_size: $p}", "2"),
        ("int", "{op: dense, units: $p}", "4"),
        ("bool", "{op: batch_norm, scale: $p}", "false"),
        ("float", "{op: layer_norm, epsilon: $p}", "0.5"),
        ("float", "{op: local_response_norm, alpha: $p}", "0.5"),
        ("str", "{op: activation, function: $p}", "tanh"),
        ("float", "{op: activation, function: elu, alpha: $p}", "0.5"),
        ("bool", "{op: activation, function: gelu, approximate: $p}", "true"),
        ("float", "{op: dropout, rate: $p}", "0.5"),
        ("int", "{op: zero_pad, padding: $p}", "2"),
        ("float", "{op: scale, value: $p}", "0.5"),
        ("int", "{op: identity, repeat: $p}", "2"),
    ],
)
def test_any_parameter_of_a_block_becomes_an_argument(
    body: Body, kind: str, step: str, value: str
) -> None:
    """Even with a single use, its value is not printed."""
    block = definition(body, step, f"{{use: b, p: {value}}}", f"p: {kind}")
    symbol = block.parameters["p"]
    assert (symbol.kind, symbol.hint) == (kind, "p")
    own, site = only(block), layer(only(block).site)
    for field in ("kernel_size", "stride", "dilation", "padding", "output_size"):
        if "$p" in step and f"{field}: [1, $p]" in step:
            found = site.axis("kernel", 1)
            break
    else:
        field = step.split(": $p")[0].split()[-1]
        written = own.node.repeat if field == "repeat" else getattr(site.node.op, field)
        assert written == parse("$p")
        found = next(own.parts())[0].stop if field == "repeat" else site.slot(field)
    assert found.term == of(symbol)
    scope = scope_of(block, (), channels=False)
    assert scope.text(found) == "p"
    assert [(a.name, a.kind, a.symbol) for a in scope.signature()] == [("p", kind, symbol)]


def test_the_attributes_of_windows_on_each_axis(body: Body) -> None:
    step = "{op: conv, filters: 2, kernel_size: [$n, 3], stride: [2, $n], padding: valid}"
    block = definition(body, step, on(3, 3))
    site = layer(only(block).site)
    n = block.parameters["n"]
    assert [site.axis("kernel", axis).values for axis in (0, 1)] == [(1, 2), (3, 3)]
    assert [site.axis("kernel", axis).term for axis in (0, 1)] == [of(n), constant(3)]
    assert [site.axis("stride", axis).term for axis in (0, 1)] == [constant(2), of(n)]
    assert [site.axis("dilation", axis).term for axis in (0, 1)] == [constant(1)] * 2
    assert site.axis("kernel", 0).hint == "kernel_size"


@pytest.mark.parametrize(
    ("step", "values", "text"),
    [
        ("{op: conv, filters: 2, kernel_size: 3, padding: $n}", (1, 2), "n"),
        ("{op: conv, filters: 2, kernel_size: '${2 * n + 1}'}", (1, 2), "n"),
        ("{op: conv, filters: 2, kernel_size: 3, dilation: $n}", (1, 2), "n"),
        ("{op: conv, filters: 2, kernel_size: 5}", (2, 2), "2"),
        ("{op: conv, filters: 2, kernel_size: 3, padding: valid}", (0, 0), "0"),
        ("{op: zero_pad, padding: '${n + 1}'}", (2, 3), "n + 1"),
    ],
)
def test_the_term_of_padding_is_the_specs_or_half_an_odd_window(
    body: Body, step: str, values: tuple[int, int], text: str
) -> None:
    block = definition(body, step, on(3, 3))
    site = layer(only(block).site)
    scope = scope_of(block, (), channels=False)
    assert scope.text(site.pad(0, 0, values)) == text


def test_padding_that_depends_on_the_size(body: Body) -> None:
    block = definition(
        body,
        "{op: max_pool, kernel_size: 3, stride: $n}",
        "{use: b, name: x, n: 1}, {use: b, name: y, n: 2}",
    )
    assert layer(only(block).site).pads() == (((1, 1), (1, 1)), None)


def test_the_parts_of_a_composite(body: Body) -> None:
    step = "{op: separable_conv, filters: $n, kernel_size: 3, depth_multiplier: 2}"
    block = definition(body, step, on(3, 5))
    depthwise, pointwise = layer(only(block).site).parts()
    assert (depthwise[0], pointwise[0]) == ("depthwise", "pointwise")
    assert depthwise[1].y == pointwise[1].x == multiply(of(block.channels), constant(2))
    assert pointwise[1].channels.values == (6, 10)
    assert pointwise[1].y == of(block.parameters["n"])
