"""A block of a few steps with its sites, used with different numbers of channels."""

from __future__ import annotations

from collections.abc import Callable

from inception_dsl.backend import Definition, Definitions, LayerSite, Site, StepSite
from inception_dsl.ir.typed import TypedProgram

Body = Callable[..., TypedProgram]
CONV = "op: conv, kernel_size: 1, filters"


def definition(
    body: Body, steps: str, uses: str, params: str = "n: int", more: str = ""
) -> Definition:
    """The block ``b`` of ``steps`` in a network of ``uses`` with 3 channels and ``more`` blocks."""
    typed = body(uses, more=f"blocks: {{{more}b: {{params: {{{params}}}, steps: [{steps}]}}}}")
    return next(d for d in Definitions(typed) if d.block.id == "b")


def on(*channels: int, first: int = 1) -> str:
    """Uses of ``b`` on maps with these channels; n = ``first`` and following."""
    branches = ", ".join(
        f"b{i}: [{{{CONV}: {c}}}, {{use: b, n: {i}}}, {{op: global_avg_pool}}]"
        for i, c in enumerate(channels, first)
    )
    return f"{{merge: concat, branches: {{{branches}}}}}"


def only(block: Definition) -> StepSite:
    """The only step of a block."""
    (step,) = block.chain.steps
    return step


def layer(site: Site) -> LayerSite:
    """The site as a layer site."""
    assert isinstance(site, LayerSite)
    return site
