"""Statements: a chain as assignments to variables, in the order of computation.

Each step is one statement. The branches of a fork have their own variables, which are free again
after the merge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from ..emit.names import Names
from .sites import ChainSite, ForkSite, StepSite

Path: TypeAlias = tuple[str, ...]


class Locals:
    """The local variables of a function.

    ``names`` holds all names that are taken there, ``used`` the variables whose values are still
    needed, ``own`` all variables so far. ``inputs`` are the network's inputs by name, if it has
    several: variables, or what else holds them.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.used: set[str] = set()
        self.own: set[str] = set()
        self.inputs: dict[str, str] = {}

    def claim(self, *wanted: str) -> str:
        """Reserve a variable: the first free one of ``wanted``, else the last with a number."""
        number, candidates = 2, list(wanted)
        for candidate in candidates:
            if self.free(candidate):
                break
            if candidate == candidates[-1]:
                candidates.append(f"{wanted[-1]}_{number}")
                number += 1
        self.used.add(candidate)
        self.own.add(candidate)
        return self.names.take(candidate)

    def free(self, name: str) -> bool:
        """Whether a name can be used for a new variable."""
        return name not in self.used and (name in self.own or name not in self.names.taken)

    def release(self, variables: Iterable[str]) -> None:
        """Mark variables as free again."""
        self.used -= {*variables}


@dataclass(frozen=True, eq=False)
class Apply:
    """``target = step(source)``: a layer or a block with its repetitions, at ``path``."""

    step: StepSite
    source: str
    target: str
    path: Path


@dataclass(frozen=True, eq=False)
class Branch:
    """A branch of a fork; without statements, its result is its ``source``."""

    name: str
    chain: ChainSite
    statements: tuple[Statement, ...]
    source: str
    target: str

    @property
    def end(self) -> str:
        """The variable that holds its result."""
        return self.target if self.statements else self.source


@dataclass(frozen=True, eq=False)
class Join:
    """The branches of a fork, then ``target = merge(the end of each)``.

    If the fork divides its input, ``source``, each branch begins with a part of it in a variable of
    its own.
    """

    step: StepSite
    fork: ForkSite
    source: str
    branches: tuple[Branch, ...]
    target: str
    path: Path


Statement: TypeAlias = Apply | Join


def statements(
    chain: ChainSite, source: str, target: str, path: Path, local: Locals
) -> tuple[Statement, ...]:
    """The statements of a chain; it reads ``source``, each statement assigns to ``target``."""
    found: list[Statement] = []
    for step in chain.steps:
        found.append(statement(step, source, target, path, local))
        source = target
    return tuple(found)


def statement(step: StepSite, source: str, target: str, path: Path, local: Locals) -> Statement:
    """The statement of one step of the chain at ``path``."""
    here = (*path, *step.node.segments)
    if not isinstance(fork := step.site, ForkSite):
        return Apply(step, source, target, here)
    inputs = local.inputs if fork.node.inputs else {}
    variables: Iterable[str] = (
        inputs[name]
        if inputs.get(name) in local.own
        else local.claim(name, f"{target}_{name}", f"{name}_branch")
        for name, _ in fork.branches
    )
    if fork.split or inputs:  # all of them are assigned before the first branch
        variables = [*variables]
    branches = []
    for (name, chain), variable in zip(fork.branches, variables, strict=True):
        start = variable if fork.split else source
        start = inputs.get(name, start)
        inner = statements(chain, start, variable, (*here, name), local)
        branches.append(Branch(name, chain, inner, start, variable))
    local.release(branch.target for branch in branches)
    return Join(step, fork, source, tuple(branches), target, here)
