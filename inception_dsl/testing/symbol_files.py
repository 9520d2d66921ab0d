"""What generated files must look like: names, signatures, the number of definitions.

Nothing here runs a framework.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from ..backend.runs import constant_channels, slope
from ..emit.names import spelled
from ..ir.program import Chain, OpNode, UseNode
from ..ir.typed import TypedChain, TypedFork, TypedOp, TypedProgram, TypedUse
from ..ir.walk import uses_of
from ..ops import expressions

Signature = tuple[str, ...]
FRAME: Final = frozenset({"self", "x", "name"})
"""What every function of a block takes, and every method."""
CHANNELS: Final = frozenset({"in_channels", "in_features"})
"""What PyTorch is told and Keras sees."""
CALLED: Final[Mapping[str, str]] = {"classes": "num_classes"}
"""Parameters that generated files call otherwise."""
REPLACED: Final = ("keepdims",)
"""The fields of which it is told something else, or nothing as they decide what is written."""


def looked_at(typed: TypedProgram, sources: Mapping[str, str]) -> str:
    """What is wrong with the files of a program, the first thing; nothing where all is well."""
    found: list[tuple[str, dict[str, list[Signature]]]] = []
    for backend, text in sources.items():
        unknown = undefined(text)
        if unknown:
            return f"{backend}: the file reads {', '.join(unknown)}, which nothing defines"
        signatures = signatures_of(typed, text)
        for block, uses in blocks_of(typed).items():
            most, there = len({structure(use) for use in uses}), len(signatures[block])
            if not there:
                return f"{backend}: no definition of the block `{block}`"
            if there > most:
                return (
                    f"{backend}: {there} definitions of the block `{block}`, whose uses have "
                    f"{most} structures"
                )
        found.append((backend, signatures))
    if len(found) < 2:
        return ""
    return alike(typed, *found)


def undefined(text: str) -> list[str]:
    """The names that functions of a file read, and that are neither its own nor Python's."""
    table = symtable.symtable(text, "generated", "exec")
    known = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    known |= {*vars(builtins), "__class__"}
    return sorted(name for name in _read(table) if name not in known)


def _read(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_referenced() and symbol.is_global():
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _read(inner)


def blocks_of(typed: TypedProgram) -> dict[str, list[TypedUse]]:
    """The uses of every block, one for each set of values on each input."""
    found: dict[str, dict[int, TypedUse]] = {}

    def collect(chain: TypedChain) -> None:
        for use in uses_of(chain):
            uses = found.setdefault(use.node.block, {})
            if id(use.body) not in uses:
                uses[id(use.body)] = use
                collect(use.body)

    for chain in (*typed.sections.values(), *(chain for _, chain in typed.heads)):
        collect(chain)
    return {block: list(uses.values()) for block, uses in found.items()}


def structure(node: TypedUse | TypedFork | TypedOp) -> Any:
    """What a block must have in common to be written once: ranks, repetitions, what is in it."""
    ranks = (node.x.rank, node.y.rank)
    if isinstance(node, TypedOp):
        return (*ranks, node.op.op)
    if isinstance(node, TypedUse):
        return (*ranks, _structure(node.body))
    return (*ranks, tuple(_structure(chain) for _, chain in node.branches))


def _structure(chain: TypedChain) -> Any:
    return tuple(
        tuple(dict.fromkeys(structure(run.typed) for run in step.runs)) for step in chain.steps
    )


def signatures_of(typed: TypedProgram, text: str) -> dict[str, list[Signature]]:
    """The arguments of the definitions of every block."""
    tree = ast.parse(text)
    return {block: list(_definitions(typed, tree, block)) for block in blocks_of(typed)}


def _definitions(typed: TypedProgram, tree: ast.Module, block: str) -> Iterator[Signature]:
    top = typed.program.id
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef) or plain(node.name) == plain(top):
            continue
        first = (ast.get_docstring(node) or "").partition("\n")[0]
        own = re.fullmatch(rf"{plain(block)}(block)?\d*", plain(node.name))
        if own and first == f"{spelled(block)}.":
            yield arguments(node)


