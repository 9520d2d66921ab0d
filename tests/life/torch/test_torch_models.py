"""Generated PyTorch models: arguments, outputs, errors, loss, initial weights."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch.nn import functional as F

import inception_dsl

ROOT = Path(__file__).parents[3]
HEADED = {
    "v1": ("GoogLeNet", ["aux1", "aux2"], [0.3, 0.3], 0.0),
    "v3": ("InceptionV3", ["aux"], [0.4], 0.1),
}


def module_of(name: str, **settings: Any) -> ModuleType:
    return inception_dsl.load(ROOT / "specs" / f"{name}.yaml", **settings).module("torch")


def written(folder: Path, text: str) -> ModuleType:
    path = folder / "spec.yaml"
    path.write_text(text)
    return inception_dsl.load(path).module("torch")


@pytest.mark.parametrize("name", HEADED)
def test_training_returns_a_named_tuple_and_evaluation_a_tensor(name: str) -> None:
    cls, heads, _, _ = HEADED[name]
    net = getattr(module_of(name), cls)(num_classes=7)
    x = torch.randn(2, 3, 299, 299) if name == "v3" else torch.randn(2, 3, 224, 224)
    outputs = net(x)
    assert outputs._fields == ("logits", *heads)
    assert all(value.shape == (2, 7) for value in outputs)
    assert isinstance(net.eval()(x), torch.Tensor)


@pytest.mark.parametrize("name", HEADED)
def test_aux_logits_false_removes_the_heads(name: str) -> None:
    cls, heads, _, _ = HEADED[name]
    net = getattr(module_of(name), cls)(num_classes=3, aux_logits=False)
    assert not [key for key in net.state_dict() if key.split(".")[0] in heads]
    assert isinstance(net.train()(torch.randn(2, 3, 96, 96)), torch.Tensor)


@pytest.mark.parametrize("name", HEADED)
def test_loss_is_the_weighted_sum_of_the_heads(name: str) -> None:
    cls, heads, shares, smoothing = HEADED[name]
    module = module_of(name)
    values = [torch.randn(4, 5) for _ in range(1 + len(heads))]
    target = torch.tensor([0, 1, 4, 2])
    terms = [F.cross_entropy(v, target, label_smoothing=smoothing) for v in values]
    expected = terms[0] + sum(s * t for s, t in zip(shares, terms[1:], strict=True))
    outputs = getattr(module, f"{cls}Outputs")(*values)
    torch.testing.assert_close(module.loss(outputs, target), expected)
    torch.testing.assert_close(module.loss(values[0], target), terms[0])


@pytest.mark.parametrize("outputs", ["", "outputs: {features: c}\n"])
def test_loss_beside_an_auxiliary_head_that_is_a_map(outputs: str, tmp_path: Path) -> None:
    """The map has no part in it, in training and in evaluation."""
    path = tmp_path / "spec.yaml"
    path.write_text(
        "network: net\ninput: {channels: 3, height: 8, width: 8}\nclasses: 4\n"
        "body: [{op: conv, name: c, filters: 8, kernel_size: 3}]\n" + outputs + "allow: [W409]\n"
        "aux_heads: {b: {after: c, loss_weight: 0.3, steps: "
        "[{op: conv, filters: 4, kernel_size: 1}]}}\n"
        "head: [{op: global_avg_pool}, {op: dense, units: $classes}]\n"
    )
    module = inception_dsl.load(path).module("torch")
    x, target = torch.randn(2, 3, 8, 8), torch.tensor([1, 3])
    for net in (module.Net(), module.Net().eval(), module.Net(aux_logits=False)):
        found = net(x)
        logits = found if isinstance(found, torch.Tensor) else found.logits
        expected = torch.nn.functional.cross_entropy(logits, target)
        assert torch.equal(module.loss(found, target), expected)


def test_loss_of_probabilities() -> None:
    module = module_of("v1_article")
    logits, target = torch.randn(3, 6, 1, 1), torch.tensor([5, 0, 2])
    found = module.loss(F.softmax(logits, dim=1), target)
    torch.testing.assert_close(found, F.cross_entropy(logits.flatten(1), target))


def test_forward_head_of_features_equals_forward() -> None:
    net = module_of("v4").InceptionV4(num_classes=4, in_channels=1).eval()
    x = torch.randn(1, 1, 110, 93)
    with torch.no_grad():
        features = net.forward_features(x)
        assert features.shape[:2] == (1, 1536)
        assert net.forward_head(features, pre_logits=True).shape == (1, 1536)
        assert torch.equal(net.forward_head(features), net(x))


def test_initial_weights_match_the_spec() -> None:
    conv = module_of("v3").InceptionV3().mixed_7c.branch_3x3_double_conv_3x3.conv.weight
    assert conv.abs().max() <= 0.2
    assert conv.std().item() == pytest.approx(0.08796, rel=0.01)  # 0.1, truncated at two deviations
    dense = module_of("v1").GoogLeNet().classifier
    assert dense.weight.abs().max() <= (6 / (1024 + 1000)) ** 0.5
    assert torch.equal(dense.bias, torch.zeros(1000))
    he = module_of("v4").InceptionV4().inception_c[0].branch_1x1.conv.weight
    assert he.std().item() == pytest.approx((2 / 1536) ** 0.5, rel=0.02)


def test_preprocess_matches_the_spec() -> None:
    pixels = torch.arange(2 * 3 * 2 * 2, dtype=torch.uint8).view(2, 3, 2, 2)
    torch.testing.assert_close(module_of("v4").preprocess(pixels), pixels / 127.5 - 1)
    expected = pixels.flip(1) - torch.tensor([104.0, 117.0, 123.0]).view(3, 1, 1)
    torch.testing.assert_close(module_of("v1").preprocess(pixels), expected)


@pytest.mark.parametrize("name", ["v1", "v3", "v4"])
def test_preprocess_takes_one_image_of_any_float_type(name: str) -> None:
    preprocess = module_of(name).preprocess
    pixels = torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8)
    batch = preprocess(pixels)
    assert batch.dtype == torch.float32
    assert torch.equal(preprocess(pixels[1]), batch[1])
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        torch.testing.assert_close(preprocess(pixels.to(dtype)), batch)
    assert preprocess(pixels.double()).dtype == torch.float64
    with pytest.raises(ValueError, match=r"expected uint8 or floats, got torch\.int64"):
        preprocess(pixels.long())
    with pytest.raises(ValueError, match=r"height, width\), got \(4, 5\)"):
        preprocess(pixels[0, 0])


def test_preprocess_of_bgr_names_other_channels() -> None:
    with pytest.raises(ValueError, match=r"expected \(\[N,\] 3, height, width\), got \(4, 5, 3\)"):
        module_of("v1").preprocess(torch.zeros(4, 5, 3))


def test_forward_features_runs_no_head_in_training() -> None:
    net = module_of("v3").InceptionV3(num_classes=2)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with torch.no_grad():
        assert net.forward_features(torch.randn(2, 3, 80, 80)).shape[1] == 2048
    after = net.state_dict()
    moved = {
        key.split(".")[0] for key, value in before.items() if not torch.equal(value, after[key])
    }
    assert "conv_1a" in moved
    assert "aux" not in moved


NAMED = """
network: named
input: {{channels: 4, height: 9, width: 8}}
body:
  - name: mixed
    merge: add
    branches:
      shortcut: []
      residual:
        - {{op: conv, name: reduce, filters: 4, kernel_size: 1, activation: relu}}
        {step}- {{op: batch_norm, name: gamma}}
  {fork}- {{op: conv, name: min, filters: 3, kernel_size: 1}}
