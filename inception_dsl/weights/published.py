"""Published weights.

Files of torchvision, timm and keras.applications to weights by path, and back.

The spec names the layers (``checkpoints``); this module knows how each source calls and lays out
what a layer holds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from ..analysis.weights import weight_shapes
from ..diagnostics.report import Report, Span
from ..diagnostics.text import printable
from ..diagnostics.words import suggestion
from ..ir.typed import TypedChain, TypedFork, TypedOp, TypedProgram, TypedUse
from ..ir.walk import applications, walk_program
from ..ops import Activation, Composite, Dense, DepthwiseConv, Dropout, Flatten, Identity, Op, Scale
from ..passes.checkpoint import Name, published_names, under
from .files import place, read_file
from .hdf5 import read_layers
from .store import differences

STATE: Final = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
COUNTER: Final = ".num_batches_tracked"
STATES: Final = frozenset({"torchvision", "timm"})
"""Sources whose files are state dicts, channels and outputs first.

The others' are HDF5 files in the neutral layout.
"""
Sizes = tuple[int, ...]


class Place(NamedTuple):
    """Where a weight stands in a published file.

    Its key, and how its array is turned into that layout and back.
    """

    key: str
    out: Callable[[Any], Any]
    back: Callable[[Any], Any]


class Held(NamedTuple):
    """What a published file holds.

    Arrays by key (``None`` where NumPy has no such type), and their types.
    """

    arrays: dict[str, Any]
    dtypes: dict[str, str]


def read(path: Path, typed: TypedProgram, source: str, report: Report) -> dict[str, Any] | None:
    """The weights of ``typed`` from a published file, by path in the neutral layout, or ``None``
    with what is wrong.

    Parts that the naming calls optional may stand in the file without standing in the spec.
    """
    if not known(typed, source, report):
        return None
    places = keys(typed, source)
    held = _state(path, report) if source in STATES else _layers(path, typed, source, report)
    if held is None or not _fits(path, typed, source, places, held, report):
        return None
    return {
        p: np.ascontiguousarray(where.back(held.arrays[where.key])) for p, where in places.items()
    }


def published(typed: TypedProgram, source: str, weights: Mapping[str, Any]) -> dict[str, Any]:
    """Weights by path under the keys, and in the layout, that the published implementation has."""
    return {
        where.key: np.ascontiguousarray(where.out(weights[p]))
        for p, where in keys(typed, source).items()
    }


def known(typed: TypedProgram, source: str, report: Report) -> bool:
    """Whether the spec names the weights of ``source``."""
    found = typed.program.checkpoints
    if source in found:
        return True
    span = Span(f"--from {printable(source)}", 1, 1, 1, len(source) + 1)
    help = (
        suggestion(source, found, what="it knows")
        if found
        else "the specs in specs/published name them"
    )
    report.error(
        "E711",
        f"`{typed.program.id}` does not say what {printable(source)} calls its weights",
        span,
        help=help,
    )
    return False


def _state(path: Path, report: Report) -> Held | None:
    """The tensors of a state dict, without the counters of batches."""
    file = read_file(path, report)
    if file is None:
        return None
    tensors = {key: tensor for key, tensor in file.tensors.items() if not key.endswith(COUNTER)}
    return Held(
        {k: t.array() for k, t in tensors.items()}, {k: t.dtype for k, t in tensors.items()}
    )


def _layers(path: Path, typed: TypedProgram, source: str, report: Report) -> Held | None:
    """The variables of layers.

    Numbered layers go by the order of their numbers, wherever a session began to count.
    """
    layers = read_layers(path, report)
    if layers is None:
        return None
    expected: dict[str, list[str]] = {}
    for name in published_names(typed, source).values():
        expected.setdefault(name.layer, []).append(name.weight)
    notes = []
    for word in typed.program.checkpoints[source].numbered.values():
        there, wanted = _ranked(word, layers), _ranked(word, expected)
        if len(there) != len(wanted):
            notes.append(
                f"{len(there)} layers are called `{word}` and a number, expected {len(wanted)}"
            )
        new = dict(zip(there, wanted, strict=False))
        layers = {new.get(name, name): variables for name, variables in layers.items()}
    if notes:
        message = f"{os.path.normpath(path)} does not fit `{typed.program.id}`"
        report.error("E702", message, place(path), notes=notes)
        return None
    arrays = {}
    for layer, variables in layers.items():
        own = expected.get(layer, [])
        for variable, array in variables:
            numbered = variable.isdecimal() and len(own) == len(variables)
            arrays[f"{layer}/{own[int(variable)] if numbered else variable}"] = array
    return Held(arrays, {})


def _ranked(word: str, layers: Mapping[str, Any]) -> list[str]:
    """The layers that are called ``word`` and a number, in the order of their numbers."""
    found = (
        (re.fullmatch(rf"{re.escape(word)}(?:_([0-9]{{1,9}}))?", name), name) for name in layers
    )
    return [
        name for _, name in sorted((int(match[1] or 0), name) for match, name in found if match)
    ]


def _fits(
    path: Path,
    typed: TypedProgram,
    source: str,
    places: Mapping[str, Place],
    held: Held,
    report: Report,
) -> bool:
    """Whether a file holds what the spec wants.

    If not, one mistake that lists every difference by the file's names.
    """
    optional = typed.program.checkpoints[source].optional
    shapes = {
        places[p].key: places[p].out(np.broadcast_to(np.float32(0), shape)).shape
        for p, shape in weight_shapes(typed).items()
    }
    arrays = {k: a for k, a in held.arrays.items() if k in shapes or not under(k, optional)}
    found = differences(shapes, arrays, held.dtypes)
    if not any(found.values()):
        return True
    counts = ", ".join(f"{len(lines)} {kind}" for kind, lines in found.items() if lines)
    missing = [key for key in shapes if key not in arrays]
    help = ""
    if missing and all(under(key, optional) for key in missing):
        help = (
            "the file leaves out what it may; `--set aux_heads=null` or `--set head=null` "
            "does so in the spec"
        )
    message = f"{os.path.normpath(path)} does not fit `{typed.program.id}`: {counts}"
    report.error(
        "E702",
        message,
        place(path),
        notes=[n for lines in found.values() for n in lines],
        help=help,
    )
    return False


def keys(typed: TypedProgram, source: str) -> dict[str, Place]:
    """Where every weight stands in a file of ``source``, by path."""
    names = published_names(typed, source)
    if source not in STATES:
        return {
            path: Place(f"{name.layer}/{name.weight}", _same, _same) for path, name in names.items()
        }
    flat: dict[str, Sizes] = {}
    for chain in typed.sections.values():
        _flattened(chain, (), None, flat)
    for head, chain in typed.heads:
        _flattened(chain, (head.name,), None, flat)
    ops = {
        "/".join((*path, *own)): op
        for path, node in walk_program(typed)
        if isinstance(node, TypedOp)
        for own, op in _parts(node.op)
    }
    return {
        path: _of_state(name, ops[path.rpartition("/")[0]], flat.get(path))
        for path, name in names.items()
    }


def _parts(op: Op) -> list[tuple[tuple[str, ...], Op]]:
    return (
        [((segment,), part) for segment, part in op.parts()]
        if isinstance(op, Composite)
        else [((), op)]
    )


def _of_state(name: Name, op: Op, flat: Sizes | None) -> Place:
    """A weight in a state dict."""
    key = f"{name.layer}.{STATE[name.weight]}"
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
    """Columns that stand channels last, channels first (outputs, inputs)."""
    return np.moveaxis(array.reshape(-1, *flat), -1, 1).reshape(len(array), -1)


def _from_map_first(array: Any, flat: Sizes) -> Any:
    return np.moveaxis(array.reshape(-1, flat[-1], *flat[:-1]), 1, -1).reshape(len(array), -1)


def _depthwise_out(array: Any) -> Any:
    *window, channels, multiplier = array.shape
    return np.moveaxis(array, (-2, -1), (0, 1)).reshape(channels * multiplier, 1, *window)


def _depthwise_back(array: Any, multiplier: int) -> Any:
    return np.moveaxis(array.reshape(-1, multiplier, *array.shape[2:]), (0, 1), (-2, -1))


def _flattened(
    chain: TypedChain, prefix: tuple[str, ...], shape: Sizes | None, found: dict[str, Sizes]
) -> Sizes | None:
    """Fill in the kernels of dense layers whose inputs are a flattened map, with the map's shape.

    ``shape`` is that of the map which ``chain`` is given flat; the result is the same for what
    comes after the chain.
    """
    for step in chain.steps:
        for path, typed in applications(step):
            here = (*prefix, *path)
            if isinstance(typed, TypedUse):
                shape = _flattened(typed.body, here, shape, found)
            elif isinstance(typed, TypedFork):
                for name, branch in typed.branches:
                    _flattened(branch, (*here, name), shape, found)
                shape = None
            elif isinstance(typed.op, Flatten):
                shape = tuple(typed.x.shape) if typed.x.rank else shape
            elif not isinstance(typed.op, Activation | Dropout | Identity | Scale):
                if shape is not None and isinstance(typed.op, Dense):
                    found["/".join((*here, "kernel"))] = shape
                shape = None
    return shape
