"""Outputs with steps and losses of their own, in training and in inference."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from frameworks import BACKENDS
from offered_network import case_of, problem, source
from torch.nn import functional as F

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.emit.module import module_from_source
from inception_dsl.reference.training import LOSSES, classified
from inception_dsl.verify.bounds import distance
from inception_dsl.verify.case import expect

NETWORK = """\
network: multi
input: {channels: 3, height: 17, width: 15}
classes: 5
training: {label_smoothing: 0.1}
stem: [{op: conv_bn, name: first, filters: 4, kernel_size: 3}]
body:
  - {op: conv_bn, name: second, filters: 6, kernel_size: 3, stride: 2}
  - {op: conv_bn, name: third, filters: 6, kernel_size: 3, padding: same}
AUXILIARY
head:
  [{op: global_avg_pool, name: pool}, {op: dropout, rate: 0.3}, {op: dense, units: $classes}LAST]
outputs:
  early: first
  age:
    after: third
    loss: mean_squared_error
    loss_weight: 0.5
    steps: [{op: global_max_pool}, {op: dense, units: 1}]
  sex: {after: pool, loss: binary_cross_entropy, steps: [{op: dense, units: 1}]}
  parts:
    after: second
    loss: cross_entropy
    loss_weight: 0.25
    steps: [{op: conv_bn, filters: 4, kernel_size: 1}, {op: conv, filters: 3, kernel_size: 1}]
  embedding: {after: second, steps: [{use: embed, units: 7}]}
  kind:
    after: first
    loss: cross_entropy
    steps: [{op: global_avg_pool}, {op: dense, units: $classes}]
blocks:
  embed: {params: {units: int}, steps: [{op: global_avg_pool}, {op: dense, units: $units}]}
"""
AUXILIARY = (
    "aux_heads: {aux: {after: first, loss_weight: 0.3, "
    "steps: [{op: global_avg_pool}, {op: dense, units: $classes}]}}"
)
SOFTMAX = ", {op: activation, function: softmax}"
VARIANTS = {
    "plain": ("", ""),
    "with an auxiliary head": (AUXILIARY, ""),
    "by logits": ("", SOFTMAX),
    "by logits, with an auxiliary head": (AUXILIARY, SOFTMAX),
}
FEATURES = """\
network: multi
input: {channels: 3, height: 17, width: 15}
body:
  - {op: conv_bn, name: second, filters: 6, kernel_size: 3, stride: 2}
  - {op: conv, name: map, filters: 2, kernel_size: 1}
outputs:
  features: second
  map_copy: {after: map, loss: binary_cross_entropy}
  mask:
    after: second
    loss: cross_entropy
    steps:
      - {op: conv, filters: 3, kernel_size: 1}
      - {op: upsample, factor: 2, method: linear}
  age: {after: map, loss: mean_squared_error, steps: [{op: global_avg_pool}, {op: dense, units: 3}]}
