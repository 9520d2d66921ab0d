"""Runs generated PyTorch source. The only file of this package that imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from inception_dsl.backend import TypedProgram, check_weights, module_from_source, weight_shapes

from .views import build
from .weights import bindings, boundaries


def create(typed: TypedProgram, source: str, dtype: str) -> TorchModel:
    """A model from emitted source; ``dtype`` is ``float32`` or ``float64``."""
    return TorchModel(typed, source, getattr(torch, dtype))


class TorchModel:
    """A generated network in PyTorch; see :class:`inception_dsl.backend.Model`."""

    def __init__(self, typed: TypedProgram, source: str, dtype: torch.dtype) -> None:
        self.typed, self.dtype = typed, dtype
        self.module = module_from_source(source, f"{typed.program.id}_torch")
        self.net: torch.nn.Module = getattr(self.module, build(typed).model)().to(dtype)
        self.bindings, self.shapes = bindings(typed), weight_shapes(typed)

    def weights(self) -> dict[str, Any]:
        state = self.net.state_dict()
        return {b.path: neutral(state[b.key].numpy(), b.layout, self.shapes[b.path]) for b in self.bindings}

    def load(self, weights: Mapping[str, Any]) -> None:
        check_weights(weights, self.shapes)
        state = self.net.state_dict()
        for binding in self.bindings:
            target = state[binding.key]
            value = native(np.asarray(weights[binding.path]), binding.layout)
            target.copy_(torch.from_numpy(value).reshape(target.shape))

    def parameters(self) -> tuple[int, int]:
        trainable = sum(p.numel() for p in self.net.parameters() if p.requires_grad)
        moving = sum(b.numel() for name, b in self.net.named_buffers() if not name.endswith("num_batches_tracked"))
        return trainable, moving

    def forward(self, x: Any, *, training: bool = False) -> dict[str, Any]:
        self.net.train(training)
        for module in self.net.modules():
            if isinstance(module, torch.nn.Dropout):
                module.eval()
        with torch.no_grad():
            found = self.net(self._tensor(x))
        self.net.eval()
        named = found._asdict() if hasattr(found, "_asdict") else {self.typed.program.output_name: found}
        return {name: channels_last(value) for name, value in named.items() if value is not None}

    def boundaries(self, x: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        modules = dict(self.net.named_modules())
        handles = [
            modules[key].register_forward_hook(lambda _, __, y, path=path: found.__setitem__(path, channels_last(y)))
            for path, key in boundaries(self.typed).items()
            if key in modules
        ]
        self.forward(x)
        for handle in handles:
            handle.remove()
        return found

    def _tensor(self, x: Any) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1))).to(self.dtype)


def channels_last(y: torch.Tensor) -> Any:
    array = y.detach().numpy()
    return np.moveaxis(array, 1, -1) if array.ndim > 2 else array


def native(value: Any, layout: str) -> Any:
    """From the neutral layout to PyTorch's."""
    if layout in ("conv", "linear"):
        value = np.moveaxis(value, (-1, -2), (0, 1))
    elif layout == "pointwise":
        value = value.T
    elif layout == "depthwise":
        value = np.moveaxis(value, (-2, -1), (0, 1))
        value = value.reshape(value.shape[0] * value.shape[1], 1, *value.shape[2:])
    return np.ascontiguousarray(value)


def neutral(value: Any, layout: str, shape: tuple[int, ...]) -> Any:
    """From PyTorch's layout to the neutral one, of the given shape."""
    if layout in ("conv", "linear"):
        value = np.moveaxis(value, (0, 1), (-1, -2))
    elif layout == "pointwise":
        value = value.reshape(value.shape[:2]).T
    elif layout == "depthwise":
        value = value.reshape(shape[-2], shape[-1], *shape[:-2])
        value = np.moveaxis(value, (0, 1), (-2, -1))
    return np.ascontiguousarray(value).reshape(shape)
