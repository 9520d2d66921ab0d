"""W407, W408, W409: outputs of a network that is trained, whose loss is not what it seems.

Cross-entropy of one class is always 0; outputs that do not follow `classes` stay as they are when
it changes; an output with more than one position has no loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...analysis.infer import infer
from ...diagnostics.report import Report
from ...ir.typed import TypedChain, TypedOp, TypedProgram, end_of, ops_from_the_end
from ...types.tensor import TensorType
from .survey import Case, Check, Found, Steps, Survey, Warn, field_span


class _Output(NamedTuple):
    """An output of logits or probabilities: the layer that sets its channels, or its last op.

    ``field`` is the field of the layer that does. ``number`` is the head's, or -1.
    """

    case: Case
    layer: TypedOp
    field: str
    number: int
    y: TensorType

    def found(self) -> Found:
        return Found(self.layer.node.origin, self.case.context, self.y.channels, self)


def _outputs(survey: Survey) -> Iterator[_Output]:
    typed = survey.typed
    program = typed.program
    if program.kind != "network" or not (program.training or typed.auxiliary):
        return
    ends: list[tuple[int, list[TypedChain], Steps]] = [
        (number, [chain], chain.steps)
        for number, (head, chain) in enumerate(typed.heads)
        if head.auxiliary
    ]
    if program.sections.get("head"):
        ends.append((-1, [*typed.sections.values()], survey.steps))
    for number, chains, steps in ends:
        layer = _deciding(chains)
        if end_of(chains) == "features" or layer is None:
            continue
        case = next(c for c in survey.cases if c.typed is layer and _inside(c, steps))
        yield _Output(case, layer, _field(layer), number, chains[-1].y)


def _deciding(chains: list[TypedChain]) -> TypedOp | None:
    """The last layer that sets the number of channels; the last op if a fork does."""
    last = None
    for op in ops_from_the_end(chains):
        if op is None:
            break
        last = last or op
        if _field(op):
            return op
    return last


def _field(layer: TypedOp) -> str:
    return next((name for name in ("units", "filters") if hasattr(layer.op, name)), "")


def _inside(case: Case, steps: Steps) -> bool:
    """Whether a case is in this chain, or in a block that it uses: heads may share a block."""
    node = (*case.context.uses, case.steps[case.position].node)[0]
    return any(own is node for step in steps for own in (step.node, *step.node.each))


def _single(survey: Survey) -> Iterator[Found]:
    for output in _outputs(survey):
        if output.y.channels == 1 and output.y.positions() == 1:
            yield output.found()


def _describe_single(_: Survey, found: list[Found]) -> Warn:
    output: _Output = found[0].data
    message = "this output has one class, so its cross-entropy is always 0"
    help = (
        "give it two classes, or `activation: sigmoid`, which has no loss in the generated file; "
        "write `allow: [W407]` if you have a loss of your own"
    )
    return Warn(message, field_span(output.layer.node.origin, output.field or "op"), help)


def _fixed(survey: Survey) -> Iterator[Found]:
    program = survey.typed.program
    if ("classes",) not in program.origin.document.spans:
        return
    classes, other = program.values["classes"], None
    for output in _outputs(survey):
        if output.y.channels in (1, classes):
            continue
        values = {**program.values, "classes": classes + 1}
        other = other or infer(program._replace(values=values), Report())
        if other is not None and _channels(other, output.number) == output.y.channels:
            yield output.found()


def _channels(typed: TypedProgram, number: int) -> int:
    return (typed.y if number < 0 else typed.heads[number][1].y).channels


def _describe_fixed(survey: Survey, found: list[Found]) -> Warn:
    output, program = found[0].data, survey.typed.program
    classes = program.values["classes"]
    message = f"this output has {output.y.channels:,} classes, and `classes` is {classes:,}"
    span = field_span(output.layer.node.origin, output.field or "op")
    related = ((program.origin.span("classes"), "`classes` is here"),)
    help = "write `$classes` instead of the number, `${classes + 1}` with a background class"
    return Warn(message, span, help, related)


def _map(survey: Survey) -> Iterator[Found]:
    program = survey.typed.program
    trained = {program.outputs.get(name) for name in program.losses}
    last = survey.steps[-1].node.segments[-1:] if survey.steps else ()
    for output in _outputs(survey):
        own = output.number < 0 and bool(trained.intersection(last))
        if output.y.positions() > 1 and not own:
            yield output.found()


def _describe_map(_: Survey, found: list[Found]) -> Warn:
    output: _Output = found[0].data
    message = f"this output is a map of {output.y}, and has no loss"
    help = (
        "add `{op: global_avg_pool}` after this step; for a map, add an output of this step with a "
        "`loss`, or `allow: [W409]`"
    )
    return Warn(message, output.layer.node.origin.span("op"), help)


SINGLE = Check("W407", _single, _describe_single)
FIXED = Check("W408", _fixed, _describe_fixed)
MAP = Check("W409", _map, _describe_map)
