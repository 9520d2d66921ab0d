"""The input of a network: channels and spatial axes."""

from typing import Annotated, Any, Final

from ..ops.fields.refusal import Checked, located, refuse, shown
from .meant import not_an_input, unknown_axis
from .rest import Rest


def input_type(value: Any) -> dict[str, int]:
    """``{channels, …}`` with one, two or three spatial axes, named as the frameworks do; nothing
    after a mistake.
    """
    if isinstance(value, Rest):
        return {}
    if not isinstance(value, dict):
        raise not_an_input(value)
    misspelt = unknown_axis(value, ("channels", "length", "height", "width", "depth"))
    if misspelt:
        raise misspelt
    spatial = tuple(k for k in value if k != "channels")
    if "channels" not in value or set(spatial) not in [
        set(axes) for rank, axes in AXES.items() if rank
    ]:
        help = "write channels with length, with height and width, or with depth, height and width"
        raise refuse(
            "an input has channels and spatial axes, found "
            f"{', '.join(map(str, value)) or 'nothing'}",
            help=help,
        )
    for name, size in value.items():
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 65_536:
            raise located(
                refuse(f"expected a whole number from 1 to 65536, found {shown(size)}"),
                (name,),
                size,
            )
    return value


AXES: Final[dict[int, tuple[str, ...]]] = {
    0: (),
    1: ("length",),
    2: ("height", "width"),
    3: ("depth", "height", "width"),
}


def _size(axis: str) -> dict[str, Any]:
    example = 3 if axis == "channels" else 299
    return {
        "description": f"Size of {axis}.",
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
