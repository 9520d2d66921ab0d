"""The functions beside the model: loss, initial weights, preprocessing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from inception_dsl.backend import (
    Code,
    ConvTranspose,
    Initial,
    InitialValue,
    ModulePlan,
    Start,
    TypedOp,
    cases,
    docstring,
    layout,
    literal,
    walk_program,
)
from inception_dsl.backend import call as call_of

from .losses import loss_function
from .preprocessing import preprocess
from .results import Results

EMPTY = Code("")
CUT = 0.954499  # erf(sqrt(2)) rounded down: P(|x| < 2 standard deviations) of a normal x
REST: Final = 0.8796256610342398
"""The standard deviation of a standard normal distribution that is cut at 2 (as in Keras)."""
CUT_NORMALS: Final = ("truncated_normal", "he_normal")
Lines: TypeAlias = Callable[[InitialValue, int], list[Code]]


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
    recalibrates: bool = False
    several: bool = False

    @property
    def batch(self) -> Code:
        """The type of a batch: a tensor, or one for each of several inputs."""
        return Code("tuple[Tensor, ...]" if self.several else "Tensor")


def training(plan: ModulePlan, results: Results, names: Mapping[str, str]) -> TrainingView:
    """The functions that ``training``, ``aux_heads`` and ``preprocessing`` ask for.

    ``names`` are those of the modules with weights, by path.
    """
    program, steps = plan.typed.program, plan.preprocessing
    kinds = layers_with_kernels(plan)
    init, init_doc = initial(plan.start, kinds, names) if plan.start else ((), EMPTY)
    loss, loss_head, loss_doc = (
        loss_function(plan, plan.loss, results) if plan.loss else ((), EMPTY, EMPTY)
    )
    lines, doc = preprocess(steps, program.input) if steps else ((), EMPTY)
    needs = ["torch"] if init else []
    needs += ["F", "Tensor"] if loss else []
    needs += ["torch"] if any("torch.finfo" in line for line in loss) else []
    needs += ["Iterable", "torch", "Tensor"] if plan.recalibrates else []
    needs += ["torch", "Tensor"] if steps else []
    needs += ["F"] if any("F.interpolate" in line for line in lines) else []
    return TrainingView(
        *(init, init_doc, loss, loss_head, loss_doc, lines, doc, tuple(needs)),
        recalibrates=plan.recalibrates,
        several=program.several,
    )


def layers_with_kernels(plan: ModulePlan) -> str:
    """The classes of layers with a kernel, as a union."""
    rank = plan.typed.program.rank
    if not rank:
        return "nn.Linear"
    nodes = (node for _, node in walk_program(plan.typed) if isinstance(node, TypedOp))
    transposed = any(isinstance(node.op, ConvTranspose) for node in nodes)
    more = f" | nn.ConvTranspose{rank}d" if transposed else ""
    return f"nn.Conv{rank}d{more} | nn.Linear"


def initial(start: Start, kinds: str, names: Mapping[str, str]) -> tuple[tuple[Code, ...], Code]:
    """The body of ``init_weights``; ``kinds`` are the classes of layers with a kernel."""

    def chosen(groups: Sequence[Initial], lines: Lines, indent: int) -> list[Code]:
        bodies = [([names[p] for p in g.paths], partial(lines, g.value)) for g in groups]
        return cases("name", bodies, indent)

    several = len(start.kernels) > 1 and not start.kernels[-1].paths
    several = several and all(group.value.name in CUT_NORMALS for group in start.kernels)
    kernels = chosen(start.kernels, deviation if several else kernel, 16)
    kernels += drawn("stddev", 16) if several else []
    named = any(group.paths for group in (*start.kernels, *start.biases))
    loop = "for name, module in self.named_modules():" if named else "for module in self.modules():"
    lines = [
        Code(f"        {loop}"),
        Code(f"            if isinstance(module, {kinds}):"),
        *kernels,
    ]
    if start.biases:
        lines.append(Code("                if module.bias is not None:"))
        lines += chosen(start.biases, bias, 20)
    return tuple(lines), docstring(start.summary, start.note, indent=8)


def deviation(value: InitialValue, indent: int) -> list[Code]:
    """The standard deviation of a truncated normal distribution before it is cut."""
    if value.name == "truncated_normal":
        return [layout("stddev = ", literal(value.number), indent=indent)]
    # of the whole distribution, so that it is sqrt(2 / fan_in) after the cut
    scaled = f"(2 / module.weight[0].numel()) ** 0.5 / {REST}"
    return [layout("stddev = ", scaled, indent=indent)]


def drawn(stddev: str, indent: int) -> list[Code]:
    """The lines that draw a kernel from a truncated normal distribution."""
    # nn.init.trunc_normal_ takes seconds for Inception-v3: PyTorch 2.13 uses rejection sampling
    why = "# inverse of the normal distribution, cut at 2 standard deviations"
    inverse = call_of(f"module.weight.uniform_(-{CUT}, {CUT}).erfinv_().mul_", f"{stddev} * 2**0.5")
    return [layout(why, "", indent=indent), layout("", inverse, indent=indent)]


def kernel(value: InitialValue, indent: int) -> list[Code]:
    """The lines that set a kernel."""
    if value.name == "truncated_normal":
        return drawn(literal(value.number), indent)
    if value.name == "he_normal":
        return [*deviation(value, indent), *drawn("stddev", indent)]
    if value.name == "glorot_uniform":
        return [layout("nn.init.xavier_uniform_(module.weight)", "", indent=indent)]
    return [
        layout("bound = ", "(3 / module.weight[0].numel()) ** 0.5", indent=indent),
        layout("nn.init.uniform_(module.weight, -bound, bound)", "", indent=indent),
    ]


def bias(value: InitialValue, indent: int) -> list[Code]:
    """The line that sets a bias."""
    setter = f"nn.init.constant_(module.bias, {literal(value.number)})"
    return [layout(setter if value.number else "nn.init.zeros_(module.bias)", "", indent=indent)]
