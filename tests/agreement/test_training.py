"""One training step of the reference: losses, heads, named outputs, moving statistics, and the
scale of gradient errors.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from frameworks import running, typed_program

from inception_dsl.ir.typed import TypedProgram
from inception_dsl.ops import CORE_OPS, Composite
from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.reference.training import step, unbiased
from inception_dsl.types.tensor import TensorType
from inception_dsl.verify import case
from inception_dsl.verify.bounds import FLOAT64, PARTS, distance, gradient_errors, layer

INPUT = "input: {channels: 3, height: 7, width: 6}\nclasses: 5\n"
BODY = (
    "body: [{op: conv_bn, name: one, filters: 4, kernel_size: 3}, {op: conv, name: two, "
    "filters: 4, kernel_size: 3, repeat: 2}]\n"
)
HEAD = "head: [{op: global_avg_pool}, {op: dense, name: classifier, units: 5%s}]\n"
AUX = (
    "aux_heads: {aux: {after: two, loss_weight: 0.3, steps: [{op: global_avg_pool}, "
    "{op: dense, units: 5}]}, other: {after: one, loss_weight: 0.7, steps: [{op: flatten}, "
    "{op: dense, units: 5}]}}\n"
)
NETWORKS = {
    "plain": HEAD % "" + "training: {label_smoothing: 0.0}\n",
    "smooth": HEAD % "" + "training: {label_smoothing: 0.1}\n",
    "heads": HEAD % "" + AUX + "training: {label_smoothing: 0.1}\n",
    "heads and outputs": HEAD % "" + AUX + "outputs: {features: two, early: one}\n",
    "probabilities": HEAD % ", activation: softmax" + "training: {label_smoothing: 0.2}\n",
    "probabilities beside heads of logits": HEAD % ", activation: softmax" + AUX,
    "a map of one pixel": "head: [{op: global_avg_pool, keepdims: true}, "
    "{op: conv, filters: 5, kernel_size: 1}]\n"
    "training: {label_smoothing: 0.1}\n",
    "a softmax in a block, then dropout": "blocks: {top: {steps: [{op: dense, units: 5, "
    "activation: softmax}, {op: identity}]}}\nhead: [{op: global_avg_pool}, {use: top}, "
    "{op: dropout, rate: 0.5}]\ntraining: {label_smoothing: 0.1}\n",
    "a softmax before the pool": "head: [{op: conv, filters: 5, kernel_size: 1, "
    "activation: softmax}, {op: global_avg_pool}]\ntraining: {label_smoothing: 0.0}\n",
    "a head of probabilities and one of features": HEAD % ""
    + AUX.replace(
        "{op: dense, units: 5}]}, other",
        "{op: dense, units: 5}, {op: activation, function: softmax}]}, other",
    ).replace(
        "{op: flatten}, {op: dense, units: 5}",
        "{op: flatten}, {op: dense, units: 5, activation: relu}",
    ),
    "all probabilities": HEAD % ", activation: softmax"
    + AUX.replace("units: 5}", "units: 5, activation: softmax}"),
    "outputs without a loss": HEAD % "" + "outputs: {features: two, early: one}\n",
    "features without a loss": "head: [{op: activation, function: relu}, "
    "{op: global_avg_pool}]\ntraining: {label_smoothing: 0.1}\n",
    "sigmoids without a loss": HEAD % ", activation: sigmoid"
    + "training: {label_smoothing: 0.1}\n",
    "an affine softmax without a loss": HEAD % ", activation: softmax".replace("]", "")
    + "training: {label_smoothing: 0.1}\n",
}
NETWORKS["an affine softmax without a loss"] = NETWORKS["an affine softmax without a loss"].replace(
    "softmax}]", "softmax}, {op: scale, value: 2.0}]"
)


@pytest.fixture
def network(tmp_path: Path) -> Callable[[str], TypedProgram]:
    def network(rest: str) -> TypedProgram:
        spec = tmp_path / "net.yaml"
        spec.write_text(f"network: net\n{INPUT}{BODY}{rest}")
        return typed_program(spec)

    return network


@pytest.mark.parametrize("name", NETWORKS)
def test_losses_and_gradients_match_generated_code(
    name: str, network: Callable[[str], TypedProgram]
) -> None:
    typed = network(NETWORKS[name])
    weights, x = seeded(typed, seed=1), batch(typed, seed=2, size=3)
    assert typed.has_loss == ("without a loss" not in name)
    shapes = {n: (3, *y.shape) for n, y in typed.outputs.items()}
    rng = np.random.default_rng(3)
    targets = (
        {typed.output_name: np.array([4, 0, 2])}
        if typed.has_loss
        else {n: rng.normal(size=shape) for n, shape in shapes.items()}
    )
    reference = step(typed, weights, x, targets, rate=0.1)
    assert {n: y.shape for n, y in reference.outputs.items()} == shapes
    model = running("torch", typed)
    model.load(weights)
    found = model.step(x, targets, 0.1)
    assert distance(found.loss, reference.loss) <= FLOAT64
    assert max(gradient_errors(found.gradients, reference.gradients).values()) <= FLOAT64
    assert all(
        distance(found.weights[path], value) <= FLOAT64
        for path, value in unbiased(reference).items()
    )


def test_loss_matches_cross_entropy_by_hand(network: Callable[[str], TypedProgram]) -> None:
    typed = network(NETWORKS["heads"])
    weights, x = seeded(typed, seed=1), batch(typed, seed=2)
    found = step(typed, weights, x, {"logits": np.array([1, 3])}, rate=0.0)

    def entropy(name: str) -> float:
        logits = found.outputs[name]
        logarithm = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        return float(
            np.mean(
                [-0.9 * row[k] - 0.1 * row.mean() for row, k in zip(logarithm, (1, 3), strict=True)]
            )
        )

    assert (
        distance(found.loss, entropy("logits") + 0.3 * entropy("aux") + 0.7 * entropy("other"))
        <= FLOAT64
    )


def test_targets_are_classes_of_every_output(network: Callable[[str], TypedProgram]) -> None:
    typed = network(HEAD % "" + AUX.replace("units: 5", "units: 3", 1))
    (targets,) = case.targets(typed, 50, seed=1).values()
    assert {*map(int, targets)} == {0, 1, 2}


def test_moving_statistics_match_the_formula(network: Callable[[str], TypedProgram]) -> None:
    typed = network(NETWORKS["plain"])
    weights, x = seeded(typed, seed=1), batch(typed, seed=2, size=3)
    found = step(typed, weights, x, {"logits": np.array([1, 3, 0])}, rate=0.5)
    mean, variance = "one/bn/moving_mean", "one/bn/moving_variance"
    moved_by = interpret(typed, weights, x, training=True).statistics
    now = {path: value for path, (value,) in moved_by.items()}
    n = 3 * 7 * 6
    assert found.counts == {variance: [n]}
    assert distance(found.weights[mean], 0.99 * weights[mean] + 0.01 * now[mean]) <= FLOAT64
    assert (
        distance(found.weights[variance], 0.99 * weights[variance] + 0.01 * now[variance])
        <= FLOAT64
    )
    other = unbiased(found)
    assert (
        distance(other[variance], 0.99 * weights[variance] + 0.01 * now[variance] * n / (n - 1))
        <= FLOAT64
    )
    assert all(other[path] is value for path, value in found.weights.items() if path != variance)
    assert found.weights.keys() == weights.keys() == {*found.gradients, mean, variance}
    moved = weights["one/conv/kernel"] - 0.5 * found.gradients["one/conv/kernel"]
    assert distance(found.weights["one/conv/kernel"], moved) <= FLOAT64


def test_one_value_has_no_unbiased_variance(body: Callable[..., TypedProgram]) -> None:
    typed = body("{op: batch_norm}", "channels: 2, height: 1, width: 1")
    weights, x = seeded(typed), batch(typed, size=1)
    found = step(typed, weights, x, {"output": np.ones((1, 1, 1, 2))}, rate=0.1)
    (path,) = found.counts
    assert found.counts[path] == [1]
    assert np.isnan(unbiased(found)[path]).all() and np.isfinite(found.weights[path]).all()


def test_reference_returns_outputs_of_blocks_and_top_level_steps(
    compiled: Callable[..., TypedProgram],
) -> None:
    typed = compiled(f"""network: net
{INPUT}blocks: {{inner: {{steps: [{{op: scale, value: 2}}]}},
    outer: {{steps: [{{use: inner}}, {{op: identity}}]}}}}
