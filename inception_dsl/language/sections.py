"""The sections of a spec besides its steps: paper, preprocessing."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from ..ops import Fields
from ..ops.fields.kinds import Factor, Text, boolean
from ..ops.fields.numbers import integer
from ..ops.fields.refusal import Checked, refuse, shown
from ..types.tensor import MAX_SIZE


class Paper(Fields):
    """The paper in which the network or the block is published."""

    title: Text | None = Field(
        None, description="Title of the paper.", examples=["Going Deeper with Convolutions"]
    )
    authors: Text | None = Field(
        None, description="Authors of the paper.", examples=["Szegedy, Ioffe, Vanhoucke, Alemi"]
    )
    year: Text | None = Field(None, description="Year of publication.", examples=[2016])
    arxiv: Text | None = Field(None, description="arXiv identifier.", examples=["1602.07261"])
    doi: Text | None = Field(
        None, description="DOI (digital object identifier).", examples=["10.1109/CVPR.2016.308"]
    )
    url: Text | None = Field(
        None, description="Web address of the paper.", examples=["https://arxiv.org/abs/1602.07261"]
    )
    table: Text | None = Field(
        None, description="Number of the table that the spec follows.", examples=[1]
    )
    figure: Text | None = Field(
        None, description="Number of the figure that the spec follows.", examples=[5]
    )
    section: Text | None = Field(
        None, description="Number of the section that the spec follows.", examples=["3.2"]
    )


def per_channel(value: Any) -> Any:
    """Checks a number, or a list with one number for each channel."""
    numbers = value if isinstance(value, list) else [value]
    if not numbers or any(isinstance(v, bool) or not isinstance(v, int | float) for v in numbers):
        raise refuse(f"expected a number, or a list of one for each channel, found {shown(value)}")
    return tuple(float(v) for v in value) if isinstance(value, list) else float(value)


def divisor(value: Any) -> Any:
    """Checks a divisor: a number > 0, or a list of them."""
    found = per_channel(value)
    if any(v <= 0 for v in (found if isinstance(found, tuple) else (found,))):
        raise refuse(f"expected numbers > 0, found {shown(value)}")
    return found


_NUMBER: Final = {"type": "number"}
PerChannel = Annotated[
    Any,
    Checked(per_channel, {"anyOf": [_NUMBER, {"type": "array", "items": _NUMBER, "minItems": 1}]}),
]


_ABOVE: Final = {"type": "number", "exclusiveMinimum": 0}
Divisor = Annotated[
    Any,
    Checked(divisor, {"anyOf": [_ABOVE, {"type": "array", "items": _ABOVE, "minItems": 1}]}),
]


def output_size(value: Any) -> Any:
    """Checks a size: a number of pixels, or a list with one for each axis."""
    one = integer(1, MAX_SIZE)
    return tuple(one(v) for v in value) if isinstance(value, list) and value else one(value)


Switch = Annotated[bool, Checked(boolean, {"type": "boolean"})]
_PIXELS: Final = {"type": "integer", "minimum": 1, "maximum": MAX_SIZE}
_EACH: Final = {"type": "array", "items": _PIXELS, "minItems": 1, "maxItems": 3}
OutputSize = Annotated[Any, Checked(output_size, {"anyOf": [_PIXELS, _EACH]})]


class Resize(Fields):
    """Resizing of images. Output pixel i of m reads the n input pixels as in `upsample`: `nearest`
    at floor(i n / m), `linear` around (i + 0.5) n / m - 0.5.
    """

    size: OutputSize | None = Field(
        None,
        description="Output size: one number of pixels, or one for each axis; without it that of "
        "the network's input.",
        examples=[299],
    )
    method: Literal["nearest", "linear"] = Field(
        "linear", description="`linear` (bilinear on two axes) or `nearest`."
    )
    antialias: Switch = Field(
        False,
        description="Whether `linear` reads more pixels when it makes an image smaller, as Pillow "
        "and torchvision do, and `tf.image.resize` with `antialias=True`. Needs two axes.",
    )


class Preprocessing(Fields):
    """Preparation of images: resizing, then ``(pixel * scale - mean) / std``, with pixels from 0 to
    255.
    """

    resize: Resize | None = Field(
        None, description="How images are resized before all else.", examples=[{"antialias": True}]
    )
    channel_order: Literal["rgb", "bgr"] = Field("rgb", description="Order of the colour channels.")
    scale: Factor = Field(1.0, description="Factor applied to every pixel.")
    mean: PerChannel = Field(
        0.0, description="Mean, subtracted after scaling: one number, or one for each channel."
    )
    std: Divisor = Field(
        1.0, description="Standard deviation, divided by last: one number, or one for each channel."
    )
    per_image: Switch = Field(
        False,
        description="Whether mean and std are those of each image, instead of `mean` and `std`; "
        "std is at least 1 / sqrt(n) for n values: `tf.image.per_image_standardization`, FaceNet's "
        "`prewhiten`.",
    )
