"""The section `training`: the loss, the initial weights, and the recipe of the paper."""

from typing import Final

from pydantic import BaseModel, Field

from ..ops import Fields
from ..ops.fields.kinds import Constant, Factor, Fraction, Text, Texts
from ..ops.initializer import DISTRIBUTION, STDDEV, Distribution
from . import recipe
from .amounts import Duration, Replicas, Samples
from .optimizer import Optimizer, Schedule
from .recipe import Augmentation, Average, GradientClip, Groups, WeightDecay


class Initializer(Fields):
    """Initialization of the weights; biases start at a constant. The field `initializer` of a step
    changes it for one layer.
    """

    name: Distribution = Field(description=DISTRIBUTION)
    stddev: Factor = Field(0.1, description=STDDEV, examples=[0.1])
    bias: Constant = Field(0.0, description="Initial value of biases.", examples=[0.2])
    note: Text | None = Field(
        None, description="Source of these settings.", examples=["As the Caffe model."]
    )


class Training(Fields):
    """How the paper trains the network. Loss and initialization become code; the recipe (all other
    fields) is for documentation and for the NumPy reference. `null` is what the paper does not say.
    """

    initializer: Initializer | None = Field(
        None, description="Initialization of the weights.", examples=[{"name": "he_normal"}]
    )
    label_smoothing: Fraction = Field(
        0.0,
        description="Label smoothing: fraction of the target spread evenly over all classes.",
        examples=[0.1],
    )
    samples: Samples | None = Field(
        None, description="Number of training samples, which an epoch has.", examples=[1_281_167]
    )
    batch_size: Samples | None = Field(
        None, description="Samples in each step, of all replicas together.", examples=[1600]
    )
    replicas: Replicas | None = Field(
        None, description="Processes or devices that share a batch.", examples=[50]
    )
    epochs: Duration | None = Field(None, description="Length of the run.", examples=[100])
    steps: Samples | None = Field(
        None, description="Length of the run in steps, instead of epochs.", examples=[2_400_000]
    )
    optimizer: Optimizer | None = Field(
        None,
        description="Optimizer with its settings.",
        examples=[{"name": "sgd", "rate": 0.01, "momentum": 0.9}],
    )
    weight_decay: WeightDecay | None = Field(
        None, description="Weight decay.", examples=[{"rate": 4e-5}]
    )
    groups: Groups | None = Field(
        None,
        description="Weights with a learning rate or a weight decay of their own.",
        examples=[{"biases": {"rate": 2, "decay": 0}}],
    )
    gradient_clip: GradientClip | None = Field(
        None, description="Clipping of gradients.", examples=[{"norm": 2.0}]
    )
    schedule: Schedule | None = Field(
        None,
        description="Learning rate over the run; constant by default.",
        examples=[{"name": "staircase", "factor": 0.94, "every_epochs": 2}],
    )
    average: Average | None = Field(
        None,
        description="Running average of the weights.",
        examples=[{"decay": 0.9999, "warm_up": True}],
    )
    augmentation: Augmentation | None = Field(
        None,
        description="Random changes of the training images.",
        examples=[{"crop": [0.08, 1], "flip": True}],
    )
    deviation: Texts | None = Field(
        None,
        description="How the recipe differs from the paper or the authors' code, and which one is "
        "followed.",
        examples=["The paper has no epsilon; the released script's is followed."],
    )
    note: Texts | None = Field(
        None, description="Other details of the training in the paper.", examples=["60 K80 GPUs"]
    )


NESTED: Final[dict[object, type[BaseModel]]] = {
    "training": Training,
    "initializer": Initializer,
    **recipe.NESTED,
}
"""The section and the mappings inside of it, by their fields."""
