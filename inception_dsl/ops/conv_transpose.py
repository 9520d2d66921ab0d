"""Transposed convolution."""

from typing import ClassVar, Literal

from pydantic import Field

from ..types.receptive import ReceptiveField
from ..types.tensor import ShapeError, TensorType, product
from ..types.weight import Weight
from ..types.window import Pixels
from .base import Sliding, axes, require_map
from .fields.kinds import ActivationName, AnyPadding, Count, Flag, Kernel, MorePixels
from .groups import grouped
from .initializer import INITIALIZER, InitializerFields


class ConvTranspose(Sliding):
    """Transposed convolution ("deconvolution"): the gradient of a ``conv``, which enlarges a map.

    Every input pixel adds its multiple of the kernel to the output, at steps of ``stride``; n
    pixels give (n - 1) stride + (kernel_size - 1) dilation + 1, of which ``padding`` cuts off both
    ends. ``same`` leaves n stride: it cuts off what a ``conv`` with ``same`` pads, an odd pixel at
    the end, as ``same`` in Keras. PyTorch models with ``padding=1, output_padding=1`` cut off
    another side: write the same numbers here.
    """

    kind: ClassVar[str] = "conv_transpose"
    summary: ClassVar[str] = "transposed convolution, which enlarges a map"
    example: ClassVar[str] = "{op: conv_transpose, filters: 64, kernel_size: 2, stride: 2}"
    channels_field: ClassVar[str] = "filters"

    op: Literal["conv_transpose"]
    filters: Count = Field(description="Number of output channels.", examples=[64])
    kernel_size: Kernel = Field(
        description="Kernel size: one number, or one for each axis.", examples=[2, [1, 4]]
    )
    stride: Kernel = Field(
        1, description="How many times as large: one number, or one for each axis.", examples=[2]
    )
    padding: AnyPadding = Field(
        "same",
        description="Pixels to cut off: `same` (all but the size times `stride`), `valid` (none), "
        "or pixels as in `conv`.",
        examples=["same", "valid", 1, [[0, 1], [0, 1]]],
    )
    output_padding: MorePixels = Field(
        0,
        description="Pixels to add at the end of each axis, less than `stride` or `dilation`. "
        "Not allowed with `padding: same`.",
        examples=[1],
    )
    dilation: Kernel = Field(1, description="Distance between the elements of the kernel.")
    groups: Count = Field(1, description="Number of groups of channels.")
    use_bias: Flag = Field(True, description="Whether to add a bias.")
    activation: ActivationName = Field("none", description="Activation function of the output.")
    initializer: InitializerFields | None = INITIALIZER

    def more(self, rank: int) -> tuple[int, ...]:
        """The pixels that ``output_padding`` adds at the end of each axis."""
        return axes(self.output_padding, rank, "output_padding")

    def slide(self, x: TensorType) -> tuple[int, ...]:
        """The spatial sizes of the output."""
        require_map(x, self)
        windows, more = self.windows(x.rank), self.more(x.rank)
        if self.padding == "same" and any(more):
            raise ShapeError(
                "`output_padding` cannot be used with `padding: same`",
                field="output_padding",
                write="0",
            )
        for window, added in zip(windows, more, strict=True):
            least = max(window.stride, window.dilation)
            if added >= least:  # a rule of PyTorch: these pixels would have no input
                raise ShapeError(
                    f"`output_padding` {added} is not less than "
                    f"{'the stride' if window.stride == least else 'the dilation'} {least}",
                    field="output_padding",
                    write=str(least - 1) if isinstance(self.output_padding, int) else "",
                )
        found = []
        for window, added, n in zip(windows, more, x.spatial, strict=True):
            found.append(window.transposed(n, added))
            if found[-1] < 1:
                whole = window._replace(padding=(0, 0)).transposed(n, added)
                raise ShapeError(
                    f"the padding cuts off {whole - found[-1]} pixels, but the output has only "
                    f"{whole}",
                    field="padding",
                    help="use less padding, or a larger input",
                )
        return tuple(found)

    def infer(self, x: TensorType) -> TensorType:
        spatial = self.slide(x)
        grouped(self.groups, x.channels, self.filters)
        return TensorType(spatial, self.filters)

    def weights(self, x: TensorType) -> tuple[Weight, ...]:
        kernel = axes(self.kernel_size, x.rank, "kernel_size")
        shape = (*kernel, self.filters // self.groups, x.channels)
        bias = (Weight("bias", (self.filters,)),) if self.use_bias else ()
        return (Weight("kernel", shape), *bias)

    def macs(self, x: TensorType, y: TensorType) -> int:
        """Every input pixel meets every element of the kernel, as fvcore counts it."""
        return product((x.positions(), *self.weights(x)[0].shape))

    def sizes(self, axis: int, rank: int) -> tuple[int, Pixels]:
        window, added = self.windows(rank)[axis], self.more(rank)[axis]
        pixels = Pixels(window.transposed(0, added), 1, window.stride)
        return pixels.least(1), pixels

    def receptive_field(self, x: TensorType, axis: int) -> ReceptiveField:
        window = self.windows(x.rank)[axis]
        start, reach = window.crops[0], window.extent - 1
        ends = range(start, start + window.stride)
        return ReceptiveField(
            tuple(-((reach - end) // window.stride) for end in ends),
            tuple(end // window.stride for end in ends),
        )
