"""Checks the names of published weights, from ``checkpoints`` in the spec."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ..diagnostics.report import Diagnostic, Report
from ..diagnostics.words import listed, nearest, suggestion
from ..ir.program import Naming
from ..ir.typed import TypedProgram
from ..ops import OPS
from .layer_names import Namer, Pattern, Segments, under

HELP = "write `checkpoints: null` to remove the names of published weights"
NEW = (
    "a layer that no file has can have any name, and `weights import --drop` gives it new initial "
    "values: write `checkpoints: {SOURCE: {names: {PATH: NAME}}}` for each, or `checkpoints: null`"
)


def check_names(
    typed: TypedProgram, report: Report, *, changed: bool = False, firm: bool = False
) -> tuple[Diagnostic, ...]:
    """Reports weights without a unique name in a published source.

    Only `weights import` needs the names. So what is wrong in those of a spec that settings change
    (``changed``), or that extends the spec with the names, is no error unless ``firm``: it is
    returned.
    """
    left: list[Diagnostic] = []
    checked: list[Naming] = []
    for naming in typed.program.checkpoints.values():
        if naming in checked:  # a source may have the names of another
            continue
        checked.append(naming)
        found = Report()
        _Check(Namer(typed, naming), naming).report(found)
        if not firm and (changed or _inherited(naming)):
            left += found.diagnostics
        else:
            report.include(found.diagnostics, {})
    return tuple(left)


def _inherited(naming: Naming) -> bool:
    """Whether all names are in a file that the spec extends."""
    document, path = naming.origin
    spans = (span for key, span in document.keys.items() if key[: len(path)] == path)
    return all(span.file != document.file and not span.on_command_line for span in spans)


class _Check:
    def __init__(self, names: Namer, naming: Naming) -> None:
        self.names, self.naming = names, naming

    def report(self, report: Report) -> None:
        """Report every error of the naming."""
        origin = self.naming.origin
        blocks = self.names.blocks.values()
        inner = dict.fromkeys(p for own in blocks for p in own.patterns.values())  # some inherited
        patterns = [*self.names.top.patterns.values(), *inner]
        before = len(report.diagnostics)
        for pattern in patterns:
            span = origin.document.key_span((*origin.path, *pattern.key))
            if report.crowded(before):
                break
            if pattern not in self.names.indices:
                removed = pattern.key[0] == "names" and pattern.path[0] in self.removed
                removed |= pattern.key[1] in OPS and bool(
                    self.names.unnamed
                )  # it follows from that
                if not removed and not under(pattern.name, self.naming.optional):
                    message = f"no weights at path `{'/'.join(pattern.path)}`"
                    report.error("E311", message, span, help=self.help(pattern))
            elif pattern.numbers is not None:
                found = self.names.indices[pattern]
                count = pattern.numbers[1] - pattern.numbers[0] + 1
                if (len(found), max(found)) != (count, count - 1):
                    message = f"found {count} numbers for {max(found) + 1} repetitions"
                    report.error("E314", message, origin.span(*pattern.key), help=HELP)
        self.duplicates(report)
        self.blocks_without_names(report)
        if any(one.code == "E311" for one in report.diagnostics[before:]):
            return  # their names may be those of the weights without one
        for place in dict.fromkeys(place for _, place in self.names.unnamed):
            paths = [path for path, own in self.names.unnamed if own == place]
            more = f" and {len(paths) - 1} more weights" if len(paths) > 1 else ""
            message = f"no published name for `{paths[0]}`{more}"
            span = origin.document.key_span((*origin.path, *place)) if place else origin.span()
            layer = paths[0].rpartition("/")[0]
            help = f"add `{layer}: NAME` to its names, or {HELP}" if layer and not place else HELP
            report.error("E313", message, span, notes=[NEW], help=help)

    def help(self, pattern: Pattern) -> str:
        """What to write in place of an entry without weights."""
        if pattern.key[0] == "names":
            path = "/".join(pattern.path)
            unnamed = dict.fromkeys(weight.rpartition("/")[0] for weight, _ in self.names.unnamed)
            if nearest(path, self.paths) is None and unnamed:
                one = len(unnamed) == 1
                names = listed(unnamed)
                return f"did you mean `{names}`?" if one else f"layers without a name: {names}"
            return suggestion(path, self.paths, what="known paths") or HELP
        block = pattern.key[1]
        path = "/".join(pattern.path)
        free = self.inside(block) - {*self.naming.blocks.get(block, {})}
        alike = [one for one in free if one.split("/")[-1] == pattern.path[-1]]
        if best := nearest(path, sorted(alike)) or nearest(path, sorted(free)):
            return f"did you mean `{best}`?"
        return (
            f"no use of `{block}` has this step; remove the entry, or in a spec that extends this "
            f"one write `blocks: {{{block}: {{{pattern.key[-1]}: null}}}}` in the source"
        )

    def inside(self, block: str) -> set[str]:
        """The paths of layers in the uses of a block, and of the blocks that extend it."""
        names, bases = self.names, self.naming.bases
        blocks = {block, *(name for name in bases if self._extends(name, block))}
        uses = {path for path, used in names.uses.items() if used in blocks}
        found = ((owner, n) for owner in names.owners for n in range(1, len(owner)))
        return {"/".join(owner[n:]) for owner, n in found if owner[:n] in uses}

    def _extends(self, name: str, block: str) -> bool:
        seen = set[str]()
        while name and name not in seen and name != block:
            seen.add(name)
            name = self.naming.bases.get(name, "")
        return name == block

    def blocks_without_names(self, report: Report) -> None:
        """Report blocks that have no names, where other blocks have."""
        origin = self.naming.origin
        for block, (path, pattern) in self.names.lacking.items():
            message = f"no published names for the block `{block}`, which `{'/'.join(path)}` uses"
            help = (
                f"write `blocks: {{{block}: {{PATH: NAME}}}}` in the source, or let the block "
                "extend the one whose names it has"
            )
            span = origin.document.key_span((*origin.path, *pattern.key))
            report.error("E313", message, span, help=help)

    @cached_property
    def removed(self) -> set[str | int]:
        """The names of steps, sections and heads that an overlay removed."""
        parts = ("stem", "body", "head", "aux_heads")
        return {path[-1] for path in self.naming.origin.document.removed if path[0] in parts}

    @cached_property
    def paths(self) -> set[str]:
        """Every path that an entry may have."""
        return {
            "/".join(owner[:size])
            for owner in self.names.owners
            for size in range(1, len(owner) + 1)
        }

    def duplicates(self, report: Report) -> None:
        """Report layers with the same published name."""
        owners: dict[str, Segments] = {}
        for owner, name in self.names.owners.items():
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
        found = self.names.top.longest(owner)
        return origin.span(*found.key) if found else origin.span("numbered")
