"""The input of a network: channels and spatial axes."""

from typing import Annotated, Any, Final

from ..ops.fields.refusal import Checked, located, refuse, shown
from ..types.tensor import AXES, MAX_SIZE
from .meant import not_an_input, unknown_axis
from .rest import Rest


def input_type(value: Any) -> dict[str, int]:
    """Checks an input: channels and one, two or three spatial axes.

    The result is empty if the input was left out because of an error.
    """
    if isinstance(value, Rest):
        return {}
    if not isinstance(value, dict):
        raise not_an_input(value)
    misspelled = unknown_axis(value, ("channels", "length", "height", "width", "depth"))
    if misspelled:
        raise misspelled
    spatial = tuple(k for k in value if k != "channels")
    if "channels" not in value or set(spatial) not in [
        set(axes) for rank, axes in AXES.items() if rank
    ]:
        help = (
            "an input is {channels, length}, {channels, height, width} or {channels, depth, "
            "height, width}"
        )
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


_INPUTS: Final = [
    {
        "type": "object",
        "properties": {n: _size(n) for n in ("channels", *names)},
        "required": ["channels", *names],
        "additionalProperties": False,
    }
    for rank, names in AXES.items()
    if rank
]
InputField = Annotated[dict[str, int], Checked(input_type, {"anyOf": _INPUTS})]
