"""Judges what an emitted file offers beside the model: features, sizes, dropout, initial values.

It runs in the process of the framework, in float64. Most is observed on a model without auxiliary
heads that has other classes and channels than the spec, on the smallest input, which is cheap.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..analysis.infer import infer
from ..analysis.logits import trained_program
from ..analysis.sizes import minimum_input
from ..analysis.weights import weight_shapes
from ..backend.arguments import others
from ..backend.frames import IN_CHANNELS
from ..backend.protocol import Model
from ..diagnostics.report import Report
from ..ir.typed import TypedProgram
from ..ir.walk import walk_program
from ..reference.arrays import Noise
from ..reference.forward import interpret
from ..reference.preprocessing import preprocess
from ..reference.seeds import batch, enough, seeded
from .bounds import FLOAT64, distance
from .dropout import dropout_findings
from .finding import Finding, Job, resized
from .initial import initial_problems
from .input_sizes import judged_sizes
from .zeros import apart

_FINE, _COARSE = 1e-6, 1e-4
"""Bounds for bytes, which frameworks convert to float32; with resizing, they compute the places of
pixels in it, too."""
_LARGE = 5_000_000
"""Limit on memory: resizing to more pixels is not judged."""


def of_model(
    model: Model,
    typed: TypedProgram,
    x: Any,
    targets: Any,
    loss: float,
    trained: Mapping[str, Any],
) -> list[Finding]:
    """Findings on the model with all heads, whose weights are loaded: labels and dropout.

    ``loss`` and ``trained`` are the loss and the outputs in training mode.
    """
    found = []
    if typed.has_loss:
        found += [
            Finding(f"the losses of labels {form}", abs(value - loss) / (abs(loss) or 1.0))
            for form, value in model.losses(x, targets).items()
        ]
    return found + list(dropout_findings(model, typed, x, trained))


def of_file(job: Job) -> list[Finding]:
    """Findings on further models of the file: arguments, features, sizes, preprocessing."""
    small = _small(job)
    model = job.runner.create(small, job.files, "float64", heads=False)
    weights, x = _without_heads(small), batch(small, 3)
    held = model.initial()
    found = [Finding("initial values", problem=text) for text in initial_problems(small, held)]
    if held.keys() != weights.keys():
        names = ", ".join(sorted(held.keys() ^ weights.keys())[:3])
        return [Finding("weights", problem=f"without auxiliary heads, weights differ: {names}")]
    model.load(weights)
    expected = partial(_outputs, small, weights, x)
    outputs = model.forward(x)
    if outputs.keys() != expected(None).keys():
        return [*found, Finding("outputs", problem=f"the outputs are {', '.join(outputs)}")]
    found += [
        Finding("outputs of the smallest input", e) for e in apart(outputs, expected).values()
    ]
    found += _features(model, small, weights, x)
    x = batch_of_training(small)
    trained = model.forward(x, training=True)
    found += dropout_findings(model, small, x, trained, weights)
    return [*found, *judged_sizes(job), *_pixels(job)]


def batch_of_training(small: TypedProgram) -> Any:
    """A batch for training mode, with as many samples as batch norm needs on maps of its size."""
    return batch(small, 3, enough(_typed(small) or small))


def _small(job: Job) -> TypedProgram:
    """The program with other classes and channels, on its smallest input, axes unequal."""
    own = job.emitted
    typed = _other_values(job)
    program = typed.program
    wider = {n: x._replace(channels=x.channels + 1) for n, x in program.inputs.items()}
    if IN_CHANNELS in (program.literal or ()):
        wider = {**program.inputs}
    typed = _same_sizes(typed, infer(program._replace(inputs=wider, preprocessing=None), Report()))
    least = {name: minimum_input(own, name) for name in program.inputs}
    for times, more in ((2, 1), (1, 1), (1, 0)):
        sizes = {n: (*s[:-1], times * s[-1] + more) if s else s for n, s in least.items()}
        smaller = resized(typed, sizes)  # features of one position would hide a pool
        if _fits(replace(smaller, heads=smaller.always)):
            return smaller
    return typed


def _other_values(job: Job) -> TypedProgram:
    """The program with other values of the parameters that are arguments of the model."""
    typed = job.emitted
    for name in typed.program.values.keys() - (typed.program.literal or frozenset()):
        typed = next(others(typed, name), typed)
    return typed


def _fits(typed: TypedProgram) -> bool:
    """Whether a resized program has the same weights; not with a flatten, or if sizes do not fit
    together.
    """
    found = _typed(typed)
    return found is not None and weight_shapes(found) == weight_shapes(typed)


def _typed(typed: TypedProgram) -> TypedProgram | None:
    """A resized program with the types of its nodes, without auxiliary heads, if its sizes fit."""
    heads = tuple(head for head in typed.program.heads if not head.auxiliary)
    return infer(typed.program._replace(heads=heads), Report())


def _same_sizes(typed: TypedProgram, other: TypedProgram | None) -> TypedProgram:
    """``other`` if its maps have the same sizes; a file is written for the sizes of its spec."""
    if other is None:
        return typed
    sizes = [[node.y.spatial for _, node in walk_program(t)] for t in (typed, other)]
    return other if sizes[0] == sizes[1] else typed


def _without_heads(typed: TypedProgram) -> dict[str, Any]:
    heads = tuple(f"{name}/" for name in typed.auxiliary)
    return {p: v for p, v in seeded(typed, 5).items() if not p.startswith(heads)}


def _features(
    model: Model, typed: TypedProgram, weights: Mapping[str, Any], x: Any
) -> Iterator[Finding]:
    """What is computed before the head, and before its last layer."""
    found, head = model.features(x), typed.sections.get("head")
    if head is None or not head.steps or len(typed.sections) < 2:
        return
    wanted = {"features": _part(typed, 0), "pre_logits": _part(trained_program(typed).typed, -1)}
    if "features" not in found and any(
        step.runs for c in wanted["features"].sections.values() for step in c.steps
    ):
        yield Finding("features", problem="the file offers no features before the head")
    for kind, y in found.items():
        part = wanted[kind]
        (error,) = apart({part.output_name: y}, partial(_outputs, part, weights, x)).values()
        yield Finding(kind, error)


def _outputs(
    typed: TypedProgram, weights: Mapping[str, Any], x: Any, noise: Noise | None
) -> dict[str, Any]:
    """The outputs of the reference."""
    return interpret(typed, weights, x, noise=noise).outputs


def _part(typed: TypedProgram, end: int) -> TypedProgram:
    """The program with the steps of its head up to ``end``, without auxiliary heads and outputs.

    Steps without repetitions do not count.
    """
    sections = dict(typed.sections)
    head = sections.pop("head")
    if end:
        present = [step for step in head.steps if step.runs]
        sections["head"] = replace(head, steps=tuple(present[:end]))
    program = typed.program._replace(outputs={})
    return replace(typed, program=program, sections=sections, heads=())


def _pixels(job: Job) -> Iterator[Finding]:
    """Preprocessing of random bytes, also as float64, and of images that resizing makes smaller."""
    program = job.emitted.program
    steps, rank = program.preprocessing, program.input.rank
    if steps is None:
        return
    sizes = [tuple(range(5, 5 + rank))]
    sizes += [tuple(n + 7 for n in steps.resize.size)] if steps.resize else []
    if math.prod(sizes[-1]) > _LARGE:
        return
    for size in sizes:
        shape = (2, *size, program.input.channels)
        images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        if steps.per_image:  # its deviation is a little less than the smallest
            images[1] = np.arange(images[1].size).reshape(shape[1:]) == 0
        wanted = preprocess(steps, images.astype(np.float64))
        for given, bound in ((images, _COARSE if steps.resize else _FINE), (images * 1.0, FLOAT64)):
            error = distance(job.runner.preprocess(job.files, given), wanted)
            what = f"preprocess of {given.dtype} differs: relative error {error:.2g}"
            yield Finding("preprocess", problem=what if error > bound else "")
