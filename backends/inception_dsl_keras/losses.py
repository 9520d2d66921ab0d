"""The loss functions of a file."""

from __future__ import annotations

from typing import Final

from inception_dsl.backend import Code, Loss, LossTerm, ModulePlan, docstring, literal, signature

from .reserved import BINARY, CROSS_ENTROPY, OF_PROBABILITIES
from .views import FunctionView, LossView

TENSOR: Final = "keras.KerasTensor"
AXES: Final = ("", ", L", ", H, W", ", D, H, W")
"""The spatial axes of targets by rank."""
LOGITS: Final = "classifier_activation=None"
OF_DEFAULT: Final = (
    f"For the model as it is built by default. Train one built with ``{LOGITS}``, by "
    f"``{CROSS_ENTROPY}``: a probability that is rounded to 0 has no gradient. Of its outputs this "
    "is the loss with ``from_logits=True``."
)
OF_LOGITS: Final = (
    f"Only for a model built with ``{LOGITS}``: by default outputs are probabilities."
)


def loss_view(plan: ModulePlan, loss: Loss) -> LossView:
    """The cross-entropy of one output, and the weighted sum if there are several."""
    classified = [term for term in loss.terms if term.kind == CROSS_ENTROPY]
    own = [term for term in loss.terms if term.own]
    kinds = {term.probabilities for term in classified}
    both = len(kinds) > 1 or bool(plan.by_logits or own)
    if not plan.taps:
        functions, last = _of_one(plan, loss)
        return LossView((), (), functions, (last,))
    found = []
    if not both or any(not term.probabilities or term.by_logits for term in classified):
        found.append(_cross_entropy(plan, loss, both=both))
    if any(term.probabilities for term in classified) and both:
        doc = "Cross-entropy of one output for each sample, from probabilities."
        found.append(_function(OF_PROBABILITIES, docstring(doc, indent=4), _body(loss, True)))
    if any(term.kind == BINARY for term in own):
        doc = "Binary cross-entropy of one output, from logits: the mean over its last axis."
        lines = (
            "targets = ops.reshape(targets, ops.shape(outputs))  # labels may be (N,)",
            "return keras.losses.binary_crossentropy(targets, outputs, from_logits=True)",
        )
        found.append(_function(BINARY, docstring(doc, indent=4), lines))
    if own:
        return LossView((_weights(loss),), _losses(loss), tuple(found), (_of_all(plan, loss),))
    table = _losses(loss) if both else ()
    return LossView((_weights(loss),), table, tuple(found), (_sum(plan, loss, both=both),))


def _targets(loss: Loss) -> str:
    """What cross-entropy takes: an index for each position of the outputs."""
    classified = [term for term in loss.terms if term.kind == CROSS_ENTROPY]
    ranks = sorted({0 if term.flat else term.y.rank for term in classified})
    shapes = [f"(N{AXES[rank] or ','}) or (N{AXES[rank]}, 1)" for rank in ranks]
    return (
        f"Targets are class indices of any integer type, {', or '.join(shapes)}. One outside of "
        "the classes is an error, or NaN where the engine cannot raise one."
    )


def _of_one(plan: ModulePlan, loss: Loss) -> tuple[tuple[FunctionView, ...], FunctionView]:
    """The loss of a model with one output, and the function that it is trained by, if another."""
    (term,) = loss.terms
    parts = [loss.summary, f"{_targets(loss)} Returns one value for each sample."]
    body = _body(loss, term.probabilities)
    if not term.by_logits:
        parts += ["To train: ``model.compile(loss=loss)`` and ``model.fit(x, y)``.", _load("loss")]
        doc = docstring(*parts, *loss.notes, indent=4)
        return (), _function("loss", doc, body)
    build = plan.typed.program.id
    trained = docstring(
        f"Cross-entropy of logits for each sample. {OF_LOGITS}",
        _targets(loss),
        f"To train: ``model = {build}({LOGITS})``, ``model.compile(loss={CROSS_ENTROPY})`` and "
        "``model.fit(x, y)``.",
        _load(CROSS_ENTROPY),
        indent=4,
    )
    first = _function(CROSS_ENTROPY, trained, _body(loss, False))
    lines = ("if from_logits:", f"    return {CROSS_ENTROPY}(targets, outputs)", *body)
    doc = docstring(*parts, OF_DEFAULT, *loss.notes, indent=4)
    return (first,), _function("loss", doc, lines, "from_logits: bool = False")


