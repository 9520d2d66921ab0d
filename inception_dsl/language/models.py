"""Pydantic models of a spec: network files, block files and auxiliary heads."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from ..ops import Fields
from ..ops.fields.allow import Codes
from ..ops.fields.kinds import Constant, Factor, Id, Path, PlainCount, Text, Texts
from ..types.loss import LossKind
from .checkpoints import NamingField, Source
from .defaults import DefaultsField
from .inputs import InputField, InputsField
from .meant import NAMED
from .parameters import ParameterField
from .requires import Requirement
from .sections import Paper, Preprocessing
from .steps import EXAMPLE_STEP, Chain, StepName
from .training import Training

_INPUT: Final = {"channels": 3, "height": 299, "width": 299}
_INPUTS: Final = {"image": _INPUT, "table": {"channels": 12}}
_HEADS: Final = {"aux": {"after": "mixed_6e", "loss_weight": 0.4, "steps": [EXAMPLE_STEP]}}
_PARAMS: Final = {"filters": "int", "pool_filters": {"type": "int", "default": 64}}
_DEFAULTS: Final = {"batch_norm": {"epsilon": 0.001, "scale": False}}
_NOTE: Final = "Strides are not in the figure; they are from the authors' code."
_SAME: Final = {"timm": {"names": {"conv_1a": "Conv2d_1a_3x3"}}}


class Described(Fields):
    """Documentation of a network, a block or an auxiliary head."""

    title: Text | None = Field(
        None, description="Full name, as in the paper.", examples=["Inception-v4"]
    )
    description: Text | None = Field(
        None,
        description="Description, printed in docstrings of the generated code.",
        examples=["Four branches."],
    )
    paper: Paper | None = Field(
        None,
        description="The paper in which it is published.",
        examples=[{"arxiv": "1602.07261", "figure": 4}],
    )
    modified_from: Text | None = Field(
        None,
        description="The network or block that this modifies; `extends` and overlays set it.",
        examples=["Inception-v4 (Szegedy et al., 2016)"],
    )
    deviation: Texts | None = Field(
        None,
        description="A note (not a standard deviation): how this differs from the paper, and why.",
        examples=[_NOTE],
    )
    allow: Codes = Field(
        (),
        description="Warnings to silence in this part of the spec and everything inside it.",
        examples=[["W403"]],
    )


class BlockBody(Described):
    """A block: steps with parameters that can be used several times (defined under ``blocks``)."""

    extends: Id | None = Field(
        None,
        description="Another block, which the other fields change.",
        examples=["inception_a"],
        json_schema_extra=NAMED,
    )
    params: dict[Id, ParameterField] = Field(
        default={}, description="Parameters by name.", examples=[_PARAMS]
    )
    steps: Chain


class Linked(Described):
    """Fields of network files and of block files."""

    requires: Requirement | None = Field(
        None,
        description="The versions of inception-dsl that this spec is for.",
        examples=["inception-dsl >= 0.2"],
    )
    extends: Path | None = Field(
        None,
        description="Another spec; the other fields change it. A file, or a shipped spec.",
        examples=["v4.yaml", "inception-dsl:v4"],
    )
    imports: list[Path] = Field(
        default=[],
        alias="import",
        description="Files with blocks to use here, relative to this file's folder, or shipped "
        "blocks.",
        examples=[["blocks/tower.yaml", "inception-dsl:blocks/reduction_a"]],
    )
    params: dict[Id, ParameterField] = Field(
        default={}, description="Parameters by name.", examples=[_PARAMS]
    )
    defaults: DefaultsField | None = Field(
        None,
        description="Default attributes for each op; a step can override them.",
        examples=[_DEFAULTS],
    )
    blocks: dict[Id, BlockBody] = Field(
        default={},
        description="Blocks defined in this file, by id.",
        examples=[{"tower": {"steps": [EXAMPLE_STEP]}}],
    )


class Built(Linked):
    """Fields of a file as it is built; those of a block do not count where it is imported."""

    width: Factor | None = Field(
        None,
        description="Factor of every `filters` that is not computed from `$in_channels` or "
        "`$classes`. In a block file it counts only where the file itself is built.",
        examples=[0.5],
    )
    divisor: PlainCount = Field(
        1,
        description="Scaled or fractional numbers of channels are rounded to multiples of this: "
        "to the nearest one, or the next if that is less than 90%.",
        examples=[8],
    )
    minimum: PlainCount | None = Field(
        None,
        description="The smallest number of channels that rounding gives; the `divisor` by "
        "default.",
        examples=[16],
    )


class BlockFile(Built):
    """A file that defines one block. With an input, it can be built alone."""

    block: Id = Field(description="The block's id.", examples=["inception_a"])
    input: InputField | None = Field(
        None, description="Input for building the block alone.", examples=[_INPUT]
    )
    steps: Chain


class Output(Described):
    """An additional output, in training and in inference: a step, or a head of its own on it."""

    after: StepName = Field(
        description="Name of a step in `stem`, `body` or `head`: the output, or the input of "
        "`steps`.",
        examples=["mixed_7c"],
        json_schema_extra=NAMED,
    )
    steps: Chain = Field(
        default=[],
        description="Steps from there to the output; without them the step itself is the output.",
        examples=[[EXAMPLE_STEP]],
    )
    loss: LossKind | None = Field(
        None,
        description="Loss of the output with targets of its own: `cross_entropy` with class "
        "indices, `binary_cross_entropy` with numbers from 0 to 1 (both take logits), or "
        "`mean_squared_error`. Without it the output is not trained.",
        examples=["mean_squared_error"],
    )
    loss_weight: Constant | None = Field(
        None,
        description="Factor of the loss in the total training loss; 1 by default.",
        examples=[0.5],
    )


def _output(value: Any) -> Any:
    """The short form of an output is the name of a step."""
    return value if isinstance(value, dict) else {"after": value}


OutputField = Annotated[Output, BeforeValidator(_output, json_schema_input_type=StepName | Output)]


class AuxHead(Described):
    """An auxiliary classifier on an inner layer. It is used in training only."""

    after: StepName = Field(
        description="Name of a step in `stem` or `body`; its output is the input of this head.",
        examples=["mixed_6e"],
        json_schema_extra=NAMED,
    )
    loss_weight: Constant = Field(
        description="Factor of the head's loss in the total training loss.", examples=[0.3, 0.4]
    )
    steps: Chain


class NetworkFile(Built):
    """A file that defines a network."""

    network: Id = Field(description="The network's id.", examples=["inception_v4"])
    input: InputsField = Field(
        description="Shape of one sample, without the batch: channels and spatial axes. Or several "
        "inputs by name: the branches of the first step, a fork, have these names.",
        examples=[_INPUT, _INPUTS],
    )
    classes: PlainCount = Field(
        1000,
        description="Number of classes (`num_classes`); steps read it as `$classes`.",
        examples=[10],
    )
    preprocessing: Preprocessing | None = Field(
        None,
        description="How images are normalized before the network.",
        examples=[{"scale": 0.00784313725490196, "mean": 1}],
    )
    stem: Chain = Field(
        default=[], description="Steps at the input, before `body`.", examples=[[EXAMPLE_STEP]]
    )
    body: Chain = Field(
        default=[],
        description="Main part of the network, up to the last feature map.",
        examples=[[EXAMPLE_STEP]],
    )
    aux_heads: dict[Id, AuxHead] = Field(
        default={},
        description="Auxiliary classifiers by name; used in training only.",
        examples=[_HEADS],
    )
    head: Chain = Field(
        default=[],
        description="Steps from the last feature map to the output, for example pooling and dense.",
        examples=[[EXAMPLE_STEP]],
    )
    outputs: dict[Id, OutputField] = Field(
        default={},
        description="Additional outputs by name: the name of a step, or a head of its own on one.",
        examples=[{"features": "mixed_5b"}],
    )
    training: Training | None = Field(
        None, description="Training settings of the paper.", examples=[{"label_smoothing": 0.1}]
    )
    checkpoints: dict[Source, NamingField] = Field(
        default={},
        description="Names of the layers in published weight files, for each source.",
        examples=[_SAME],
    )