"""
FORK = """- name: other
    merge: add
    branches: {shortcut: [], residual: [{op: conv, name: gamma, filters: 4, kernel_size: 1}]}
  """


def test_a_step_that_is_added_renames_no_other(tmp_path: Path) -> None:
    def keys(step: str, fork: str) -> set[str]:
        return {*written(tmp_path, NAMED.format(step=step, fork=fork)).Named().state_dict()}

    plain = keys("", "")
    assert {key.split(".")[0] for key in plain} == {
        "mixed_residual_reduce",
        "mixed_residual_gamma",
        "min",
    }
    step = "- {op: dropout, name: drop, rate: 0.5}\n        "
    assert keys(step, "") == plain
    assert keys("", FORK) > plain
    assert keys(step, FORK) - plain == {"other_residual_gamma.weight", "other_residual_gamma.bias"}


def test_relu_overwrites_no_value_that_others_read(tmp_path: Path) -> None:
    module = written(
        tmp_path,
        """
network: tapped
input: {channels: 3, height: 6, width: 6}
body:
  - {op: conv, name: first, filters: 4, kernel_size: 3}
  - {op: activation, function: relu}
  - {op: conv, name: second, filters: 4, kernel_size: 3}
  - {op: activation, function: relu}
  - name: fork
    merge: add
    branches:
      branch_relu: [{op: activation, function: relu}, {op: scale, value: 0.5}]
      branch_conv: [{op: conv, filters: 4, kernel_size: 3}, {op: activation, function: relu}]
