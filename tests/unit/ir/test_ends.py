"""What a network outputs, and which outputs the loss is computed from."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inception_dsl.ir.typed import TypedProgram

Compiled = Callable[..., TypedProgram]
HEAD = "network: n\ninput: {channels: 3, height: 8, width: 8}\nclasses: 4\n"
SOFTMAX = "{op: dense, units: 4, activation: softmax}"
LINEAR = "{op: dense, units: 4}"
POOL = "{op: global_avg_pool}"
MERGED = f"{{branches: {{a: [{LINEAR}], b: [{LINEAR}]}}, merge: add}}"


@pytest.mark.parametrize(
    ("steps", "end"),
    [
        (f"[{POOL}, {LINEAR}]", "logits"),
        (f"[{POOL}, {LINEAR}, {{op: dropout, rate: 0.5}}]", "logits"),
        (f"[{POOL}, {LINEAR}, {{op: scale, value: 2.0}}]", "logits"),
        (f"[{POOL}, {LINEAR}, {{op: activation, function: none}}]", "logits"),
        (f"[{POOL}, {SOFTMAX}]", "probabilities"),
        (f"[{POOL}, {SOFTMAX}, {{op: identity, repeat: 2}}]", "probabilities"),
        (f"[{POOL}, {LINEAR}, {{op: activation, function: softmax}}]", "probabilities"),
        (f"[{POOL}, {{use: end}}]", "probabilities"),
        (f"[{POOL}, {{use: end}}, {{use: empty}}]", "probabilities"),
        (f"[{POOL}, {SOFTMAX}, {{op: scale, value: 2.0}}]", "features"),
        (f"[{POOL}, {{op: dense, units: 4, activation: sigmoid}}]", "features"),
        (f"[{POOL}, {LINEAR}, {{op: activation, function: relu}}]", "features"),
        (f"[{POOL}, {MERGED}]", "features"),
        (
            "[{op: conv, filters: 4, kernel_size: 1, activation: softmax}, {op: flatten}]",
            "features",
        ),
        ("[{op: conv_bn, filters: 4, kernel_size: 1}, {op: global_avg_pool}]", "features"),
    ],
)
def test_what_a_network_outputs(steps: str, end: str, compiled: Compiled) -> None:
    blocks = f"blocks: {{end: {{steps: [{SOFTMAX}]}}, empty: {{steps: [{{op: identity}}]}}}}\n"
    typed = compiled(f"{HEAD}{blocks}head: {steps}\ntraining: {{label_smoothing: 0.0}}\n")
    assert typed.end == end
    assert typed.has_loss == (end != "features")


def test_a_head_without_classes_has_no_loss(compiled: Compiled) -> None:
    typed = compiled(
        f"{HEAD}body: [{{op: conv, filters: 4, kernel_size: 3, name: c}}]\n"
        f"head: [{POOL}, {LINEAR}]\naux_heads:\n"
        f"  a: {{after: c, loss_weight: 0.3, steps: [{POOL}, {SOFTMAX}]}}\n"
        f"  b: {{after: c, loss_weight: 0.3, steps: [{POOL}, {{op: dense, units: 4, "
        "activation: relu}]}\n"
        "  m: {after: c, loss_weight: 0.3, steps: [{op: conv, filters: 4, kernel_size: 1}]}\n"
    )
    found = [(c.output, c.end) for c in typed.classifiers]
    assert found == [("logits", "logits"), ("a", "probabilities")]
