"""The steps of a chain: ops, forks and uses of blocks."""

from typing import Annotated, Any, Final

from pydantic import Field

from ..ops import OPS, Step
from ..ops.fields.kinds import EXPRESSION_SCHEMA, Id, expressible
from ..ops.fields.refusal import Checked, located
from ..types.merge import Merge
from .meant import KINDS, misplaced_merge, not_a_step, unknown_op, wrapped_arguments
from .rest import Rest
from .sections import argument

EXAMPLE_STEP: Final = {"op": "conv_bn", "filters": 64, "kernel_size": 3}


def step(value: Any) -> Any:
    """One step of a chain: an op, a fork or a use."""
    if isinstance(value, Rest):
        return Broken.model_validate(dict(value))
    kinds = [key for key in KINDS if isinstance(value, dict) and key in value]
    if len(kinds) != 1:
        raise not_a_step(value)
    if kinds[0] == "op":
        kind = OPS.get(value["op"]) if isinstance(value["op"], str) else None
        if kind is None:
            raise located(unknown_op(value["op"]), ("op",), value["op"])
        return kind.model_validate(value)
    if kinds[0] == "branches":
        misplaced = misplaced_merge(value)
        if misplaced:
            raise misplaced
        return Fork.model_validate(value)
    wrapped = wrapped_arguments(value)
    if wrapped:
        raise wrapped
    own = {k: v for k, v in value.items() if k in Use.model_fields and k != "arguments"}
    return Use.model_validate(
        {**own, "arguments": {k: v for k, v in value.items() if k not in own}}
    )


StepField = Annotated[Any, Checked(step, {"$ref": "#/$defs/step"})]
Chain = Annotated[
    list[StepField],
    Field(
        description="Steps, one after the other; an empty list is the input itself.",
        examples=[[EXAMPLE_STEP]],
    ),
]
Argument = Annotated[
    Any,
    Checked(
        expressible(argument),
        {
            "anyOf": [
                {"type": ["number", "boolean"]},
                {"type": "string", "pattern": r"^(?!\$)"},
                EXPRESSION_SCHEMA,
            ]
        },
    ),
]


class Fork(Step):
    """Branches that all take the same input, and how their outputs become one."""

    branches: Annotated[dict[Id, Chain], Field(min_length=1)] = Field(
        description="The branches by name, in the order of the merge.",
        examples=[{"shortcut": [], "branch_3x3": [EXAMPLE_STEP]}],
    )
    merge: Merge = Field(
        description="`concat` joins channels; `add` and `multiply` work element by element and "
        "broadcast vectors."
    )


class Use(Step):
    """A block with values for its parameters."""

    use: Id = Field(
        description="The id of a block: of this file or of an imported one.",
        examples=["inception_a"],
    )
    arguments: dict[Id, Argument] = Field(default={})


class Broken(Step):
    """What is left of a step that has a mistake."""

    branches: dict[Id, Chain] = Field(default={})
    use: Id | None = None
