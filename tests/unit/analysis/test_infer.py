"""Shapes of forks, merges, repeats and heads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inception_dsl.analysis.cost import layers
from inception_dsl.analysis.merged import Difference, combined, concatenated
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.types.tensor import TensorType

Body = Callable[..., TypedProgram]


@pytest.mark.parametrize(
    ("steps", "shape"),
    [
        (
            "{merge: concat, branches: {a: [], b: [{op: conv, filters: 5, kernel_size: 3}]}}",
            "32x32x8",
        ),
        ("{merge: add, branches: {a: [], b: [{op: conv, filters: 3, kernel_size: 3}]}}", "32x32x3"),
        ("{merge: multiply, branches: {a: [], b: [{op: global_avg_pool}]}}", "32x32x3"),
        (
            "{merge: multiply, branches: {a: [], b: [{op: global_avg_pool, keepdims: true}]}}",
            "32x32x3",
        ),
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
    [
        ("channels: 3, length: 32", "16x8"),
        ("channels: 3, depth: 4, height: 8, width: 12", "2x4x6x8"),
    ],
)
def test_ranks(body: Body, size: str, shape: str) -> None:
    assert str(body("{op: conv_bn, filters: 8, kernel_size: 3, stride: 2}", size=size).y) == shape


@pytest.mark.parametrize(
    ("steps", "word"),
    [
        (
            "{merge: add, branches: {a: [], b: [{op: conv, filters: 5, kernel_size: 3}]}}",
            "channels",
        ),
        (
            "{merge: concat, branches: {a: [], b: [{op: max_pool, kernel_size: 2, stride: 2}]}}",
            "spatial sizes",
        ),
        ("{merge: concat, branches: {a: [], b: [{op: flatten}]}}", "rank"),
    ],
)
def test_branches_that_do_not_fit(errors: Callable[..., Report], steps: str, word: str) -> None:
    (found,) = errors(
        f"network: n\ninput: {{channels: 3, height: 32, width: 32}}\nbody: [{steps}]\n"
    )
    assert found.code == "E402"
    assert word in found.message
    assert "`a` 32x32x3; `b` 32x32x3 -> " in found.notes[0]


def test_an_error_in_a_block_names_the_uses_that_led_to_it(
    errors: Callable[..., Report],
) -> None:
    (found,) = errors("""
        network: net
        input: {channels: 3, height: 4, width: 4}
        blocks:
          inner: {params: {k: int}, steps: [{op: conv, filters: 2, kernel_size: $k,
              padding: valid}]}
          outer: {steps: [{use: inner, k: 9}]}
        body: [{use: outer}]
        """)
    assert (found.code, found.span.line) == ("E401", 5)
    assert [note.split("use of ")[1] for note in found.notes] == ["`inner`", "`outer`"]


def test_the_value_of_an_expression_is_checked(errors: Callable[..., Report]) -> None:
    report = errors("""
        network: net
        input: {channels: 3, height: 4, width: 4}
        body: [{op: conv, filters: "${in_channels - 3}", kernel_size: 1}]
        """)
    assert [(d.code, d.span.line, d.span.column) for d in report] == [("E203", 4, 28)]


def test_heads_and_outputs(compiled: Callable[..., TypedProgram]) -> None:
    typed = compiled("""
        network: net
        input: {channels: 3, height: 8, width: 8}
        body: [{op: conv, name: a, filters: 4, kernel_size: 3},
            {op: conv, name: b, filters: 5, kernel_size: 3, repeat: 2}]
        head: [{op: global_avg_pool}]
        aux_heads: {aux: {after: a, loss_weight: 0.5,
            steps: [{op: flatten}, {op: dense, units: $classes}]}}
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
        f"  b{i}: {{steps: [{{use: b{i + 1}, name: x}}, {{use: b{i + 1}, name: y}}]}}"
        for i in range(13)
    )
    typed = body("{use: b0}", more=f"blocks:\n{blocks}\n  b13: {{steps: [{{op: identity}}]}}\n")
    assert typed.sections["body"].size == 8192


