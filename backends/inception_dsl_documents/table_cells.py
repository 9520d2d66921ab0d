"""The texts in the cells of a table of a network: names, windows, branches, numbers."""

from __future__ import annotations

from typing import Final, NamedTuple

from inception_dsl.backend import (
    OpNode,
    Program,
    Sliding,
    TypedChain,
    TypedFork,
    TypedOp,
    TypedStep,
    TypedUse,
    applications,
    figure_number,
    spelled,
)

from .sizes import by_axis, joined
from .table_rows import Row, Typed

UNITS: Final = ("", "K", "M", "G", "T", "P")
MERGES: Final = {"concat": " | ", "add": " + ", "multiply": " ⊙ "}
SILENT: Final = frozenset({"activation", "batch_norm", "dropout", "identity"})
"""Ops that the short form of branches leaves out."""
MOST: Final = 60
"""The most layers in the short form of branches."""
_JOINED: Final = "\N{NO-BREAK SPACE}"
_POOLS: Final = {"max_pool": "max", "avg_pool": "avg"}


class Count(NamedTuple):
    """How a column writes numbers: in the unit of papers, of which ``kilo`` are the next one."""

    unit: int
    kilo: int = 1000

    def short(self, count: int) -> str:
        """``2.7K`` or ``1388K``; less in a smaller unit, more with three digits; nothing for 0."""
        value = count / self.kilo**self.unit
        if not count:
            return ""
        if value < 0.95:
            return self._replace(unit=self.unit - 1).short(count)
        if value >= 9999.5:
            return self.digits(count)
        text = f"{value:.1f}".removesuffix(".0") if value < 9.95 else f"{value:.0f}"
        return f"{text}{UNITS[self.unit]}"

    def digits(self, count: int) -> str:
        """The number with three digits: ``13.4M``; exact below 1000."""
        value, unit = float(count), 0
        while value >= 999.5 and unit < len(UNITS) - 1:
            value, unit = value / self.kilo, unit + 1
        return f"{value:#.3g}".rstrip(".") + UNITS[unit] if unit else str(count)


def window(typed: TypedOp) -> str:
    """The window and its stride, ``3×3/2``, and the dilation; that of a global pool is its map."""
    if isinstance(typed.op, Sliding):
        windows = typed.op.windows(typed.x.rank)
        text = f"{joined(w.kernel for w in windows)}/{by_axis(w.stride for w in windows)}"
        dilation = by_axis(w.dilation for w in windows)
        return text if dilation == "1" else f"{text}, dilation {dilation}"
    if typed.op.op in ("global_avg_pool", "global_max_pool") and typed.y.positions() == 1:
        return f"{joined(typed.x.spatial)}/1" if typed.x.rank else ""
    return ""


def op_label(typed: TypedOp) -> str:
    """What a layer is, in words: ``max pool``, ``conv``, ``dropout (40%)``, ``softmax``."""
    op = typed.op
    if op.op == "activation":
        return str(getattr(op, "function", op.op)).replace("_", " ")
    if op.op == "dropout":
        return f"dropout ({100 * float(getattr(op, 'rate', 0)):g}%)"
    return op.op.removesuffix("_bn").replace("_", " ") if op.op != "batch_norm" else "batch norm"


def label(row: Row, read: frozenset[str]) -> str:
    """What a row is: ``Inception (3a)``, ``4×Inception-A``, ``max pool``."""
    first = row.steps[-1] if row.reduced else row.steps[0]
    name = row.name if row.ends and not row.name.isdigit() else ""
    if isinstance(first, TypedOp):
        text, shown = op_label(first), name if name in read and name != first.op.op else ""
    elif isinstance(first, TypedUse):
        block = first.node.block
        text, shown = spelled(block), name.removeprefix(f"{block}_")
        shown = "" if f"_{block}".endswith(f"_{name}") else shown
    else:
        text, shown = (spelled(row.name) if first.node.name else "branches"), ""
    count = 1 if row.reduced else len(row.steps)
    parts = [f"{count}×{text}" if count > 1 else text]
    if shown and (count == 1 or name in read):
        parts.append(f"({shown.replace('_', ' ')})")
    return " ".join([*parts, "(shared)"] if row.shared else parts)


def row_window(row: Row, program: Program) -> str:
    """The window of a layer; of a block, the figure of the network's paper that shows it."""
    last = row.steps[-1]
    if isinstance(last, TypedOp):
        return window(last)
    if not isinstance(last, TypedUse):
        return ""
    paper, own = program.blocks[last.node.block].about.paper, program.about.paper
    same = all(paper[k] == own[k] for k in ("arxiv", "doi") if k in paper and k in own)
    figure = figure_number(program.blocks[last.node.block].about) if same and own else ""
    return f"fig. {figure}" if figure else ""


def short(typed: Typed) -> str:
    """The branches of a block or fork: ``1×1, 64 | 1×1, 96 → 3×3, 128 | max 3×3 → 1×1, 32``."""
    if isinstance(typed, TypedOp):
        return _layer(typed)
    chains = [typed.body] if isinstance(typed, TypedUse) else [c for _, c in typed.branches]
    size = sum(chain.size for chain in chains)
    if size > MOST:
        return f"{size} layers"
    return _chain(typed.body) if isinstance(typed, TypedUse) else _fork(typed, alone=True)


def _layer(typed: TypedOp) -> str:
    op, size = typed.op, window(typed).removesuffix("/1")
    if op.op in ("conv", "conv_bn"):
        return f"{size}, {typed.y.channels}"
    text = (
        f"{_POOLS.get(op.op, op_label(typed))} {size if isinstance(op, Sliding) else ''}".rstrip()
    )
    return f"{text}, {typed.y.channels}" if typed.macs else text


def _chain(chain: TypedChain) -> str:
    """The steps in order; equal ones in a row once, with their number."""
    parts: list[list[str | int]] = []
    for step in filter(_shown, chain.steps):
        for _, typed in applications(step):
            if isinstance(typed, TypedFork):
                text = _fork(typed, alone=sum(map(_shown, chain.steps)) == 1)
            elif isinstance(typed, TypedUse):
                text = spelled(typed.node.block)
            else:
                text = _layer(typed)
            if parts and parts[-1][0] == text:
                parts[-1][1] = int(parts[-1][1]) + 1
            else:
                parts.append([text, 1])
    return " → ".join(f"{n}{_JOINED}×{_JOINED}{text}" if n != 1 else str(text) for text, n in parts)


def _shown(step: TypedStep) -> bool:
    """Whether a step is in the short form of branches."""
    return not (isinstance(step.node, OpNode) and step.node.op.op in SILENT)


def _fork(fork: TypedFork, *, alone: bool) -> str:
    """The branches, in parentheses if steps stand beside them."""
    inner = (_chain(branch) or "identity" for _, branch in fork.branches)
    text = MERGES[fork.node.merge].join(inner)
    return text if alone else f"({text})"
