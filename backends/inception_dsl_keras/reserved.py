"""The names of helper functions, and all names that a file uses beside those of the spec."""

from __future__ import annotations

from typing import Final

from .activations import NATIVE
from .lowering import CONV_BN

TEMPLATED: Final = (
    "same_padding",
    "ceil_padding",
    "ceil_padding_around",
    "max_pool",
    "average_pool",
    "local_response_norm",
    "channel_mean",
    "channel_max",
    "l2_normalize",
    "scaled",
    "layer_scale",
    *("single_scale", "broadcast_add"),
    *("upsampled_size", "upsampled"),
    *("channel_shuffle", "space_to_depth", "depth_to_space", "part_softmax"),
    "leaky_relu",
    "gelu_tanh",
    "gelu",
    "activate",
)
OPTIONAL: Final = (CONV_BN, "local_response_norm", "activate")
"""Helper functions whose arguments are only the options that vary."""
OPERATING: Final = frozenset(
    {
        *("max_pool", "average_pool", "local_response_norm", "channel_mean", "channel_max"),
        *("single_scale", "broadcast_add", "l2_normalize", "upsampled"),
        *("channel_shuffle", "space_to_depth", "depth_to_space", "part_softmax"),
        *("leaky_relu", "gelu_tanh", "gelu"),
    }
)
"""Helper functions that use operations, which Keras names by itself."""
FUNCTIONS: Final = ("gelu", "leaky_relu", *sorted(NATIVE))
CROSS_ENTROPY: Final = "cross_entropy"
BINARY: Final = "binary_cross_entropy"
OF_PROBABILITIES: Final = "cross_entropy_of_probabilities"
RESERVED: Final = {
    *TEMPLATED,
    CONV_BN,
    *(f"conv_bn_{'linear' if f == 'none' else f}" for f in FUNCTIONS),
    "all_layers",
    "init_weights",
    "preprocess",
    "recalibrate",
    CROSS_ENTROPY,
    OF_PROBABILITIES,
    BINARY,
    "loss",
}
