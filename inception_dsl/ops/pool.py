"""Fields and shape rule of the pooling ops, which are in their own files."""

from typing import Any

from pydantic import Field

from ..types.tensor import ShapeError, TensorType
from .base import Windowed, resolve_padding
from .fields.kinds import AnyPadding, Flag, Kernel


class Pool(Windowed):
    """Reduces each window of each channel to one number."""

    kernel_size: Kernel = Field(
        description="Kernel size: one number, or one for each axis.", examples=[3]
    )
    stride: Kernel = Field(
        1,
        description="Stride: one number, or one for each axis. The default is 1, not the kernel "
        "size as in PyTorch and Keras.",
        examples=[2],
    )
    padding: AnyPadding = Field(
        "same", description="`same`, `valid` or explicit pixels, as in `conv`."
    )
    ceil_mode: Flag = Field(
        False,
        description="Whether to round the output size up, so that the last window may extend "
        "beyond the input (Caffe's rule), even on a map smaller than the window. It must begin "
        "inside the input or the padding before it. Not allowed with `padding: same`.",
    )

    def sized(self, rank: int) -> bool:
        return any(w.ceil_mode and w.stride > 1 for w in self.windows(rank))

    def convolved(self, x: TensorType) -> list[Any]:
        """The paddings with which a convolution with this window has a map of the same size: what
        is written, ``same``, and the pixels before and after each axis of ``x``.
        """
        outputs, pads = self.slide(x), []
        for window, size, count in zip(self.windows(x.rank), x.spatial, outputs, strict=True):
            before, after = window.pads(size)
            reach = (count - 1) * window.stride + window.extent
            pads.append((before, max(after, reach - size - before)))
        options = dict.fromkeys((self.padding, "same", tuple(pads)))

        def fits(padding: Any) -> bool:
            changed = self.model_copy(update={"padding": padding, "ceil_mode": False})
            try:
                return changed.slide(x) == outputs
            except ShapeError:  # ceil mode runs on maps that are smaller than the window
                return False

        return [padding for padding in options if fits(padding)]

    def infer(self, x: TensorType) -> TensorType:
        spatial = self.slide(x)
        if self.ceil_mode and self.padding == "same":
            raise ShapeError(
                "`ceil_mode` cannot be used with `padding: same`", field="ceil_mode", write="false"
            )
        padding = resolve_padding(self.padding, x.rank)
        if padding != "same":
            for window, (before, after) in zip(self.windows(x.rank), padding, strict=True):
                if max(before, after) > window.kernel // 2:
                    # PyTorch rejects larger padding
                    message = (
                        f"padding {max(before, after)} is more than half of the kernel size "
                        f"{window.kernel}"
                    )
                    most = window.kernel // 2
                    help = f"use a padding of at most {most}"
                    write = str(most) if isinstance(self.padding, int) else ""
                    raise ShapeError(message, field="padding", help=help, write=write)
                if self.ceil_mode and before != after:
                    raise ShapeError(
                        "`ceil_mode` needs equal padding before and after", field="ceil_mode"
                    )
        return TensorType(spatial, x.channels)
