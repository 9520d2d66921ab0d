"""The names of attributes in generated classes."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.backend import ChainSite, ForkNode, ForkSite, OpNode, StepSite

from .reserved import FORBIDDEN

SECTIONS = ("stem", "body", "head")
NOUNS = {
    "max_pool": "pool",
    "avg_pool": "pool",
    "adaptive_avg_pool": "pool",
    "conv_bn": "conv",
    "separable_conv": "conv",
    "depthwise_conv": "conv",
    "batch_norm": "bn",
    "layer_norm": "norm",
    "group_norm": "norm",
    "local_response_norm": "norm",
    "l2_normalize": "norm",
    "dense": "fc",
    "zero_pad": "pad",
    "channel_shuffle": "shuffle",
}


def words(path: tuple[str, ...]) -> list[str]:
    """The names in a path. Below ``branch_3x3`` the branch ``branch_1x3`` is ``1x3``; the section
    of a step without a name is left out.
    """
    if len(path) > 1 and path[0] in SECTIONS and path[1].isdigit():
        path = path[1:]
    found = [part for part in path if not part.isdigit()]
    if not found or not found[0].startswith("branch_"):
        return found
    return [found[0], *(part.removeprefix("branch_") for part in found[1:])]


def attribute(path: tuple[str, ...]) -> str:
    """The attribute of what is at ``path``; it depends on nothing else in the spec."""
    name = "_".join(words(path))
    return f"{name}_" if name in FORBIDDEN else name


def unnamed(step: StepSite) -> bool:
    """Whether the spec gives a step no name."""
    return not step.node.segments or step.node.segments[-1].isdigit()


def noun(step: StepSite) -> str:
    """What a step without a name is called: a noun for its op, or its block."""
    if isinstance(step.node, OpNode):
        return NOUNS.get(step.node.op.op, step.node.op.op)
    return step.node.block  # type: ignore[union-attr]


def given_names(chain: ChainSite, path: tuple[str, ...]) -> Iterator[str]:
    """The attributes of the steps and branches of a chain that the spec names."""
    for step in chain.steps:
        if not isinstance(step.node, ForkNode) and not unnamed(step):
            yield attribute((*path, step.node.segments[-1]))
        for name, branch in branches(step):
            here = (*path, *step.node.segments, name)
            yield attribute(here)
            yield from given_names(branch, here)


def branches(step: StepSite) -> tuple[tuple[str, ChainSite], ...]:
    """The branches of a fork; empty for other steps, and if it is left out."""
    return step.site.branches if not step.absent and isinstance(step.site, ForkSite) else ()
