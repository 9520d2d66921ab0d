"""Writes the statements of a function: assignments and loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from inception_dsl.backend import (
    IN_CHANNELS,
    Apply,
    ChainSite,
    Expression,
    ForkSite,
    Item,
    Join,
    LayerSite,
    Locals,
    Node,
    Part,
    Piece,
    Read,
    Record,
    Site,
    Slot,
    StepSite,
    UseSite,
    call,
    first_that_fits,
    listing,
    literal,
    statements,
)

from .calls import Call, Calls, Keyword, Writer, helper, layer, layer_name, merge_name
from .lowering import lower
from .printing import items, name_text
from .sharing import alike, alone, fixed, forgets
from .statements import Again, Assign, Bind, Divide, Plain, Statement

MERGES = {"concat": "Concatenate", "add": "Add", "multiply": "Multiply"}


@dataclass(slots=True)
class Body:
    """Collects the statements of a function.

    ``uses`` returns the call of a block's function. With ``notes``, statements have their output
    shape as a comment; ``noted`` is the last one written. ``owners`` are the variables of what is
    called more than once, by path; ``refused`` the steps of which that is not possible. ``untied``:
    the maps of several inputs may have different sizes.
    """

    writer: Writer
    uses: Callable[[UseSite, Writer], Call]
    notes: bool = False
    statements: list[Statement] = field(default_factory=list)
    noted: str = ""
    owners: dict[tuple[str, ...], str] = field(default_factory=dict)
    refused: list[Node] = field(default_factory=list)
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
        return found[-1].target if found else source, tuple(map(self.statement, found))

    def statement(self, planned: Apply | Join) -> tuple[Piece[Calls], ...]:
        """Write a step, with equal repetitions as loops; returns its record."""
        if isinstance(planned, Join):
            return (self.join(planned),)
        if planned.step.absent:
            return ()
        if planned.step.again:
            self.again(planned, self.owners[planned.step.again.of(planned.path)])
            return (Piece(0),)
        if planned.step.shared:
            return (Piece(0, self.owner(planned)),)

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

    def owner(self, planned: Apply) -> Calls:
        """Write a layer, or a part of the model, that is called more than once, and its first
        call; returns the calls of a layer.
        """
        site, path = planned.step.site, planned.path
        assert not isinstance(site, ForkSite)
        kind = site.op.op if isinstance(site, LayerSite) else site.node.block
        words = [part for part in path if not part.isdigit() and "{" not in part] or [kind]
        variable = self.local.names.unique(words[-1], "_".join(words), f"{kind}_layer")
        calls = lower(self.writer, site) if isinstance(site, LayerSite) else ()
        if isinstance(site, LayerSite) and alone(calls):
            name = name_text(layer_name(path, calls[0].part, site.op.op))
            made = call(calls[0].function, *items(calls[0].arguments, ""), Item(name, "name"))
            self.statements.append(Bind(variable, made))
        else:
            calls = self.model(planned, site, variable)
        self.owners[path] = variable
        self.reuse(planned.target, variable, planned.source, planned.step)
        return calls

    def model(self, planned: Apply, site: LayerSite | UseSite, variable: str) -> Calls:
        """Write an inner model for maps of any size, or of that of all calls if need be."""
        given = self.local.names.unique(f"{variable}_input", f"{variable}_given")
        start, outer, self.notes = len(self.statements), self.notes, False
        self.statements.append(Plain(""))
        calls = self.node(site, given, variable, planned.path, 0)
        self.notes = outer
        rank, source = site.typed[0].x.rank, planned.source
        shape = f"{source}.shape[1:]"
        needed, one = fixed(site, self.statements[start:]), alike(site)
        if rank and not (needed or (one and forgets(site))):
            shape = f"({'None, ' * rank}{source}.shape[-1])"
        if rank and needed and not one:
            self.refused.append(site.node)
        self.statements[start] = Bind(given, call("keras.Input", shape))
        name = Item(name_text("_".join(planned.path) or site.node.segments[-1]), "name")
        self.statements.append(
            Bind(variable, call("keras.Model", given, variable, name), model=True)
        )
        return calls

    def again(self, planned: Apply, variable: str) -> None:
        """Write another call of a layer or a part of the model, or a loop of such calls."""
        step, source = planned.step, planned.source
        if not step.repeated:
            return self.reuse(planned.target, variable, source, step)
        slot = step.frame.slot(tuple(t.count for t in step.typed), step.node.repeat, "repeat")
        if source != planned.target:
            self.statements.append(Plain(f"{planned.target} = {source}"))
        self.statements.append(Plain(f"for _ in range({self.writer.scope.text(slot)}):"))
        self.noted = ""
        return self.reuse(planned.target, variable, planned.target, step, 1)

    def reuse(
        self, target: str, variable: str, source: str, step: StepSite, depth: int = 0
    ) -> None:
        """Add a call of a variable."""
        note = self.note(step.site) if self.notes else ""
        note, self.noted = "" if note == self.noted else note, note or self.noted
        self.statements.append(Again(target, variable, source, depth, note))

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
        called = layer(MERGES[merge])
        if merge == "add" and broadcasts(fork):
            called = helper("broadcast_add")
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


def broadcasts(fork: ForkSite) -> bool:
    """Whether a merge may broadcast the end of a branch. Maps of one position are equal in the
    spec, but may not be for other inputs.
    """
    rows = zip(*([typed.y for typed in branch.typed] for _, branch in fork.branches), strict=True)
    return any(
        len({(y.spatial, y.channels) for y in row}) > 1
        or any(y.rank and y.positions() == 1 for y in row)
        for row in rows
    )