def _cross_entropy(plan: ModulePlan, loss: Loss, *, both: bool) -> FunctionView:
    """The cross-entropy of one of several outputs: of logits if there are ``both`` kinds."""
    arguments = ["aux_logits=True"] * bool(plan.typed.auxiliary)
    arguments += [LOGITS] * bool(plan.by_logits)
    built = f" a model built with ``{', '.join(arguments)}``" if arguments else ""
    only = f" {OF_LOGITS}" if plan.by_logits else ""
    maps = any(term.y.rank and not term.flat for term in loss.terms if term.kind == CROSS_ENTROPY)
    each = "position" if maps else "sample"
    first = f"Cross-entropy of one output for each {each}{', from logits' * both}.{only}"
    body = _body(loss, not both and loss.terms[0].probabilities)
    if any(term.own for term in loss.terms):  # `loss` says how to train
        return _function(CROSS_ENTROPY, docstring(first, _targets(loss), indent=4), body)
    doc = docstring(
        first,
        _targets(loss),
        f"To train{built}: ``model.compile(loss={_trained_by(loss, both=both)}, "
        "loss_weights=LOSS_WEIGHTS)`` and ``model.fit(x, dict.fromkeys(LOSS_WEIGHTS, y))``.",
        _load(CROSS_ENTROPY, *([OF_PROBABILITIES] if both else ())),
        indent=4,
    )
    return _function(CROSS_ENTROPY, doc, body)


def _trained_by(loss: Loss, *, both: bool) -> str:
    """The loss functions of all outputs, in a model that is trained."""
    own = any(term.own for term in loss.terms)
    logits = all(term.by_logits or not term.probabilities for term in loss.terms)
    if not own and (logits or not both):
        return f"dict.fromkeys(LOSS_WEIGHTS, {CROSS_ENTROPY})"
    soft = tuple(term.output for term in loss.terms if term.by_logits)
    return f"LOSSES | dict.fromkeys({literal(soft)}, {CROSS_ENTROPY})" if soft else "LOSSES"


def _of_all(plan: ModulePlan, loss: Loss) -> FunctionView:
    """The weighted sum over outputs with targets of their own."""
    lines, used = list[str](), "LOSSES"
    if plan.by_logits:
        lines.append(f"losses = {_trained_by(loss, both=True)} if from_logits else LOSSES")
        used = "losses"
    lines += [
        "return sum(",
        f"    weight * ops.mean({used}[output](targets[output], outputs[output]))",
        "    for output, weight in LOSS_WEIGHTS.items()",
        *["    if output in outputs"] * bool(plan.typed.auxiliary),
        ")",
    ]
    arguments = ["aux_logits=True"] * bool(plan.typed.auxiliary) + [LOGITS] * bool(plan.by_logits)
    built = f" a model built with ``{', '.join(arguments)}``" if arguments else ""
    functions = {_function_of(term) for term in loss.terms}
    functions |= {CROSS_ENTROPY} if plan.by_logits else set()
    saved = sorted(name for name in functions if not name.startswith("keras."))
    parts = [
        loss.summary,
        "Targets are by output, as outputs are: class indices of any integer type for "
        "cross-entropy, else numbers. Returns the mean.",
        *[OF_DEFAULT] * bool(plan.by_logits),
        f"To train{built}: ``model.compile(loss={_trained_by(loss, both=True)}, "
        "loss_weights=LOSS_WEIGHTS)`` and ``model.fit(x, targets)``, with targets for each of "
        "``LOSSES``.",
        *([_load(*saved)] if saved else []),
    ]
    kind = f"dict[str, {TENSOR}]"
    parameters = [f"targets: {kind}", f"outputs: {kind}"]
    parameters += ["from_logits: bool = False"] * bool(plan.by_logits)
    body = tuple(Code(f"    {line}") for line in lines)
    doc = docstring(*parts, *loss.notes, indent=4)
    return FunctionView(signature("loss", parameters, TENSOR), doc, body)


def _function_of(term: LossTerm) -> str:
    """The function of the loss of an output."""
    if term.kind == CROSS_ENTROPY:
        return OF_PROBABILITIES if term.probabilities else CROSS_ENTROPY
    return BINARY if term.kind == BINARY else f"keras.losses.{term.kind}"


