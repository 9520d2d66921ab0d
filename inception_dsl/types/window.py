"""Windows (kernels) of convolutions and pools, their padding, and what they do to sizes."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, TypeAlias

from .tensor import ShapeError, many

Pair: TypeAlias = tuple[int, int]
Padding: TypeAlias = Literal["same"] | tuple[Pair, ...]


class Pixels(NamedTuple):
    """The number of pixels of a map on one axis, as a function of the ``n`` pixels of the input.

    It is ``(factor * m + offset) // stride``, where ``m`` is ``n`` or the result of ``before``, or
    always ``offset`` if ``stride`` is 0. What layers do to sizes is of this form, and so is one
    layer after the other; :meth:`then` makes as short a function as it can.
    """

    offset: int = 0
    stride: int = 1
    factor: int = 1
    before: Pixels | tuple[()] = ()

    def at(self, size: int) -> int:
        """The pixels for an input of ``size`` pixels."""
        if not self.stride:
            return self.offset
        inner = self.before.at(size) if self.before else size
        return (self.factor * inner + self.offset) // self.stride

    def then(self, following: Pixels) -> Pixels:
        """``following`` applied to the result of this function."""
        if not following.stride:
            return following
        if not self.stride:
            return Pixels(following.at(self.offset), 0)
        if following.before:
            return self.then(following.before).then(following._replace(before=()))
        offset, stride, factor, _ = following
        common = math.gcd(factor, stride)  # a floor of a floor is one floor
        offset, stride, factor = offset // common, stride // common, factor // common
        if factor == 1:
            offset, stride = self.offset + self.stride * offset, self.stride * stride
            factor = self.factor
        elif self.stride == 1:
            offset, factor = factor * self.offset + offset, factor * self.factor
        else:
            return Pixels(offset, stride, factor, self)
        if math.gcd(factor, stride) > 1:
            return (self.before or Pixels()).then(Pixels(offset, stride, factor))
        if self.before and factor == 1:
            return self.before.then(Pixels(offset, stride))
        return Pixels(offset, stride, factor, self.before)

    def least(self, pixels: int) -> int:
        """The smallest input that gives at least so many pixels."""
        wanted = -((self.offset - pixels * self.stride) // self.factor)
        return self.before.least(wanted) if self.before else max(1, wanted)

    @property
    def cycle(self) -> tuple[int, int]:
        """``(n, m)``: every ``n`` pixels of the input, and no fewer, give ``m`` more pixels."""
        inputs, outputs = self.before.cycle if self.before else (1, 1)
        times = self.stride // math.gcd(self.stride, self.factor * outputs)
        return inputs * times, self.factor * outputs * times // self.stride

    @property
    def depth(self) -> int:
        """How many functions of the form without ``before`` it takes."""
        return 1 + (self.before.depth if self.before else 0)


class Window(NamedTuple):
    """A window that slides along one axis.

    ``padding`` is ``"same"`` or the pixels ``(before, after)``. ``same`` is TensorFlow's rule:
    ``ceil(size / stride)`` outputs with the least padding; if that is odd, the additional pixel is
    at the end. ``ceil_mode`` is PyTorch's rule: the last window, even if it is the only one, may
    extend beyond the padded axis if it begins before the padding at the end.
    """

    kernel: int
    stride: int = 1
    dilation: int = 1
    padding: Literal["same"] | Pair = "same"
    ceil_mode: bool = False

    @property
    def extent(self) -> int:
        """Number of pixels from the first to the last, with dilation."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def overhang(self) -> int:
        """The most pixels by which the last window may extend beyond the padded axis."""
        return self.stride - 1 if self.ceil_mode else 0

    def output(self, size: int) -> int:
        """Number of outputs on an axis of ``size`` pixels.

        Raises :class:`ShapeError` if the window is larger than the padded axis, in ceil mode by
        the stride or more.
        """
        if self.padding == "same":
            return (size + (self.stride - 1)) // self.stride
        before, after = self.padding
        room = size + (before + after - self.extent)
        if room + self.overhang < 0:
            dilated = (
                f" (kernel size {self.kernel}, dilation {self.dilation})"
                if self.dilation > 1
                else ""
            )
            window = f"the window spans {many(self.extent, 'pixel')}{dilated}"
            padded = f"{size} + {before + after} of padding" if before + after else f"{size}"
            message = f"{window}, but the input has only {padded}"
            raise ShapeError(message, field="kernel_size", code="E401")
        if not self.ceil_mode:
            return (room + self.stride) // self.stride
        count = (room + (2 * self.stride - 1)) // self.stride
        if (
            isinstance(count, int)
            and isinstance(size, int)
            and (count - 1) * self.stride >= size + before
        ):
            count -= 1
        return count

    def fitting(self, size: int) -> int:
        """The largest kernel size, up to this one, that fits into an axis of ``size``."""
        if self.padding == "same":
            return self.kernel
        room = size + sum(self.padding) + self.overhang
        return max(1, min(self.kernel, (room - 1) // self.dilation + 1))

    def pads(self, size: int) -> Pair:
        """Padding (pixels) before and after an axis of ``size``, without that of ``ceil_mode``."""
        if self.padding != "same":
            return self.padding
        outputs = -(-size // self.stride)
        total = max((outputs - 1) * self.stride + self.extent - size, 0)
        return total // 2, total - total // 2

    @property
    def constant_pads(self) -> Pair | None:
        """The padding if it is the same for all sizes; ``None`` if it depends on the size."""
        if self.padding != "same":
            return self.padding
        if self.extent == 1:
            return 0, 0
        if self.stride == 1:
            return (self.extent - 1) // 2, self.extent - 1 - (self.extent - 1) // 2
        return None

    @property
    def least(self) -> int:
        """The smallest size of an axis that the window fits into."""
        if self.padding == "same":
            return 1
        return max(1, self.extent - sum(self.padding) - self.overhang)

    @property
    def pixels(self) -> Pixels:
        """The number of outputs as a function of the size, from ``least`` up."""
        if self.padding == "same":
            return Pixels(self.stride - 1, self.stride)
        before, after = self.padding
        room = before + after - self.extent
        if not self.ceil_mode:
            return Pixels(room + self.stride, self.stride)
        last = min(room + self.stride, max(before, room))  # it starts inside the input
        return Pixels(last + self.stride - 1, self.stride)

    @property
    def crops(self) -> Pair:
        """What a transposed convolution cuts off: pixels before and after an axis.

        Without it, ``n`` pixels give ``(n - 1) * stride + extent``. ``same`` gives ``n * stride``:
        it cuts off what a convolution with ``same`` pads, and a negative number after the axis are
        pixels without input, where the window is shorter than the stride.
        """
        if self.padding != "same":
            return self.padding
        total = self.extent - self.stride
        before = max(total, 0) // 2
        return before, total - before

    def transposed(self, size: int, more: int = 0) -> int:
        """The pixels of a transposed convolution of ``size``, with ``more`` at the end."""
        before, after = self.crops
        return size * self.stride + (self.extent - self.stride - before - after + more)
