"""Aligns the steps of two chains, and the branches of two forks, as a person would."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from ..ir.program import Chain, ForkNode, Node, OpNode, Program, UseNode
from ..ir.typed import Path
from ..ops import attribute_names

Pair: TypeAlias = tuple[Node | None, Node | None]


def aligned(old: Chain, new: Chain) -> list[Pair]:
    """The steps side by side in order; ``None`` stands for a step that the other chain has not.

    Equal steps at both ends are pairs; between them, the pairs are those of the alignment with the
    greatest sum of similarities (Needleman and Wunsch 1970).
    """
    keys = [[(name_of(step), content(step)) for step in chain] for chain in (old, new)]
    least = min(len(old), len(new))
    start = next((i for i in range(least) if keys[0][i] != keys[1][i]), least)
    rest = least - start
    end = next((i for i in range(rest) if keys[0][-1 - i] != keys[1][-1 - i]), rest)
    inner = _aligned(old[start : len(old) - end], new[start : len(new) - end])
    first, last = zip(old[:start], new, strict=False), range(end, 0, -1)
    return [*first, *inner, *((old[-i], new[-i]) for i in last)]


def top_steps(old: Program, new: Program) -> list[tuple[Path, Path]]:
    """The paths of the top-level steps of both networks, those side by side that stand for each
    other or were moved; an empty path stands for a step that the other network has not.
    """
    sections = dict.fromkeys([*old.sections, *new.sections])
    pairs = [
        pair
        for name in sections
        for pair in aligned(old.sections.get(name, ()), new.sections.get(name, ()))
    ]
    gone = [a for a, b in pairs if a and b is None]
    found: list[tuple[Node | None, Node | None]] = []
    for a, b in pairs:
        alike = (x for x in gone if a is None and b and same_step(x, b))
        source = next(alike, None)
        gone = [x for x in gone if x is not source]
        found.append((source or a, b))
    moved = {id(a) for a, b in found if b is not None}
    return [
        (a.segments if a else (), b.segments if b else ())
        for a, b in found
        if b is not None or id(a) not in moved
    ]


def _aligned(old: Chain, new: Chain) -> list[Pair]:
    rows, columns = len(old), len(new)
    alike = _similarities(old, new)
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            both = best[i + 1][j + 1] + alike[i][j] if alike[i][j] else 0.0
            best[i][j] = max(both, best[i + 1][j], best[i][j + 1])
    found: list[Pair] = []
    i = j = 0
    while i < rows and j < columns:
        if alike[i][j] and best[i][j] == best[i + 1][j + 1] + alike[i][j]:
            found.append((old[i], new[j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            found.append((old[i], None))
            i += 1
        else:
            found.append((None, new[j]))
            j += 1
    return [*found, *((x, None) for x in old[i:]), *((None, y) for y in new[j:])]


def _similarities(old: Chain, new: Chain) -> list[list[float]]:
    """How much alike each two steps are; a step whose name another step has is not renamed."""
    taken = {name_of(step) for step in old}, {name_of(step) for step in new}

    def alike(a: Node, b: Node) -> float:
        others = {name_of(a)} & taken[1] | {name_of(b)} & taken[0]
        if same_names(a, b) is False and others - {None}:
            return 0.0
        return similarity(a, b)

    return [[alike(a, b) for b in new] for a in old]


def similarity(a: Node, b: Node) -> float:
    """How much alike two steps are, from 0 (not at all) to 2 (the same content and name)."""
    same = same_names(a, b)
    if isinstance(a, OpNode) and isinstance(b, OpNode):
        found = _of_ops(a, b)
    elif isinstance(a, UseNode) and isinstance(b, UseNode):
        found = _of_uses(a, b) if same is not False or a.block == b.block else 0.0
    elif isinstance(a, ForkNode) and isinstance(b, ForkNode):
        names = [{name for name, _ in node.branches} for node in (a, b)]
        found = 0.4 + 0.6 * len(names[0] & names[1]) / len(names[0] | names[1])
    else:
        found = 0.3 if same else 0.0
    if found <= 0:
        return 0.7 if same else 0.0
    named = {None: 0.3, True: 1.0, False: 0.0}[same]
    return max(found + named, 0.0)


def name_of(node: Node) -> str | None:
    """The name of a step in paths; ``None`` if that is its position."""
    last = node.segments[-1] if node.segments else ""
    return None if not last or last.isdigit() else last


def same_names(a: Node, b: Node) -> bool | None:
    """Whether both have the same name; ``None`` if neither was given one: uses have that of their
    block then.
    """
    if name_of(a) == name_of(b) is not None:
        return True
    given = [n for n in (a, b) if name_of(n) not in (None, getattr(n, "block", None))]
    return False if given else None


def same_step(a: Node, b: Node) -> bool:
    """Whether two steps have the same name and content."""
    return name_of(a) == name_of(b) and content(a) == content(b)


def content(node: Node) -> Any:
    """All of a step but its name, to be compared and hashed."""
    repeat = plain(node.repeat)
    if isinstance(node, OpNode):
        steps = node.each or (node,)
        ops = tuple((s.op.op, *(plain(getattr(s.op, k)) for k in names(s))) for s in steps)
        return "op", repeat, ops, node.shares
    if isinstance(node, UseNode):
        uses = tuple(tuple((k, plain(v)) for k, v in n.arguments.items()) for n in node.each)
        own = tuple((k, plain(v)) for k, v in node.arguments.items())
        return "use", repeat, node.block, own, uses, node.shares
    branches = tuple((n, tuple((name_of(s), content(s)) for s in c)) for n, c in node.branches)
    return "fork", repeat, node.merge, plain(node.split), tuple(node.after.items()), branches


def names(node: OpNode) -> tuple[str, ...]:
    """The attributes of a layer."""
    return attribute_names(type(node.op))


def attribute(node: OpNode, name: str) -> Any:
    """An attribute of a layer, or its values in all repetitions."""
    return single([getattr(each.op, name) for each in node.each or (node,)])


def single(values: list[Any]) -> Any:
    """The value that all of these are, or all of them."""
    return values[0] if len(set(map(plain, values))) == 1 else tuple(values)


def plain(value: Any) -> Any:
    """A value in a form that can be compared and hashed: an expression is its text."""
    if isinstance(value, list | tuple):
        return tuple(plain(v) for v in value)
    if isinstance(value, dict):
        return tuple((k, plain(v)) for k, v in value.items())
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(type(value), "model_fields"):
        return tuple((k, plain(getattr(value, k))) for k in type(value).model_fields)
    return str(value)


def _of_ops(a: OpNode, b: OpNode) -> float:
    if a.op.op == b.op.op:
        own = names(a)
        equal = sum(plain(getattr(a.op, k)) == plain(getattr(b.op, k)) for k in own)
        return 0.6 + 0.4 * (equal / len(own) if own else 1)
    if _words(a.op.op) & _words(b.op.op):
        shared = [k for k in names(a) if k in names(b)]
        equal = sum(plain(getattr(a.op, k)) == plain(getattr(b.op, k)) for k in shared)
        return 0.3 + 0.2 * (equal / len(shared) if shared else 0)
    return 0.0


def _of_uses(a: UseNode, b: UseNode) -> float:
    if a.block != b.block:
        return 0.4
    equal = sum(plain(v) == plain(b.arguments.get(k)) for k, v in a.arguments.items())
    return 0.7 + 0.3 * (equal / len(a.arguments) if a.arguments else 1)


@lru_cache(maxsize=256)
def _words(kind: str) -> frozenset[str]:
    """What ops of one family share: ``conv`` and ``conv_bn``, the pools, the norms."""
    return frozenset(kind.split("_")) - {"global", "local", "to"}


def by_name(
    old: Sequence[tuple[str, Chain]], new: Sequence[tuple[str, Chain]]
) -> list[tuple[tuple[str, Chain] | None, tuple[str, Chain] | None]]:
    """Branches or heads side by side: by name, else the first of the others with equal steps."""
    left = {name: (name, chain) for name, chain in new}
    pairs: list[tuple[tuple[str, Chain] | None, tuple[str, Chain] | None]] = []
    rest = []
    for one in old:
        if one[0] in left:
            pairs.append((one, left.pop(one[0])))
        else:
            rest.append(one)
    for one in rest:
        steps = [content(step) for step in one[1]]
        same = (x for x in left.values() if [content(step) for step in x[1]] == steps)
        found = next(same, None)
        if found is not None:
            del left[found[0]]
        pairs.append((one, found))
    return [*pairs, *((None, x) for x in left.values())]
