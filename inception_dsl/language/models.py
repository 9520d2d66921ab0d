"""The schema of a spec, as pydantic models: networks, blocks, forks, uses, and what stands around
them.
"""

from typing import Final

from pydantic import Field

from ..ops import Fields
from ..ops.fields.allow import Codes
from ..ops.fields.kinds import Classes, Constant, Id, Path, Text, Texts
from .checkpoints import NamingField, Source
from .defaults import DefaultsField
from .inputs import InputField
from .parameters import ParameterField
from .sections import Paper, Preprocessing, Training
from .steps import EXAMPLE_STEP, Chain

_INPUT: Final = {"channels": 3, "height": 299, "width": 299}
_HEADS: Final = {"aux": {"after": "mixed_6e", "loss_weight": 0.4, "steps": [EXAMPLE_STEP]}}
_PARAMS: Final = {"filters": "int", "pool_filters": {"type": "int", "default": 64}}
_DEFAULTS: Final = {"batch_norm": {"epsilon": 0.001, "scale": False}}
_NOTE: Final = "The figure is silent; the authors' code is followed."
_SAME: Final = {"timm": {"names": {"conv_1a": "Conv2d_1a_3x3"}}}


class Described(Fields):
    """What documents a network, a block or a head."""

    title: Text | None = Field(None, description="The name as printed.", examples=["Inception-v4"])
    description: Text | None = Field(
        None, description="For the documentation.", examples=["Four branches."]
    )
    paper: Paper | None = Field(
        None, description="Where it is published.", examples=[{"arxiv": "1602.07261", "figure": 4}]
    )
    deviation: Texts | None = Field(
        None, description="Where this differs from the paper.", examples=[_NOTE]
    )
    allow: Codes = Field(
        (), description="Warnings that are meant, anywhere in this.", examples=[["W403"]]
    )


class BlockBody(Described):
    """A block under ``blocks:``."""

    params: dict[Id, ParameterField] = Field(
        default={}, description="Parameters by name.", examples=[_PARAMS]
    )
    steps: Chain


class Linked(Described):
    """What a file may say, whatever it holds."""

    extends: Path | None = Field(
        None, description="Another spec that this one changes.", examples=["v4.yaml"]
    )
    imports: list[Path] = Field(
        default=[],
        alias="import",
        description="Files whose blocks are used here, from this file's folder.",
        examples=[["blocks/reduction_a.yaml"]],
    )
    params: dict[Id, ParameterField] = Field(
        default={}, description="Parameters by name.", examples=[_PARAMS]
    )
    defaults: DefaultsField | None = Field(
        None, description="Attributes where a step says nothing.", examples=[_DEFAULTS]
    )
    blocks: dict[Id, BlockBody] = Field(
        default={},
        description="Blocks of this file.",
        examples=[{"tower": {"steps": [EXAMPLE_STEP]}}],
    )


class BlockFile(Linked):
    """A file that defines one block; it can be built alone on an input."""

    block: Id = Field(description="The block's id.", examples=["inception_a"])
    input: InputField | None = Field(
        None, description="The input to build it on, alone.", examples=[_INPUT]
    )
    steps: Chain


class AuxHead(Described):
    """A classifier off the middle of the network that only stands in training."""

    after: Id = Field(
        description="Name of the step of stem or body whose output it takes.", examples=["mixed_6e"]
    )
    loss_weight: Constant = Field(description="Factor of its loss.", examples=[0.3, 0.4])
    steps: Chain


class NetworkFile(Linked):
    """A file that defines a network."""

    network: Id = Field(description="The network's id.", examples=["inception_v4"])
    input: InputField = Field(
        description="Channels and spatial axes of one sample.", examples=[_INPUT]
    )
    classes: Classes = Field(
        1000, description="Number of classes; `$classes` in steps.", examples=[10]
    )
    preprocessing: Preprocessing | None = Field(
        None,
        description="What the network expects of its input.",
        examples=[{"scale": 0.00784313725490196, "mean": 1}],
    )
    stem: Chain = Field(default=[], description="The first steps.", examples=[[EXAMPLE_STEP]])
    body: Chain = Field(
        default=[], description="The steps up to the last feature map.", examples=[[EXAMPLE_STEP]]
    )
    aux_heads: dict[Id, AuxHead] = Field(
        default={}, description="Auxiliary classifiers.", examples=[_HEADS]
    )
    head: Chain = Field(
        default=[], description="The steps from features to output.", examples=[[EXAMPLE_STEP]]
    )
    outputs: dict[Id, Id] = Field(
        default={},
        description="Further outputs by name: the step at the top whose output each is.",
        examples=[{"features": "mixed_5b"}],
    )
    training: Training | None = Field(
        None, description="How the paper trains it.", examples=[{"label_smoothing": 0.1}]
    )
    checkpoints: dict[Source, NamingField] = Field(
        default={},
        description="What published files call its weights, by where they come from.",
        examples=[_SAME],
    )
