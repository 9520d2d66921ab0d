"""The layers of the model by name, and which weights and blocks of the spec they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from inception_dsl.backend import (
    DepthwiseConv,
    Found,
    Report,
    TypedFork,
    TypedOp,
    TypedProgram,
    UseNode,
)

from .calls import Calls, Variable, below, layer_name, merge_name
from .source import Source
from .training import Layers

_UNNAMED: Final = re.compile(
    r"(add|amax|erf|exp|expand_dims|get_item|greater|max|maximum|mean|multiply|negative|ones_like|pad|power"
    r"|reciprocal|reshape|rsqrt|softmax|square|squeeze|stack|subtract|sum|take|tanh|transpose"
    r"|true_divide|where)(_\d+)?"
)
_SPLIT: Final = re.compile(r"split(_\d+)?")
Node = TypedOp | TypedFork
Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the model, with the path of its step and its variables; see :class:`Made`."""

    name: str
    path: Path
    node: Node
    variables: tuple[Variable, ...] = ()
    optional: bool = False


def model_layers(source: Source) -> Iterator[Layer]:
    """Every named layer of the model, including auxiliary heads, in the order of the program."""
    typed = source.plan.printed
    before = unnamed_prefix(typed)
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
    weights = {weight.name for weight in node.weights}
    for call in found.piece.made or ():
        name = layer_name(here, call.part, node.op.op)
        for made in call.made:
            held = tuple(v for v in made.variables if v.weight in weights)
            full = below(name, made.part) if made.part else name
            yield Layer(full, found.path, node, held, made.optional)


def kept_layers(source: Source) -> Layers:
    """The layers with weights, for the function that sets the initial ones."""
    names, depthwise, scaled = {}, set(), False
    for layer in model_layers(source):
        op = layer.node.node.op if isinstance(layer.node, TypedOp) else None
        for variable in layer.variables:
            path = "/".join([*layer.path, variable.weight])
            names[path.rpartition("/")[0]] = layer.name
            scaled |= (variable.weight, variable.name) == ("gamma", "kernel")
            if variable.name == "depthwise_kernel":
                depthwise.add('variable.name == "depthwise_kernel"')
            elif variable.layout == "same" and (
                (isinstance(op, DepthwiseConv) and variable.weight == "kernel")
                or variable.weight == "depthwise/kernel"
            ):
                rank = layer.node.x.rank
                depthwise.add(f"isinstance(layer, layers.DepthwiseConv{rank}D)")
    return Layers(names, tuple(sorted(depthwise)), scaled)


def unnamed_prefix(typed: TypedProgram) -> Path:
    """The prefix of all layer names: the block, if the program is a single unnamed use of it."""
    steps = [step for chain in typed.sections.values() for step in chain.steps]
    node = steps[0].node if len(steps) == 1 and not steps[0].repeated else None
    return (node.block,) if isinstance(node, UseNode) and not node.segments else ()


def check_names(source: Source, report: Report) -> bool:
    """Whether all layer names are unique; reports paths that become the same name."""
    seen: dict[str, Layer] = {}
    before = len(report.diagnostics)
    for name in source.plan.inputs if source.plan.typed.program.several else ():
        if named_by_keras(name, source):
            span = source.plan.typed.program.origin.document.key_span(("input", name))
            message = f"Keras uses the name `{name}` for a layer of this model"
            report.error("E503", message, span, help="choose a different name for the input")
    for layer in model_layers(source):
        origin = layer.node.node.origin
        span = origin.span("op" if isinstance(layer.node, TypedOp) else "merge")
        if layer.name in seen:
            first = seen[layer.name]
            paths = f"`{'/'.join(first.path)}` and `{'/'.join(layer.path)}`"
            where = [(first.node.node.origin.span(), "first used here")]
            message = f"{paths} both become the Keras layer name `{layer.name}`"
            report.error(
                "E503", message, span, related=where, help="choose a different `name` for one step"
            )
        elif layer.name in source.plan.inputs or named_by_keras(layer.name, source):
            message = f"Keras uses the layer name `{layer.name}` for another layer of this model"
            report.error("E503", message, span, help="choose a different `name` for the step")
        seen.setdefault(layer.name, layer)
    return len(report.diagnostics) == before


def named_by_keras(name: str, source: Source) -> bool:
    """Whether Keras may give this name to an operation that has none."""
    found = source.helpers.operating and _UNNAMED.fullmatch(name)
    return bool(found or (source.helpers.splitting and _SPLIT.fullmatch(name)))
