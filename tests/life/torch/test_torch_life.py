"""Typical use of generated PyTorch models: compile, export, copy, save, train; every network."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import inception_dsl
from inception_dsl.analysis.sizes import minimum_input
from inception_dsl.emit.names import class_name
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.verify.bounds import FLOAT32, FLOAT64, allowed, distance

SPECS = sorted((Path(__file__).parents[3] / "specs").glob("*.yaml"))
HEADED = [spec for spec in SPECS if spec.stem in ("v1", "v3")]
BATCH = {"x": {0: torch.export.Dim("batch")}}


class Life(NamedTuple):
    """A network in evaluation mode. ``x`` are three samples (N, C, H, W), ``large`` two samples of
    the size that training needs. ``found`` is the output for ``x``, ``exact`` that in float64, and
    ``rounding`` the error between them.
    """

    typed: TypedProgram
    module: ModuleType
    net: nn.Module
    x: Tensor
    large: Tensor
    found: Tensor
    exact: Tensor
    rounding: float

    def trained(self) -> nn.Module:
        """A copy in training mode."""
        return copy.deepcopy(self.net).train()


@pytest.fixture(scope="module", params=SPECS, ids=lambda spec: spec.stem)
def life(request: pytest.FixtureRequest) -> Iterator[Life]:
    network = inception_dsl.load(request.param)
    module, typed = network.module("torch"), network.typed
    torch.manual_seed(0)
    net = nudged(getattr(module, class_name(network.name))().eval())
    least, trained = minimum_input(typed)[0], minimum_input(typed, heads=True)[0]
    channels = typed.program.input.channels
    x = torch.randn(3, channels, least + 32, least + 64)
    large = torch.randn(2, channels, max(trained, least + 32), max(trained, least + 64))
    found = output(net, x)
    exact = output(copy.deepcopy(net).double(), x.double())
    rounding = apart(found, exact)
    assert apart(exact[0], exact[1]) > 100 * allowed(rounding), (
        "the outputs of different samples must differ"
    )
    yield Life(typed, module, net, x, large, found, exact, rounding)
    torch.compiler.reset()


@torch.no_grad()
def nudged(net: nn.Module) -> nn.Module:
    """Make biases, scales and statistics random, as each has one value in all channels."""
    for value in net.state_dict().values():
        if value.ndim == 1:
            value.mul_(torch.empty_like(value).uniform_(0.8, 1.2)).add_(
                torch.empty_like(value).uniform_(0, 0.1)
            )
    return net


@pytest.fixture(scope="module")
def exported(life: Life) -> torch.export.ExportedProgram:
    return torch.export.export(life.net, (life.x[:2],), dynamic_shapes=BATCH)


@torch.no_grad()
def output(net: nn.Module, x: Tensor) -> Tensor:
    return net(x)


def apart(found: Tensor, reference: Tensor) -> float:
    """The largest difference, relative to the reference's largest value."""
    return distance(found.detach().double().numpy(), reference.detach().double().numpy())


def fields(outputs: Any) -> tuple[Tensor, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)


def test_compiles_without_a_graph_break(life: Life) -> None:
    compiled = torch.compile(life.net, fullgraph=True, backend="eager")
    assert apart(output(compiled, life.x), life.found) <= FLOAT32


def test_compiles_without_a_graph_break_in_training(life: Life) -> None:
    eager, net = life.trained(), life.trained()
    compiled = torch.compile(net, fullgraph=True, backend="eager")
    results = []
    for each in (eager, compiled):
        torch.manual_seed(0)  # for dropout
        with torch.no_grad():
            results.append(each(life.large))
    assert type(results[0]) is type(results[1])
    for wanted, found in zip(*map(fields, results), strict=True):
        assert apart(found, wanted) <= FLOAT32
    for name, wanted in eager.state_dict().items():
        assert apart(net.state_dict()[name], wanted) <= FLOAT32, name


