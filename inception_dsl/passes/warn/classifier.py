"""W407, W408, W409: outputs of a network that is trained, whose loss is not what it seems.

Cross-entropy of one class is always 0; a number of units that is written out does not follow
`classes`; an output with more than one position has no loss.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...ir.typed import TypedChain, TypedOp, end_of, ops_from_the_end
from ...types.tensor import TensorType
from .survey import Case, Check, Found, Survey, Warn, field_span


def _classifiers(survey: Survey) -> Iterator[tuple[Case, TypedOp, TensorType]]:
    """The layer that gives logits or probabilities, and the type of the output; heads as well."""
    typed = survey.typed
    program = typed.program
    if program.kind != "network" or not (program.training or program.aux_heads):
        return
    chains: list[list[TypedChain]] = (
        [[*typed.sections.values()]] if program.sections.get("head") else []
    )
    chains += [[chain] for _, chain in typed.heads]
    for found in chains:
        if end_of(found) == "features":
            continue
        layer = next((op for op in ops_from_the_end(found) if op is None or _field(op)), None)
        cases = [case for case in survey.cases if case.typed is layer]
        if layer is not None and cases:
            yield cases[-1], layer, found[-1].y


def _field(layer: TypedOp) -> str:
    """The field that sets the channels of a layer, or an empty text."""
    return next((name for name in ("units", "filters") if hasattr(layer.op, name)), "")


def _found(case: Case, layer: TypedOp, y: TensorType) -> Found:
    return Found(layer.node.origin, case.context, y.channels, (layer, y))


def _single(survey: Survey) -> Iterator[Found]:
    for case, layer, y in _classifiers(survey):
        if y.channels == 1 and y.positions() == 1:
            yield _found(case, layer, y)


def _describe_single(_: Survey, found: list[Found]) -> Warn:
    layer: TypedOp = found[0].data[0]
    message = "this output has one class: its cross-entropy is always 0, and nothing is trained"
    help = "give it two classes, or `activation: sigmoid`, which is an output without a loss"
    return Warn(message, field_span(layer.node.origin, _field(layer)), help)


def _fixed(survey: Survey) -> Iterator[Found]:
    program = survey.typed.program
    if ("classes",) not in program.origin.document.spans:
        return
    for case, layer, y in _classifiers(survey):
        written = getattr(layer.node.op, _field(layer), None)
        if isinstance(written, int) and y.channels == written != program.values["classes"]:
            yield _found(case, layer, y)


def _describe_fixed(survey: Survey, found: list[Found]) -> Warn:
    layer, y = found[0].data
    field, program = _field(layer), survey.typed.program
    classes = program.values["classes"]
    message = f"this output has {y.channels:,} classes, and `classes` is {classes:,}"
    span = field_span(layer.node.origin, field)
    related = ((program.origin.span("classes"), "`classes` is here"),)
    return Warn(message, span, f"write `{field}: $classes`", related)


def _map(survey: Survey) -> Iterator[Found]:
    for case, layer, y in _classifiers(survey):
        if y.positions() > 1 and not case.context.auxiliary:
            yield _found(case, layer, y)


def _describe_map(_: Survey, found: list[Found]) -> Warn:
    layer, y = found[0].data
    message = f"this output is a map of {y}, and has no loss"
    help = "add `{op: global_avg_pool}` beside this step, or `allow: [W409]` if a map is meant"
    return Warn(message, layer.node.origin.span("op"), help)


SINGLE = Check("W407", _single, _describe_single)
FIXED = Check("W408", _fixed, _describe_fixed)
MAP = Check("W409", _map, _describe_map)
