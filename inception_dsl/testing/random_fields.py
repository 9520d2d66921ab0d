"""The fields of random layers; each may be an expression."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from .random_blocks import Step
from .random_contexts import Context, Writer
from .random_kinds import KINDS, VECTOR
from .random_moved import fitting
from .random_shapes import POOLS, Misfit, Shape
from .random_terms import Piece, divide, multiply, name, number, piece_of

FUNCTIONS: Final = ("relu", "none", "tanh", "sigmoid", "silu", "relu6", "elu", "hard_swish")
ROUGH: Final = ("leaky_relu", "gelu")
"""Functions with constants, which TensorFlow's own layers round to float32."""
FILTERS: Final = (1, 2, 3, 4, 5, 6)


class At(NamedTuple):
    """The input of a step: its shape, and the expression for its channels, if known."""

    shape: Shape
    channels: Piece | None

    @property
    def rank(self) -> int:
        return self.shape.rank


class Fields:
    """Makes the fields of layers; ``rough`` allows ``leaky_relu`` and ``gelu``."""

    def __init__(self, writer: Writer, *, rough: bool) -> None:
        self.writer, self.rng, self.rough = writer, writer.rng, rough
        self.functions = (*FUNCTIONS, *ROUGH, *ROUGH) if rough else FUNCTIONS

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def kind(self, at: At, *, plain: bool) -> str:
        """A kind of layer that accepts ``at``; if ``plain``, one that accepts every input."""
        weights = dict(KINDS)
        if self.rough:
            weights |= {
                "layer_norm": 0.0,
                "group_norm": 0.0,
                "l2_normalize": 0.0,
                "activation": 3.0,
            }
        if at.rank == 3:
            weights |= dict.fromkeys(("max_pool", "avg_pool", "adaptive_avg_pool"), 0.0)
        if plain or not at.rank:
            weights = {kind: w for kind, w in weights.items() if kind in VECTOR}
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def made(self, kind: str, at: At, context: Context) -> Step:
        """A layer; the book checks later whether it fits."""
        make = getattr(self, kind, None)
        return {"op": kind, **(make(at, context) if make else {})}

    def some(self, share: float, **makers: Any) -> Step:
        """A random selection of these fields."""
        return {key: make() for key, make in makers.items() if self.chance(share)}

    def function(self, context: Context) -> Any:
        return self.writer.word(context, self.functions)

    def filters(self, context: Context) -> Any:
        """Filters or units, often computed from the block's own input channels."""
        if self.chance(0.15):
            return name("in_channels").given(self.rng)
        return self.writer.whole(context, FILTERS)

    # windows

    def axes(self, context: Context, rank: int, allowed: tuple[int, ...]) -> Any:
        """One number for all axes, or one per axis."""
        if self.chance(0.25):
            return [self.writer.whole(context, allowed) for _ in range(rank)]
        return self.writer.whole(context, allowed)

    def window(self, kind: str, at: At, context: Context) -> Step:
        """The window of a layer."""
        kernel = self.axes(context, at.rank, (1, 2, 3))
        found: Step = {"kernel_size": kernel}
        if self.chance(0.4):
            found["stride"] = self.axes(context, at.rank, (1, 2))
        if self.chance(0.6):
            found["padding"] = self.padding(kernel, at, context)
        if kind in POOLS:
            if found.get("padding", "same") != "same" and self.chance(0.4):
                found["ceil_mode"] = self.writer.flag(context)
        elif self.chance(0.2) and not (at.rank == 3 and "stride" in found):
            found["dilation"] = self.axes(context, at.rank, (1, 2))
        return found

    def keeping(self, kind: str, at: At, context: Context, stride: Any = None) -> Step:
        """A window that keeps the spatial size, or divides it by ``stride``."""
        kernel = self.writer.whole(context, (1, 3, 2) if self.chance(0.7) else (1, 3))
        found: Step = {"kernel_size": kernel, "padding": "same"}
        half = piece_of(kernel)
        if half is not None and stride is None and kind not in POOLS and self.chance(0.15):
            found["padding"] = divide(half, number(2)).given(self.rng)
        if stride is not None:
            found["stride"] = stride
        elif self.chance(0.1):
            found["stride"] = self.writer.whole(context, (1,))
        return found

    def padding(self, kernel: Any, at: At, context: Context) -> Any:
        """Padding in any form that the language has."""
        way = self.rng.choice(("word", "word", "whole", "half", "axes", "sides"))
        half = None if isinstance(kernel, list) else piece_of(kernel)
        if way == "half" and half is not None:
            return divide(half, number(2)).given(self.rng)
        if way == "whole":
            return self.writer.whole(context, (0, 1))
        if way == "axes":
            return [self.rng.choice((0, 1)) for _ in range(at.rank)]
        if way == "sides":
            return [[self.rng.choice((0, 1)) for _ in range(2)] for _ in range(at.rank)]
        return self.writer.word(context, ("same", "valid"))

    def outcome(self, kind: str, at: At, context: Context) -> Step:
        """The fields of a convolution other than its window."""
        found: Step = {}
        if kind in ("conv", "conv_bn") and self.chance(0.3):
            found |= self.grouped(at, context)
        elif kind != "depthwise_conv":
            found["filters"] = self.filters(context)
        if kind in ("depthwise_conv", "separable_conv"):
            found |= self.some(0.6, depth_multiplier=lambda: self.writer.whole(context, (1, 2, 3)))
        found |= self.some(0.3, use_bias=lambda: self.writer.flag(context))
        found |= self.some(0.4, activation=lambda: self.function(context))
        if kind == "conv_bn" and self.chance(0.5):
            found["batch_norm"] = self.batch_norm(at, context)
        return found

    def grouped(self, at: At, context: Context) -> Step:
        """Groups, and filters that are divisible by them."""
        channels = at.shape.channels
        groups: Any = self.writer.whole(
            context, [n for n in range(1, channels + 1) if not channels % n]
        )
        if at.channels is not None and self.chance(0.5):
            groups = at.channels.given(self.rng)
        each = piece_of(groups)
        if each is None:
            raise Misfit
        factor = piece_of(self.writer.whole(context, (1, 1, 2, 3))) or number(1)
        filters = multiply(each, factor) if self.chance(0.7) else multiply(factor, each)
        if isinstance(groups, int) and factor.text.isdigit():
            return {"groups": groups, "filters": groups * int(factor.text)}
        return {"groups": groups, "filters": filters.given(self.rng)}

    def conv(self, at: At, context: Context, kind: str = "conv") -> Step:
        return {**self.outcome(kind, at, context), **self.window(kind, at, context)}

    def conv_bn(self, at: At, context: Context) -> Step:
        return self.conv(at, context, "conv_bn")

    def separable_conv(self, at: At, context: Context) -> Step:
        return self.conv(at, context, "separable_conv")

    def depthwise_conv(self, at: At, context: Context) -> Step:
        return self.conv(at, context, "depthwise_conv")

    def conv_transpose(self, at: At, context: Context) -> Step:
        found = self.outcome("conv_transpose", at, context)
        found["kernel_size"] = kernel = self.axes(context, at.rank, (1, 2, 3))
        found |= self.some(0.7, stride=lambda: self.axes(context, at.rank, (1, 2, 3)))
        if self.chance(0.6):
            found["padding"] = self.padding(kernel, at, context)
            if self.chance(0.4):
                found["output_padding"] = self.axes(context, at.rank, (0, 1))
        return found

    def upsample(self, at: At, context: Context) -> Step:
        way = "size" if self.chance(0.3) else "factor"
        found: Step = {way: self.axes(context, at.rank, (1, 2, 3))}
        if self.chance(0.3):
            return {**found, "method": self.writer.word(context, ("nearest", "linear"))}
        linear = {"method": "linear", "align_corners": self.writer.flag(context)}
        return found | linear if self.chance(0.6) else found

    def max_pool(self, at: At, context: Context) -> Step:
        return self.window("max_pool", at, context)

    def avg_pool(self, at: At, context: Context) -> Step:
        counted = self.some(0.5, count_include_pad=lambda: self.writer.flag(context))
        return {**self.window("avg_pool", at, context), **counted}

    def adaptive_avg_pool(self, at: At, context: Context) -> Step:
        return {"output_size": self.axes(context, at.rank, (1, 2, 3))}

    def zero_pad(self, at: At, context: Context) -> Step:
        if self.chance(0.7):
            return {"padding": self.writer.whole(context, (0, 1, 2))}
        return {"padding": [[self.rng.choice((0, 1)) for _ in range(2)] for _ in range(at.rank)]}

    def crop(self, at: At, context: Context) -> Step:
        return {"cropping": self.zero_pad(at, context)["padding"]}

    def channel_shuffle(self, at: At, context: Context) -> Step:
        return {"groups": self.writer.whole(context, fitting("channel_shuffle", *at.shape) or [1])}

    def space_to_depth(self, at: At, context: Context, kind: str = "space_to_depth") -> Step:
        found: Step = {"block_size": self.writer.whole(context, fitting(kind, *at.shape) or [1])}
        words = ("channels_last", "channels_first")
        return found | self.some(0.6, order=lambda: self.writer.word(context, words))

    def depth_to_space(self, at: At, context: Context) -> Step:
        return self.space_to_depth(at, context, "depth_to_space")

    # normalisations

    def norm(self, context: Context) -> Step:
        """Some fields of a normalisation."""
        found = self.some(
            0.6, epsilon=lambda: self.writer.real(context, (0.001, 0.01, 0.5, 1.5), 1e-4, 3)
        )
        return found | self.some(
            0.4, scale=lambda: self.writer.flag(context), center=lambda: self.writer.flag(context)
        )

    def batch_norm(self, at: At, context: Context) -> Step:
        decay = self.some(0.4, decay=lambda: self.writer.real(context, (0.9, 0.99, 0.5), 0, 1))
        return {**self.norm(context), **decay}

    def layer_norm(self, at: At, context: Context) -> Step:
        return self.norm(context)

    def group_norm(self, at: At, context: Context) -> Step:
        channels = at.shape.channels
        groups = self.writer.whole(context, [n for n in range(1, channels + 1) if not channels % n])
        if at.channels is not None and self.chance(0.3):
            groups = at.channels.given(self.rng)
        return {"groups": groups, **self.norm(context)}

    def local_response_norm(self, at: At, context: Context) -> Step:
        writer = self.writer
        return self.some(
            0.6,
            size=lambda: writer.whole(context, (1, 2, 3, 5)),
            alpha=lambda: writer.real(context, (0.1, 0.5, 1.5, 2)),
            beta=lambda: writer.real(context, (0.75, 0.5, 1.5), 0.1, 2),
            k=lambda: writer.real(context, (1.0, 2, 0.5), 0.1, 10),
        )

    def l2_normalize(self, at: At, context: Context) -> Step:
        return self.some(0.6, epsilon=lambda: self.writer.real(context, (0.01, 0.5, 1.5), 1e-4, 3))

    # other layers

    def activation(self, at: At, context: Context) -> Step:
        if self.rough and self.chance(0.6):
            if self.chance(0.5):
                return {"function": "gelu", "approximate": self.writer.flag(context)}
            return {"function": "leaky_relu", "alpha": self.writer.real(context, (0.2, 0.5, 1.5))}
        parts = [n for n in range(2, at.shape.channels + 1) if not at.shape.channels % n]
        if parts and self.chance(0.15):
            return {"function": "softmax", "parts": self.writer.whole(context, parts)}
        if self.chance(0.3):
            return {"function": "elu", "alpha": self.writer.real(context, (0.5, 1.5, 2))}
        return {"function": self.function(context)}

    def dropout(self, at: At, context: Context) -> Step:
        found: Step = {"rate": self.writer.real(context, (0.2, 0.5, 0.25), 0, 0.8)}
        words = ("element", "channel", "sample")
        return found | self.some(0.4, per=lambda: self.writer.word(context, words))

    def scale(self, at: At, context: Context) -> Step:
        found: Step = {"value": self.writer.real(context, (0.17, 0.5, 1.5, -0.5, 2), -3, 3)}
        return found | self.some(
            0.5,
            learned=lambda: self.writer.flag(context),
            per=lambda: self.writer.word(context, ("channel", "layer")),
        )

    def dense(self, at: At, context: Context) -> Step:
        found: Step = {"units": self.filters(context)}
        found |= self.some(0.3, use_bias=lambda: self.writer.flag(context))
        return found | self.some(0.4, activation=lambda: self.function(context))

    def global_avg_pool(self, at: At, context: Context) -> Step:
        return self.some(
            0.4,
            keepdims=lambda: self.writer.flag(context),
            over=lambda: self.writer.word(context, ("channels", "positions")),
        )

    def global_max_pool(self, at: At, context: Context) -> Step:
        return self.global_avg_pool(at, context)
