"""The optimizer and the schedule of a recipe."""

from __future__ import annotations

from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from ..ops import Fields
from ..ops.fields.kinds import Factor, Fraction, Text
from ..ops.fields.refusal import refuse
from ..types.optimizers import (
    FORMS,
    OPTIMIZERS,
    SCHEDULES,
    UNITS,
    FormName,
    OptimizerName,
    ScheduleName,
)
from .amounts import (
    NOTE,
    Amount,
    AtEpochs,
    AtSteps,
    Duration,
    Samples,
    Share,
    Switch,
    only,
    rules,
    spelled,
)

OPTIMIZER_FIELDS: Final = ("name", "rate", "form", "note")
SCHEDULE_FIELDS: Final = ("name", "epochs", "steps", "then", "note")
"""The fields of every optimizer and of every schedule."""


class Optimizer(Fields):
    """The optimizer and its settings, as the framework of `form` defines them."""

    name: OptimizerName = Field(description="`sgd`, `rmsprop`, `adam`, `adamw` or `lamb`.")
    rate: Factor | None = Field(
        None, description="Learning rate, before the schedule.", examples=[0.045]
    )
    form: FormName | None = Field(
        None,
        description="Whose definition is meant, as they differ: `caffe`, `tensorflow` "
        "(`tf.compat.v1.train`), `keras` (Keras 3) or `torch` (`torch.optim`). It decides where "
        "epsilon and the learning rate stand and what is clipped.",
        examples=[*FORMS],
    )
    momentum: Share | None = Field(
        0.0,
        description="Share of the old velocity that is kept (`sgd`, `rmsprop`); `null` if the "
        "paper does not say it.",
    )
    nesterov: Switch = Field(False, description="Nesterov momentum (`sgd`).")
    decay: Share | None = Field(
        None,
        description="Share of the old mean square that is kept (`rmsprop`): Keras `rho`, PyTorch "
        "`alpha`.",
        examples=[0.9],
    )
    beta_1: Share | None = Field(
        None,
        description="Share of the old mean that is kept (`adam`, `adamw`, `lamb`).",
        examples=[0.9],
    )
    beta_2: Share | None = Field(
        None,
        description="Share of the old mean square that is kept (`adam`, `adamw`, `lamb`).",
        examples=[0.999],
    )
    epsilon: Factor | None = Field(
        None, description="Number in the denominator, which has no common default.", examples=[1e-8]
    )
    note: Text | None = Field(None, description=NOTE, examples=["As the released script."])

    @classmethod
    def rules(cls) -> list[dict[str, Any]]:
        """The JSON Schema of the check below."""
        return rules(OPTIMIZERS, cls.model_fields, OPTIMIZER_FIELDS, needed=False)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        only(self, OPTIMIZERS[self.name], self.name, OPTIMIZER_FIELDS)
        return self


class Schedule(Fields):
    """The learning rate of each step: `rate` of the optimizer times a factor. `staircase` is
    factor ** floor(t / every), `exponential` factor ** (t / every), `polynomial`
    (1 - end) * (1 - t / T) ** power + end, `cosine` (1 - end) * (1 + cos(pi * t / T)) / 2 + end,
    `warm_up` start + (1 - start) * t / T; `steps` multiplies by the factor at each of `at`, and
    `plateau` whenever the loss stops falling. t counts steps from 0 at the start of the schedule,
    and stays T after its duration T.
    """

    name: ScheduleName = Field(
        description="`constant`, `staircase`, `exponential`, `polynomial`, `cosine`, `steps`, "
        "`warm_up` or `plateau`."
    )
    factor: Factor | None = Field(
        None, description="Factor of each interval or change.", examples=[0.94]
    )
    every_epochs: Duration | None = Field(
        None, description="Interval in epochs (`staircase`, `exponential`).", examples=[2]
    )
    every_steps: Samples | None = Field(
        None, description="Interval in steps, instead of epochs.", examples=[320_000]
    )
    at_epochs: AtEpochs | None = Field(
        None, description="Epochs after which the rate changes (`steps`).", examples=[[30, 60, 90]]
    )
    at_steps: AtSteps | None = Field(
        None, description="Steps after which it changes, instead of epochs.", examples=[[1000]]
    )
    power: Factor | None = Field(None, description="Exponent of `polynomial`.", examples=[0.5])
    start: Fraction = Field(0.0, description="The factor at the start of `warm_up`.")
    end: Fraction = Field(0.0, description="The factor at the end of `polynomial` or `cosine`.")
    patience: Samples | None = Field(
        None, description="Epochs without a smaller loss before `plateau` acts.", examples=[10]
    )
    minimum: Amount | None = Field(
        None, description="The smallest learning rate of `plateau`.", examples=[1e-5]
    )
    counts_from: Literal["schedule", "run"] = Field(
        "schedule",
        description="Where t and the duration begin: with this schedule, or with `run`, as timm's "
        "`warmup_prefix=False`.",
    )
    by_epoch: Switch = Field(
        False, description="Whether the rate changes once per epoch: t is the number of whole ones."
    )
    epochs: Duration | None = Field(
        None, description="Its duration; by default until the run ends.", examples=[5]
    )
    steps: Samples | None = Field(
        None, description="Its duration in steps, instead of epochs.", examples=[10_000]
    )
    then: Schedule | None = Field(
        None,
        description="The schedule that follows after the duration of this one.",
        examples=[{"name": "cosine"}],
    )
    note: Text | None = Field(None, description=NOTE, examples=["As the released script."])

    @classmethod
    def rules(cls) -> list[dict[str, Any]]:
        """The JSON Schema of the check below."""
        length = {"anyOf": [{"required": [unit]} for unit in UNITS]}
        warm_up = {"properties": {"name": {"const": "warm_up"}}, "required": ["name"]}
        followed = {"properties": {"then": {"type": "object"}}, "required": ["then"]}
        ends = {"if": {"anyOf": [warm_up, followed]}, "then": length}
        return [*rules(SCHEDULES, cls.model_fields, SCHEDULE_FIELDS, needed=True), ends]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        kind = SCHEDULES[self.name]
        only(self, kind, self.name, SCHEDULE_FIELDS)
        for field in kind.needed:
            self._has(field)
        endless = not {*UNITS} & self.model_fields_set
        if endless and (self.then is not None or self.name == "warm_up"):
            why = "before `then`" if self.then is not None else "of a warm-up"
            help = "add `epochs: 5` or `steps: 1000`; `epochs: null` if the paper does not say"
            raise refuse(f"missing field `epochs` or `steps` {why}", code="E202", help=help)
        return self

    def _has(self, field: str) -> None:
        """Reports that a field without which the schedule means nothing is not written."""
        names = spelled(field)
        if not {*names} & self.model_fields_set:
            example = type(self).model_fields[names[0]].examples
            missing = " or ".join(f"`{name}`" for name in names)
            help = f"add `{names[0]}: {example[0] if example else '…'}`"
            help += f"; `{names[0]}: null` if the paper does not say"
            raise refuse(f"missing field {missing} of `{self.name}`", code="E202", help=help)
