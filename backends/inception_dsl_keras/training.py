"""The functions beside the model: preprocessing and loss."""

from __future__ import annotations

from inception_dsl.backend import (
    Code,
    Initializer,
    Preprocessing,
    Program,
    TypedProgram,
    docstring,
    literal,
    recorded,
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
    summary = "RGB pixels from 0 to 255 to what the network takes; not part of the model."
    return PreprocessView(docstring(summary, indent=4), lines)


def initial(found: Initializer) -> InitialView | None:
    """``init_weights``, or nothing where the paper starts as Keras does."""
    shape = "variable.shape"
    value, what = {
        "truncated_normal": (
            f"keras.random.truncated_normal({shape}, stddev={literal(found.stddev)})",
            f"Truncated normal of standard deviation {found.stddev:g}",
        ),
        "glorot_uniform": ("", "Glorot (Xavier) uniform, as Keras has it"),
        "he_normal": (f"keras.initializers.HeNormal()({shape})", "He normal (fan in)"),
    }[found.name]
    chosen = [('variable.name.endswith("kernel")', value)] if value else []
    if found.bias:
        chosen.append(('variable.name == "bias"', f"ops.full({shape}, {literal(found.bias)})"))
    lines = []
    for index, (test, start) in enumerate(chosen):
        lines += [f"{'elif' if index else 'if'} {test}:", f"    variable.assign({start})"]
    doc = docstring(f"{what}; biases {found.bias:g}.", found.note, indent=4)
    body = tuple(Code(f"        {line}") for line in lines)
    return InitialView(doc, body, operating=bool(found.bias)) if lines else None


def loss(typed: TypedProgram) -> LossView:
    """The cross-entropy of one output, and the weighted sum where there are several."""
    program = typed.program
    smoothing = program.training.label_smoothing if program.training else 0.0
    ends = [typed.y, *(chain.y for _, chain in typed.heads)]
    flat = any(y.rank and y.positions() == 1 for y in ends)
    several = bool(program.aux_heads or program.outputs)
    mixed = typed.probabilities and bool(program.aux_heads)  # heads give logits
    what = f" with label smoothing {smoothing:g}" if smoothing else ""
    extra = recorded(program.training) if program.training else []
    title = (
        f"Mean cross-entropy{what}, weighted" if several else f"Cross-entropy of every sample{what}"
    )
    summary = docstring(f"{title}; targets are classes.", *extra, indent=4)
    lines = entropy(smoothing, probabilities=typed.probabilities and not mixed, flat=flat)
    return LossView(
        summary,
        lines,
        not several,
        (weights(program),) if several else (),
        (entropy(smoothing, probabilities=True, flat=flat),) if mixed else (),
        Code("dict.fromkeys(LOSS_WEIGHTS, cross_entropy)" if not mixed else "LOSSES"),
        Code("LOSSES[output]" if mixed else "cross_entropy"),
        Code(f"{OF_PROBABILITIES if mixed else 'cross_entropy'}"),
        losses(program) if mixed else (),
        operating=several or typed.probabilities or flat or bool(smoothing),
    )


def entropy(smoothing: float, *, probabilities: bool, flat: bool) -> tuple[Code, ...]:
    """The body of a cross-entropy; ``flat`` where an output is a map of one position."""
    one_hot = "one_hot = ops.one_hot(targets, outputs.shape[-1]"
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


def losses(program: Program) -> tuple[Code, ...]:
    """The entries of ``LOSSES``: what is taken of every output."""
    found = {
        program.output_name: OF_PROBABILITIES,
        **{head.name: "cross_entropy" for head in program.aux_heads},
    }
    return tuple(Code(f"    {literal(name)}: {function},") for name, function in found.items())


def weights(program: Program) -> Code:
    """``LOSS_WEIGHTS``: the share of every output in the loss."""
    found = {
        program.output_name: 1.0,
        **{head.name: head.loss_weight for head in program.aux_heads},
    }
    pairs = ", ".join(f"{literal(name)}: {literal(weight)}" for name, weight in found.items())
    line = f"LOSS_WEIGHTS = {{{pairs}}}"
    if len(line) <= 88:
        return Code(line)
    inner = "".join(f"    {literal(name)}: {literal(weight)},\n" for name, weight in found.items())
    return Code(f"LOSS_WEIGHTS = {{\n{inner}}}")
