"""The names of all weights in files of published weights, from ``checkpoints`` in the spec."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

from ..diagnostics.report import Report
from ..diagnostics.words import suggestion
from ..ir.program import Naming
from ..ir.typed import TypedOp, TypedProgram, TypedUse
from ..ir.walk import walk_program

Segments: TypeAlias = tuple[str, ...]
HELP = "write `checkpoints: null` to remove the names of published weights"


class Name(NamedTuple):
    """The name of a layer in a published file, and of a weight in the op (``kernel``, …)."""

    layer: str
    weight: str


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


def check_names(typed: TypedProgram, report: Report) -> bool:
    """Whether every weight has a unique name in each published source; reports errors."""
    before = len(report.diagnostics)
    checked: list[Naming] = []
    for naming in typed.program.checkpoints.values():
        if naming not in checked:  # a source may have the names of another
            checked.append(naming)
            _Namer(typed, naming).report(report)
    return len(report.diagnostics) == before


def absent_names(typed: TypedProgram, source: str) -> tuple[str, ...]:
    """The published names of layers that the spec does not have: optional, or removed from it."""
    naming = typed.program.checkpoints[source]
    namer = _Namer(typed, naming)
    absent = (p for p in namer.top.patterns.values() if p not in namer.indices)
    names = (
        [p.name.replace("{}", str(n)) for n in range(p.numbers[0], p.numbers[1] + 1)]
        if p.numbers
        else [p.name]
        for p in absent
    )
    return (*naming.optional, *(name for found in names for name in found))


def published_names(typed: TypedProgram, source: str) -> dict[str, Name]:
    """The published name of every weight by path; :func:`check_names` must have accepted it."""
    return _Namer(typed, typed.program.checkpoints[source]).found


class _Namer:
    def __init__(self, typed: TypedProgram, naming: Naming) -> None:
        self.naming = naming
        self.uses = {
            path: node.node.block
            for path, node in walk_program(typed)
            if isinstance(node, TypedUse)
        }
        self.top = _patterns(("names",), naming.names)
        self.blocks = {
            name: _patterns(("blocks", name), own) for name, own in naming.blocks.items()
        }
        self.indices: dict[Pattern, set[int]] = {}
        self.counts: dict[str, int] = {}
        self.owners: dict[Segments, str | None] = {}
        self.found: dict[str, Name] = {}
        self.unnamed: list[str] = []
        parts: dict[TypedOp, dict[Segments, list[str]]] = {}  # a layer may occur in several uses
        for path, node in walk_program(typed):
            if not isinstance(node, TypedOp):
                continue
            if node not in parts:
                parts[node] = _parts(node)
            for part, weights in parts[node].items():
                self.take((*path, *part), weights)

    def take(self, owner: Segments, weights: list[str]) -> None:
        name = self.owners[owner] = self.named(owner, self.top, ()) or self.number(owner)
        paths = {"/".join((*owner, weight)): weight for weight in weights}
        if name is None:
            self.unnamed += paths
        else:
            self.found |= {path: Name(name, weight) for path, weight in paths.items()}

    def named(self, path: Segments, patterns: Lines, above: Segments) -> str | None:
        """The name of the layer at ``path`` below ``above``."""
        best = patterns.longest(path)
        if best is None:
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
        if (block := self.uses.get(here, "")) not in self.blocks:
            return ".".join((name, *rest))
        inner = self.named(rest, self.blocks[block], here)
        return None if inner is None else f"{name}.{inner}"

    def number(self, owner: Segments) -> str | None:
        """The name from ``numbered``: a word, with an index from the second layer on."""
        word = self.naming.numbered.get(owner[-1]) if owner else None
        if word is None:
            return None
        count = self.counts.get(word, 0)
        self.counts[word] = count + 1
        return f"{word}_{count}" if count else word

    def report(self, report: Report) -> None:
        """Report every error of the naming."""
        origin = self.naming.origin
        used = {*self.uses.values()}
        blocks = (own.patterns.values() for block, own in self.blocks.items() if block in used)
        patterns = [*self.top.patterns.values(), *(pattern for own in blocks for pattern in own)]
        before = len(report.diagnostics)
        for pattern in patterns:
            span = origin.document.key_span((*origin.path, *pattern.key))
            if report.crowded(before):
                break
            if pattern not in self.indices:
                removed = pattern.key[0] == "names" and pattern.path[0] in self.removed
                if not removed and not under(pattern.name, self.naming.optional):
                    path = "/".join(pattern.path)
                    help = (
                        suggestion(path, self.paths, what="known paths")
                        if pattern.key[0] == "names"
                        else ""
                    )
                    report.error("E311", f"no weights at path `{path}`", span, help=help or HELP)
            elif pattern.numbers is not None:
                found, count = self.indices[pattern], pattern.numbers[1] - pattern.numbers[0] + 1
                if (len(found), max(found)) != (count, count - 1):
                    message = f"found {count} numbers for {max(found) + 1} repetitions"
                    report.error("E314", message, origin.span(*pattern.key), help=HELP)
        self.duplicates(report)
        if self.unnamed:
            more = f" and {len(self.unnamed) - 1} more weights" if len(self.unnamed) > 1 else ""
            message = f"no published name for `{self.unnamed[0]}`{more}"
            report.error("E313", message, origin.span(), help=HELP)

    @cached_property
    def removed(self) -> set[str | int]:
        """The names of steps, sections and heads that an overlay removed."""
        parts = ("stem", "body", "head", "aux_heads")
        return {path[-1] for path in self.naming.origin.document.removed if path[0] in parts}

    @cached_property
    def paths(self) -> set[str]:
        """Every path that an entry may have."""
        return {
            "/".join(owner[:size]) for owner in self.owners for size in range(1, len(owner) + 1)
        }

    def duplicates(self, report: Report) -> None:
        """Report layers with the same published name."""
        owners: dict[str, Segments] = {}
        for owner, name in self.owners.items():
            if name is None:
                continue
            first = owners.setdefault(name, owner)
            if first != owner:
                paths = f"`{'/'.join(first)}` and `{'/'.join(owner)}`"
                message = f"{paths} have the same published name `{name}`"
                report.error("E312", message, self.location(owner))

    def location(self, owner: Segments) -> Any:
        """The span of the entry that names a layer."""
        origin = self.naming.origin
        found = self.top.longest(owner)
        return origin.span(*found.key) if found else origin.span("numbered")


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


def _patterns(key: tuple[str, ...], names: Mapping[str, str]) -> Lines:
    patterns: dict[Segments, Pattern] = {}
    for path, name in names.items():
        numbers = re.search(r"\{(\d+)\.\.(\d+)\}", name)
        found = (int(numbers[1]), int(numbers[2])) if numbers else None
        text = name.replace(numbers[0], "{}") if numbers else name
        parts = tuple(path.split("/"))
        patterns[parts] = Pattern((*key, path), parts, text, found)
    sizes = {(len(parts), parts.index("*") if "*" in parts else -1) for parts in patterns}
    return Lines(patterns, tuple(sorted(sizes, reverse=True)))
