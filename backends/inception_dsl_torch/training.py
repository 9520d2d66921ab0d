"""The views of what stands beside the model: loss, initial weights, preprocessing."""

from __future__ import annotations

from typing import NamedTuple

from inception_dsl.backend import (
    Code,
    Preprocessing,
    Program,
    TensorType,
    Training,
    TypedProgram,
    docstring,
    layout,
    literal,
    recorded,
    signature,
)
from inception_dsl.backend import call as call_of

NOTHING = Code("")
CUT = 0.954499  # erf(sqrt(2)), cut: the share of a normal distribution within two deviations


class TrainingView(NamedTuple):
    """Functions beside the class; each is empty where the spec says nothing."""

    init: tuple[Code, ...] = ()
    init_doc: Code = NOTHING
    loss: tuple[Code, ...] = ()
    loss_head: Code = NOTHING
    loss_doc: Code = NOTHING
    preprocess: tuple[Code, ...] = ()
    preprocess_doc: Code = NOTHING


def training(typed: TypedProgram, outputs: str) -> TrainingView:
    """The functions that ``training``, ``aux_heads`` and ``preprocessing`` ask for."""
    program = typed.program
    found = program.training
    init, init_doc = (
        initial(found, program.input.rank) if found and found.initializer else ((), NOTHING)
    )
    loss, loss_head, loss_doc = (
        loss_function(typed, outputs) if found or program.aux_heads else ((), NOTHING, NOTHING)
    )
    steps = program.preprocessing
    lines, doc = preprocess(steps, program) if steps else ((), NOTHING)
    return TrainingView(init, init_doc, loss, loss_head, loss_doc, lines, doc)


def initial(found: Training, rank: int) -> tuple[tuple[Code, ...], Code]:
    """The body of ``init_weights``."""
    start = found.initializer
    assert start is not None
    scaled = call_of(
        f"module.weight.uniform_(-{CUT}, {CUT}).erfinv_().mul_", f"{literal(start.stddev)} * 2**0.5"
    )
    inverse = layout("", scaled, indent=16).lstrip()
    setters, what = {
        "truncated_normal": (
            ["# the inverse of the normal distribution between -2 and 2", inverse],
            f"Truncated normal of standard deviation {start.stddev:g}",
        ),
        "glorot_uniform": (["nn.init.xavier_uniform_(module.weight)"], "Glorot (Xavier) uniform"),
        "he_normal": (
            ['nn.init.kaiming_normal_(module.weight, nonlinearity="relu")'],
            "He normal (fan in)",
        ),
    }[start.name]
    bias = (
        "nn.init.zeros_(module.bias)"
        if not start.bias
        else f"nn.init.constant_(module.bias, {literal(start.bias)})"
    )
    lines = [
        "for module in self.modules():",
        f"    if isinstance(module, nn.Conv{rank}d | nn.Linear):",
        *(f"        {line}" for line in setters),
        "        if module.bias is not None:",
        f"            {bias}",
    ]
    doc = docstring(f"{what}; biases {start.bias:g}.", start.note, indent=8)
    return tuple(Code(f"        {line}") for line in lines), doc


def loss_function(typed: TypedProgram, outputs: str) -> tuple[tuple[Code, ...], Code, Code]:
    """The body, the signature and the documentation of ``loss``."""
    program, found = typed.program, typed.program.training
    smoothing = found.label_smoothing if found else 0.0

    def entropy(value: str, y: TensorType, *, logarithm: bool = False) -> str:
        value += ".flatten(1)" if y.rank and y.positions() == 1 else ""
        value += ".clamp(min=1e-30).log()" if logarithm else ""
        smoothed = f", label_smoothing={literal(smoothing)}" if smoothing else ""
        return f"F.cross_entropy({value}, target{smoothed})"

    def main(value: str) -> str:
        return entropy(value, typed.y, logarithm=typed.probabilities)

    lines = []
    if not outputs:
        lines.append(f"return {main('outputs')}")
    elif not program.aux_heads:
        lines.append(f"return {main('outputs.logits')}")
    else:
        if not program.outputs:
            lines += ["if isinstance(outputs, Tensor):", f"    return {main('outputs')}"]
        lines.append(f"total = {main('outputs.logits')}")
        for head, chain in typed.heads:
            term = f"{literal(head.loss_weight)} * {entropy(f'outputs.{head.name}', chain.y)}"
            if program.outputs:
                lines += [f"if outputs.{head.name} is not None:", f"    total = total + {term}"]
            else:
                lines.append(f"total = total + {term}")
        if program.outputs:
            lines.append("return total")
        else:
            lines[-1] = lines[-1].replace("total = ", "return ", 1)
    kind = "Tensor" if not outputs else outputs if program.outputs else f"Tensor | {outputs}"
    what = "probabilities" if typed.probabilities else "logits"
    smooth = f" with label smoothing {smoothing:g}" if smoothing else ""
    extra = ", ".join(
        f"{head.loss_weight:g} times that of ``{head.name}``" for head in program.aux_heads
    )
    first = (
        f"Cross-entropy{smooth} of {what} and class indices{f', plus {extra}' if extra else ''}."
    )
    doc = docstring(first, *(recorded(found) if found else ()), indent=4)
    head_line = signature("loss", [f"outputs: {kind}", "target: Tensor"], "Tensor")
    return tuple(Code(f"    {line}") for line in lines), head_line, doc


def preprocess(found: Preprocessing, program: Program) -> tuple[tuple[Code, ...], Code]:
    """The body of ``preprocess``."""
    rank = program.input.rank
    lines = []
    value = "images.float()"
    if found.channel_order == "bgr":
        value = "images.flip(1).float()"
    if found.scale != 1.0:
        value += f" * {literal(found.scale)}"
    for numbers, sign, neutral in ((found.mean, "-", 0.0), (found.std, "/", 1.0)):
        if isinstance(numbers, tuple):
            word = "mean" if sign == "-" else "std"
            shape = [literal(-1), *[literal(1)] * rank]
            tensor = call_of(f"torch.tensor({literal(list(numbers))}).view", *shape)
            lines.append(layout(f"{word} = ", tensor, indent=4))
            value = (
                f"({value}) {sign} {word}.to(images.device)"
                if sign == "/"
                else f"{value} {sign} {word}.to(images.device)"
            )
        elif numbers != neutral:
            value = (
                f"({value}) / {literal(numbers)}"
                if sign == "/"
                else f"{value} - {literal(numbers)}"
            )
    lines.append(Code(f"    return {value}"))
    axes = {1: "N, 3, length", 2: "N, 3, height, width", 3: "N, 3, depth, height, width"}[rank]
    doc = docstring(f"RGB pixels from 0 to 255 ({axes}) to what the network takes.", indent=4)
    return tuple(lines), doc
