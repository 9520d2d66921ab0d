"""Windows of convolutions and pools, and their padding."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from .tensor import ShapeError

Pair: TypeAlias = tuple[int, int]
Padding: TypeAlias = Literal["same"] | tuple[Pair, ...]


class Window(NamedTuple):
    """A window that slides along one axis.

    ``padding`` is ``"same"`` or the pixels ``(before, after)``.

    ``same`` is TensorFlow's rule, exact at every size: ``ceil(n / stride)`` outputs, and the
    padding that this needs, the odd pixel at the end.
    """

    kernel: int
    stride: int = 1
    dilation: int = 1
    padding: Literal["same"] | Pair = "same"
    ceil_mode: bool = False

    @property
    def extent(self) -> int:
        """Pixels that the window spans."""
        return (self.kernel - 1) * self.dilation + 1

    def output(self, size: int) -> int:
        """Number of outputs on an axis of ``size``.

        Raises :class:`ShapeError` where the window does not fit.
        """
        if self.padding == "same":
            return (size + (self.stride - 1)) // self.stride
        before, after = self.padding
        room = size + (before + after - self.extent)
        if room < 0:
            spread = (
                f" ({self.kernel} taps at dilation {self.dilation})" if self.dilation > 1 else ""
            )
            needs = f"the window needs {self.extent}{spread}"
            message = f"the input has {size} pixels with {before + after} of padding, {needs}"
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
        """The largest kernel, up to this one, that fits on an axis of ``size``."""
        if self.padding == "same":
            return self.kernel
        return max(1, min(self.kernel, (size + sum(self.padding) - 1) // self.dilation + 1))

    def pads(self, size: int) -> Pair:
        """Pixels of padding before and after an axis of ``size`` (without those that ``ceil_mode``
        adds).
        """
        if self.padding != "same":
            return self.padding
        outputs = -(-size // self.stride)
        total = max((outputs - 1) * self.stride + self.extent - size, 0)
        return total // 2, total - total // 2

    @property
    def constant_pads(self) -> Pair | None:
        """The padding, if it is the same at every size; ``None`` where it depends on the size."""
        if self.padding != "same":
            return self.padding
        if self.extent == 1:
            return 0, 0
        if self.stride == 1:
            return (self.extent - 1) // 2, self.extent - 1 - (self.extent - 1) // 2
        return None

    def needed(self, outputs: int) -> int:
        """The smallest axis that gives ``outputs`` outputs or more."""
        if self.padding == "same":
            return (outputs - 1) * self.stride + 1
        before, after = self.padding
        size = max(1, (outputs - 1) * self.stride + self.extent - before - after)
        if self.ceil_mode:
            size = max(1, self.extent - before - after, size - self.stride + 1)
            while self.output(size) < outputs:
                size += 1
        return size
