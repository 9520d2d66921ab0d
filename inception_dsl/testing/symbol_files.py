"""Checks the source of generated files: names, signatures, number of definitions.

No framework is imported.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from ..backend.runs import constant_channels, slope
from ..emit.about import headline
from ..ir.program import Chain, OpNode, UseNode
from ..ir.typed import TypedChain, TypedFork, TypedOp, TypedProgram, TypedStep, TypedUse
from ..ir.walk import uses_of
from ..ops import expressions

Signature = tuple[str, ...]
FRAME: Final = frozenset({"self", "x", "name"})
"""Arguments that every function or method of a block has."""
CHANNELS: Final = frozenset({"in_channels", "in_features"})
"""Arguments only in PyTorch; Keras reads them from its input."""
CALLED: Final[Mapping[str, str]] = {"classes": "num_classes"}
"""Parameters with another name in generated files."""
PARTS: Final = ("_channels", "_end")
"""The ends of arguments for the sizes of a split that no expression gives: their names and values
differ in PyTorch, which reads sizes, and in Keras, which reads where parts end.
"""
REPLACED: Final = ("keepdims", "depth_multiplier")
"""Fields that only decide which code PyTorch gets, or that it replaces by the channels of the
output if those of the input follow no rule.
"""
DECIDING: Final = ("over", "learned", "per")
"""Fields that decide which code both frameworks get."""


def check_files(typed: TypedProgram, sources: Mapping[str, str]) -> str:
    """The first problem in the files of a program, or an empty text."""
    found: list[tuple[str, dict[str, list[Signature]]]] = []
    for backend, text in sources.items():
        unknown = undefined(text)
        if unknown:
            return f"{backend}: the file uses undefined names: {', '.join(unknown)}"
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
    """The names that functions of a file use, defined neither there nor in Python."""
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
    """The uses of every block, one per combination of arguments and input."""
    found: dict[str, dict[int, TypedUse]] = {}

    def collect(chain: TypedChain) -> None:
        for use in uses_of(chain):
            uses = found.setdefault(use.node.block, {})
            if id(use.body) not in uses:
                uses[id(use.body)] = use
                collect(use.body)

    for chain in typed.chains:
        collect(chain)
    return {block: list(uses.values()) for block, uses in found.items()}


def structure(node: TypedUse | TypedFork | TypedOp) -> Any:
    """The structure of a node: ranks, repetitions, contents, fields that decide how an op is
    written. Equal ones need one definition.
    """
    ranks = (node.x.rank, node.y.rank)
    if isinstance(node, TypedOp):
        return (*ranks, node.op.op, *(getattr(node.op, field, None) for field in DECIDING))
    if isinstance(node, TypedUse):
        return (*ranks, _structure(node.body))
    return (*ranks, tuple(_structure(chain) for _, chain in node.branches))


def _structure(chain: TypedChain) -> Any:
    return tuple(
        (
            0 if _by_rule(step) else step.count,
            *dict.fromkeys(structure(run.typed) for run in step.runs),
        )
        for step in chain.steps
    )


def _by_rule(step: TypedStep) -> bool:
    """Whether the channels of repetitions follow a rule: PyTorch has to write out the others."""
    return constant_channels([step], 1) or slope(step) is not None


def signatures_of(typed: TypedProgram, text: str) -> dict[str, list[Signature]]:
    """The arguments of the definitions of every block."""
    tree = ast.parse(text)
    return {block: list(_definitions(typed, tree, block)) for block in blocks_of(typed)}


def _definitions(typed: TypedProgram, tree: ast.Module, block: str) -> Iterator[Signature]:
    top = typed.program.id
    titles = {b.id: headline(b.about, b.id).plain for b in typed.program.blocks.values()}
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef) or plain(node.name) == plain(top):
            continue
        first = (ast.get_docstring(node) or "").partition("\n")[0]
        own = re.fullmatch(rf"{plain(block)}(block)?\d*", plain(node.name))
        if own and first == titles[block]:
            yield arguments(node)


def plain(name: str) -> str:
    """A name without the spelling of classes or functions."""
    return name.replace("_", "").lower()


def arguments(node: ast.ClassDef | ast.FunctionDef) -> Signature:
    """The arguments of a class (its ``__init__``) or a function."""
    if isinstance(node, ast.ClassDef):
        methods = [m for m in node.body if isinstance(m, ast.FunctionDef)]
        init = next((m for m in methods if m.name == "__init__"), None)
        return arguments(init) if init else ()
    given = (*node.args.args, *node.args.kwonlyargs)
    return tuple(a.arg for a in given if a.arg not in FRAME)


def alike(typed: TypedProgram, *found: tuple[str, dict[str, list[Signature]]]) -> str:
    """How the signatures of two backends differ, apart from arguments that only one can have."""
    one, other = found
    replaced = replaced_of(typed)
    for block, mine in one[1].items():
        yours = other[1][block]
        if len(mine) != 1 or len(yours) != 1:
            continue
        only = common(mine[0], replaced[block]) ^ common(yours[0], replaced[block])
        if only:
            return (
                f"the arguments of block `{block}` are ({', '.join(mine[0])}) in {one[0]} and "
                f"({', '.join(yours[0])}) in {other[0]}"
            )
    return ""


def replaced_of(typed: TypedProgram) -> dict[str, set[str]]:
    """The parameters of every block that set fields of :data:`REPLACED`, also in inner blocks."""
    blocks = typed.program.blocks
    found: dict[str, set[str]] = {block: set() for block in blocks}
    for key, uses in blocks_of(typed).items():
        found[key] |= {name for use in uses for name in _without_rule(use.body)}
    for _ in blocks:  # the largest possible nesting depth
        for block in blocks.values():
            found[block.id] |= set(_replaced(block.chain, found))
    return found


def _without_rule(chain: TypedChain) -> Iterator[str]:
    """What repeats the steps whose channels follow no rule."""
    for step in chain.steps:
        if step.repeated and not _by_rule(step):
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
            yield from (name for name in found[node.block] if name.endswith(PARTS))
        else:
            written = [*node.sizes[-1:]]  # in Keras, a split is where all parts but the last end
            for name, branch in node.branches:
                yield from _replaced(branch, found)
                yield from (f"{name}{part}" for part in PARTS if node.split)
        for value in written:
            for expression in expressions(value):
                yield from (name for name, _ in expression.names)


def common(signature: Signature, replaced: Collection[str]) -> set[str]:
    """The arguments that both backends should have, by their names in the spec."""
    names = {re.sub(r"(_value|_[0-9]+|_)+\Z", "", name) for name in signature}
    return names - CHANNELS - {CALLED.get(name, name) for name in replaced} - FRAME


def differing(typed: TypedProgram, shorter: TypedProgram, more: str, less: str) -> str:
    """A signature that one more use changes; none may, unless the use has another structure."""
    before, after = signatures_of(shorter, less), signatures_of(typed, more)
    counts = {block: len({structure(u) for u in uses}) for block, uses in blocks_of(typed).items()}
    replaced = replaced_of(typed)
    for block, found in before.items():
        if len(found) != 1 or counts[block] != 1 or not after[block]:
            continue
        old, new = (common(s, replaced[block]) for s in (found[0], after[block][0]))
        if old != new:
            return (
                f"one more use changes the block `{block}` from ({', '.join(found[0])}) to "
                f"({', '.join(after[block][0])})"
            )
    return ""


def code(source: str) -> str:
    """The program of a source file, without its documentation."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            del node.body[0]
    return ast.dump(tree)
