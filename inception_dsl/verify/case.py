"""What every framework is given to be compared, and what must come out.

A program, weights, a batch, the reference.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from ..analysis.weights import weight_shapes
from ..compiler import compile_spec
from ..diagnostics.report import Report, Span
from ..ir.typed import TypedProgram, TypedUse
from ..ir.walk import walk_program
from ..reference.forward import interpret
from ..reference.seeds import batch, calibrated, seeded
from ..reference.training import Step, step

RATE: Final = 0.1  # of the one training step


class Case(NamedTuple):
    """A program with weights and a batch that float32 holds exactly, so that both types of numbers
    start equal.

    ``settings`` compile ``typed``, whose input is not square; ``source_settings`` what is emitted.
    They differ where the network takes either input with the same weights.
    """

    spec: str
    typed: TypedProgram
    settings: Mapping[str, str]
    source_settings: Mapping[str, str]
    weights: Mapping[str, Any]
    x: Any
    targets: Any


class Expected(NamedTuple):
    """The judge's values in float64.

    Of inference, and of a training step where one is asked for.
    """

    boundaries: Mapping[str, Any]
    outputs: Mapping[str, Any]
    trained: Step | None


class Place(NamedTuple):
    """A node of the program: its place in the order of computation, in the spec, and what it is."""

    order: int
    span: Span
    what: str


def prepare(
    spec: str | os.PathLike[str],
    settings: Mapping[str, str],
    report: Report,
    *,
    seed: int = 0,
    size: int = 2,
    own_input: bool = False,
) -> Case | None:
    """The case of a spec with ``size`` different samples, or ``None`` with its mistakes in the
    report.

    The input is not square, unless ``own_input`` asks for that of the spec.
    """
    own = compile_spec(spec, settings, report)
    if own is None:
        return None
    typed, given, source = own, dict(settings), dict(settings)
    if not own_input and (other := oblong(own)):
        given["input"] = other
        found = compile_spec(spec, given, Report())
        typed, given = (own, dict(settings)) if found is None else (found, given)
        if weight_shapes(typed) != weight_shapes(own):
            source = given
    x = _rounded(batch(typed, seed, size))
    weights = {p: _rounded(v) for p, v in calibrated(typed, seeded(typed, seed), x).items()}
    return Case(
        os.path.normpath(spec), typed, given, source, weights, x, targets(typed, size, seed)
    )


def oblong(typed: TypedProgram) -> str:
    """An input no two axes of which are as long, as ``--input`` takes it.

    Empty where it is so already.
    """
    *spatial, channels = typed.program.input.shape
    if len(set(spatial)) == len(spatial):
        return ""
    sizes = [n + i * max(1, n // 8) for i, n in enumerate(spatial)]
    return "x".join(map(str, [*sizes, channels]))


def targets(typed: TypedProgram, size: int, seed: int) -> Any:
    """What training aims at.

    Different classes, or a random array like each output where there is no loss.
    """
    rng = np.random.default_rng(seed + 1)
    if typed.has_loss:
        classes = typed.y.channels
        return (int(rng.integers(classes)) + np.arange(size) * max(1, classes // size)) % classes
    return {name: _rounded(rng.normal(size=(size, *y.shape))) for name, y in typed.outputs.items()}


def expect(case: Case, *, train: bool = False) -> Expected:
    """What the NumPy reference computes of a case."""
    found = interpret(case.typed, case.weights, case.x)
    trained = step(case.typed, case.weights, case.x, case.targets, RATE) if train else None
    return Expected(found.blocks, found.outputs, trained)


def places(typed: TypedProgram) -> dict[str, Place]:
    """Every node by its path; the outputs and the auxiliary heads by their names."""
    found: dict[str, Place] = {}
    last = Place(0, typed.program.origin.span(), "the end")
    for order, (path, node) in enumerate(walk_program(typed)):
        what = (
            f"use of {node.node.block}"
            if isinstance(node, TypedUse)
            else getattr(node.node, "name", None) or "fork"
        )
        if hasattr(node, "op"):
            what = str(node.op.op)
        place = Place(order, node.node.origin.span(), what)
        found["/".join(path)] = place
        if path[:1] not in [(head.name,) for head, _ in typed.heads]:
            last = place
    for name in typed.outputs:
        after = typed.program.outputs.get(name)
        found.setdefault(name, last if after is None else found.get(after, last))
    return found


def place(where: Mapping[str, Place], path: str) -> Place | None:
    """The node that a weight or an output belongs to."""
    parts = path.split("/")
    return next(
        (where[p] for n in range(len(parts), -1, -1) if (p := "/".join(parts[:n])) in where), None
    )


def _rounded(value: Any) -> Any:
    return np.asarray(value, np.float32).astype(np.float64)
