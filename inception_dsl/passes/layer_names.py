"""The names of layers and weights in a published file, from an entry of ``checkpoints``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from ..ir.program import Naming
from ..ir.typed import TypedOp, TypedProgram, TypedUse
from ..ir.walk import walk_program, weighted
from ..ops import OPS, Composite, SeparableConv

Segments: TypeAlias = tuple[str, ...]


class Name(NamedTuple):
    """The name of a layer in a published file, and of a weight in the op (``kernel``, …).

    ``tensor`` is the whole name of the weight, if the spec has one for it. ``whole`` is the name of
    an op of several layers, if these have no names of their own.
    """

    layer: str
    weight: str
    tensor: str = ""
    whole: str = ""


class Pattern(NamedTuple):
    """One entry of a naming: its key, the path it matches, the published name, and the first and
    last number in that name.
    """

    key: tuple[str, ...]
    path: Segments
    name: str
    numbers: tuple[int, int] | None


class Lines(NamedTuple):
    """The entries of a naming by their paths.

    ``sizes`` are the lengths of the paths, longest first, each with the index of its ``*`` or -1.
    """

    patterns: Mapping[Segments, Pattern]
    sizes: tuple[tuple[int, int], ...]

    def longest(self, path: Segments) -> Pattern | None:
        """The entry with the longest path that ``path`` starts with; ``*`` matches a number."""
        best = None
        for size, star in self.sizes:
            if best is not None and size < len(best.path):
                break
            start = path[:size]
            if star >= 0 and star < len(start) and start[star].isdecimal():
                start = (*start[:star], "*", *start[star + 1 :])
            best = self.patterns.get(start, best)
        return best


def absent_names(typed: TypedProgram, source: str) -> tuple[str, ...]:
    """The published names of layers that the spec does not have: optional, or removed from it."""
    naming = typed.program.checkpoints[source]
    namer = Namer(typed, naming)
    absent = (p for p in namer.top.patterns.values() if p not in namer.indices)
    names = (
        [p.name.replace("{}", str(n)) for n in range(p.numbers[0], p.numbers[1] + 1)]
        if p.numbers
        else [p.name]
        for p in absent
    )
    return (*naming.optional, *(name for found in names for name in found))


def layer_names(typed: TypedProgram, source: str, paths: Collection[str]) -> tuple[str, ...]:
    """The published names of the layers at ``paths``, and below them."""
    names = published_names(typed, source).items()
    found = ((n.tensor or n.whole or n.layer) for p, n in names if under(p, tuple(paths)))
    return tuple(dict.fromkeys(found))


def published_names(typed: TypedProgram, source: str) -> dict[str, Name]:
    """The published name of every weight by path; :func:`check_names` must have accepted it."""
    return Namer(typed, typed.program.checkpoints[source]).found


class Namer:
    """The names of all layers in one source.

    ``owners`` maps the path of each layer, or of a weight with a name of its own, to its name;
    ``found`` each weight to its name. ``indices`` are the numbers that each entry matched.
    ``unnamed`` are the weights without a name, with the entry to which they belong, ``lacking`` the
    blocks that have no names where others have.
    """

    def __init__(self, typed: TypedProgram, naming: Naming) -> None:
        self.naming = naming
        self.uses = {
            path: node.node.block if isinstance(node, TypedUse) else node.op.op
            for path, node in walk_program(typed)
            if isinstance(node, TypedUse) or (isinstance(node, TypedOp) and _several(node))
        }
        self.top = _lines(_patterns(("names",), naming.names))
        self.blocks = {
            name: _lines(found)
            for name in dict.fromkeys(self.uses.values())
            if (found := self.inside(name))
        }
        every = (self.top, *self.blocks.values())
        self.leaves = {path[-1] for lines in every for path in lines.patterns}
        self.lacking: dict[str, tuple[Segments, Pattern]] = {}
        self.indices: dict[Pattern, set[int]] = {}
        self.counts: dict[str, int] = {}
        self.owners: dict[Segments, str | None] = {}
        self.found: dict[str, Name] = {}
        self.unnamed: list[tuple[str, tuple[str, ...]]] = []
        self.complete = False  # whether the entries of the last name cover its whole path
        self.outside: Segments = ()  # the use in which no entry matched last
        parts: dict[TypedOp, dict[Segments, list[str]]] = {}  # a layer may occur in several uses
        for path, node in weighted(typed):
            if node not in parts:
                parts[node] = _parts(node)
            # the only op of several layers that frameworks have as one
            whole = self.whole(path, parts[node]) if isinstance(node.op, SeparableConv) else ""
            for part, weights in parts[node].items():
                self.take((*path, *part), weights, whole)

    def inside(self, block: str) -> dict[Segments, Pattern]:
        """The entries for the paths in a block: its own, and those of what it extends."""
        found: dict[Segments, Pattern] = {}
        seen = set[str]()
        while block and block not in seen:
            seen.add(block)
            found = _patterns(("blocks", block), self.naming.blocks.get(block, {})) | found
            block = self.naming.bases.get(block, "")
        return found

    def whole(self, path: Segments, parts: Iterable[Segments]) -> str:
        """The name of an op of several layers, if these have no names of their own."""
        parts = [part for part in parts if part]
        name = self.named(path, self.top, ())
        if not parts or any(part[-1] in self.naming.numbered for part in parts if name is None):
            return ""
        if name is None:
            return self.number(path) or ""
        own = (self.named((*path, *part), self.top, ()) for part in parts)
        appended = (self.joined(name, *part) for part in parts)
        return name if list(own) == list(appended) else ""

    def joined(self, *parts: str) -> str:
        return self.naming.separator.join(filter(None, parts))

    def take(self, owner: Segments, weights: list[str], whole: str) -> None:
        """Name a layer and its weights."""
        tensors = {
            weight: self.tensor((*owner, weight)) if weight in self.leaves else ""
            for weight in weights
        }
        name: str | None = ""
        if not all(tensors.values()):
            name = self.named(owner, self.top, ()) or self.number(owner)
            if name is None and whole:
                name = self.joined(whole, owner[-1])
            self.owners[owner] = name
        for weight, tensor in tensors.items():
            path = (*owner, weight)
            if tensor:
                self.owners[path] = tensor
                self.found["/".join(path)] = Name("", weight, tensor)
            elif name is None:
                self.unnamed.append(("/".join(path), self.place()))
            else:
                self.found["/".join(path)] = Name(name, weight, "", whole)

    def tensor(self, path: Segments) -> str:
        """The name of the weight at ``path``, if an entry has exactly its path."""
        self.complete = False
        name = self.named(path, self.top, ())
        return name if name and self.complete else ""

    def place(self) -> tuple[str, ...]:
        """The entry to which the layer belongs that got no name last."""
        block = self.uses.get(self.outside, "")
        while block and block not in self.naming.blocks:
            block = self.naming.bases.get(block, "")
        return ("blocks", block) if block else ()

    def named(self, path: Segments, patterns: Lines, above: Segments) -> str | None:
        """The name of the layer at ``path`` below ``above``."""
        best = patterns.longest(path)
        if best is None:
            self.outside = above
            return None
        size = len(best.path)
        index = next(
            (int(part) for part, wanted in zip(path, best.path, strict=False) if wanted == "*"), 0
        )
        self.indices.setdefault(best, set()).add(index)
        name = (
            best.name
            if best.numbers is None
            else best.name.replace("{}", str(best.numbers[0] + index))
        )
        here, rest = (*above, *path[:size]), path[size:]
        self.complete = not rest
        block = self.uses.get(here, "")
        if block in self.blocks and rest:
            inner = self.named(rest, self.blocks[block], here)
            return None if inner is None else self.joined(name, inner)
        if block and rest and self.naming.blocks and block not in OPS:
            self.lacking.setdefault(block, (here, best))
        return self.joined(name, *rest)

    def number(self, owner: Segments) -> str | None:
        """The name from ``numbered``: a word, with an index from the second layer on."""
        word = self.naming.numbered.get(owner[-1]) if owner else None
        if word is None:
            return None
        count = self.counts.get(word, 0)
        self.counts[word] = count + 1
        return f"{word}_{count}" if count else word


def under(name: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a published name is one of ``prefixes``, or below one."""
    return any(name == p or name.startswith((f"{p}.", f"{p}/")) for p in prefixes)


def _parts(node: TypedOp) -> dict[Segments, list[str]]:
    """The names of a layer's weights by the part of the op they belong to."""
    found: dict[Segments, list[str]] = {}
    for weight in node.weights:
        *part, own = weight.name.split("/")
        found.setdefault((*part,), []).append(own)
    return found


def _several(node: TypedOp) -> bool:
    """Whether an op has several layers."""
    return isinstance(node.op, Composite)


def _patterns(key: tuple[str, ...], names: Mapping[str, str]) -> dict[Segments, Pattern]:
    patterns: dict[Segments, Pattern] = {}
    for path, name in names.items():
        numbers = re.search(r"\{(\d+)\.\.(\d+)\}", name)
        found = (int(numbers[1]), int(numbers[2])) if numbers else None
        text = name.replace(numbers[0], "{}") if numbers else name
        parts = tuple(path.split("/"))
        patterns[parts] = Pattern((*key, path), parts, text, found)
    return patterns


def _lines(patterns: dict[Segments, Pattern]) -> Lines:
    sizes = {(len(parts), parts.index("*") if "*" in parts else -1) for parts in patterns}
    return Lines(patterns, tuple(sorted(sizes, reverse=True)))
