"""Mutants of a module: its syntax tree with one node changed, as by a programming error.

Prose (messages, help, descriptions) and annotations are not changed; codes of diagnostics are.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

PROSE = re.compile(r"[A-Za-z]{2}[^A-Za-z]* | [^A-Za-z]*[A-Za-z]{2}")
DOCUMENTATION = {"description", "examples", "help", "title"}  # keywords
ASIDE = {"summary", "example", "__all__", "T", "M"}  # assigned names
ASIDE_FIELDS = {"annotation", "returns", "decorator_list", "bases", "type", "ctx", "op", "ops"}
SYMMETRIC = {"min", "max", "isinstance", "getattr", "hasattr", "super", "TypeVar"}
COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.Pow: ast.Mult,
}

Place: TypeAlias = tuple[ast.AST, str, int | None]
"""A node, one of its fields, and the index in the field."""


@dataclass(frozen=True, eq=False)
class Mutant:
    """``was`` in ``function`` of ``module`` is changed to ``now``; ``late`` if this code runs after
    the import.
    """

    module: str
    function: str
    was: str
    now: str
    line: int
    late: bool
    change: tuple[Place, ast.AST | None] = field(repr=False)

    @property
    def key(self) -> tuple[str, str, str]:
        return (f"{self.module}:{self.function}", self.was, self.now)


class Module:
    """A module of the compiler and all of its mutants."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.mutants = list(self._below(self.tree, "", late=False))

    def compiled(self, mutant: Mutant) -> ast.Module:
        """The tree with one change. It is not undone: use it in a process for one mutant."""
        _put(*mutant.change)
        return ast.fix_missing_locations(self.tree)

    def _below(
        self, node: ast.AST, scope: str, *, late: bool, around: ast.AST | None = None
    ) -> Iterator[Mutant]:
        around = around if isinstance(node, ast.Slice) and around else node
        for name, value in ast.iter_fields(node):
            if name in ASIDE_FIELDS or (name == "keywords" and isinstance(node, ast.ClassDef)):
                continue
            items = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
            for index, child in items:
                if isinstance(child, ast.AST) and not _aside(child, node, name):
                    yield from self._of(child, (node, name, index), scope, late, around)

    def _of(
        self, child: ast.AST, place: Place, scope: str, late: bool, around: ast.AST
    ) -> Iterator[Mutant]:
        for new in _changes(child, place):
            line = getattr(child, "lineno", getattr(place[0], "lineno", 0))
            if new is not None:
                ast.copy_location(new, child)
            yield Mutant(
                self.name, scope, *_texts(child, place, new, around), line, late, (place, new)
            )
        if isinstance(child, ast.FunctionDef):
            inner = (
                f"{scope}.<locals>.{child.name}" if late else f"{scope}.{child.name}".lstrip(".")
            )
            yield from self._below(child.args, scope, late=late)
            for index, statement in enumerate(child.body):
                if not _aside(statement, child, "body"):
                    yield from self._of(statement, (child, "body", index), inner, True, child)
        elif isinstance(child, ast.ClassDef):
            yield from self._below(child, f"{scope}.{child.name}".lstrip("."), late=late)
        elif isinstance(child, ast.Lambda) and not late:
            yield from self._below(child.args, scope, late=False)
            yield from self._of(
                child.body, (child, "body", None), f"{scope}.<lambda>".lstrip("."), True, child
            )
        else:
            yield from self._below(child, scope, late=late, around=around)


def _aside(node: ast.AST, parent: ast.AST, name: str) -> bool:
    """Whether a node and its children are never changed."""
    if isinstance(
        node, ast.Import | ast.ImportFrom | ast.Assert | ast.arg | ast.alias | ast.Nonlocal
    ):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return bool(PROSE.search(node.value)) or isinstance(parent, ast.JoinedStr)
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(v, ast.Constant) and PROSE.search(str(v.value)) for v in node.values)
    if isinstance(node, ast.keyword):
        return node.arg in DOCUMENTATION or node.arg == "strict"  # checks for bugs, as `assert`
    if isinstance(node, ast.Assign | ast.AnnAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        alias = isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias"
        return alias or (isinstance(target, ast.Name) and target.id in ASIDE)
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name) and node.value.id in ("Annotated", "Literal")
    return isinstance(node, ast.expr) and name == "format_spec"


