"""The keys and the memory layouts of weights in published files.

There are two kinds of files: state dicts of PyTorch (``conv1.weight``, channels first) and files of
layers as Keras has them (``conv1/kernel``, channels last).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from ..analysis.weights import flattened
from ..ir.typed import TypedOp, TypedProgram
from ..ir.walk import walk_program
from ..ops import Composite, Dense, DepthwiseConv, Op, Scale, SeparableConv
from ..passes.layer_names import Name, published_names

Kind: TypeAlias = Literal["state", "layers"]
Sizes: TypeAlias = tuple[int, ...]

STATE: Final = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
SEPARABLE: Final = {
    "depthwise/kernel": "depthwise_kernel",
    "pointwise/kernel": "pointwise_kernel",
    "pointwise/bias": "bias",
}
"""The weights of a separable convolution in files of layers, where it is one layer."""
OF_LAYERS: Final = frozenset({*STATE, *SEPARABLE.values(), "weights"} - {"bias"})
OF_STATES: Final = frozenset({"weight", "running_mean"})
"""State dicts may have parameters called ``gamma``, too; files of layers have none of these."""


class Place(NamedTuple):
    """A weight in a published file: its key, and the conversions to that layout and back."""

    key: str
    out: Callable[[Any], Any]
    back: Callable[[Any], Any]

    def shape(self, neutral: Sizes) -> Sizes:
        """The shape in the file of a weight with this shape."""
        return tuple(self.out(np.broadcast_to(np.float32(0), neutral)).shape)


def kind_of(keys: Iterable[str]) -> Kind:
    """The kind of a file with these keys."""
    leaves = {key.replace(".", "/").rpartition("/")[2] for key in keys}
    return "layers" if leaves & OF_LAYERS and not leaves & OF_STATES else "state"


def layer_of(key: str, kind: Kind) -> str:
    """The layer of a key, without the weight."""
    return key.rpartition("." if kind == "state" else "/")[0]


def places(typed: TypedProgram, source: str, kind: Kind) -> dict[str, Place]:
    """The key and the layout of every weight in a file of ``source``, by path."""
    names = published_names(typed, source)
    ops = {
        "/".join(filter(None, (*path, *own))): (node.op, "/".join(own), op)
        for path, node in walk_program(typed)
        if isinstance(node, TypedOp)
        for own, op in _parts(node.op)
    }
    flat = {
        path: tuple(map(int, order.split("x")))
        for path, order in flattened(typed).items()
        if "+" not in order
    }
    found = {}
    for path, name in names.items():
        whole, part, op = ops[path.rpartition("/")[0]]
        if kind == "state":
            found[path] = _of_state(name, op, flat.get(path))
        elif isinstance(whole, SeparableConv) and name.whole and not name.tensor:
            leaf = SEPARABLE[f"{part}/{name.weight}"]
            found[path] = Place(f"{name.whole}/{leaf}", _same, _same)
        else:
            found[path] = Place(name.tensor or f"{name.layer}/{name.weight}", _same, _same)
    return found


def published(
    typed: TypedProgram, source: str, kind: Kind, weights: Mapping[str, Any]
) -> dict[str, Any]:
    """Weights with the keys and in the layout of the published implementation."""
    return {
        where.key: np.ascontiguousarray(where.out(weights[path]))
        for path, where in places(typed, source, kind).items()
    }


def _parts(op: Op) -> list[tuple[tuple[str, ...], Op]]:
    return (
        [((segment,), part) for segment, part in op.parts]
        if isinstance(op, Composite)
        else [((), op)]
    )


def _of_state(name: Name, op: Op, flat: Sizes | None) -> Place:
    """A weight in a state dict."""
    # a learned scale is a parameter, not the weight of a norm: `ls1.gamma` in timm
    leaf = name.weight if isinstance(op, Scale) else STATE[name.weight]
    key = name.tensor or f"{name.layer}.{leaf}"
    if name.weight != "kernel" and flat is not None:
        return Place(
            key,
            lambda a: _to_map_first(a[None], flat)[0],
            lambda a: _from_map_first(a[None], flat)[0],
        )
    if name.weight != "kernel":
        return Place(key, _same, _same)
    if flat is not None:
        return Place(key, lambda a: _to_map_first(a.T, flat), lambda a: _from_map_first(a, flat).T)
    if isinstance(op, Dense):
        return Place(key, np.transpose, np.transpose)
    if isinstance(op, DepthwiseConv):
        multiplier = op.depth_multiplier
        return Place(key, _depthwise_out, lambda a: _depthwise_back(a, multiplier))
    return Place(
        key, lambda a: np.moveaxis(a, (-1, -2), (0, 1)), lambda a: np.moveaxis(a, (0, 1), (-1, -2))
    )


def _same(array: Any) -> Any:
    return array


def _to_map_first(array: Any, flat: Sizes) -> Any:
    """Reorder the columns of (outputs, inputs) from channels last to channels first."""
    return np.moveaxis(array.reshape(-1, *flat), -1, 1).reshape(len(array), -1)


def _from_map_first(array: Any, flat: Sizes) -> Any:
    return np.moveaxis(array.reshape(-1, flat[-1], *flat[:-1]), 1, -1).reshape(len(array), -1)


def _depthwise_out(array: Any) -> Any:
    *window, channels, multiplier = array.shape
    return np.moveaxis(array, (-2, -1), (0, 1)).reshape(channels * multiplier, 1, *window)


def _depthwise_back(array: Any, multiplier: int) -> Any:
    return np.moveaxis(array.reshape(-1, multiplier, *array.shape[2:]), (0, 1), (-2, -1))
