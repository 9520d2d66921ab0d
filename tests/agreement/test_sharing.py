"""Steps that share weights: PolyNet, siamese and recurrent networks, in every framework."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
from frameworks import BACKENDS, emitted, running
from offered_network import case_of, problem, source
from sharing_defects import IN_FILES
from sharing_specs import CASES, POLY
from torch.nn import functional

from inception_dsl.backend import Report, Request, module_from_source
from inception_dsl.compiler import compile_spec
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.reference.training import step, unbiased
from inception_dsl.testing.conformance import Agrees, prepared
from inception_dsl.testing.trial import loaded
from inception_dsl.verify.case import expect

Compiled = Callable[..., TypedProgram]
CLOSE = 1e-12


@pytest.mark.parametrize("spec", CASES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_they_agree(backend: str, spec: str, write: Callable[..., Path]) -> None:
    """Outputs, gradients, moving statistics after both calls, in float64."""
    one = type("One", (Agrees,), {"backend": backend, "specs": ()})()
    one.agree(prepared(write(CASES[spec]), {}))


class Poly:
    """PolyNet's poly-2 twice, by the functions of PyTorch; each F has one set of parameters."""

    def __init__(self, weights: dict[str, Any]) -> None:
        self.weights = {path: torch.tensor(value) for path, value in weights.items()}
        for path, value in self.weights.items():
            value.requires_grad_("moving" not in path)

    def conv(self, path: str, x: Any) -> Any:
        kernel = self.weights[f"{path}/kernel"].movedim((3, 2), (0, 1))
        bias = self.weights.get(f"{path}/bias")
        return functional.conv2d(x, kernel, bias, padding=kernel.shape[-1] // 2)

    def conv_bn(self, path: str, x: Any) -> Any:
        names = ("moving_mean", "moving_variance", "gamma", "beta")
        norm = (self.weights[f"{path}/bn/{name}"] for name in names)
        x = self.conv(f"{path}/conv", x)
        return functional.relu(functional.batch_norm(x, *norm, True, 0.01, 0.001))

    def f(self, path: str, x: Any) -> Any:
        y = torch.cat([self.conv_bn(f"{path}/a", x), self.conv_bn(f"{path}/b", x)], 1)
        return self.conv(f"{path}/up", y)

    def __call__(self, x: Any) -> Any:
        x = self.conv("stem", x)
        for index in range(2):
            path = f"unit/{index}/first/f"
            first = self.f(path, x)
            x = functional.relu(x + first + self.f(path, self.f(path, x)))
        return x.mean((2, 3)) @ self.weights["head/1/kernel"] + self.weights["head/1/bias"]


def test_poly_2_is_that_of_pytorch_by_hand(compiled: Compiled) -> None:
    """The reference: outputs, summed gradients, statistics that three calls move in order."""
    typed = compiled(POLY)
    weights, x = seeded(typed, 1), batch(typed, 2, 3)
    labels = np.array([0, 4, 2])
    found = step(typed, weights, x, {"logits": labels}, 0.1)
    model = Poly(weights)
    y = model(torch.tensor(np.moveaxis(x, -1, 1)))
    loss = functional.cross_entropy(y, torch.tensor(labels))
    loss.backward()
    np.testing.assert_allclose(found.outputs["logits"], y.detach().numpy(), rtol=CLOSE)
    np.testing.assert_allclose(found.loss, loss.item(), rtol=CLOSE)
    after = unbiased(found)
    assert weights.keys() == after.keys() == model.weights.keys()
    for path, value in model.weights.items():
        if value.grad is None:
            np.testing.assert_allclose(after[path], value.numpy(), rtol=CLOSE)
        else:
            largest = value.grad.abs().max().item()
            assert np.abs(found.gradients[path] - value.grad.numpy()).max() <= CLOSE * largest


def test_weights_are_counted_and_named_once(compiled: Compiled) -> None:
    typed = compiled(POLY)
    names = seeded(typed)
    assert not [name for name in names if "second" in name]
    assert sum(name.startswith("unit/0/first/f/") for name in names) == 2 * 5 + 2
    module = module_from_source(emitted("torch", typed), "poly_counted")
    state = module.Poly().state_dict()
    assert len([key for key in state if "num_batches" not in key]) == len(names)
    model = module_from_source(emitted("keras", typed), "poly_keras").poly()
    assert len(model.weights) == len(names)
    assert model.count_params() == sum(value.size for value in names.values())


def outputs(found: Any) -> list[Any]:
    """The outputs of a model, in order."""
    if isinstance(found, dict):
        return [*found.values()]
    return [*found] if isinstance(found, tuple) else [found]


@pytest.mark.parametrize("spec", CASES)
def test_networks_are_scripted_and_traced(spec: str, compiled: Compiled) -> None:
    typed = compiled(CASES[spec])
    model = running("torch", typed, "float32")
    model.load(seeded(typed))
    net = model.net
    x = torch.tensor(np.moveaxis(batch(typed, seed=1), -1, 1).astype("float32"))
    scripted = torch.jit.script(net)
    for other in (scripted, torch.fx.symbolic_trace(net)):
        for one, two in zip(outputs(other(x)), outputs(net(x)), strict=True):
            assert torch.allclose(one, two, atol=1e-5)


@pytest.mark.parametrize("spec", CASES)
def test_keras_models_are_saved_and_loaded_with_one_set_of_weights(
    spec: str, compiled: Compiled, tmp_path: Path
) -> None:
    typed = compiled(CASES[spec])
    model, other = running("keras", typed, "float32"), running("keras", typed, "float32")
    weights = seeded(typed)
    model.load(weights)
    model.save(tmp_path / "a.keras")
    loaded_model = keras.models.load_model(tmp_path / "a.keras")
    assert len(loaded_model.weights) == len(weights)
    x = batch(typed, seed=1).astype("float32")
    found = [outputs(net.predict(x, verbose=0)) for net in (model.model, loaded_model)]
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)
    model.save(tmp_path / "a.weights.h5")
    for name in ("a.keras", "a.weights.h5"):
        other.load({path: np.zeros_like(value) for path, value in weights.items()})
        other.restore(tmp_path / name)
        held = other.weights()
        assert all(np.array_equal(held[p], np.float32(v)) for p, v in weights.items())


