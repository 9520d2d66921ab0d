"""The class of the network, as its template prints it."""

from __future__ import annotations

from typing import NamedTuple

from inception_dsl.backend import Code, Tap

from .training import TrainingView


class Variable(NamedTuple):
    """A tap and its variable in ``forward``, as the tap's own name may be taken there.

    The module of an auxiliary head has the same name.
    """

    tap: Tap
    variable: str

    @property
    def auxiliary(self) -> bool:
        """Whether it is the output of an auxiliary head."""
        return self.tap.head is not None


class NetworkView(NamedTuple):
    """The class of the network. ``outputs`` are the fields of its named tuple, if it has one."""

    name: Code
    doc: Code
    head: Code
    setup: tuple[Code, ...]
    smallest: tuple[Code, ...]
    features: tuple[Code, ...]
    features_doc: Code
    tapped: Code
    head_signature: Code
    head_doc: Code
    head_lines: tuple[Code, ...]
    forward: tuple[Code, ...]
    returns: Code
    tuple_name: Code
    tuple_doc: Code
    outputs: tuple[Code, ...]
    training: TrainingView
