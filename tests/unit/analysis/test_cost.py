"""Parameters, multiply-adds, and the smallest input, compared with direct search."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inception_dsl.analysis.cost import cost, layers
from inception_dsl.analysis.sizes import minimum_input
from inception_dsl.design.summary import Summary
from inception_dsl.ir.typed import TypedProgram

Body = Callable[..., TypedProgram]


def test_totals(compiled: Callable[..., TypedProgram]) -> None:
    typed = compiled("""
        network: net
        input: {channels: 3, height: 8, width: 8}
        classes: 5
        body: [{op: conv_bn, name: a, filters: 4, kernel_size: 3}]
        head: [{op: global_avg_pool}, {op: dense, units: $classes}]
        aux_heads: {aux: {after: a, loss_weight: 1,
            steps: [{op: flatten}, {op: dense, units: $classes}]}}
        """)
    found = cost(list(layers(typed)))
    assert found.trainable == 3 * 9 * 4 + 2 * 4 + (4 * 5 + 5) + (256 * 5 + 5)
    assert found.non_trainable == 8
    assert found.auxiliary == 256 * 5 + 5
    assert found.macs == 64 * 3 * 9 * 4 + 4 * 5
    assert found.total == found.trainable + 8


@pytest.mark.parametrize(
    "steps",
    [
        "{op: conv, filters: 2, kernel_size: 3, padding: valid, repeat: 3}",
        "{op: max_pool, kernel_size: 3, stride: 2, padding: valid, repeat: 3}",
        "{op: max_pool, kernel_size: 3, stride: 2, padding: valid, ceil_mode: true, repeat: 2}",
        "{op: max_pool, kernel_size: 2, stride: 2, padding: valid, repeat: 2}, {op: conv, "
        "filters: 2, kernel_size: 5, padding: 1}",
        "{op: conv, filters: 2, kernel_size: 3, dilation: 3, padding: valid}",
        "{merge: concat, branches: {a: [{op: conv, filters: 2, kernel_size: 5, padding: valid}], "
        "b: [{op: conv, filters: 2, kernel_size: 3, padding: valid, repeat: 2}]}}",
        "{merge: concat, branches: {a: [{op: max_pool, kernel_size: 3, stride: 2, "
        "padding: valid}], "
        "b: [{op: conv, filters: 2, kernel_size: 2, stride: 2, padding: [[0, 0], [0, 0]]}]}}",
        "{op: zero_pad, padding: 2}, {op: conv, filters: 2, kernel_size: 7, padding: valid}",
        "{op: conv, filters: 2, kernel_size: [1, 5], padding: valid}",
        "{op: conv, filters: 2, kernel_size: 4, padding: 1, repeat: 3}, {op: conv, filters: 2, "
        "kernel_size: 3, repeat: 9}, "
        "{op: max_pool, kernel_size: 3, padding: valid}",
    ],
)
def test_the_smallest_input_is_the_smallest_that_compiles(
    compiled: Callable[..., TypedProgram], write: Callable[..., object], steps: str
) -> None:
    from inception_dsl.compiler import compile_spec
    from inception_dsl.diagnostics.report import Report

    text = f"block: b\ninput: {{channels: 3, height: 63, width: 63}}\nsteps: [{steps}]\n"
    height, width = minimum_input(compiled(text))
    spec = write(text)

    def legal(h: int, w: int) -> bool:
        # type: ignore[arg-type]
        return compile_spec(spec, {"input": f"{h}x{w}x3"}, Report()) is not None

    assert legal(height, width)
    assert not any(legal(h, width) for h in range(1, height))
    assert not any(legal(height, w) for w in range(1, width))


CONV = {
    "filters": 2,
    "kernel_size": [3],
    "stride": [1],
    "padding": "same",
    "dilation": 1,
    "groups": 1,
    "use_bias": True,
    "activation": "none",
    "pads": [[1, 1]],
}


def test_the_summary_is_the_contract(compiled: Callable[..., TypedProgram]) -> None:
    found = Summary(
        compiled(
            "block: b\n"
            "input: {channels: 3, length: 8}\n"
            "steps: [{op: conv, filters: 2, kernel_size: 3}]\n"
        )
    )
    assert found.to_dict() == {
        "name": "b",
        "title": "",
        "modified_from": "",
        "input": [8, 3],
        "outputs": {"output": [8, 2]},
        "parameters": {"total": 20, "trainable": 20, "non_trainable": 0, "auxiliary": 0},
        "macs": 144,
        "receptive_field": {
            "of": "output",
            "input": {"size": [3], "stride": [1], "padding": [1]},
        },
        "activations": {"batch": 1, "inference": 4 * (24 + 16), "training": 4 * (24 + 16)},
        "minimum_input": [1],
        "sizes": {
            "inference": [{"least": 1, "most": None, "without": []}],
            "training": [{"least": 1, "most": None, "without": []}],
        },
        "layers": [
            {
                "path": "",
                "op": "conv",
                "input": [8, 3],
                "output": [8, 2],
                "attributes": CONV,
                "parameters": 20,
                "weights_of": "",
                "macs": 144,
                "receptive_field": {"input": {"size": [3], "stride": [1], "padding": [1]}},
            }
        ],
    }
    text = str(found)
    assert "conv 3" in text
    assert "multiply-adds" in text
    assert "144" in text


def test_a_heading_has_the_sum_of_its_rows(compiled: Callable[..., TypedProgram]) -> None:
    typed = compiled("""
        network: net
        input: {channels: 3, height: 8, width: 8}
        blocks: {b: {steps: [{merge: concat, branches: {
          x: [{op: conv, filters: 2, kernel_size: 1}],
              y: [{op: conv, filters: 2, kernel_size: 1, repeat: 2}], z: []}}]}}
        body: [{use: b, repeat: 2}]
        """)
    found = Summary(typed)
    headings = [row for row in found.rows() if row.depth == 0 and not row.layer]
    assert [row.name for row in headings] == ["body/0", "body/1"]
    assert sum(row.parameters for row in headings) == found.cost.total
    assert sum(row.macs for row in headings) == found.cost.macs
    assert any(row.op == "shortcut" for row in Summary(typed, depth=9).rows())
