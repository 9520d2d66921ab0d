"""Texts for the docstrings of generated code: titles, citations, deviations, shapes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from ..ir.program import About, Chain, OpNode
from ..ir.walk import steps
from ..ops import steps_until_settled
from ..types.prose import Prose
from ..types.tensor import TensorType
from .names import spelled
from .pycode import WIDTH

MOST_SHAPES: Final = 10
"""The maximum number of shapes in the documentation of a block."""
SLOW: Final = 0.999
"""The decay from which moving statistics lag behind a short training run."""


def citation(about: About) -> Prose:
    """What it is modified from, and a sentence that cites the paper, with its table or figure."""
    paper = {name: text.plain for name, text in about.paper.items()}
    names = [paper[k] for k in ("authors", "title") if k in paper]
    parts = [", ".join(names)] if names else []
    if "year" in paper:
        parts.append(paper["year"])
    if "arxiv" in paper:
        parts.append(f"arXiv:{paper['arxiv']}")
    parts += [paper[k] for k in ("doi", "url") if k in paper]
    for kind in ("section", "table", "figure"):
        if kind in paper:
            parts.append(
                f"{kind}{'s' if ',' in paper[kind] else ''} {paper[kind].replace(', ', ' and ')}"
            )
    original = about.modified_from.plain.rstrip(".")
    sentences = [f"Modified from {original}."] if original else []
    sentences += [f"{', '.join(parts)}."] if parts else []
    return Prose(" ".join(sentences))


def figure_number(about: About) -> str:
    """The number of the figure in the paper, such as ``2b``; empty if there is no single one."""
    figure = about.paper.get("figure", Prose()).plain
    return figure if re.fullmatch(r"[0-9]{1,2}[a-z]?", figure) else ""


def headline(about: About, identifier: str, ending: str = ".") -> Prose:
    """The first line of a docstring: the title, or the identifier in words."""
    return Prose(f"{(about.title.plain or spelled(identifier)).rstrip('.')}{ending}")


def bullets(heading: str, texts: Sequence[Prose], *, indent: int = 0) -> Prose:
    """A heading with a list, or nothing without ``texts``."""
    if not texts:
        return Prose()
    lines = [heading]
    for text in texts:
        lines += textwrap.wrap(
            text.plain,
            WIDTH - indent - 2,
            initial_indent="- ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return Prose("\n".join(lines))


def deviations(chain: Chain) -> list[Prose]:
    """The deviations of the steps of a chain and of its branches, not those inside of blocks."""
    found: list[Prose] = []
    for node in steps(chain):
        found += (node.op.deviation or ()) if isinstance(node, OpNode) else node.deviations
    return found


def shape(t: TensorType) -> str:
    """``35x35x384``; unknown sizes are shown as names."""
    return str(t)


def shapes(pairs: Iterable[tuple[TensorType, TensorType]]) -> list[str]:
    """``35x35x384 -> 17x17x1024`` for each instance of a block."""
    return [f"{shape(x)} -> {shape(y)}" for x, y in pairs]


def shapes_doc(pairs: Sequence[tuple[TensorType, TensorType]]) -> str:
    """The input and output shapes of a block in all of its uses."""
    lines = shapes(pairs)
    if len(lines) == 1:
        axes = " (height x width x channels)" if pairs[0][0].rank == 2 else ""
        return f"Shape: {lines[0]}{axes}."
    more = [f"and {len(lines) - MOST_SHAPES} more"] if len(lines) > MOST_SHAPES else []
    return "Shapes:\n" + "\n".join(f"    {line}" for line in [*lines[:MOST_SHAPES], *more])


def slow_decay(decay: float) -> str:
    """What a large ``decay`` of batch norm means for short training runs; empty for others."""
    if decay < SLOW:
        return ""
    steps = steps_until_settled(decay)
    when = f"after {steps:,.0f} training steps" if decay < 1 else "at no time"
    return (
        f"Batch norm has a decay of {decay:g}: its moving statistics hold 95 % of those of the data"
        f" {when}. After a shorter run, call ``recalibrate`` before evaluation, or use a smaller"
        " decay."
    )
