"""The statements of one function: chains, forks, uses and repeats as assignments and loops."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from inception_dsl.backend import (
    Code,
    Group,
    TensorType,
    TypedChain,
    TypedFork,
    TypedOp,
    TypedStep,
    TypedUse,
    listing,
    literal,
)

from .calls import Argument, Call, layer, layer_name, merge_name
from .lowering import lower
from .source import renamed, statement, words

MERGES = {"concat": "Concatenate", "add": "Add", "multiply": "Multiply"}
Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Assign:
    """``target = call(source)``; the layer's ``name`` may hold variables in braces."""

    target: str
    call: Call
    source: str | tuple[str, ...]
    name: str
    depth: int = 0
    note: str = ""

    def text(self, shown: Call, indent: int) -> Code:
        prefix = "return " if self.target == "return" else f"{self.target} = "
        source: str | Group = self.source if isinstance(self.source, str) else listing(self.source)
        return statement(
            prefix, shown, source, self.name, indent=indent + 4 * self.depth, note=self.note
        )

    @property
    def reads(self) -> set[str]:
        """Every variable in the arguments."""
        return {word for a in self.call.arguments if a.written for word in words(str(a.value))}


@dataclass(frozen=True, slots=True)
class Plain:
    """A line as it stands: the head of a loop, a variable of another name."""

    line: str
    depth: int = 0

    def text(self, indent: int) -> Code:
        return Code(f"{' ' * (indent + 4 * self.depth)}{self.line}")


Statement = Assign | Plain


@dataclass(slots=True)
class Body:
    """Collects the statements of a function.

    ``uses`` gives the call of a block's function, ``names`` other names for parameters, ``taken``
    the names that no variable may have. With ``notes``, statements say the shape they lead to.
    """

    uses: Callable[[TypedUse], Call]
    taken: set[str]
    names: Names = field(default_factory=dict)
    notes: bool = False
    statements: list[Statement] = field(default_factory=list)
    noted: str = ""

    def chain(
        self, chain: TypedChain, source: str, target: str, path: tuple[str, ...], depth: int = 0
    ) -> str:
        """Write a chain from ``source`` to ``target``; returns the variable that holds its end."""
        for step in chain.steps:
            source = self.step(step, source, target, path, depth)
        return source

    def step(
        self, step: TypedStep, source: str, target: str, path: tuple[str, ...], depth: int = 0
    ) -> str:
        here = (*path, *step.node.segments)
        if not step.repeated:
            return self.node(step.runs[0].typed, source, target, here, depth)
        if step.count == 1:
            return self.node(step.runs[0].typed, source, target, (*here, "0"), depth)
        if source != target:
            self.statements.append(Plain(f"{target} = {source}", depth))
        index = self.claim("index", "inner_index")
        start = 0
        for count, statements in self.loops(step, target, (*here, f"{{{index}}}"), depth + 1):
            bounds = f"{start}, {start + count}" if start else f"{count}"
            self.statements += [Plain(f"for {index} in range({bounds}):", depth), *statements]
            start += count
        self.taken.discard(index)
        return target

    def loops(
        self, step: TypedStep, target: str, path: tuple[str, ...], depth: int
    ) -> list[tuple[int, list[Statement]]]:
        """The repetitions: one loop for all that read the same."""
        found: list[tuple[int, list[Statement]]] = []
        for run in step.runs:
            inner = replace(self, statements=[], noted="", taken=self.taken)
            inner.node(run.typed, target, target, path, depth)
            if found and _silent(found[-1][1]) == _silent(inner.statements):
                found[-1] = (found[-1][0] + run.count, inner.statements)
            else:
                found.append((run.count, inner.statements))
            self.noted = inner.noted
        return found

    def node(
        self,
        typed: TypedOp | TypedFork | TypedUse,
        source: str,
        target: str,
        path: tuple[str, ...],
        depth: int,
    ) -> str:
        note = _shape(typed.y) if self.notes else ""
        if isinstance(typed, TypedFork):
            return self.fork(typed, source, target, path, depth, note)
        if isinstance(typed, TypedUse):
            self.assign(
                target, self.uses(typed), source, "_".join(path) or typed.node.block, depth, note
            )
            return target
        calls = lower(typed.op, typed.x)
        for number, call in enumerate(calls):
            last = number == len(calls) - 1
            self.assign(
                target,
                call,
                source,
                layer_name(path, call.part, typed.op.op),
                depth,
                note if last else "",
            )
            source = target
        return target

    def fork(
        self,
        fork: TypedFork,
        source: str,
        target: str,
        path: tuple[str, ...],
        depth: int,
        note: str,
    ) -> str:
        ends: list[str] = []
        claimed: list[str] = []
        outer, self.notes = self.notes, False
        for name, chain in fork.branches:
            variable = self.claim(name, f"{target}_{name}", f"{name}_branch")
            end = self.chain(chain, source, variable, (*path, name), depth)
            if fork.node.merge != "concat" and fork.y.rank and not chain.y.rank:
                shape = Argument("target_shape", f"({'1, ' * fork.y.rank}-1)", positional=True)
                self.assign(
                    variable,
                    layer("Reshape", shape),
                    end,
                    "_".join([*path, name, "reshape"]),
                    depth,
                )
                end = variable
            ends.append(end)
            claimed.append(variable)
        self.notes = outer
        self.taken -= set(claimed)
        merge = layer(MERGES[fork.node.merge])
        self.assign(target, merge, tuple(ends), merge_name(path, fork.node.merge), depth, note)
        return target

    def assign(
        self,
        target: str,
        call: Call,
        source: str | tuple[str, ...],
        name: str,
        depth: int,
        note: str = "",
    ) -> None:
        if note == self.noted:
            note = ""
        self.noted = note or self.noted
        if self.names:
            arguments = (
                replace(a, value=a.value and renamed(a.value, self.names)) for a in call.arguments
            )
            call = call.with_arguments(tuple(arguments))
        self.statements.append(Assign(target, call, source, name, depth, note))

    def claim(self, *wanted: str) -> str:
        """A variable that is not in use.

        The first of ``wanted`` that is free, else the last with a number.
        """
        number = 2
        for candidate in wanted:
            if candidate not in self.taken:
                break
        else:
            while f"{wanted[-1]}_{number}" in self.taken:
                number += 1
            candidate = f"{wanted[-1]}_{number}"
        self.taken.add(candidate)
        return candidate


def _shape(y: TensorType) -> str:
    return str(y) if y.rank else literal(y.channels)


def _silent(statements: Iterable[Statement]) -> list[Statement]:
    return [replace(s, note="") if isinstance(s, Assign) else s for s in statements]


def returned(statements: list[Statement], end: str) -> list[Statement]:
    """The statements with a ``return`` of ``end``, of the last value itself where that is all."""
    last = statements[-1] if statements else None
    if isinstance(last, Assign) and not last.depth and last.target == end:
        return [*statements[:-1], replace(last, target="return")]
    return [*statements, Plain(f"return {end}")]
