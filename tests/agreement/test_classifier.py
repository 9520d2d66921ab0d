"""``get_classifier``, ``reset_classifier`` and ``num_features`` of generated PyTorch classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from frameworks import ROOT, emitted, shipped, typed_program

SMALL = """\
network: small
input: {channels: 3, height: 8, width: 8}
classes: 5
blocks: {top: {params: {n: int}, steps: [{op: global_avg_pool}, {op: dense, name: fc, units: $n}]}}
body: [{op: conv_bn, name: first, filters: 6, kernel_size: 3}]
"""
AUX = """\
aux_heads: {aux: {after: first, loss_weight: 0.3, steps: [{use: top, n: $classes}]}}
"""
HEADS = {
    "plain": "head: [{op: global_avg_pool}, {op: dense, name: fc, units: $classes}]",
    "no bias": "head: [{op: global_avg_pool}, {op: dense, units: $classes, use_bias: false}]",
    "block": "head: [{use: top, name: end, n: $classes}]",
    "softmax": "head: [{op: flatten}, {op: dense, units: $classes, activation: softmax}]\n"
    "training: {label_smoothing: 0.1}",
    "auxiliary": f"{AUX}head: [{{use: top, n: $classes}}]",
    "own name": "head: [{op: global_avg_pool}, {op: dense, name: num_features, units: $classes}]",
}


def model(text: str, name: str = "Small") -> Any:
    """A model of a generated file."""
    scope: dict[str, Any] = {"__name__": "generated"}
    exec(compile(text, "generated.py", "exec"), scope)
    return scope[name]()


def logits(found: Any) -> torch.Tensor:
    return found if isinstance(found, torch.Tensor) else found[0]


@pytest.fixture(params=HEADS)
def net(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL + HEADS[request.param])
    return model(emitted("torch", typed_program(path)))


def test_the_last_layer_is_replaced(net: Any) -> None:
    """With the type and the device of the model, and trained as part of it."""
    x = torch.randn(2, 3, 8, 8)
    old = net.get_classifier()
    assert isinstance(old, torch.nn.Linear)
    assert (net.num_classes, old.out_features, net.num_features) == (5, 5, old.in_features)
    net.half()
    for classes in (7, 0, 3):
        net.reset_classifier(classes)
        new = net.get_classifier()
        assert net.num_classes == classes
        assert new is not old
        assert isinstance(new, torch.nn.Linear if classes else torch.nn.Identity)
        assert {p.dtype for p in net.parameters()} == {torch.float16}
        net.float().eval()
        assert logits(net(x)).shape == (2, classes or net.num_features)
        if isinstance(new, torch.nn.Linear):
            assert (new.bias is None) == (old.bias is None)
            net.train()
            every = net(x)
            outputs = [every] if isinstance(every, torch.Tensor) else list(every)
            assert {y.shape for y in outputs} == {(2, classes)}
            sum(y.square().sum() for y in outputs).backward()  # type: ignore[union-attr]
            assert new.weight.grad is not None
        net.half()


def test_the_rest_is_unchanged(net: Any) -> None:
    before = {k: v.clone() for k, v in net.state_dict().items()}
    new = {id(p) for p in net.get_classifier().parameters()}
    named = {k for k, p in net.named_parameters() if id(p) in new}
    net.reset_classifier(5)
    after = net.state_dict()
    assert before.keys() == after.keys()
    same = {k for k in before if torch.equal(before[k], after[k])}
    changed = {k for k in before if k not in same}
    assert named <= changed
    assert all(k.split(".")[0] in {"aux", *(n.split(".")[0] for n in named)} for k in changed)


@pytest.mark.parametrize("name", ["v1", "v3", "v4"])
def test_shipped_networks(name: str) -> None:
    """Those of the meta device: no memory is used."""
    typed = shipped(ROOT / "specs" / f"{name}.yaml")
    with torch.device("meta"):
        class_name = {"v1": "GoogLeNet", "v3": "InceptionV3", "v4": "InceptionV4"}[name]
        net = model(emitted("torch", typed), class_name)
        net.reset_classifier(10)
    linear = [m for m in net.modules() if isinstance(m, torch.nn.Linear)]
    heads = {"v1": 3, "v3": 2, "v4": 1}[name]
    assert sum(m.out_features == 10 for m in linear) == heads
    assert all(m.out_features != 1000 for m in linear)
    assert {m.weight.device.type for m in linear} == {"meta"}


def test_no_methods_without_classes(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    for head in ("", "head: [{op: global_avg_pool}, {op: dense, units: 5}]"):
        path.write_text(f"{SMALL}{head}\n")
        assert "classifier(" not in emitted("torch", typed_program(path))