"""


def written(name: str, folder: Path) -> Path:
    path = folder / "multi.yaml"
    text = FEATURES
    if name in VARIANTS:
        heads, last = VARIANTS[name]
        text = NETWORK.replace("AUXILIARY\n", f"{heads}\n" if heads else "").replace("LAST", last)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", [*VARIANTS, "without a classifier"])
def test_outputs_and_their_losses_agree(name: str, backend: str, tmp_path: Path) -> None:
    spec = written(name, tmp_path)
    case = case_of(spec)
    assert problem(spec, backend, source(spec, backend), case, expect(case, train=True)) == ""


DEFECTS = [
    ("torch", "age = self.age(x)", "age = self.age(second)[:, :1] * 0 + self.age(x) * 1.001"),
    ("torch", "sex = self.sex(pool)", "sex = self.sex(pool).sigmoid()"),
    ("torch", "return x, pool", "return x, self.dropout(pool)"),
    ("torch", "parts = self.parts(second)", "parts = self.parts(second.detach())"),
    (
        "torch",
        "kind = self.kind(early)",
        "kind = self.kind(early) if self.training else None",
    ),
    ("torch", "total + 0.5 * F.mse_loss", "total + F.mse_loss"),
    ("torch", "F.mse_loss", "F.l1_loss"),
    ("torch", "F.binary_cross_entropy_with_logits", "F.mse_loss"),
    ("torch", "0.25 * F.cross_entropy", "0.25 * 72 * F.cross_entropy"),
    ("torch", "outputs.kind, kind_target", "outputs.kind, target"),
    ("torch", "outputs.kind, kind_target, label_smoothing=0.1", "outputs.kind, kind_target"),
    ("keras", '"age": 0.5', '"age": 1.0'),
    ("keras", '"age": keras.losses.mean_squared_error', '"age": keras.losses.mean_absolute_error'),
    ("keras", "from_logits=True)\n\n\nLOSSES", "from_logits=False)\n\n\nLOSSES"),
    ("keras", '"parts": cross_entropy', '"parts": lambda t, y: 1.1 * cross_entropy(t, y)'),
    ("keras", "age = age_head(third", "age = age_head(second"),
    ("keras", '"age": age,\n            "sex": sex', '"age": sex,\n            "sex": age'),
    ("keras", "embedding = embed(second", "embedding = embed(third"),
]


@pytest.mark.parametrize(("backend", "old", "new"), DEFECTS)
def test_defects_are_found(backend: str, old: str, new: str, tmp_path: Path) -> None:
    spec = written("plain", tmp_path)
    case = case_of(spec)
    text = source(spec, backend)
    assert old in text
    found = problem(spec, backend, text.replace(old, new), case, expect(case, train=True))
    assert found
    assert not re.match(r"\w+(Error|Exception)\b", found), "the file must run"


def test_keras_trains_by_the_losses_that_are_judged(tmp_path: Path) -> None:
    """``compile`` and ``evaluate`` as the docstring says give the ``loss`` of the file."""
    import keras

    spec = written("with an auxiliary head", tmp_path)
    module = module_from_source(source(spec, "keras"), "multi")
    model = module.multi(aux_logits=True)
    model.compile(optimizer="sgd", loss=module.LOSSES, loss_weights=module.LOSS_WEIGHTS)
    rng = np.random.default_rng(1)
    x, classes = rng.normal(size=(4, 17, 15, 3)).astype("float32"), np.arange(4)
    targets = {
        "logits": classes,
        "aux": classes,
        "kind": classes,
        "age": rng.normal(size=4),
        "sex": np.array([0, 1, 1, 0]),
        "parts": rng.integers(3, size=(4, 9, 8)),
    }
    assert targets.keys() == module.LOSSES.keys()
    outputs = model(x, training=False)
    wanted = float(keras.ops.convert_to_numpy(module.loss(targets, outputs)))
    found = model.evaluate(x, targets, verbose=0, return_dict=True)["loss"]
    assert found == pytest.approx(wanted, rel=1e-5)
    before = [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]
    model.fit(x, targets, epochs=1, verbose=0)
    after = [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]
    moved = sum(not np.array_equal(old, new) for old, new in zip(before, after, strict=True))
    untrained = 2  # kernel and bias of the embedding, which has no loss
    assert moved == len(before) - untrained


def test_losses_are_those_of_pytorch() -> None:
    rng = np.random.default_rng(0)
    y, t = 30 * rng.normal(size=(4, 3, 2)), rng.uniform(size=(4, 3, 2))
    classes = rng.integers(2, size=(4, 3))
    own = {
        "binary_cross_entropy": F.binary_cross_entropy_with_logits,
        "mean_squared_error": F.mse_loss,
    }
    for kind, function in own.items():
        given = torch.from_numpy(y).requires_grad_()
        wanted = function(given, torch.from_numpy(t))
        wanted.backward()
        value, gradient = LOSSES[kind](y, t)
        assert distance(value, wanted.item()) <= 1e-14
        assert distance(gradient, given.grad.numpy()) <= 1e-14
    given = torch.from_numpy(y).requires_grad_()
    wanted = F.cross_entropy(given.movedim(-1, 1), torch.from_numpy(classes), label_smoothing=0.2)
    wanted.backward()
    value, gradient = classified(y, classes, 0.2)
    assert distance(value, wanted.item()) <= 1e-14
    assert distance(gradient, given.grad.numpy()) <= 1e-14


def test_labels_without_an_axis_for_one_channel(tmp_path: Path) -> None:
    """As data sets have them: PyTorch would compare each label with each output."""
    module = module_from_source(source(written("plain", tmp_path), "torch"), "multi")
    model = module.Multi().eval()
    outputs = model(torch.randn(4, 3, 17, 15))
    classes, ages, sexes = torch.tensor([0, 1, 2, 3]), torch.rand(4), torch.tensor([0.0, 1, 1, 0])
    parts = torch.zeros(4, *outputs.parts.shape[2:], dtype=torch.int64)
    found = [
        module.loss(outputs, classes, age, sex, parts, classes)
        for age, sex in ((ages, sexes), (ages[:, None], sexes[:, None]))
    ]
    assert torch.equal(*found)
    with pytest.raises(RuntimeError):
        module.loss(outputs, classes, ages[:3], sexes, parts, classes)


def test_features_run_no_head(tmp_path: Path) -> None:
    module = module_from_source(source(written("plain", tmp_path), "torch"), "multi")
    model = module.Multi().train()
    ran: list[str] = []
    for name in ("age", "sex", "parts", "embedding", "kind"):
        model.get_submodule(name).register_forward_hook(lambda *_, name=name: ran.append(name))
    model.forward_features(torch.randn(2, 3, 17, 15))
    assert not ran
    model(torch.randn(2, 3, 17, 15))
    assert sorted(ran) == ["age", "embedding", "kind", "parts", "sex"]


def test_the_classes_of_all_heads_are_reset(tmp_path: Path) -> None:
    module = module_from_source(source(written("plain", tmp_path), "torch"), "multi")
    model = module.Multi().eval()
    model.reset_classifier(9)
    outputs = model(torch.randn(2, 3, 17, 15))
    assert outputs.logits.shape == outputs.kind.shape == (2, 9)
    assert outputs.parts.shape[1] == 3


def test_a_map_whose_output_has_a_loss_is_not_warned_of(tmp_path: Path) -> None:
    """Only a map without one is."""
    spec = tmp_path / "masks.yaml"
    text = (
        "network: masks\ninput: {channels: 3, height: 16, width: 16}\nclasses: 4\nTRAINING"
        "head: [{op: conv, name: last, filters: $classes, kernel_size: 1}]\n"
        "outputs: {mask: {after: last, loss: cross_entropy}}\n"
    )
    for training in ("", "training: {label_smoothing: 0.1}\n"):
        report = Report()
        spec.write_text(text.replace("TRAINING", training))
        typed = compile_spec(spec, {}, report)
        assert typed is not None
        assert typed.targets == ("mask",)
        assert not list(report), report.render()
    report = Report()
    spec.write_text(text.replace("TRAINING", training).partition("outputs")[0])
    compile_spec(spec, {}, report)
    assert [warning.code for warning in report] == ["W409"]


def test_the_classes_of_a_layer_that_an_output_reads_stay(tmp_path: Path) -> None:
    """A new last layer would not fit that output."""
    spec = tmp_path / "read.yaml"
    spec.write_text(
        "network: read\ninput: {channels: 3, height: 8, width: 8}\nclasses: 4\n"
        "head: [{op: global_avg_pool}, {op: dense, name: fc, units: $classes}]\n"
        "outputs: {age: {after: fc, steps: [{op: dense, units: 2}]}}\n"
    )
    assert "reset_classifier" not in source(spec, "torch")
    spec.write_text(spec.read_text(encoding="utf-8").partition("outputs")[0])
    assert "reset_classifier" in source(spec, "torch")


def test_lines_with_many_outputs_are_broken(tmp_path: Path) -> None:
    names = [f"a_step_with_a_long_name_{i}" for i in range(6)]
    steps = ", ".join(f"{{op: conv, name: {name}, filters: 4, kernel_size: 1}}" for name in names)
    spec = tmp_path / "many.yaml"
    spec.write_text(
        f"network: many\ninput: {{channels: 3, height: 8, width: 8}}\nbody: [{steps}]\n"
        f"outputs: {{{', '.join(f'out_{name}: {name}' for name in names)}}}\n"
    )
    text = source(spec, "torch")
    assert max(map(len, text.splitlines())) <= 88
    call = [sys.executable, "-m", "ruff", "format", "--check", "--isolated", "-"]
    done = subprocess.run(call, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_rate_of_zero_drops_nothing(tmp_path: Path) -> None:
    """As the first block of a network with stochastic depth has it."""
    spec = tmp_path / "zero.yaml"
    spec.write_text(
        "network: zero\ninput: {channels: 3, height: 8, width: 7}\nclasses: 4\n"
        "body: [{op: conv, filters: 4, kernel_size: 3}, {op: dropout, rate: 0, per: sample}]\n"
        "head: [{op: global_avg_pool}, {op: dense, units: $classes}]\n"
    )
    case, text = case_of(spec), source(spec, "torch")
    expected = expect(case, train=True)
    assert problem(spec, "torch", text, case, expected) == ""
    assert "expected the rate 0" in problem(
        spec, "torch", text.replace("DropPath(0.0)", "DropPath(0.5)"), case, expected
    )
