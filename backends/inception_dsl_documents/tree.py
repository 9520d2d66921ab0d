"""What a figure shows, as a tree: layers, blocks and forks, before it has positions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from .figure import Role
from .labels import Label

Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Leaf:
    """A box: a layer, or a block that is not drawn in detail.

    ``y`` is the shape of its output, empty if it differs between the uses that are drawn once.
    """

    id: str
    label: Label
    role: Role
    y: str
    about: tuple[str, ...] = ()
    inside: Chain | None = None


@dataclass(frozen=True, eq=False)
class Group:
    """A frame with a title around a chain: a block in detail, or a fork that repeats."""

    id: str
    title: str
    chain: Chain
    y: str


@dataclass(frozen=True, eq=False)
class Branch:
    """A branch; ``after`` is the index of the item of the chain that it begins with, or ``None``.

    ``note`` is written where it begins: the channels that it gets, or the name of an input.
    """

    name: str
    chain: Chain
    after: int | None = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Fork:
    """Branches and their merge. ``entry``: the branches begin with the inputs of the network."""

    id: str
    merge: str
    branches: tuple[Branch, ...]
    y: str
    about: tuple[str, ...] = ()
    entry: bool = False


Item: TypeAlias = Leaf | Group | Fork


@dataclass(frozen=True, eq=False)
class Chain:
    """Items in order; ``heads`` are the chains at their side, by the index of the item before."""

    items: tuple[Item, ...]
    heads: tuple[Head, ...] = ()


@dataclass(frozen=True, eq=False)
class Head:
    """A chain beside the main one that begins after the item of this index, and its output."""

    after: int
    chain: Chain
    output: Leaf


def repeated(item: Item, count: str) -> Item:
    """An item that repeats so many times: a number, or an expression."""
    if isinstance(item, Leaf):
        return replace(item, label=item.label.times(count))
    if isinstance(item, Group):
        return replace(item, title=f"{count} × {item.title}")
    return Group(f"{item.id} repeated", f"{count} ×", Chain((item,)), item.y)


def identifier(path: Path) -> str:
    """The id of what is at a path; that of a block itself is not empty."""
    return "/".join(path) or "block"
