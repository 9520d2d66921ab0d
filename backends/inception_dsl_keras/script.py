"""The training script of a network: its recipe in Keras, and all that a run needs."""

from __future__ import annotations

from typing import NamedTuple

from inception_dsl.backend import (
    DATA,
    FORMS,
    Code,
    Item,
    Loss,
    Request,
    ScriptFacts,
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
    render,
    script_facts,
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
    facts: ScriptFacts
    optimizer: OptimizerView
    average: AverageView | None
    wide: bool
    preprocess: Code
    preprocessed: Code
    loss: Code
    predicted: Code
    augmentation: tuple[Code, ...]
    gray: bool
    hue: bool
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
    channels, augmentation = program.input.channels, training.augmentation
    several = bool(typed.auxiliary or typed.always)
    soft = bool(planned.by_logits)
    prepared = "source.preprocess({})" if planned.preprocessing else "{} / 255"
    view = ScriptView(
        doc=_doc(typed, request),
        module=name(request.name),
        facts=script_facts(typed, training),
        optimizer=optimizer_view(training),
        average=_average(training),
        wide=channels != 1,
        preprocess=Code(prepared.format("pixels")),
        preprocessed=Code(prepared.format("x")),
        loss=Code(f"y, outputs{', from_logits=True' if soft else ''}"),
        predicted=_predicted(planned.loss, typed.output_name if several else None),
        augmentation=tuple(augmented(augmentation)) if augmentation else (),
        gray=uses_gray(augmentation),
        hue=bool(augmentation and augmentation.hue),
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


def _predicted(loss: Loss | None, output: str | None) -> Code:
    """What the accuracy is computed from, of one output of several or the only one."""
    assert loss is not None
    found = "y_pred" if output is None else f"y_pred[{literal(output)}]"
    return Code(f"ops.reshape({found}, (-1, CLASSES))" if loss.terms[0].flat else found)


def _doc(typed: TypedProgram, request: Request) -> Code:
    program = typed.program
    return docstring(
        headline(program.about, program.id, ", trained by its recipe in Keras 3."),
        f"Usage:\n    python {request.script}.py --data DATA --out OUT",
        DATA,
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
