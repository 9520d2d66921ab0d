"""The views of blocks: a class each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from inception_dsl.backend import (
    Code,
    Definition,
    Group,
    TypedChain,
    TypedStep,
    bullets,
    citation,
    class_name,
    deviations,
    docstring,
    headline,
    layout,
    literal,
    shapes,
    signature,
)

from .build import ClassBody
from .modules import Ref, Shared, sequence, simple

MOST = 10  # shapes in the documentation of a block


class ClassView(NamedTuple):
    """A class for a block.

    The lines of ``__init__`` and of ``forward`` (none in an ``nn.Sequential``).
    """

    name: Code
    base: Code
    doc: Code
    head: Code
    setup: tuple[Code, ...]
    forward: tuple[Code, ...]


def block_class(
    name: str, definition: Definition, shared: Shared
) -> tuple[ClassView, tuple[Ref, ...], tuple[str, ...], bool]:
    """A block's class, its refs, the parameters it takes, and whether it takes ``in_channels``."""
    about = definition.block.about
    notes = (*about.deviations, *deviations(definition.chain))
    doc = docstring(
        headline(about, definition.block.id),
        about.description,
        citation(about),
        bullets("Notes:", notes, indent=4),
        uses_note(definition),
        indent=4,
    )
    kinds = {**definition.block.parameters, "num_classes": "int"}
    types = {p: kinds[p] for p in definition.parameters}
    return make_class(name, definition.chain, types, {}, doc, shared)


def uses_note(definition: Definition) -> str:
    """The shapes before and after a block at its uses."""
    lines = shapes(definition.shapes)
    if len(lines) == 1:
        return (
            f"Shape: {lines[0]} (height x width x channels)."
            if definition.chain.x.rank == 2
            else f"Shape: {lines[0]}."
        )
    more = [f"and {len(lines) - MOST} more"] if len(lines) > MOST else []
    return "Shapes:\n" + "\n".join(f"    {line}" for line in [*lines[:MOST], *more])


def make_class(
    name: str,
    chain: TypedChain,
    types: Mapping[str, str],
    values: Mapping[str, object],
    doc: Code,
    shared: Shared,
) -> tuple[ClassView, tuple[Ref, ...], tuple[str, ...], bool]:
    """A class for a chain; ``values`` are defaults of its arguments."""
    body = ClassBody(shared, tuple(types), (chain,))
    plain = simple(chain) and len(chain.steps) > 1 and all(is_numbered(s) for s in chain.steps)
    if plain:
        items, refs = sequence(shared, chain.steps)
        setup = [layout("super().__init__", Group("(", tuple(items), rows=True), indent=8)]
        forward: list[Code] = []
    else:
        result = body.chain(chain, "x", "x", ())
        refs = tuple(body.refs)
        stored = [Code(f"        self.{p} = {p}") for p in body.saved]
        setup = [Code("        super().__init__()"), *stored, *body.setup]
        forward = body.lines(result=result)
    text = "\n".join([*setup, *forward])
    used = tuple(p for p in types if re.search(rf"\b{p}\b", text))
    channels = re.search(r"\bin_channels\b", text) is not None
    arguments = ["in_channels: int"] if channels else []
    arguments += [f"{p}: {types[p]}" for p in used]
    arguments = [
        f"{a} = {literal(values[a.split(':')[0]])}" if a.split(":")[0] in values else a
        for a in arguments
    ]
    head = signature("__init__", ["self", *arguments], "None", indent=4)
    base = "nn.Sequential" if plain else "nn.Module"
    if not arguments and not plain and len(setup) == 1:
        head, setup = Code(""), []
    view = ClassView(Code(name), Code(base), doc, head, tuple(setup), tuple(forward))
    return view, refs, used, channels


def is_numbered(step: TypedStep) -> bool:
    """Whether a step has no name of its own."""
    return all(segment.isdigit() for segment in step.node.segments)


def alone(shared: Shared) -> tuple[ClassView, tuple[Ref, ...]]:
    """The class of a block that is built alone."""
    typed = shared.defined.typed
    program = typed.program
    chain = shared.defined.sections["steps"]
    values = {"in_channels": program.input.channels, **shared.defined.parameters}
    types = {k: type(v).__name__ for k, v in shared.defined.parameters.items()}
    pairs = shapes([(program.input, typed.y)])
    doc = docstring(
        headline(program.about, program.id),
        bullets("Notes:", deviations(chain), indent=4),
        f"Shape: {pairs[0]}.",
        indent=4,
    )
    view, refs, _, _ = make_class(class_name(program.id), chain, types, values, doc, shared)
    return view, refs
