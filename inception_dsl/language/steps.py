"""The steps of a chain: ops, forks (parallel branches) and uses (instances) of blocks."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import Field
from pydantic_core import core_schema

from ..ops import OPS, Step, Weighted
from ..ops.fields.kinds import EXPRESSION_SCHEMA, ID_SCHEMA, Id, expressible, identifier
from ..ops.fields.paths import ID
from ..ops.fields.refusal import Checked, located, refuse, shown
from ..types.merge import Merge
from ..types.split import Split
from .meant import KINDS, NAMED, misplaced, not_a_step, unknown_op, wrapped_arguments
from .parameters import PLAIN, argument
from .rest import Every, Rest
from .split import SCHEMA, split_sizes

EXAMPLE_STEP: Final = {"op": "conv_bn", "filters": 64, "kernel_size": 3}


def step(value: Any, given: Mapping[str, Collection[str]] = MappingProxyType({})) -> Any:
    """Checks one step of a chain: an op, a fork or a use.

    ``given`` has the attributes by op that defaults set.
    """
    if isinstance(value, Rest):
        return Broken.model_validate(dict(value), context=given)
    if isinstance(value, Every):
        return Each.model_validate(dict(value), context=given)
    kinds = [key for key in KINDS if isinstance(value, dict) and key in value]
    if len(kinds) != 1:
        raise not_a_step(value)
    if kinds[0] == "op":
        kind = OPS.get(value["op"]) if isinstance(value["op"], str) else None
        if kind is None:
            raise located(unknown_op(value["op"]), ("op",), value["op"])
        return kind.written(value, given.get(kind.kind, ()))
    if kinds[0] == "branches":
        error = misplaced(value)
        if error:
            raise error
        return Fork.model_validate(value, context=given)
    if isinstance(value["use"], str) and value["use"].startswith("$"):
        help = "`use` takes no parameter: write the id of a block"
        error = refuse(f"invalid name: {shown(value['use'])}", code="E206", help=help)
        raise located(error, ("use",), value["use"])
    position = next((key for key in value if not isinstance(key, str)), None)
    if position is not None:
        help = "a step has fields with names; the lists of `each` are for all repetitions"
        error = refuse(f"unknown field {shown(position)}", code="E201", help=help)
        raise located(error, (position, "[key]"), value)
    wrapped = wrapped_arguments(value)
    if wrapped:
        raise wrapped
    own = {k: v for k, v in value.items() if k in FIELDS}
    return Use.model_validate(
        {**own, "arguments": {k: v for k, v in value.items() if k not in own}}
    )


class _Step(Checked):
    """The check of a step, which needs to know the defaults: they are the context."""

    def __get_pydantic_core_schema__(self, _: Any, __: Any) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            lambda value, info: step(value, info.context or {})
        )


StepField = Annotated[Any, _Step(step, {"$ref": "#/$defs/step"})]
Chain = Annotated[
    list[StepField],
    Field(
        description="Steps, run in order. An empty list passes the input through (identity).",
        examples=[[EXAMPLE_STEP]],
    ),
]
Argument = Annotated[
    Any,
    Checked(
        expressible(argument),
        {"anyOf": [*PLAIN["anyOf"], EXPRESSION_SCHEMA]},
    ),
]


def step_name(value: Any) -> str:
    """Check for the name of a step, where its path or its position would not do."""
    first, inside, _ = value.partition("/") if isinstance(value, str) else ("", "", "")
    if type(value) is int or first.isdecimal():
        help = "give the step a `name`, and write this name"
        raise refuse(f"expected the name of a step, found {shown(value)}", code="E206", help=help)
    if inside and ID.match(first):
        help = "steps inside of branches, blocks and repeats are out of reach; the whole step is "
        help += f"`{first}`"
        message = f"expected the name of a step, found the path {shown(value)}"
        raise refuse(message, code="E206", help=help)
    return identifier(value)


StepName = Annotated[str, Checked(step_name, ID_SCHEMA)]


class Fork(Step):
    """A fork: parallel branches with the same input, or parts of it, whose outputs are merged."""

    branches: Annotated[dict[Id, Chain], Field(min_length=1)] = Field(
        description="Parallel branches by name, in the order in which they are merged.",
        examples=[{"shortcut": [], "branch_3x3": [EXAMPLE_STEP]}],
    )
    merge: Merge = Field(
        description="`concat` joins along the channel axis; `add` and `multiply` are element-wise, "
        "with broadcasting of vectors and of axes of size 1."
    )
    split: Annotated[Split, Checked(split_sizes, SCHEMA)] = Field(
        None,
        description="Divides the channels of the input between the branches, in their order: the "
        "number of each, at most once `rest` for what is left; or `equal`.",
        examples=[["$width", "$width", "rest"], "equal"],
    )
    after: dict[Id, StepName] = Field(
        default={},
        description="Where a branch does not begin with the input of the fork: the name of an "
        "earlier step of the same chain, whose output it begins with.",
        examples=[{"lateral": "mixed_5d"}],
        json_schema_extra=NAMED,
    )


class Use(Weighted):
    """A use: an instance of a block, with values for its parameters as further fields."""

    use: Id = Field(
        description="Id of a block, defined in this file or in an imported one.",
        examples=["inception_a"],
        json_schema_extra=NAMED,
    )
    arguments: dict[Id, Argument] = Field(default={})


FIELDS: Final = frozenset(f.alias or n for n, f in Use.model_fields.items()) - {"arguments"}
"""The fields of a use that are no arguments of its block."""


class Each(Step):
    """A step whose repetitions differ: the step of each of them, and the lengths of its lists."""

    each: list[StepField]
    lengths: dict[str, int]

    @property
    def use(self) -> str | None:
        """The block that all of them use."""
        return getattr(self.each[0], "use", None)


class Broken(Step):
    """The rest of a step that has an error."""

    branches: dict[Id, Chain] = Field(default={})
    use: Id | None = None