PARALLEL = """\
block: parallel
input: {channels: 4, height: 6, width: 6}
steps:
  - branches:
      a: [{op: conv_bn, name: c, filters: 4, kernel_size: 3}, LEFT]
      b:
        - {op: activation, function: tanh}
        - {op: conv_bn, filters: 4, kernel_size: 3, weights: a/c}
        - RIGHT
    merge: concat
"""


def emitted_or_refused(backend: str, spec: Path) -> tuple[Any, Report]:
    """What a backend makes of a spec."""
    report = Report()
    typed = compile_spec(spec, {}, report)
    assert typed is not None, report.render()
    (found,) = loaded([backend])
    return found.emit(typed, Request("parallel"), report), report


@pytest.mark.parametrize(
    ("left", "right", "refused"),
    [("", "", False), ("", "{op: identity}", False), ("{op: identity}", "{op: identity}", True)],
)
def test_keras_refuses_batch_norms_that_it_computes_in_another_order(
    left: str, right: str, refused: bool, write: Callable[..., Path]
) -> None:
    text = PARALLEL.replace(", LEFT", f", {left}" if left else "")
    spec = write(text.replace("        - RIGHT\n", f"        - {right}\n" if right else ""))
    files, report = emitted_or_refused("keras", spec)
    assert (files is None) == refused
    assert [d.code for d in report.diagnostics] == ["E503"] * refused
    assert emitted_or_refused("torch", spec)[0] is not None


SIZED = {  # steps in a block, each of which needs to know the size of its map
    "upsample to a size": "{op: upsample, size: [11, 7]}",
    "upsample by a factor": "{op: upsample, factor: 2, method: linear}",
    "align corners": "{op: upsample, size: [9, 13], method: linear, align_corners: true}",
    "space_to_depth": "{op: space_to_depth, block_size: 2}",
    "depth_to_space": "{op: depth_to_space, block_size: 2}",
    "ceil mode": "{op: max_pool, kernel_size: 3, stride: 2, padding: valid, ceil_mode: true}",
    "average": "{op: avg_pool, kernel_size: 3, stride: 2, padding: 1, ceil_mode: true}",
    "adaptive": "{op: adaptive_avg_pool, output_size: 3}",
    "same": "{op: max_pool, kernel_size: [2, 3], stride: 2, padding: same}",
    "flatten": "{op: flatten}",
}


