"""Shared weights (``weights``) in a rewritten spec: what has replaced a step shares those of what
has replaced the other, and paths that have changed are written anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from ...diagnostics.report import Edit, Report
from ...ir.program import Chain, ForkNode, Node, OpNode, Program
from ...ir.typed import Path, TypedProgram
from .application import Application
from .edited import Edited, applied, edited
from .matching import matches
from .moving import RefusedError
from .places import Key, Place, places
from .sources import Base, Files, Sources
from .together import shared
from .written import Texts, Written

_FIELD = "weights"
Pairs: TypeAlias = Sequence[tuple[Key, Key]]
"""Steps that have the weights of another one, each with that one."""
New: TypeAlias = Mapping[Key, tuple[Node, ...]]


class Shared:
    """The shared weights of a spec in which steps are rewritten, each with a replacement."""

    def __init__(
        self, spec: Sources, application: Application, base: Base, steps: Sequence[Written]
    ) -> None:
        self.spec, self.application, self.base, self.steps = spec, application, base, steps
        self.places = {place.key: place for place in places(base.typed)}
        self.keys = {id(place.node): key for key, place in self.places.items()}
        self.pairs = [(self.keys[id(a)], self.keys[id(b)]) for a, b in shared(base.typed)]

    def result(self, first: Edited) -> Edited:
        """The texts with all weights that were shared; raises :class:`RefusedError`."""
        own = {s.place.key: r.own for s, r in zip(self.steps, first.replacements, strict=True)}
        changed = {s.item.span.file for s in self.steps}
        pairs = [p for p in self.pairs if self.places[p[0]].node.origin.span().file in changed]
        if not pairs:
            return first
        found = edited(self.application, self.base.texts, self.steps, self._moved(pairs, own))
        typed = self._compiled(found.texts)
        new = self._new(self.base.typed, typed, self.steps, found)
        wanted = [*_wanted(pairs, new, typed)]
        texts = {**found.texts}
        by_file: dict[str, list[Edit]] = {}
        for edit in self._added(wanted, typed, texts):
            by_file.setdefault(edit.span.file, []).append(edit)
        texts |= {file: applied(texts[file], edits) for file, edits in by_file.items()}
        self._check(pairs, found._replace(texts=texts))
        return found._replace(texts=texts)

    def _moved(self, pairs: Pairs, own: Mapping[Key, int]) -> Iterator[Edit]:
        """The edits of paths that change: they are those of a spec without shared weights."""
        texts = Texts(self.base.typed, self.base.texts)
        bare: dict[str, list[Edit]] = {}
        sharers = {key: self._written(texts, self.places[key]) for key, _ in pairs}
        for written in sharers.values():
            bare.setdefault(written.item.span.file, []).extend(written.without(_FIELD))
        plain = {file: applied(self.base.texts[file], own) for file, own in bare.items()}
        typed = self._compiled(plain)
        known, alone = {p.key: p for p in places(typed)}, {**self.base.texts, **plain}
        index = Texts(typed, alone)
        steps = [self._written(index, known[step.place.key]) for step in self.steps]
        found = edited(self.application, alone, steps)
        result = self._compiled({**plain, **found.texts})
        new, after = self._new(typed, result, steps, found), _paths(result.program)
        before = _paths(self.base.typed.program)
        for key, owner in pairs:
            one, other = (new[k][own.get(k, 0)] for k in (key, owner))
            nodes = self.places[key].node, self.places[owner].node
            path = _relative(after[id(one)], after[id(other)])
            if path != _relative(*(before[id(node)] for node in nodes)):
                yield from sharers[key].set(_FIELD, path)

    def _written(self, texts: Texts, place: Place) -> Written:
        found = texts.find(place)
        if isinstance(found, str):
            raise RefusedError(f"`{place.text}` shares weights, but {found}")
        return found

    def _compiled(self, texts: Files) -> TypedProgram:
        target = self.spec.target
        whole = {target: self.base.texts[target], **texts}
        return self.spec.compiled(whole, Report(), "the result has an error,")

    def _new(
        self, old: TypedProgram, new: TypedProgram, steps: Sequence[Written], found: Edited
    ) -> New:
        """What stands for each step now."""
        keys = {id(place.node): place.key for place in places(old)}
        chosen = [step.place for step in steps]
        every = matches(old.program, new.program, chosen, found.sizes)
        return {keys[id(match.old)]: match.new for match in every if id(match.old) in keys}

    def _added(
        self, wanted: Sequence[tuple[Node, Node]], typed: TypedProgram, texts: Files
    ) -> Iterator[Edit]:
        """The edits that give new steps the weights of other new ones."""
        paths, index = _paths(typed.program), Texts(typed, {**self.base.texts, **texts})
        known = {id(place.node): place for place in places(typed)}
        for node, owner in wanted:
            if node.shares is None:
                written = self._written(index, known[id(node)])
                yield from written.set(_FIELD, _relative(paths[id(node)], paths[id(owner)]))

    def _check(self, pairs: Pairs, found: Edited) -> None:
        """Compile the result, and compare which steps share weights."""
        typed = self._compiled(found.texts)
        new = self._new(self.base.typed, typed, self.steps, found)
        have = {id(node): id(owner) for node, owner in shared(typed)}
        if any(have.get(id(node)) != id(owner) for node, owner in _wanted(pairs, new, typed)):
            raise RefusedError("the path in `weights` would lead to another step")


def _wanted(pairs: Pairs, new: New, typed: TypedProgram) -> Iterator[tuple[Node, Node]]:
    """The steps that have to share weights, each with the owner."""
    weighted = {id(p.node) for p in places(typed) if any(t.weights for t in p.layers)}
    for key, owner in pairs:
        for one, other in zip(new[key], new[owner], strict=True):
            if not isinstance(other, OpNode) or id(other) in weighted:
                yield one, other


def _relative(own: Path, owner: Path) -> str:
    """The path of a step from the innermost chain or fork around it that has both."""
    common = 0
    while common < min(len(own), len(owner)) and own[common] == owner[common]:
        common += 1
    return "/".join(owner[common:])


def _paths(program: Program) -> dict[int, Path]:
    """The paths of all steps in their block or section, by the ``id`` of the step."""
    chains: list[tuple[Path, Chain]] = [((), chain) for chain in program.sections.values()]
    chains += [((), block.chain) for block in program.blocks.values()]
    chains += [((head.name,), head.chain) for head in program.heads]
    return {id(node): path for around, chain in chains for path, node in _walk(chain, around)}


def _walk(chain: Chain, around: Path) -> Iterator[tuple[Path, Node]]:
    for node in chain:
        here = (*around, *node.segments)
        yield here, node
        if isinstance(node, ForkNode):
            for name, branch in node.branches:
                yield from _walk(branch, (*here, name))
