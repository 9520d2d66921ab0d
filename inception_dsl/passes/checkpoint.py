"""What a published implementation calls every weight of a program, from the names that the spec declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from ..diagnostics import Report
from ..ir.graph import Naming
from ..ir.typed import TypedOp, TypedProgram, TypedUse, walk_program
from ..words import suggestion

Segments: TypeAlias = tuple[str, ...]
HELP = "`checkpoints: null` leaves published names out"


class Name(NamedTuple):
    """The name of a layer in a published file, and the weight's own in the spec (``kernel``, ``moving_mean``)."""

    layer: str
    weight: str


class Pattern(NamedTuple):
    """One line of a naming: where it stands there, the path it fits, the name, and the first and last number in it."""

    place: tuple[str, ...]
    path: Segments
    name: str
    numbers: tuple[int, int] | None


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
    """The published name of every weight by path, for a program that :func:`check_names` has passed."""
    return _Namer(typed, typed.program.checkpoints[source]).found


class _Namer:
    def __init__(self, typed: TypedProgram, naming: Naming) -> None:
        self.naming = naming
        self.uses = {path: node.node.block for path, node in walk_program(typed) if isinstance(node, TypedUse)}
        self.top = list(_patterns(("names",), naming.names))
        self.blocks = {name: list(_patterns(("blocks", name), own)) for name, own in naming.blocks.items()}
        self.indices: dict[Pattern, set[int]] = {}
        self.counts: dict[str, int] = {}
        self.owners: dict[Segments, str | None] = {}
        self.found: dict[str, Name] = {}
        self.unnamed: list[str] = []
        for path, node in walk_program(typed):
            for weight in node.op.weights(node.x) if isinstance(node, TypedOp) else ():
                *part, own = weight.name.split("/")
                self.take((*path, *part), own)

    def take(self, owner: Segments, weight: str) -> None:
        if owner not in self.owners:
            self.owners[owner] = self.named(owner, self.top, ()) or self.number(owner)
        name, path = self.owners[owner], "/".join((*owner, weight))
        if name is None:
            self.unnamed.append(path)
        else:
            self.found[path] = Name(name, weight)

    def named(self, path: Segments, patterns: list[Pattern], above: Segments) -> str | None:
        """The name of the layer at ``path`` below ``above``."""
        fitting = [p for p in patterns if _fits(p.path, path)]
        if not fitting:
            return None
        best = max(fitting, key=lambda p: len(p.path))
        size = len(best.path)
        index = next((int(part) for part, wanted in zip(path, best.path, strict=False) if wanted == "*"), 0)
        self.indices.setdefault(best, set()).add(index)
        name = best.name if best.numbers is None else best.name.replace("{}", str(best.numbers[0] + index))
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
        patterns = [*self.top, *(p for block, own in self.blocks.items() if block in used for p in own)]
        known = {"/".join(owner[:size]) for owner in self.owners for size in range(1, len(owner) + 1)}
        for pattern in patterns:
            span = origin.document.key_span((*origin.path, *pattern.place))
            if pattern not in self.indices:
                if not under(pattern.name, self.naming.optional):
                    path = "/".join(pattern.path)
                    help = suggestion(path, known, what="paths") if pattern.place[0] == "names" else ""
                    report.error("E311", f"`{path}` is the path of no weights", span, help=help or HELP)
            elif pattern.numbers is not None:
                first, last = pattern.numbers
                if self.indices[pattern] != set(range(last - first + 1)):
                    message = f"{last - first + 1} numbers for {max(self.indices[pattern]) + 1} repetitions"
                    report.error("E314", message, origin.span(*pattern.place), help=HELP)
        self.twice(report)
        if self.unnamed:
            more = f" and {len(self.unnamed) - 1} others" if len(self.unnamed) > 1 else ""
            report.error("E313", f"`{self.unnamed[0]}`{more} have no name", origin.span(), help=HELP)

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
        fitting = [p for p in self.top if _fits(p.path, owner)]
        return origin.span(*max(fitting, key=lambda p: len(p.path)).place) if fitting else origin.span("numbered")


def under(name: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a published name is one of ``prefixes``, or stands below one."""
    return any(name == p or name.startswith((f"{p}.", f"{p}/")) for p in prefixes)


def _patterns(place: tuple[str, ...], names: Mapping[str, str]) -> Iterator[Pattern]:
    for path, name in names.items():
        numbers = re.search(r"\{(\d+)\.\.(\d+)\}", name)
        found = (int(numbers[1]), int(numbers[2])) if numbers else None
        text = name.replace(numbers[0], "{}") if numbers else name
        yield Pattern((*place, path), tuple(path.split("/")), text, found)


def _fits(pattern: Segments, path: Segments) -> bool:
    """Whether ``pattern`` is the start of ``path``; a ``*`` stands for a number."""
    return len(pattern) <= len(path) and all(
        own == wanted or (wanted == "*" and own.isdecimal()) for own, wanted in zip(path, pattern, strict=False)
    )
