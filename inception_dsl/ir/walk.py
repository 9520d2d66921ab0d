"""Traversals of programs and typed programs."""

from __future__ import annotations

from collections.abc import Iterator

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
    """Every node of a chain and its branches, a fork before its branches, not inside blocks."""
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
    chains = [*program.sections.values(), *(head.chain for head in program.heads), *blocks]
    return (node for chain in chains for node in nodes(chain))


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


def walk(chain: TypedChain, prefix: Path = ()) -> Iterator[tuple[Path, Typed]]:
    """Every node with its path, in execution order; a fork or a use comes after its contents."""
    for step in chain.steps:
        for path, typed in applications(step):
            here = prefix + path
            if isinstance(typed, TypedFork):
                for name, branch in typed.branches:
                    yield from walk(branch, (*here, name))
            elif isinstance(typed, TypedUse):
                yield from walk(typed.body, here)
            yield here, typed


def walk_program(typed: TypedProgram, *, heads: bool = True) -> Iterator[tuple[Path, Typed]]:
    """Every node of the program; the heads come last, the auxiliary ones only if ``heads``."""
    for chain in typed.sections.values():
        yield from walk(chain)
    for head, chain in typed.heads:
        if heads or not head.auxiliary:
            yield from walk(chain, (head.name,))


def inner_chains(typed: Typed) -> Iterator[TypedChain]:
    """The chains of a fork or a use."""
    if isinstance(typed, TypedFork):
        yield from (branch for _, branch in typed.branches)
    elif isinstance(typed, TypedUse):
        yield typed.body
