"""W404: a bias before batch norm, which subtracts it with the mean.

Ioffe and Szegedy 2015, section 3.2. Reported where batch norm directly follows the layer, and
nothing else reads the output of the layer. So it must be with all layers that share its weights.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...diagnostics.report import Edit
from ...ir.typed import TypedOp
from ...ops import BatchNorm, Conv, ConvBn, ConvTranspose, Dense, DepthwiseConv, Op, SeparableConv
from .survey import Case, Check, Found, Survey, Warn, field_span


def _find(survey: Survey) -> Iterator[Found]:
    kinds = (Conv, ConvBn, SeparableConv, DepthwiseConv, ConvTranspose, Dense)
    found = [
        (case, typed)
        for case, typed in survey.layers(*kinds)
        if getattr(typed.op, "use_bias", False) and _cancelled(survey, case, typed)
    ]
    cancelled, shared = {id(typed.node) for _, typed in found}, survey.shared
    for case, typed in found:
        if shared.get(id(typed.node), cancelled) <= cancelled:
            size = sum(w.size for w in typed.weights if w.name.rpartition("/")[2] == "bias")
            yield Found(typed.node.origin, case.context, size, typed)


def _cancelled(survey: Survey, case: Case, typed: TypedOp) -> bool:
    """Whether batch norm is all that reads the sum of a layer and its bias."""
    if isinstance(typed.op, ConvBn):
        return True
    program = survey.typed.program
    elsewhere = {*program.outputs.values(), *(head.after for head in program.heads)}
    if case.steps is survey.steps and elsewhere & set(typed.node.segments[-1:]):
        return False
    return _normalised(case, typed.op) and not survey.starts_branch(case.steps, case.position)


def _normalised(case: Case, op: Op) -> bool:
    """Whether the next step is batch norm, and the layer has no activation before it."""
    step, after = case.steps[case.position], [s for s in case.steps[case.position + 1 :] if s.runs]
    if step.count > 1 or not after or getattr(op, "activation", "none") != "none":
        return False
    follower = after[0].runs[0].typed
    return isinstance(follower, TypedOp) and isinstance(follower.op, BatchNorm)


def _describe(_: Survey, found: list[Found]) -> Warn:
    typed: TypedOp = found[0].data
    count = sum(one.weight * one.context.times for one in found)
    where = "its batch norm" if isinstance(typed.op, ConvBn) else "the batch norm after it"
    message = (
        f"the bias of this `{typed.op.op}` has no effect, as {where} subtracts it: "
        f"{count:,} parameters"
    )
    span = field_span(typed.node.origin, "use_bias")
    fix = (Edit(span, "false"),) if span.in_a_file and span != typed.node.origin.span("op") else ()
    return Warn(message, span, "write `use_bias: false`", fix=fix)


CHECK = Check("W404", _find, _describe)
