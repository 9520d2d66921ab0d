"""Average pooling."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.tensor import ShapeError, TensorType
from ..types.window import Pixels
from .fields.kinds import Flag
from .pool import Pool


class AvgPool(Pool):
    """The mean of each window.

    Padding counts in the mean only with ``count_include_pad``; pixels added by ``ceil_mode`` never
    count.
    """

    kind: ClassVar[str] = "avg_pool"
    summary: ClassVar[str] = "average pooling"
    example: ClassVar[str] = "{op: avg_pool, kernel_size: 3, count_include_pad: true}"

    op: Literal["avg_pool"]
    count_include_pad: Flag = Field(
        False,
        description="Whether padded zeros count in the mean. PyTorch counts them by default; "
        "Keras never does.",
    )

    def sized(self, rank: int) -> bool:
        """As for other pools, or with padding that depends on the size."""
        pads = [window.constant_pads for window in self.windows(rank)]
        return super().sized(rank) or any(pad is None or pad[0] != pad[1] for pad in pads)

    def infer(self, x: TensorType) -> TensorType:
        """As for other pools; raises :class:`ShapeError` for maps that PyTorch rejects."""
        y = super().infer(x)
        if self._whole(x.rank):
            for axis, size in enumerate(x.spatial):
                if size < (kernel := self.windows(x.rank)[axis].kernel):
                    raise ShapeError(
                        f"the window has {kernel} pixels, but the input has only {size}",
                        field="kernel_size",
                        code="E401",
                        help="on three axes, an `avg_pool` in ceil mode needs an input that is "
                        "not smaller than its window (PyTorch's rule)",
                    )
        return y

    def sizes(self, axis: int, rank: int) -> tuple[int, Pixels]:
        """The smallest size of an axis that :meth:`infer` accepts, and the size of its output."""
        least, pixels = super().sizes(axis, rank)
        if self._whole(rank):
            least = max(least, self.windows(rank)[axis].kernel)
        return least, pixels

    def _whole(self, rank: int) -> bool:
        """Whether the input must not be smaller than the window.

        PyTorch 2.13 rejects this in ``nn.AvgPool3d``, with any padding.
        """
        return self.ceil_mode and rank == 3
