"""Writes each block as one function, whatever the number and the arguments of its uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inception_dsl.backend import (
    IN_CHANNELS,
    Argument,
    ChainSite,
    Code,
    Definition,
    Head,
    ModulePlan,
    Names,
    Node,
    Record,
    Scope,
    Symbol,
    UseSite,
    own_scope,
    scope_of,
)

from .body import Body
from .calls import Call, Calls, Keyword, Writer
from .statements import Assign, Plain, Statement, returned

TENSOR_TYPE = "keras.KerasTensor"


@dataclass(frozen=True, slots=True)
class Function:
    """A function to print, with the record of its chain.

    ``definition`` is its block, ``None`` for an auxiliary head.
    """

    name: str
    arguments: tuple[Argument, ...]
    statements: tuple[Statement, ...]
    docstring: Code
    record: Record[Calls]
    definition: Definition | None = None

    def call(self, values: Iterable[Code]) -> Call:
        """A call with a value for each argument, by keyword."""
        pairs = zip(self.arguments, values, strict=True)
        given = (Keyword(a.name, value) for a, value in pairs)
        reads = any(isinstance(s, Assign) and s.call.sized for s in self.statements)
        return Call(self.name, tuple(given), helper=True, reads=reads)

    def heading(self) -> list[str]:
        """The parameters of the function."""
        own = (f"{argument.name}: {argument.kind}" for argument in self.arguments)
        return [f"x: {TENSOR_TYPE}", *own, "*", "name: str"]


class Functions:
    """The functions of a program's blocks and heads; each calls only earlier ones.

    ``names`` are the names of the module, ``reserved`` names that no variable may have; ``joined``:
    the helper function ``conv_bn`` takes its activation as an argument. ``refused`` are steps whose
    layers cannot be called as often as the spec does.
    """

    def __init__(self, plan: ModulePlan, names: Names, reserved: set[str], *, joined: bool) -> None:
        self.plan, self.names, self.reserved, self.joined = plan, names, reserved, joined
        self.module = frozenset(names.taken)
        self.found: list[Function] = []
        self.refused: list[Node] = []
        self.instances: dict[int, Function] = {}
        self.titles: dict[str, str] = {}
        for definition, function in plan.written(self.function):
            self.found.append(function)
            self.instances |= {id(use.body): function for use in definition.instances}
        heads = [head.name for head, _ in plan.typed.heads]
        self.titles |= {name: names.unique(f"{name}_head") for name in heads}

    def function(self, definition: Definition) -> Function:
        """The function of a definition; raises :class:`SplitError` if it must be split."""
        block = definition.block
        scope = scope_of(definition, self.variables(), channels=False)
        statements, record = self.statements(scope, definition.chain, definition.channels)
        name = self.names.unique(f"{block.id}_block" if block.id in self.module else block.id)
        text = self.plan.block_doc(definition)
        return Function(name, tuple(scope.signature()), tuple(statements), text, record, definition)

    def statements(
        self, scope: Scope, chain: ChainSite, channels: Symbol
    ) -> tuple[list[Statement], Record[Calls]]:
        """The body of a function, with ``in_channels = ...`` first if it reads that."""
        body = Body(Writer(scope, self.plan.typed.program.rank, self.joined), self.call)
        end, record = body.chain(chain, "x", "x", ("{name}",))
        self.refused += body.refused
        found = returned(body.statements, end)
        first = [Plain(f"{IN_CHANNELS} = x.shape[-1]")] if channels in scope.reads else []
        return [*first, *found], record

    def call(self, use: UseSite, w: Writer) -> Call:
        """A call of a block's function; raises :class:`SplitError` if the uses need several."""
        found = [self.instances[id(t.body)] for t in use.typed]
        function = found[0]
        if any(other is not function for other in found):
            raise use.frame.split(use.node, [other.name for other in found])
        assert function.definition is not None
        passed = [w.scope.passed(use, a, function.definition) for a in function.arguments]
        return function.call(passed)

    def variables(self) -> set[str]:
        """The names that no variable of a function may have, as its code may refer to them."""
        return self.reserved | {function.name for function in self.found} | {*self.titles.values()}

    def head(self, head: Head, symbols: Mapping[str, Symbol], chain: ChainSite) -> Function:
        """The function of an inline auxiliary head, in its own frame."""
        scope = own_scope(symbols, chain.frame.rows, self.variables(), channels=False)
        statements, record = self.statements(scope, chain, symbols[IN_CHANNELS])
        title, text = self.titles[head.name], self.plan.head_doc(head)
        function = Function(title, tuple(scope.signature()), tuple(statements), text, record)
        self.found.append(function)
        return function
