"""Forks that divide their channels: published blocks, compared with the frameworks and timm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
from frameworks import BACKENDS, emitted, running
from operators import declare

from inception_dsl.backend import module_from_source
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.reference.training import step
from inception_dsl.testing.conformance import Agrees, prepared

Compiled = Callable[..., TypedProgram]
CLOSE = 1e-12
# Yu et al. 2023, InceptionNeXt: When Inception Meets ConvNeXt, algorithm 1
MIXER = """\
  mixer:
    params: {width: int}
    steps:
      - branches:
          identity: []
          dwconv_hw: [{op: depthwise_conv, kernel_size: 3}]
          dwconv_w: [{op: depthwise_conv, kernel_size: [1, 11]}]
          dwconv_h: [{op: depthwise_conv, kernel_size: [11, 1]}]
        split: [rest, $width, $width, $width]
        merge: concat
"""
INCEPTION_NEXT = f"""\
network: inception_next
input: {{channels: 3, height: 24, width: 20}}
classes: 5
blocks:
{MIXER}\
  metanext:
    params: {{expansion: {{type: int, default: 4}}}}
    steps:
      - branches:
          shortcut: []
          residual:
            - {{use: mixer, width: "${{in_channels // 8}}"}}
            - {{op: batch_norm}}
            - {{op: conv, filters: "${{expansion * in_channels}}", kernel_size: 1}}
            - {{op: activation, function: gelu}}
            - {{op: conv, filters: $in_channels, kernel_size: 1}}
            - {{op: depthwise_conv, kernel_size: 1, use_bias: false, name: gamma}}
        merge: add
stem: [{{op: conv, filters: 16, kernel_size: 4, stride: 4}}, {{op: batch_norm}}]
body:
  - {{use: metanext, name: stage_1, repeat: 2}}
  - {{op: conv, filters: 24, kernel_size: 2, stride: 2, padding: valid}}
  - {{use: metanext, name: stage_2, expansion: 3}}
head: [{{op: global_avg_pool}}, {{op: dense, units: $classes}}]
training: {{}}
"""
# Wang et al. 2020, CSPNet, figure 2; inside of it, levels as in Res2Net (Gao et al. 2019): each
# part but the first goes through one convolution more
CSP = """\
network: csp
input: {channels: 3, height: 9, width: 8}
blocks:
  levels:
    params: {width: int}
    steps:
      - branches:
          first: []
          others:
            - {op: conv_bn, filters: "${in_channels - width}", kernel_size: 3}
            - branches:
                second: []
                third: [{op: conv_bn, filters: $width, kernel_size: 3}]
              split: equal
              merge: concat
        split: [$width, rest]
        merge: concat
  csp:
    params: {width: int, layers: int}
    steps:
      - branches:
          part_1: []
          part_2:
            - name: stage
              repeat: $layers
              branches: {shortcut: [], residual: [{use: levels, width: $width}]}
              merge: add
            - {op: conv, filters: $in_channels, kernel_size: 1}
        split: equal
        merge: concat
body:
  - {op: conv_bn, filters: 12, kernel_size: 3}
  - {use: csp, width: 2, layers: 2}
  - {op: conv_bn, filters: 18, kernel_size: 3, stride: 2}
  - {use: csp, name: csp_2, width: 3, layers: 1}
