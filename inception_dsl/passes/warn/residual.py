"""W402: a residual with more than 1,000 filters that is added without scaling.

Szegedy et al. 2016, section 3.3: with more than 1,000 filters, such networks "died" early in
training. A lower learning rate or more batch norm did not prevent it; a factor of 0.1 to 0.3 did.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...ir.typed import Typed, TypedChain, TypedFork, TypedOp, TypedUse
from ...ops import Identity, Scale
from .survey import Case, Check, Found, Survey, Warn

FILTERS = 1_000  # Szegedy et al. 2016, section 3.3


def _find(survey: Survey) -> Iterator[Found]:
    scaled: dict[int, bool] = {}
    for case in survey.cases:
        fork = case.typed
        if (
            not isinstance(fork, TypedFork)
            or fork.node.merge != "add"
            or fork.y.channels <= FILTERS
            or fork.node.split is not None  # a sum of parts, not a residual
            or fork.node.inputs
        ):
            continue
        starts = dict(zip(dict(fork.branches), _starts(case, fork), strict=True))
        kept = {starts[name] for name, chain in fork.branches if _shortcut(chain)}
        bare = [
            name
            for name, chain in fork.branches
            if starts[name] in kept and not _shortcut(chain) and not _scaled(chain, scaled)
        ]
        if bare:
            yield Found(fork.node.origin, case.context, fork.y.channels, (fork, bare[0]))


def _starts(case: Case, fork: TypedFork) -> list[str]:
    """The step that each branch begins with.

    A branch that begins elsewhere than the shortcut is no residual, as in a feature pyramid.
    """
    earlier, now = dict[str, str](), "the input of the chain"
    for step in case.steps[: case.position]:
        for segment in step.node.segments[-1:]:
            now = segment if step.runs else now  # without repetitions, it returns its input
            earlier[segment] = now
    return fork.node.starts(now, earlier)


def _shortcut(chain: TypedChain) -> bool:
    """Whether a branch returns its input unchanged."""
    nodes = [run.typed for step in chain.steps for run in step.runs]
    return all(isinstance(node, TypedOp) and isinstance(node.op, Identity) for node in nodes)


def _scaled(chain: TypedChain, known: dict[int, bool]) -> bool:
    """Whether a branch contains a ``scale`` below 1."""
    if id(chain) not in known:
        known[id(chain)] = any(
            _smaller(run.typed, known) for step in chain.steps for run in step.runs
        )
    return known[id(chain)]


def _smaller(typed: Typed, known: dict[int, bool]) -> bool:
    if isinstance(typed, TypedOp):
        return isinstance(typed.op, Scale) and abs(typed.op.value) < 1
    chains = [typed.body] if isinstance(typed, TypedUse) else [chain for _, chain in typed.branches]
    return any(_scaled(chain, known) for chain in chains)


def _describe(_: Survey, found: list[Found]) -> Warn:
    fork, branch = found[0].data
    message = f"a residual with {fork.y.channels:,} filters is added without a `scale` below 1"
    help = f"end `{branch}` with `{{op: scale, value: 0.2}}`"
    return Warn(message, fork.node.origin.span("merge"), help)


CHECK = Check("W402", _find, _describe)
