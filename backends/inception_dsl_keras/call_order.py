"""The order in which a model of Keras calls layers: by the depth of the calls, not as written.

Keras orders calls by the longest way from them to an output. A layer that is called several times
gives all of its calls at least the depth of those before them in a depth-first search.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from inception_dsl.backend import (
    TypedChain,
    TypedFork,
    TypedOp,
    TypedProgram,
    TypedStep,
    TypedUse,
    applications,
    owned,
    owners,
)

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """What one step of the spec is in the graph of Keras: a layer, or several in a row."""

    inputs: tuple[Node, ...] = ()
    step: TypedStep | None = None


class Graph:
    """The nodes of a model. ``calls`` are those of each layer that is called several times, in the
    order of the spec; ``inner`` the models in it that are called several times.
    """

    def __init__(self, typed: TypedProgram) -> None:
        self.owners = owners(typed)
        self.inputs = {name: Node() for name in typed.program.inputs}
        self.calls: dict[Path, list[Node]] = {}
        self.inner: dict[int, TypedChain] = {}

    def chain(self, chain: TypedChain, x: Node, own: Path, after: dict[str, Node]) -> Node:
        """Add a chain; ``own`` is the path of its weights, ``after`` gets the outputs of steps."""
        earlier: dict[str, Node] = {}
        for step in chain.steps:
            shared = bool(step.node.shares) or id(step.node) in self.owners
            for below, typed in applications(step):
                path = owned(step, below, own)
                if isinstance(typed, TypedFork):
                    x = self.fork(typed, x, path, earlier)
                elif isinstance(typed, TypedUse) and not shared:
                    x = self.chain(typed.body, x, path, {})
                else:
                    x = self.layer(typed, x, path, step if shared else None)
            earlier |= dict.fromkeys(step.node.segments[-1:], x)
        after |= earlier
        return x

    def layer(self, typed: TypedOp | TypedUse, x: Node, path: Path, step: TypedStep | None) -> Node:
        """Add a layer, or a call of what is called several times: ``step``."""
        x = Node((x,), step)
        if step is not None:
            self.calls.setdefault(path, []).append(x)
            if isinstance(typed, TypedUse):
                self.inner[id(typed.body)] = typed.body
        return x

    def fork(self, fork: TypedFork, x: Node, path: Path, earlier: dict[str, Node]) -> Node:
        """Add a fork: its branches, a layer that gives a vector the axes of a map, the merge."""
        node = fork.node
        starts = node.starts(Node((x,)) if node.split else x, earlier)
        if node.inputs:
            starts = [self.inputs[name] for name, _ in fork.branches]
        ends = []
        for (name, branch), start in zip(fork.branches, starts, strict=True):
            end = self.chain(branch, start, (*path, name), {})
            reshaped = node.merge != "concat" and fork.y.rank and not branch.y.rank
            ends.append((branch.y.channels, Node((end,)) if reshaped else end))
        if node.merge == "add":  # the order in which they are written
            ends.sort(key=lambda pair: pair[0])
        return Node(tuple(end for _, end in ends))


def misplaced(calls: Iterable[Node], outputs: Sequence[Node]) -> Iterator[tuple[Node, Node]]:
    """The pairs of successive calls of one layer that Keras may compute in the other order.

    A call on which another depends comes first. Of others, the first in a depth-first search has at
    least the depth of the second; at the same depth, that one comes first which is read first in
    the reversed order of the search.
    """
    found = {node: number for number, node in enumerate(searched(outputs))}
    read: dict[Node, int] = {}
    readers: dict[Node, list[Node]] = {}
    for node in reversed(found):
        for other in (node, *node.inputs):
            read.setdefault(other, len(read))
        for other in node.inputs:
            readers.setdefault(other, []).append(node)
    made = [call for call in calls if call in found]
    for number, (one, other) in enumerate(pairwise(made), 1):
        first = found[one] < found[other]
        if one in other.inputs or one in searched([other]):
            continue
        if first and read[one] < read[other]:
            continue
        if not first or not all(_deeper(one, later, readers) for later in made[number:]):
            yield one, other


def _deeper(one: Node, other: Node, readers: Mapping[Node, Sequence[Node]]) -> bool:
    """Whether ``one`` is further from the outputs than ``other``, however many layers a node has:
    all that reads the output of ``other`` also depends on something that reads that of ``one``.
    """
    between = readers.get(one, ())
    found = [searched(node.inputs) for node in readers.get(other, ())]
    return bool(between) and all(any(node in above for node in between) for above in found)


def searched(outputs: Sequence[Node]) -> dict[Node, None]:
    """What the outputs depend on, and they themselves, in the order of a depth-first search."""
    done: dict[Node, None] = {}
    waiting = [(node, False) for node in reversed(outputs)]
    while waiting:
        node, ready = waiting.pop()
        if ready:
            done.setdefault(node)
        elif node not in done:
            waiting.append((node, True))
            waiting += [(other, False) for other in reversed(node.inputs)]
    return done
