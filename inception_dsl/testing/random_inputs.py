"""Random networks with several inputs: a first step that makes one map of them."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from .random_blocks import Step
from .random_shapes import Shape

SHARE: Final = 0.1
"""The share of networks that have several inputs."""
AXES: Final = {0: (), 1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
NAMES: Final = ("rgb", "flow", "image", "table", "audio", "x", "inputs", "size", "name", "head")


def sizes(x: Shape) -> Step:
    """An input as a spec has it."""
    return {"channels": x.channels, **dict(zip(AXES[x.rank], x.spatial, strict=True))}


def several(rng: Random, y: Shape) -> tuple[Step, Step]:
    """Inputs by name, and the fork that makes a map of the shape ``y`` of them."""
    merge = rng.choice(("add", "add", "multiply", "concat") if y.channels > 1 else ("add",))
    names = rng.sample(NAMES, rng.choice((2, 2, 3)) if y.channels > 2 else 2)
    parts = [y.channels] * len(names)
    if merge == "concat":
        cuts = sorted(rng.sample(range(1, y.channels), len(names) - 1))
        parts = [b - a for a, b in zip((0, *cuts), (*cuts, y.channels), strict=True)]
    inputs: Step = {}
    branches: dict[str, list[Step]] = {}
    for index, (name, channels) in enumerate(zip(names, parts, strict=True)):
        vector = merge != "concat" and index > 0 and rng.random() < 0.3
        x, branches[name] = (_vector if vector else _map)(rng, Shape(y.spatial, channels))
        inputs[name] = sizes(x)
    fork: dict[str, Any] = {"branches": branches, "merge": merge}
    if rng.random() < 0.5:
        fork["branches"] = dict(reversed(branches.items()))
    return inputs, fork


def untied(inputs: Step) -> bool:
    """Whether the maps among some inputs have different sizes."""
    maps = [{**x, "channels": 0} for x in inputs.values() if len(x) > 1]
    return any(x != maps[0] for x in maps)


def _vector(rng: Random, y: Shape) -> tuple[Shape, list[Step]]:
    """A vector as an input, and its branch, which is broadcast."""
    if rng.random() < 0.3:
        return Shape((), y.channels), []
    units = {"op": "dense", "units": y.channels, "activation": rng.choice(("none", "sigmoid"))}
    return Shape((), rng.randint(1, 6)), [units]


def _map(rng: Random, y: Shape) -> tuple[Shape, list[Step]]:
    """An input and a branch that makes a map of the shape ``y`` of it."""
    way = rng.random()
    if way < 0.2:
        return y, []
    channels, stride = rng.randint(1, 4), 2 if way < 0.4 else 1
    conv = {
        "op": rng.choice(("conv", "conv_bn")),
        "filters": y.channels,
        "kernel_size": rng.choice((1, 3)),
        "stride": stride,
        "padding": "same",
    }
    spatial = tuple(n * stride - rng.randint(0, stride - 1) for n in y.spatial)
    return Shape(spatial, channels), [conv]
