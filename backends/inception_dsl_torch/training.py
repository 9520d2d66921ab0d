"""The functions beside the model: loss, initial weights, preprocessing."""

from __future__ import annotations

from typing import NamedTuple

from inception_dsl.backend import (
    Code,
    Loss,
    LossTerm,
    ModulePlan,
    Preprocessing,
    Start,
    docstring,
    layout,
    literal,
    signature,
)
from inception_dsl.backend import call as call_of

EMPTY = Code("")
CUT = 0.954499  # erf(sqrt(2)) rounded down: P(|x| < 2 standard deviations) of a normal x


class TrainingView(NamedTuple):
    """The functions beside the class, each empty if the spec does not ask for it; ``needs`` are
    their imports.
    """

    init: tuple[Code, ...] = ()
    init_doc: Code = EMPTY
    loss: tuple[Code, ...] = ()
    loss_head: Code = EMPTY
    loss_doc: Code = EMPTY
    preprocess: tuple[Code, ...] = ()
    preprocess_doc: Code = EMPTY
    needs: tuple[str, ...] = ()


def training(plan: ModulePlan, outputs: str) -> TrainingView:
    """The functions that ``training``, ``aux_heads`` and ``preprocessing`` ask for."""
    program, steps = plan.typed.program, plan.preprocessing
    init, init_doc = initial(plan.start, program.input.rank) if plan.start else ((), EMPTY)
    loss, loss_head, loss_doc = (
        loss_function(plan, plan.loss, outputs) if plan.loss else ((), EMPTY, EMPTY)
    )
    lines, doc = preprocess(steps, program.input.rank) if steps else ((), EMPTY)
    needs = ["torch"] if init else []
    needs += ["F", "Tensor"] if loss else []
    if steps:
        tensors = any(isinstance(numbers, tuple) for numbers in (steps.mean, steps.std))
        needs += ["torch", "Tensor"] if tensors else ["Tensor"]
    return TrainingView(init, init_doc, loss, loss_head, loss_doc, lines, doc, tuple(needs))


def initial(start: Start, rank: int) -> tuple[tuple[Code, ...], Code]:
    """The body of ``init_weights``."""
    found = start.found
    scaled = call_of(
        f"module.weight.uniform_(-{CUT}, {CUT}).erfinv_().mul_", f"{literal(found.stddev)} * 2**0.5"
    )
    inverse = layout("", scaled, indent=16).lstrip()
    setters = {
        # nn.init.trunc_normal_ takes seconds for Inception-v3: PyTorch 2.13 uses rejection sampling
        "truncated_normal": [
            "# inverse of the normal distribution, truncated at 2 standard deviations",
            inverse,
        ],
        "glorot_uniform": ["nn.init.xavier_uniform_(module.weight)"],
        "he_normal": ['nn.init.kaiming_normal_(module.weight, nonlinearity="relu")'],
    }[found.name]
    bias = "nn.init.zeros_(module.bias)"
    if found.bias:
        bias = f"nn.init.constant_(module.bias, {literal(found.bias)})"
    lines = [
        "for module in self.modules():",
        f"    if isinstance(module, nn.Conv{rank}d | nn.Linear):",
        *(f"        {line}" for line in setters),
        "        if module.bias is not None:",
        f"            {bias}",
    ]
    doc = docstring(start.summary, found.note, indent=8)
    return tuple(Code(f"        {line}") for line in lines), doc


def loss_function(
    plan: ModulePlan, loss: Loss, outputs: str
) -> tuple[tuple[Code, ...], Code, Code]:
    """The body, the signature and the documentation of ``loss``."""
    program = plan.typed.program
    first, *heads = loss.terms
    lines: list[str] = []
    if not outputs:
        lines.append(f"return {entropy('outputs', first, loss)}")
    elif not heads:
        lines.append(f"return {entropy('outputs.logits', first, loss)}")
    else:
        if not program.outputs:
            alone = entropy("outputs", first, loss)
            lines += ["if isinstance(outputs, Tensor):", f"    return {alone}"]
        lines.append(f"total = {entropy('outputs.logits', first, loss)}")
        for index, head in enumerate(heads):
            term = f"{literal(head.weight)} * {entropy(f'outputs.{head.output}', head, loss)}"
            if program.outputs:
                lines += [f"if outputs.{head.output} is not None:", f"    total = total + {term}"]
            else:
                last = index == len(heads) - 1
                lines.append(f"{'return' if last else 'total ='} total + {term}")
        lines += ["return total"] if program.outputs else []
    kind = "Tensor" if not outputs else outputs if program.outputs else f"Tensor | {outputs}"
    doc = docstring(loss.summary, *loss.notes, indent=4)
    head_line = signature("loss", [f"outputs: {kind}", "target: Tensor"], "Tensor")
    return tuple(Code(f"    {line}") for line in lines), head_line, doc


def entropy(value: str, term: LossTerm, loss: Loss) -> str:
    """The cross-entropy of an output as an expression."""
    value += ".flatten(1)" if term.flat else ""
    # the logarithm of probabilities as logits; the clamp avoids log(0)
    value += ".clamp(min=1e-30).log()" if term.probabilities else ""
    smooth = f", label_smoothing={literal(loss.smoothing)}" if loss.smoothing else ""
    return f"F.cross_entropy({value}, target{smooth})"


def preprocess(found: Preprocessing, rank: int) -> tuple[tuple[Code, ...], Code]:
    """The body of ``preprocess``."""
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
    doc = docstring(f"Convert RGB pixels from 0 to 255 ({axes}) to network input.", indent=4)
    return tuple(lines), doc
