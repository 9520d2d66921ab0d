"""The check of the field `split` of a fork, and its JSON schema."""

from __future__ import annotations

from typing import Any, Final

from pydantic_core import PydanticCustomError

from ..ops.fields.kinds import EXPRESSION_SCHEMA, MAX_COUNT, expressible
from ..ops.fields.numbers import integer
from ..ops.fields.refusal import did_you_mean, located, refuse, shown, unmarked
from ..types.split import EQUAL, REST, Split

_COUNT: Final = expressible(integer(1, MAX_COUNT))
_FORMS: Final = f"`{EQUAL}`, or a list with one size for each branch"
SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {"const": EQUAL},
        {
            "type": "array",
            "minItems": 1,
            "items": {
                "anyOf": [
                    {"const": REST},
                    {"type": "integer", "minimum": 1, "maximum": MAX_COUNT},
                    EXPRESSION_SCHEMA,
                ]
            },
        },
    ]
}


def split_sizes(value: Any) -> Split:
    """Check ``equal``, or a list with a number, an expression or ``rest`` for each branch."""
    if value is None or value == EQUAL:
        return value if value is None else EQUAL
    if isinstance(value, list | tuple) and value:
        return tuple(_size(value, index) for index in range(len(value)))
    message = f"expected {_FORMS}, found {shown(value)}"
    if isinstance(value, str):
        raise refuse(message, meant=did_you_mean(value, (EQUAL,)))
    # a number may be meant as the number of parts (Keras) or as the size of each (PyTorch)
    number = isinstance(value, int) and not isinstance(value, bool)
    help = f"for parts of one size, write `split: {EQUAL}`" if number else ""
    raise refuse(message, help=help, write=EQUAL if number else "")


def _size(sizes: Any, index: int) -> Any:
    size = sizes[index]
    if isinstance(size, str) and not size.startswith("$"):
        message = f"expected a number of channels or `{REST}`, found {shown(size)}"
        if size != REST:
            error = unmarked(refuse(message, meant=did_you_mean(size, (REST,))), size)
            raise located(error, (index,), size)
        if REST in sizes[:index]:
            error = refuse(f"only one size can be `{REST}`", help="write a number of channels")
            raise located(error, (index,), size)
        return REST
    return _located_count(size, index)


def _located_count(size: Any, index: int) -> Any:
    try:
        return _COUNT(size)
    except PydanticCustomError as error:
        raise located(error, (index,), size) from None
