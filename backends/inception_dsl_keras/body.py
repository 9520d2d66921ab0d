"""The statements of one function: chains, forks, uses and repeats as assignments and loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from inception_dsl.backend import (
    IN_CHANNELS,
    ChainSite,
    Code,
    ForkSite,
    Group,
    LayerSite,
    Part,
    Read,
    Site,
    Slot,
    StepSite,
    UseSite,
    first_that_fits,
    listing,
    literal,
)

from .calls import Call, Keyword, Writer, layer, layer_name, merge_name
from .lowering import lower
from .printing import statement
from .record import ChainRecord, Piece

MERGES = {"concat": "Concatenate", "add": "Add", "multiply": "Multiply"}


@dataclass(frozen=True, slots=True)
class Assign:
    """``target = call(source)``; the layer's ``name`` may hold variables in braces."""

    target: str
    call: Call
    source: str | tuple[str, ...]
    name: str
    depth: int = 0
    note: str = ""

    def text(self, shown: Call, indent: int) -> Code:
        """The statement as source."""
        prefix = "return " if self.target == "return" else f"{self.target} = "
        source: str | Group = self.source if isinstance(self.source, str) else listing(self.source)
        return statement(
            prefix, shown, source, self.name, indent=indent + 4 * self.depth, note=self.note
        )


@dataclass(frozen=True, slots=True)
class Plain:
    """A line as it stands: the head of a loop, a variable of another name."""

    line: str
    depth: int = 0

    def text(self, indent: int) -> Code:
        """The statement as source."""
        return Code(f"{' ' * (indent + 4 * self.depth)}{self.line}")


Statement = Assign | Plain