def plain(name: str) -> str:
    """A name without what tells classes from functions."""
    return name.replace("_", "").lower()


def arguments(node: ast.ClassDef | ast.FunctionDef) -> Signature:
    """What a class (its ``__init__``) or a function takes."""
    if isinstance(node, ast.ClassDef):
        methods = [m for m in node.body if isinstance(m, ast.FunctionDef)]
        init = next((m for m in methods if m.name == "__init__"), None)
        return arguments(init) if init else ()
    given = (*node.args.args, *node.args.kwonlyargs)
    return tuple(a.arg for a in given if a.arg not in FRAME)


def alike(typed: TypedProgram, *found: tuple[str, dict[str, list[Signature]]]) -> str:
    """How the signatures of two backends differ, what only one of them is told aside."""
    one, other = found
    replaced = replaced_of(typed)
    for block, mine in one[1].items():
        yours = other[1][block]
        if len(mine) != 1 or len(yours) != 1:
            continue
        only = common(mine[0], replaced[block]) ^ common(yours[0], replaced[block])
        if only:
            return (
                f"the block `{block}` takes ({', '.join(mine[0])}) in {one[0]} and "
                f"({', '.join(yours[0])}) in {other[0]}"
            )
    return ""


def replaced_of(typed: TypedProgram) -> dict[str, set[str]]:
    """The parameters of every block that say what :data:`REPLACED` says, also to inner ones."""
    blocks = typed.program.blocks
    found: dict[str, set[str]] = {block: set() for block in blocks}
    for key, uses in blocks_of(typed).items():
        found[key] |= {name for use in uses for name in _without_rule(use.body)}
    for _ in blocks:  # as deep as they can be nested
        for block in blocks.values():
            found[block.id] |= set(_replaced(block.chain, found))
    return found


def _without_rule(chain: TypedChain) -> Iterator[str]:
    """What repeats the steps whose channels follow no rule: PyTorch has to write these out."""
    for step in chain.steps:
        if step.repeated and not constant_channels([step], 1) and slope(step) is None:
            for expression in expressions(step.node.repeat):
                yield from (name for name, _ in expression.names)
        for run in step.runs:
            if isinstance(run.typed, TypedFork):
                for _, branch in run.typed.branches:
                    yield from _without_rule(branch)


def _replaced(chain: Chain, found: Mapping[str, set[str]]) -> Iterator[str]:
    for node in chain:
        written: list[Any] = []
        if isinstance(node, OpNode):
            written = [getattr(node.op, field, None) for field in REPLACED]
        elif isinstance(node, UseNode):
            written = [v for n, v in node.arguments.items() if n in found[node.block]]
        else:
            for _, branch in node.branches:
                yield from _replaced(branch, found)
        for value in written:
            for expression in expressions(value):
                yield from (name for name, _ in expression.names)


def common(signature: Signature, replaced: Collection[str]) -> set[str]:
    """What both backends should have, by the names of the spec."""
    names = {re.sub(r"(_value|_[0-9]+|_)+\Z", "", name) for name in signature}
    return names - CHANNELS - {CALLED.get(name, name) for name in replaced} - FRAME


def differing(typed: TypedProgram, shorter: TypedProgram, more: str, less: str) -> str:
    """The signatures that change with a use: none must, unless it is of another structure."""
    before, after = signatures_of(shorter, less), signatures_of(typed, more)
    counts = {block: len({structure(u) for u in uses}) for block, uses in blocks_of(typed).items()}
    replaced = replaced_of(typed)
    for block, found in before.items():
        if len(found) != 1 or counts[block] != 1 or not after[block]:
            continue
        old, new = (common(s, replaced[block]) for s in (found[0], after[block][0]))
        if old != new:
            return (
                f"one use more changes the block `{block}` from ({', '.join(found[0])}) to "
                f"({', '.join(after[block][0])})"
            )
    return ""
