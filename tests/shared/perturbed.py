"""Which pixels of the input a value depends on, found by changing them one row at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from inception_dsl.analysis.receptive import Seen, receptive_fields
from inception_dsl.backend import Report
from inception_dsl.compiler import compile_spec
from inception_dsl.ir.flow import Apply, Flow, ValueId, flow
from inception_dsl.reference.forward import run
from inception_dsl.testing.random_specs import MAIN, random_spec

TRIES = 6


class Dependence(NamedTuple):
    """``on[p, i]``: position ``p`` of ``value`` changes with pixel ``i`` of ``axis`` of ``input``.

    A vector has one position.
    """

    value: ValueId
    input: str
    axis: int
    on: Any


def dependences(network: Flow, seed: int) -> Iterator[Dependence]:
    """Of all outputs and used blocks on all axes of all inputs; by the NumPy reference."""
    rng = np.random.default_rng(seed)
    weights = _weights(network, rng)
    for name, value in network.inputs.items():
        for axis, size in enumerate(network.types[value].spatial):
            x = {
                other: np.repeat(rng.normal(size=(1, *network.types[v].shape)), size * TRIES + 1, 0)
                for other, v in network.inputs.items()
            }
            for sample in range(size * TRIES):
                place = [slice(None)] * (x[name].ndim - 1)
                place[axis] = sample % size
                row = x[name][sample][tuple(place)]
                scale = (0.1, 1.0, 30.0)[sample // size % 3]
                row += rng.normal(size=row.shape) * scale
            found = run(network, weights, x)
            for values, ids in (
                (found.outputs, network.outputs),
                (found.blocks, network.blocks),
            ):
                for path, y in values.items():
                    yield Dependence(ids[path], name, axis, _changed(y, axis, size))


def _weights(network: Flow, rng: Any) -> dict[str, Any]:
    layers = [s for s in network.statements if isinstance(s, Apply)]
    return {
        layer.weights[weight.name].path: np.abs(rng.normal(size=weight.shape)) + 0.1
        if "variance" in weight.name
        else rng.normal(size=weight.shape)
        for layer in layers
        for weight in layer.typed.weights
    }


def _changed(y: Any, axis: int, size: int) -> Any:
    different = np.abs(y[:-1] - y[-1:]) > 1e-13 * np.abs(y).max()
    if y.ndim > 2:
        others = tuple(a for a in range(1, y.ndim) if a != axis + 1)
        different = different.any(axis=others)
    else:
        different = different.any(axis=1, keepdims=True)
    return different.reshape(TRIES, size, -1).any(axis=0).T


def compiled(files: Mapping[str, str]) -> Flow:
    """The statements of a network that is given by its files."""
    with tempfile.TemporaryDirectory() as name:
        for file, text in files.items():
            (Path(name) / file).write_text(text, encoding="utf-8")
        typed = compile_spec(Path(name) / MAIN, {}, Report())
    assert typed is not None
    return flow(typed, heads=False)


def differences(one: Dependence, seen: Seen, size: int, *, exact: bool) -> list[str]:
    """Positions that depend on other pixels than their receptive field says."""
    found = []
    fields = seen.get(one.input, ())
    for position, on in enumerate(one.on):
        pixels = np.flatnonzero(on)
        if not fields:
            assert not pixels.size
            continue
        field = fields[one.axis]
        first, last = max(field.first(position), 0), min(field.last(position), size - 1)
        own = (pixels[0], pixels[-1]) if pixels.size else None
        wrong = own != ((first, last) if first <= last else None)
        if wrong and (exact or (own and (own[0] < first or own[1] > last))):
            found.append(f"axis {one.axis}, {position}: {first}..{last}, but {own}")
    return found


def outside(seed: int) -> list[str]:
    """Where a random network depends on pixels outside of its receptive fields."""
    network = compiled(random_spec(seed).files)
    fields = receptive_fields(network)
    return [
        difference
        for one in dependences(network, seed)
        for size in [network.types[network.inputs[one.input]].spatial[one.axis]]
        for difference in differences(one, fields[one.value], size, exact=False)
    ]
