"""Writes the statements of a function: assignments and loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from inception_dsl.backend import (
    IN_CHANNELS,
    Apply,
    ChainSite,
    Code,
    Expression,
    Group,
    Join,
    LayerSite,
    Locals,
    Part,
    Piece,
    Read,
    Record,
    Site,
    Slot,
    UseSite,
    assigned,
    call,
    first_that_fits,
    listing,
    literal,
    statements,
)

from .calls import Call, Calls, Keyword, Writer, layer, layer_name, merge_name
from .lowering import lower
from .printing import statement

MERGES = {"concat": "Concatenate", "add": "Add", "multiply": "Multiply"}


@dataclass(frozen=True, slots=True)
class Assign:
    """``target = call(source)``; the layer's ``name`` may contain variables in braces."""

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
    """A literal line: the head of a loop, or a copy of a variable."""

    line: str
    depth: int = 0

    def text(self, indent: int) -> Code:
        """The statement as source."""
        return Code(f"{' ' * (indent + 4 * self.depth)}{self.line}")


@dataclass(frozen=True, slots=True)
class Divide:
    """``targets = ops.split(source, sections, axis=-1)``: the parts of a map or a vector."""

    targets: tuple[str, ...]
    source: str
    sections: Expression

    def text(self, indent: int) -> Code:
        """The statement as source."""
        value = call("ops.split", self.source, self.sections, axis=literal(-1))
        return assigned(self.targets, value, indent=indent)


Statement = Assign | Plain | Divide


@dataclass(slots=True)
class Body:
    """Collects the statements of a function.

    ``uses`` returns the call of a block's function. With ``notes``, statements have their output
    shape as a comment; ``noted`` is the last one written.
    """

    writer: Writer
    uses: Callable[[UseSite, Writer], Call]
    notes: bool = False
    statements: list[Statement] = field(default_factory=list)
    noted: str = ""
    local: Locals = field(init=False)
    index: str = field(init=False)

    def __post_init__(self) -> None:
        self.local = Locals(self.writer.scope.names)
        self.index = self.local.claim("index", "inner_index")

    def chain(
        self, chain: ChainSite, source: str, target: str, path: tuple[str, ...]
    ) -> tuple[str, Record[Calls]]:
        """Write a chain from ``source`` to ``target``; returns the result variable and a record."""
        found = statements(chain, source, target, path, self.local)
        return target if found else source, tuple(map(self.statement, found))

    def statement(self, planned: Apply | Join) -> tuple[Piece[Calls], ...]:
        """Write a step, with equal repetitions as loops; returns its record."""
        if isinstance(planned, Join):
            return (self.join(planned),)

        def write(parts: tuple[Part, ...]) -> tuple[Piece[Calls], ...]:
            found, source = [], planned.source
            for part in parts:
                found.append(self.part(part, planned, source))
                source = planned.target
            return tuple(found)

        return first_that_fits(planned.step, write, self.writer.scope, self)

    def part(self, part: Part, planned: Apply, source: str) -> Piece[Calls]:
        """Write some repetitions: a single one, or a loop."""
        target, path = planned.target, planned.path
        if part.index is None:
            path = (*path, str(part.start)) if planned.step.repeated else path
            return Piece(part.start, self.node(part.site, source, target, path, 0))
        if source != target:
            self.statements.append(Plain(f"{target} = {source}"))
        stop = self.writer.scope.text(part.stop)
        bounds = f"{part.start}, {stop}" if part.start else stop
        self.statements.append(Plain(f"for {self.index} in range({bounds}):"))
        self.noted = ""
        with self.writer.scope.loop(part.index, self.index):
            path = (*path, f"{{{self.index}}}")
            return Piece(part.start, self.node(part.site, target, target, path, 1))

    def node(
        self, site: Site, source: str, target: str, path: tuple[str, ...], depth: int
    ) -> Calls:
        """Write one repetition of a layer or a use; returns the calls of a layer."""
        note = self.note(site) if self.notes else ""
        if isinstance(site, UseSite):
            name = "_".join(path) or site.node.block
            self.assign(target, self.uses(site, self.writer), source, name, depth, note)
            return ()
        assert isinstance(site, LayerSite)
        calls = lower(self.writer, site)
        for made in calls:
            name = layer_name(path, made.part, site.op.op)
            self.assign(target, made, source, name, depth, note if made is calls[-1] else "")
            source = target
        return calls

    def join(self, planned: Join) -> Piece[Calls]:
        """Write the branches, then the merge."""
        fork, path = planned.fork, planned.path
        if fork.split:
            self.divide(planned)
        note = self.note(fork) if self.notes else ""
        ends, records = [], []
        outer, self.notes = self.notes, False
        y, merge = fork.typed[0].y, fork.node.merge
        for branch in planned.branches:
            records.append(tuple(map(self.statement, branch.statements)))
            end = branch.end
            if merge != "concat" and y.rank and not branch.chain.typed[0].y.rank:
                self.reshape(end, branch.target, y.rank, "_".join([*path, branch.name, "reshape"]))
                end = branch.target
            ends.append(end)
        self.notes = outer
        if merge == "add":
            # one channel first: Keras 3.15 on TensorFlow adds a second operand of one channel and
            # one position as a bias if the batch size equals the number of channels
            channels = [[t.y.channels for t in b.typed] for _, b in fork.branches]
            ends = [end for _, end in sorted(zip(channels, ends, strict=True), key=lambda p: p[0])]
        called = layer(MERGES[merge])
        self.assign(planned.target, called, tuple(ends), merge_name(path, merge), 0, note)
        return Piece(0, branches=tuple(records))

    def divide(self, planned: Join) -> None:
        """Write the statement that divides the input of a fork between its branches."""
        fork, targets = planned.fork, tuple(branch.source for branch in planned.branches)
        count: Expression = literal(len(targets))
        sections = count if fork.equal else listing(map(self.writer.scope.text, fork.ends))
        self.statements.append(Divide(targets, planned.source, sections))

    def reshape(self, source: str, target: str, rank: int, name: str) -> None:
        """Write a layer that reshapes a vector to a map of one position."""
        shape = Keyword("target_shape", literal((*(1,) * rank, -1)), positional=True)
        self.assign(target, layer("Reshape", shape), source, name)

    def assign(
        self,
        target: str,
        call: Call,
        source: str | tuple[str, ...],
        name: str,
        depth: int = 0,
        note: str = "",
    ) -> None:
        """Add a statement; a shape comment equal to the last one is left out."""
        if note == self.noted:
            note = ""
        self.noted = note or self.noted
        self.statements.append(Assign(target, call, source, name, depth, note))

    def note(self, site: Site) -> str:
        """The shape comment of a node: the output shape of its last repetition."""
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

    def state(self) -> tuple[int, str]:
        """A snapshot for :meth:`restore`."""
        return len(self.statements), self.noted

    def restore(self, state: tuple[int, str]) -> None:
        """Undo everything written since the snapshot."""
        length, self.noted = state
        del self.statements[length:]


def returned(statements: list[Statement], end: str) -> list[Statement]:
    """The statements with a ``return`` of ``end``; merged with the last assignment if possible."""
    last = statements[-1] if statements else None
    if isinstance(last, Assign) and not last.depth and last.target == end:
        return [*statements[:-1], replace(last, target="return")]
    return [*statements, Plain(f"return {end}")]
