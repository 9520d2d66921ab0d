"""The ops, one file each. ``CORE_OPS`` lists all of them, in the order of ``specs/README.md``."""

from typing import Final

from .activation import Activation
from .adaptive_avg_pool import AdaptiveAvgPool
from .avg_pool import AvgPool
from .base import (
    Composite,
    Fields,
    Op,
    Sliding,
    Step,
    Weighted,
    Windowed,
    attribute_names,
    expressions,
)
from .batch_norm import BatchNorm, BatchNormFields, steps_until_settled
from .blocks import Blocks
from .channel_shuffle import ChannelShuffle
from .conv import Conv
from .conv_bn import ConvBn
from .conv_transpose import ConvTranspose
from .crop import Crop
from .dense import Dense
from .depth_to_space import DepthToSpace
from .depthwise_conv import DepthwiseConv
from .dropout import Dropout
from .fields.kinds import SLOPES
from .fields.numbers import ROUNDED, Computed
from .flatten import Flatten
from .global_avg_pool import GlobalAvgPool
from .global_max_pool import GlobalMaxPool
from .global_pool import GlobalPool
from .group_norm import GroupNorm
from .identity import Identity
from .l2_normalize import L2Normalize
from .layer_norm import LayerNorm
from .local_response_norm import LocalResponseNorm
from .max_pool import MaxPool
from .pool import Pool
from .scale import Scale
from .separable_conv import SeparableConv
from .space_to_depth import SpaceToDepth
from .upsample import Upsample
from .zero_pad import ZeroPad

CORE_OPS: Final[tuple[type[Op], ...]] = (
    Conv,
    ConvBn,
    SeparableConv,
    DepthwiseConv,
    ConvTranspose,
    Upsample,
    SpaceToDepth,
    DepthToSpace,
    MaxPool,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    AdaptiveAvgPool,
    Dense,
    BatchNorm,
    LayerNorm,
    GroupNorm,
    LocalResponseNorm,
    L2Normalize,
    Activation,
    Dropout,
    ChannelShuffle,
    Flatten,
    ZeroPad,
    Crop,
    Scale,
    Identity,
)
OPS: Final[dict[str, type[Op]]] = {op.kind: op for op in CORE_OPS}

SAME_SHAPE: Final = (
    Activation,
    BatchNorm,
    Dropout,
    GroupNorm,
    Identity,
    LayerNorm,
    LocalResponseNorm,
    Scale,
)
"""Ops whose output has the shape of the input, and at each position and channel the value there,
scaled, normalized, dropped or mapped by a function.
"""

__all__ = [
    "CORE_OPS",
    "OPS",
    "ROUNDED",
    "SAME_SHAPE",
    "SLOPES",
    "Activation",
    "AdaptiveAvgPool",
    "AvgPool",
    "BatchNorm",
    "BatchNormFields",
    "Blocks",
    "ChannelShuffle",
    "Composite",
    "Computed",
    "Conv",
    "ConvBn",
    "ConvTranspose",
    "Crop",
    "Dense",
    "DepthToSpace",
    "DepthwiseConv",
    "Dropout",
    "Fields",
    "Flatten",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "GlobalPool",
    "GroupNorm",
    "Identity",
    "L2Normalize",
    "LayerNorm",
    "LocalResponseNorm",
    "MaxPool",
    "Op",
    "Pool",
    "Scale",
    "SeparableConv",
    "Sliding",
    "SpaceToDepth",
    "Step",
    "Upsample",
    "Weighted",
    "Windowed",
    "ZeroPad",
    "attribute_names",
    "expressions",
    "steps_until_settled",
]
