"""The helper functions of a file: only those it calls, with only the options that vary in it as arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from inception_dsl.backend import SLOPES, Code, docstring, literal, signature, varying

from .activations import LINEAR, NATIVE, one
from .blocks import TENSOR_TYPE
from .body import Assign, Statement
from .calls import Call, Keyword, layer
from .lowering import CONV_BN
from .printing import statement
from .views import FunctionView, HelperView

ALWAYS: Final = ("filters", "kernel_size", "activation")
DEFAULTS: Final = {
    "strides": "1",
    "padding": '"valid"',
    "dilation_rate": "1",
    "groups": "1",
    "use_bias": "True",
    "center": "True",
    "scale": "True",
}
POSITIONAL: Final = ("filters", "kernel_size", "activation")
NORMAL: Final = ("momentum", "epsilon", "center", "scale")
TEMPLATED: Final = (
    "same_padding",
    "ceil_padding",
    "ceil_padding_around",
    "max_pool",
    "average_pool",
    "local_response_norm",
    "gelu_tanh",
    "gelu",
    "activate",
)
OPTIONAL: Final = ("local_response_norm", "activate")
"""Helper functions that take what varies only."""
FUNCTIONS: Final = ("none", "leaky_relu", *sorted(NATIVE))
OF_PROBABILITIES: Final = "cross_entropy_of_probabilities"
RESERVED: Final = {
    *TEMPLATED,
    CONV_BN,
    *(f"conv_bn_{'linear' if f == 'none' else f}" for f in FUNCTIONS),
    "init_weights",
    "preprocess",
    "cross_entropy",
    OF_PROBABILITIES,
    "loss",
}
