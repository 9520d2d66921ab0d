"""A column for each convolution of the branches, as in the table of GoogLeNet."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from inception_dsl.backend import TypedFork, TypedOp, TypedUse

from .table_cells import window
from .table_rows import Row, Typed

Kinds: TypeAlias = tuple[tuple[str, ...], ...]
CONVOLUTIONS: Final = ("conv", "conv_bn")
POOL: Final = "pool"
MOST: Final = 8


class Branches(NamedTuple):
    """The form that all blocks have: for each branch its convolutions by window, and its pools."""

    kinds: Kinds

    @property
    def heads(self) -> list[tuple[str, str]]:
        """Two lines above each column: ``#3×3`` and ``reduce``, ``pool`` and ``proj``."""
        found = []
        for branch in self.kinds:
            for i, kind in enumerate(branch):
                after = branch[i + 1 : i + 2]
                if kind == POOL:
                    continue
                if POOL in branch[:i]:
                    found.append((POOL, "proj"))
                elif after and POOL not in after and _is_one(kind) and not _is_one(after[0]):
                    found.append((f"#{after[0]}", "reduce"))
                else:
                    found.append(("", f"#{kind}"))
        return found

    def cells(self, row: Row) -> list[str]:
        """The filters of a row; of a convolution with its ``_reduce`` too."""
        fork = fork_of(row.steps[0]) if row.steps else None
        if fork:
            layers = [typed for branch in _layers(fork) or () for typed in branch]
            return [str(t.y.channels) for t in layers if t.op.op in CONVOLUTIONS]
        own = tuple(kind(t) for t in row.steps if isinstance(t, TypedOp)) if row.reduced else ()
        found: list[str] = []
        for branch in self.kinds:
            same = branch == own
            filters = [str(t.y.channels) for t in row.steps] if same else [""] * len(branch)
            found += [n for n, k in zip(filters, branch, strict=True) if k != POOL]
            own = () if same else own
        return found


def branches_of(found: list[Row]) -> Branches | None:
    """The form of the branches, if all blocks of a network have the same."""
    forms = set[Kinds | None]()
    for row in found:
        if row.steps and not isinstance(row.steps[0], TypedOp):
            fork = fork_of(row.steps[0])
            layers = _layers(fork) if fork else None
            forms.add(tuple(tuple(map(kind, b)) for b in layers) if layers else None)
    form = forms.pop() if len(forms) == 1 else None
    return Branches(form) if form and 2 <= len(Branches(form).heads) <= MOST else None


def fork_of(typed: Typed) -> TypedFork | None:
    """A fork whose branches are concatenated: the step, or the one step of a block."""
    if isinstance(typed, TypedUse):
        runs = [run for step in typed.body.steps for run in step.runs]
        steps = [run.typed for run in runs if run.count == 1]
        return (
            fork_of(steps[0])
            if len(runs) == len(steps) == 1 and isinstance(steps[0], TypedFork)
            else None
        )
    plain = isinstance(typed, TypedFork) and not (typed.node.after or typed.node.split)
    return (
        typed if isinstance(typed, TypedFork) and plain and typed.node.merge == "concat" else None
    )


def kind(typed: TypedOp) -> str:
    """``3×3`` of a convolution, ``pool`` of a pool; empty for others."""
    if typed.op.op in CONVOLUTIONS:
        return window(typed).removesuffix("/1")
    return POOL if typed.op.op in ("max_pool", "avg_pool") else ""


def _layers(fork: TypedFork) -> list[list[TypedOp]] | None:
    """The layers of each branch, if these are convolutions and pools."""
    found = []
    for _, branch in fork.branches:
        own = [r.typed for s in branch.steps for r in s.runs for _ in range(r.count)]
        layers = [t for t in own if isinstance(t, TypedOp) and kind(t)]
        if len(layers) != len(own) or not layers:
            return None
        found.append(layers)
    return found


def _is_one(text: str) -> bool:
    return set(text) <= {"1", "×"}