"""
SPECS = {"inception_next": INCEPTION_NEXT, "csp": CSP}
PAIR = "block: pair\ninput: {input}\nsteps:\n  - {{{fork}}}\n"


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_published_blocks_agree(backend: str, spec: str, write: Callable[..., Path]) -> None:
    """Outputs, gradients and a training step, in float64."""
    one = type("One", (Agrees,), {"backend": backend, "specs": ()})()
    one.agree(prepared(write(SPECS[spec]), {}))


def test_the_mixer_is_that_of_timm(compiled: Compiled) -> None:
    """The generated class has the attributes of timm's, so it takes its weights as they are."""
    declare()
    from timm.models.inception_next import InceptionDWConv2d

    text = "block: inception_next_mixer\ninput: {channels: 40, height: 13, width: 9}\n"
    typed = compiled(f"{text}blocks:\n{MIXER}steps: [{{use: mixer, width: 5}}]\n")
    theirs = InceptionDWConv2d(40).double()
    module = module_from_source(emitted("torch", typed), "inception_next_mixer_test")
    ours = module.Mixer(40, width=5).double()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 40, 13, 9, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 40, 13, 9, dtype=torch.float64)
    results = []
    for model in (ours, theirs):
        y = model(x)
        inputs = (x, *model.parameters())
        gradients = torch.autograd.grad((y * weight).sum(), inputs)
        results.append([y, *gradients])
    assert len(results[0]) == 2 + 6
    for mine, other in zip(*results, strict=True):
        assert (mine - other).abs().max() <= CLOSE

    model = running("torch", typed)
    held = model.weights()
    state = {k: v.numpy() for k, v in theirs.state_dict().items()}
    for name in held:
        branch, kind = name.split("/")[-2:]
        value = state[f"{branch}.{'weight' if kind == 'kernel' else 'bias'}"]
        held[name] = value.transpose(2, 3, 0, 1) if kind == "kernel" else value
    image = np.moveaxis(x.detach().numpy(), 1, -1)
    wanted = np.moveaxis(results[1][0].detach().numpy(), 1, -1)
    reference = interpret(typed, held, image).outputs["output"]
    assert np.abs(reference - wanted).max() <= CLOSE
    for backend in BACKENDS:
        model = running(backend, typed)
        model.load(held)
        assert np.abs(model.forward(image)["output"] - wanted).max() <= CLOSE


BRANCHES = "branches: {a: [], b: [{op: scale, value: 2}], c: []}"
FORKS = {
    "rest": f"{BRANCHES}, split: [2, rest, 3], merge: concat",
    "equal": f"{BRANCHES}, split: equal, merge: concat",
    "add": f"{BRANCHES}, split: equal, merge: add",
}
SIZES = {"rest": (2, 4, 3), "equal": (3, 3, 3), "add": (3, 3, 3)}
INPUTS = {
    1: "{channels: 9, length: 4}",
    2: "{channels: 9, height: 4, width: 3}",
    3: "{channels: 9, depth: 2, height: 3, width: 4}",
}


def merged_by(merge: str, parts: list[Any], x: Any) -> Any:
    """The merge of the parts with the framework's own operations; the second one is doubled."""
    parts[1] = parts[1] * 2
    if merge == "add":
        return sum(parts[1:], parts[0])
    return torch.cat(parts, 1) if x == "torch" else np.concatenate(parts, -1)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["rest", "equal", "add"])
def test_the_reference_is_the_split_of_the_frameworks(
    kind: str, rank: int, compiled: Compiled
) -> None:
    """Outputs and the gradient of the input: `torch.split` and autograd, and `keras.ops.split`."""
    typed = compiled(PAIR.format(input=INPUTS[rank], fork=FORKS[kind]))
    x = batch(typed, seed=3)
    torch_x = torch.tensor(np.moveaxis(x, -1, 1), requires_grad=True)
    y = merged_by(kind, list(torch.split(torch_x, SIZES[kind], dim=1)), "torch")
    targets = np.random.default_rng(1).normal(size=(len(x), *typed.y.shape))
    (y * torch.tensor(np.moveaxis(targets, -1, 1))).sum().backward()
    found = step(typed, {}, x, {"output": targets}, 0.1)
    assert np.abs(found.outputs["output"] - np.moveaxis(y.detach().numpy(), 1, -1)).max() <= CLOSE
    assert torch_x.grad is not None
    gradient = np.moveaxis(torch_x.grad.numpy(), 1, -1)
    assert np.abs(found.input_gradient - gradient).max() <= CLOSE
    ends = np.cumsum(SIZES[kind])[:-1].tolist()
    parts = [keras.ops.convert_to_numpy(part) for part in keras.ops.split(x, ends, axis=-1)]
    assert np.abs(found.outputs["output"] - merged_by(kind, parts, "keras")).max() <= CLOSE


