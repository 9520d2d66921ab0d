"""What a variant of a spec costs: the numbers of its summary, or its first error."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, NamedTuple

from ..analysis.receptive_words import field_text
from ..compiler import compile_quickly, compile_spec
from ..diagnostics.report import Report
from ..ir.typed import TypedProgram
from .comparison import smallest_input
from .summary import Summary

AXES: Final = {
    "parameters": "parameters",
    "macs": "MACs",
    "receptive-field": "receptive field",
    "activations": "activations",
    "training": "activations in training",
}
"""What variants are compared by, and what it is called."""

_LONGEST: Final = 500
"""Characters of a message that are kept."""


class Measured(NamedTuple):
    """The totals of a network, as ``summary`` has them; memory in bytes, of one sample.

    ``receptive_field`` is that of the last feature map as text, ``pixels`` its smallest size over
    all axes and inputs (that of the input for ``all``); empty and ``None`` if there is no map.
    ``minimum_input`` is the smallest input as text.
    """

    parameters: int
    macs: int
    receptive_field: str
    activations: int
    training: int
    minimum_input: str
    pixels: int | None

    def on(self, axis: str) -> int | None:
        """The number on one of :data:`AXES`."""
        found: int | None = getattr(self, "pixels" if axis == "receptive-field" else axis)
        return found


class Variant(NamedTuple):
    """A variant: the values of what is varied, and what it costs.

    ``measured`` is ``None`` if it does not compile; ``code`` and ``message`` are those of its first
    error.
    """

    values: tuple[str, ...]
    measured: Measured | None
    code: str = ""
    message: str = ""


class Spec(NamedTuple):
    """The spec of all variants: its path, the project folder, and the settings that all have."""

    path: str | os.PathLike[str]
    root: str | os.PathLike[str] | None = None
    settings: Mapping[str, str] = {}


def totals(spec: Spec, settings: Mapping[str, str]) -> Measured | None:
    """The costs of the variant with these settings; ``None`` if it does not compile."""
    typed = compile_quickly(spec.path, settings, Report(), spec.root)
    return None if typed is None else measured(typed)


def measure(spec: Spec, settings: Mapping[str, str]) -> Variant:
    """The variant with these settings, without its values."""
    if (found := totals(spec, settings)) is not None:
        return Variant((), found)
    report = Report()  # again, for the errors that the other commands report
    if (typed := compile_spec(spec.path, settings, report, spec.root)) is not None:
        return Variant((), measured(typed))
    first = next(iter(report))
    return Variant((), None, first.code, first.message[:_LONGEST])


def measured(typed: TypedProgram) -> Measured:
    """The totals of a typed program."""
    summary = Summary(typed)
    last, memory = summary.last_map, summary.memory
    pixels = [
        x.spatial[axis] if field.whole else field.size
        for name, x in typed.program.inputs.items()
        for axis, field in enumerate(last[1].get(name, ()) if last else ())
    ]
    return Measured(
        summary.cost.total,
        summary.cost.macs,
        field_text(last[1]) if last else "",
        memory["inference"],
        memory["training"],
        smallest_input(typed),
        min(pixels, default=None),
    )
