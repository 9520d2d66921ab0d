"""Learned scales, stochastic depth and dropout of channels, as residual blocks have them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from folders import prepared_folder
from frameworks import BACKENDS, running, typed_program
from offered_network import case_of, problem, source
from steps import op

from inception_dsl.analysis.weights import flattened, weight_shapes
from inception_dsl.reference.gradients import BACKWARD
from inception_dsl.reference.operations import REFERENCE
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.verify.case import Case, expect
from inception_dsl.weights.adapt import summed
from inception_dsl.weights.initial import initial
from inception_dsl.weights.layouts import published

SPEC = """
network: residuals
input: {channels: 4, height: 9, width: 7}
classes: 3
params: {rate: {type: float, default: 0.25}, start: {type: float, default: 1e-6}}
blocks:
  cell:
    params: {per: str, rate: {type: float, default: $rate}, start: {type: float, default: $start}}
    steps:
      - branches:
          shortcut: []
          residual:
            - {op: conv, filters: $in_channels, kernel_size: 3}
            - {op: scale, value: $start, learned: true, per: $per}
            - {op: dropout, rate: $rate, per: sample}
        merge: add
body:
  - {use: cell, per: channel, name: a, repeat: 2}
  - {use: cell, per: layer, name: b}
  - {op: dropout, rate: 0.3, per: channel}
  - {op: dropout, rate: 0.35}
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
training: {initializer: {name: he_normal}}
"""


@cache
def prepared() -> tuple[Path, Case, Any]:
    """The spec, its case, the results of the reference."""
    spec = prepared_folder() / "residuals.yaml"
    spec.write_text(SPEC)
    case = case_of(spec)
    return spec, case, expect(case, train=True)


@pytest.mark.parametrize("backend", BACKENDS)
def test_verify_agrees(backend: str) -> None:
    spec, case, expected = prepared()
    assert problem(spec, backend, source(spec, backend), case, expected) == ""


TORCH = [
    ("nn.Dropout2d(0.3)", "nn.Dropout(0.3)", "each "),
    ("nn.Dropout2d(0.3)", "DropPath(0.3)", "each "),
    ("nn.Dropout2d(0.3)", "nn.Dropout2d(0.31)", "expected the rate 0.3"),
    ("DropPath(rate)", "nn.Dropout2d(rate)", "each "),
    ("DropPath(rate)", "nn.Dropout(rate)", "each "),
    ("nn.Dropout(0.35)", "nn.Dropout2d(0.35)", "each "),
    ("nn.Dropout(0.35)", "DropPath(0.35)", "each "),
    ("x.new_ones([x.shape[0]])", "x.new_ones([1])", "each "),
    ("x.movedim(0, -1) * kept).movedim(-1, 0)", "x.movedim(1, -1) * kept[0]).movedim(-1, 1)", ""),
    (
        "kept = F.dropout(x.new_ones([x.shape[0]]), self.p)",
        "kept = (torch.rand(len(x)) > self.p) * 1",
        "",
    ),
    ("init_value * torch.ones(channels)", "torch.ones(channels)", "initial value"),
    ("init_value * torch.ones(channels)", "1.01 * init_value * torch.ones(channels)", "initial"),
    ("x.movedim(1, -1) * self.gamma).movedim(-1, 1)", "x * self.gamma[0])", "outputs"),
]
KERAS = [
    ("layers.SpatialDropout2D(0.3", "layers.Dropout(0.3", "each "),
    ("layers.SpatialDropout2D(0.3", "layers.SpatialDropout2D(0.31", "expected the rate 0.3"),
    ("layers.SpatialDropout2D(0.3", "layers.Dropout(0.3, (None, 1, 1, 1)", "each "),
    ("noise_shape=(None, 1, 1, 1)", "noise_shape=(1, 1, 1, 1)", "each "),
    ("noise_shape=(None, 1, 1, 1)", "noise_shape=(None, 1, 1, None)", "each "),
    ("noise_shape=(None, 1, 1, 1)", "noise_shape=None", "each "),
    ("layers.Dropout(0.35", "layers.SpatialDropout2D(0.35", "each "),
    ("layers.Dropout(0.35", "layers.Dropout(0.35, (None, None, 1, None)", "each "),
    ("Constant(ops.convert_to_numpy([init_value]))", "Constant(1.0)", "initial value"),
    (
        "Constant(ops.convert_to_numpy([init_value]))",
        "Constant(1.01 * init_value)",
        "initial value",
    ),
    ("if isinstance(layer, layers.EinsumDense)", "if False", "initial value"),
]


@pytest.mark.parametrize(
    ("backend", "old", "new", "words"),
    [*(("torch", *row) for row in TORCH), *(("keras", *row) for row in KERAS)],
)
def test_seeded_defects_are_found(backend: str, old: str, new: str, words: str) -> None:
    spec, case, expected = prepared()
    text = source(spec, backend)
    assert old in text
    found = problem(spec, backend, text.replace(old, new), case, expected)
    assert words in found
    assert not re.match(r"($|\w+(Error|Exception)\b)", found), "the file must run"


@pytest.mark.parametrize("shape", [(6,), (5, 6), (4, 3, 6), (2, 3, 4, 6)], ids=len)
@pytest.mark.parametrize("per", ["channel", "layer"])
def test_the_reference_agrees_with_pytorch(per: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    x, dy = rng.normal(size=(2, 3, *shape))
    gamma = rng.normal(size=6 if per == "channel" else 1)
    given, factor = (torch.from_numpy(a).requires_grad_() for a in (x, gamma))
    (given * factor).backward(torch.from_numpy(dy))
    scale = op(f"scale, value: 1e-6, learned: true, per: {per}")
    y = REFERENCE[scale.op](scale, x, {"gamma": gamma})
    np.testing.assert_allclose(y, x * gamma, rtol=1e-12)
    dx, found = BACKWARD[scale.op](scale, x, {"gamma": gamma}, y, dy)
    assert given.grad is not None
    assert factor.grad is not None
    np.testing.assert_allclose(dx, given.grad.numpy(), rtol=1e-12)
    np.testing.assert_allclose(found["gamma"], factor.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_learned_scale_starts_at_its_value(backend: str) -> None:
    """Exactly: the number of the spec in the model's own type."""
    spec, _, _ = prepared()
    values = running(backend, typed_program(spec), "float32").weights()
    gammas = {path: value for path, value in values.items() if path.endswith("gamma")}
    assert [v.shape for v in gammas.values()] == [(4,), (4,), (1,)]
    assert {float(n) for value in gammas.values() for n in value} == {float(np.float32(1e-6))}


