"""The class of the network, as its template prints it."""

from __future__ import annotations

from typing import NamedTuple

from inception_dsl.backend import Code

from .classifier import ClassifierView
from .forward_head import HeadView
from .results import TupleView
from .training import TrainingView


class NetworkView(NamedTuple):
    """The class of the network. ``size_check`` is the function that checks the input size,
    ``check`` its call, both empty if every size runs. ``classifier`` is missing if the network
    does not end in a dense layer for its classes.
    """

    name: Code
    doc: Code
    head: Code
    setup: tuple[Code, ...]
    size_check: tuple[Code, ...]
    check: Code
    features_head: Code
    features: tuple[Code, ...]
    features_doc: Code
    tapped: Code
    features_call: Code
    top: HeadView | None
    forward_head: Code
    forward_doc: Code
    forward: tuple[Code, ...]
    tuples: tuple[TupleView, ...]
    training: TrainingView
    classifier: ClassifierView | None
