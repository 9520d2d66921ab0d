"""Outputs of steps in the head, such as an embedding before the classifier."""

from __future__ import annotations

from pathlib import Path

import pytest
from frameworks import BACKENDS
from offered_network import case_of, problem, source

from inception_dsl.verify.case import expect

NETWORK = """\
network: net
input: {channels: 3, height: 17, width: 15}
classes: 5
stem: [{op: conv_bn, name: conv_1, filters: 4, kernel_size: 3}]
body: [{op: conv_bn, name: conv_2, filters: 6, kernel_size: 3, stride: 2}]
HEADS
head:
  - {op: global_avg_pool, name: pool}
  - {op: dense, name: bottleneck, units: 7}
  - {op: activation, function: relu, name: act}
  - {op: dropout, rate: 0.3}
  - {op: dense, name: classifier, units: $classes}LAST
outputs: {OUTPUTS}
training: {label_smoothing: 0.1}
"""
AUX = (
    "aux_heads: {aux: {after: conv_1, loss_weight: 0.3, "
    "steps: [{op: global_avg_pool}, {op: dense, units: $classes}]}}"
)
NETWORKS = {
    "an embedding": ("", "", "embedding: bottleneck"),
    "steps of all sections, with an auxiliary head": (
        AUX,
        "",
        "early: conv_1, embedding: bottleneck, pooled: pool, active: act",
    ),
    "the last step": ("", "", "copy: classifier, embedding: bottleneck"),
    "logits before a softmax": (
        AUX,
        "\n  - {op: activation, function: softmax}",
        "scores: classifier, early: conv_2",
    ),
}


def written(name: str, folder: Path) -> Path:
    heads, last, outputs = NETWORKS[name]
    path = folder / "net.yaml"
    text = NETWORK.replace("HEADS\n", f"{heads}\n" if heads else "").replace("LAST", last)
    path.write_text(text.replace("OUTPUTS", outputs), encoding="utf-8")
    return path


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_of_the_head_are_right(name: str, backend: str, tmp_path: Path) -> None:
    spec = written(name, tmp_path)
    case = case_of(spec)
    assert problem(spec, backend, source(spec, backend), case, expect(case, train=True)) == ""


@pytest.mark.parametrize(
    ("backend", "old", "new"),
    [
        ("torch", "return x, embedding", "return x, x"),
        ("torch", "embedding = x\n        x = F.relu(x)", "x = F.relu(x)\n        embedding = x"),
        ("torch", "self._forward_head(x, pre_logits)[0]", "self._forward_head(x)[0]"),
        ("keras", '"embedding": bottleneck', '"embedding": logits'),
    ],
)
def test_wrong_outputs_are_found(backend: str, old: str, new: str, tmp_path: Path) -> None:
    spec = written("an embedding", tmp_path)
    case = case_of(spec)
    text = source(spec, backend)
    assert old in text
    assert problem(spec, backend, text.replace(old, new), case, expect(case, train=True))
