"""Random fields of the ops without a window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .random_blocks import Step
from .random_moved import fitting
from .random_shapes import Misfit, Shape
from .random_values import Scope, Values

DROPS: Final = ("element", "channel", "sample")
FACTORS: Final = ("channel", "layer")
ORDERS: Final = ("channels_last", "channels_first")
EVERYWHERE: Final = frozenset({"none", "relu", "relu6", "silu", "sigmoid", "tanh"})


def _norm(values: Values, scope: Scope, epsilons: tuple[float, ...]) -> Step:
    found: Step = {"epsilon": values.number(scope, *epsilons)} if values.chance(0.6) else {}
    for key in ("scale", "center"):
        found |= {key: values.flag(scope, values.chance(0.4))} if values.chance(0.4) else {}
    return found


def batch_norm(values: Values, x: Shape, scope: Scope) -> Step:
    found = _norm(values, scope, (1e-3, 1e-5, 0.01, 0.1))
    return (
        {**found, "decay": values.number(scope, 0.9, 0.99, 0.9997, 0.5, 0.0)}
        if values.chance(0.4)
        else found
    )


def layer_norm(values: Values, x: Shape, scope: Scope) -> Step:
    return _norm(values, scope, (1e-5, 1e-3, 0.1))


def group_norm(values: Values, x: Shape, scope: Scope) -> Step:
    groups = values.rng.choice([n for n in range(1, x.channels + 1) if x.channels % n == 0])
    return {"groups": groups, **_norm(values, scope, (1e-5, 1e-3, 0.1))}


def local_response_norm(values: Values, x: Shape, scope: Scope) -> Step:
    wanted: Step = {
        "size": values.lift(scope, "int", values.rng.choice((1, 2, 3, 4, 5)), (2, 3)),
        "alpha": values.number(scope, 0.0001, 0.1, 1.0),
        "beta": values.number(scope, 0.75, 0.5, 1.0),
        "k": values.number(scope, 1.0, 2.0, 0.5),
    }
    return {key: value for key, value in wanted.items() if values.chance(0.7)}


def l2_normalize(values: Values, x: Shape, scope: Scope) -> Step:
    return {"epsilon": values.number(scope, 1e-10, 0.1, 1.0)} if values.chance(0.5) else {}


def activation(values: Values, x: Shape, scope: Scope) -> Step:
    parts = [n for n in range(2, x.channels + 1) if not x.channels % n]
    if parts and values.chance(0.1):
        number = values.lift(scope, "int", values.rng.choice(parts), (2, 3))
        return {"function": "softmax", "parts": number}
    name = values.rng.choice(values.policy.functions)
    if name == "gelu_tanh":
        return {"function": "gelu", "approximate": True}
    if name in ("elu", "leaky_relu") and values.chance(0.6):
        return {"function": name, "alpha": values.number(scope, 0.3, 0.7, 1.3)}
    return {"function": values.function(scope)} if name in EVERYWHERE else {"function": name}


def dropout(values: Values, x: Shape, scope: Scope) -> Step:
    found: Step = {"rate": values.number(scope, 0.2, 0.5, 0.0)}
    return {**found, "per": values.word(scope, DROPS)} if values.chance(0.5) else found


def scale(values: Values, x: Shape, scope: Scope) -> Step:
    found: Step = {"value": values.number(scope, 0.1, 0.17, 0.5, -1.5, 2.0)}
    if values.chance(0.4):
        found["learned"] = values.flag(scope, True)
        found |= {"per": values.word(scope, FACTORS)} if values.chance(0.6) else {}
    return found


def dense(values: Values, x: Shape, scope: Scope) -> Step:
    found: Step = {"units": values.filters(x, scope)}
    found |= {"use_bias": values.flag(scope, False)} if values.chance(0.3) else {}
    return {**found, "activation": values.function(scope)} if values.chance(0.5) else found


def adaptive_avg_pool(values: Values, x: Shape, scope: Scope) -> Step:
    if values.chance(0.5):
        return {
            "output_size": values.lift(scope, "int", values.rng.choice((1, 2, 3, 4)), (1, 2, 3))
        }
    return {"output_size": [values.rng.choice((1, 2, 3, 5)) for _ in range(x.rank)]}


def upsample(values: Values, x: Shape, scope: Scope) -> Step:
    found: Step = {"factor": values.lift(scope, "int", values.rng.choice((1, 2, 2, 3)), (1, 2, 3))}
    if values.chance(0.3):
        found = {"factor": [values.rng.choice((1, 2, 3)) for _ in range(x.rank)]}
    elif values.chance(0.3):
        found = {"size": [values.rng.choice((1, 2, 3, 5, 7)) for _ in range(x.rank)]}
    if values.chance(0.5):
        found["method"] = "linear"
        found |= {"align_corners": values.flag(scope, True)} if values.chance(0.4) else {}
    elif values.chance(0.4):
        found["method"] = values.lift(scope, "str", "nearest", ("nearest", "linear"))
    return found


def conv_transpose(values: Values, x: Shape, scope: Scope) -> Step:
    rng, policy = values.rng, values.policy
    kernel: Any = values.lift(scope, "int", rng.choice(policy.kernels), (1, 2, 3))
    if values.chance(policy.odd / 2):
        kernel = [rng.choice(policy.kernels) for _ in range(x.rank)]
    found: Step = {"filters": values.filters(x, scope), "kernel_size": kernel}
    if values.chance(0.7):
        found["stride"] = values.lift(scope, "int", rng.choice((1, 2, 2, 3)), (1, 2, 3))
    elif values.chance(0.3):
        found["stride"] = [rng.choice((1, 2, 3)) for _ in range(x.rank)]
    if values.chance(0.2 + policy.odd):
        words = ("same", "valid")
        found["padding"] = values.lift(scope, "str", rng.choice(words), words)
        if values.chance(0.5):
            found["padding"] = values.pixels(x.rank, (0, 1, 2))
            found |= {"output_padding": rng.choice((0, 1, 2))} if values.chance(0.5) else {}
    found |= {"use_bias": values.flag(scope, False)} if values.chance(0.3) else {}
    return {**found, "activation": values.function(scope)} if values.chance(0.5) else found


def zero_pad(values: Values, x: Shape, scope: Scope) -> Step:
    return {"padding": values.pixels(x.rank, (0, 1, 2))}


def crop(values: Values, x: Shape, scope: Scope) -> Step:
    if values.chance(0.4):
        return {"cropping": values.lift(scope, "int", 1, (0, 1, 2))}
    return {"cropping": values.pixels(x.rank, (0, 1, 2))}


def channel_shuffle(values: Values, x: Shape, scope: Scope) -> Step:
    return {"groups": number(values, "channel_shuffle", x, scope)}


def space_to_depth(values: Values, x: Shape, scope: Scope) -> Step:
    return blocks(values, "space_to_depth", x, scope)


def depth_to_space(values: Values, x: Shape, scope: Scope) -> Step:
    return blocks(values, "depth_to_space", x, scope)


def blocks(values: Values, kind: str, x: Shape, scope: Scope) -> Step:
    """The fields of an op that moves blocks of pixels."""
    found: Step = {"block_size": number(values, kind, x, scope)}
    return {**found, "order": values.word(scope, ORDERS)} if values.chance(0.7) else found


def number(values: Values, kind: str, x: Shape, scope: Scope) -> Any:
    """A number of groups or pixels that fits; rarely 1, with which the op is the identity."""
    found = fitting(kind, *x) or [1] * values.chance(0.1)
    if not found:
        raise Misfit
    return values.lift(scope, "int", values.rng.choice(found), (1, 2))


def global_pool(values: Values, x: Shape, scope: Scope) -> Step:
    """A pool over the channels, or one that keeps a map: a vector ends most chains."""
    if values.chance(0.7):
        return {"over": "channels"}
    return {"keepdims": True}


ATTRIBUTES: Final[dict[str, Callable[[Values, Shape, Scope], Step]]] = {
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "group_norm": group_norm,
    "local_response_norm": local_response_norm,
    "l2_normalize": l2_normalize,
    "activation": activation,
    "dropout": dropout,
    "scale": scale,
    "dense": dense,
    "zero_pad": zero_pad,
    "crop": crop,
    "channel_shuffle": channel_shuffle,
    "space_to_depth": space_to_depth,
    "depth_to_space": depth_to_space,
    "upsample": upsample,
    "conv_transpose": conv_transpose,
    "adaptive_avg_pool": adaptive_avg_pool,
    "global_avg_pool": global_pool,
    "global_max_pool": global_pool,
}