@dataclass(slots=True)
class Body:
    """Collects the statements of a function.

    ``uses`` gives the call of a block's function. ``used`` are the variables that hold something,
    ``own`` all that there have been: the scope may give none of these to an argument. With
    ``notes``, statements say the shape they lead to.
    """

    writer: Writer
    uses: Callable[[UseSite, Writer], Call]
    notes: bool = False
    statements: list[Statement] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)
    noted: str = ""

    def chain(
        self, chain: ChainSite, source: str, target: str, path: tuple[str, ...], depth: int = 0
    ) -> tuple[str, ChainRecord]:
        """Write a chain from ``source`` to ``target``; returns its end, and the record."""
        record = []
        for step in chain.steps:
            source, pieces = self.step(step, source, target, path, depth)
            record.append(pieces)
        return source, tuple(record)

    def step(
        self, step: StepSite, source: str, target: str, path: tuple[str, ...], depth: int = 0
    ) -> tuple[str, tuple[Piece, ...]]:
        """Write the repetitions of a step, in loops where they say the same."""
        here = (*path, *step.node.segments)

        def write(parts: tuple[Part, ...]) -> tuple[str, tuple[Piece, ...]]:
            found, end = [], source
            for part in parts:
                end, piece = self.part(part, step, end, target, here, depth)
                found.append(replace(piece, start=part.start))
            return end, tuple(found)

        end, pieces = first_that_fits(step, write, self.writer.scope, self)
        return end, pieces

    def part(
        self,
        part: Part,
        step: StepSite,
        source: str,
        target: str,
        path: tuple[str, ...],
        depth: int,
    ) -> tuple[str, Piece]:
        """Some repetitions: one, or a loop."""
        if part.index is None:
            here = (*path, str(part.start)) if step.repeated else path
            return self.node(part.site, source, target, here, depth)
        if source != target:
            self.statements.append(Plain(f"{target} = {source}", depth))
        stop = self.writer.scope.text(part.stop)
        bounds = f"{part.start}, {stop}" if part.start else stop
        index = self.claim("index", "inner_index")
        self.statements.append(Plain(f"for {index} in range({bounds}):", depth))
        self.noted = ""
        with self.writer.scope.loop(part.index, index):
            here = (*path, f"{{{index}}}")
            _, piece = self.node(part.site, target, target, here, depth + 1)
        self.used.discard(index)
        return target, piece

    def node(
        self, site: Site, source: str, target: str, path: tuple[str, ...], depth: int
    ) -> tuple[str, Piece]:
        """Write one repetition of a step; the variable that holds its result, and its record."""
        note = self.note(site) if self.notes else ""
        if isinstance(site, ForkSite):
            return target, self.fork(site, source, target, path, depth, note)
        if isinstance(site, UseSite):
            name = "_".join(path) or site.node.block
            self.assign(target, self.uses(site, self.writer), source, name, depth, note)
            return target, Piece(0)
        return target, self.layer(site, source, target, path, depth, note)

    def layer(
        self,
        site: LayerSite,
        source: str,
        target: str,
        path: tuple[str, ...],
        depth: int,
        note: str,
    ) -> Piece:
        """Write the calls of a layer."""
        calls = lower(self.writer, site)
        for call in calls:
            name = layer_name(path, call.part, site.op.op)
            self.assign(target, call, source, name, depth, note if call is calls[-1] else "")
            source = target
        return Piece(0, calls)

    def fork(
        self,
        fork: ForkSite,
        source: str,
        target: str,
        path: tuple[str, ...],
        depth: int,
        note: str,
    ) -> Piece:
        """Write the branches, then the merge."""
        ends: list[str] = []
        claimed: list[str] = []
        records: list[ChainRecord] = []
        outer, self.notes = self.notes, False
        y = fork.typed[0].y
        for name, chain in fork.branches:
            variable = self.claim(name, f"{target}_{name}", f"{name}_branch")
            end, record = self.chain(chain, source, variable, (*path, name), depth)
            if fork.node.merge != "concat" and y.rank and not chain.typed[0].y.rank:
                self.reshape(end, variable, y.rank, "_".join([*path, name, "reshape"]), depth)
                end = variable
            ends.append(end)
            claimed.append(variable)
            records.append(record)
        self.notes = outer
        self.used -= set(claimed)
        merge = layer(MERGES[fork.node.merge])
        if fork.node.merge == "add":
            # Keras 3.15 on TensorFlow adds a map of one channel and position as a bias where it is
            # the second and there are as many samples as channels; the first one is always right
            sizes = [[t.y.positions() * t.y.channels for t in b.typed] for _, b in fork.branches]
            ends = [end for _, end in sorted(zip(sizes, ends, strict=True), key=lambda p: p[0])]
        self.assign(target, merge, tuple(ends), merge_name(path, fork.node.merge), depth, note)
        return Piece(0, branches=tuple(records))

    def reshape(self, source: str, target: str, rank: int, name: str, depth: int) -> None:
        """A vector as a map of one position."""
        shape = Keyword("target_shape", literal((*(1,) * rank, -1)), positional=True)
        self.assign(target, layer("Reshape", shape), source, name, depth)

    def assign(
        self,
        target: str,
        call: Call,
        source: str | tuple[str, ...],
        name: str,
        depth: int = 0,
        note: str = "",
    ) -> None:
        """Add a statement; a shape that was noted before is not noted again."""
        if note == self.noted:
            note = ""
        self.noted = note or self.noted
        self.statements.append(Assign(target, call, source, name, depth, note))

    def claim(self, *wanted: str) -> str:
        """A free variable: the first of ``wanted`` that is, else the last with a number."""
        number, candidates = 2, list(wanted)
        for candidate in candidates:
            if self.free(candidate):
                break
            if candidate == candidates[-1]:
                candidates.append(f"{wanted[-1]}_{number}")
                number += 1
        self.used.add(candidate)
        self.own.add(candidate)
        self.writer.scope.names.take(candidate)
        return candidate

    def free(self, name: str) -> bool:
        """Whether a name is that of nothing else."""
        return name not in self.used and (
            name in self.own or name not in self.writer.scope.names.taken
        )

    def note(self, site: Site) -> str:
        """The shape that a node leads to, in the last of its repetitions."""
        scope, y = self.writer.scope, site.typed[-1].y
        values = tuple(t.y.channels for t in site.typed)
        symbols = site.y.symbols if site.y is not None else ()
        if len(set(values)) > 1 or any(scope.known.get(s) == IN_CHANNELS for s in symbols):
            return str(y)
        recorded = scope.state()
        last = Slot(site.frame, values, site.y, "out_channels")
        channels = scope.text(last)
        scope.restore(recorded)
        named = f"({channels})" if y.rank and isinstance(channels, Read) else channels
        return "x".join([*map(str, y.spatial), named])

    def state(self) -> tuple[int, set[str], set[str], str, bool]:
        """What has been written."""
        return len(self.statements), {*self.used}, {*self.own}, self.noted, self.notes

    def restore(self, state: tuple[int, set[str], set[str], str, bool]) -> None:
        """Forget what was written since."""
        length, self.used, self.own, self.noted, self.notes = state
        del self.statements[length:]


def returned(statements: list[Statement], end: str) -> list[Statement]:
    """The statements with a ``return`` of ``end``, of the last value itself where that is all."""
    last = statements[-1] if statements else None
    if isinstance(last, Assign) and not last.depth and last.target == end:
        return [*statements[:-1], replace(last, target="return")]
    return [*statements, Plain(f"return {end}")]
