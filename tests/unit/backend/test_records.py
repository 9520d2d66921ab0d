"""Records: the order of nodes, and the layer that the output of a block comes from."""

from __future__ import annotations

from collections.abc import Callable

from inception_dsl.backend import Piece, Record, Records, boundaries, walk_program
from inception_dsl.ir.typed import TypedChain, TypedFork, TypedOp, TypedProgram, TypedUse
from inception_dsl.ir.walk import nodes_of

Compiled = Callable[..., TypedProgram]
SPEC = """
network: n
input: {channels: 3, height: 8, width: 8}
blocks:
  inner: {steps: [{branches: {a: [{op: identity}], b: []}, merge: add}, {op: identity, name: end}]}
  outer: {steps: [{use: inner, name: i, repeat: 2}]}
  empty: {steps: []}
body: [{use: outer, name: o}, {op: identity, name: last}]
"""


def record(chain: TypedChain) -> Record[str]:
    """A record in which everything is made into its kind."""
    found: list[tuple[Piece[str], ...]] = []
    for step in chain.steps:
        typed = step.runs[0].typed
        if isinstance(typed, TypedFork):
            found.append((Piece(0, None, tuple(record(c) for _, c in typed.branches)),))
        else:
            found.append((Piece(0, type(typed).__name__),))
    return tuple(found)


def records(typed: TypedProgram) -> Records[str]:
    """The records of a program and of all blocks that it uses."""
    blocks: dict[int, Record[str]] = {}

    def collect(chain: TypedChain) -> None:
        for node in nodes_of(chain):
            if isinstance(node, TypedUse):
                blocks[id(node.body)] = record(node.body)
                collect(node.body)

    for chain in typed.sections.values():
        collect(chain)
    return Records({n: record(c) for n, c in typed.sections.items()}, {}, blocks)


def test_every_node_once_and_uses_first(compiled: Compiled) -> None:
    typed = compiled(SPEC)
    found = [(f.path, f.typed) for f in records(typed).program(typed)]
    assert sorted(map(str, found)) == sorted(map(str, walk_program(typed)))
    paths = [path for path, typed in found if isinstance(typed, TypedUse | TypedFork)]
    assert paths == [("o",), *(("o", "i", n) for n in "0011")], "an unnamed fork after its use"


def test_the_end_of_a_block(compiled: Compiled) -> None:
    typed = compiled(SPEC)
    found = records(typed)
    first = next(f for f in found.program(typed) if isinstance(f.typed, TypedUse))
    last = found.last(first)
    assert last is not None and isinstance(last.typed, TypedOp)
    assert (last.path, last.use) == (("o", "i", "1", "end"), ("o", "i", "1"))


def test_compared_paths(compiled: Compiled) -> None:
    assert boundaries(compiled(SPEC)) == {("o",), ("o", "i", "0"), ("o", "i", "1"), ("last",)}
