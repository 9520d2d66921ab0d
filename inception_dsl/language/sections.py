"""The parts of a spec that stand around the steps: the paper, what the input looks like, how the
network is trained.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from ..ops import Fields
from ..ops.fields.kinds import Constant, Factor, Fraction, Id, Text, Texts
from ..ops.fields.refusal import Checked, refuse, shown


def argument(value: Any) -> Any:
    """Checks the argument of an optimizer or a schedule."""
    if not isinstance(value, bool | int | float | str):
        raise refuse(f"an argument is a number, text, true or false, found {shown(value)}")
    return value


Recorded = Annotated[Any, Checked(argument, {"type": ["number", "string", "boolean"]})]


class Paper(Fields):
    """Where the network or the block is published."""

    title: Text | None = Field(
        None, description="Title of the paper.", examples=["Going Deeper with Convolutions"]
    )
    authors: Text | None = Field(
        None, description="Its authors.", examples=["Szegedy, Ioffe, Vanhoucke, Alemi"]
    )
    year: Text | None = Field(None, description="Year of publication.", examples=[2016])
    arxiv: Text | None = Field(None, description="Identifier on arXiv.", examples=["1602.07261"])
    doi: Text | None = Field(
        None, description="Digital object identifier.", examples=["10.1109/CVPR.2016.308"]
    )
    url: Text | None = Field(
        None, description="Where it can be read.", examples=["https://arxiv.org/abs/1602.07261"]
    )
    table: Text | None = Field(
        None, description="Number of the table that is followed.", examples=[1]
    )
    figure: Text | None = Field(
        None, description="Number of the figure that is followed.", examples=[5]
    )
    section: Text | None = Field(
        None, description="Number of the section that is followed.", examples=["3.2"]
    )


def per_channel(value: Any) -> Any:
    """Checks a number, or a list with one for each channel."""
    numbers = value if isinstance(value, list) else [value]
    if not numbers or any(isinstance(v, bool) or not isinstance(v, int | float) for v in numbers):
        raise refuse(f"expected a number or a list with one for each channel, found {shown(value)}")
    return tuple(float(v) for v in value) if isinstance(value, list) else float(value)


def divisor(value: Any) -> Any:
    """Checks what is divided by: a number above 0, or a list of them."""
    found = per_channel(value)
    if any(v <= 0 for v in (found if isinstance(found, tuple) else (found,))):
        raise refuse(f"expected numbers above 0, found {shown(value)}")
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


class Preprocessing(Fields):
    """What turns pixels (0 to 255) into the network's input: ``(pixel * scale - mean) / std``."""

    channel_order: Literal["rgb", "bgr"] = Field("rgb", description="Order of the colour channels.")
    scale: Factor = Field(1.0, description="Factor of every pixel.")
    mean: PerChannel = Field(
        0.0, description="Subtracted after scaling: one number, or one for each channel."
    )
    std: Divisor = Field(
        1.0, description="Divisor after that: one number, or one for each channel."
    )


class Initializer(Fields):
    """How the weights start; biases are constant."""

    name: Literal["truncated_normal", "glorot_uniform", "he_normal"] = Field(
        description="`truncated_normal` (cut at two deviations), `glorot_uniform` (Xavier) or "
        "`he_normal` (fan in)."
    )
    stddev: Factor = Field(
        0.1, description="Standard deviation of `truncated_normal`.", examples=[0.1]
    )
    bias: Constant = Field(0.0, description="Value of every bias.", examples=[0.2])
    note: Text | None = Field(
        None, description="Where this is said.", examples=["As the Caffe model."]
    )


class Training(Fields):
    """How the paper trains the network. Loss and initial weights become code; optimiser and
    schedule are recorded.
    """

    initializer: Initializer | None = Field(
        None, description="How weights start.", examples=[{"name": "he_normal"}]
    )
    label_smoothing: Fraction = Field(
        0.0, description="Share of the target that is spread over all classes.", examples=[0.1]
    )
    optimizer: dict[Id, Recorded] = Field(
        default={},
        description="The paper's optimiser and its settings.",
        examples=[{"name": "sgd"}],
    )
    schedule: dict[Id, Recorded] = Field(
        default={},
        description="The paper's learning-rate schedule.",
        examples=[{"name": "exponential", "factor": 0.94, "every_epochs": 2}],
    )
    note: Texts | None = Field(
        None, description="What else the paper says of training.", examples=["batches of 32"]
    )