@pytest.mark.parametrize(
    "steps",
    ["{op: identity, repeat: 10001}", "{op: identity, repeat: 6000}, {op: identity, repeat: 6000}"],
)
def test_too_many_layers(errors: Callable[..., Report], steps: str) -> None:
    report = errors(f"network: n\ninput: {{channels: 1, length: 4}}\nbody: [{steps}]\n")
    assert [d.code for d in report] == ["E309"]


@pytest.mark.parametrize(
    ("types", "result"),
    [
        ([((8, 8), 3)], ((8, 8), 3)),
        ([((8, 8), 3), ((8, 8), 5)], ((8, 8), 8)),
        ([((8,), 7), ((8,), 2), ((8,), 7)], ((8,), 16)),
        ([((7, 8), 3), ((7, 8), 5)], ((7, 8), 8)),
        ([((1,), 1), ((1,), 1)], ((1,), 2)),
        ([((), 3), ((), 5)], ((), 8)),
        ([((8,), 3), ((), 3)], Difference("ranks", (1, 0))),
        ([((8,), 3), ((8, 8), 3)], Difference("ranks", (1, 2))),
        ([((8, 7), 3), ((8, 1), 3)], Difference("spatial sizes", (7, 1))),
        ([((7, 8), 3), ((7, 8), 3), ((6, 8), 3)], Difference("spatial sizes", (7, 7, 6))),
        ([((1, 8), 3), ((7, 8), 3)], Difference("spatial sizes", (1, 7))),
    ],
)
def test_a_concat(types: list[tuple[Any, Any]], result: Any) -> None:
    assert concatenated([TensorType(*t) for t in types]) == (
        result if isinstance(result, Difference) else TensorType(*result)
    )


@pytest.mark.parametrize(
    ("types", "result"),
    [
        ([((8, 8), 3)], ((8, 8), 3)),
        ([((8, 8), 3), ((), 3)], ((8, 8), 3)),
        ([((), 3), ((8, 8), 1)], ((8, 8), 3)),
        ([((1, 1), 1), ((8, 4), 3)], ((8, 4), 3)),
        ([((1, 8), 1), ((4, 1), 1)], ((4, 8), 1)),
        ([((1,), 1), ((1,), 1)], ((1,), 1)),
        ([((4, 1), 3), ((1, 8), 1), ((4, 8), 3)], ((4, 8), 3)),
        ([((5,), 2), ((1,), 1)], ((5,), 2)),
        ([((), 3), ((), 3)], ((), 3)),
        ([((8, 8), 3), ((8,), 3), ((), 3)], Difference("ranks", (2, 1, None))),
        ([((8,), 3), ((8, 8), 3)], Difference("ranks", (1, 2))),
        (
            [((8, 7), 3), ((8, 8), 3), ((), 3), ((1, 1), 3)],
            Difference("spatial sizes", (7, 8, None, None)),
        ),
        ([((8, 8), 3), ((8, 8), 5), ((8, 8), 1)], Difference("channels", (3, 5, None))),
        ([((), 3), ((8, 8), 5)], Difference("channels", (3, 5))),
        ([((1, 8), 3), ((4, 8), 3), ((5, 8), 3)], Difference("spatial sizes", (None, 4, 5))),
    ],
)
def test_an_add_or_a_multiply(types: list[tuple[Any, Any]], result: Any) -> None:
    assert combined([TensorType(*t) for t in types]) == (
        result if isinstance(result, Difference) else TensorType(*result)
    )


def test_repetitions_of_the_same_type_are_one_run(body: Body) -> None:
    def runs(steps: str) -> list[list[int]]:
        return [[run.count for run in step.runs] for step in body(steps).sections["body"].steps]

    assert runs("{op: identity, repeat: 4}") == [[4]]
    assert runs("{op: zero_pad, padding: 1, repeat: 3}, {op: identity}") == [[1, 1, 1], [1]]
    assert runs("{op: conv, filters: 5, kernel_size: 1, repeat: 4}") == [[1, 3]]
    assert runs("{op: max_pool, kernel_size: 3, stride: 2, repeat: 8}") == [[1, 1, 1, 1, 1, 3]]
    loops = body("{op: identity, repeat: 2}, {op: identity}").sections["body"].steps
    assert [step.repeated for step in loops] == [True, False]


