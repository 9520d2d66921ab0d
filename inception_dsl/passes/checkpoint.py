"""What a published implementation calls every weight of a program, from the names that the spec
declares.
"""

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
HELP = "`checkpoints: null` leaves published names out"


class Name(NamedTuple):
    """The name of a layer in a published file, and the weight's own in the spec (``kernel``,
    ``moving_mean``).
    """

    layer: str
    weight: str


class Pattern(NamedTuple):
    """One line of a naming.

    Where it stands there, the path it fits, the name, and the first and last number in it.
    """

    place: tuple[str, ...]
    path: Segments
    name: str
    numbers: tuple[int, int] | None


class Lines(NamedTuple):
    """The lines of a naming by their paths.

    ``sizes`` are their lengths, each with the place of a ``*`` or -1.
    """

    patterns: Mapping[Segments, Pattern]
    sizes: tuple[tuple[int, int], ...]

    def longest(self, path: Segments) -> Pattern | None:
        """The line whose path is the longest start of ``path``; a ``*`` stands for a number."""
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
    """Whether every weight has one name of its own for every source that the spec knows."""
    before = len(report.diagnostics)
    checked: list[Naming] = []
    for naming in typed.program.checkpoints.values():
        if naming not in checked:  # two sources may share their names
            checked.append(naming)
            _Namer(typed, naming).report(report)
    return len(report.diagnostics) == before


def published_names(typed: TypedProgram, source: str) -> dict[str, Name]:
    """The published name of every weight by path, for a program that :func:`check_names` has
    passed.
    """
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
        parts: dict[
            TypedOp, dict[Segments, list[str]]
        ] = {}  # of a layer that stands in many places, once
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
        """The word for a layer without a name, with its number from the second on."""
        word = self.naming.numbered.get(owner[-1]) if owner else None
        if word is None:
            return None
        count = self.counts.get(word, 0)
        self.counts[word] = count + 1
        return f"{word}_{count}" if count else word

    def report(self, report: Report) -> None:
        """Add every mistake of the naming at its line."""
        origin = self.naming.origin
        used = {*self.uses.values()}
        blocks = (own.patterns.values() for block, own in self.blocks.items() if block in used)
        patterns = [*self.top.patterns.values(), *(pattern for own in blocks for pattern in own)]
        before = len(report.diagnostics)
        for pattern in patterns:
            span = origin.document.key_span((*origin.path, *pattern.place))
            if report.crowded(before):
                break
            if pattern not in self.indices:
                if not under(pattern.name, self.naming.optional):
                    path = "/".join(pattern.path)
                    help = (
                        suggestion(path, self.paths, what="paths")
                        if pattern.place[0] == "names"
                        else ""
                    )
                    report.error(
                        "E311", f"`{path}` is the path of no weights", span, help=help or HELP
                    )
            elif pattern.numbers is not None:
                found, count = self.indices[pattern], pattern.numbers[1] - pattern.numbers[0] + 1
                if (len(found), max(found)) != (count, count - 1):
                    message = f"{count} numbers for {max(found) + 1} repetitions"
                    report.error("E314", message, origin.span(*pattern.place), help=HELP)
        self.twice(report)
        if self.unnamed:
            more = f" and {len(self.unnamed) - 1} others" if len(self.unnamed) > 1 else ""
            report.error(
                "E313", f"`{self.unnamed[0]}`{more} have no name", origin.span(), help=HELP
            )

    @cached_property
    def paths(self) -> set[str]:
        """Every path that a line could name."""
        return {
            "/".join(owner[:size]) for owner in self.owners for size in range(1, len(owner) + 1)
        }

    def twice(self, report: Report) -> None:
        owners: dict[str, Segments] = {}
        for owner, name in self.owners.items():
            if name is None:
                continue
            first = owners.setdefault(name, owner)
            if first != owner:
                message = f"`{'/'.join(first)}` and `{'/'.join(owner)}` are both called `{name}`"
                report.error("E312", message, self.place(owner))

    def place(self, owner: Segments) -> Any:
        """Where the name of a layer is declared."""
        origin = self.naming.origin
        found = self.top.longest(owner)
        return origin.span(*found.place) if found else origin.span("numbered")


def under(name: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a published name is one of ``prefixes``, or stands below one."""
    return any(name == p or name.startswith((f"{p}.", f"{p}/")) for p in prefixes)


def _parts(node: TypedOp) -> dict[Segments, list[str]]:
    """The names of a layer's weights by the part of it that has them."""
    found: dict[Segments, list[str]] = {}
    for weight in node.op.weights(node.x):
        *part, own = weight.name.split("/")
        found.setdefault((*part,), []).append(own)
    return found


def _patterns(place: tuple[str, ...], names: Mapping[str, str]) -> Lines:
    patterns: dict[Segments, Pattern] = {}
    for path, name in names.items():
        numbers = re.search(r"\{(\d+)\.\.(\d+)\}", name)
        found = (int(numbers[1]), int(numbers[2])) if numbers else None
        text = name.replace(numbers[0], "{}") if numbers else name
        parts = tuple(path.split("/"))
        patterns[parts] = Pattern((*place, path), parts, text, found)
    sizes = {(len(parts), parts.index("*") if "*" in parts else -1) for parts in patterns}
    return Lines(patterns, tuple(sorted(sizes, reverse=True)))
