"""Numbers, ranges and durations of recipes, and the errors of fields that contradict each other."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import ValidationError

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
    """A check for a list of increasing values, each of which ``one`` checks."""

    def check(value: Any) -> Any:
        if not isinstance(value, list) or not value:
            write = f"[{value}]" if isinstance(value, int | float) else ""
            message = f"expected a list of numbers, found {shown(value)}"
            raise refuse(message, help=write and f"write `{write}`", write=write)
        found = tuple(_located(one, v, i) for i, v in enumerate(value))
        wrong = next((i for i in range(1, len(found)) if found[i] <= found[i - 1]), None)
        if wrong is not None:
            message = f"expected a number > {found[wrong - 1]:g}, found {shown(value[wrong])}"
            raise located(refuse(message), (wrong,), value[wrong])
        return found

    return check


def _located(check: Any, value: Any, index: int) -> Any:
    try:
        return check(value)
    except Exception as error:
        raise located(error, (index,), value) from None  # type: ignore[arg-type]


def _range(low: float, high: float) -> Any:
    """A check for two numbers in a range, the smaller one first."""
    one = real(low, high, open_low=low == 0)

    def check(value: Any) -> Any:
        if not isinstance(value, list) or len(value) != 2:
            raise refuse(f"expected the smallest and the largest value, found {shown(value)}")
        found = tuple(_located(one, v, i) for i, v in enumerate(value))
        if found[0] > found[1]:
            write = f"[{value[1]}, {value[0]}]"
            message = "the smallest value is first"
            raise refuse(message, help=f"write `{write}`", write=write)
        return found

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


def contradiction(path: tuple[str, ...], message: str, help: str = "") -> ValidationError:
    """The error of the field at ``path`` that contradicts another one."""
    return located(refuse(message, code="E210", help=help), path, None)


def one_unit(given: Fields, stem: str = "") -> None:
    """Reports that a duration is in epochs and in steps."""
    epochs, steps = (f"{stem}{unit}" for unit in UNITS)
    if getattr(given, epochs) is not None and getattr(given, steps) is not None:
        message = f"`{epochs}` and `{steps}` are both set"
        help = f"remove one of them, in an overlay with `{epochs}: null`"
        raise contradiction((steps,), message, help)


def only(given: Fields, kind: Kind, name: str, common: tuple[str, ...]) -> None:
    """Reports a field that the optimizer or schedule ``name`` does not have."""
    own = [f"{f}_{u}" for f in kind.fields if f in ("every", "at") for u in UNITS]
    known = [*common, *(f for f in kind.fields if f not in ("every", "at")), *own]
    for field in type(given).model_fields:
        if field in given.model_fields_set and field not in known:
            if getattr(given, field) is None:
                continue  # `null`: it is not there
            meant = did_you_mean(field, (), f"fields of `{name}`: {listed(known[1:])}")
            error = refuse(f"`{name}` has no field `{field}`", code="E201", meant=meant)
            raise located(error, (field, "[key]"), None)
