"""The other parts of a recipe: weight decay, groups, clip, running average, augmentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from ..ops import Fields
from ..ops.fields.kinds import Factor, Text
from ..ops.fields.refusal import refuse
from .amounts import NOTE, Amount, Area, Hue, Ratio, Share, Switch
from .optimizer import Optimizer, Schedule


class WeightDecay(Fields):
    """Weight decay: `l2` adds rate * w to the gradient of a weight w, the gradient of
    rate / 2 * w ** 2; `decoupled` subtracts learning rate * rate * w from w.
    """

    rate: Amount = Field(description="Factor of the weights.", examples=[4e-5])
    form: Literal["l2", "decoupled"] | None = Field(
        None, description="`l2`, or `decoupled`: by default `decoupled` for `adamw` and `lamb`."
    )
    on: Literal["kernels", "all"] = Field(
        "kernels", description="`kernels`, or `all` trainable weights; `groups` can change it."
    )
    note: Text | None = Field(None, description=NOTE, examples=["As the authors' code."])


class Group(Fields):
    """Factors for some of the weights, as `lr_mult` and `decay_mult` of Caffe."""

    rate: Amount = Field(1.0, description="Factor of the learning rate.", examples=[2])
    decay: Amount | None = Field(
        None,
        description="Factor of the weight decay: by default 1, or 0 for those that `on` leaves "
        "out.",
        examples=[0],
    )


class Groups(Fields):
    """Weights with a learning rate or a weight decay of their own."""

    kernels: Group | None = Field(
        None, description="Kernels of convolutions and dense layers.", examples=[{"decay": 1}]
    )
    biases: Group | None = Field(
        None, description="Biases of these layers.", examples=[{"rate": 2, "decay": 0}]
    )
    norms: Group | None = Field(
        None,
        description="Gamma and beta of normalisations, and learned scales.",
        examples=[{"decay": 0}],
    )


class GradientClip(Fields):
    """Clipping of gradients: exactly one of the fields."""

    norm: Factor | None = Field(
        None,
        description="Largest L2 norm of all gradients together (`global_clipnorm` of Keras, "
        "`clip_grad_norm_` of PyTorch).",
        examples=[2.0],
    )
    value: Factor | None = Field(
        None, description="Largest absolute value of each element.", examples=[0.5]
    )
    note: Text | None = Field(None, description=NOTE, examples=["The paper says `threshold`."])

    @classmethod
    def rules(cls) -> list[dict[str, Any]]:
        """The JSON Schema of the check below."""
        return [{"anyOf": [{"required": ["norm"]}, {"required": ["value"]}]}]

    @model_validator(mode="after")
    def _one(self) -> Self:
        if not {"norm", "value"} & self.model_fields_set:
            help = "write `norm: 2.0` or `value: 0.5`"
            raise refuse("missing field `norm` or `value`", code="E202", help=help)
        return self


class Average(Fields):
    """The running average of the weights, with which the network is evaluated: after each step
    decay * average + (1 - decay) * weights.
    """

    decay: Share | None = Field(
        None, description="Share of the old average that is kept.", examples=[0.9999]
    )
    warm_up: Switch = Field(
        False, description="Whether the decay after n steps is at most (1 + n) / (10 + n)."
    )
    statistics: Switch = Field(
        True, description="Whether moving means and variances are averaged, too."
    )
    note: Text | None = Field(None, description=NOTE, examples=["As the released script."])


class Augmentation(Fields):
    """Random changes of the training images, in the order of the fields."""

    crop: Area | None = Field(
        None,
        description="Range of the share of the image's area that a random part has.",
        examples=[[0.08, 1]],
    )
    aspect: Ratio | None = Field(
        None,
        description="Range of width / height of the part; it is resized to the input.",
        examples=[[0.75, 1.3333]],
    )
    flip: Switch = Field(False, description="Whether half of the images are flipped left to right.")
    brightness: Amount | None = Field(
        None,
        description="Largest amount that is added to pixels from 0 to 1.",
        examples=[0.125],
    )
    saturation: Ratio | None = Field(
        None, description="Range of the factor of the saturation.", examples=[[0.5, 1.5]]
    )
    hue: Hue | None = Field(
        None,
        description="Largest shift of the hue, as a share of the colour circle.",
        examples=[0.2],
    )
    contrast: Ratio | None = Field(
        None, description="Range of the factor of the contrast.", examples=[[0.5, 1.5]]
    )
    note: Text | None = Field(None, description=NOTE, examples=["As the authors' code."])


NESTED: Final[Mapping[Any, type[Fields]]] = {
    "optimizer": Optimizer,
    "schedule": Schedule,
    "then": Schedule,
    "weight_decay": WeightDecay,
    "groups": Groups,
    "kernels": Group,
    "biases": Group,
    "norms": Group,
    "gradient_clip": GradientClip,
    "average": Average,
    "augmentation": Augmentation,
}
"""The mappings inside of `training` by their fields."""
