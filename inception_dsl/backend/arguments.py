"""Which parameters of the top level are arguments of the generated model.

A parameter is one if the file stays the same for another value of it, except for the default: then
everything that depends on it is computed from the argument. All others are written as numbers.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any, Final

from ..analysis.infer import infer
from ..diagnostics.report import Report
from ..ir.program import Node, OpNode, Program, UseNode
from ..ir.typed import TypedProgram
from ..ir.walk import layers_of, step_count, uses_of, written_steps
from ..ops import Flatten, expressions
from ..types.expression import Expression
from ..types.width import UNCHANGED
from .frames import IN_CHANNELS
from .outline import every_step
from .protocol import Backend, Request

CLASSES: Final = "classes"
_SPEC: Final = {"num_classes": CLASSES}
_VALUES: Final = 5
"""How many other values are tried for each parameter."""
_LEAST, _MOST = 5, 2_000
"""Limits on the time: how often a file is written at least, and the steps in all of them."""
_DOCUMENTED: Final = (ast.Module, ast.ClassDef, ast.FunctionDef)


def decided(typed: TypedProgram, backend: Backend, stem: str) -> TypedProgram:
    """``typed`` with the parameters that a backend writes as numbers in the file ``stem``."""
    if typed.program.literal is not None or backend.documents:
        return typed
    names = frozenset(typed.values)
    fixed = _fixed_channels(typed)
    if not fixed and _flattened_in_blocks(typed):
        inputs = ("in", "input", *typed.program.inputs)
        given = frozenset(f"{name}_{what}" for name in inputs for what in ("channels", "shape"))
        plain = replace(typed, program=typed.program._replace(preprocessing=None))
        same = _Written(backend, stem, plain, given).same
        fixed = frozenset() if all(map(same, _wider(typed))) else frozenset({IN_CHANNELS})
    if names <= {CLASSES} and not _computes(typed.program):
        names = frozenset()  # `$classes` as it is, in most networks
    if not names:
        return replace(typed, program=typed.program._replace(literal=fixed))
    written = _Written(backend, stem, typed, names)
    literal = fixed | frozenset(written.varying(sorted(names)))
    return replace(typed, program=typed.program._replace(literal=literal))


def _fixed_channels(typed: TypedProgram) -> frozenset[str]:
    """The channels of the inputs, if a file is written for one number of them: steps are repeated
    as often as they say, or some uses of a block leave out a step that others have.
    """
    program = typed.program
    found = (e for node in written_steps(program) for e in expressions(node.repeat))
    counted = any(IN_CHANNELS in dict(e.names) for e in found)
    steps = every_step(typed.chains)
    left_out = any(not s.count and isinstance(s.node.repeat, Expression) for s in steps)
    return frozenset({IN_CHANNELS}) if counted or left_out else frozenset()


def _flattened_in_blocks(typed: TypedProgram) -> bool:
    """Whether a block flattens a map. What follows may be written for the length of the vector."""
    inner = (layers_of(use.body) for chain in typed.chains for use in uses_of(chain))
    return any(isinstance(node.op, Flatten) and node.x.rank for nodes in inner for node in nodes)


def _wider(typed: TypedProgram) -> Iterator[TypedProgram]:
    """The program with more channels in all inputs, or in each, if that gives no errors."""
    program, inputs = typed.program, typed.program.inputs
    for names in dict.fromkeys(((*inputs,), *((name,) for name in inputs))):
        more = {n: x._replace(channels=x.channels + (n in names)) for n, x in inputs.items()}
        if found := infer(program._replace(inputs=more, preprocessing=None), Report()):
            yield found


def _computes(program: Program) -> bool:
    """Whether anything is computed from parameters, or scaled by a width."""
    found = (e for node in written_steps(program) for e in _expressions(node))
    computed = ({*dict(e.names)} - {IN_CHANNELS} for e in found if len(e.code) > 1)
    return program.width != UNCHANGED or any(computed)


def _expressions(node: Node) -> list[Expression]:
    given: list[Any] = [node.repeat]
    if isinstance(node, OpNode):
        given += node.op.attributes().values()
    elif isinstance(node, UseNode):
        given += node.arguments.values()
    else:
        given += node.sizes
    return expressions(given)


class _Written:
    """The code of a program's file, without the defaults of the arguments ``names``.

    ``room`` is how often the file may still be written, a limit on time.
    """

    def __init__(
        self, backend: Backend, stem: str, typed: TypedProgram, names: frozenset[str]
    ) -> None:
        self.backend, self.stem, self.typed, self.names = backend, stem, typed, names
        self.room = max(_LEAST, _MOST // (1 + step_count(typed.program)))
        self.code = self.of(typed)

    def varying(self, names: Sequence[str]) -> set[str]:
        """The parameters of which the code depends on the value; all are tried at once first."""
        if len(names) > 1:
            several = [_together(self.typed, names, n) for n in range(_VALUES)]
            if all(found is not None and self.same(found) for found in several):
                return set()
            half = len(names) // 2
            return self.varying(names[:half]) | self.varying(names[half:])
        return {n for n in names if not all(map(self.same, others(self.typed, n)))}

    def of(self, typed: TypedProgram) -> str:
        with redirect_stdout(io.StringIO()):  # what a backend prints is for its one real call
            files = self.backend.emit(typed, Request(self.stem), Report())
        if not isinstance(files, Mapping) or not files:
            return ""  # reported where the file is written
        file, text = next(iter(files.items()))
        return _code(text, self.names) if isinstance(text, str) and file.endswith(".py") else ""

    def same(self, other: TypedProgram) -> bool:
        """Whether the file has the same code for other values; if in doubt, no."""
        self.room -= 1
        return self.room >= 0 and self.of(other) == self.code


def others(typed: TypedProgram, name: str) -> Iterator[TypedProgram]:
    """The program with other values of a parameter; without those that give errors."""
    for value in _values(name, typed.program.values[name]):
        found = _with(typed, {name: value})
        if found is not None:
            yield found


def _together(typed: TypedProgram, names: Sequence[str], number: int) -> TypedProgram | None:
    """The program with other values of all these parameters, if it has no errors then."""
    found = {n: _values(n, typed.program.values[n]) for n in names}
    return _with(typed, {n: v[number % len(v)] for n, v in found.items() if v})


def _with(typed: TypedProgram, values: Mapping[str, Any]) -> TypedProgram | None:
    program = typed.program
    return infer(program._replace(values={**program.values, **values}), Report())


def _values(name: str, value: Any) -> tuple[Any, ...]:
    """Other values of a parameter to try: near ones, and others far away."""
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        more = value + 3 if name == CLASSES else value + 1
        return (more, 8 * value, 3 * value + 2, 64 * value + 5, max(1, value - 1))
    if isinstance(value, float):
        return (value * 0.75, value * 8, value / 2, value + 1.0, value * 64)
    return ()


def _code(text: str, names: frozenset[str]) -> str:
    """The code of a file without its documentation and the defaults of arguments ``names``."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return text
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args]
            given = node.args.defaults
            last = arguments[len(arguments) - len(given) :]
            for argument, default in zip(last, given, strict=True):
                own = {argument.arg, argument.arg.rstrip("_"), _SPEC.get(argument.arg, "")}
                for part in ast.walk(default) if own & names else ():
                    if isinstance(part, ast.Constant):
                        part.value = None
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)
