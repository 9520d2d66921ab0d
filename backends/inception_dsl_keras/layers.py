"""The layers of the model by name, and where the weights and blocks of the spec are among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from inception_dsl.backend import (
    Report,
    TypedChain,
    TypedFork,
    TypedOp,
    TypedProgram,
    TypedUse,
    UseNode,
    applications,
    walk_program,
)

from .calls import Call, Variable, below, layer_name, merge_name
from .lowering import lower

INPUT: Final = "input"
_UNNAMED: Final = re.compile(
    r"(add|gelu|get_item|multiply|ones_like|pad|power|reciprocal|square)(_\d+)?"
)
_OPERATING: Final = frozenset({"max_pool", "average_pool", "local_response_norm", "gelu_tanh"})
"""The helper functions that use operations, which Keras numbers by itself."""

Node = TypedOp | TypedFork


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the model, the path of the step that it belongs to, its variables."""

    name: str
    path: tuple[str, ...]
    node: Node
    variables: tuple[Variable, ...] = ()


def model_layers(typed: TypedProgram) -> Iterator[Layer]:
    """Every named layer of the model with all its heads, in the order of the program."""
    before = nameless(typed)
    for path, node in walk_program(typed):
        here = (*before, *path)
        if isinstance(node, TypedOp):
            for call in _calls(node):
                name = layer_name(here, call.part, node.op.op)
                for made in call.made:
                    yield Layer(
                        below(name, made.part) if made.part else name, path, node, made.variables
                    )
        elif isinstance(node, TypedFork):
            for name, chain in node.branches:
                if node.node.merge != "concat" and node.y.rank and not chain.y.rank:
                    yield Layer("_".join([*here, name, "reshape"]), path, node)
            yield Layer(merge_name(here, node.node.merge), path, node)


@lru_cache(maxsize=1024)
def _calls(node: TypedOp) -> tuple[Call, ...]:
    """The calls of a layer; of one that stands in many places, once."""
    return lower(node.op, node.x)


def nameless(typed: TypedProgram) -> tuple[str, ...]:
    """What the names of layers begin with where all the program is one use without a name.

    That of its block.
    """
    steps = [step for chain in typed.sections.values() for step in chain.steps]
    node = steps[0].node if len(steps) == 1 and not steps[0].repeated else None
    return (node.block,) if isinstance(node, UseNode) and not node.segments else ()


def check_names(typed: TypedProgram, report: Report) -> bool:
    """Whether every layer has a name of its own; paths that become the same name are errors."""
    seen: dict[str, Layer] = {}
    calls = (
        c.function for _, n in walk_program(typed) if isinstance(n, TypedOp) for c in _calls(n)
    )
    operating = not _OPERATING.isdisjoint(calls)
    before = len(report.diagnostics)
    for layer in model_layers(typed):
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


def boundaries(typed: TypedProgram) -> dict[str, str]:
    """The path of every used block and of every step at the top, and the layer that its output
    comes from.

    Auxiliary heads are left out, and what makes no layer.
    """
    found = {}
    top = {
        path
        for chain in typed.sections.values()
        for step in chain.steps
        for path, _ in applications(step)
    }
    for path, node in walk_program(typed, heads=False):
        if isinstance(node, TypedUse) or (path and path in top):
            last = result((*nameless(typed), *path), node)
            if last:
                found["/".join(path)] = last
    return found


def result(path: tuple[str, ...], node: TypedOp | TypedFork | TypedUse) -> str:
    """The layer that a node's output comes from."""
    if isinstance(node, TypedUse):
        return _result(path, node.body)
    if isinstance(node, TypedFork):
        return merge_name(path, node.node.merge)
    last = _calls(node)[-1]
    name = layer_name(path, last.part, node.op.op)
    return below(name, last.made[-1].part) if last.made[-1].part else name


def _result(prefix: tuple[str, ...], chain: TypedChain) -> str:
    if not chain.steps:
        return ""
    path, node = list(applications(chain.steps[-1]))[-1]
    return result((*prefix, *path), node)
