"""Receptive fields as text, and by the paths of layers and blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from ..ir.flow import Apply, Flow, Merge, ValueId
from ..ir.typed import Path, TypedProgram, TypedUse
from ..ir.walk import walk_program
from ..types.receptive import ReceptiveField
from .receptive import Seen

Application: TypeAlias = tuple[Path, int]
"""A path, and the ``id`` of the node there: merges of forks without a name share their path."""


def fields(
    typed: TypedProgram, network: Flow, known: Mapping[ValueId, Seen]
) -> Mapping[Application, Seen]:
    """The receptive fields of the layers, merges and used blocks of a program with its heads."""
    ends = (s.y for s in network.statements if isinstance(s, Apply | Merge))
    found: dict[Application, Seen] = {}
    for path, node in walk_program(typed):
        used = isinstance(node, TypedUse)
        value = network.blocks["/".join(path)] if used else next(ends)
        found[path, id(node)] = known[value]
    return found


def field_text(seen: Seen) -> str:
    """``11``, or ``11x5`` if axes differ; ``all`` if every position depends on the whole input.

    With several inputs: ``rgb 11, flow 5``.
    """
    texts = {name: by_axis([_pixels(f) for f in axes]) for name, axes in seen.items() if axes}
    if len(seen) == 1:
        return "".join(texts.values())
    return ", ".join(f"{name} {text}" for name, text in texts.items())


def stride_and_padding(seen: Seen) -> str:
    """``32, 618``, those of :class:`ReceptiveField`; of one input after the other.

    ``none, 30`` if every position depends on the whole input.
    """
    return "; ".join(
        f"{by_axis(str(f.stride or 'none') for f in axes)}, {by_axis(f.padding for f in axes)}"
        for axes in seen.values()
        if axes
    )


def last_map(
    typed: TypedProgram, network: Flow, known: Mapping[ValueId, Seen]
) -> tuple[str, Seen] | None:
    """The last map of more than one pixel: its path and its receptive field.

    It is the output, or that of a top-level step, not in heads. Tables of receptive fields give
    that of the last feature map.
    """
    for path, value in reversed(_steps(typed, network)):
        if network.types[value].rank and network.types[value].positions() > 1:
            return path, known[value]
    return None


def ends_in_pixels(typed: TypedProgram, network: Flow) -> bool:
    """Whether maps of one pixel follow the :func:`last_map`."""
    types = (network.types[value] for _, value in reversed(_steps(typed, network)))
    return next((x.positions() == 1 for x in types if x.rank), False)


def _steps(typed: TypedProgram, network: Flow) -> list[tuple[str, ValueId]]:
    """The top-level steps that are not in heads, and the output, by path."""
    heads = {head.name for head, _ in typed.heads}
    steps = [(p, v) for p, v in network.blocks.items() if p.split("/")[0] not in heads]
    return [*steps, (typed.output_name, network.outputs[typed.output_name])]


def _pixels(field: ReceptiveField) -> str:
    return "all" if field.whole else str(field.size)


def by_axis(sizes: Iterable[object]) -> str:
    """The sizes of the axes as text: one number if they are equal."""
    found = [*map(str, sizes)]
    return found[0] if len(set(found)) == 1 else "x".join(found)
