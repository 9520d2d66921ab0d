"""Shape inference for random networks, independent of the compiler's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .random_blocks import NOTHING, Block, Step
from .random_moved import MOVING, moved
from .random_shapes import (
    ENLARGING,
    GLOBAL,
    POOLS,
    WINDOWED,
    Attributes,
    Misfit,
    Shape,
    at,
    resolved,
    sides,
)


@dataclass(slots=True)
class Book:
    """The blocks, defaults and sizes of one spec.

    ``elements`` and ``channels`` limit every output; ``layers`` counts the layers that run.
    ``earlier`` are the outputs of the named steps of the chain that is being followed.
    """

    blocks: dict[str, Block]
    defaults: Mapping[str, Mapping[str, Any]]
    elements: int = 3_000
    channels: int = 40
    layers: int = 0
    earlier: dict[str, Shape] = field(default_factory=dict)

    def after(
        self, step: Step, x: Shape, values: Mapping[str, Any], own: Mapping[str, Any] | None = None
    ) -> Shape:
        """The shape after a step with all its repetitions; raises :class:`Misfit`."""
        found = self.defaults if own is None else own
        steps = repetitions(step, values)
        for one in steps:
            x = self.once(one, x, values, found)
            if x.elements > self.elements or x.channels > self.channels or not x.elements:
                raise Misfit
        if steps:
            self.earlier[str(step.get("name", step.get("use")))] = x
        return x

    def chain(
        self, steps: list[Step], x: Shape, values: Mapping[str, Any], own: Mapping[str, Any]
    ) -> Shape:
        outer, self.earlier = self.earlier, {}
        inputs: dict[str, Shape] = {}  # of the steps with a name
        try:
            for step in steps:
                owner = inputs.get(step["weights"], x) if "weights" in step else x
                if (owner.rank, owner.channels) != (x.rank, x.channels):
                    raise Misfit
                if "name" in step:
                    inputs[step["name"]] = x
                x = self.after(step, x, values, own)
        finally:
            self.earlier = outer
        return x

    def once(
        self, step: Step, x: Shape, values: Mapping[str, Any], own: Mapping[str, Any]
    ) -> Shape:
        """The shape after one repetition of a step."""
        if "branches" in step:
            given = starts(step, x, values, self.earlier)
            inputs = zip(step["branches"].values(), given, strict=True)
            ends = [self.chain(steps, start, values, own) for steps, start in inputs]
            return joined(step["merge"], ends)
        if "use" in step:
            return self.use(step, x, values)
        self.layers += 1
        return op(step["op"], Attributes(step, own.get(step["op"], {}), values), x)

    def use(self, step: Step, x: Shape, values: Mapping[str, Any]) -> Shape:
        """The shape after a use of a block."""
        block = self.blocks[step["use"]]
        arguments = {
            n: resolved(step[n], values) if n in step else p.value
            for n, p in block.parameters.items()
        }
        own = {
            o: {**self.defaults.get(o, {}), **block.defaults.get(o, {})}
            for o in {*self.defaults, *block.defaults}
        }
        return self.chain(block.steps, x, {**arguments, "in_channels": x.channels}, own)


def repetitions(step: Step, values: Mapping[str, Any]) -> list[Step]:
    """The step of each repetition."""
    if "each" not in step:
        return [step] * resolved(step.get("repeat", 1), values)
    same, each = {k: v for k, v in step.items() if k != "each"}, step["each"]
    return [
        {**same, **dict(zip(each, row, strict=True))} for row in zip(*each.values(), strict=True)
    ]


def starts(
    step: Step, x: Shape, values: Mapping[str, Any], earlier: Mapping[str, Shape] = NOTHING
) -> list[Shape]:
    """The inputs of the branches of a fork, some of which begin after ``earlier`` steps."""
    count, split = len(step["branches"]), step.get("split")
    if split is None:
        after = step.get("after", {})
        if not {*after.values()} <= earlier.keys() or ("after" in step and "repeat" in step):
            raise Misfit
        return [earlier[after[name]] if name in after else x for name in step["branches"]]
    sizes = [x.channels // count] * count if split == "equal" else resolved(split, values)
    left = x.channels - sum(size for size in sizes if size != "rest")
    found = [left if size == "rest" else size for size in sizes]
    if len(found) != count or sum(found) != x.channels or min(found) < 1:
        raise Misfit
    return [Shape(x.spatial, channels) for channels in found]


def op(name: str, given: Attributes, x: Shape) -> Shape:
    """The shape after one layer."""
    if name in WINDOWED:
        if not x.rank:
            raise Misfit
        spatial = tuple(output(name, given, axis, x) for axis in range(x.rank))
        squeezed(name, given, x, spatial)
        return varied(given["activation"], Shape(spatial, channels(name, given, x)))
    if name in {*ENLARGING, *GLOBAL, "zero_pad", "crop"} and not x.rank:
        raise Misfit
    if name in MOVING:
        if (found := moved(name, given[MOVING[name]], *x)) is None:
            raise Misfit
        return Shape(*found)
    if name in ENLARGING:
        return enlarged(name, given, x)
    if name == "adaptive_avg_pool":
        return Shape(tuple(at(given["output_size"], axis) for axis in range(x.rank)), x.channels)
    if name.startswith("global_"):
        if given["over"] == "channels":
            return Shape(x.spatial, 1)
        return Shape((1,) * x.rank if given["keepdims"] else (), x.channels)
    if name in ("zero_pad", "crop"):
        field, sign = ("padding", 1) if name == "zero_pad" else ("cropping", -1)
        added = (sign * sum(sides(given[field], axis)) for axis in range(x.rank))
        spatial = tuple(n + more for n, more in zip(x.spatial, added, strict=True))
        if min(spatial) < 1:
            raise Misfit
        return Shape(spatial, x.channels)
    if name == "dense":
        return varied(given["activation"], Shape(x.spatial, given["units"]))
    if name == "flatten":
        return Shape((), x.elements)
    if name == "l2_normalize" and x.channels == 1:  # 1 or -1, with a gradient of rounding errors
        raise Misfit
    if name in ("layer_norm", "group_norm"):
        normalised(given["groups"] if name == "group_norm" else 0, given["center"], x)
    if name == "activation" and (parts := given["parts"]) is not None:
        if given["function"] != "softmax" or x.channels % parts or parts == 1:
            raise Misfit
        return x
    return varied(given["function"], x) if name == "activation" else x


def enlarged(name: str, given: Attributes, x: Shape) -> Shape:
    """The shape after an upsampling or a transposed convolution."""
    if name == "upsample":
        if given["size"] is not None:
            return Shape(tuple(at(given["size"], axis) for axis in range(x.rank)), x.channels)
        sizes = (n * at(given["factor"], axis) for axis, n in enumerate(x.spatial))
        return Shape(tuple(sizes), x.channels)
    found = []
    for axis, n in enumerate(x.spatial):
        kernel, stride = at(given["kernel_size"], axis), at(given["stride"], axis)
        more = at(given["output_padding"], axis)
        if more >= stride or (more and given["padding"] == "same"):
            raise Misfit
        if given["padding"] == "same":
            found.append(n * stride)
        else:
            found.append((n - 1) * stride + kernel - sum(sides(given["padding"], axis)) + more)
    if min(found) < 1 or int(given["filters"]) < 1:
        raise Misfit
    return varied(given["activation"], Shape(tuple(found), int(given["filters"])))


def varied(function: str, y: Shape) -> Shape:
    """``y``; raises :class:`Misfit` for a softmax of one channel.

    It is 1 everywhere, so a batch norm after it returns only rounding errors.
    """
    if function == "softmax" and y.channels == 1:
        raise Misfit
    return y


def squeezed(name: str, given: Attributes, x: Shape, spatial: tuple[int, ...]) -> None:
    """Raises :class:`Misfit` for two bugs of TensorFlow 2.21 on a CPU.

    In float32, a convolution of one channel with strides of 1 and more, to a map one pixel wide, is
    wrong. In float64, the gradient of an average pool is, if its window is larger than the map and
    the first window does not cover all of it.
    """
    for axis in range(x.rank if name == "avg_pool" else 0):
        kernel, size = at(given["kernel_size"], axis), x.spatial[axis]
        if given["padding"] == "same":
            total = (spatial[axis] - 1) * at(given["stride"], axis) + kernel - size
            before = max(total, 0) // 2
        else:
            before = sides(given["padding"], axis)[0]
        if kernel > size > kernel - before:
            raise Misfit
    narrow = name not in POOLS and x.rank == 2 and x.channels == 1 and spatial[1] == 1
    if narrow and at(given["stride"], 0) == 1 < at(given["stride"], 1):
        raise Misfit


def normalised(groups: int, center: bool | None, x: Shape) -> None:
    """Raises :class:`Misfit` if the output of a normalisation is only rounding errors around zero.

    This is so for a group of a single value, and for a group whose mean is taken right after it.
    ``groups`` is 0 for a norm over the channels of each position.
    """
    if groups and x.channels % groups:
        raise Misfit
    positions = x.elements // x.channels
    whole = groups in (1, x.channels) and positions > 1
    if (x.channels if not groups else positions * x.channels // groups) == 1 or (
        whole and center is False
    ):
        raise Misfit


def channels(name: str, given: Attributes, x: Shape) -> int:
    """The channels after a windowed op; raises :class:`Misfit` if not divisible by the groups."""
    if name in POOLS:
        return x.channels
    if name == "depthwise_conv":
        return x.channels * int(given["depth_multiplier"])
    filters, groups = int(given["filters"]), int(given["groups"] if name != "separable_conv" else 1)
    if filters < 1 or x.channels % groups or filters % groups:
        raise Misfit
    return filters


def output(name: str, given: Attributes, axis: int, x: Shape) -> int:
    """Number of outputs of a window along one axis."""
    kernel, stride, dilation = (
        at(given[key], axis) for key in ("kernel_size", "stride", "dilation")
    )
    dilation = 1 if name in POOLS else dilation
    size, padding, ceil = x.spatial[axis], given["padding"], name in POOLS and given["ceil_mode"]
    if padding == "same":
        if ceil:
            raise Misfit
        return -(-size // stride)
    before, after = sides(padding, axis)
    if name in POOLS and (max(before, after) > kernel // 2 or (ceil and before != after)):
        raise Misfit
    free = size + before + after - ((kernel - 1) * dilation + 1)
    if free < 0 and (not ceil or free <= -stride):
        raise Misfit
    if not ceil:
        return int(free // stride) + 1
    if name == "avg_pool" and x.rank == 3 and kernel > size:  # PyTorch 2.13 rejects any padding
        raise Misfit
    count = -(-free // stride) + 1
    return int(count - 1 if (count - 1) * stride >= size + before else count)


def joined(merge: str, ends: list[Shape]) -> Shape:
    """The shape of a merge; raises :class:`Misfit` if the branches do not fit each other."""
    rank = max(end.rank for end in ends)
    if merge == "concat":
        if len({end.spatial for end in ends}) > 1:
            raise Misfit
        return Shape(ends[0].spatial, sum(end.channels for end in ends))
    if any(end.rank not in (0, rank) for end in ends):
        raise Misfit
    full = [(*(end.spatial or (1,) * rank), end.channels) for end in ends]
    found = []
    for sizes in zip(*full, strict=True):
        larger = {size for size in sizes if size != 1}
        if len(larger) > 1:
            raise Misfit
        found.append(larger.pop() if larger else 1)
    return Shape(tuple(found[:-1]), found[-1])