@pytest.mark.parametrize("step", SIZED)
@pytest.mark.parametrize("backend", BACKENDS)
def test_shared_blocks_that_read_sizes(backend: str, step: str, write: Callable[..., Path]) -> None:
    """Also in a block inside of the shared one, before and after its weights."""
    text = """\
network: sized
input: {channels: 4, height: 8, width: 6}
classes: 3
blocks:
  inner: {steps: [STEP]}
  first: {steps: [{op: conv, filters: 4, kernel_size: 1}, {use: inner}]}
  last: {steps: [{use: inner}, {op: dense, units: 4}]}
body:
  - branches:
      a: [{use: BLOCK, name: owner}]
      b: [{op: activation, function: tanh}, {use: BLOCK, weights: a/owner}]
    merge: add
head: [HEAD{op: dense, units: $classes}]
"""
    for block in ("first", "last"):
        head = "" if step == "flatten" else "{op: global_avg_pool}, "
        spec = text.replace("STEP", SIZED[step]).replace("BLOCK", block).replace("HEAD", head)
        one = type("One", (Agrees,), {"backend": backend, "specs": ()})()
        one.agree(prepared(write(spec), {}))


@pytest.mark.parametrize("backend", ["torch", "keras"])
@pytest.mark.parametrize("step", SIZED)
@pytest.mark.parametrize("per", ["channel", "layer"])
def test_sizes_after_shared_scales(
    per: str, step: str, backend: str, write: Callable[..., Path]
) -> None:
    """What follows a shared block knows the size of its map."""
    text = f"""\
network: scales
input: {{channels: 4, height: 8, width: 6}}
classes: 3
blocks:
  inner: {{steps: [{{op: scale, learned: true, value: 0.5, per: {per}}}]}}
  outer: {{steps: [{{op: conv, filters: 4, kernel_size: 1}}, {{use: inner}}]}}
body:
  - branches:
      a: [{{use: outer, name: owner}}]
      b: [{{op: activation, function: tanh}}, {{use: outer, weights: a/owner}}]
    merge: add
head: [STEP, {{op: dense, units: 3}}HEAD]
"""
    head = "" if step == "flatten" else ", {op: flatten}, {op: dense, units: $classes}"
    one = type("One", (Agrees,), {"backend": backend, "specs": ()})()
    one.agree(prepared(write(text.replace("STEP", SIZED[step]).replace("HEAD", head)), {}))


def test_keras_refuses_a_layer_of_one_size_on_two(write: Callable[..., Path]) -> None:
    spec = write("""\
block: sizes
input: {channels: 4, height: 8, width: 8}
steps: [{use: f, name: a}, {use: f, name: b, weights: a}]
blocks:
  f: {steps: [{op: conv, filters: 4, kernel_size: 1}, {op: upsample, factor: 2, method: linear}]}
""")
    files, report = emitted_or_refused("keras", spec)
    assert files is None
    (found,) = report.diagnostics
    assert (found.code, found.span.line, found.span.column) == ("E503", 3, 55)
    assert emitted_or_refused("torch", spec)[0] is not None


@pytest.mark.parametrize("name", sorted({spec for _, spec, _ in IN_FILES}))
def test_verify_finds_defects_in_files(name: str, write: Callable[..., Path]) -> None:
    """The defective files run, and differ."""
    spec = write(CASES[name])
    case = case_of(spec)
    expected = expect(case, train=True)
    for backend in BACKENDS:
        text = source(spec, backend)
        assert problem(spec, backend, text, case, expected) == ""
        for (where, which, what), changes in IN_FILES.items():
            if (where, which) != (backend, name):
                continue
            changed = text
            for old, new in changes:
                assert changed.count(old) == 1, (what, old)
                changed = changed.replace(old, new)
            found = problem(spec, backend, changed, case, expected)
            assert found, what
            print(f"{backend}: {what}: {found}")
            assert "Error: " not in found, found
