"""The documentation of generated code: titles, citations, deviations, shapes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from ..ir.graph import About, OpNode, Training
from ..ir.typed import TypedChain, TypedFork
from ..values import TensorType
from .names import spelled
from .pycode import WIDTH


def citation(about: About) -> str:
    """One sentence that names the paper, with table or figure."""
    paper = about.paper
    names = [paper[k] for k in ("authors", "title") if k in paper]
    parts = [", ".join(names)] if names else []
    if "year" in paper:
        parts.append(paper["year"])
    if "arxiv" in paper:
        parts.append(f"arXiv:{paper['arxiv']}")
    parts += [paper[k] for k in ("doi", "url") if k in paper]
    for kind in ("section", "table", "figure"):
        if kind in paper:
            parts.append(f"{kind}{'s' if ',' in paper[kind] else ''} {paper[kind].replace(', ', ' and ')}")
    return f"{', '.join(parts)}." if parts else ""


def headline(about: About, identifier: str) -> str:
    """The first line of a docstring: the title, or the identifier as one would say it."""
    return f"{(about.title or spelled(identifier)).rstrip('.')}."


def bullets(heading: str, texts: Sequence[str], *, indent: int = 0) -> str:
    """A heading with a list under it, or nothing."""
    if not texts:
        return ""
    lines = [heading]
    for text in texts:
        lines += textwrap.wrap(
            text,
            WIDTH - indent - 2,
            initial_indent="- ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def deviations(chain: TypedChain) -> list[str]:
    """What the steps of a chain and its branches say of their own; blocks that are used are not entered."""
    found: list[str] = []
    for step in chain.steps:
        node = step.node
        found += (node.op.deviation or ()) if isinstance(node, OpNode) else node.deviations
        typed = step.runs[0].typed
        for _, branch in typed.branches if isinstance(typed, TypedFork) else ():
            found += deviations(branch)
    return found


def shape(t: TensorType) -> str:
    """``35x35x384``; names where numbers are not known."""
    return str(t)


def shapes(pairs: Iterable[tuple[TensorType, TensorType]]) -> list[str]:
    """``35x35x384 -> 17x17x1024`` for every use."""
    return [f"{shape(x)} -> {shape(y)}" for x, y in pairs]


def recorded(training: Training) -> list[str]:
    """The recorded optimiser and schedule, and what else the paper says of training, as sentences."""
    lines = []
    for what, values in (("Optimiser", training.optimizer), ("Schedule", training.schedule)):
        if values:
            settings = ", ".join(f"{k} {v}" for k, v in values.items() if k != "name")
            name = str(values.get("name", ""))
            lines.append(f"{what}: {name} ({settings})." if name and settings else f"{what}: {name or settings}.")
    return [*lines, *training.notes]
