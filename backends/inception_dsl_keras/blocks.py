"""Blocks as functions: one for each block, however often and with whatever values it is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inception_dsl.backend import (
    About,
    Code,
    Defined,
    Definition,
    Names,
    Prose,
    TypedChain,
    TypedUse,
    bullets,
    citation,
    deviations,
    docstring,
    headline,
    literal,
    shapes,
    uses_of,
)

from .body import Assign, Body, Plain, Statement, returned
from .calls import Argument, Call
from .unify import unify

TENSOR_TYPE = "keras.KerasTensor"
MOST_SHAPES = 8


@dataclass(frozen=True, slots=True)
class Function:
    """A function to print.

    ``parameters`` maps the block's own to those of the function, with their types.

    ``optional`` are those among them (own names) that have their most common value as default.
    """

    name: str
    parameters: Mapping[str, tuple[str, str]]
    statements: tuple[Statement, ...]
    docstring: Code
    optional: frozenset[str] = frozenset()

    def call(self, values: Mapping[str, Any]) -> Call:
        """The call with the block's own parameters.

        Whole numbers by position, everything else by name.
        """
        arguments = (
            Argument(
                name, literal(values[own]), positional=kind == "int" and own not in self.optional
            )
            for own, (name, kind) in self.parameters.items()
        )
        return Call(
            self.name, tuple(sorted(arguments, key=lambda a: not a.positional)), helper=True
        )


class Functions:
    """The functions of a program's blocks and heads, in an order in which each only calls earlier
    ones.
    """

    def __init__(self, defined: Defined, names: Names, reserved: set[str]) -> None:
        self.defined, self.names, self.reserved = defined, names, reserved
        self.found: list[Function] = []
        self.by_key: dict[Any, Function] = {}
        self.variants: dict[str, dict[Any, Definition]] = {}
        for definition in defined.definitions:
            self.variants.setdefault(definition.block.id, {})[definition.key[:2]] = definition
        for block in self.variants:
            self.block(block)

    def call(self, use: TypedUse) -> Call:
        """The call of a block's function."""
        return self.by_key[self.defined.key(use)[:2]].call(use.arguments)

    def block(self, block: str) -> None:
        variants = list(self.variants[block].values())
        if variants[0].key[:2] in self.by_key:
            return
        for variant in variants:
            for inner in uses_of(variant.chain):
                self.block(inner.node.block)
        names = {own: self.parameter(own, variants[0]) for own in variants[0].block.parameters}
        written = [self.statements(variant.chain, names) for variant in variants]
        values = [{names[k]: v for k, v in variant.fixed.items()} for variant in variants]
        merged = unify(written, values)
        if merged is not None:
            self.add(block, variants, names, merged)
            return
        for variant, statements in zip(variants, written, strict=True):
            text = "_".join(_word(v) for v in variant.fixed.values())
            self.add(f"{block}_{text}", [variant], names, statements)

    def parameter(self, own: str, definition: Definition) -> str:
        """The parameter's name in the function.

        Another one where the function needs it for something else.
        """
        free = [k for k in definition.block.parameters if k not in definition.fixed]
        printed = dict(zip(free, definition.parameters, strict=True)).get(own, own)
        return f"{printed}_value" if printed in self.reserved else printed

    def statements(self, chain: TypedChain, names: Mapping[str, str]) -> list[Statement]:
        other = {own: name for own, name in names.items() if own != name}
        body = Body(self.call, {*self.reserved, *names.values()}, other)
        end = body.chain(chain, "x", "x", ("{name}",))
        return returned(body.statements, end)

    def add(
        self,
        name: str,
        variants: list[Definition],
        names: Mapping[str, str],
        statements: list[Statement],
    ) -> None:
        block = variants[0].block
        reads = _reads(statements)
        parameters = {
            own: (names[own], kind) for own, kind in block.parameters.items() if names[own] in reads
        }
        pairs = dict.fromkeys(pair for variant in variants for pair in variant.shapes)
        notes = [*block.about.deviations, *deviations(variants[0].chain)]
        sizes = list(dict.fromkeys(shapes(pairs)))
        text = documentation(
            block.about, block.id, sizes if len(sizes) <= MOST_SHAPES else [], notes
        )
        statements = with_channels(statements)
        optional = frozenset(parameters.keys() & variants[0].fixed.keys() - {"kernel_size"})
        # calls give whole numbers by position, so that these come first, and what has a default
        # last
        order = sorted(
            parameters, key=lambda own: (own in optional, block.parameters[own] != "int")
        )
        ordered = {own: parameters[own] for own in order}
        function = Function(
            self.names.unique(name, f"{name}_block"), ordered, tuple(statements), text, optional
        )
        self.found.append(function)
        self.by_key |= {variant.key[:2]: function for variant in variants}

    def head(self, name: str, about: About, chain: TypedChain, shape: str) -> Function:
        """The function of an auxiliary head."""
        statements = self.statements(chain, {})
        reads = _reads(statements)
        parameters = {p: (p, "int") for p in self.defined.parameters if p in reads}
        text = documentation(
            about, f"{name}_head", [shape], [*about.deviations, *deviations(chain)]
        )
        title = self.names.unique(f"{name}_head")
        function = Function(title, parameters, tuple(with_channels(statements)), text)
        self.found.append(function)
        return function


def with_channels(
    statements: list[Statement], line: str = "in_channels = x.shape[-1]"
) -> list[Statement]:
    """The statements, after the number of input channels where they need it."""
    return [Plain(line), *statements] if "in_channels" in _reads(statements) else statements


def _reads(statements: list[Statement]) -> set[str]:
    return {word for s in statements if isinstance(s, Assign) for word in s.reads}


def _word(value: Any) -> str:
    """The value as a part of a name: the text of an argument may be any."""
    return (
        "".join(c if c.isascii() and c.isalnum() else "_" for c in str(value)[:64])
        .strip("_")
        .lower()
    )


def documentation(about: About, identifier: str, sizes: list[str], deviating: list[Prose]) -> Code:
    """The docstring of a block: title, citation, shapes, deviations."""
    return docstring(
        headline(about, identifier),
        about.description,
        citation(about),
        "\n".join(sizes) if len(sizes) > 1 else "".join(f"{s}." for s in sizes),
        bullets("Where the paper leaves a choice or differs from its code:", deviating, indent=4),
        indent=4,
    )
