"""Checks that the losses of outputs fit what these outputs are."""

from __future__ import annotations

from dataclasses import replace

from ..diagnostics.report import Report
from ..ir.program import OutputLoss
from ..ir.typed import End, TypedChain, TypedProgram, end_of
from ..types.tensor import TensorType

_LOGITS = "remove its activation: the loss applies it"


def check_losses(typed: TypedProgram, report: Report) -> bool:
    """Whether every loss fits its output; reports those that do not."""
    before = len(report.diagnostics)
    for name, loss in typed.program.losses.items():
        problem, help = _problem(loss, typed.outputs[name], _end(typed, name))
        if problem:
            report.error("E405", f"`{loss.kind}` {problem}", loss.origin.span("loss"), help=help)
    return len(report.diagnostics) == before


def _problem(loss: OutputLoss, y: TensorType, end: End) -> tuple[str, str]:
    """Why a loss does not fit an output of this type, and what to do; empty if it does."""
    if loss.kind == "mean_squared_error":
        return "", ""
    if end == "probabilities":
        return "takes logits, but this output is the result of a softmax", _LOGITS
    if end == "features":
        what = "takes logits, but this output is not that of a layer without an activation"
        return what, f"{_LOGITS}; or write `loss: mean_squared_error`"
    if loss.kind == "cross_entropy" and y.channels == 1:
        what = "of an output with one class is always 0"
        return what, "write `loss: binary_cross_entropy`, or give the output two classes"
    return "", ""


def _end(typed: TypedProgram, name: str) -> End:
    """What an output is: the end of its head, or of the steps up to that which computes it."""
    for head, chain in typed.heads:
        if head.name == name:
            return end_of([*_before(typed, head.after), chain])
    return end_of(_before(typed, typed.program.outputs[name]))


def _before(typed: TypedProgram, after: str) -> list[TypedChain]:
    """The chains up to a step."""
    found: list[TypedChain] = []
    for chain in typed.sections.values():
        for index, step in enumerate(chain.steps):
            if step.node.segments[-1:] == (after,):
                return [*found, replace(chain, steps=chain.steps[: index + 1])]
        found.append(chain)
    return found
