"""The fields of random layers, each of which may be an expression."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from .random_rooms import Room, Writer
from .random_sizes import POOLS, Misfit, Shape, Step
from .random_terms import Piece, divide, multiply, name, number, piece_of

FUNCTIONS: Final = ("relu", "none", "tanh", "sigmoid", "silu", "relu6", "elu", "hard_swish")
ROUGH: Final = ("leaky_relu", "gelu")
"""Functions that TensorFlow computes with constants in float32."""
KINDS: Final = {
    "conv": 3.0,
    "conv_bn": 4.0,
    "separable_conv": 1.0,
    "depthwise_conv": 1.2,
    "max_pool": 1.0,
    "avg_pool": 1.5,
    "adaptive_avg_pool": 0.4,
    "batch_norm": 0.8,
    "layer_norm": 0.6,
    "group_norm": 0.8,
    "local_response_norm": 0.7,
    "activation": 0.9,
    "dropout": 0.4,
    "scale": 0.8,
    "zero_pad": 0.6,
    "dense": 0.8,
    "global_avg_pool": 0.15,
    "global_max_pool": 0.15,
    "flatten": 0.3,
    "identity": 0.05,
}
VECTOR: Final = frozenset({"dense", "batch_norm", "layer_norm", "activation", "dropout", "scale"})
"""What a vector may go through."""
FILTERS: Final = (1, 2, 3, 4, 5, 6)


class At(NamedTuple):
    """What stands before a step: its shape, and what the channels follow from, if known."""

    shape: Shape
    channels: Piece | None

    @property
    def rank(self) -> int:
        return self.shape.rank


class Fields:
    """Makes the fields of layers; ``rough`` says whether any function may be used."""

    def __init__(self, writer: Writer, *, rough: bool) -> None:
        self.writer, self.rng, self.rough = writer, writer.rng, rough
        self.functions = (*FUNCTIONS, *ROUGH, *ROUGH) if rough else FUNCTIONS

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def kind(self, at: At, *, plain: bool) -> str:
        """The kind of a layer that ``at`` can go through, and any other input too if ``plain``."""
        weights = dict(KINDS)
        if self.rough:
            weights |= {"layer_norm": 0.0, "group_norm": 0.0, "activation": 3.0}
        if at.rank == 3:
            weights |= dict.fromkeys(("max_pool", "avg_pool", "adaptive_avg_pool"), 0.0)
        if plain or not at.rank:
            weights = {kind: w for kind, w in weights.items() if kind in VECTOR}
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def made(self, kind: str, at: At, room: Room) -> Step:
        """A layer; whether it fits is for the book to say."""
        make = getattr(self, kind, None)
        return {"op": kind, **(make(at, room) if make else {})}

    def some(self, share: float, **makers: Any) -> Step:
        """Some of these fields."""
        return {key: make() for key, make in makers.items() if self.chance(share)}

    def function(self, room: Room) -> Any:
        return self.writer.word(room, self.functions)

    def filters(self, room: Room) -> Any:
        """Outputs: often what follows from the block's own input."""
        if self.chance(0.15):
            return name("in_channels").given(self.rng)
        return self.writer.whole(room, FILTERS)

    # windows

    def axes(self, room: Room, rank: int, allowed: tuple[int, ...]) -> Any:
        """A number, or one for each axis."""
        if self.chance(0.25):
            return [self.writer.whole(room, allowed) for _ in range(rank)]
        return self.writer.whole(room, allowed)

    def window(self, kind: str, at: At, room: Room) -> Step:
        """The window of a layer."""
        kernel = self.axes(room, at.rank, (1, 2, 3))
        found: Step = {"kernel_size": kernel}
        if self.chance(0.4):
            found["stride"] = self.axes(room, at.rank, (1, 2))
        if self.chance(0.6):
            found["padding"] = self.padding(kernel, at, room)
        if kind in POOLS:
            if found.get("padding", "same") != "same" and self.chance(0.4):
                found["ceil_mode"] = self.writer.flag(room)
        elif self.chance(0.2) and not (at.rank == 3 and "stride" in found):
            found["dilation"] = self.axes(room, at.rank, (1, 2))
        return found

    def keeping(self, kind: str, at: At, room: Room, stride: Any = None) -> Step:
        """A window that leaves the axes as they are, or divides them by ``stride``."""
        kernel = self.writer.whole(room, (1, 3, 2) if self.chance(0.7) else (1, 3))
        found: Step = {"kernel_size": kernel, "padding": "same"}
        half = piece_of(kernel)
        if half is not None and stride is None and kind not in POOLS and self.chance(0.15):
            found["padding"] = divide(half, number(2)).given(self.rng)
        if stride is not None:
            found["stride"] = stride
        elif self.chance(0.1):
            found["stride"] = self.writer.whole(room, (1,))
        return found

    def padding(self, kernel: Any, at: At, room: Room) -> Any:
        """Padding in one of the ways to write it."""
        way = self.rng.choice(("word", "word", "whole", "half", "axes", "sides"))
        half = None if isinstance(kernel, list) else piece_of(kernel)
        if way == "half" and half is not None:
            return divide(half, number(2)).given(self.rng)
        if way == "whole":
            return self.writer.whole(room, (0, 1))
        if way == "axes":
            return [self.rng.choice((0, 1)) for _ in range(at.rank)]
        if way == "sides":
            return [[self.rng.choice((0, 1)) for _ in range(2)] for _ in range(at.rank)]
        return self.writer.word(room, ("same", "valid"))

    def outcome(self, kind: str, at: At, room: Room) -> Step:
        """What a convolution says beside its window."""
        found: Step = {}
        if kind in ("conv", "conv_bn") and self.chance(0.3):
            found |= self.grouped(at, room)
        elif kind != "depthwise_conv":
            found["filters"] = self.filters(room)
        if kind in ("depthwise_conv", "separable_conv"):
            found |= self.some(0.6, depth_multiplier=lambda: self.writer.whole(room, (1, 2, 3)))
        found |= self.some(0.3, use_bias=lambda: self.writer.flag(room))
        found |= self.some(0.4, activation=lambda: self.function(room))
        if kind == "conv_bn" and self.chance(0.5):
            found["batch_norm"] = self.batch_norm(at, room)
        return found

    def grouped(self, at: At, room: Room) -> Step:
        """Groups, and filters that they divide."""
        channels = at.shape.channels
        groups: Any = self.writer.whole(
            room, [n for n in range(1, channels + 1) if not channels % n]
        )
        if at.channels is not None and self.chance(0.5):
            groups = at.channels.given(self.rng)
        each = piece_of(groups)
        if each is None:
            raise Misfit
        factor = piece_of(self.writer.whole(room, (1, 1, 2, 3))) or number(1)
        filters = multiply(each, factor) if self.chance(0.7) else multiply(factor, each)
        if isinstance(groups, int) and factor.text.isdigit():
            return {"groups": groups, "filters": groups * int(factor.text)}
        return {"groups": groups, "filters": filters.given(self.rng)}

    def conv(self, at: At, room: Room, kind: str = "conv") -> Step:
        return {**self.outcome(kind, at, room), **self.window(kind, at, room)}

    def conv_bn(self, at: At, room: Room) -> Step:
        return self.conv(at, room, "conv_bn")

    def separable_conv(self, at: At, room: Room) -> Step:
        return self.conv(at, room, "separable_conv")

    def depthwise_conv(self, at: At, room: Room) -> Step:
        return self.conv(at, room, "depthwise_conv")

    def max_pool(self, at: At, room: Room) -> Step:
        return self.window("max_pool", at, room)

    def avg_pool(self, at: At, room: Room) -> Step:
        counted = self.some(0.5, count_include_pad=lambda: self.writer.flag(room))
        return {**self.window("avg_pool", at, room), **counted}

    def adaptive_avg_pool(self, at: At, room: Room) -> Step:
        return {"output_size": self.axes(room, at.rank, (1, 2, 3))}

    def zero_pad(self, at: At, room: Room) -> Step:
        if self.chance(0.7):
            return {"padding": self.writer.whole(room, (0, 1, 2))}
        return {"padding": [[self.rng.choice((0, 1)) for _ in range(2)] for _ in range(at.rank)]}

    # normalisations

    def norm(self, room: Room) -> Step:
        """Some attributes of a normalisation."""
        found = self.some(
            0.6, epsilon=lambda: self.writer.real(room, (0.001, 0.01, 0.5, 1.5), 1e-4, 3)
        )
        return found | self.some(
            0.4, scale=lambda: self.writer.flag(room), center=lambda: self.writer.flag(room)
        )

    def batch_norm(self, at: At, room: Room) -> Step:
        decay = self.some(0.4, decay=lambda: self.writer.real(room, (0.9, 0.99, 0.5), 0, 1))
        return {**self.norm(room), **decay}

    def layer_norm(self, at: At, room: Room) -> Step:
        return self.norm(room)

    def group_norm(self, at: At, room: Room) -> Step:
        channels = at.shape.channels
        groups = self.writer.whole(room, [n for n in range(1, channels + 1) if not channels % n])
        if at.channels is not None and self.chance(0.3):
            groups = at.channels.given(self.rng)
        return {"groups": groups, **self.norm(room)}

    def local_response_norm(self, at: At, room: Room) -> Step:
        writer = self.writer
        return self.some(
            0.6,
            size=lambda: writer.whole(room, (1, 2, 3, 5)),
            alpha=lambda: writer.real(room, (0.1, 0.5, 1.5, 2)),
            beta=lambda: writer.real(room, (0.75, 0.5, 1.5), 0.1, 2),
            k=lambda: writer.real(room, (1.0, 2, 0.5), 0.1, 10),
        )

    # the rest

    def activation(self, at: At, room: Room) -> Step:
        if self.rough and self.chance(0.6):
            if self.chance(0.5):
                return {"function": "gelu", "approximate": self.writer.flag(room)}
            return {"function": "leaky_relu", "alpha": self.writer.real(room, (0.2, 0.5, 1.5))}
        if self.chance(0.3):
            return {"function": "elu", "alpha": self.writer.real(room, (0.5, 1.5, 2))}
        return {"function": self.function(room)}

    def dropout(self, at: At, room: Room) -> Step:
        return {"rate": self.writer.real(room, (0.2, 0.5, 0.25), 0, 0.8)}

    def scale(self, at: At, room: Room) -> Step:
        return {"value": self.writer.real(room, (0.17, 0.5, 1.5, -0.5, 2), -3, 3)}

    def dense(self, at: At, room: Room) -> Step:
        found: Step = {"units": self.filters(room)}
        found |= self.some(0.3, use_bias=lambda: self.writer.flag(room))
        return found | self.some(0.4, activation=lambda: self.function(room))

    def global_avg_pool(self, at: At, room: Room) -> Step:
        return self.some(0.4, keepdims=lambda: self.writer.flag(room))

    def global_max_pool(self, at: At, room: Room) -> Step:
        return self.global_avg_pool(at, room)
