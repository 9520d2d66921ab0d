"""Policies: which features are frequent in a random network.

Each seed has one policy. Policies are skewed on purpose: uniform choices rarely reach edge cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

NOTHING: Final[Mapping[str, float]] = MappingProxyType({})
KINDS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "conv": 2.0,
        "conv_bn": 3.5,
        "separable_conv": 0.7,
        "depthwise_conv": 0.7,
        "conv_transpose": 0.3,
        "upsample": 0.2,
        "max_pool": 1.0,
        "avg_pool": 1.0,
        "adaptive_avg_pool": 0.1,
        "batch_norm": 0.4,
        "layer_norm": 0.3,
        "group_norm": 0.3,
        "local_response_norm": 0.3,
        "l2_normalize": 0.1,
        "activation": 0.8,
        "dropout": 0.2,
        "zero_pad": 0.3,
        "crop": 0.15,
        "channel_shuffle": 0.15,
        "space_to_depth": 0.2,
        "depth_to_space": 0.3,
        "scale": 0.2,
        "identity": 0.1,
        "dense": 0.2,
        "global_avg_pool": 0.1,
        "global_max_pool": 0.1,
        "concat": 1.6,
        "add": 0.7,
        "multiply": 0.4,
        "excite": 0.3,
        "split": 0.6,
        "use": 1.3,
    }
)
"""The weight of each kind of step.

``excite`` is squeeze and excitation: a map times a vector computed from all of its positions.
``split`` is a fork whose branches divide the channels of its input.
"""

EXACT: Final = ("none", "relu", "relu6", "elu", "silu", "hard_swish", "sigmoid", "tanh", "softmax")
ROUNDED: Final = ("leaky_relu", "gelu", "gelu_tanh")
"""Functions with constants, which TensorFlow's own layers round to float32. ``gelu_tanh`` is gelu
with ``approximate``.
"""


class Policy(NamedTuple):
    """The random choices for one kind of network.

    ``share`` is the weight of the policy. ``ranks``, ``channels``, ``functions`` and ``kernels``
    are the values to choose from; ``sizes`` are the smallest and the largest axis of the input.
    ``kinds`` are weights of steps that differ from :data:`KINDS`. ``odd`` is the probability that
    stride, padding or dilation is not the default; ``lifted`` that a value becomes a parameter;
    ``heads`` that there are auxiliary heads; ``block`` that the spec is a block; ``again`` that a
    branch begins after an earlier step. Networks are compared in ``dtype``.
    """

    name: str
    share: int = 2
    ranks: tuple[int, ...] = (2, 2, 2, 2, 2, 1)
    sizes: tuple[int, int] = (4, 17)
    channels: tuple[int, ...] = (1, 2, 3, 4, 6)
    kinds: Mapping[str, float] = NOTHING
    functions: tuple[str, ...] = EXACT
    kernels: tuple[int, ...] = (1, 1, 2, 3, 3, 3, 4, 5)
    odd: float = 0.35
    lifted: float = 0.25
    heads: float = 0.25
    block: float = 0.15
    again: float = 0.08
    dtype: str = "float64"

    def weights(self) -> dict[str, float]:
        return {**KINDS, **self.kinds}


_NO_POOLS: Final = {"max_pool": 0.0, "avg_pool": 0.0, "adaptive_avg_pool": 0.0}
_NO_STATISTICS: Final = {"layer_norm": 0.0, "group_norm": 0.0, "l2_normalize": 0.0}
"""Not in float32: these norms divide by the deviation of a sample's values.

If it is small compared with the mean, rounding errors grow by the ratio, differently in each
framework (PyTorch's group norm of values 100 ± 1 has an error of 1e-3).
"""
POLICIES: Final = (
    Policy("plain", 3),
    Policy("strides", 3, sizes=(6, 29), odd=0.7, kinds={"max_pool": 2.0, "avg_pool": 2.0}),
    Policy("pixels", 2, sizes=(1, 4), odd=0.5, kinds={"zero_pad": 1.0}),
    Policy(
        "asymmetric",
        3,
        kernels=(1, 1, 2, 4, 5, 7),
        odd=0.8,
        kinds={"conv_bn": 5.0, "zero_pad": 0.8},
    ),
    Policy(
        "pools",
        3,
        odd=0.7,
        kinds={"max_pool": 5.0, "avg_pool": 5.0, "adaptive_avg_pool": 1.0, "conv_bn": 1.5},
    ),
    Policy(
        "groups",
        2,
        channels=(2, 4, 6, 8),
        odd=0.5,
        kinds={"separable_conv": 3.0, "depthwise_conv": 3.0, "channel_shuffle": 2.0},
    ),
    Policy("forks", 3, kinds={"concat": 5.0, "add": 1.5, "split": 3.0}),
    Policy("graphs", 2, again=0.5, kinds={"concat": 2.0, "add": 1.5}),
    Policy(
        "decoders",
        3,
        sizes=(1, 6),
        odd=0.5,
        kinds={"conv_transpose": 5.0, "upsample": 3.0, "depth_to_space": 3.0},
    ),
    Policy("residual", 2, kinds={"add": 4.0, "multiply": 2.0, "excite": 1.5, "scale": 1.5}),
    Policy(
        "norms",
        2,
        kinds=dict.fromkeys(
            ("batch_norm", "layer_norm", "group_norm", "local_response_norm", "l2_normalize"), 2.0
        ),
    ),
    Policy("functions", 2, kinds={"activation": 4.0, "conv": 4.0, "dense": 1.5}),
    Policy("blocks", 4, lifted=0.6, kinds={"use": 6.0}),
    Policy("heads", 3, heads=1.0, block=0.0, kinds={"dropout": 0.8}),
    Policy("channel_1", 1, channels=(1,), kernels=(1, 2, 3)),
    Policy("lines", 2, ranks=(1,), sizes=(1, 40), odd=0.5),
    Policy("volumes", 2, ranks=(3,), sizes=(2, 6), kernels=(1, 2, 3), odd=0.4, kinds=_NO_POOLS),
    Policy(
        "volumes_pooled",
        1,
        ranks=(3,),
        sizes=(2, 6),
        kernels=(1, 2, 3),
        odd=0.4,
        kinds=_NO_STATISTICS,
        dtype="float32",
    ),
    Policy(
        "rounded",
        1,
        functions=(*ROUNDED, *ROUNDED, "none", "relu"),
        kinds={"activation": 3.0, "conv": 4.0, **_NO_STATISTICS},
    ),
)
