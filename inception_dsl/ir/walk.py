"""Traversals of programs and typed programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .program import Chain, ForkNode, Node, Program
from .typed import Path, Typed, TypedChain, TypedFork, TypedOp, TypedProgram, TypedStep, TypedUse


def nodes_of(chain: TypedChain) -> Iterator[TypedOp | TypedUse]:
    """The layers and uses in a chain and its branches, not inside blocks.

    Repetitions with the same types give one node.
    """
    for step in chain.steps:
        for run in step.runs:
            if isinstance(run.typed, TypedFork):
                for _, branch in run.typed.branches:
                    yield from nodes_of(branch)
            else:
                yield run.typed


def uses_of(chain: TypedChain) -> Iterator[TypedUse]:
    """The uses in a chain and its branches."""
    return (node for node in nodes_of(chain) if isinstance(node, TypedUse))


def own_layers(chain: TypedChain) -> Iterator[TypedOp]:
    """The layers in a chain and its branches, not inside blocks."""
    return (node for node in nodes_of(chain) if isinstance(node, TypedOp))


def layers_of(chain: TypedChain) -> Iterator[TypedOp]:
    """The layers in a chain, its branches and the blocks it uses."""
    for node in nodes_of(chain):
        if isinstance(node, TypedOp):
            yield node
        else:
            yield from layers_of(node.body)


def nodes(chain: Chain) -> Iterator[Node]:
    """The steps of a chain, as :func:`steps`; of one whose repetitions differ, these."""
    return (one for step in steps(chain) for one in step.each or (step,))


def steps(chain: Chain) -> Iterator[Node]:
    """Every step of a chain and its branches, a fork before its branches, not inside blocks."""
    stack = list(reversed(chain))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, ForkNode):
            for _, branch in reversed(node.branches):
                stack.extend(reversed(branch))


def written_steps(program: Program) -> Iterator[Node]:
    """The steps in the spec, including those of used blocks."""
    blocks = (block.chain for block in program.blocks.values())
    return (node for chain in (*program.chains, *blocks) for node in nodes(chain))


def step_count(program: Program) -> int:
    """The number of steps in the spec, including those of used blocks."""
    return sum(1 for _ in written_steps(program))


def applications(step: TypedStep) -> Iterator[tuple[Path, Typed]]:
    """Every repetition of a step with its path below the chain."""
    index = 0
    for run in step.runs:
        for _ in range(run.count):
            yield (
                (*step.node.segments, str(index)) if step.repeated else step.node.segments,
                run.typed,
            )
            index += 1


def owned(step: TypedStep, path: Path, own: Path) -> Path:
    """The path of the weights of one application of a step, at ``path`` below its chain.

    ``own`` is the path of the weights of the chain: another than that of the chain if a use around
    it shares weights.
    """
    shares = step.node.shares
    return shares.of((*own, *step.node.segments)) if shares else (*own, *path)


def visits(chain: TypedChain, prefix: Path, own: Path) -> Iterator[tuple[Path, Typed, Path]]:
    """Every node with its path and the path of its weights, in execution order; a fork or a use
    comes after its contents.
    """
    for step in chain.steps:
        for path, typed in applications(step):
            here, weights = prefix + path, owned(step, path, own)
            if isinstance(typed, TypedFork):
                for name, branch in typed.branches:
                    yield from visits(branch, (*here, name), (*weights, name))
            elif isinstance(typed, TypedUse):
                yield from visits(typed.body, here, weights)
            yield here, typed, weights


def walk(chain: TypedChain, prefix: Path = ()) -> Iterator[tuple[Path, Typed]]:
    """Every node with its path, in execution order; a fork or a use comes after its contents."""
    return ((path, typed) for path, typed, _ in visits(chain, prefix, prefix))


def visit_program(typed: TypedProgram, *, heads: bool = True) -> Iterator[tuple[Path, Typed, Path]]:
    """Every node of the program, as :func:`visits`; the heads come last, the auxiliary ones only if
    ``heads``.
    """
    for chain in typed.sections.values():
        yield from visits(chain, (), ())
    for head, chain in typed.heads:
        if heads or not head.auxiliary:
            yield from visits(chain, (head.name,), (head.name,))


def walk_program(typed: TypedProgram, *, heads: bool = True) -> Iterator[tuple[Path, Typed]]:
    """Every node of the program; the heads come last, the auxiliary ones only if ``heads``."""
    return ((path, node) for path, node, _ in visit_program(typed, heads=heads))


def weighted(typed: TypedProgram) -> Iterator[tuple[Path, TypedOp]]:
    """The layers of the program, without those that have the weights of other layers."""
    for path, node, own in visit_program(typed):
        if isinstance(node, TypedOp) and path == own:
            yield path, node


def roots(typed: TypedProgram) -> Iterator[tuple[TypedChain, ...]]:
    """The chains in which paths begin: the sections together, each head, each block that is used,
    once for all of its uses with the same types.
    """
    waiting = [tuple(typed.sections.values()), *((chain,) for _, chain in typed.heads)]
    seen = set[int]()
    while waiting:
        chains = waiting.pop()
        yield chains
        for chain in chains:
            for use in uses_of(chain):
                if id(use.body) not in seen:
                    seen.add(id(use.body))
                    waiting.append((use.body,))


def owners(typed: TypedProgram) -> frozenset[int]:
    """The steps of the program whose weights other steps have, by the ``id`` of the node."""
    found = (owner for chains in roots(typed) for _, owner, _ in sharing(chains))
    return frozenset(id(owner.node) for owner in found)


def sharing(chains: Iterable[TypedChain]) -> Iterator[tuple[TypedStep, TypedStep, Path]]:
    """The steps of a block, or of all sections, that share weights: each with the owner, and the
    owner's path.
    """
    found: dict[Path, TypedStep] = {}
    for chain in chains:
        yield from _sharing(chain, (), found)


def _sharing(
    chain: TypedChain, prefix: Path, found: dict[Path, TypedStep]
) -> Iterator[tuple[TypedStep, TypedStep, Path]]:
    """``found`` are the layers and uses so far by path; they stay within a repeated fork."""
    for step in chain.steps:
        here = (*prefix, *step.node.segments)
        if not isinstance(step.node, ForkNode):
            found[here] = step
            owner = step.node.shares and step.node.shares.of(here)
            if owner in found:
                yield step, found[owner], owner
            continue
        for run in step.runs:
            inner = dict(found) if step.repeated else found
            assert isinstance(run.typed, TypedFork)
            for name, branch in run.typed.branches:
                yield from _sharing(branch, (*here, name), inner)


def inner_chains(typed: Typed) -> Iterator[TypedChain]:
    """The chains of a fork or a use."""
    if isinstance(typed, TypedFork):
        yield from (branch for _, branch in typed.branches)
    elif isinstance(typed, TypedUse):
        yield typed.body
