"""Shapes of forks, merges, repeats and heads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inception_dsl.cost import layers
from inception_dsl.diagnostics import Report
from inception_dsl.ir.typed import TypedProgram

Body = Callable[..., TypedProgram]


@pytest.mark.parametrize(
    ("steps", "shape"),
    [
        ("{merge: concat, branches: {a: [], b: [{op: conv, filters: 5, kernel_size: 3}]}}", "32x32x8"),
        ("{merge: add, branches: {a: [], b: [{op: conv, filters: 3, kernel_size: 3}]}}", "32x32x3"),
        ("{merge: multiply, branches: {a: [], b: [{op: global_avg_pool}]}}", "32x32x3"),
        ("{merge: multiply, branches: {a: [], b: [{op: global_avg_pool, keepdims: true}]}}", "32x32x3"),
        ("{merge: add, branches: {a: [], b: [{op: conv, filters: 1, kernel_size: 1}]}}", "32x32x3"),
        ("{merge: concat, branches: {a: [{op: flatten}], b: [{op: global_avg_pool}]}}", "3075"),
        ("{merge: add, branches: {only: []}}", "32x32x3"),
        ("{op: max_pool, kernel_size: 3, stride: 2, repeat: 3}", "4x4x3"),
        ("{op: conv, filters: '${in_channels * 2}', kernel_size: 1, repeat: 3}", "32x32x6"),
        ("{op: conv, filters: 4, kernel_size: [1, 7], padding: [[0, 0], [2, 1]]}", "32x29x4"),
        ("{op: conv, filters: 4, kernel_size: 3, dilation: [2, 1], padding: valid}", "28x30x4"),
        ("{op: max_pool, kernel_size: 3, stride: 2, padding: valid, ceil_mode: true}", "16x16x3"),
        ("{op: zero_pad, padding: [[0, 1], [2, 3]]}", "33x37x3"),
    ],
)
def test_shapes(body: Body, steps: str, shape: str) -> None:
    assert str(body(steps).y) == shape


@pytest.mark.parametrize(
    ("size", "shape"),
    [("channels: 3, length: 32", "16x8"), ("channels: 3, depth: 4, height: 8, width: 12", "2x4x6x8")],
)
def test_ranks(body: Body, size: str, shape: str) -> None:
    assert str(body("{op: conv_bn, filters: 8, kernel_size: 3, stride: 2}", size=size).y) == shape


@pytest.mark.parametrize(
    ("steps", "word"),
    [
        ("{merge: add, branches: {a: [], b: [{op: conv, filters: 5, kernel_size: 3}]}}", "channels"),
        ("{merge: concat, branches: {a: [], b: [{op: max_pool, kernel_size: 2, stride: 2}]}}", "spatial sizes"),
        ("{merge: concat, branches: {a: [], b: [{op: flatten}]}}", "ranks"),
    ],
)
def test_branches_that_do_not_fit(mistakes: Callable[..., Report], steps: str, word: str) -> None:
    (found,) = mistakes(f"network: n\ninput: {{channels: 3, height: 32, width: 32}}\nbody: [{steps}]\n")
    assert found.code == "E402"
    assert word in found.message
    assert "32x32x3" in found.message


def test_a_mistake_in_a_block_names_the_uses_that_led_to_it(mistakes: Callable[..., Report]) -> None:
    (found,) = mistakes("""
        network: net
        input: {channels: 3, height: 4, width: 4}
        blocks:
          inner: {params: {k: int}, steps: [{op: conv, filters: 2, kernel_size: $k, padding: valid}]}
          outer: {steps: [{use: inner, k: 9}]}
        body: [{use: outer}]
        """)
    assert (found.code, found.span.line) == ("E401", 5)
    assert [note.split("use of ")[1] for note in found.notes] == ["`inner`", "`outer`"]


def test_a_value_is_checked_again_where_it_is_known(mistakes: Callable[..., Report]) -> None:
    report = mistakes("""
        network: net
        input: {channels: 3, height: 4, width: 4}
        body: [{op: conv, filters: "${in_channels - 3}", kernel_size: 1}]
        """)
    assert [(d.code, d.span.line, d.span.column) for d in report] == [("E203", 4, 28)]


def test_heads_and_outputs(compiled: Callable[..., TypedProgram]) -> None:
    typed = compiled("""
        network: net
        input: {channels: 3, height: 8, width: 8}
        body: [{op: conv, name: a, filters: 4, kernel_size: 3}, {op: conv, name: b, filters: 5, kernel_size: 3, repeat: 2}]
        head: [{op: global_avg_pool}]
        aux_heads: {aux: {after: a, loss_weight: 0.5, steps: [{op: flatten}, {op: dense, units: $classes}]}}
        outputs: {early: a, late: b}
        classes: 7
        """)
    assert {name: str(y) for name, y in typed.outputs.items()} == {
        "logits": "5",
        "aux": "7",
        "early": "8x8x4",
        "late": "8x8x5",
    }
    assert [layer.path for layer in layers(typed) if layer.auxiliary] == ["aux/0", "aux/1"]


def test_a_block_with_the_same_values_is_inferred_once(body: Body) -> None:
    blocks = "\n".join(
        f"  b{i}: {{steps: [{{use: b{i + 1}, name: x}}, {{use: b{i + 1}, name: y}}]}}" for i in range(16)
    )
    typed = body("{use: b0}", more=f"blocks:\n{blocks}\n  b16: {{steps: [{{op: identity}}]}}\n")
    assert typed.sections["body"].size == 65536


@pytest.mark.parametrize(
    "steps", ["{op: identity, repeat: 100001}", "{op: identity, repeat: 60000}, {op: identity, repeat: 60000}"]
)
def test_too_many_layers(mistakes: Callable[..., Report], steps: str) -> None:
    report = mistakes(f"network: n\ninput: {{channels: 1, length: 4}}\nbody: [{steps}]\n")
    assert [d.code for d in report] == ["E309"]
