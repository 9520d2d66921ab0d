"""The class of the network, as its template prints it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inception_dsl.backend import Code, Tap, docstring

from .training import TrainingView


class Variable(NamedTuple):
    """A tap and its variable in ``forward``, as the tap's own name may be taken there.

    ``attribute`` holds the module of an auxiliary head.
    """

    tap: Tap
    variable: str
    attribute: str = ""

    @property
    def auxiliary(self) -> bool:
        """Whether it is the output of an auxiliary head."""
        return self.tap.head is not None


class TupleView(NamedTuple):
    """A named tuple of outputs; ``lines`` are its fields."""

    name: Code
    doc: Code
    lines: tuple[Code, ...]


class NetworkView(NamedTuple):
    """The class of the network. ``size_check`` is the function that checks the input size,
    ``check`` its call, both empty if every size runs.
    """

    name: Code
    doc: Code
    head: Code
    setup: tuple[Code, ...]
    size_check: tuple[Code, ...]
    check: Code
    features: tuple[Code, ...]
    features_doc: Code
    tapped: Code
    features_call: Code
    head_signature: Code
    head_doc: Code
    head_lines: tuple[Code, ...]
    forward: tuple[Code, ...]
    returns: Code
    tuples: tuple[TupleView, ...]
    training: TrainingView


def named_tuple(name: str, doc: str, taps: Sequence[Variable]) -> TupleView:
    """A named tuple of the logits and these taps."""
    fields = ["logits", *(t.tap.name for t in taps)]
    lines = tuple(Code(f"    {field}: Tensor") for field in fields)
    return TupleView(Code(name), docstring(doc, indent=4), lines)
