"""A softmax over parts of the channels, and the SK unit (Li et al. 2019), built from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from frameworks import BACKENDS, emitted, running
from operators import declare
from safetensors.torch import save_file
from steps import op

from inception_dsl.backend import module_from_source
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.gradients import BACKWARD
from inception_dsl.reference.operations import REFERENCE
from inception_dsl.reference.seeds import batch
from inception_dsl.testing.conformance import Agrees, prepared
from inception_dsl.weights.published import read

Compiled = Callable[..., TypedProgram]
CLOSE = 1e-12


@pytest.mark.parametrize("spatial", [(), (3,), (2, 3), (2, 1, 2)])
@pytest.mark.parametrize("parts", [1, 2, 3, 6])
def test_the_reference_agrees_with_pytorch(parts: int, spatial: tuple[int, ...]) -> None:
    rng = np.random.default_rng(parts)
    x, dy = rng.normal(size=(2, 2, *spatial, 6)) * 30
    given = torch.tensor(x, requires_grad=True)
    wanted = given.unflatten(-1, (parts, -1)).softmax(-2).flatten(-2)
    wanted.backward(torch.tensor(dy))
    step = op(f"activation, function: softmax, parts: {parts}")
    y = REFERENCE[step.op](step, x, {})
    np.testing.assert_allclose(y, wanted.detach().numpy(), rtol=CLOSE, atol=CLOSE)
    np.testing.assert_allclose(y.reshape(*y.shape[:-1], parts, -1).sum(-2), 1, rtol=CLOSE)
    assert given.grad is not None
    dx = BACKWARD[step.op](step, x, {}, y, dy)[0]
    np.testing.assert_allclose(dx, given.grad.numpy(), rtol=CLOSE, atol=CLOSE)


def test_by_hand() -> None:
    """Two parts of two channels: (0, log 3) against (0, 0) gives 1/2 and 3/4."""
    step = op("activation, function: softmax, parts: 2")
    found = REFERENCE[step.op](step, np.array([[0.0, np.log(3), 0.0, 0.0]]), {})
    np.testing.assert_allclose(found, [[0.5, 0.75, 0.5, 0.25]], rtol=CLOSE)


SK = """\
network: sk
input: {{channels: 8, height: 7, width: 6}}
defaults: {{conv_bn: {{batch_norm: {{epsilon: 0.00001}}}}}}
blocks:
  selective_kernel:
    params: {{filters: int, squeezed: int}}
    steps:
      - branches:
          branch_3x3: [{{op: conv_bn, filters: $filters, kernel_size: 3}}]
          branch_5x5: [{{op: conv_bn, filters: $filters, kernel_size: 3, dilation: 2}}]
        merge: concat{split}
        name: paths
      - branches:
          x: []
          attention:
            - {{branches: {{a: [], b: []}}, split: equal, merge: add, name: sum}}
            - {{op: global_avg_pool, keepdims: true}}
            - {{op: conv_bn, name: reduce, filters: $squeezed, kernel_size: 1}}
            - op: conv
              name: logits
              filters: "${{2 * filters}}"
              kernel_size: 1
              use_bias: false
            - {{op: activation, function: softmax, parts: 2}}
        merge: multiply
        name: select
      - {{branches: {{a: [], b: []}}, split: equal, merge: add, name: sum}}
body: [{{op: identity}}, {{use: selective_kernel, name: unit, filters: 12, squeezed: 5}}]
checkpoints:
  timm:
    names: {{unit: unit}}
    blocks:
      selective_kernel:
        paths/branch_3x3: paths.0
        paths/branch_5x5: paths.1
        select/attention/reduce/conv: attn.fc_reduce
        select/attention/reduce/bn: attn.bn
        select/attention/logits: attn.fc_select
"""
WAYS = {"whole": "", "split": "\n        split: equal"}


@pytest.mark.parametrize("way", WAYS)
def test_the_unit_is_that_of_timm(way: str, compiled: Compiled, tmp_path: Path) -> None:
    """With imported weights; timm divides its input among the paths, the paper does not."""
    declare()
    from timm.layers.selective_kernel import SelectiveKernel

    torch.manual_seed(1)
    unit = SelectiveKernel(8, 12, rd_channels=5, split_input=way == "split").double().eval()
    for module in unit.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    state = {f"unit.{name}": value for name, value in unit.state_dict().items()}
    save_file(state, tmp_path / "timm.safetensors")
    typed, report = compiled(SK.format(split=WAYS[way])), Report()
    imported = read(tmp_path / "timm.safetensors", typed, "timm", report)
    assert imported is not None, report.render()
    x = batch(typed, 3)
    wanted = unit(torch.tensor(np.moveaxis(x, -1, 1))).detach().numpy()
    for backend in BACKENDS:
        model: Any = running(backend, typed)
        model.load({name: value.astype("float64") for name, value in imported.weights.items()})
        found = np.moveaxis(model.forward(x)["output"], -1, 1)
        np.testing.assert_allclose(found, wanted, rtol=CLOSE, atol=CLOSE)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_unit_agrees(backend: str, write: Callable[..., Path]) -> None:
    """Outputs, gradients and a training step, in float64."""
    one = type("One", (Agrees,), {"backend": backend, "specs": ()})()
    one.agree(prepared(write(SK.format(split="")), {}))


HEADS = """\
network: net
input: {{channels: 6, height: 4, width: 4}}
classes: 6
training: {{}}
head:
  - {{op: global_avg_pool}}
  - {{op: dense, units: $classes}}
  - {{op: activation, function: softmax{}}}
"""


def test_a_softmax_over_parts_gives_no_probabilities(compiled: Compiled) -> None:
    """So it is never left to the loss, as the softmax of a classifier is."""
    assert compiled(HEADS.format("")).classifiers
    typed = compiled(HEADS.format(", parts: 2"))
    assert not typed.classifiers
    net = module_from_source(emitted("torch", typed), "parts_in_head").Net().train()
    y = net(torch.randn(3, 6, 4, 4)).unflatten(1, (2, -1)).sum(1)
    torch.testing.assert_close(y, torch.ones(3, 3))