def test_exports_with_a_dynamic_batch(life: Life, exported: torch.export.ExportedProgram) -> None:
    program = exported.module()
    assert apart(output(program, life.x), life.found) <= FLOAT32
    assert apart(output(program, life.x[:1]), life.found[:1]) <= allowed(life.rounding)


def test_runs_in_onnx_runtime(life: Life, exported: torch.export.ExportedProgram) -> None:
    program = torch.onnx.export(exported, dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    for size in (1, 3):
        (found,) = session.run(None, {"x": life.x[:size].numpy()})
        assert distance(found, life.exact[:size].numpy()) <= FLOAT32


def test_channels_last(life: Life) -> None:
    net, x = (
        each.to(memory_format=torch.channels_last) for each in (copy.deepcopy(life.net), life.x)
    )
    assert apart(output(net, x), life.exact) <= allowed(life.rounding)
    assert apart(output(net.double(), x.double()), life.exact) <= FLOAT64
    with torch.no_grad():
        features = (
            net.forward_features(x.double())
            if hasattr(net, "forward_features")
            else net(x.double())
        )
    assert features.is_contiguous(memory_format=torch.channels_last)


def in_bfloat16(net: nn.Module) -> nn.Module:
    """A float64 copy that rounds to bfloat16 as autocast does: kernels, inputs and outputs."""

    def rounded(y: Tensor) -> Tensor:
        return y.to(torch.bfloat16).to(y.dtype)

    net = copy.deepcopy(net).double()
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.data = rounded(module.weight.data)
            module.register_forward_pre_hook(lambda _, x: (rounded(x[0]),))
        if not list(module.children()):
            module.register_forward_hook(lambda _, __, y: rounded(y))
    return net


def test_autocast_to_bfloat16(life: Life) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = output(life.net, life.x)
    rounding = apart(output(in_bfloat16(life.net), life.x.double()), life.exact)
    assert found.dtype == torch.bfloat16 or life.typed.program.kind == "block"
    assert apart(found, life.exact) <= 4 * rounding


def test_deep_copy_is_independent(life: Life) -> None:
    copied = copy.deepcopy(life.net)
    assert torch.equal(output(copied, life.x), life.found)
    with torch.no_grad():
        for value in copied.state_dict().values():
            value.fill_(3)
    assert torch.equal(output(life.net, life.x), life.found)
    assert not torch.equal(output(copied, life.x), life.found)


def test_loaded_state_dict_equals_the_saved_one(life: Life, tmp_path: Path) -> None:
    state = life.net.state_dict()
    save_file(state, tmp_path / "weights.safetensors")
    fresh = type(life.net)().eval()
    fresh.load_state_dict(load_file(tmp_path / "weights.safetensors"), strict=True)
    assert fresh.state_dict().keys() == state.keys()
    assert all(torch.equal(value, state[name]) for name, value in fresh.state_dict().items())
    assert torch.equal(output(fresh, life.x), life.found)


@pytest.mark.parametrize("life", HEADED, ids=lambda spec: spec.stem, indirect=True)
def test_network_without_heads_loads_weights_with_heads(life: Life) -> None:
    state, heads = life.net.state_dict(), {head.name for head, _ in life.typed.heads}
    plain = type(life.net)(aux_logits=False).eval()
    found = plain.load_state_dict(state, strict=False)
    assert not found.missing_keys
    assert {key.split(".")[0] for key in found.unexpected_keys} == heads
    assert {key for key in state if key.split(".")[0] in heads} == set(found.unexpected_keys)
    assert torch.equal(output(plain, life.x), life.found)


def test_every_parameter_has_a_gradient(life: Life) -> None:
    net = life.trained()
    outputs = net(life.large)
    loss = (
        life.module.loss(outputs, torch.tensor([3, 999]))
        if life.typed.has_loss
        else outputs.square().sum()
    )
    loss.backward()
    for name, parameter in net.named_parameters():
        if not parameter.requires_grad:  # the scale of a batch norm without scale
            assert torch.equal(parameter, life.net.get_parameter(name)), name
            continue
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name
