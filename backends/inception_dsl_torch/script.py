"""The training script of a network: its recipe as PyTorch, and all that a run needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from inception_dsl.backend import (
    DATA,
    FORMS,
    Augmentation,
    Average,
    Code,
    Request,
    ScriptFacts,
    Training,
    TypedProgram,
    docstring,
    generated_by,
    headline,
    layout,
    literal,
    name,
    plan,
    render,
    script_facts,
)

from .script_classes import OwnClass
from .script_optimizer import optimizer_view
from .views import build

COLOURS = ("brightness", "saturation", "hue", "contrast")


class AverageView(NamedTuple):
    """The running average: its decay after ``step`` steps, and whether it ``copies`` the weights
    after the first one.
    """

    doc: Code
    decay: Code
    copies: bool
    statistics: bool


class ScriptView(NamedTuple):
    """A training script."""

    doc: Code
    module: Code
    facts: ScriptFacts
    network: Code
    group_rate: Code
    own: OwnClass | None
    optimizer_doc: Code
    optimizer: tuple[Code, ...]
    update: tuple[Code, ...]
    average: AverageView | None
    augmentation: tuple[Code, ...]
    converted: Code
    gray: bool
    averaged: Code
    predicted: Code
    preprocess: Code
    counts: Code
    recalibrates: bool
    hue: bool
    final: Code


def script(typed: TypedProgram, request: Request) -> str:
    """The source of the script beside ``request.name``."""
    program, training = typed.program, typed.program.training
    assert training is not None
    planned = plan(typed, by_logits=True)
    preprocesses = planned.preprocessing is not None
    optimizer, emitted = optimizer_view(training), build(typed)
    network = emitted.view.network
    assert network is not None
    assert planned.loss is not None
    recalibrates, gray = network.training.recalibrates, program.input.channels == 1
    x = "images.to(args.device, non_blocking=True)"
    augmentation = training.augmentation
    view = ScriptView(
        doc=_doc(typed, request),
        module=name(request.name),
        facts=script_facts(typed, training),
        network=name(emitted.model),
        group_rate=Code('rate * group["rate"]' if optimizer.rated else "rate"),
        own=optimizer.own,
        optimizer_doc=optimizer.doc,
        optimizer=optimizer.lines,
        update=optimizer.update,
        average=_average(training),
        augmentation=tuple(_augmented(augmentation)) if augmentation else (),
        converted=Code("image[:1]" if gray else "image.expand(3, -1, -1)"),
        gray=bool(augmentation and (augmentation.saturation or augmentation.contrast)),
        averaged=Code(", average" if training.average else ""),
        preprocess=Code(f"source.preprocess({x})" if preprocesses else f"{x} / 255"),
        counts=Code('"seed", "workers"' + ', "recalibrate"' * recalibrates),
        predicted=Code("outputs.flatten(1)" if planned.loss.terms[0].flat else "outputs"),
        recalibrates=recalibrates,
        hue=bool(augmentation and augmentation.hue),
        final=Code("average.model" if training.average else "model"),
    )
    return render("inception_dsl_torch", "train.py.j2", script=view)


def _doc(typed: TypedProgram, request: Request) -> Code:
    program = typed.program
    stem, arguments = request.script, "--data DATA --out OUT"
    return docstring(
        headline(program.about, program.id, ", trained by its recipe in PyTorch."),
        f"    python {stem}.py {arguments}\n    torchrun --nproc-per-node=2 {stem}.py {arguments}",
        DATA,
        generated_by(program.id),
    )


def _average(training: Training) -> AverageView | None:
    found = training.average
    if found is None:
        return None
    assert training.optimizer is not None
    assert training.optimizer.form is not None
    what = "weights and moving statistics" if found.statistics else "weights"
    copies = FORMS[training.optimizer.form].average_copies
    return AverageView(
        docstring(f"The network with the running average of its {what}.", indent=4),
        Code(_decay(found)),
        copies,
        found.statistics,
    )


def _decay(found: Average) -> str:
    decay = literal(found.decay)
    return f"min({decay}, (1 + step) / (10 + step))" if found.warm_up else decay


def _augmented(found: Augmentation) -> Iterator[Code]:
    """The lines of ``augmented``, for an ``image`` from 0 to 255."""
    if found.crop or found.aspect:
        low, high = found.crop or (1.0, 1.0)
        yield Code("    height, width = image.shape[-2:]")
        yield Code("    for _ in range(10):  # until a part fits")
        yield Code(f"        area = height * width * uniform({literal(low)}, {literal(high)})")
        if found.aspect:
            narrow, wide = (f"math.log({literal(v)})" for v in found.aspect)
            yield Code(f"        ratio = math.exp(uniform({narrow}, {wide}))")
        else:
            yield Code("        ratio = width / height")
        yield Code(
            "        rows, columns = round((area / ratio) ** 0.5), round((area * ratio) ** 0.5)"
        )
        yield Code("        if 0 < rows <= height and 0 < columns <= width:")
        yield Code("            top = int(uniform(0, height - rows + 1))")
        yield Code("            left = int(uniform(0, width - columns + 1))")
        yield Code("            part = image[None, :, top : top + rows, left : left + columns]")
        yield Code('            part = F.interpolate(part, SIZE, mode="bilinear", antialias=True)')
        yield Code("            image = part[0]")
        yield Code("            break")
    if found.flip:
        yield Code("    if uniform(0, 1) < 0.5:")
        yield Code("        image = image.flip(-1)")
    for colour in COLOURS:
        value = getattr(found, colour)
        if value is not None:
            yield from _coloured(colour, value)


def _coloured(colour: str, value: float | tuple[float, float]) -> Iterator[Code]:
    """The lines that change a colour; contrast is that of torchvision, from the mean grey value."""
    if not isinstance(value, tuple):
        low, high = literal(-value), literal(value)
        if colour == "brightness":
            yield Code(f"    image = (image + 255 * uniform({low}, {high})).clamp(0, 255)")
        else:
            yield Code(f"    image = 255 * adjust_hue(image / 255, uniform({low}, {high}))")
        return
    other = "gray(image)" if colour == "saturation" else "gray(image).mean()"
    low, high = map(literal, value)
    yield Code(f"    other = {other}")
    mixed = f"other + uniform({low}, {high}) * (image - other)"
    yield layout("    image = ", f"({mixed}).clamp(0, 255)")
