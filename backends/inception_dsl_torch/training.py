"""The functions beside the model: loss, initial weights, preprocessing."""

from __future__ import annotations

from typing import NamedTuple

from inception_dsl.backend import (
    Code,
    Group,
    Loss,
    LossTerm,
    ModulePlan,
    Preprocessing,
    Start,
    TensorType,
    docstring,
    flat,
    layout,
    literal,
    signature,
)
from inception_dsl.backend import call as call_of

from .size_check import AXES

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


def training(plan: ModulePlan, outputs: str, trained: str) -> TrainingView:
    """The functions that ``training``, ``aux_heads`` and ``preprocessing`` ask for.

    ``outputs`` is the named tuple of outputs in evaluation, ``trained`` that in training.
    """
    program, steps = plan.typed.program, plan.preprocessing
    init, init_doc = initial(plan.start, program.input.rank) if plan.start else ((), EMPTY)
    loss, loss_head, loss_doc = (
        loss_function(plan, plan.loss, outputs, trained) if plan.loss else ((), EMPTY, EMPTY)
    )
    lines, doc = preprocess(steps, program.input) if steps else ((), EMPTY)
    needs = ["torch"] if init else []
    needs += ["F", "Tensor"] if loss else []
    needs += ["torch", "Tensor"] if steps else []
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
    plan: ModulePlan, loss: Loss, outputs: str, trained: str
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
        alone = "outputs.logits" if program.outputs else "outputs"
        lines.append(f"if isinstance(outputs, {outputs if program.outputs else 'Tensor'}):")
        lines.append(f"    return {entropy(alone, first, loss)}")
        lines.append(f"total = {entropy('outputs.logits', first, loss)}")
        for index, head in enumerate(heads):
            term = f"{literal(head.weight)} * {entropy(f'outputs.{head.output}', head, loss)}"
            last = index == len(heads) - 1
            lines.append(f"{'return' if last else 'total ='} total + {term}")
    kind = outputs if program.outputs else "Tensor"
    kind += f" | {trained}" if heads else ""
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


def preprocess(found: Preprocessing, taken: TensorType) -> tuple[tuple[Code, ...], Code]:
    """The body of ``preprocess``; ``taken`` is the type of an image."""
    rank = taken.rank
    sizes = ", ".join(AXES[rank])
    numbers = [n for n in (found.mean, found.std) if isinstance(n, tuple)]
    fixed = bool(numbers) or found.channel_order == "bgr"
    channels = str(taken.channels) if fixed else "channels"
    shapes = f"([N,] {channels}, {sizes})"
    wrong = f"images.dim() not in ({rank + 1}, {rank + 2})"
    wrong += f" or images.shape[-{rank + 1}] != {channels}" if fixed else ""
    lines = [
        Code(f"    if {wrong}:"),
        layout("raise ", _error(f"expected {shapes}, got {{tuple(images.shape)}}"), indent=8),
        Code("    if images.dtype != torch.uint8 and not images.is_floating_point():"),
        layout("raise ", _error("expected uint8 or floats, got {images.dtype}"), indent=8),
        Code("    x = images.to(torch.promote_types(images.dtype, torch.float32))"),
    ]
    value = "x"
    if found.channel_order == "bgr":
        value = f"x.flip(-{rank + 1})"
    if found.scale != 1.0:
        value += f" * {literal(found.scale)}"
    for values, sign, neutral in ((found.mean, "-", 0.0), (found.std, "/", 1.0)):
        if values == neutral:
            continue
        text: str = literal(values)
        if isinstance(values, tuple):
            text = "mean" if sign == "-" else "std"
            shape = [literal(-1), *[literal(1)] * rank]
            tensor = call_of("x.new_tensor", literal(list(values)))
            lines.append(layout(f"{text} = ", tensor, indent=4))
            text = flat(call_of(f"{text}.view", *shape))
        value = f"({value}) / {text}" if sign == "/" and value != "x" else f"{value} {sign} {text}"
    lines.append(Code(f"    return {value}"))
    shown = f"one image ({channels}, {sizes}) or a batch"
    doc = docstring(f"Convert RGB pixels from 0 to 255, {shown}, to network input.", indent=4)
    return tuple(lines), doc


def _error(message: str) -> Group:
    return call_of("ValueError", Code(f'f"{message}"'))
