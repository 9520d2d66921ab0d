"""Checks that Keras calls shared layers as the spec does: at all sizes, and in the same order.

The order matters for a batch norm: each call moves its statistics.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from inception_dsl.backend import (
    BatchNormFields,
    Report,
    TypedOp,
    TypedStep,
    TypedUse,
    roots,
    sharing,
    walk,
)

from .call_order import Graph, Node, misplaced
from .source import Source

_SIZES: Final = "Keras code has one size for the maps of shared layers, and these may have two"
_ORDER: Final = (
    "Keras may compute these two steps in another order, which matters for the moving statistics "
    "of their batch norm"
)


def check_shared(source: Source, report: Report) -> bool:
    """Whether Keras can call all layers that steps share, as the spec does; reports the others."""
    refused = {id(node) for node in (*source.functions.refused, *source.network.body.refused)}
    before = len(report.diagnostics)
    for chains in roots(source.plan.printed):
        found: dict[int, list[TypedStep]] = {}
        for step, owner, _ in sharing(chains):
            found.setdefault(id(owner), [owner]).append(step)
        for owner, *sharers in found.values():
            if id(owner.node) in refused:
                help = "share the weights of steps whose inputs have the same size"
                report.error("E503", _SIZES, sharers[0].node.origin.span("weights"), help=help)
    _check_order(source, report)
    return len(report.diagnostics) == before


def _check_order(source: Source, report: Report) -> None:
    """Report the first call of each shared batch norm that may come before an earlier one."""
    seen = set()
    for graph, outputs in _models(source):
        for calls in graph.calls.values():
            steps = [call.step for call in calls if call.step]
            if not _normalises(steps[0]) or id(steps[0].node) in seen:
                continue
            for one, other in misplaced(calls, outputs):
                assert one.step is not None
                assert other.step is not None
                seen.add(id(steps[0].node))
                help = (
                    "let this step read what depends on the other one, or end parallel branches "
                    "of one fork with them"
                )
                related = [(one.step.node.origin.span(), "the other step")]
                span = other.step.node.origin.span("weights")
                report.error("E503", _ORDER, span, help=help, related=related)
                break


def _models(source: Source) -> Iterator[tuple[Graph, Sequence[Node]]]:
    """The models of a file, each with its outputs in the order of Keras: that of their names.

    With and without auxiliary heads, without the head, and the inner models.
    """
    typed, network = source.plan.printed, source.network
    graph, after = Graph(typed), dict[str, Node]()
    x = features = next(iter(graph.inputs.values()))
    for name, chain in typed.sections.items():
        features = x if name == "head" else features
        x = graph.chain(chain, x, (), after)
    outputs = {source.plan.typed.output_name: x}
    outputs |= {name: after[step] for name, step in typed.program.outputs.items()}
    heads = {
        head.name: graph.chain(chain, after[head.after], (head.name,), {})
        for head, chain in typed.heads
    }
    always = outputs | {name: y for name, y in heads.items() if name not in typed.auxiliary}
    below = {name: after[step] for name, step in network.outputs_below.items()}
    for found in (outputs | heads, always, {network.features_name: features, **below}):
        yield graph, [found[name] for name in sorted(found)]
    waiting, known = [*graph.inner.values()], set[int]()
    while waiting:
        chain = waiting.pop()
        if id(chain) not in known:
            known.add(id(chain))
            graph = Graph(typed)
            yield graph, [graph.chain(chain, Node(), (), {})]
            waiting += graph.inner.values()


def _normalises(step: TypedStep) -> bool:
    """Whether a step has moving statistics."""
    typed = step.runs[0].typed
    ops = [typed] if isinstance(typed, TypedOp) else []
    if isinstance(typed, TypedUse):
        ops = [node for _, node in walk(typed.body) if isinstance(node, TypedOp)]
    return any(isinstance(getattr(node.op, "batch_norm", node.op), BatchNormFields) for node in ops)
