"""Fields and shape rule of the pools (the ops are in their own files)."""

from pydantic import Field

from ..types.tensor import ShapeError, TensorType
from .base import Windowed, resolve_padding
from .fields.kinds import AnyPadding, Flag, Kernel


class Pool(Windowed):
    """A window that is reduced to one number, channel by channel."""

    kernel_size: Kernel = Field(
        description="Size of the window: one number, or one for each axis.", examples=[3]
    )
    stride: Kernel = Field(
        1, description="Step of the window (1 unless said, whatever the kernel size).", examples=[2]
    )
    padding: AnyPadding = Field(
        "same", description="`same`, `valid` or explicit pixels, as in `conv`."
    )
    ceil_mode: Flag = Field(
        False,
        description="Whether a last window that hangs over the end counts (Caffe's rule); not "
        "with `same`.",
    )

    def infer(self, x: TensorType) -> TensorType:
        spatial = self.slide(x)
        if self.ceil_mode and self.padding == "same":
            raise ShapeError(
                "`ceil_mode` has no meaning with `padding: same`", field="ceil_mode", write="false"
            )
        padding = resolve_padding(self.padding, x.rank)
        if padding != "same":
            for window, (before, after) in zip(self.windows(x.rank), padding, strict=True):
                if max(before, after) > window.kernel // 2:
                    message = (
                        f"padding {max(before, after)} is more than half of a window of "
                        f"{window.kernel}"
                    )
                    most = window.kernel // 2
                    write = str(most) if isinstance(self.padding, int) else ""
                    raise ShapeError(
                        message, field="padding", help=f"pad at most {most}", write=write
                    )
                if self.ceil_mode and before != after:
                    raise ShapeError(
                        "`ceil_mode` needs the same padding before and after", field="ceil_mode"
                    )
        return TensorType(spatial, x.channels)
