"""Parameters of blocks and networks: a type and an optional default."""

import re
from typing import Annotated, Any, Final, Literal, TypeAlias, cast

from pydantic import Field

from ..ops import Computed, Fields
from ..ops.fields.kinds import Text
from ..ops.fields.refusal import Checked, did_you_mean, located, refuse, shown
from ..types.expression import Expression, is_expression, parse
from .meant import default_alone

ParameterType: TypeAlias = Literal["int", "float", "bool", "str"]
PYTHON_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
}


OF_NETWORK: Final = r"^\$[a-z][a-z0-9_]*$"
"""A default that is a parameter of the network."""


def fits(value: object, kind: str) -> bool:
    """Whether ``value`` is valid for a parameter of type ``kind``."""
    return isinstance(value, PYTHON_TYPES[kind]) and (kind == "bool" or not isinstance(value, bool))


def typed_as(value: Any, kind: str) -> Any:
    """A value of a parameter of type ``kind``, which :func:`fits`; an integer becomes a float."""
    return float(value) if kind == "float" and type(value) in (int, Computed) else value


def argument(value: Any) -> Any:
    """Checks a value of a parameter."""
    if not isinstance(value, bool | int | float | str):
        lists = (
            isinstance(value, dict) and value and all(isinstance(v, list) for v in value.values())
        )
        help = "to repeat the step with other values, write `each: {…}`" if lists else ""
        raise refuse(f"expected a number, text, true or false, found {shown(value)}", help=help)
    return value


def given_default(value: Any) -> Any:
    """Checks the default of a parameter: a value, or the name of a parameter of the network."""
    if not is_expression(value):
        return argument(value)
    if not re.match(OF_NETWORK, value, re.ASCII) or value.endswith("\n"):
        raise refuse(
            f"a default cannot be an expression, found {shown(value)}",
            code="E207",
            help="write the value itself, or `$name` for a parameter of the network, or remove "
            "the default and pass the expression as an argument",
        )
    return parse(value)


PLAIN: Final = {
    "anyOf": [{"type": ["number", "boolean"]}, {"type": "string", "pattern": r"^(?!\$)"}]
}
_DEFAULT: Final = {
    "anyOf": [
        {"type": ["number", "boolean"]},
        {"type": "string", "pattern": rf"^(?!\$)|{OF_NETWORK}"},
    ]
}


class Parameter(Fields):
    """A parameter with its type and, if it is optional, a default value."""

    type: ParameterType = Field(description="Type of the value. A `float` also accepts an integer.")
    default: Annotated[Any, Checked(given_default, _DEFAULT)] | None = Field(
        None,
        description="Value if a use does not set the parameter; `$name` in a block is that of a "
        "parameter of the network.",
        examples=[64, "$growth"],
    )
    description: Text | None = Field(
        None, description="Meaning of the parameter.", examples=["filters after the pool"]
    )


def parameter(value: Any) -> Parameter:
    """Checks the declaration of a parameter, in its short form (a type) or as a mapping."""
    if isinstance(value, str) and value in PYTHON_TYPES:
        return Parameter.model_construct(type=cast("ParameterType", value))
    if not isinstance(value, dict):
        types = ", ".join(PYTHON_TYPES)
        message = f"expected a type ({types}) or {{type: …, default: …}}, found {shown(value)}"
        raise refuse(
            message, meant=lambda: default_alone(value) or did_you_mean(value, PYTHON_TYPES)()
        )
    checked = Parameter.model_validate(value)
    if isinstance(checked.default, Expression):
        return checked
    if checked.default is not None and not fits(checked.default, checked.type):
        error = refuse(f"expected a default of type {checked.type}, found {shown(checked.default)}")
        raise located(error, ("default",), checked.default)
    return checked


ParameterField = Annotated[
    Parameter,
    Checked(parameter, {"anyOf": [{"enum": list(PYTHON_TYPES)}, {"$ref": "#/$defs/Parameter"}]}),
]
