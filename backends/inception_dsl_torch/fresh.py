"""Where a ReLU may overwrite its input."""

from __future__ import annotations

from typing import Final

from inception_dsl.backend import ForkSite, LayerSite, StepSite

LAYERS: Final = frozenset(
    {
        "conv",
        "conv_bn",
        "depthwise_conv",
        "conv_transpose",
        "separable_conv",
        "dense",
        "batch_norm",
        "layer_norm",
        "group_norm",
        "max_pool",
        "avg_pool",
        "scale",
    }
)
"""Ops that make a new tensor, which autograd does not save for the backward pass."""
ACTIVATED: Final = frozenset(
    {"conv", "conv_bn", "depthwise_conv", "separable_conv", "conv_transpose", "dense"}
)


def is_fresh(step: StepSite | None) -> bool:
    """Whether nothing but the next step of the chain reads the output of ``step``.

    The input of a chain (no step) is read by others: by other branches, or by the caller. A sum,
    a product or a concatenation of branches is a new tensor; the result of a block may be its
    input. Autograd saves the output of most activations, so these do not count.
    """
    if step is None or step.optional:  # without repetitions, the output is the input
        return False
    site = step.site
    if isinstance(site, ForkSite):
        return len(site.branches) > 1
    if not isinstance(site, LayerSite) or site.op.op not in LAYERS:
        return False
    return site.op.op not in ACTIVATED or site.slot("activation").all("none")
