"""A figure as a Mermaid flowchart, which code hosts and notebooks draw in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Final

from inception_dsl.backend import Files, Report, Request, TypedProgram, generated_by

from .figure import Role
from .options import DIRECTION
from .palette import THEMES
from .tree import Chain, Fork, Group, Item, Leaf
from .trees import Trees

_SHAPES: Final[Mapping[str, tuple[str, str]]] = {"terminal": ("([", "])"), "merge": ("{{", "}}")}


def emit_mermaid(typed: TypedProgram, request: Request, report: Report) -> Files:
    """The network with its blocks as subgraphs."""
    direction = "BT" if request.value(DIRECTION) == "up" else "TB"
    chain = Trees.of(typed).detailed().network()
    flow = _Flow()
    flow.network(chain)
    lines = [f"%% {generated_by(typed.program.id)}", f"flowchart {direction}", *flow.lines]
    fills = THEMES["light"].fills
    for role, ids in flow.roles.items():
        if role in fills:
            lines.append(f"  classDef {role} fill:{fills[role]},stroke:#555,color:#111")
            lines.append(f"  class {','.join(ids)} {role}")
    return {f"{request.name}.mmd": "\n".join(lines) + "\n"}


class _Flow:
    """The lines of a flowchart; nodes are numbered, as words may have a meaning in it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.roles: dict[Role, list[str]] = {}
        self.numbers = count(1)
        self.depth = 1

    def network(self, chain: Chain) -> None:
        exits: list[list[str]] = []
        self.chain(chain, [], exits)
        for head in chain.heads:
            self.chain(Chain((*head.chain.items, head.output)), exits[head.after], [])

    def chain(self, chain: Chain, before: list[str], exits: list[list[str]]) -> list[str]:
        """Add a chain after the nodes ``before``, and return its last ones; ``exits`` gets those
        of each item.
        """
        for item in chain.items:
            before = self.item(item, before, exits)
            exits.append(before)
        return before

    def item(self, item: Item, before: list[str], exits: list[list[str]]) -> list[str]:
        if isinstance(item, Leaf):
            text = "<br>".join(map(_text, item.label.lines))
            return [self.node(text, item.role, before)]
        if isinstance(item, Group):
            self.line(f'subgraph s{next(self.numbers)} ["{_text(item.title)}"]')
            self.depth += 1
            found = self.chain(item.chain, before, [])
            self.depth -= 1
            self.line("end")
            return found
        return self.fork(item, before, exits)

    def fork(self, fork: Fork, before: list[str], exits: list[list[str]]) -> list[str]:
        ends = []
        for branch in fork.branches:
            start = before if branch.after is None else exits[branch.after]
            if fork.entry:
                start = [self.node(_text(branch.note), "terminal", [])]
            ends += self.chain(branch.chain, start, [])
        return [self.node(_text(fork.merge), "merge", ends)]

    def node(self, text: str, role: Role, before: list[str]) -> str:
        name = f"n{next(self.numbers)}"
        left, right = _SHAPES.get(role, ("[", "]"))
        self.line(f'{name}{left}"{text}"{right}')
        for one in before:
            self.line(f"{one} --> {name}")
        self.roles.setdefault(role, []).append(name)
        return name

    def line(self, text: str) -> None:
        self.lines.append(f"{'  ' * self.depth}{text}")


def _text(text: str) -> str:
    """Text as Mermaid's entity codes, except for letters, digits, spaces and plain signs."""
    return "".join(_character(c) for c in text if c.isprintable())


def _character(character: str) -> str:
    plain = character.isalnum() or character in " .,:/+-_×…"
    return character if plain else f"#{ord(character)};"
