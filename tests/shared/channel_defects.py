"""Seeded defects of pools, scales and norms over channels in PyTorch."""

from __future__ import annotations

from defect import TORCH, Defect

CHANNEL_DEFECTS = (
    Defect(
        "a pool over channels is over the first spatial axis",
        TORCH,
        "pools",
        "(dim=1, keepdim=True)",
        "(dim=2, keepdim=True)",
    ),
    Defect(
        "a mean over channels is a maximum",
        TORCH,
        "pools",
        'function = "mean" if kind == "Avg" else "amax"',
        'function = "amax"',
    ),
    Defect(
        "the length of vectors is that of a position's neighbours",
        TORCH,
        "helpers/l2_normalize.py.j2",
        "dim=1",
        "dim=-1",
    ),
    Defect(
        "a learned scale is one for all channels",
        TORCH,
        "helpers/layer_scale.py.j2",
        "self.gamma).movedim",
        "self.gamma[:1]).movedim",
    ),
)