def _changes(node: ast.AST, place: Place) -> Iterator[ast.AST | None]:
    """The replacements of a node; ``None`` to remove it."""
    parent, name, _ = place
    if isinstance(node, ast.stmt):
        new = _statement(node)
        if new is not None:
            yield new
    elif isinstance(node, ast.keyword):
        if isinstance(parent, ast.Call) and node.arg:
            yield None
    elif isinstance(node, ast.Slice):
        for end in ("lower", "upper", "step"):
            if getattr(node, end) is not None:
                yield ast.Slice(
                    **{
                        e: None if e == end else getattr(node, e)
                        for e in ("lower", "upper", "step")
                    }
                )
    elif isinstance(node, ast.expr):
        for new in _expression(node):
            yield new
        asked = (name == "test" and not isinstance(parent, ast.Assert)) or name == "ifs"
        if asked and not isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant):
            yield ast.UnaryOp(ast.Not(), node)


def _statement(node: ast.stmt) -> ast.stmt | None:
    if isinstance(node, ast.Continue):
        return ast.Break()
    if isinstance(node, ast.Break):
        return ast.Continue()
    if isinstance(node, ast.Return):
        return None if node.value is None or isinstance(node.value, ast.Constant) else ast.Return()
    if isinstance(node, ast.AugAssign):
        return ast.AugAssign(node.target, ARITHMETIC.get(type(node.op), ast.Sub)(), node.value)
    if isinstance(node, ast.Assign):
        return None if isinstance(node.targets[0], ast.Name | ast.Tuple) else ast.Pass()
    if isinstance(node, ast.Raise | ast.Delete) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        return ast.Pass()
    return None


def _expression(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            yield ast.Compare(
                node.left,
                [*node.ops[:i], COMPARE[type(op)](), *node.ops[i + 1 :]],
                node.comparators,
            )
    elif isinstance(node, ast.BinOp):
        if type(node.op) in ARITHMETIC:
            yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)
        else:  # `a | b` of types or sets
            yield node.left
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.JoinedStr):
        yield ast.Constant("")
    elif isinstance(node, ast.Constant):
        yield from _constant(node.value)
    elif isinstance(node, ast.Call) and len(node.args) > 1:
        first, second, *rest = node.args
        alike = isinstance(node.func, ast.Name) and node.func.id in SYMMETRIC
        if (
            not alike
            and ast.dump(first) != ast.dump(second)
            and not any(isinstance(a, ast.Starred) for a in (first, second))
        ):
            yield ast.Call(node.func, [second, first, *rest], node.keywords)


def _constant(value: object) -> Iterator[ast.expr]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
    elif isinstance(value, str):
        yield ast.Constant("" if value else "x")


def _texts(node: ast.AST, place: Place, new: ast.AST | None, around: ast.AST) -> tuple[str, str]:
    """The code before and after, on one line: the node, or more if the node alone is unclear."""
    short = new is None or isinstance(node, ast.Slice) or len(ast.unparse(node)) < 12
    if not short or isinstance(node, ast.stmt) or isinstance(around, ast.Module):
        return _line(node), _line(new)
    was = _line(around)
    _put(place, new)
    now = _line(around)
    _put(place, node, back=new is None)
    return was, now


def _put(place: Place, new: ast.AST | None, *, back: bool = False) -> None:
    """Set the field to ``new``, or remove the node; ``back`` inserts a removed node again."""
    node, name, index = place
    if index is None:
        setattr(node, name, new)
    elif new is None:
        del getattr(node, name)[index]
    elif back:
        getattr(node, name).insert(index, new)
    else:
        getattr(node, name)[index] = new


def _line(node: ast.AST | None) -> str:
    return "" if node is None else ast.unparse(node).strip().splitlines()[0]
