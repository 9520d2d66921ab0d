"""Pools over channels, and CBAM (Woo et al. 2018), which is built from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from frameworks import BACKENDS, ROOT, emitted, running, typed_program
from offered_network import case_of, problem, source
from steps import op

from inception_dsl.reference.gradients import BACKWARD
from inception_dsl.reference.operations import REFERENCE
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.verify.case import expect

CBAM = ROOT / "tests" / "shared" / "cbam.yaml"
SIZES = {1: (5,), 2: (4, 3), 3: (2, 3, 4)}


@pytest.mark.parametrize("rank", SIZES)
@pytest.mark.parametrize("kind", ["avg", "max"])
def test_the_reference_agrees_with_pytorch(kind: str, rank: int) -> None:
    """Of ten integers in six channels, many are equal maxima."""
    rng = np.random.default_rng(rank)
    x = rng.integers(0, 10, (2, *SIZES[rank], 6)).astype(np.float64)
    given = torch.from_numpy(x).requires_grad_()
    wanted = given.mean(-1, keepdim=True) if kind == "avg" else given.amax(-1, keepdim=True)
    dy = rng.normal(size=wanted.shape)
    wanted.backward(torch.from_numpy(dy))
    pool = op(f"global_{kind}_pool, over: channels")
    y = REFERENCE[pool.op](pool, x, {})
    np.testing.assert_allclose(y, wanted.detach().numpy(), rtol=1e-12)
    dx, _ = BACKWARD[pool.op](pool, x, {}, y, dy)
    assert given.grad is not None
    np.testing.assert_allclose(dx, given.grad.numpy(), rtol=1e-12)


def test_by_hand() -> None:
    """Two positions of three channels; the second position has two maxima."""
    x = np.array([[[1.0, 5.0, 3.0], [4.0, 0.0, 4.0]]])
    for kind, y, gradient in (
        ("avg", [3.0, 8 / 3], [[1 / 3] * 3, [1 / 3] * 3]),
        ("max", [5.0, 4.0], [[0, 1, 0], [0.5, 0, 0.5]]),
    ):
        pool = op(f"global_{kind}_pool, over: channels")
        found = REFERENCE[pool.op](pool, x, {})
        np.testing.assert_allclose(found, [[[n] for n in y]])
        np.testing.assert_allclose(
            BACKWARD[pool.op](pool, x, {}, found, np.ones((1, 2, 1)))[0], [gradient]
        )


def cbam_of_pytorch(weights: dict[str, Any], x: Any) -> Any:
    """CBAM as its authors write it, on channels first."""

    def tensor(path: str) -> Any:
        return torch.from_numpy(weights[path])

    def perceptron(y: Any) -> Any:
        path = "channel/attention/statistics/avg/excite"
        y = torch.relu(y @ tensor(f"{path}/0/kernel") + tensor(f"{path}/0/bias"))
        return y @ tensor(f"{path}/1/kernel") + tensor(f"{path}/1/bias")

    gate = perceptron(x.mean((2, 3))) + perceptron(x.flatten(2).max(-1)[0])
    x = x * torch.sigmoid(gate)[:, :, None, None]
    pooled = torch.cat([x.mean(1, keepdim=True), x.max(1, keepdim=True)[0]], dim=1)
    kernel = tensor("spatial/attention/1/kernel").movedim((3, 2), (0, 1))
    return x * torch.sigmoid(torch.nn.functional.conv2d(pooled, kernel, padding=3))


@pytest.mark.parametrize("backend", BACKENDS)
def test_cbam_is_that_of_its_authors(backend: str) -> None:
    typed = typed_program(CBAM)
    weights, x = seeded(typed, 1), batch(typed, 2)
    model = running(backend, typed)
    model.load(weights)
    wanted = cbam_of_pytorch(weights, torch.from_numpy(x).movedim(-1, 1)).movedim(1, -1)
    np.testing.assert_allclose(model.forward(x)["output"], wanted.numpy(), rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_verify_agrees_and_finds_defects(backend: str) -> None:
    case = case_of(CBAM)
    expected = expect(case, train=True)
    text = source(CBAM, backend)
    assert problem(CBAM, backend, text, case, expected) == ""
    swapped = {
        "torch": [
            ("x.mean(dim=1, keepdim=True)", "x.amax(dim=1, keepdim=True)"),
            ("x.amax(dim=1, keepdim=True)", "x.mean(dim=1, keepdim=True)"),
            ("x.mean(dim=1, keepdim=True)", "x.sum(dim=1, keepdim=True)"),
            ("x.mean(dim=1, keepdim=True)", "x.mean(dim=(1, 3), keepdim=True) + 0 * x[:, :1]"),
        ],
        "keras": [
            ("ops.mean(x, axis=-1", "ops.amax(x, axis=-1"),
            ("ops.amax(x, axis=-1", "ops.mean(x, axis=-1"),
            ("ops.mean(x, axis=-1", "ops.sum(x, axis=-1"),
        ],
    }
    for old, new in swapped[backend]:
        assert old in text
        assert problem(CBAM, backend, text.replace(old, new), case, expected), (old, new)


TWO_USES = """
block: uses
input: {channels: 4, height: 5, width: 6}
blocks:
  pooled:
    params: {over: str}
    steps: [{op: global_max_pool, over: $over, keepdims: true}, {op: activation, function: relu}]
steps:
  - merge: add
    branches: {a: [], b: [{use: pooled, over: channels}], c: [{use: pooled, over: positions}]}
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_uses_that_reduce_other_axes_are_two_definitions(backend: str, tmp_path: Path) -> None:
    spec = tmp_path / "uses.yaml"
    spec.write_text(TWO_USES)
    text = emitted(backend, typed_program(spec))
    assert ("class Pooled_2(" if backend == "torch" else "def pooled_2(") in text
    assert problem(spec, backend, source(spec, backend), case_of(spec)) == ""


SEQUENCE = """
block: sequence
input: {channels: 4, height: 5, width: 6}
steps:
  - {op: conv, filters: 3, kernel_size: 1}
  - {op: global_max_pool, over: channels, repeat: 2}
"""


def test_a_sequence_in_pytorch_can_be_scripted_and_traced(tmp_path: Path) -> None:
    spec = tmp_path / "sequence.yaml"
    spec.write_text(SEQUENCE)
    typed = typed_program(spec)
    assert "class ChannelMaxPool(nn.Module):" in emitted("torch", typed)
    model = running("torch", typed)
    model.load(seeded(typed, 1))
    net = model.net
    x = torch.from_numpy(batch(typed, 1)).movedim(-1, 1)
    for other in (torch.jit.script(net), torch.fx.symbolic_trace(net)):
        assert torch.equal(other(x), net(x))
