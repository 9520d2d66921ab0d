"""Random windows: kernels, strides, padding, dilation and groups of convolutions and pools."""

from __future__ import annotations

from typing import Any, Final

from .random_attributes import batch_norm
from .random_blocks import Step
from .random_shapes import POOLS, Shape
from .random_values import Scope, Values

KEEPERS: Final = (
    "conv",
    "conv_bn",
    "conv_bn",
    "max_pool",
    "avg_pool",
    "depthwise_conv",
    "separable_conv",
)


class Windows:
    """Makes the fields of ops with a window."""

    def __init__(self, values: Values) -> None:
        self.values, self.rng, self.policy = values, values.rng, values.policy

    def attributes(self, kind: str, x: Shape, scope: Scope) -> Step:
        """Any window; the book checks later whether it fits."""
        return {**self.outcome(kind, x, scope), **self.window(kind, x, scope)}

    def keeping(self, x: Shape, scope: Scope) -> Step:
        """A step that keeps the spatial size."""
        kind = self.rng.choice(self.kinds(KEEPERS))
        kernel = self.lift(scope, "int", self.kernel(kind), (1, 2, 3))
        return {
            "op": kind,
            **self.outcome(kind, x, scope),
            "kernel_size": kernel,
            "stride": 1,
            "padding": "same",
        }

    def kinds(self, wanted: tuple[str, ...]) -> list[str]:
        """The ``wanted`` kinds that the policy allows."""
        weights = self.policy.weights()
        return [kind for kind in wanted if weights[kind]]

    def reaching(self, x: Shape, sizes: tuple[int, ...], scope: Scope) -> Step:
        """A step from ``x`` to the spatial size ``sizes``, with a window for each axis."""
        kind = self.rng.choice(self.kinds(KEEPERS))
        found = [self.reach(kind, n, wanted) for n, wanted in zip(x.spatial, sizes, strict=True)]
        kernel, stride, padding = (list(values) for values in zip(*found, strict=True))
        settings: Step = {
            "kernel_size": kernel,
            "stride": stride,
            "padding": padding,
            "dilation": 1,
        }
        if kind in POOLS:
            settings = {
                **{k: v for k, v in settings.items() if k != "dilation"},
                "ceil_mode": False,
            }
        return {"op": kind, **self.outcome(kind, x, scope), **settings}

    def reach(self, kind: str, size: int, wanted: int) -> tuple[int, int, list[int]]:
        """Kernel, stride and padding that give ``wanted`` outputs on an axis of ``size``."""
        found = []
        for kernel in range(1, 6):
            most = kernel // 2 if kind in POOLS else 2
            for stride in (1, 2, 3):
                for before in range(most + 1):
                    for after in range(most + 1):
                        free = size + before + after - kernel
                        if free >= 0 and free // stride + 1 == wanted:
                            found.append((kernel, stride, [before, after]))
        return self.rng.choice(found) if found else (max(size - wanted + 1, 1), 1, [0, 0])

    def window(self, kind: str, x: Shape, scope: Scope) -> Step:
        """Kernel size, stride, padding and dilation."""
        odd = self.policy.odd
        kernel: Any = (
            [self.kernel(kind) for _ in range(x.rank)]
            if self.chance(odd / 2)
            else self.kernel(kind)
        )
        if not isinstance(kernel, list):
            kernel = self.lift(scope, "int", kernel, (1, 2, 3))
        elif self.chance(0.4):
            kernel = [1 if axis else max(kernel) for axis in range(x.rank)][
                :: self.rng.choice((1, -1))
            ]
        found: Step = {"kernel_size": kernel}
        if self.chance(odd) or (kind in POOLS and self.chance(0.4)):
            found["stride"] = self.stride(x, scope)
        if self.chance(0.3 + odd):
            found["padding"] = self.padding(kind, x, scope)
        if kind in POOLS and self.chance(odd * 0.8) and found.get("padding", "same") != "same":
            found["ceil_mode"] = self.values.flag(scope, True)
        if kind == "avg_pool" and self.chance(0.4):
            found["count_include_pad"] = self.values.flag(scope, True)
        if kind not in POOLS and self.chance(odd * 0.4):
            found["dilation"] = self.dilation(x, "stride" in found)
        return found

    def kernel(self, kind: str) -> int:
        return self.rng.choice([k for k in self.policy.kernels if k > 1 or kind not in POOLS])

    def stride(self, x: Shape, scope: Scope) -> Any:
        """One stride for all axes, or one per axis."""
        if self.chance(0.25):
            return [self.rng.choice((1, 2, 3)) for _ in range(x.rank)]
        return self.lift(scope, "int", self.rng.choice((1, 2, 2, 2, 3)), (1, 2, 3))

    def dilation(self, x: Shape, strided: bool) -> Any:
        """Dilation; on three axes with a stride only in policies with pools, as Keras code then
        contains a pool.
        """
        if strided and x.rank == 3 and not self.policy.weights()["max_pool"]:
            return 1
        return (
            [self.rng.choice((1, 2, 3)) for _ in range(x.rank)]
            if self.chance(0.3)
            else self.rng.choice((2, 2, 3))
        )

    def padding(self, kind: str, x: Shape, scope: Scope) -> Any:
        """Padding in any form that the language has."""
        way = self.rng.choice(("same", "valid", "valid", "pixels", "pixels"))
        if way != "pixels":
            return self.lift(scope, "str", way, ("same", "valid"))
        return self.values.pixels(x.rank, (0, 1) if kind in POOLS else (0, 1, 2))

    def outcome(self, kind: str, x: Shape, scope: Scope) -> Step:
        """The fields of a convolution other than its window."""
        if kind in POOLS:
            return {}
        found: Step = {}
        if kind == "depthwise_conv":
            found |= {"depth_multiplier": self.rng.choice((2, 3))} if self.chance(0.5) else {}
        else:
            groups = self.groups(kind, x)
            found |= {"groups": groups} if groups > 1 else {}
            found["filters"] = self.values.filters(x, scope, groups)
            if kind == "separable_conv" and self.chance(0.5):
                found["depth_multiplier"] = self.rng.choice((2, 3))
        if self.chance(0.3):
            found["use_bias"] = self.values.flag(scope, self.chance(0.5))
        if self.chance(0.5):
            found["activation"] = self.values.function(scope)
        if kind == "conv_bn" and self.chance(0.4):
            found["batch_norm"] = batch_norm(self.values, x, scope)
        return found

    def groups(self, kind: str, x: Shape) -> int:
        """A number of groups that divides the number of channels."""
        if kind == "separable_conv" or not self.chance(
            0.15 + (0.3 if self.policy.name == "groups" else 0.0)
        ):
            return 1
        return self.rng.choice([n for n in range(1, x.channels + 1) if x.channels % n == 0])

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def lift(self, scope: Scope, kind: str, value: Any, choices: tuple[Any, ...]) -> Any:
        return self.values.lift(scope, kind, value, choices)
