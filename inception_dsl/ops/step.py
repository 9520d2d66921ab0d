"""The fields of every step."""

from pydantic import BaseModel, ConfigDict, Field

from .fields.allow import Codes
from .fields.kinds import Id, Repeat, StepPath, Texts


class Fields(BaseModel):
    """A mapping in a spec: unknown keys are rejected, values are never converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Step(Fields):
    """The fields of every step of a chain."""

    name: Id | None = Field(
        None,
        description="The step's name, used in paths and in the generated code.",
        examples=["conv1"],
    )
    repeat: Repeat = Field(
        1,
        description="How many times the step is repeated, in sequence; 0 leaves it out.",
        examples=[4],
    )
    deviation: Texts | None = Field(
        None,
        description="How this differs from the paper or the authors' code, and which one is "
        "followed.",
        examples=["The figure has no stride; the authors' code has 2."],
    )
    allow: Codes = Field(
        (), description="Warning codes to silence for this step and inside it.", examples=[["W404"]]
    )


class Weighted(Step):
    """The fields of a step that may have weights: a layer, or a use of a block."""

    shares: StepPath | None = Field(
        None,
        alias="weights",
        description="Path of an earlier layer or use whose weights this one has, too; their other "
        "fields are equal. It begins in the innermost chain or fork around both.",
        examples=["left/tower"],
    )
