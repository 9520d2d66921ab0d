"""The inputs of a network: channels and spatial axes, of one input or of several with names."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from ..ops.fields.kinds import ID_SCHEMA, identifier
from ..ops.fields.refusal import Checked, below, located, refuse, shown
from ..types.tensor import AXES, MAX_SIZE
from .meant import not_an_input, unknown_axis
from .rest import Rest

FIELDS: Final = ("channels", "length", "height", "width", "depth")
"""The fields of an input, which cannot be names of inputs."""
MAX_INPUTS: Final = 16
_FORMS: Final = "{channels, length}, {channels, height, width} or {channels, depth, height, width}"


def input_type(value: Any, *, vector: bool = False) -> dict[str, int]:
    """Checks an input: channels and one, two or three spatial axes, or none if it is a ``vector``.

    The result is empty if the input was left out because of an error.
    """
    if isinstance(value, Rest):
        return {}
    if not isinstance(value, dict):
        raise not_an_input(value)
    misspelled = unknown_axis(value, FIELDS)
    if misspelled:
        raise misspelled
    spatial = tuple(k for k in value if k != "channels")
    if "channels" not in value or set(spatial) not in [
        set(axes) for rank, axes in AXES.items() if rank or vector
    ]:
        help = f"an input is {'{channels}, ' * vector}{_FORMS}"
        if value.keys() == {"channels"}:
            help += "; only one of several inputs can be a vector"
        raise refuse(
            "expected channels and spatial axes, found "
            f"{', '.join(map(str, value)) or 'an empty mapping'}",
            help=help,
        )
    for name, size in value.items():
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MAX_SIZE:
            raise located(
                refuse(f"expected an integer from 1 to {MAX_SIZE}, found {shown(size)}"),
                (name,),
                size,
            )
    return value


def has_names(value: Any) -> bool:
    """Whether an ``input`` is a mapping of names to inputs: any value is a mapping."""
    return isinstance(value, dict) and any(isinstance(one, dict) for one in value.values())


def input_types(value: Any) -> dict[str, Any]:
    """Checks the input of a network, or several by name."""
    if isinstance(value, Rest) or not has_names(value):
        return input_type(value)
    found: dict[str, dict[str, int]] = {}
    wrong: list[InitErrorDetails] = []
    for name, one in value.items():
        if name in FIELDS and not isinstance(one, dict):
            help = "write it inside of an input; next to inputs with names are only other inputs"
            error = refuse(f"`{name}` is not in an input", code="E201", help=help)
            raise located(error, (name, "[key]"), value)
        try:
            _check_name(name)
        except PydanticCustomError as error:
            wrong.append(InitErrorDetails(type=error, loc=(name, "[key]"), input=one))
        try:
            found[name] = input_type(one, vector=True)
        except PydanticCustomError as error:
            wrong.append(InitErrorDetails(type=error, loc=(name,), input=one))
        except ValidationError as error:
            wrong += [below(problem, name) for problem in error.errors()]
    if wrong:
        raise ValidationError.from_exception_data("spec", wrong)
    _check_together(found)
    return found


def single(value: Any) -> dict[str, int]:
    """Checks the input of a block, which is one."""
    if has_names(value):
        help = "a block gets what the step before it gives; a network can have several inputs"
        raise refuse("a block has one input", help=help)
    return input_type(value)


def _check_name(value: Any) -> None:
    if identifier(value) in FIELDS:
        what = "the number of channels" if value == "channels" else "an axis"
        message = f"invalid name: `{value}` is {what}, not an input"
        raise refuse(message, code="E206", help="choose another name")


def _check_together(found: dict[str, dict[str, int]]) -> None:
    """Reports inputs that no network can have together."""
    if len(found) == 1:
        (name,) = found
        help = "write its channels and axes without the name"
        raise refuse(f"`{name}` is the only input, and needs no name", help=help)
    if len(found) > MAX_INPUTS:
        raise refuse(f"more than {MAX_INPUTS} inputs", code="E309")
    axes = {name: len(sizes) - 1 for name, sizes in found.items() if len(sizes) > 1}
    if len({*axes.values()}) > 1:
        listed = ", ".join(f"{n} of `{name}`" for name, n in axes.items())
        help = "besides vectors, all inputs have the same axes"
        raise refuse(f"inputs have different numbers of spatial axes: {listed}", help=help)


def _size(axis: str) -> dict[str, Any]:
    example = 3 if axis == "channels" else 299
    about = "Number of channels." if axis == "channels" else f"Size of the axis `{axis}`."
    return {
        "description": about,
        "examples": [example],
        "type": "integer",
        "minimum": 1,
        "maximum": 65_536,
    }


def _schemas(*ranks: int) -> list[dict[str, Any]]:
    return [
        {
            "type": "object",
            "properties": {n: _size(n) for n in ("channels", *AXES[rank])},
            "required": ["channels", *AXES[rank]],
            "additionalProperties": False,
        }
        for rank in ranks
    ]


_SEVERAL: Final[list[dict[str, Any]]] = [
    {
        "type": "object",
        "propertyNames": {"allOf": [ID_SCHEMA, {"not": {"enum": [*FIELDS]}}]},
        "additionalProperties": {"anyOf": _schemas(0, rank)},
        "minProperties": 2,
        "maxProperties": MAX_INPUTS,
    }
    for rank in (1, 2, 3)
]
InputField = Annotated[dict[str, int], Checked(single, {"anyOf": _schemas(1, 2, 3)})]
InputsField = Annotated[
    dict[str, Any], Checked(input_types, {"anyOf": [*_schemas(1, 2, 3), *_SEVERAL]})
]
