"""Statements: a chain as assignments to variables, in the order of computation.

Each step is one statement. The branches of a fork have their own variables, which are free again
after the merge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..emit.names import Names
from ..ir.program import read_later
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
    """``target = step(source)``: a layer or a block with its repetitions, at ``path``.

    A ``kept`` target is read later than by the next step, too.
    """

    step: StepSite
    source: str
    target: str
    path: Path
    kept: bool = False


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
        return self.statements[-1].target if self.statements else self.source


@dataclass(frozen=True, eq=False)
class Join:
    """The branches of a fork, then ``target = merge(the end of each)``.

    If the fork divides its input, ``source``, each branch begins with a part of it in a variable of
    its own. ``kept`` is that of :class:`Apply`.
    """

    step: StepSite
    fork: ForkSite
    source: str
    branches: tuple[Branch, ...]
    target: str
    path: Path
    kept: bool = False


Statement: TypeAlias = Apply | Join


class Chained:
    """The statements of a chain at ``path``, one after the other.

    The first reads ``source``, each assigns to ``target`` and the next one reads that. A step after
    which a later branch begins gets a variable of its own, until the end of the chain (``close``).
    """

    def __init__(
        self, chain: ChainSite, source: str, target: str, path: Path, local: Locals
    ) -> None:
        self.chain, self.source, self.target = chain, source, target
        self.path, self.local = path, local
        self.read = read_later(step.node for step in chain.steps)
        self.kept: dict[str, str] = {}

    def add(self, step: StepSite) -> Statement:
        """The statement of the next step."""
        if step.absent:
            return Apply(step, self.source, self.source, (*self.path, *step.node.segments))
        name = "".join(step.node.segments[-1:])
        kept, target = name in self.read, self.target
        if kept:
            target = self.kept[name] = self.local.claim(name, f"{name}_output")
        made = _statement(step, self.source, target, self.path, self.local, self.kept)
        self.source = target
        return replace(made, kept=kept)

    def close(self) -> None:
        """Make the variables of steps free again."""
        self.local.release(self.kept.values())


def statements(
    chain: ChainSite, source: str, target: str, path: Path, local: Locals
) -> tuple[Statement, ...]:
    """The statements of a chain, as :class:`Chained` has them."""
    chained = Chained(chain, source, target, path, local)
    found = tuple(map(chained.add, chain.steps))
    chained.close()
    return found


def statement(step: StepSite, source: str, target: str, path: Path, local: Locals) -> Statement:
    """The statement of the only step of a chain."""
    return _statement(step, source, target, path, local, {})


def _statement(
    step: StepSite,
    source: str,
    target: str,
    path: Path,
    local: Locals,
    earlier: Mapping[str, str],
) -> Statement:
    """The statement of a step; ``earlier`` are the variables of steps that a branch can read."""
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
    if len(fork.branches) == 1:
        variables = [target]
    if fork.split or inputs:  # all of them are assigned before the first branch
        variables = [*variables]
    branches = []
    for (name, chain), variable in zip(fork.branches, variables, strict=True):
        start = variable if fork.split else source
        start = earlier.get(fork.node.after.get(name, ""), start)
        start = inputs.get(name, start)
        inner = statements(chain, start, variable, (*here, name), local)
        branches.append(Branch(name, chain, inner, start, variable))
    local.release(branch.target for branch in branches if branch.target != target)
    return Join(step, fork, source, tuple(branches), target, here)
