"""Parameters and multiply-adds of the shipped networks, as other programs count them.

They count the generated PyTorch file on the meta device: shapes without numbers.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import torchinfo
from frameworks import ROOT, emitted, shipped
from torch.utils.flop_counter import FlopCounterMode

from inception_dsl.analysis.cost import cost, layers
from inception_dsl.emit.module import module_from_source
from inception_dsl.emit.names import class_name
from inception_dsl.ir.typed import TypedOp
from inception_dsl.ir.walk import walk_program
from inception_dsl.types.weight import Weight

SPECS = sorted([*(ROOT / "specs").glob("*.yaml"), *(ROOT / "specs/family").glob("*.yaml")])


@cache
def built(path: Path) -> tuple[Any, list[Any]]:
    """The model of a spec in evaluation, and its inputs."""
    typed = shipped(path)
    module = module_from_source(emitted("torch", typed), "counted")
    with torch.device("meta"):
        model = getattr(module, class_name(typed.program.id))().eval()
        inputs = [torch.empty(1, x.channels, *x.spatial) for x in typed.program.inputs.values()]
    return model, inputs


def counted_by_torchinfo(layer: TypedOp, weight: Weight) -> int:
    """What torchinfo adds to its multiply-adds for a weight of a layer.

    It multiplies all parameters of convolutions, biases too, by the positions of the output, and
    counts those of dense layers and norms once; a batch norm without gamma has a frozen one.
    """
    name = weight.name.rpartition("/")[2]
    if name == "moving_mean":
        return 2 * weight.size
    if name in ("moving_variance", "gamma", "beta"):
        return weight.size if layer.op.op in ("layer_norm", "group_norm") else 0
    return weight.size * layer.y.positions()


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_multiply_adds(path: Path) -> None:
    """PyTorch's own counter counts operations that run, two for each multiply-add."""
    model, inputs = built(path)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        model(*inputs)
    assert counter.get_total_flops() == 2 * cost(list(layers(shipped(path)))).macs


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_parameters(path: Path) -> None:
    model, inputs = built(path)
    found = torchinfo.summary(model, input_data=inputs, mode="eval", device="meta", verbose=0)
    total = cost(list(layers(shipped(path))))
    assert found.trainable_params == total.trainable
    statistics = [b for name, b in model.named_buffers() if not name.endswith("tracked")]
    assert sum(b.numel() for b in statistics) == total.non_trainable
    run = [n for _, n in walk_program(shipped(path), heads=False) if isinstance(n, TypedOp)]
    assert found.total_mult_adds == sum(counted_by_torchinfo(n, w) for n in run for w in n.weights)
