"""Which parameters of the top level are arguments of the generated model.

A parameter is one if the file stays the same for another value of it, except for the default: then
everything that depends on it is computed from the argument. All others are written as numbers.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from ..analysis.infer import infer
from ..diagnostics.report import Report
from ..ir.typed import TypedProgram
from ..ir.walk import walk_program
from .protocol import Backend, Request

CLASSES: Final = "classes"
_DOCUMENTED: Final = (ast.Module, ast.ClassDef, ast.FunctionDef)


def decided(typed: TypedProgram, backend: Backend, stem: str) -> TypedProgram:
    """``typed`` with the parameters that a backend writes as numbers in the file ``stem``."""
    if typed.program.literal is not None:
        return typed

    def code(program: TypedProgram, name: str) -> str:
        files = backend.emit(program, Request(stem), Report()) or {"": ""}
        file, text = next(iter(files.items()))
        return _code(text, name) if isinstance(text, str) and file.endswith(".py") else ""

    literal = {
        name
        for name in typed.values
        if name != CLASSES and any(code(typed, name) != code(t, name) for t in others(typed, name))
    }
    return replace(typed, program=typed.program._replace(literal=frozenset(literal)))


def others(typed: TypedProgram, name: str) -> Iterator[TypedProgram]:
    """The program with other values of a parameter; without those that give errors."""
    program = typed.program
    for value in _values(name, program.values[name]):
        found = infer(program._replace(values={**program.values, name: value}), Report())
        if found is not None and _alike(typed, found):
            yield found


def _values(name: str, value: Any) -> Iterator[Any]:
    """Other values of a parameter to try."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 3,) if name == CLASSES else (value + 1, 3 * value + 2, value - 1)
    elif isinstance(value, float):
        yield from (value * 0.75, value / 2)


def _alike(one: TypedProgram, other: TypedProgram) -> bool:
    """Whether the maps of both have the same sizes; a file is written for the sizes of its spec."""
    found = [{p: node.y.spatial for p, node in walk_program(t)} for t in (one, other)]
    return all(found[1].get(p, size) == size for p, size in found[0].items())


def _code(text: str, name: str) -> str:
    """The code of a file without its documentation and the defaults of an argument ``name``."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args]
            given = node.args.defaults
            last = arguments[len(arguments) - len(given) :]
            for argument, default in zip(last, given, strict=True):
                if argument.arg.rstrip("_") == name and isinstance(default, ast.Constant):
                    default.value = None
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)
