"""The reference's gradients of every op and of networks, against PyTorch and finite differences."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from frameworks import ROOT, running, typed_program
from steps import op

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.ops import CORE_OPS, Composite
from inception_dsl.reference.activations import DERIVATIVES, FUNCTIONS
from inception_dsl.reference.arrays import by_input, each, samples
from inception_dsl.reference.forward import interpret
from inception_dsl.reference.gradients import BACKWARD
from inception_dsl.reference.operations import REFERENCE
from inception_dsl.reference.seeds import batch, calibrated, seeded
from inception_dsl.reference.training import step, unbiased
from inception_dsl.testing.cases import Case, all_cases
from inception_dsl.verify.bounds import FLOAT64, GRADIENT64, distance, gradient_errors

CASES = all_cases()
# inputs with equal maxima, and values where activations have no derivative
TIES = [
    case
    for case in CASES
    if case.name.startswith(("activation-", "max_pool", "global_max", "adaptive_max"))
]
NETWORKS = {
    "v0": "9x7x192",
    "v1": "224x224x3",
    "v3": "299x299x3",
    "inception_resnet_v2": "107x91x3",
}


def targets_of(typed: TypedProgram, weights: Any, x: Any) -> Any:
    """Random classes if the program has a loss; otherwise a random array per output."""
    rng = np.random.default_rng(3)
    if typed.has_loss:
        return {typed.output_name: rng.integers(typed.y.channels, size=samples(x))}
    outputs = interpret(typed, weights, x, training=True).outputs
    return {name: rng.normal(size=y.shape) for name, y in outputs.items()}


def check_against_autograd(typed: TypedProgram, weights: Any, x: Any, bound: float) -> None:
    """Compare one training step: loss, gradients of weights and input, weights after the step."""
    targets = targets_of(typed, weights, x)
    reference = step(typed, weights, x, targets, rate=0.1)
    model = running("torch", typed)
    model.load(weights)
    inputs: list[Any] = []
    model.net.register_forward_pre_hook(
        lambda _, given: inputs.extend(x.requires_grad_() for x in given)
    )
    found = model.step(x, targets, 0.1)
    assert abs(found.loss - reference.loss) <= bound * max(abs(reference.loss), 1.0)
    errors = gradient_errors(found.gradients, reference.gradients)
    assert errors.keys() == {path for path in weights if "moving_" not in path}
    assert max(errors.values(), default=0.0) <= bound, errors
    for given, gradient in zip(inputs, by_input(reference.input_gradient).values(), strict=True):
        assert distance(np.moveaxis(given.grad.numpy(), 1, -1), gradient) <= bound
    after = unbiased(reference)
    assert found.weights.keys() == after.keys()
    assert all(distance(found.weights[path], value) <= bound for path, value in after.items())


def test_every_op_and_function_has_a_gradient() -> None:
    assert BACKWARD.keys() == REFERENCE.keys()
    assert {*DERIVATIVES, "softmax"} == FUNCTIONS.keys()
    composites = {op.kind for op in CORE_OPS if issubclass(op, Composite)}
    assert {op.kind for op in CORE_OPS} - composites == REFERENCE.keys()


@pytest.fixture
def program(tmp_path: Path) -> Callable[[Case], TypedProgram]:
    def program(case: Case) -> TypedProgram:
        spec = tmp_path / "case.yaml"
        spec.write_text(case.text)
        return typed_program(spec)

    return program


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_op_gradients_match_autograd(case: Case, program: Callable[[Case], TypedProgram]) -> None:
    typed = program(case)
    x = each(lambda given: 3.0 * given, batch(typed, seed=2))
    check_against_autograd(typed, seeded(typed, seed=1), x, FLOAT64)


@pytest.mark.parametrize("case", TIES, ids=[case.name for case in TIES])
def test_gradients_of_ties_and_kinks_match_pytorch(
    case: Case, program: Callable[[Case], TypedProgram]
) -> None:
    typed = program(case)
    x = np.round(3.0 * batch(typed, seed=2, size=8))
    assert {-3.0, 0.0, 3.0, 6.0} <= set(x.ravel())
    check_against_autograd(typed, seeded(typed, seed=1), x, FLOAT64)


@pytest.mark.parametrize("name", NETWORKS)
def test_network_gradients_match_autograd(name: str) -> None:
    report = Report()
    typed = compile_spec(ROOT / "specs" / f"{name}.yaml", {"input": NETWORKS[name]}, report)
    assert typed is not None, report.render()
    x = batch(typed, seed=5)
    check_against_autograd(typed, calibrated(typed, seeded(typed, seed=4), x), x, GRADIENT64)


SMOOTH = {
    "conv": "{op: conv, filters: 6, kernel_size: 3, stride: 2, padding: [[0, 1], [2, 0]], "
    "groups: 2, activation: gelu}",
    "conv_bn": "{op: conv_bn, filters: 5, kernel_size: [2, 3], dilation: 2, activation: silu}, "
    "{op: conv, filters: 2, kernel_size: 1}",
    "separable": "{op: separable_conv, filters: 5, kernel_size: 3, depth_multiplier: 2, "
    "activation: tanh}",
    "norms": "{op: layer_norm}, {op: group_norm, groups: 2}, "
    "{op: local_response_norm, size: 4, alpha: 0.5}",
    "pools": "{op: avg_pool, kernel_size: 3, stride: 2, padding: 1, ceil_mode: true, "
    "count_include_pad: true}, {op: avg_pool, kernel_size: 2}, {op: adaptive_avg_pool, "
    "output_size: [2, 3]}",
    "maxima": "{op: max_pool, kernel_size: 3, stride: 2}, {op: global_max_pool}, "
    "{op: dense, units: 3, activation: softmax}",
    "forks": "{branches: {a: [{op: conv, filters: 4, kernel_size: 1}, {op: scale, value: 0.3}], "
    "b: []}, merge: add, repeat: 2}, {branches: {x: [], gate: [{op: global_avg_pool}, "
    "{op: dense, units: 4, activation: sigmoid}]}, merge: multiply}",
    "flat": "{op: zero_pad, padding: [[0, 1], [2, 0]]}, {op: flatten}, {op: dense, units: 3}, "
    "{op: activation, function: gelu, approximate: true}",
}


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_match_finite_differences(
    name: str, program: Callable[[Case], TypedProgram]
) -> None:
    """Along one random direction for each weight and for the input; no framework is used."""
    typed = program(Case(name, SMOOTH[name], "{channels: 4, height: 6, width: 5}"))
    weights, x = seeded(typed, seed=1), batch(typed, seed=2, size=3)
    targets = targets_of(typed, weights, x)
    reference = step(typed, weights, x, targets, rate=0.0)
    rng = np.random.default_rng(6)

    def slope(path: str, value: Any, direction: Any, h: float = 1e-3) -> float:
        def loss(by: float) -> float:
            moved = value + by * direction
            given = (weights, moved) if path == "input" else ({**weights, path: moved}, x)
            return step(typed, *given, targets, rate=0.0).loss

        near, far = loss(h) - loss(-h), loss(2 * h) - loss(-2 * h)
        further = loss(3 * h) - loss(-3 * h)
        return (45 * near - 9 * far + further) / (60 * h)

    for path, gradient in {**reference.gradients, "input": reference.input_gradient}.items():
        value = x if path == "input" else weights[path]
        direction = rng.normal(size=value.shape)
        expected = float((gradient * direction).sum())
        unit = float(np.abs(gradient * direction).sum())
        assert abs(slope(path, value, direction) - expected) <= GRADIENT64 * unit, path


@pytest.mark.parametrize("epsilon", [1e-10, 4.0])
def test_l2_normalize_matches_pytorch(epsilon: float) -> None:
    """Short vectors are divided by the root of epsilon, the zero vector too."""
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 6, 5)) * np.array([1.0, 1e-7, 2.0, 0.0, 0.5, 9.0])[:, None]
    given = torch.from_numpy(x).requires_grad_()
    wanted = torch.nn.functional.normalize(given, dim=-1, eps=epsilon**0.5)
    wanted.backward(torch.from_numpy(dy))
    step = op(f"l2_normalize, epsilon: {epsilon}")
    y = REFERENCE[step.op](step, x, {})
    np.testing.assert_allclose(y, wanted.detach().numpy(), rtol=1e-12)
    assert given.grad is not None
    dx, _ = BACKWARD[step.op](step, x, {}, y, dy)
    np.testing.assert_allclose(dx, given.grad.numpy(), rtol=1e-12, atol=1e-12)


def test_l2_normalize_by_hand() -> None:
    step = op("l2_normalize")
    found = REFERENCE[step.op](step, np.array([[3.0, -4.0], [0.0, 0.0], [3e-6, 4e-6]]), {})
    np.testing.assert_allclose(found, [[0.6, -0.8], [0.0, 0.0], [0.3, 0.4]], rtol=1e-12)
