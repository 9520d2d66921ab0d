"""The functions beside the model: preprocessing and loss."""

from __future__ import annotations

from inception_dsl.backend import (
    Code,
    Loss,
    ModulePlan,
    Preprocessing,
    Start,
    docstring,
    literal,
)

from .helpers import OF_PROBABILITIES
from .views import InitialView, LossView, PreprocessView


def preprocess(found: Preprocessing) -> PreprocessView:
    """``preprocess``, one step a line."""
    steps = ["ops.cast(images, keras.config.floatx())"]
    if found.channel_order == "bgr":
        steps.append("ops.flip(x, axis=-1)")
    if found.scale != 1:
        steps.append(f"x * {literal(found.scale)}")
    for sign, numbers, neutral in (("-", found.mean, 0.0), ("/", found.std, 1.0)):
        if isinstance(numbers, tuple):
            steps.append(f"x {sign} ops.convert_to_tensor({literal(list(numbers))}, x.dtype)")
        elif numbers != neutral:
            steps.append(f"x {sign} {literal(numbers)}")
    *first, last = steps
    lines = (*(Code(f"    x = {step}") for step in first), Code(f"    return {last}"))
    summary = "Convert RGB pixels from 0 to 255 to model input; not part of the model."
    return PreprocessView(docstring(summary, indent=4), lines)


def initial(start: Start) -> InitialView | None:
    """``init_weights``, or nothing where the paper starts as Keras does."""
    found, shape = start.found, "variable.shape"
    value = {
        "truncated_normal": (
            f"keras.random.truncated_normal({shape}, stddev={literal(found.stddev)})"
        ),
        "glorot_uniform": "",  # what Keras itself has
        "he_normal": f"keras.initializers.HeNormal()({shape})",
    }[found.name]
    chosen = [('variable.name.endswith("kernel")', value)] if value else []
    if found.bias:
        chosen.append(('variable.name == "bias"', f"ops.full({shape}, {literal(found.bias)})"))
    lines = []
    for index, (test, made) in enumerate(chosen):
        lines += [f"{'elif' if index else 'if'} {test}:", f"    variable.assign({made})"]
    doc = docstring(start.summary, found.note, indent=4)
    body = tuple(Code(f"        {line}") for line in lines)
    return InitialView(doc, body, operating=bool(found.bias)) if lines else None


def loss_view(plan: ModulePlan, loss: Loss) -> LossView:
    """The cross-entropy of one output, and the weighted sum where there are several."""
    several, smoothing = bool(plan.taps), loss.smoothing
    flat = any(term.flat for term in loss.terms)
    end, *heads = loss.terms
    mixed = end.probabilities and bool(heads)  # heads give logits
    how = "Returns the mean" if several else "Returns one value for each sample"
    summary = docstring(loss.summary, f"Targets are class indices. {how}.", *loss.notes, indent=4)
    return LossView(
        summary,
        entropy(smoothing, probabilities=end.probabilities and not mixed, flat=flat),
        not several,
        (weights(loss),) if several else (),
        (entropy(smoothing, probabilities=True, flat=flat),) if mixed else (),
        Code("dict.fromkeys(LOSS_WEIGHTS, cross_entropy)" if not mixed else "LOSSES"),
        Code("LOSSES[output]" if mixed else "cross_entropy"),
        Code(f"{OF_PROBABILITIES if mixed else 'cross_entropy'}"),
        losses(loss) if mixed else (),
        operating=several or end.probabilities or flat or bool(smoothing),
    )


def entropy(smoothing: float, *, probabilities: bool, flat: bool) -> tuple[Code, ...]:
    """The body of a cross-entropy; ``flat`` where an output is a map of one position."""
    one_hot = "one_hot = ops.one_hot(ops.reshape(targets, -1), outputs.shape[-1]"
    if probabilities:  # Keras's own cut them at 1e-7, and their gradients with them
        lines = [f"    {one_hot}, dtype=outputs.dtype)"]
        if smoothing:
            smooth = f"{literal(1 - smoothing)} * one_hot + {literal(smoothing)}"
            lines.append(f"    one_hot = {smooth} / outputs.shape[-1]")
        lines.append("    return -ops.sum(one_hot * ops.log(ops.maximum(outputs, 1e-30)), axis=-1)")
    elif smoothing:
        lines = [
            f"    {one_hot})",
            "    return keras.losses.categorical_crossentropy(",
            f"        one_hot, outputs, from_logits=True, label_smoothing={literal(smoothing)}",
            "    )",
        ]
    else:
        lines = [
            "    return keras.losses.sparse_categorical_crossentropy(",
            "        targets, outputs, from_logits=True",
            "    )",
        ]
    if flat:
        lines.insert(
            0, "    outputs = ops.reshape(outputs, (-1, outputs.shape[-1]))  # its one position"
        )
    return tuple(Code(line) for line in lines)


def losses(loss: Loss) -> tuple[Code, ...]:
    """The entries of ``LOSSES``: what is taken of every output."""
    kinds = {True: OF_PROBABILITIES, False: "cross_entropy"}
    return tuple(
        Code(f"    {literal(term.output)}: {kinds[term.probabilities]},") for term in loss.terms
    )


def weights(loss: Loss) -> Code:
    """``LOSS_WEIGHTS``: the share of every output in the loss."""
    pairs = [f"{literal(term.output)}: {literal(term.weight)}" for term in loss.terms]
    line = f"LOSS_WEIGHTS = {{{', '.join(pairs)}}}"
    if len(line) <= 88:
        return Code(line)
    inner = "".join(f"    {pair},\n" for pair in pairs)
    return Code(f"LOSS_WEIGHTS = {{\n{inner}}}")
