"""The training script of a network: its recipe in Keras, and all that a run needs."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from inception_dsl.backend import (
    FORMS,
    Code,
    Item,
    Request,
    Training,
    TypedProgram,
    call,
    docstring,
    generated_by,
    headline,
    layout,
    literal,
    name,
    plan,
    rate_lines,
    render,
    run_length,
)

from .script_images import augmented, uses_gray
from .script_optimizer import OptimizerView, optimizer_view


class AverageView(NamedTuple):
    """The running average of ``variables`` of the model: its decay after a step, whether that
    depends on the number of ``steps``, and whether it ``copies`` the weights after the first one.
    """

    doc: Code
    variables: Code
    decay: Code
    copies: bool
    steps: bool


class ScriptView(NamedTuple):
    """A training script."""

    doc: Code
    module: Code
    fractions: bool
    classes: Code
    size: Code
    batch_size: Code
    recipe: Code
    steps: Code
    rate: tuple[Code, ...]
    optimizer: OptimizerView
    average: AverageView | None
    channels: Code
    wide: bool
    mode: Code
    pixels: Code
    preprocess: Code
    preprocessed: Code
    loss: Code
    predicted: Code
    augmentation: tuple[Code, ...]
    gray: bool
    hue: bool
    columns: Code
    measured: Code
    counts: Code
    recalibrates: bool
    network: Code
    starts: bool
    jit: Code


def script(typed: TypedProgram, request: Request) -> str:
    """The source of the script beside ``request.name``."""
    program, training = typed.program, typed.program.training
    assert training is not None
    planned = plan(typed, by_logits=True)
    steps, rate = run_length(training), rate_lines(training)
    channels, augmentation = program.input.channels, training.augmentation
    columns = ("step", "loss", "rate", "accuracy", *["average"] * bool(training.average))
    several = bool(typed.auxiliary or typed.always)
    soft = bool(planned.by_logits)
    prepared = "source.preprocess({})" if planned.preprocessing else "{} / 255"
    view = ScriptView(
        doc=_doc(typed, request),
        module=name(request.name),
        fractions=any("Fraction(" in line for line in (steps, *rate)),
        classes=literal(program.values["classes"]),
        size=literal(tuple(program.input.spatial)),
        batch_size=literal(training.batch_size),
        recipe=literal(hashlib.sha256(repr(training).encode()).hexdigest()[:12]),
        steps=Code(steps),
        rate=rate,
        optimizer=optimizer_view(training),
        average=_average(training),
        channels=literal(channels),
        wide=channels != 1,
        mode=Code("L" if channels == 1 else "RGB"),
        pixels=Code("" if channels == 1 else ", 3"),
        preprocess=Code(prepared.format("pixels")),
        preprocessed=Code(prepared.format("x")),
        loss=Code(f"y, outputs{', from_logits=True' if soft else ''}"),
        predicted=Code(f"y_pred[{literal(typed.output_name)}]" if several else "y_pred"),
        augmentation=tuple(augmented(augmentation)) if augmentation else (),
        gray=uses_gray(augmentation),
        hue=bool(augmentation and augmentation.hue),
        columns=Code(", ".join(map(literal, columns))),
        measured=literal(len(columns) - 3),
        counts=Code('"seed", "recalibrate"' if planned.recalibrates else '"seed",'),
        recalibrates=planned.recalibrates,
        network=_network(typed, soft=soft),
        starts=bool(planned.start),
        jit=Code('True if args.jit else "auto"'),
    )
    return render("inception_dsl_keras", "train.py.j2", script=view)


def _network(typed: TypedProgram, *, soft: bool) -> Code:
    """The line that builds the network for training."""
    items = [Item("CLASSES", "num_classes")]
    items += [Item("True", "aux_logits")] * bool(typed.auxiliary)
    items += [Item("None", "classifier_activation")] * soft
    function = Code(f"source.{name(typed.program.id)}")
    return layout("network = ", call(function, *items), indent=4)


def _doc(typed: TypedProgram, request: Request) -> Code:
    program = typed.program
    return docstring(
        headline(program.about, program.id, ", trained by its recipe in Keras 3."),
        f"Usage:\n    python {request.script}.py --data DATA --out OUT",
        "DATA is a folder with images in train/CLASS and val/CLASS, or an .npz file with uint8 "
        "images (N, height, width[, channels]) and class indices: x_train, y_train, x_test, "
        "y_test. Run it again with the same arguments to go on from the last checkpoint.",
        "The variable KERAS_BACKEND is tensorflow, jax or torch. JAX uses all its devices, and "
        "batch norms see the whole batch; the others use one device.",
        generated_by(program.id),
    )


def _average(training: Training) -> AverageView | None:
    found = training.average
    if found is None:
        return None
    assert training.optimizer is not None
    assert training.optimizer.form is not None
    what = "weights and moving statistics" if found.statistics else "weights"
    decay = literal(found.decay)
    copies = FORMS[training.optimizer.form].average_copies
    return AverageView(
        docstring(f"The running average of {what}.", indent=4),
        Code("weights" if found.statistics else "trainable_variables"),
        Code(f"ops.minimum({decay}, (1 + step) / (10 + step))" if found.warm_up else decay),
        copies,
        steps=copies or found.warm_up,
    )
