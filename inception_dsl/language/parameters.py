"""Parameters of blocks and networks: a type and an optional default."""

from typing import Annotated, Any, Final, Literal, TypeAlias, cast

from pydantic import Field

from ..ops import Fields
from ..ops.fields.kinds import Text
from ..ops.fields.refusal import Checked, did_you_mean, located, refuse, shown
from ..types.expression import is_expression
from .meant import default_alone
from .sections import argument

ParameterType: TypeAlias = Literal["int", "float", "bool", "str"]
PYTHON_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
}


def fits(value: object, kind: str) -> bool:
    """Whether ``value`` is valid for a parameter of type ``kind``."""
    return isinstance(value, PYTHON_TYPES[kind]) and (kind == "bool" or not isinstance(value, bool))


def constant(value: Any) -> Any:
    """Checks the default of a parameter: one value for all uses, so not an expression."""
    if is_expression(value):
        raise refuse(
            f"a default cannot be an expression, found {shown(value)}",
            code="E207",
            help="write the value itself, or remove the default and pass the expression as an "
            "argument",
        )
    return argument(value)


PLAIN: Final = {
    "anyOf": [{"type": ["number", "boolean"]}, {"type": "string", "pattern": r"^(?!\$)"}]
}


class Parameter(Fields):
    """A parameter with its type and, if it is optional, a default value."""

    type: ParameterType = Field(description="Type of the value. A `float` also accepts an integer.")
    default: Annotated[Any, Checked(constant, PLAIN)] | None = Field(
        None, description="Value if a use does not set the parameter.", examples=[64]
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
    if checked.default is not None and not fits(checked.default, checked.type):
        error = refuse(f"expected a default of type {checked.type}, found {shown(checked.default)}")
        raise located(error, ("default",), checked.default)
    return checked


ParameterField = Annotated[
    Parameter,
    Checked(parameter, {"anyOf": [{"enum": list(PYTHON_TYPES)}, {"$ref": "#/$defs/Parameter"}]}),
]
