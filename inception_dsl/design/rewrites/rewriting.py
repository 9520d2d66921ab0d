"""A spec rewritten by a rule, with what that saves."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from ...analysis.step_costs import Written
from ...diagnostics.report import PLAIN, SHIPPED, Report, Span, Style
from ...diagnostics.text import printable
from ...diagnostics.words import suggestion
from ...ir.program import UseNode
from ..changes import place_text
from ..compared import Difference, Total
from ..tables import Line, Table
from .attempt import Attempt, Spec
from .costs import Costs, costs, row
from .places import Chosen, Place, places
from .rule import Rule

TOTALS = ("parameters", "MACs", "receptive field")
_COSTS = ("parameters", "macs", "more_parameters", "more_macs")
_SHOWN = 5


class Saving(NamedTuple):
    """What steps of one chain cost before, and by how much those in their place cost more.

    ``path`` is that of the step, or of the chain of ``steps`` ones; ``uses`` is how often they run.
    What a step contains counts for it, unless that is a rewritten step itself.
    """

    path: str
    steps: int
    uses: int
    parameters: int
    macs: int
    more_parameters: int
    more_macs: int


class Rewritten:
    """A spec rewritten by a rule: ``print`` it, or read ``files``, ``text`` and ``totals``.

    ``files`` has the new texts by file; ``left_out`` says which steps stay, and why.
    """

    def __init__(self, spec: Spec, rule: Rule, attempt: Attempt, values: Mapping[str, Any]) -> None:
        self.rule, self.files = rule, dict(attempt.files)
        self._spec, self._attempt, self._values = spec, attempt, values
        self.difference = Difference(spec.program, attempt.typed, ("before", "after"))
        self.left_out = [(refusal.place.text, str(refusal)) for refusal in attempt.refusals]

    def __str__(self) -> str:
        return self.render()

    @property
    def text(self) -> str:
        """The new text of the spec itself."""
        found = self.files.get(self._spec.target)
        return self._spec.texts[self._spec.file] if found is None else found

    @property
    def totals(self) -> dict[str, Total]:
        """Parameters, MACs and receptive field of the network: each with ``old`` and ``new``."""
        return {total.name: total for total in self.difference.totals if total.name in TOTALS}

    @cached_property
    def savings(self) -> list[Saving]:
        """The rewritten steps with their costs, those of one chain together."""
        groups: dict[Written, list[Place]] = {}
        for place in self._attempt.places:
            groups.setdefault(row(place), []).append(place)
        return [_saving(found, self._costs[key]) for key, found in groups.items()]

    @property
    def elsewhere(self) -> Saving:
        """What all other layers cost: more or less if their inputs have other channels now.

        With ``savings`` it adds up to ``totals``; ``steps`` and ``uses`` are 0.
        """
        old, more = self._costs[None].old, self._costs[None].more
        return Saving("elsewhere", 0, 0, old.parameters, old.macs, more.parameters, more.macs)

    @cached_property
    def _costs(self) -> Mapping[Written | None, Costs]:
        return costs(self._spec.program, self._attempt)

    @property
    def uses(self) -> dict[str, int]:
        """How often each changed block is used."""
        counts = {place.owner: 0 for place in self._attempt.places if place.owner}
        for place in places(self._spec.program):
            if isinstance(place.node, UseNode) and place.node.block in counts:
                counts[place.node.block] += place.cost.uses
        return counts

    @cached_property
    def only_in_place(self) -> list[tuple[str, str]]:
        """The rewritten steps that a new file could not have, and why: it has to take over their
        blocks from the files that change.
        """
        spec = self._spec
        if spec.new or all(file == spec.target for file in self.files):
            return []
        attempt = spec.as_file(new=True).attempt(self.rule, self._attempt.places, self._values)
        return [(refusal.place.text, refusal.reason) for refusal in attempt.refusals]

    def diff(self) -> str:
        """The changes of the files as a unified diff."""
        return "".join(self._diffs())

    def _diffs(self) -> Iterator[str]:
        spec = self._spec
        for file, text in self.files.items():
            name = spec.file if file == spec.target else file
            old = spec.texts.get(name, "").splitlines(keepends=True)
            lines = difflib.unified_diff(old, text.splitlines(keepends=True), name, file)
            for line in lines:
                yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"

    def to_dict(self) -> dict[str, Any]:
        """The data of ``inception-dsl rewrite --json``."""
        return {
            "rule": self.rule.name,
            "source": self.rule.source,
            "totals": {t.name: {"old": t.old, "new": t.new} for t in self.totals.values()},
            "steps": [saving._asdict() for saving in self.savings],
            "elsewhere": {n: v for n, v in self.elsewhere._asdict().items() if n in _COSTS},
            "uses": self.uses,
            "only_in_place": [
                {"path": path, "reason": reason} for path, reason in self.only_in_place
            ],
            "left_out": [{"path": path, "reason": reason} for path, reason in self.left_out],
            "files": self.files,
        }

    def render(self, style: Style = PLAIN) -> str:
        """What the rule did and what it saves, as tables."""
        rule = self.rule
        lines = [about_rule(rule, style)]
        cells = [
            Line((t.name, _count(t.old), _count(t.new), t.difference)) for t in self.totals.values()
        ]
        lines += ["", *Table(("", "before", "after", "difference"), cells, 1).text(style)]
        changed = self.elsewhere.more_parameters or self.elsewhere.more_macs
        found = [*self.savings, *([self.elsewhere] if changed else [])]
        rows = [Line(_row(saving)) for saving in found]
        lines += ["", *Table(("rewritten", "runs", "parameters", "MACs"), rows, 1).text(style)]
        notes = [*self._notes()]
        return "\n".join([*lines, *([""] if notes else []), *notes])

    def _notes(self) -> Iterator[str]:
        """What else changes, and what does not."""
        for block, uses in self.uses.items():
            if uses > 1:
                yield f"note: `{block}` changes in all its {uses:,} uses"
        if self._spec.new:
            about = self._spec.program.program.about
            has = ["name", *["title"] * bool(about.title), *["paper"] * bool(about.paper)]
            named, them = " and the ".join(has), "them" if has[1:] else "it"
            yield f"note: it has the {named} of the original: change {them}"
        if self._spec.program.program.checkpoints:
            yield "note: it has no `checkpoints`: published weights do not fit the new layers"
        for place in self._attempt.places:
            if place.deviates:
                yield f"note: check the `deviation` of `{place.text}`: it was for the old step"
        for file in self.files:
            if file != self._spec.target:
                yield printable(f"note: other specs that import {file} change, too")
        for path, reason in self.left_out[:_SHOWN]:
            yield printable(f"not rewritten: {path}: {reason}")
        if len(self.left_out) > _SHOWN:
            yield f"not rewritten: {len(self.left_out) - _SHOWN} more"


def _saving(found: Sequence[Place], cost: Costs) -> Saving:
    first = found[0]
    alone = len(found) == 1
    path = first.text if alone else place_text((first.owner, first.around)) or "the network"
    uses, old, more = max(place.cost.uses for place in found), cost.old, cost.more
    return Saving(path, len(found), uses, old.parameters, old.macs, more.parameters, more.macs)


def _row(saving: Saving) -> tuple[str, ...]:
    path = f"{saving.path} ({saving.steps} steps)" if saving.steps > 1 else saving.path
    return (
        path,
        f"{saving.uses:,}" if saving.uses else "",
        more_text(saving.more_parameters, saving.parameters),
        more_text(saving.more_macs, saving.macs),
    )


def more_text(number: int, of: int) -> str:
    """A change, in percent of what it was."""
    if not number:
        return ""
    return f"{number:+,}{f' ({100 * number / of:+.1f}%)' if of else ''}"


def about_rule(rule: Rule, style: Style = PLAIN) -> str:
    """A line on a rule: what it does, its source, and what the paper says of it."""
    note = f"; {rule.note}" if rule.note else ""
    return f"{style.strong(rule.name)}: {rule.summary} ({rule.source}){note}"


def _count(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def rewritten(
    spec: Spec, rule: Rule, at: Collection[str], values: Mapping[str, Any], report: Report
) -> Rewritten | None:
    """The spec with a rule applied at the paths ``at``, or wherever it applies.

    ``values`` are the options of the rule. ``None`` if that is nowhere, or if the spec has errors,
    with these in the report.
    """
    if spec.typed is None:
        return None
    chosen = _chosen(spec, at, report)
    if chosen is None:
        return None
    wanted = [place for place in chosen if rule.meant(place)]
    if not wanted:
        _none(spec, rule, chosen, at, report)
        return None
    attempt = _helped(spec, rule, values, spec.attempt(rule, wanted, values))
    if attempt.places:
        return Rewritten(spec, rule, attempt, values)
    for refusal in attempt.refusals[:_SHOWN]:
        message = f"`{rule.name}` cannot rewrite `{refusal.place.text}`: {refusal.reason}"
        report.error("E317", message, refusal.place.node.origin.span(), help=refusal.help)
    return None


def _helped(spec: Spec, rule: Rule, values: Mapping[str, Any], attempt: Attempt) -> Attempt:
    """The same; what a new file cannot have, but the files of the spec can, is told to be so."""
    if not (spec.new and attempt.refusals) or spec.file.startswith(SHIPPED):
        return attempt
    refused = [refusal.place for refusal in attempt.refusals]
    there = {id(p) for p in spec.as_file(new=False).attempt(rule, refused, values).places}
    help = "use `--in-place`, which changes the files of the spec, instead of `-o`"
    refusals = (
        r._replace(help=f"{r.help}; or {help}" if r.help else help) if id(r.place) in there else r
        for r in attempt.refusals
    )
    return attempt._replace(refusals=(*refusals,))


def _chosen(spec: Spec, at: Collection[str], report: Report) -> list[Place] | None:
    """The steps at the paths; reports a path of no step."""
    found = places(spec.program)
    if not at:
        return found
    chosen, picked = Chosen(spec.program, found), set[int]()
    for pattern in at:
        matching = chosen.matching(pattern)
        if not matching:
            report.texts["--at"] = pattern
            help = suggestion(pattern, chosen.known, what="paths")
            span = Span("--at", 1, 1, 1, len(pattern) + 1)
            report.error("E308", f"no step has the path `{pattern}`", span, help=help)
        picked |= {id(place) for place in matching}
    return [place for place in found if id(place) in picked] if report.ok else None


def _none(
    spec: Spec, rule: Rule, chosen: Sequence[Place], at: Collection[str], report: Report
) -> None:
    """Report that none of the steps is one that the rule is for."""
    alone = len(chosen) == 1
    where = f"`{chosen[0].text}` is" if alone else "these steps are" if at else "the spec has"
    message = f"`{rule.name}` is for {rule.target}; {where} none"
    span = chosen[0].node.origin.span() if at else Span(spec.file, 1, 1, 1, 2)
    help = f"`inception-dsl rewrite {spec.file}` lists the rules that apply, and where"
    report.error("E317", message, span, help=help)
