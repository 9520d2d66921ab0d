"""Generated PyTorch models that end in a softmax: what they are trained by."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch.nn import functional as F

import inception_dsl

ROOT = Path(__file__).parents[3]


def written(folder: Path, text: str) -> ModuleType:
    path = folder / "spec.yaml"
    path.write_text(text)
    return inception_dsl.load(path).module("torch")


def test_training_by_logits(tmp_path: Path) -> None:
    """A softmax at the end: the loss has a gradient where probabilities are rounded to 0."""
    module = written(
        tmp_path,
        """
network: soft
input: {channels: 3, height: 8, width: 8}
classes: 4
blocks: {end: {steps: [{op: dense, name: fc, units: 4, activation: softmax}]}}
body: [{op: conv, name: c, filters: 4, kernel_size: 3}]
head: [{op: global_avg_pool}, {use: end}]
aux_heads: {side: {after: c, loss_weight: 0.5, steps: [{op: global_avg_pool}, {use: end}]}}
training: {label_smoothing: 0.1}
""",
    )
    net, x, target = module.Soft(), torch.randn(2, 3, 8, 8), torch.tensor([1, 2])
    with torch.no_grad():
        net.end.fc.bias.copy_(torch.tensor([300.0, 0, 0, 0]))
    outputs = net(x)
    assert outputs._fields == ("probabilities", "side", "logits", "side_logits")
    torch.testing.assert_close(outputs.probabilities, F.softmax(outputs.logits, dim=1))
    assert outputs.probabilities[0, 1] == 0
    loss = module.loss(outputs, target)
    terms = [F.cross_entropy(y, target, label_smoothing=0.1) for y in outputs[2:]]
    torch.testing.assert_close(loss, terms[0] + 0.5 * terms[1])
    loss.backward()
    assert net.end.fc.bias.grad[1] < -0.1
    evaluated = net.eval()(x)
    torch.testing.assert_close(evaluated, outputs.probabilities.detach())
    alone = module.Soft(aux_logits=False)
    found = alone(x)
    assert (found.side, found.side_logits) == (None, None)
    expected = F.cross_entropy(found.logits, target, label_smoothing=0.1)
    torch.testing.assert_close(module.loss(found, target), expected)
    torch.testing.assert_close(module.loss(alone.eval()(x), target), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_loss_of_probabilities_is_finite_in_every_type(dtype: torch.dtype) -> None:
    """For validation: its gradient is finite, too."""
    module = inception_dsl.load(ROOT / "specs" / "v1_article.yaml").module("torch")
    logits = torch.tensor([[[[90.0]], [[0.0]]]], dtype=dtype, requires_grad=True)
    loss = module.loss(F.softmax(logits, dim=1), torch.tensor([1]))
    loss.backward()
    assert loss.isfinite() and logits.grad.isfinite().all()
