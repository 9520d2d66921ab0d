"""Scopes: all values and symbols are printed here.

A slot is printed as its term if that gives the value of every use and the scope knows its symbols;
else as a literal if all uses have the same value; else it becomes an argument of the class or
function. A scope records what it reads; signatures are built from these records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from ..emit.names import Names
from ..emit.pycode import Code, literal
from ..types.spelling import spell
from ..types.spelling import tight as tightly
from ..types.terms import Symbol
from .definitions import Definition
from .frames import IN_CHANNELS, UNKNOWN, Row, Slot, SplitError
from .sites import Part, StepSite
from .use_site import UseSite

T = TypeVar("T")


class VariesError(SplitError):
    """A value differs between repetitions that would be written once."""


class Read(Code):
    """Source that refers to names of its scope, so it is valid only there."""

    __slots__ = ()


def composed(text: str, *parts: Code) -> Code:
    """Source made of parts; it is a :class:`Read` if any part is."""
    return Read(text) if any(isinstance(part, Read) for part in parts) else Code(text)


def tupled(parts: Iterable[Code]) -> Code:
    """A tuple of the parts: ``(a, b)``."""
    found = tuple(parts)
    return composed(f"({', '.join(found)}{',' if len(found) == 1 else ''})", *found)


def one_or_tuple(parts: Sequence[Code]) -> Code:
    """One value if all are the same, else a tuple."""
    return parts[0] if len(set(parts)) == 1 else tupled(parts)


class Form(NamedTuple):
    """How to print a value that is not a plain number or string.

    ``key`` identifies the form, ``write`` prints a value. ``kind`` is the type of an argument in
    this form, ``hint`` its name if it differs from the parameter's.
    """

    key: str
    kind: str
    write: Callable[[Any], str]
    hint: str = ""


PLAIN = Form("", "", literal)


class Argument(NamedTuple):
    """An argument of a class or function, with its value in each instance.

    ``symbol`` is the parameter that it holds, or ``None`` for a derived value. ``sized``: the value
    depends on spatial sizes.
    """

    name: Code
    kind: str
    form: Form
    symbol: Symbol | None
    values: tuple[Any, ...]
    sized: bool = False


@dataclass
class Scope:
    """A class or function under construction.

    ``known`` maps the symbols that it may read to their names; those in ``given`` become arguments
    when they are read. ``rows`` are the rows of the definition, one for each instance.
    """

    names: Names
    known: dict[Symbol, Code]
    given: frozenset[Symbol] = frozenset()
    rows: tuple[Row, ...] = ()
    arguments: dict[Any, Argument] = field(default_factory=dict)
    reads: dict[Symbol, None] = field(default_factory=dict)

    def text(
        self,
        slot: Slot,
        form: Form = PLAIN,
        spelled: Callable[[Symbol, Code], Code] | None = None,
        *,
        tight: bool = False,
    ) -> Code:
        """A slot as source.

        Raises :class:`VariesError` if the value differs between repetitions that are written once.
        ``spelled`` is called for every symbol that is read and returns what to write for its name
        (``self.rate`` for ``rate``); ``tight`` puts sums in parentheses.
        """
        term, frame = slot.term, slot.frame
        if term is UNKNOWN:
            raise VariesError
        if term is not None and not term.parts and slot.same:
            return Code(form.write(slot.values[0]))
        plain = form is PLAIN or (term is not None and term.lone is not None)
        spellable = term is not None and plain and all(s in self.known for s in term.symbols)
        if term is not None and spellable and frame.holds(term, slot.values):
            names = {symbol: self.read(symbol, form) for symbol in term.symbols}
            if spelled is not None:
                names = {symbol: spelled(symbol, name) for symbol, name in names.items()}
            return Read((tightly if tight else spell)(term, names))
        if slot.same and not (slot.sized and not frame.sized):
            return Code(form.write(slot.values[0]))
        name = self.derived(slot, form)
        return Read(name if spelled is None else spelled(Symbol(slot.hint), name))

    def read(self, symbol: Symbol, form: Form = PLAIN) -> Code:
        """The name of a symbol; records that it is read."""
        self.reads[symbol] = None
        if symbol not in self.given:
            return self.known[symbol]
        key = symbol, form.key
        if key not in self.arguments:
            name = self.known[symbol]
            if form.hint:
                name = Code(self.names.unique(form.hint, f"{form.hint}_value"))
            elif any(k[0] is symbol for k in self.arguments):  # read in another form already
                name = Code(self.names.unique(f"{name}_{form.key or 'value'}"))
            values = tuple(row.values[symbol] for row in self.rows)
            self.arguments[key] = Argument(name, form.kind or symbol.kind, form, symbol, values)
        return self.arguments[key].name

    def derived(self, slot: Slot, form: Form) -> Code:
        """The name of an argument for values that no term gives."""
        values: dict[int, Any] = {}
        for row, value in zip(slot.frame.rows, slot.values, strict=True):
            if values.setdefault(row.instance, value) != value:
                raise VariesError
        if slot.frame.sized:
            raise VariesError
        found = tuple(values.get(number, slot.values[0]) for number in range(len(self.rows)))
        hint = form.hint or slot.hint
        key = "derived", hint, form.key, found
        if key not in self.arguments:
            kind = form.kind or type(slot.values[0]).__name__
            name = Code(self.names.unique(hint, f"{hint}_value"))
            self.arguments[key] = Argument(name, kind, form, None, found, slot.sized)
        return self.arguments[key].name

    @contextmanager
    def loop(self, index: Symbol | None, name: str) -> Iterator[None]:
        """A loop inside which ``index`` can be read as ``name``."""
        if index is not None:
            self.known[index] = Code(name)
        try:
            yield
        finally:
            if index is not None:
                del self.known[index]

    def state(self) -> Any:
        """A snapshot for :meth:`restore`."""
        return len(self.arguments), len(self.reads), self.names.state()

    def restore(self, state: Any) -> None:
        """Undo everything recorded since the snapshot."""
        arguments, reads, names = state
        for record, length in ((self.arguments, arguments), (self.reads, reads)):
            while len(record) > length:
                record.popitem()
        self.names.restore(names)

    def signature(self) -> tuple[Argument, ...]:
        """The arguments: input channels, parameters in the order of the spec, derived values."""
        order = {symbol: number for number, symbol in enumerate(self.known)}
        found = list(self.arguments.values())
        return tuple(sorted(found, key=lambda a: order[a.symbol] if a.symbol else len(order)))

    def passed(self, use: UseSite, argument: Argument, definition: Definition) -> Code:
        """What a use passes for an argument of the definition, as source."""
        return self.text(given(use, argument, definition), argument.form)


def given(use: UseSite, argument: Argument, definition: Definition) -> Slot:
    """The slot of the value that a use passes for an argument."""
    values = tuple(argument.values[definition.instance(t)] for t in use.typed)
    if argument.symbol is None:
        return Slot(use.frame, values, None, argument.name, argument.sized)
    if argument.symbol is definition.channels:
        return Slot(use.frame, values, use.x, argument.name, use.x is None)
    name = next(n for n, symbol in definition.parameters.items() if symbol is argument.symbol)
    return use.argument(name, argument.name)


class Recorder(Protocol):
    """Records something while source is written, and can undo it."""

    def state(self) -> Any:
        """A snapshot of what has been recorded."""

    def restore(self, state: Any) -> None:
        """Undo everything recorded since the snapshot."""


def first_that_fits(
    step: StepSite, write: Callable[[tuple[Part, ...]], T], *recorders: Recorder
) -> T:
    """The result of ``write`` for the first way to write a step that raises no :class:`SplitError`.

    ``recorders`` (the scope, and anything else that records while ``write`` runs) are restored
    after each failure. Raises the last :class:`SplitError` if no way fits.
    """
    if not step.repeated:
        return write(next(iter(step.parts())))
    reason = SplitError(step.node)
    for parts in step.parts():
        states = [recorder.state() for recorder in recorders]
        try:
            return write(parts)
        except SplitError as error:
            reason = error
            for recorder, state in zip(recorders, states, strict=True):
                recorder.restore(state)
    raise reason


def scope_of(definition: Definition, reserved: Iterable[str], *, channels: bool) -> Scope:
    """The scope of a block.

    ``channels``: ``in_channels`` is an argument; otherwise it is a variable of the body.
    """
    names = Names(reserved)
    known = {definition.channels: Code(IN_CHANNELS)}
    names.take(IN_CHANNELS)
    for symbol in definition.parameters.values():
        known[symbol] = Code(names.unique(symbol.hint, f"{symbol.hint}_"))
    given = {*definition.parameters.values(), *([definition.channels] if channels else [])}
    return Scope(names, known, frozenset(given), definition.frame.rows)


def own_scope(
    symbols: Mapping[str, Symbol],
    rows: tuple[Row, ...],
    reserved: Iterable[str],
    *,
    channels: bool,
) -> Scope:
    """The scope of something that is used once: the top level, or an inline auxiliary head.

    ``channels`` is as for :func:`scope_of`. The number of classes is always called ``num_classes``,
    whatever other parameters are called.
    """
    names = Names(reserved)
    names.take(IN_CHANNELS)
    own = [name for name in symbols if name == IN_CHANNELS or "." in name]  # channels of inputs
    known = {symbols[name]: Code(IN_CHANNELS) for name in own if name == IN_CHANNELS}
    for name in sorted(symbols, key=lambda name: (name != "classes", name not in own)):
        if name == IN_CHANNELS:
            continue
        hint = symbols[name].hint
        known[symbols[name]] = Code(names.unique(hint, f"{hint}_"))
    given = frozenset(known) - (frozenset() if channels else {symbols[name] for name in own})
    return Scope(names, known, given, rows)
