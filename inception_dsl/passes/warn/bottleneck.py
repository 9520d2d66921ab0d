"""W405: a pool with a stride just before the number of channels at least doubles.

A representational bottleneck: Szegedy et al. 2015, arXiv 1512.00567, section 2 (principle 1) and
section 5 (figures 9 and 10). Pooling d x d x k first leaves only (d/2) x (d/2) x k values as input
of a layer with 2k filters. Not reported inside branches, as other branches may keep the values that
the pool drops, where a later branch begins before the pool, and not for a pool on the network
input. All pools of a spec are one report: published networks often have several, by design.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...ir.typed import TypedFork, TypedOp, TypedStep
from ...ops import SAME_SHAPE, AvgPool, Conv, ConvBn, MaxPool, SeparableConv
from ...ops.base import axes
from ...types.tensor import COLOURS
from .commands import command, together
from .survey import Case, Check, Found, Survey, Warn, field_span

WIDER = 2
_LISTED = 3  # other pools in a message


def _find(survey: Survey) -> Iterator[Found]:
    program = survey.typed.program
    for case, typed in survey.layers(MaxPool, AvgPool):
        before, after = typed.x.positions(), typed.y.positions()
        image = program.kind == "network" and typed.x in program.inputs.values()
        if (
            case.context.forked
            or image
            or not 1 < after < before
            or case.steps[case.position].count > 1
            or _kept(survey, case)
        ):
            continue
        step = _next(case)
        if step is not None and step.runs[0].typed.y.channels >= WIDER * (typed.y.channels):
            yield Found(
                typed.node.origin, case.context, before * typed.x.channels, (case, typed, step)
            )


def _kept(survey: Survey, case: Case) -> bool:
    """Whether a later branch begins with what the pool reads."""
    for position in range(case.position - 1, -1, -1):
        step = case.steps[position]
        if survey.starts_branch(case.steps, position):
            return True
        ops = [run.typed.op for run in step.runs if isinstance(run.typed, TypedOp)]
        if not all(isinstance(op, SAME_SHAPE) for op in ops) or len(ops) < len(step.runs):
            break
    return False


def _next(case: Case) -> TypedStep | None:
    """The next step that computes features, unless it is a classifier, or a fork whose channels
    come from earlier steps too.
    """
    for step in [s for s in case.steps[case.position + 1 :] if s.runs]:
        typed = step.runs[0].typed
        if isinstance(typed, TypedOp):
            if isinstance(typed.op, SAME_SHAPE):
                continue
            return step if isinstance(typed.op, Conv | ConvBn | SeparableConv) else None
        beside = isinstance(typed, TypedFork) and typed.node.after
        return step if typed.y.rank and not beside else None
    return None


def _describe(survey: Survey, found: list[Found]) -> Warn:
    case, typed, step = found[0].data
    channels = step.runs[0].typed.y.channels
    message = (
        f"`{typed.op.op}` reduces {typed.x} to {typed.y} before the next step outputs "
        f"{channels:,} channels: a bottleneck"
    )
    window = f"kernel_size: {_written(typed.op.kernel_size)}, stride: {_written(typed.op.stride)}"
    pads = f", padding: {_written(typed.op.padding)}" if typed.op.padding != "same" else ""
    pool = f"{pads}{', ceil_mode: true' if typed.op.ceil_mode else ''}"
    like = typed.op.convolved(typed.x)[0]
    beside = f", padding: {_written(like)}" if like != "same" else ""
    conv = f"{{op: conv_bn, filters: {typed.x.channels}, {window}{beside}}}"
    branches = f"{{branch_conv: [{conv}], branch_pool: [{{op: {typed.op.op}, {window}{pool}}}]}}"
    help = f"pool in parallel with a convolution: `{{merge: concat, branches: {branches}}}`"
    help += command(survey, "parallel-reduction", case) if _parallel(survey, case) else ""
    span = field_span(typed.node.origin, "stride")
    related = [(step.node.origin.span(), "more channels from here on")]
    others = list({one.key: one for one in found if one.key != found[0].key}.values())
    if others:
        names = [
            f"`{'/'.join((*o.context.path, *o.data[0].node.segments))}`" for o in others[:_LISTED]
        ]
        more = f" and {len(others) - _LISTED} more" if len(others) > _LISTED else ""
        message += f"; so {'does' if len(others) == 1 else 'do'} {', '.join(names)}{more}"
        related += [(field_span(o.origin, "stride"), "this one, too") for o in others[:_LISTED]]
    return Warn(message, span, help, tuple(related))


def _parallel(survey: Survey, case: Case) -> bool:
    """Whether ``rewrite`` can put a convolution beside a pool: in all its uses it has a stride and
    is not on an image, and one text gives the channels.
    """
    every = [one.typed for one in together(survey, case) if isinstance(one.typed, TypedOp)]
    strides = (axes(getattr(t.op, "stride", 1), t.x.rank, "stride") for t in every)
    channels = {t.x.channels for t in every}
    known = len(channels) == 1 or (case.position == 0 and bool(case.context.uses))
    return known and min(channels) > COLOURS and all(max(stride) > 1 for stride in strides)


def _written(value: object) -> str:
    return f"[{', '.join(map(_written, value))}]" if isinstance(value, tuple) else str(value)


CHECK = Check("W405", _find, _describe, once=True)