def test_sizes_count_the_layers(body: Body) -> None:
    block = "blocks: {b: {steps: [{op: identity, repeat: 3}, {op: flatten}]}}"
    typed = body(
        "{merge: add, branches: {x: [{op: identity}], y: [{op: identity, repeat: 4}], "
        "z: []}}, {use: b}",
        more=block,
    )
    assert typed.sections["body"].size == 1 + 1 + 4 + 3 + 1
    assert str(typed.sections["body"].x) == "32x32x3"
    assert str(typed.sections["body"].y) == "3072"


def test_every_attribute_may_be_an_expression(body: Body) -> None:
    block = (
        "blocks: {b: {params: {k: int, f: bool, e: float}, steps: [{op: conv_bn, filters: $k, "
        "kernel_size: "
        "[$k, '${k - 2}'], use_bias: $f, batch_norm: {epsilon: $e, scale: $f}}]}}"
    )
    (layer,) = layers(body("{use: b, k: 3, f: false, e: 0.5}", more=block))
    assert {w.name: w.shape for w in layer.weights} == {
        "conv/kernel": (3, 1, 3, 3),
        **{f"bn/{n}": (3,) for n in ("beta", "moving_mean", "moving_variance")},
    }


def test_a_head_has_the_channels_of_the_step_it_follows(
    compiled: Callable[..., TypedProgram],
) -> None:
    typed = compiled("""
        network: net
        input: {channels: 3, height: 8, width: 8}
        body:
          - {op: conv, name: a, filters: 4, kernel_size: 3}
          - {op: conv, name: b, filters: 5, kernel_size: 3}
          - {op: conv, name: c, filters: "${in_channels * 2}", kernel_size: 1}
        aux_heads: {aux: {after: a, loss_weight: 0.5,
            steps: [{op: flatten}, {op: dense, units: $in_channels}]}}
        """)
    assert {name: str(y) for name, y in typed.outputs.items()} == {"output": "8x8x6", "aux": "4"}


def test_a_use_knows_its_block_its_arguments_and_its_body(body: Body) -> None:
    block = (
        "blocks: {b: {params: {k: int, r: {type: float, default: 0.5}}, steps: [{op: dense, "
        "units: $k}]}}"
    )
    (step,) = (
        body("{use: b, k: '${in_channels + 1}', repeat: 2}", more=block).sections["body"].steps
    )
    uses = [run.typed for run in step.runs]
    # type: ignore[union-attr]
    assert [(u.node.block, u.arguments, str(u.x), str(u.y)) for u in uses] == [
        ("b", {"k": 4, "r": 0.5}, "32x32x3", "32x32x4"),
        ("b", {"k": 4, "r": 0.5}, "32x32x4", "32x32x4"),
    ]
    assert [u.body.size for u in uses] == [1, 1]  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["logits", "probabilities", "output"])
@pytest.mark.parametrize("kind", ["none", "softmax", "relu"])
def test_no_output_has_the_name_of_the_final_one(
    write: Callable[..., Path], name: str, kind: str
) -> None:
    """Its name says what it is; `logits` is reserved in every network."""
    final = {"none": "logits", "softmax": "probabilities", "relu": "output"}[kind]
    text = f"""network: net
input: {{channels: 3, height: 8, width: 8}}
body: [{{op: conv, name: a, filters: 4, kernel_size: 3}}]
head: [{{op: global_avg_pool}}, {{op: dense, units: 4, activation: {kind}}}]
outputs: {{{name}: a}}
"""
    report = Report()
    typed = compile_spec(write(text), {}, report)
    found = [(d.code, d.span.line, d.span.column) for d in report.diagnostics if d.code < "W"]
    if name in (final, "logits"):
        assert found == [("E307", 5, 11)]
    else:
        assert typed is not None and list(typed.outputs) == [final, name]
