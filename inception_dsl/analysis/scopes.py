"""The steps that a path of the field ``weights`` can lead to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from ..ir.program import Chain, ForkNode, Node
from ..ir.typed import Path
from .step_names import starts

Found: TypeAlias = tuple[Node, Path, bool]


class Scope(NamedTuple):
    """A chain or a fork that is being read: its steps or branches so far, and its path.

    ``later`` are the names of all of them. ``repeated``: it is a fork with ``repeat``.
    """

    done: Sequence[Node] | Mapping[str, Chain]
    here: Path
    later: frozenset[str] = frozenset()
    repeated: bool = False

    def comes(self, name: str) -> bool:
        """Whether a later step or branch has this name, or the one that is being read."""
        if isinstance(self.done, Mapping):
            return name in self.later and name not in self.done
        return name in self.later and all(name not in node.segments[:1] for node in self.done)

    def paths(self) -> Iterator[str]:
        """The paths of all layers and uses so far."""
        if isinstance(self.done, Mapping):
            for name, branch in self.done.items():
                yield from _paths(branch, (name,))
        else:
            yield from _paths(self.done, ())


def _paths(nodes: Sequence[Node], above: Path) -> Iterator[str]:
    for node in nodes:
        here = (*above, *node.segments)
        if not isinstance(node, ForkNode):
            yield "/".join(here)
            continue
        for name, branch in node.branches:
            yield from _paths(branch, (*here, name))


class Index:
    """Finds steps of chains by their paths; each chain is read once, however often it is asked."""

    def __init__(self) -> None:
        self.chains: dict[int, tuple[Sequence[Node], list[int], dict[Path, list[Node]]]] = {}

    def find(self, scope: Scope, path: Path) -> Found | None:
        """The step at ``path``, what is left of the path if it is a use, and whether a fork around
        it is repeated.
        """
        if not isinstance(scope.done, Mapping):
            return self._find(scope.done, path, False)
        branch = scope.done.get(path[0])
        return None if branch is None else self._find(branch, path[1:], False)

    def _find(self, nodes: Sequence[Node], path: Path, repeated: bool) -> Found | None:
        _, read, known = self.chains.setdefault(id(nodes), (nodes, [0], {}))
        for node in nodes[read[0] :]:
            for start in starts(node):
                known.setdefault(start, []).append(node)
        read[0] = len(nodes)
        keys = dict.fromkeys((path[:2], path[:1], ()))
        for node in (node for key in keys for node in known.get(key, ())):
            size = len(node.segments)
            rest = path[size:]
            if not isinstance(node, ForkNode):
                if size or not rest:
                    return node, rest, repeated
                continue
            if size and not rest:
                return node, rest, repeated
            branch = dict(node.branches).get(rest[0]) if rest else None
            found = branch and self._find(branch, rest[1:], repeated or node.repeat != 1)
            if found:
                return found
        return None