def test_other_layers_of_weights_start_there_too() -> None:
    spec, _, _ = prepared()
    typed = typed_program(spec)
    paths = [path for path in weight_shapes(typed) if path.endswith("gamma")]
    assert all((value == 1e-6).all() for value in initial(typed, paths, 0).values())


@pytest.mark.parametrize("to", BACKENDS)
def test_files_keep_learned_scales(to: str, tmp_path: Path) -> None:
    """Through the framework's own file and back."""
    spec, _, _ = prepared()
    typed = typed_program(spec)
    weights = seeded(typed, 4)
    one, other = running(to, typed), running(to, typed)
    one.load(weights)
    path = tmp_path / {"torch": "w.safetensors", "keras": "w.weights.h5"}[to]
    one.save(path)
    other.restore(path)
    assert all(np.array_equal(other.weights()[name], value) for name, value in weights.items())


def test_published_names_are_those_of_timm(tmp_path: Path) -> None:
    spec = tmp_path / "named.yaml"
    names = "checkpoints: {timm: {names: {a/*: 'blocks.{0..1}', b: last, head: head}, blocks: "
    names += "{cell: {residual/0: conv, residual/1: ls1}}}}"
    spec.write_text(SPEC + names)
    typed = typed_program(spec)
    found = published(typed, "timm", "state", seeded(typed, 1))
    shapes = {key: value.shape for key, value in found.items() if key.endswith("gamma")}
    assert shapes == {
        "blocks.0.ls1.gamma": (4,),
        "blocks.1.ls1.gamma": (4,),
        "last.ls1.gamma": (1,),
    }


@pytest.mark.parametrize(("step", "same"), [("", True), (", learned: true", False)])
def test_weights_of_color_images_are_not_summed_after_a_learned_scale(
    tmp_path: Path, step: str, same: bool
) -> None:
    spec = tmp_path / "gray.yaml"
    spec.write_text(
        "network: gray\ninput: {channels: 1, height: 6, width: 6}\n"
        f"body: [{{op: scale, value: 2{step}}}, {{op: conv, filters: 3, kernel_size: 3}}]\n"
    )
    gray, color = typed_program(spec), typed_program(spec, **{"input.channels": "3"})
    assert summed(gray, color) is same


def test_one_factor_does_not_depend_on_the_order_of_a_flatten(tmp_path: Path) -> None:
    spec = tmp_path / "flat.yaml"
    steps = "{op: scale, value: 1, learned: true}, {op: scale, value: 1, learned: true, per: layer}"
    spec.write_text(
        "block: flat\ninput: {channels: 2, height: 3, width: 4}\n"
        f"steps: [{{op: flatten}}, {steps}]\n"
    )
    assert flattened(typed_program(spec)) == {"1/gamma": "3x4x2"}


def test_dropout_of_pytorch_can_be_scripted_and_traced() -> None:
    spec, _, _ = prepared()
    typed = typed_program(spec)
    model = running("torch", typed)
    model.load(seeded(typed, 1))
    x = torch.from_numpy(batch(typed, 1)).movedim(-1, 1)
    for net in (torch.jit.script(model.net), torch.fx.symbolic_trace(model.net)):
        assert torch.equal(net(x), model.net(x))
    scripted = torch.jit.script(model.net.train())
    torch.manual_seed(0)
    wanted = model.net(x)
    torch.manual_seed(0)
    assert torch.equal(scripted(x), wanted)


def test_uses_that_drop_other_things_are_two_definitions(tmp_path: Path) -> None:
    spec = tmp_path / "uses.yaml"
    spec.write_text("""
        block: uses
        input: {channels: 4, height: 5, width: 6}
        blocks:
          cell:
            params: {per: str, learned: bool}
            steps: [{op: scale, value: 0.5, learned: $learned}, {op: dropout, rate: 0.5, per: $per}]
        steps:
          - {use: cell, per: sample, learned: true, name: a}
          - {use: cell, per: element, learned: true, name: b}
          - {use: cell, per: element, learned: false, name: c}
        """)
    for backend in BACKENDS:
        text = source(spec, backend)
        assert text.count("class Cell" if backend == "torch" else "def cell") == 3
        assert problem(spec, backend, text, case_of(spec)) == ""
