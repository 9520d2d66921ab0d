"""Judges what an emitted file offers beside the model: features, sizes, dropout, initial values.

It runs in the process of the framework, in float64. Most is observed on a model without auxiliary
heads that has other classes and channels than the spec, on the smallest input, which is cheap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from ..analysis.infer import infer
from ..analysis.logits import trained_program
from ..analysis.sizes import minimum_input
from ..analysis.weights import weight_shapes
from ..backend.arguments import others
from ..backend.protocol import Model
from ..diagnostics.report import Report
from ..ir.typed import TypedOp, TypedProgram
from ..ir.walk import walk_program
from ..ops import Dropout
from ..reference.forward import Tape, interpret
from ..reference.seeds import batch, seeded
from .bounds import FLOAT64, distance
from .finding import Finding, Job, resized
from .initial import initial_problems
from .input_sizes import judged_sizes

DRAWS: Final = 4000  # values that show a dropout layer's share; its factor is exact
SIGMAS: Final = 6.0  # a right program fails once in 5e8 comparisons


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
    return found + list(_dropout(model, typed, x, trained))


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
    expected = interpret(small, weights, x).outputs
    outputs = model.forward(x)
    if outputs.keys() != expected.keys():
        return [*found, Finding("outputs", problem=f"the outputs are {', '.join(outputs)}")]
    found += [
        Finding("outputs of the smallest input", distance(y, expected[name]))
        for name, y in outputs.items()
    ]
    found += _features(model, small, weights, x)
    trained = model.forward(x, training=True)
    found += _dropout(model, small, x, trained, weights)
    return [*found, *judged_sizes(job), *_pixels(job)]


def _small(job: Job) -> TypedProgram:
    """The program with other classes and channels, on its smallest input, axes unequal."""
    own = job.emitted
    typed = _other_values(job)
    program = typed.program
    wider = program.input._replace(channels=program.input.channels + 1)
    typed = _same_sizes(typed, infer(program._replace(input=wider, preprocessing=None), Report()))
    least = minimum_input(own)
    for axes in ((*least[:-1], 2 * least[-1] + 1), (*least[:-1], least[-1] + 1), least):
        smaller = resized(typed, axes)  # features of one position would hide a pool
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
    heads = tuple(head for head in typed.program.heads if not head.auxiliary)
    found = infer(typed.program._replace(heads=heads), Report())
    return found is not None and weight_shapes(found) == weight_shapes(typed)


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
    if "features" not in found and any(c.steps for c in wanted["features"].sections.values()):
        yield Finding("features", problem="the file offers no features before the head")
    for kind, y in found.items():
        part = wanted[kind]
        yield Finding(kind, distance(y, interpret(part, weights, x).outputs[part.output_name]))


def _part(typed: TypedProgram, end: int) -> TypedProgram:
    """The program with the steps of its head up to ``end``, without auxiliary heads and outputs."""
    sections = dict(typed.sections)
    head = sections.pop("head")
    if end:
        sections["head"] = replace(head, steps=head.steps[:end])
    program = typed.program._replace(outputs={})
    return replace(typed, program=program, sections=sections, heads=())


def _pixels(job: Job) -> Iterator[Finding]:
    """Preprocessing of random bytes."""
    steps = job.emitted.program.preprocessing
    if steps is None:
        return
    rank = job.emitted.program.input.rank
    images = np.random.default_rng(0).integers(0, 256, (2, *range(5, 5 + rank), 3), np.uint8)
    ordered = images[..., ::-1] if steps.channel_order == "bgr" else images
    wanted = (ordered * steps.scale - np.asarray(steps.mean)) / np.asarray(steps.std)
    error = distance(job.runner.preprocess(job.files, images), wanted)
    text = f"preprocess of bytes differs: relative error {error:.2g}" if error > 1e-6 else ""
    yield Finding("preprocess", problem=text)  # it computes in float32


def _dropout(
    model: Model,
    typed: TypedProgram,
    x: Any,
    trained: Mapping[str, Any],
    weights: Mapping[str, Any] | None = None,
) -> Iterator[Finding]:
    """Rate and location of dropout, with auxiliary heads unless ``weights`` are given.

    ``trained`` are the outputs in training mode without dropout. The rate is that of many values,
    and what is kept is divided by exactly one minus the rate. With ``weights`` the input of a
    single dropout is compared with the reference, else its shape.
    """
    layers = _dropouts(typed, heads=weights is None)
    pairs, outputs = model.dropped(x)
    if len(pairs) != len(layers):
        text = f"the model has {len(pairs)} dropout layers, expected {len(layers)}"
        yield Finding("dropout", problem=text)
    elif layers:
        if all(np.array_equal(outputs[name], y) for name, y in trained.items()):
            yield Finding("dropout", problem="dropout does not change the outputs")
        draws = [pairs]
        while sum(given.size for some in draws for given, _ in some) < DRAWS * len(pairs):
            draws.append(model.dropped(x)[0])
        drawn = [Drawn.of([some[i] for some in draws]) for i in range(len(pairs))]
        for found, layer in zip(sorted(drawn), sorted(layers, key=_rate), strict=True):
            yield Finding("dropout", problem=found.problem(layer, shaped=weights is None))
        if weights is not None and len(layers) == 1:
            yield Finding("inputs of dropout", distance(pairs[0][0], _given(typed, weights, x)))


class Drawn(NamedTuple):
    """What a dropout layer did: its factor for what it keeps, the share of what it drops, and how
    far that may be from the rate; the shape of its input.
    """

    factor: float
    share: float
    spread: float
    shape: tuple[int, ...]

    @classmethod
    def of(cls, pairs: list[tuple[Any, Any]]) -> Drawn:
        """From inputs and outputs of many draws; an input that is zero says nothing."""
        given = np.concatenate([np.ravel(x) for x, _ in pairs])
        y = np.concatenate([np.ravel(y) for _, y in pairs])[given != 0]
        given = given[given != 0]
        kept = y != 0
        share = float(1 - kept.mean()) if y.size else 0.0
        spread = SIGMAS * float(
            np.sqrt(max(share * (1 - share), 1 / (y.size or 1)) / (y.size or 1))
        )
        factors = y[kept] / given[kept]
        factor = float(factors.mean()) if factors.size else 1.0
        if factors.size and np.ptp(factors) > FLOAT64 * factor:
            factor = 0.0  # of no rate
        return cls(factor, share, spread, pairs[0][0].shape[1:])

    def problem(self, layer: TypedOp, *, shaped: bool) -> str:
        """Why this is not the layer of the spec, or an empty text."""
        rate = _rate(layer)
        if abs(self.factor * (1 - rate) - 1) > FLOAT64 or abs(self.share - rate) > self.spread:
            return (
                f"dropout drops {self.share:.3f} of its values and multiplies by {self.factor:.4g},"
                f" expected the rate {rate:g}"
            )
        if shaped and self.shape != tuple(layer.x.shape):
            return f"dropout has an input of {self.shape}, expected {tuple(layer.x.shape)}"
        return ""


def _rate(layer: TypedOp) -> float:
    assert isinstance(layer.op, Dropout)
    return layer.op.rate


def _dropouts(typed: TypedProgram, *, heads: bool) -> list[TypedOp]:
    """All dropout layers."""
    return [
        node
        for _, node in walk_program(typed, heads=heads)
        if isinstance(node, TypedOp) and isinstance(node.op, Dropout)
    ]


def _given(typed: TypedProgram, weights: Mapping[str, Any], x: Any) -> Any:
    """The input of the dropout layer in training, by the reference."""
    tape = Tape()
    interpret(replace(typed, heads=typed.always), weights, x, training=True, tape=tape)
    found = [one.x for layer in tape.layers.values() for one in layer if one.op.op == "dropout"]
    return found[0]
