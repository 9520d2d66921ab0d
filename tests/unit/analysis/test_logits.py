"""The program that is trained: without the softmax at the end of what the loss is computed from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from inception_dsl.analysis.logits import trained_program
from inception_dsl.analysis.weights import weight_shapes
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.activations import softmax
from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, seeded

Compiled = Callable[..., TypedProgram]
NETWORK = """
network: net
input: {{channels: 3, height: 6, width: 5}}
classes: 4
blocks:
  end: {{steps: [{{op: dense, name: fc, units: $classes, activation: softmax}}],
    params: {{classes: int}}}}
  chosen: {{params: {{act: str}}, steps: [{{op: dense, units: 4, activation: $act}}]}}
  outer: {{steps: [{{op: identity}}, {{use: end, classes: 4}}, {{op: flatten}}]}}
  only: {{steps: [{{op: activation, function: softmax}}]}}
  several: {{params: {{n: int}}, steps: [{{op: activation, function: softmax, repeat: $n}}]}}
body: [{{op: conv, name: c, filters: 4, kernel_size: 3}}{body}]
head: [{head}]
aux_heads: {{aux: {{after: c, loss_weight: 0.3, steps: [{aux}]}}}}
outputs: {{early: c}}
training: {{label_smoothing: 0.1}}
"""
POOL = "{op: global_avg_pool}"
KEPT = "{op: global_avg_pool, keepdims: true}"
SOFT = "{op: dense, units: 4, activation: softmax}"
LINEAR = "{op: dense, units: 4}"
WHOLE = "{op: conv, filters: 4, kernel_size: [6, 5], stride: 6, padding: valid"
END = "{use: end, classes: 4}"
BY_LOGITS = {
    "a layer": f"{POOL}, {SOFT}",
    "a step": f"{POOL}, {LINEAR}, {{op: activation, function: softmax}}",
    "a convolution": f"{KEPT}, {{op: conv, filters: 4, kernel_size: 1, activation: softmax}}",
    "a block": f"{POOL}, {END}",
    "a block in a block": f"{POOL}, {{use: outer}}",
    "a block with nothing else": f"{POOL}, {LINEAR}, {{use: only}}",
    "a parameter": f"{POOL}, {{use: chosen, act: softmax}}",
    "a block that is used again": f"{POOL}, {{use: only}}, {LINEAR}, {{use: only, name: last}}",
    "steps after it": f"{KEPT}, {SOFT}, {{op: flatten}}, {{op: identity}}",
    "a pool after it": f"{KEPT}, {SOFT}, {{op: global_avg_pool}}",
    "dropout that drops nothing": f"{POOL}, {SOFT}, {{op: dropout, rate: 0.0}}",
    "one repetition": f"{POOL}, {LINEAR}, {{use: several, n: 1}}",
    "a larger map after it": f"{WHOLE}, activation: softmax}}",
}
KEEPING = {
    "dropout": f"{POOL}, {SOFT}, {{op: dropout, rate: 0.5}}",
    "a mean of several": f"{SOFT}, {{op: global_avg_pool}}",
    "a mean of several for a larger input": f"{WHOLE}, activation: softmax}}, {POOL}",
    "a flatten of several for a larger input": f"{WHOLE}, activation: softmax}}, {{op: flatten}}",
    "several repetitions": f"{POOL}, {LINEAR}, {{use: several, n: 2}}",
    "a repeat": f"{POOL}, {LINEAR}, {{op: activation, function: softmax, repeat: 2}}",
}


@pytest.mark.parametrize("last", [LINEAR, SOFT], ids=["logits", "probabilities"])
def test_a_mean_over_channels_is_neither(compiled: Compiled, last: str) -> None:
    """It is a map of one channel, also where one position is left."""
    head = f"{KEPT}, {last}, {{op: global_avg_pool, over: channels}}"
    typed = compiled(NETWORK.format(head=head, aux=f"{POOL}, {SOFT}", body=""))
    assert typed.output_name == "output"
    assert [c.end for c in typed.classifiers if c.output == "output"] in ([], ["features"])


@pytest.mark.parametrize("head", BY_LOGITS.values(), ids=BY_LOGITS)
@pytest.mark.parametrize("aux", [f"{POOL}, {LINEAR}", f"{POOL}, {END}"], ids=["logits", "soft"])
def test_the_outputs_are_the_softmax_of_its_outputs(
    compiled: Compiled, head: str, aux: str
) -> None:
    typed = compiled(NETWORK.format(head=head, aux=aux, body=""))
    trained = trained_program(typed)
    assert trained.outputs == {"probabilities", *["aux"] * (END in aux)}
    assert weight_shapes(trained.typed) == weight_shapes(typed)
    weights, x = seeded(typed), batch(typed)
    own = interpret(typed, weights, x, training=True).outputs
    found = interpret(trained.typed, weights, x, training=True).outputs
    assert list(found) == ["logits", *list(own)[1:]]
    for (name, y), logits in zip(own.items(), found.values(), strict=True):
        wanted = softmax(logits) if name in trained.outputs else logits
        np.testing.assert_allclose(y, wanted, rtol=1e-13)


@pytest.mark.parametrize("head", KEEPING.values(), ids=KEEPING)
def test_a_softmax_that_more_depends_on_stays(compiled: Compiled, head: str) -> None:
    typed = compiled(NETWORK.format(head=head, aux=f"{POOL}, {SOFT}", body=""))
    trained = trained_program(typed)
    assert trained.outputs == {"aux"}
    weights, x = seeded(typed), batch(typed)
    own = interpret(typed, weights, x).outputs
    found = interpret(trained.typed, weights, x).outputs
    assert all(np.array_equal(found[name], y) for name, y in own.items())


@pytest.mark.parametrize("head", [*BY_LOGITS.values(), *KEEPING.values()])
def test_the_input_size_does_not_matter(compiled: Compiled, head: str) -> None:
    """A file is written for one size, and runs for others with the same weights."""
    text = NETWORK.format(head=head, aux=f"{POOL}, {LINEAR}", body="")
    larger = text.replace("height: 6, width: 5", "height: 13, width: 17")
    typed, other = (trained_program(compiled(text)), trained_program(compiled(larger)))
    if other.typed.classifiers:
        assert typed.outputs == other.outputs
    assert weight_shapes(typed.typed) == weight_shapes(other.typed)


def test_a_softmax_that_an_output_reads_stays(compiled: Compiled) -> None:
    text = NETWORK.replace("early: c", "early: s")
    body = f", {KEPT}, {{op: activation, name: s, function: softmax}}"
    typed = compiled(text.format(body=body, head="", aux=f"{POOL}, {LINEAR}"))
    assert typed.output_name == "probabilities"
    assert trained_program(typed).outputs == frozenset()


def test_names_of_blocks(compiled: Compiled) -> None:
    """A block keeps its name, unless another use of it needs the softmax."""
    typed = compiled(NETWORK.format(head=f"{POOL}, {{use: outer}}", aux=f"{POOL}, {END}", body=""))
    blocks = trained_program(typed).typed.program.blocks
    assert {"outer", "end"} <= set(blocks) and "end_logits" not in blocks
    again = f"{POOL}, {{use: only}}, {LINEAR}, {{use: only, name: last}}"
    typed = compiled(NETWORK.format(head=again, aux=f"{POOL}, {LINEAR}", body=""))
    program = trained_program(typed).typed.program
    assert [getattr(n, "block", "") for n in program.sections["head"]] == [
        "", "only", "", "only_logits",
    ]  # fmt: skip


def test_other_networks_are_left_alone(compiled: Compiled) -> None:
    typed = compiled(NETWORK.format(head=f"{POOL}, {LINEAR}", aux=f"{POOL}, {LINEAR}", body=""))
    assert trained_program(typed).typed is typed
