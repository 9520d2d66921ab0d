"""Tools that walk, trace, rewrite, copy or freeze models: they find what they expect."""

from __future__ import annotations

import contextlib
import copy
import gc
import io
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import operators
import pytest
import torch
from paths import PUBLISHED
from torch import Tensor, nn
from torch.ao.quantization import fuse_modules, get_default_qconfig_mapping
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.utils import parametrize, prune

import inception_dsl
from inception_dsl.analysis.sizes import minimum_input
from inception_dsl.emit.names import class_name

operators.declare()

import timm.optim  # noqa: E402
import timm.utils  # noqa: E402
from torchvision.models.feature_extraction import create_feature_extractor  # noqa: E402

SPECS = sorted((Path(__file__).parents[3] / "specs").glob("*.yaml"))
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
LAYERS = (*CONVOLUTIONS, nn.Linear)
NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm)
SMALL = """
network: small
input: {channels: 3, height: 19, width: 16}
classes: 5
blocks:
  unit:
    params: {function: str, scale: bool}
    steps:
      - op: conv_bn
        filters: 4
        kernel_size: 3
        batch_norm: {scale: $scale}
        activation: $function
      - {op: batch_norm, name: plain, scale: false, center: false}
      - {op: activation, name: act, function: softmax}
stem:
  - {op: conv_bn, filters: 4, kernel_size: 3, stride: 2, batch_norm: {scale: false}}
  - {op: max_pool, kernel_size: 3, stride: 2, padding: same}
body:
  - {use: unit, name: first, function: relu, scale: false}
  - {use: unit, name: second, function: softmax, scale: true}
  - {use: unit, name: third, function: none, scale: true}
  - {op: separable_conv, name: separable, filters: 6, kernel_size: 3, activation: gelu}
  - {op: group_norm, name: grouped, groups: 2, scale: false}
  - {op: layer_norm, name: layered, center: false}
  - name: fork
    merge: concat
    branches:
      branch_pool: [{op: avg_pool, kernel_size: 3, stride: 1, padding: same}]
      branch_conv:
        - {op: conv, name: inner, filters: 3, kernel_size: 3, activation: relu}
        - {op: batch_norm, name: max, scale: false}
        - {op: activation, function: relu}
aux_heads:
  aux:
    after: second
    loss_weight: 0.4
    steps: [{op: global_avg_pool}, {op: batch_norm, scale: false}, {op: dense, units: $classes}]
head:
  - {op: global_avg_pool}
  - {op: dropout, rate: 0.5}
  - {op: dense, name: classifier, units: $classes}
training: {initializer: {name: he_normal}}
"""


class Built(NamedTuple):
    """A network in evaluation mode; ``y`` is its output for ``x`` (N, C, H, W)."""

    module: ModuleType
    net: nn.Module
    x: Tensor
    y: Tensor

    def copy(self) -> nn.Module:
        return copy.deepcopy(self.net)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """One thread: most of the time goes to tracing."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def sizes_of(path: Any, network: inception_dsl.Network) -> list[int]:
    """Small sizes that fit: pools that round up and strides that round down do not always."""
    for more in range(16, 64):
        sizes = [size + more for size in minimum_input(network.typed, heads=True)]
        text = "x".join(map(str, [*sizes, network.typed.program.input.channels]))
        with contextlib.suppress(inception_dsl.SpecError), warnings.catch_warnings(action="ignore"):
            inception_dsl.load(path, input=text)
            return sizes
    raise AssertionError


@pytest.fixture(scope="module", params=["small", *SPECS, *PUBLISHED], ids=str)
def built(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Built]:
    path = request.param
    if path == "small":
        path = tmp_path_factory.mktemp("spec") / "small.yaml"
        path.write_text(SMALL)
    network = inception_dsl.load(path)
    module = network.module("torch")
    sys.modules[module.__name__] = module  # as if it were imported from a file, for pickle
    torch.manual_seed(0)
    net = getattr(module, class_name(network.name))().eval()
    with torch.no_grad():
        for value in net.parameters():
            if value.ndim == 1 and value.requires_grad:
                value.add_(torch.empty_like(value).uniform_(0.1, 0.3))
    sizes = sizes_of(path, network)
    x = torch.randn(2, network.typed.program.input.channels, *sizes)
    with torch.no_grad():
        yield Built(module, net, x, net(x))
    del sys.modules[module.__name__]
    torch.compiler.reset()


def agree(net: Callable[[Tensor], Any], built: Built, tolerance: float = 1e-5) -> None:
    """The output of a rewritten network in evaluation equals that of the original."""
    with torch.no_grad():
        error = (net(built.x) - built.y).abs().max()
    assert error <= tolerance * built.y.abs().max()


def norms(net: nn.Module) -> int:
    """The number of batch norms that are left."""
    return sum(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in net.modules())


def count(net: nn.Module) -> int:
    """The number of trainable parameters."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def test_sync_batch_norm_keeps_every_parameter(built: Built) -> None:
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(built.copy())
    assert converted.state_dict().keys() == built.net.state_dict().keys()
    assert count(converted) == count(built.net)
    agree(converted, built)


def test_fx_traces_both_modes(built: Built) -> None:
    agree(torch.fx.symbolic_trace(built.copy()), built)
    trained = built.copy().train()
    traced = torch.fx.symbolic_trace(copy.deepcopy(trained))
    results = []
    for net in (trained, traced):
        torch.manual_seed(0)
        found = net(built.x)
        results.append(found if isinstance(found, tuple) else (found,))
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_script_runs_both_modes(built: Built) -> None:
    scripted = torch.jit.script(built.copy())
    agree(scripted, built)
    trained = scripted.train()(built.x)
    eager = built.copy().train()(built.x)
    assert len(trained) == len(eager)


