"""The input of a comparison (program, weights, batch) and the expected results."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from ..analysis.logits import trained_program
from ..analysis.sizes import running_sizes
from ..analysis.weights import weight_shapes
from ..compiler import compile_spec
from ..diagnostics.report import Report, Span
from ..ir.typed import TypedProgram, TypedUse
from ..ir.walk import walk_program
from ..passes.budget import check_memory
from ..reference.activations import softmax
from ..reference.arrays import Noise, each
from ..reference.forward import interpret
from ..reference.seeds import batch, calibrated, enough, seeded
from ..reference.training import Step, step

RATE: Final = 0.1  # learning rate of the training step


class Case(NamedTuple):
    """A program, weights and a batch. All values are exact in float32, so that both dtypes match.

    ``typed`` is compiled with ``settings`` and has an input that is not square. The generated code
    is compiled with ``source_settings``: those of the spec, if it has the same weights and runs on
    that input.
    """

    spec: str
    typed: TypedProgram
    settings: Mapping[str, str]
    source_settings: Mapping[str, str]
    weights: Mapping[str, Any]
    x: Any
    targets: dict[str, Any]


class Expected(NamedTuple):
    """The results of the NumPy reference in float64: inference, and optionally a training step."""

    boundaries: Mapping[str, Any]
    outputs: Mapping[str, Any]
    trained: Step | None


class Place(NamedTuple):
    """A node: its position in the order of computation, its location in the spec, and its kind."""

    order: int
    span: Span
    what: str


def prepare(
    spec: str | os.PathLike[str],
    settings: Mapping[str, str],
    report: Report,
    *,
    seed: int = 0,
    size: int | None = None,
    own_input: bool = False,
    compiled: Callable[[], None] = lambda: None,
) -> Case | None:
    """The case for a spec with ``size`` different samples, by default as many as batch norm needs;
    ``None`` with errors in the report.

    The input is not square, unless ``own_input`` selects the input of the spec. ``compiled`` is
    called once the spec is known to have no errors.
    """
    own = compile_spec(spec, settings, report)
    if own is None:
        return None
    compiled()
    typed, given, source = own, dict(settings), dict(settings)
    if not own_input and (other := oblong(own)):
        given |= other
        found = compile_spec(spec, given, Report())
        typed, given = (own, dict(settings)) if found is None else (found, given)
        if weight_shapes(typed) != weight_shapes(own) or not _runs(own, typed):
            source = given
    size = size or enough(typed)
    if not check_memory(typed, size, report):
        return None
    x = each(_rounded, batch(typed, seed, size))
    weights = {p: _rounded(v) for p, v in calibrated(typed, seeded(typed, seed), x).items()}
    return Case(
        os.path.normpath(spec), typed, given, source, weights, x, targets(typed, size, seed)
    )


def oblong(typed: TypedProgram) -> dict[str, str]:
    """Settings of an input with different sizes on all axes, in the form of ``--input``.

    Empty if the sizes are already different.
    """
    found = {}
    for name, x in typed.program.inputs.items():
        if len(set(x.spatial)) < x.rank:
            sizes = [n + i * max(1, n // 8) for i, n in enumerate(x.spatial)]
            field = f"input.{name}" if typed.program.several else "input"
            found[field] = "x".join(map(str, [*sizes, x.channels]))
    return found


def _runs(own: TypedProgram, typed: TypedProgram) -> bool:
    """Whether the inputs of ``typed`` run in the generated code of ``own``, with all heads."""
    return all(
        sizes.fits(size)
        for name, x in typed.program.inputs.items()
        for sizes, size in zip(running_sizes(own, name).training, x.spatial, strict=True)
    )


def targets(typed: TypedProgram, size: int, seed: int) -> dict[str, Any]:
    """The targets of training by output: those of the loss, or random arrays if there is none.

    The classes of a batch differ.
    """
    rng = np.random.default_rng(seed + 1)
    if not typed.has_loss:
        return {n: _rounded(rng.normal(size=(size, *y.shape))) for n, y in typed.outputs.items()}
    found = {}
    if typed.classifiers:
        classes = min(c.y.channels for c in typed.classifiers)  # a head may have fewer
        found[typed.output_name] = _classes(rng, size, classes)
    for name, loss in typed.program.losses.items():
        y = typed.outputs[name]
        if loss.kind == "cross_entropy":
            found[name] = _classes(rng, size * y.positions(), y.channels)
            found[name] = found[name].reshape(size, *y.spatial)
        elif loss.kind == "binary_cross_entropy":
            found[name] = _rounded(rng.uniform(size=(size, *y.shape)))
        else:
            found[name] = _rounded(rng.normal(size=(size, *y.shape)))
    return found


def _classes(rng: np.random.Generator, size: int, classes: int) -> Any:
    """Class indices that differ where they can."""
    return (int(rng.integers(classes)) + np.arange(size) * max(1, classes // size)) % classes


def expect(case: Case, *, train: bool = False, noise: Noise | None = None) -> Expected:
    """The results of the NumPy reference for a case; ``noise`` changes all values that ops read."""
    found = interpret(case.typed, case.weights, case.x, noise=noise)
    emitted = trained_program(case.typed)
    blocks = found.blocks
    if emitted.outputs:  # a block that ends in their softmax is emitted without it
        blocks = interpret(emitted.typed, case.weights, case.x, noise=noise).blocks
    return Expected(blocks, found.outputs, training_step(case, noise) if train else None)


def training_step(case: Case, noise: Noise | None = None) -> Step:
    """The step of training by logits, with the outputs that the spec has."""
    trained = trained_program(case.typed)
    names = dict(zip(trained.typed.outputs, case.typed.outputs, strict=True))
    own = {new: case.targets[old] for new, old in names.items() if old in case.targets}
    found = step(trained.typed, case.weights, case.x, own, RATE, noise=noise)
    outputs = {
        names[name]: softmax(y) if names[name] in trained.outputs else y
        for name, y in found.outputs.items()
    }
    return replace(found, outputs=outputs)


def places(typed: TypedProgram) -> dict[str, Place]:
    """All nodes by path, outputs and auxiliary heads by name."""
    found: dict[str, Place] = {}
    heads = {head.name for head, _ in typed.heads}
    last = Place(0, typed.program.origin.span(), "the end of the network")
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
        if not path or path[0] not in heads:
            last = place
    for name in typed.outputs:
        after = typed.program.outputs.get(name)
        found.setdefault(name, last if after is None else found.get(after, last))
    return found


def place(where: Mapping[str, Place], path: str) -> Place | None:
    """The node of a weight or an output."""
    parts = path.split("/")
    return next(
        (where[p] for n in range(len(parts), -1, -1) if (p := "/".join(parts[:n])) in where), None
    )


def _rounded(value: Any) -> Any:
    return np.asarray(value, np.float32).astype(np.float64)
