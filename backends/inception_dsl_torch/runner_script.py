"""Runs the optimiser of a training script on a model, with given gradients."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

import torch

from inception_dsl.backend import Files, script_from_source

SLOTS: Final = {
    "momentum_buffer": "velocity",
    "square_avg": "mean_square",
    "exp_avg": "mean",
    "exp_avg_sq": "mean_square",
}
"""The slots of PyTorch's optimisers, by their names in the reference."""


def script_of(files: Files, model: ModuleType) -> ModuleType:
    """The training script in ``files``, which imports this very ``model``."""
    first, second, *_ = files.items()
    assert isinstance(second[1], str)
    return script_from_source(second[1], first[0].removesuffix(".py"), model)


def set_gradients(net: torch.nn.Module, given: Mapping[str, Any]) -> None:
    """Set the gradients of parameters, and the values of buffers, by their keys."""
    tensors = dict(net.named_parameters()) | dict(net.named_buffers())
    for key, value in given.items():
        tensor = tensors[key]
        new = torch.from_numpy(value).reshape(tensor.shape)
        if tensor.requires_grad:
            tensor.grad = new.clone()
        else:
            tensor.copy_(new)


def slots(net: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, dict[str, Any]]:
    """The slots of the trainable parameters by key, with the reference's names."""
    found = {}
    for key, p in net.named_parameters():
        if p.requires_grad:
            own = optimizer.state[p].items()
            arrays = {n: v for n, v in own if isinstance(v, torch.Tensor) and v.shape == p.shape}
            found[key] = {SLOTS.get(n, n): v.numpy() for n, v in arrays.items() if n != "step"}
    return found
