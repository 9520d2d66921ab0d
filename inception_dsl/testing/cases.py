"""Small blocks that cover every op and every field that changes its result."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from .after_cases import AFTER
from .fork_cases import FORKS
from .input_cases import INPUTS
from .sharing_cases import SHARED
from .split_cases import CONV, SPLITS


class Case(NamedTuple):
    """A chain of steps in YAML flow style, and its input."""

    name: str
    steps: str
    input: str

    @property
    def text(self) -> str:
        """The spec: a block, or a network if it has several inputs."""
        if self.input.count("{") == 1:
            return f"block: case\ninput: {self.input}\nsteps: [{self.steps}]\n"
        return f"network: case\ninput: {self.input}\nbody: [{self.steps}]\n"


MAPS = {
    1: ["{channels: 4, length: 9}", "{channels: 4, length: 8}"],
    2: ["{channels: 4, height: 9, width: 6}", "{channels: 4, height: 7, width: 10}"],
    3: ["{channels: 4, depth: 5, height: 4, width: 7}"],
}
ONE = "{channels: 4, height: 9, width: 6}"


def conv_cases() -> Iterator[Case]:
    """Convolutions: kernels, strides, paddings, axes, dilation, groups."""
    paddings = ["same", "valid", "1", "[2, 0]", "[[0, 1], [2, 1]]"]
    for (kernel, stride), padding in itertools.product(
        [("3", "1"), ("3", "2"), ("[1, 4]", "1"), ("2", "3")], paddings
    ):
        text = (
            f"{{op: conv, filters: 6, kernel_size: {kernel}, stride: {stride}, padding: {padding}}}"
        )
        yield Case(f"conv-{kernel}-{stride}-{padding}", text, ONE)
    for rank, inputs in MAPS.items():
        for (i, shape), step in itertools.product(enumerate(inputs), (1, 2)):
            yield Case(
                f"conv-{rank}d-{i}-{step}",
                f"{{op: conv, filters: 3, kernel_size: 3, stride: {step}}}",
                shape,
            )
    for extra in (
        "dilation: 2",
        "dilation: [1, 2], padding: valid",
        "groups: 2",
        "use_bias: false",
        "stride: 2, dilation: 2",
    ):
        yield Case(f"conv-{extra}", f"{{op: conv, filters: 6, kernel_size: 3, {extra}}}", ONE)
    yield Case(
        "conv-kernel-7-stride-2",
        "{op: conv, filters: 2, kernel_size: 7, stride: 2}",
        "{channels: 3, height: 14, width: 15}",
    )
    yield Case(
        "conv-one-pixel",
        "{op: conv, filters: 2, kernel_size: 3, stride: 2}",
        "{channels: 3, height: 1, width: 1}",
    )


def separable_cases() -> Iterator[Case]:
    for op, filters in (("separable_conv", "filters: 5, "), ("depthwise_conv", "")):
        for rank, inputs in MAPS.items():
            for (i, shape), stride in itertools.product(enumerate(inputs), (1, 2)):
                text = (
                    f"{{op: {op}, {filters}kernel_size: 3, stride: {stride}, depth_multiplier: 2}}"
                )
                yield Case(f"{op}-{rank}d-{i}-{stride}", text, shape)
        for extra in (
            "padding: [[0, 1], [2, 1]]",
            "dilation: 2",
            "use_bias: false",
            "activation: relu",
        ):
            yield Case(f"{op}-{extra}", f"{{op: {op}, {filters}kernel_size: [3, 2], {extra}}}", ONE)


def enlarging_cases() -> Iterator[Case]:
    """Upsampling and transposed convolutions, without groups and dilation, which Keras has not."""
    windows = [f"kernel_size: {k}, stride: {s}" for k, s in ((2, 2), (3, 2), (4, 2), (5, 3))]
    windows += ["kernel_size: [3, 2], stride: [2, 3]"]
    paddings = ["same", "valid", "1", "1, output_padding: 1"]
    extras = [f"{window}, padding: {p}" for window, p in itertools.product(windows, paddings)]
    extras += [
        "kernel_size: 2, stride: 3",
        "kernel_size: 1, stride: 3, padding: valid",
        "kernel_size: 3, padding: valid",
        "kernel_size: 3, stride: 2, padding: [[0, 1], [2, 0]]",
        "kernel_size: 3, stride: 3, padding: [[0, 2], [0, 1]], output_padding: [2, 1]",
        "kernel_size: 3, stride: 2, use_bias: false",
        "kernel_size: 3, stride: 2, activation: gelu",
    ]
    for extra in extras:
        yield Case(f"conv_transpose-{extra}", f"{{op: conv_transpose, filters: 6, {extra}}}", ONE)
    ways = ("nearest", "linear", "linear, align_corners: true")
    for rank, (shape, *_) in MAPS.items():
        for stride in (1, 2):
            text = f"{{op: conv_transpose, filters: 3, kernel_size: 3, stride: {stride}}}"
            yield Case(f"conv_transpose-{rank}d-{stride}", text, shape)
        text = "{op: conv_transpose, filters: 2, kernel_size: [4, 1, 3], stride: [2, 3, 5]}"
        if rank == 3:  # windows shorter than the stride, beside one that is longer
            yield Case("conv_transpose-3d-short", text, shape)
        for size, way in itertools.product(("factor: 2", "factor: 3", "size: 5", "size: 12"), ways):
            text = f"{{op: upsample, {size}, method: {way}}}"
            yield Case(f"upsample-{rank}d-{size}-{way}", text, shape)
    for size, way in itertools.product(("factor: [1, 3]", "size: [13, 1]"), ways):
        yield Case(f"upsample-{size}-{way}", f"{{op: upsample, {size}, method: {way}}}", ONE)


BLOCKS = {
    1: "{channels: 8, length: 6}",
    2: "{channels: 8, height: 6, width: 4}",
    3: "{channels: 8, depth: 2, height: 6, width: 4}",
}


def block_cases() -> Iterator[Case]:
    """Blocks of pixels as channels, and channels as blocks, in both orders."""
    ways = itertools.product(("space_to_depth", "depth_to_space"), ("last", "first"), BLOCKS)
    for op, order, rank in ways:
        text = f"{{op: {op}, block_size: 2, order: channels_{order}}}"
        yield Case(f"{op}-{order}-{rank}d", text, BLOCKS[rank])
    for op, size in (("space_to_depth", 3), ("depth_to_space", 1)):
        text = f"{{op: {op}, block_size: {size}}}"
        yield Case(f"{op}-{size}", text, "{channels: 2, height: 9, width: 6}")


def pool_cases() -> Iterator[Case]:
    for op in ("max_pool", "avg_pool"):
        counts = ["", ", count_include_pad: true"] if op == "avg_pool" else [""]
        windows = itertools.product(["2", "3", "[3, 2]", "5"], ["1", "2", "3"])
        for (kernel, stride), padding, count in itertools.product(
            windows, ["same", "valid", "1"], counts
        ):
            text = (
                f"{{op: {op}, kernel_size: {kernel}, stride: {stride}, padding: {padding}{count}}}"
            )
            for i, shape in enumerate(MAPS[2]):
                yield Case(f"{op}-{kernel}-{stride}-{padding}-{bool(count)}-{i}", text, shape)
        for padding, count in itertools.product(["valid", "1"], counts):
            for size in range(4, 9):
                window = f"kernel_size: 3, stride: 2, padding: {padding}, ceil_mode: true"
                text = f"{{op: {op}, {window}{count}}}"
                shape = f"{{channels: 2, height: {size}, width: {size + 3}}}"
                yield Case(f"{op}-ceil-{padding}-{bool(count)}-{size}", text, shape)
            for i, axes in enumerate(
                ("length: 2", "height: 2, width: 7", "depth: 1, height: 2, width: 3")
            ):
                if i < 2 or op == "max_pool":  # PyTorch rejects small averages on three axes
                    window = f"kernel_size: 4, stride: 4, padding: {padding}, ceil_mode: true"
                    text, shape = f"{{op: {op}, {window}{count}}}", f"{{channels: 2, {axes}}}"
                    yield Case(f"{op}-ceil-small-{padding}-{bool(count)}-{i}", text, shape)
        for count in counts:
            text = f"{{op: {op}, kernel_size: 3, stride: 2, padding: [[0, 1], [1, 0]]{count}}}"
            yield Case(f"{op}-sides-{bool(count)}", text, ONE)
        for rank in (1, 3):
            for (i, shape), step in itertools.product(enumerate(MAPS[rank]), (1, 2)):
                yield Case(
                    f"{op}-{rank}d-{i}-{step}",
                    f"{{op: {op}, kernel_size: 3, stride: {step}}}",
                    shape,
                )
        for count, padding in itertools.product(counts, ("same", "1", "[1, 0, 1]")):
            text = f"{{op: {op}, kernel_size: [3, 2, 3], padding: {padding}{count}}}"
            small = "{channels: 2, depth: 2, height: 2, width: 1}"
            yield Case(f"{op}-3d-small-{padding}-{bool(count)}", text, small)


def other_cases() -> Iterator[Case]:
    for rank, inputs in MAPS.items():
        for op in ("global_avg_pool", "global_max_pool"):
            yield Case(f"{op}-{rank}d", f"{{op: {op}}}", inputs[0])
            yield Case(f"{op}-{rank}d-keepdims", f"{{op: {op}, keepdims: true}}", inputs[0])
            yield Case(f"{op}-{rank}d-channels", f"{{op: {op}, over: channels}}", inputs[0])
            twice = f"{{op: {op}, over: channels, repeat: 2}}"  # modules of a sequence in PyTorch
            yield Case(f"{op}-{rank}d-channels-twice", twice, inputs[0])
        for size in (1, 3, 4):
            yield Case(
                f"adaptive_avg_pool-{rank}d-{size}",
                f"{{op: adaptive_avg_pool, output_size: {size}}}",
                inputs[-1],
            )
        for text in (
            "{op: conv_bn, filters: 6, kernel_size: 3, stride: 2}",
            "{op: dense, units: 3, activation: tanh}",
            "{op: batch_norm, epsilon: 0.01, decay: 0.9}",
            "{op: layer_norm, epsilon: 0.01}",
            "{op: group_norm, groups: 2}",
            "{op: local_response_norm, size: 3, alpha: 0.5, beta: 0.6, k: 2.0}",
            "{op: l2_normalize}",
            "{op: flatten}, {op: l2_normalize, epsilon: 0.1}",
            "{op: l2_normalize, epsilon: 30}",  # more than some sums of squares
            "{op: flatten}",
            "{op: zero_pad, padding: 2}",
            "{op: crop, cropping: 1}",
            "{op: channel_shuffle, groups: 2}",
            "{op: flatten}, {op: channel_shuffle, groups: 2}",
            "{op: activation, function: softmax, parts: 2}",
            "{op: flatten}, {op: activation, function: softmax, parts: 2}",
            "{op: scale, value: 0.17}",
            "{op: scale, value: 0.17, learned: true}",
            "{op: scale, value: 1, learned: true, per: layer}",
            "{op: identity}",
            "{op: dropout, rate: 0.5}",
            "{op: dropout, rate: 0.5, per: channel}",
            "{op: dropout, rate: 0.5, per: sample}",
        ):
            yield Case(f"{text[5:]}-{rank}d", text, inputs[0])


def switch_cases() -> Iterator[Case]:
    """Every field that switches something on or off."""
    for norm, switch in itertools.product(
        ("batch_norm", "layer_norm", "group_norm, groups: 2"),
        ("scale: false", "center: false", "scale: false, center: false"),
    ):
        yield Case(f"{norm}-{switch}", f"{{op: {norm}, {switch}}}", ONE)
    for switch in ("scale: false", "center: false", "epsilon: 0.1"):
        text = f"{{op: conv_bn, filters: 6, kernel_size: 3, batch_norm: {{{switch}}}}}"
        yield Case(f"conv_bn-{switch}", text, ONE)
    yield Case("adaptive_avg_pool-axes", "{op: adaptive_avg_pool, output_size: [4, 7]}", ONE)
    yield Case(
        "adaptive_avg_pool-overlap",
        "{op: adaptive_avg_pool, output_size: 4}",
        "{channels: 3, height: 14, width: 14}",
    )
    for text in (
        "{op: flatten}, {op: scale, value: 1e-6, learned: true}",
        "{op: flatten}, {op: scale, value: 1e-6, learned: true, per: layer}",
        "{op: flatten}, {op: dropout, rate: 0.5, per: channel}",
        "{op: flatten}, {op: dropout, rate: 0.5, per: sample}",
        "{op: local_response_norm, size: 4, alpha: 0.5}",
        "{op: zero_pad, padding: [[0, 1], [2, 3]]}",
        "{op: crop, cropping: [[0, 1], [2, 3]]}",
        "{op: crop, cropping: [[3, 2], [0, 1]]}",
        "{op: channel_shuffle, groups: 4}",
        "{op: channel_shuffle, groups: 1}",
        "{op: activation, function: softmax, parts: 4}",
        "{op: activation, function: softmax, parts: 1}",
        "{op: conv_bn, filters: 6, kernel_size: 3, use_bias: true, groups: 2, dilation: 2, "
        "activation: elu}",
        "{op: conv_bn, filters: 6, kernel_size: 3, padding: [[0, 1], [2, 3]]}",
        "{op: activation, function: leaky_relu, alpha: 0.0}",
        "{op: activation, function: leaky_relu, alpha: 0.3}",
        "{op: activation, function: elu, alpha: 0.7}",
        "{op: activation, function: gelu, approximate: true}",
    ):
        yield Case(text, text, ONE)


FUNCTIONS = (
    *("none", "relu", "relu6", "leaky_relu", "elu", "gelu", "silu", "hard_swish", "sigmoid"),
    *("tanh", "softmax"),
)


def function_cases() -> Iterator[Case]:
    for name in FUNCTIONS:
        yield Case(f"activation-{name}", f"{{op: activation, function: {name}}}", ONE)
        yield Case(
            f"conv-{name}", f"{{op: conv, filters: 5, kernel_size: 1, activation: {name}}}", ONE
        )
        yield Case(
            f"conv_bn-{name}",
            f"{{op: conv_bn, filters: 5, kernel_size: 1, activation: {name}}}",
            ONE,
        )
        yield Case(
            f"vector-{name}",
            f"{{op: global_avg_pool}}, {{op: dense, units: 5, activation: {name}}}",
            ONE,
        )


def split_cases() -> Iterator[Case]:
    """Forks that divide their input, for 0 to 3 spatial axes."""
    for name, text in SPLITS:
        yield Case(f"split-{name}", text, ONE)
    for rank in (1, 3):
        text = f"{{branches: {{a: [], b: [{CONV}]}}, split: [1, rest], merge: concat}}"
        yield Case(f"split-{rank}d", text, MAPS[rank][0])


def all_cases() -> list[Case]:
    """Every case; names are unique."""
    forks = [Case(f"fork-{name}", text, ONE) for name, text in FORKS]
    later = [Case(f"after-{name}", text, ONE) for name, text in AFTER]
    shared = [Case(f"shared-{name}", text, ONE) for name, text in SHARED]
    return [
        *conv_cases(),
        *separable_cases(),
        *enlarging_cases(),
        *block_cases(),
        *pool_cases(),
        *other_cases(),
        *switch_cases(),
        *function_cases(),
        *forks,
        *later,
        *split_cases(),
        *shared,
        *(Case(f"inputs-{name}", text, inputs) for name, text, inputs in INPUTS),
    ]