def test_a_product_of_parts_by_hand(compiled: Compiled) -> None:
    """(1, 2, 3, 4) in halves: (1, 2) * 2 (3, 4) = (6, 16); the gradient is the other factor."""
    fork = "branches: {a: [], b: [{op: scale, value: 2}]}, split: equal, merge: multiply"
    typed = compiled(PAIR.format(input="{channels: 4, length: 1}", fork=fork))
    x = np.array([[[1.0, 2.0, 3.0, 4.0]]])
    found = step(typed, {}, x, {"output": np.ones((1, 1, 2))}, 0.1)
    assert found.outputs["output"].tolist() == [[[6.0, 16.0]]]
    assert found.input_gradient.tolist() == [[[6.0, 8.0, 2.0, 4.0]]]


def test_the_class_takes_other_arguments(compiled: Compiled) -> None:
    """The sizes are computed from the arguments of the class, as timm's are."""
    declare()
    from timm.models.inception_next import InceptionDWConv2d

    text = "block: other_mixer\ninput: {channels: 40, height: 13, width: 9}\n"
    typed = compiled(f"{text}blocks:\n{MIXER}steps: [{{use: mixer, width: 5}}]\n")
    module = module_from_source(emitted("torch", typed), "other_mixer_test")
    ours, theirs = module.Mixer(26, width=6).double(), InceptionDWConv2d(26, branch_ratio=0.25)
    ours.load_state_dict(theirs.double().state_dict())
    x = torch.randn(1, 26, 5, 7, dtype=torch.float64)
    assert (ours(x) - theirs(x)).abs().max() <= CLOSE
    scripted = torch.jit.script(ours)
    assert torch.equal(scripted(x), ours(x))
    traced = torch.fx.symbolic_trace(ours)
    assert torch.equal(traced(x), ours(x))


@pytest.mark.parametrize("spec", SPECS)
def test_models_are_saved_and_loaded_without_custom_objects(
    spec: str, compiled: Compiled, tmp_path: Path
) -> None:
    typed = compiled(SPECS[spec])
    module = module_from_source(emitted("keras", typed), f"{spec}_saved")
    model = getattr(module, spec)()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    x = batch(typed, seed=1).astype("float32")
    assert np.array_equal(model.predict(x, verbose=0), loaded.predict(x, verbose=0))


@pytest.mark.parametrize("spec", SPECS)
def test_networks_are_scripted_and_traced(spec: str, compiled: Compiled) -> None:
    typed = compiled(SPECS[spec])
    module = module_from_source(emitted("torch", typed), f"{spec}_scripted")
    name = {"inception_next": "InceptionNext", "csp": "Csp"}[spec]
    model = getattr(module, name)().eval()
    x = torch.tensor(np.moveaxis(batch(typed, seed=1), -1, 1).astype("float32"))
    for other in (torch.jit.script(model), torch.fx.symbolic_trace(model)):
        assert torch.allclose(other(x), model(x), atol=1e-6)


def test_seeded_weights_reach_every_branch(compiled: Compiled) -> None:
    """Every part of the input changes the output: no channel is lost or read twice."""
    typed = compiled(
        f"block: alone\ninput: {{channels: 16, height: 6, width: 5}}\nblocks:\n{MIXER}"
        "steps: [{use: mixer, width: 2}]\n"
    )
    weights, x = seeded(typed, seed=4), batch(typed, seed=4)
    y = interpret(typed, weights, x).outputs["output"]
    for channel in range(16):
        changed = x.copy()
        changed[..., channel] += 1
        differs = interpret(typed, weights, changed).outputs["output"] != y
        assert [*differs.any((0, 1, 2)).nonzero()[0]] == [channel]
