"""Reads the published weights of torchvision, timm and keras.applications.

The spec maps layers to the names of the source (``checkpoints``). This module has the names and
the memory layouts of the weights in a layer, for each source.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from ..analysis.weights import flattened, weight_shapes
from ..diagnostics.report import Report, Span
from ..diagnostics.text import printable
from ..diagnostics.words import suggestion
from ..ir.typed import TypedOp, TypedProgram
from ..ir.walk import walk_program
from ..ops import Composite, Dense, DepthwiseConv, Op
from ..passes.checkpoint import Name, absent_names, published_names, under
from .files import file_span, read_file
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
"""Sources with PyTorch state dicts (channels first); the others have HDF5 files (channels last)."""
Sizes = tuple[int, ...]


class Place(NamedTuple):
    """A weight in a published file: its key, and the conversions to that layout and back."""

    key: str
    out: Callable[[Any], Any]
    back: Callable[[Any], Any]


class Held(NamedTuple):
    """The arrays of a published file by key, and their types.

    An array is ``None`` if NumPy does not have its type.
    """

    arrays: dict[str, Any]
    dtypes: dict[str, str]


def read(path: Path, typed: TypedProgram, source: str, report: Report) -> dict[str, Any] | None:
    """The weights of ``typed`` from a published file, by path, in the neutral layout.

    ``None`` with errors in the report if the file does not match. Layers that ``checkpoints`` marks
    as optional, and those that an overlay removed, may be in the file without being in the spec.
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
    """Weights with the keys and in the layout of the published implementation."""
    return {
        where.key: np.ascontiguousarray(where.out(weights[p]))
        for p, where in keys(typed, source).items()
    }


def known(typed: TypedProgram, source: str, report: Report) -> bool:
    """Whether the spec has names for ``source``; otherwise reports it."""
    found = typed.program.checkpoints
    if source in found:
        return True
    span = Span(f"--from {printable(source)}", 1, 1, 1, len(source) + 1)
    help = (
        suggestion(source, found, what="known sources")
        if found
        else "the shipped specs `published/...` have them (`inception-dsl list`)"
    )
    report.error(
        "E711",
        f"`{typed.program.id}` has no weight names (`checkpoints`) for `{printable(source)}`",
        span,
        help=help,
    )
    return False


def _state(path: Path, report: Report) -> Held | None:
    """The tensors of a state dict, without ``num_batches_tracked``."""
    file = read_file(path, report)
    if file is None:
        return None
    tensors = {key: tensor for key, tensor in file.tensors.items() if not key.endswith(COUNTER)}
    return Held(
        {k: t.array() for k, t in tensors.items()}, {k: t.dtype for k, t in tensors.items()}
    )


def _layers(path: Path, typed: TypedProgram, source: str, report: Report) -> Held | None:
    """The variables of layers.

    Layers with automatic names (``conv2d_7``) are matched in the order of their numbers, because
    the first number depends on the session that created the file.
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
            notes.append(f"{len(there)} layers are named `{word}_NUMBER`, expected {len(wanted)}")
        new = dict(zip(there, wanted, strict=False))
        layers = {new.get(name, name): variables for name, variables in layers.items()}
    if notes:
        message = f"{os.path.normpath(path)} does not fit `{typed.program.id}`"
        report.error("E702", message, file_span(path), notes=notes)
        return None
    arrays = {}
    for layer, variables in layers.items():
        own = expected.get(layer, [])
        for variable, array in variables:
            numbered = variable.isdecimal() and len(own) == len(variables)
            arrays[f"{layer}/{own[int(variable)] if numbered else variable}"] = array
    return Held(arrays, {})


def _ranked(word: str, layers: Mapping[str, Any]) -> list[str]:
    """The layers named ``word`` or ``word_NUMBER``, in the order of their numbers."""
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
    """Whether a file has the weights of the spec; one error lists all differences.

    The names are those of the file.
    """
    optional = absent_names(typed, source)
    shapes = {
        places[p].key: places[p].out(np.broadcast_to(np.float32(0), shape)).shape
        for p, shape in weight_shapes(typed).items()
    }
    arrays = {k: a for k, a in held.arrays.items() if k in shapes or not under(k, optional)}
    found = differences(shapes, arrays, held.dtypes)
    if not any(found.values()):
        return True
    counts = ", ".join(f"{len(lines)} {kind}" for kind, lines in found.items() if lines)
    missing = [path for path, place in places.items() if place.key not in arrays]
    message = f"{os.path.normpath(path)} does not fit `{typed.program.id}`: {counts}"
    report.error(
        "E702",
        message,
        file_span(path),
        notes=[n for lines in found.values() for n in lines],
        help=_without(typed, missing),
    )
    return False


def _without(typed: TypedProgram, missing: list[str]) -> str:
    """What removes the missing layers from the spec, if they are those of heads."""
    head = typed.sections.get("head")
    parts = {
        "head": {
            step.node.segments[0] for step in (head.steps if head else ()) if step.node.segments
        },
        "aux_heads": {head.name for head, _ in typed.heads},
    }
    first = {path.split("/")[0] for path in missing}
    found = [f"--set {part}=null" for part, own in parts.items() if own & first]
    if not found or first - set().union(*parts.values()):
        return ""
    return f"`{' '.join(found)}` removes the missing layers from the spec"


def keys(typed: TypedProgram, source: str) -> dict[str, Place]:
    """The key and the layout of every weight in a file of ``source``, by path."""
    names = published_names(typed, source)
    if source not in STATES:
        return {
            path: Place(f"{name.layer}/{name.weight}", _same, _same) for path, name in names.items()
        }
    flat = {
        path: tuple(map(int, order.split("x")))
        for path, order in flattened(typed).items()
        if "+" not in order
    }
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
        [((segment,), part) for segment, part in op.parts]
        if isinstance(op, Composite)
        else [((), op)]
    )


def _of_state(name: Name, op: Op, flat: Sizes | None) -> Place:
    """A weight in a state dict."""
    key = f"{name.layer}.{STATE[name.weight]}"
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