def _sum(plan: ModulePlan, loss: Loss, *, both: bool) -> FunctionView:
    """The weighted sum over all outputs."""
    main, given = literal(loss.terms[0].output), CROSS_ENTROPY
    called, lines = CROSS_ENTROPY, list[str]()
    if both:
        given, called = f"LOSSES[{main}]", "LOSSES[output]"
    if plan.by_logits:
        given, called = f"losses[{main}]", "losses[output]"
        lines.append(f"losses = {_trained_by(loss, both=both)} if from_logits else LOSSES")
    lines += [
        "if not isinstance(outputs, dict):",
        f"    return ops.mean({given}(targets, outputs))",
        "return sum(",
        f"    weight * ops.mean({called}(targets, outputs[output]))",
        "    for output, weight in LOSS_WEIGHTS.items()",
        ")",
    ]
    why = [OF_DEFAULT] if plan.by_logits else []
    doc = docstring(
        loss.summary, f"{_targets(loss)} Returns the mean.", *why, *loss.notes, indent=4
    )
    more = ["from_logits: bool = False"] * bool(plan.by_logits)
    kind = f"{TENSOR} | dict[str, {TENSOR}]"
    return _function("loss", doc, lines, *more, outputs=kind)


def _function(
    name: str, doc: Code, lines: tuple[str, ...] | list[str], *more: str, outputs: str = TENSOR
) -> FunctionView:
    """A function of targets and outputs."""
    parameters = [f"targets: {TENSOR}", f"outputs: {outputs}", *more]
    body = tuple(Code(f"    {line}") for line in lines)
    return FunctionView(signature(name, parameters, TENSOR), doc, body)


def _body(loss: Loss, probabilities: bool) -> tuple[str, ...]:
    """The body of a cross-entropy."""
    flat = any(term.flat for term in loss.terms)
    one = "outputs = ops.reshape(outputs, (-1, outputs.shape[-1]))  # its one position"
    return (
        *[one] * flat,
        'targets = ops.reshape(ops.cast(targets, "int32"), ops.shape(outputs)[:-1])',
        *(_of_probabilities(loss.smoothing) if probabilities else _of_logits(loss.smoothing)),
        "inside = ops.logical_and(targets >= 0, targets < outputs.shape[-1])",
        'return ops.where(inside, entropy, float("nan"))  # JAX raises no errors',
    )


def _of_logits(smoothing: float) -> list[str]:
    """The cross-entropy of logits for each sample."""
    lines = ["entropy = ops.sparse_categorical_crossentropy(targets, outputs, from_logits=True)"]
    if smoothing:
        lines += [
            "uniform = -ops.mean(ops.log_softmax(outputs), axis=-1)",
            f"entropy = {literal(1 - smoothing)} * entropy + {literal(smoothing)} * uniform",
        ]
    return lines


def _of_probabilities(smoothing: float) -> list[str]:
    """The cross-entropy of probabilities; Keras' own clips them at 1e-7, where gradients vanish."""
    lines = ["one_hot = ops.one_hot(targets, outputs.shape[-1], dtype=outputs.dtype)"]
    if smoothing:
        smooth = f"{literal(1 - smoothing)} * one_hot + {literal(smoothing)}"
        lines.append(f"one_hot = {smooth} / outputs.shape[-1]")
    return [
        *lines,
        'half = keras.backend.standardize_dtype(outputs.dtype) == "float16"',
        "logs = ops.log(ops.maximum(outputs, 6.2e-5 if half else 1e-30))",
        "entropy = -ops.sum(one_hot * logs, axis=-1)",
    ]


def _load(*functions: str) -> str:
    """How to load a model that was compiled with these functions."""
    objects = ", ".join(f'"{function}": {function}' for function in functions)
    return (
        "To load a model that was compiled and saved: ``keras.models.load_model(path, "
        f"custom_objects={{{objects}}})``, or ``compile=False`` to use it without this file."
    )


def _losses(loss: Loss) -> tuple[Code, ...]:
    """The entries of ``LOSSES``: the loss function of every output."""
    return tuple(Code(f"    {literal(t.output)}: {_function_of(t)},") for t in loss.terms)


def _weights(loss: Loss) -> Code:
    """``LOSS_WEIGHTS``: the weight of every output in the loss."""
    pairs = [f"{literal(term.output)}: {literal(term.weight)}" for term in loss.terms]
    line = f"LOSS_WEIGHTS = {{{', '.join(pairs)}}}"
    if len(line) <= 88:
        return Code(line)
    inner = "".join(f"    {pair},\n" for pair in pairs)
    return Code(f"LOSS_WEIGHTS = {{\n{inner}}}")
