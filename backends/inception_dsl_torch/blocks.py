"""Writes each block as a class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from inception_dsl.backend import (
    Argument,
    ChainSite,
    Code,
    Definition,
    Definitions,
    Group,
    Head,
    Item,
    Names,
    Record,
    Scope,
    StepSite,
    Symbol,
    class_name,
    layout,
    own_scope,
    scope_of,
    signature,
)

from .build import ClassBody
from .lines import written
from .modules import Shared, Written, sequence
from .places import Held, Place
from .reserved import READ_BY_INIT


class ClassView(NamedTuple):
    """A class to print. ``head`` and ``setup`` are the signature and the lines of ``__init__``,
    ``forward`` the lines of ``forward`` (empty for an ``nn.Sequential``).
    """

    name: Code
    base: Code
    doc: Code
    head: Code
    setup: tuple[Code, ...]
    forward: tuple[Code, ...]


@dataclass(frozen=True)
class Draft:
    """A class that is not printed yet, because its helper calls depend on all classes of the file.

    An ``nn.Sequential`` has ``items``; other classes have a ``body``, whose ``forward`` returns
    ``result``. ``values`` are the defaults of arguments, ``symbols`` those of an inline head.
    """

    name: str
    doc: Code
    arguments: tuple[Argument, ...]
    record: Record[Place]
    values: Mapping[Symbol, object]
    items: tuple[Item, ...] = ()
    body: ClassBody | None = None
    result: str = ""
    symbols: Mapping[str, Symbol] = field(default_factory=dict)

    def view(self) -> ClassView:
        """The class as text."""
        if self.body is None:
            setup = [layout("super().__init__", Group("(", self.items, rows=True), indent=8)]
            forward: list[Code] = []
        else:
            setup = [Code("        super().__init__()"), *self.body.init()]
            forward = written(self.body.forward, result=self.result)
        head = signature(
            "__init__", ["self", *map(self.parameter, self.arguments)], "None", indent=4
        )
        base = "nn.Sequential" if self.body is None else "nn.Module"
        if not self.arguments and self.body is not None and len(setup) == 1:
            head, setup = Code(""), []
        return ClassView(Code(self.name), Code(base), self.doc, head, tuple(setup), tuple(forward))

    def parameter(self, argument: Argument) -> str:
        """An argument as written in the signature."""
        text = f"{argument.name}: {argument.kind}"
        if argument.symbol is None or argument.symbol not in self.values:
            return text
        return f"{text} = {argument.form.write(self.values[argument.symbol])}"


def write_blocks(shared: Shared, names: Names) -> list[Draft]:
    """The classes of all definitions, each after the classes that it uses."""
    drafts = []

    def write(definition: Definition) -> Draft:
        return block_class(definition, shared)

    for definition, draft in shared.plan.written(write, shared.helpers):
        name = names.unique(class_name(definition.block.id))
        made = Written(name, definition, draft.arguments, draft.record)
        shared.written |= {id(use.body): made for use in definition.instances}
        drafts.append(replace(draft, name=name))
    return drafts


def block_class(definition: Definition, shared: Shared) -> Draft:
    """The class of a block; its name is set later."""
    scope = scope_of(definition, READ_BY_INIT, channels=True)
    return make_class("", definition.chain, scope, {}, shared.plan.block_doc(definition), shared)


def make_class(
    name: str,
    chain: ChainSite,
    scope: Scope,
    values: Mapping[Symbol, object],
    doc: Code,
    shared: Shared,
) -> Draft:
    """A class for a chain; ``values`` are the defaults of its arguments."""
    if chain.simple and len(chain.steps) > 1 and all(map(is_numbered, chain.steps)):
        items, found = sequence(shared, scope, chain.steps, notes=chain.frame.sized)
        held = Held("", True)
        record = tuple(made.record(held) for made in found)
        draft = Draft(name, doc, scope.signature(), record, values, tuple(items))
    else:
        body = ClassBody(shared, scope, (chain,))
        result, record = body.chain(chain, "x", "x", ())
        shared.helpers.needs("Tensor")
        draft = Draft(name, doc, scope.signature(), record, values, (), body, result)
    shared.helpers.arguments(draft.arguments)
    return draft


def is_numbered(step: StepSite) -> bool:
    """Whether a step is unnamed: its path segments are numbers."""
    return all(segment.isdigit() for segment in step.node.segments)


def top_scope(definitions: Definitions, taken: Iterable[str]) -> Scope:
    """The scope of the top-level class."""
    top = definitions.top
    rows = next(iter(top.sections.values())).frame.rows
    return own_scope(top.symbols, rows, {*READ_BY_INIT, *taken}, channels=True)


def head_class(name: str, head: Head, shared: Shared) -> Draft:
    """The class of an inline auxiliary head."""
    symbols, chain = shared.plan.definitions.own_head(head.name)
    scope = own_scope(symbols, chain.frame.rows, READ_BY_INIT, channels=True)
    draft = make_class(name, chain, scope, {}, shared.plan.head_doc(head), shared)
    return replace(draft, symbols=symbols)


def alone(shared: Shared) -> Draft:
    """The class of a block that is built alone."""
    plan = shared.plan
    chain = plan.definitions.top.sections["steps"]
    scope = top_scope(plan.definitions, ())
    values, name = scope.rows[0].values, class_name(plan.typed.program.id)
    return make_class(name, chain, scope, values, plan.alone_doc(), shared)
