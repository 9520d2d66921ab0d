"""The field ``allow``: a list of warning codes to silence."""

from typing import Annotated, Any, Final

from pydantic_core import InitErrorDetails, ValidationError

from ...diagnostics.codes import CODES, WARNINGS
from ...diagnostics.words import nearest
from .refusal import Checked, refuse, shown

CODES_SCHEMA: Final = {
    "type": "array",
    "items": {"enum": list(WARNINGS)},
    "description": "Warning codes.",
    "examples": [["W403"]],
}


def codes(value: Any) -> tuple[str, ...]:
    """Validates a list of warning codes; each invalid code is an error of its own."""
    if not isinstance(value, list | tuple):
        help = f"write `[{value}]`" if isinstance(value, str) and value in WARNINGS else ""
        raise refuse(f"expected a list of warning codes, found {shown(value)}", help=help)
    wrong = []
    for index, code in enumerate(value):
        if isinstance(code, str) and code in WARNINGS:
            continue
        best = nearest(code, WARNINGS) if isinstance(code, str) else None
        error = refuse(
            f"unknown warning code: {shown(code)}",
            help=f"did you mean `{best}`?" if best else f"known codes: {', '.join(WARNINGS)}",
        )
        if isinstance(code, str) and code in CODES:
            error = refuse(f"`{code}` is an error, and only warnings can be allowed")
        wrong.append(InitErrorDetails(type=error, loc=(index,), input=code))
    if wrong:
        raise ValidationError.from_exception_data("codes", wrong)
    return tuple(value)


Codes = Annotated[tuple[str, ...], Checked(codes, CODES_SCHEMA)]