outputs: {early: first}
""",
    )
    net = module.Tapped()
    x = torch.randn(2, 3, 6, 6)
    outputs = net(x)
    torch.testing.assert_close(outputs.early, net.first(x))
    assert (outputs.early < 0).any()
    sum(y.sum() for y in outputs).backward()
    assert all(p.grad is not None for p in net.parameters())


def test_named_outputs_with_an_auxiliary_head(tmp_path: Path) -> None:
    module = written(
        tmp_path,
        """
network: pyramid
input: {channels: 3, height: 16, width: 12}
classes: 5
stem: [{op: conv, name: first, filters: 4, kernel_size: 3, stride: 2}]
body: [{op: conv, name: second, filters: 6, kernel_size: 3}]
outputs: {early: first}
aux_heads:
  helper: {after: second, loss_weight: 0.5,
      steps: [{op: global_avg_pool}, {op: dense, units: $classes}]}
head: [{op: global_avg_pool}, {op: dense, name: classifier, units: $classes}]
""",
    )
    net = module.Pyramid()
    x = torch.randn(2, 3, 16, 12)
    outputs = net(x)
    assert outputs._fields == ("logits", "early", "helper")
    assert outputs.early.shape == (2, 4, 8, 6)
    target = torch.tensor([1, 2])
    expected = F.cross_entropy(outputs.logits, target) + 0.5 * F.cross_entropy(
        outputs.helper, target
    )
    torch.testing.assert_close(module.loss(outputs, target), expected)
    evaluated = net.eval()(x)
    assert evaluated._fields == ("logits", "early")
    torch.testing.assert_close(
        module.loss(evaluated, target), F.cross_entropy(evaluated.logits, target)
    )


def test_one_class_for_all_kernel_sizes(tmp_path: Path) -> None:
    module = written(
        tmp_path,
        """
network: sizes
input: {channels: 3, height: 16, width: 16}
blocks:
  unit:
    params: {filters: int, size: int, mode: {type: str, default: same}}
    steps: [{op: conv, filters: "${filters * 2}", kernel_size: $size, padding: $mode}]
body:
  - {use: unit, name: small, filters: 4, size: 3}
  - {use: unit, name: large, filters: 8, size: 5}
  - {use: unit, name: again, filters: 2, size: 3, repeat: 2}
""",
    )
    classes = [n for n, v in vars(module).items() if isinstance(v, type) and n.startswith("Unit")]
    assert classes == ["Unit"]
    assert [*inspect.signature(module.Unit).parameters] == [
        "in_channels",
        "filters",
        "size",
        "mode",
    ]
    unit = module.Unit(3, filters=2, size=7, mode="same")
    assert unit(torch.randn(1, 3, 8, 8)).shape == (1, 4, 8, 8)
    assert module.Sizes()(torch.randn(1, 3, 16, 16)).shape == (1, 4, 16, 16)


@pytest.mark.parametrize(
    ("rank", "axes"), [(1, "length: 40"), (3, "depth: 9, height: 8, width: 10")]
)
def test_1d_and_3d_networks(tmp_path: Path, rank: int, axes: str) -> None:
    module = written(
        tmp_path,
        f"""
network: solid
input: {{channels: 2, {axes}}}
classes: 4
defaults: {{batch_norm: {{scale: false}}}}
stem: [{{op: conv_bn, filters: 4, kernel_size: 3, stride: 2}}]
body:
  - name: mixed
    branches: {{branch_1x1: [{{op: conv_bn, filters: 3, kernel_size: 1}}],
        branch_pool: [{{op: max_pool, kernel_size: 3}}]}}
    merge: concat
head: [{{op: global_avg_pool}}, {{op: dense, name: classifier, units: $classes}}]
""",
    )
    sizes = [int(a.split(":")[1]) for a in axes.split(",")]
    assert module.Solid().eval()(torch.randn(2, 2, *sizes)).shape == (2, 4)
    assert len(sizes) == rank
