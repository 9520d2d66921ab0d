"""The layers of the model by name, and where the weights and blocks of the spec are among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from inception_dsl.backend import (
    Found,
    Report,
    TypedFork,
    TypedOp,
    TypedProgram,
    UseNode,
)
from inception_dsl.backend import (
    boundaries as compared,
)

from .calls import Calls, Variable, below, layer_name, merge_name
from .source import Source

INPUT: Final = "input"
_UNNAMED: Final = re.compile(
    r"(add|erf|get_item|greater|multiply|ones_like|pad|power|reciprocal|square|tanh|where)(_\d+)?"
)
Node = TypedOp | TypedFork
Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the model, the path of the step that it belongs to, its variables."""

    name: str
    path: Path
    node: Node
    variables: tuple[Variable, ...] = ()


def model_layers(source: Source) -> Iterator[Layer]:
    """Every named layer of the model with all its heads, in the order of the program."""
    typed = source.plan.printed
    before = nameless(typed)
    for found in source.records.program(typed):
        here, path, node = (*before, *found.path), found.path, found.typed
        if isinstance(node, TypedOp):
            yield from _layers_of(node, here, found)
        elif isinstance(node, TypedFork):
            for name, chain in node.branches:
                if node.node.merge != "concat" and node.y.rank and not chain.y.rank:
                    yield Layer("_".join([*here, name, "reshape"]), path, node)
            yield Layer(merge_name(here, node.node.merge), path, node)


def _layers_of(node: TypedOp, here: Path, found: Found[Calls]) -> Iterator[Layer]:
    """The layers of an op, each with the variables that this op has."""
    weights = {weight.name for weight in node.op.weights(node.x)}
    for call in found.piece.made or ():
        name = layer_name(here, call.part, node.op.op)
        for made in call.made:
            held = tuple(v for v in made.variables if v.weight in weights)
            yield Layer(below(name, made.part) if made.part else name, found.path, node, held)


def nameless(typed: TypedProgram) -> Path:
    """The first part of all names where the program is one use without a name: the block."""
    steps = [step for chain in typed.sections.values() for step in chain.steps]
    node = steps[0].node if len(steps) == 1 and not steps[0].repeated else None
    return (node.block,) if isinstance(node, UseNode) and not node.segments else ()


def check_names(source: Source, report: Report) -> bool:
    """Whether every layer has a name of its own; paths that become the same name are errors."""
    seen: dict[str, Layer] = {}
    operating = source.helpers.operating
    before = len(report.diagnostics)
    for layer in model_layers(source):
        origin = layer.node.node.origin
        span = origin.span("op" if isinstance(layer.node, TypedOp) else "merge")
        if layer.name in seen:
            first = seen[layer.name]
            paths = f"`{'/'.join(first.path)}` and `{'/'.join(layer.path)}`"
            where = [(first.node.node.origin.span(), "the first one")]
            message = f"{paths} are both `{layer.name}` as the name of a Keras layer"
            report.error(
                "E503", message, span, related=where, help="give one of the steps another `name`"
            )
        elif layer.name == INPUT or (operating and _UNNAMED.fullmatch(layer.name)):
            message = f"`{layer.name}` is a name that Keras gives to something else in this model"
            report.error("E503", message, span, help="give the step another `name`")
        seen.setdefault(layer.name, layer)
    return len(report.diagnostics) == before


def boundaries(source: Source) -> dict[str, str]:
    """The layer of the output of every used block and of every step at the top, by path.

    Auxiliary heads are left out, and what makes no layer.
    """
    typed, records, layers = source.plan.printed, source.records, {}
    before, paths = nameless(typed), compared(source.plan.typed)
    for found in records.program(typed, heads=False):
        last = records.last(found) if found.path in paths else None
        if last is not None:
            layers["/".join(found.path)] = result((*before, *last.path), last)
    return layers


def result(path: Path, found: Found[Calls]) -> str:
    """The layer that the output of an op or of a fork comes from."""
    node = found.typed
    if isinstance(node, TypedFork):
        return merge_name(path, node.node.merge)
    assert found.piece.made
    last = found.piece.made[-1]
    name = layer_name(path, last.part, node.op.op if isinstance(node, TypedOp) else "")
    return below(name, last.made[-1].part) if last.made[-1].part else name