def test_jit_trace(built: Built) -> None:
    agree(torch.jit.trace(built.copy(), built.x), built)


def test_quantisation_fuses_what_it_finds_and_runs(built: Built) -> None:
    mapping = get_default_qconfig_mapping("x86")
    prepared = prepare_fx(built.copy(), mapping, (built.x,))
    units = [m for m in built.net.modules() if type(getattr(m, "conv", None)) in CONVOLUTIONS]
    assert norms(prepared) <= norms(built.net) - len([m for m in units if hasattr(m, "bn")])
    agree(prepared, built)
    converted = convert_fx(prepared)  # scales are those of the one batch
    assert any("quantized" in type(module).__module__ for module in converted.modules())
    with torch.no_grad():
        found = converted(built.x)
    assert found.shape == built.y.shape
    softmax = built.y.min() >= 0 and torch.allclose(built.y.sum(1), torch.ones(len(built.y)))
    if not softmax:  # 1000 probabilities are below one step of eight bits
        assert (found - built.y).abs().max() <= 0.25 * built.y.abs().max()


def test_parameters_group_for_weight_decay(built: Built) -> None:
    """By type and name of modules, and by the number of axes, as timm does it."""
    kernels, others = list[nn.Parameter](), list[nn.Parameter]()
    for module in built.net.modules():
        for name, value in module.named_parameters(recurse=False):
            plain = isinstance(module, NORMS) or name == "bias"
            (others if plain else kernels).append(value)
    trained = [value for value in built.net.parameters() if value.requires_grad]
    assert {*map(id, kernels), *map(id, others)} == {*map(id, built.net.parameters())}
    assert {id(v) for v in trained if v.ndim > 1} == {id(v) for v in kernels if v.requires_grad}
    for module in (m for m in built.net.modules() if isinstance(m, LAYERS)):
        assert any(module.weight is value for value in kernels)
    found = timm.optim.param_groups_weight_decay(built.net, weight_decay=1e-4)
    groups = {group["weight_decay"]: {*map(id, group["params"])} for group in found}
    assert groups[1e-4] == {id(value) for value in kernels if value.requires_grad}
    assert groups.get(0.0, set()) == {id(value) for value in others if value.requires_grad}


def test_eager_fusion(built: Built) -> None:
    net, fused = built.copy(), 0
    for module in [*net.modules()]:
        names = [name for name, _ in module.named_children()]
        if names[:2] == ["conv", "bn"] and type(module.conv) in CONVOLUTIONS:
            fuse_modules(module, names[: 3 if names[2:] == ["relu"] else 2], inplace=True)
            fused += 1
    assert norms(net) == norms(built.net) - fused
    agree(net, built)


def test_pickle_save_and_copy(built: Built) -> None:
    agree(pickle.loads(pickle.dumps(built.net)), built)
    file = io.BytesIO()
    torch.save(built.net, file)
    file.seek(0)
    agree(torch.load(file, weights_only=False), built)
    agree(built.copy(), built)


def test_freezing_keeps_the_output(built: Built) -> None:
    net = built.copy()
    timm.utils.freeze(net)
    assert not count(net)
    agree(net, built)


def test_features_of_every_block(built: Built) -> None:
    names = [n for n, m in built.net.named_children() if [*m.parameters()] and "aux" not in n]
    found = create_feature_extractor(built.copy(), names)(built.x)
    seen: dict[str, Tensor] = {}
    net = built.copy()
    for name in names:
        getattr(net, name).register_forward_hook(
            lambda _, __, y, name=name: seen.__setitem__(name, y)
        )
    net(built.x)
    assert found.keys() == seen.keys()
    for name, value in found.items():
        torch.testing.assert_close(value, seen[name])


def test_meta_then_reset_sets_everything(built: Built) -> None:
    with torch.device("meta"):
        net = type(built.net)()
    net = net.to_empty(device="cpu")
    for value in [*net.parameters(), *net.buffers()]:
        value.data.fill_(7)
    for module in net.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    left = [n for n, v in net.state_dict().items() if bool((v == 7).all())]
    assert not left
    fresh = type(built.net)()
    for (name, a), (_, b) in zip(fresh.state_dict().items(), net.state_dict().items(), strict=True):
        if a.ndim == 1 and ".bn." in name:
            assert torch.equal(a, b), name


def test_parametrize_and_prune(built: Built) -> None:
    net = built.copy()
    first = next(m for m in net.modules() if isinstance(m, nn.Conv2d))
    prune.l1_unstructured(first, "weight", amount=0.0)
    prune.remove(first, "weight")
    parametrize.register_parametrization(first, "weight", nn.Identity())
    agree(net, built)


@pytest.mark.parametrize("share", [nn.parallel.DistributedDataParallel, fully_shard])
def test_distributed_training_step(
    share: Callable[[nn.Module], nn.Module], built: Built, tmp_path: Path
) -> None:
    """The gradients of copies (DDP) and of shards (FSDP2) are those of the network."""

    def gradients(net: nn.Module) -> list[Tensor]:
        torch.manual_seed(0)
        with torch.enable_grad():
            outputs = net(built.x)
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            sum(y.square().mean() for y in outputs).backward()
        found = [p.grad for p in net.parameters() if p.requires_grad]
        assert all(g is not None for g in found)
        return [g.full_tensor() if isinstance(g, DTensor) else g for g in found]

    right = gradients(built.copy().train())
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1
    )
    try:
        found = gradients(share(built.copy().train()))
    finally:
        torch.distributed.destroy_process_group()
    torch.testing.assert_close(found, right)
    del right, found
    gc.collect()  # hooks of FSDP2 refer to their module
