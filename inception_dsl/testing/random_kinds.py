"""The kinds of random layers with their weights."""

from __future__ import annotations

from typing import Final

KINDS: Final = {
    "conv": 3.0,
    "conv_bn": 4.0,
    "separable_conv": 1.0,
    "depthwise_conv": 1.2,
    "conv_transpose": 1.0,
    "upsample": 0.7,
    "max_pool": 1.0,
    "avg_pool": 1.5,
    "adaptive_avg_pool": 0.4,
    "batch_norm": 0.8,
    "layer_norm": 0.6,
    "group_norm": 0.8,
    "local_response_norm": 0.7,
    "l2_normalize": 0.4,
    "activation": 0.9,
    "dropout": 0.4,
    "scale": 0.8,
    "zero_pad": 0.6,
    "crop": 0.4,
    "channel_shuffle": 0.4,
    "space_to_depth": 0.4,
    "depth_to_space": 0.4,
    "dense": 0.8,
    "global_avg_pool": 0.15,
    "global_max_pool": 0.15,
    "flatten": 0.3,
    "identity": 0.05,
}
VECTOR: Final = frozenset(
    {
        *("dense", "batch_norm", "layer_norm", "activation", "dropout", "scale", "l2_normalize"),
        "channel_shuffle",
    }
)
"""Kinds of layers that accept a vector."""
