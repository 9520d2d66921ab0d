"""Numbers, ranges and durations of recipes, and which fields an optimizer or a schedule has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from pydantic_core import PydanticCustomError

from ..diagnostics.words import listed
from ..ops import Fields
from ..ops.fields.kinds import MAX_COUNT, boolean
from ..ops.fields.numbers import integer, real
from ..ops.fields.refusal import Checked, did_you_mean, located, refuse, shown
from ..types.optimizers import UNITS, Kind

MAX_RUN: Final = 10**9
"""The largest number of steps, epochs or samples."""
_COUNT: Final = {"type": "integer", "minimum": 1, "maximum": MAX_RUN}
_SPAN: Final = {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_RUN}


def _list_of(one: Any) -> Any:
    """A check for a list of values, each of which ``one`` checks."""

    def check(value: Any) -> Any:
        if not isinstance(value, list) or not value:
            write = f"[{value}]" if isinstance(value, int | float) else ""
            message = f"expected a list of numbers, found {shown(value)}"
            raise refuse(message, help=write and f"write `{write}`", write=write)
        return tuple(_located(one, v, i) for i, v in enumerate(value))

    return check


def _located(check: Any, value: Any, index: int) -> Any:
    try:
        return check(value)
    except PydanticCustomError as error:
        raise located(error, (index,), value) from None


def _range(low: float, high: float) -> Any:
    """A check for two numbers in a range."""
    one = real(low, high, open_low=low == 0)

    def check(value: Any) -> Any:
        if not isinstance(value, list) or len(value) != 2:
            raise refuse(f"expected the smallest and the largest value, found {shown(value)}")
        return tuple(_located(one, v, i) for i, v in enumerate(value))

    return check


def _between(high: float) -> dict[str, Any]:
    number = {"type": "number", "exclusiveMinimum": 0, "maximum": high}
    return {"type": "array", "items": number, "minItems": 2, "maxItems": 2}


Samples = Annotated[int, Checked(integer(1, MAX_RUN), _COUNT)]
Duration = Annotated[float, Checked(real(0, MAX_RUN, open_low=True), _SPAN)]
Share = Annotated[
    float,
    Checked(real(0, 1, open_high=True), {"type": "number", "minimum": 0, "exclusiveMaximum": 1}),
]
Amount = Annotated[float, Checked(real(0, 1e6), {"type": "number", "minimum": 0, "maximum": 1e6})]
Hue = Annotated[float, Checked(real(0, 0.5), {"type": "number", "minimum": 0, "maximum": 0.5})]
AtEpochs = Annotated[
    tuple[float, ...],
    Checked(
        _list_of(real(0, MAX_RUN, open_low=True)), {"type": "array", "items": _SPAN, "minItems": 1}
    ),
]
AtSteps = Annotated[
    tuple[int, ...],
    Checked(_list_of(integer(1, MAX_RUN)), {"type": "array", "items": _COUNT, "minItems": 1}),
]
Area = Annotated[tuple[float, float], Checked(_range(0, 1), _between(1))]
Ratio = Annotated[tuple[float, float], Checked(_range(0, 1_000), _between(1_000))]
Replicas = Annotated[
    int, Checked(integer(1, MAX_COUNT), {"type": "integer", "minimum": 1, "maximum": MAX_COUNT})
]
Switch = Annotated[bool, Checked(boolean, {"type": "boolean"})]
NOTE: Final = "Source of these settings, or how they differ from it."
"""The text of `note`."""


def spelled(field: str) -> tuple[str, ...]:
    """The fields of a mapping for a field of a :class:`Kind`: durations have one for each unit."""
    return tuple(f"{field}_{unit}" for unit in UNITS) if field in ("every", "at") else (field,)


def only(given: Fields, kind: Kind, name: str, common: tuple[str, ...]) -> None:
    """Reports a field that the optimizer or schedule ``name`` does not have."""
    known = [*common, *(own for field in kind.fields for own in spelled(field))]
    for field in type(given).model_fields:
        if field in given.model_fields_set and field not in known:
            if getattr(given, field) is None:
                continue  # `null`: it is not there
            meant = did_you_mean(field, (), f"fields of `{name}`: {listed(known[1:])}")
            error = refuse(f"`{name}` has no field `{field}`", code="E201", meant=meant)
            raise located(error, (field, "[key]"), None)


def rules(
    kinds: Mapping[Any, Kind], fields: Iterable[str], common: tuple[str, ...], *, needed: bool
) -> list[dict[str, Any]]:
    """The JSON Schema of what :func:`only` checks, and whether ``needed`` fields are written."""
    found = []
    for name, kind in kinds.items():
        known = {*common, *(own for field in kind.fields for own in spelled(field))}
        then: dict[str, Any] = {
            "properties": {field: {"type": "null"} for field in fields if field not in known}
        }
        if needed and kind.needed:
            each = [[{"required": [own]} for own in spelled(field)] for field in kind.needed]
            then["allOf"] = [{"anyOf": options} for options in each]
        is_it = {"properties": {"name": {"const": name}}, "required": ["name"]}
        found.append({"if": is_it, "then": then})
    return found