stem: [{{op: conv, name: first, filters: 3, kernel_size: 3}}, {{op: scale, value: 3}}]
body: [{{use: outer, repeat: 2}},
    {{name: joined, branches: {{a: [], b: [{{op: max_pool, kernel_size: 3}}]}}, merge: concat}}]
head: [{{op: global_avg_pool}}]
aux_heads: {{aux: {{after: joined, loss_weight: 0.3, steps: [{{use: outer}}]}}}}
""")
    x = batch(typed)
    found = interpret(typed, seeded(typed), x)
    outer = [path for i in range(2) for path in (f"outer/{i}/inner", f"outer/{i}")]
    assert list(found.blocks) == ["first", "stem/1", *outer, "joined", "head"]
    assert np.array_equal(found.blocks["stem/1"], 3 * found.blocks["first"])
    assert np.array_equal(found.blocks["outer/1"], 12 * found.blocks["first"])
    assert np.array_equal(found.blocks["joined"][..., :3], found.blocks["outer/1"])
    assert np.array_equal(found.blocks["head"], found.outputs["output"])
    more = interpret(typed, seeded(typed), x, training=True).blocks
    assert more.keys() - found.blocks.keys() == {"aux", "aux/inner"}


def test_layer_parts_are_those_of_composite_ops() -> None:
    x = TensorType((8, 8), 4)
    required = {
        "conv_bn": {"filters": 4, "kernel_size": 3},
        "separable_conv": {"filters": 4, "kernel_size": 3},
    }
    composites = [op for op in CORE_OPS if issubclass(op, Composite)]
    assert {op.kind for op in composites} == required.keys()
    found = [
        w.name
        for op in composites
        for w in op.model_validate({"op": op.kind, **required[op.kind]}).weights(x)
    ]
    assert {name.split("/")[0] for name in found} == set(PARTS)


def test_gradient_errors_are_relative_to_the_layer() -> None:
    assert [layer(p) for p in ("a/b/conv/kernel", "a/b/bn/beta", "a/0/kernel", "kernel")] == [
        "a/b",
        "a/b",
        "a/0",
        "",
    ]
    reference = {
        "a/conv/kernel": np.array([4.0, -8.0]),
        "a/bn/beta": np.array([0.0]),  # in the same layer as 8
        "b/kernel": np.array([1e-9]),  # below 1/10,000 of 8
        "c/kernel": np.array([2.0]),
    }
    found = {path: value + 1e-3 for path, value in reference.items()}
    errors = gradient_errors(found, reference)
    expected = {
        "a/conv/kernel": 1e-3 / 8,
        "a/bn/beta": 1e-3 / 8,
        "b/kernel": 1e-3 / 8e-4,
        "c/kernel": 1e-3 / 2,
    }
    assert errors.keys() == expected.keys()
    assert all(errors[path] == pytest.approx(value) for path, value in expected.items())
    assert gradient_errors({}, {"a/kernel": np.ones(1)}) == {"a/kernel": float("inf")}
    assert gradient_errors({"a/kernel": np.ones(1)}, {}) == {"a/kernel": float("inf")}
    assert gradient_errors({"a/kernel": np.ones(2)}, {"a/kernel": np.ones(1)}) == {
        "a/kernel": float("inf")
    }
    assert gradient_errors({"a/kernel": np.array([np.nan])}, {"a/kernel": np.ones(1)}) == {
        "a/kernel": float("inf")
    }
    assert gradient_errors({"a/kernel": np.zeros(1)}, {"a/kernel": np.zeros(1)}) == {
        "a/kernel": 0.0
    }
