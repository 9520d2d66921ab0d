"""The types of op attributes: their checks, error messages and JSON schemas for editors.

Every type also accepts an expression (``$name`` or ``${…}``), which is evaluated at each use of a
block; its value is then checked.
"""

import keyword
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

from pydantic_core import PydanticCustomError

from ...types import expression
from ...types.expression import Expression
from ...types.prose import Prose
from . import guess
from .numbers import Computed, integer, real
from .paths import ID, path, step_path
from .refusal import Checked, did_you_mean, refuse, shown, unmarked

MAX_COUNT: Final = 1_000_000
MAX_KERNEL: Final = 1_024
EXPRESSION_SCHEMA: Final = {
    "type": "string",
    "pattern": r"^\$([A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z0-9_+*/%(),. -]*[A-Za-z0-9_)] *\})$",
    "maxLength": expression.MAX_LENGTH,
    "description": "A parameter, or arithmetic on parameters: + - * / // % min() max() round() "
    "floor() ceil() and parentheses.",
    "examples": ["$filters", "${in_channels // 2}"],
}
OVER: Final = ("positions", "channels")
"""What a global pool reduces to one number."""
FACTORS_OF: Final = ("channel", "layer")
"""What has a learned factor of its own."""
DROPS_OF: Final = ("element", "channel", "sample")
"""What dropout keeps or drops as a whole."""
_KEYWORDS: Final = "|".join(word for word in keyword.kwlist if word.islower())
ID_SCHEMA: Final = {
    "type": "string",
    "pattern": rf"^(?!(?:{_KEYWORDS})$)[a-z][a-z0-9_]{{0,63}}$",
    "description": "A name: lower-case letters, digits and underscores; not a Python keyword.",
    "examples": ["branch_3x3"],
}


def expressible(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A check that parses expressions, and calls ``check`` for all other values."""

    def validate(value: Any) -> Any:
        if isinstance(value, Expression):
            return value
        if expression.is_expression(value):
            try:
                return expression.parse(value)
            except expression.ExpressionError as error:
                at = (error.offset, error.length) if error.length < len(value) else (0, 0)
                raise refuse(
                    str(error), code="E207", help=error.help, write=error.write, at=at
                ) from None
        try:
            return check(value)
        except PydanticCustomError as error:
            if isinstance(value, str):
                raise unmarked(error, value) from None
            raise

    return validate


def boolean(value: Any) -> bool:
    """Check for true or false."""
    if not isinstance(value, bool):
        write = guess.truth(value)
        raise refuse(
            f"expected true or false, found {shown(value)}",
            help=write and f"write `{write}`",
            write=write,
        )
    return value


def choice(words: tuple[str, ...]) -> Callable[[Any], str]:
    """A check for one of ``words``."""

    def check(value: Any) -> str:
        if value not in words or not isinstance(value, str):
            word = "none" if value in (None, False) and "none" in words else value
            known = ", ".join(f"`{word}`" for word in words)
            message = f"expected one of {known}, found {shown(value)}"
            raise refuse(message, meant=did_you_mean(word, words))
        return value

    return check


def per_axis(low: int, high: int) -> Callable[[Any], Any]:
    """A check for an integer, or a list with one integer for each axis."""
    one = expressible(integer(low, high))

    def check(value: Any) -> Any:
        if isinstance(value, list | tuple):
            if not 1 <= len(value) <= 3:
                message = f"expected an integer, or a list of 1 to 3 integers, found {shown(value)}"
                raise refuse(message)
            return tuple(one(v) for v in value)
        if isinstance(value, bool) or not isinstance(value, int | Computed):
            write = guess.number(value, low, high) or guess.sizes(value)
            message = (
                "expected an integer, or a list with one integer for each axis, found "
                f"{shown(value)}"
            )
            raise refuse(message, help=write and f"write `{write}`", write=write)
        return one(value)

    return check


_NUMBERS: Final = (Expression, int, Computed)


def sides(value: Any) -> Any:
    """Check explicit padding: ``1``, ``[1, 2]`` (each axis) or ``[[0, 1], [2, 2]]`` (each side of
    each axis).
    """
    one = expressible(integer(0, MAX_KERNEL))
    if isinstance(value, list | tuple) and 1 <= len(value) <= 3:
        if all(isinstance(v, list | tuple) for v in value):
            if all(len(v) == 2 for v in value):
                return tuple((one(a), one(b)) for a, b in value)
        elif all(
            expression.is_expression(v) or isinstance(v, Expression | int | Computed) for v in value
        ):
            return tuple(one(v) for v in value)
    elif isinstance(value, _NUMBERS) and not isinstance(value, bool):
        return one(value)
    raise refuse(f"invalid padding: {shown(value)}", help=f"write {_PIXELS}")


_PADDINGS: Final = ("same", "valid")
_PIXELS: Final = "pixels: `1`, `[1, 2]` (each axis) or `[[0, 1], [0, 1]]` (each side of each axis)"


def any_padding(value: Any) -> Any:
    """Check for ``same``, ``valid``, or pixels."""
    if isinstance(value, str):
        if value in _PADDINGS:
            return value
        message = f"expected `same`, `valid` or pixels, found {shown(value)}"
        help = f"write `same`, `valid` or {_PIXELS}"
        raise refuse(message, meant=did_you_mean(value, _PADDINGS, help))
    return sides(value)


def identifier(value: Any) -> str:
    """Check a name: a Python identifier in lower case, as generated code uses it."""
    if not isinstance(value, str) or not ID.match(value):
        write = guess.name(value)
        help = (
            "names have lower-case letters, digits and underscores, start with a letter, and have "
            "at most 64 characters"
        )
        help = f"write `{write}`; {help}" if write else help
        raise refuse(f"invalid name: {shown(value)}", code="E206", help=help, write=write)
    if keyword.iskeyword(value):
        message, write = f"invalid name: `{value}` is a Python keyword", f"{value}_"
        raise refuse(message, code="E206", help=f"write `{write}`", write=write)
    return value


def text(value: Any) -> Prose:
    """Check for text; numbers become text."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        write = guess.listed(value)
        help = write and f"write `{write}`"
        raise refuse(f"expected text, found {shown(value)}", help=help, write=write)
    return Prose(str(value))


def texts(value: Any) -> tuple[Prose, ...]:
    return tuple(map(text, value)) if isinstance(value, list | tuple) else (text(value),)


def _schema(base: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [base, EXPRESSION_SCHEMA]}


def _integer_schema(low: int, high: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": low, "maximum": high}


def _list_schema(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": 1, "maxItems": 3}


def _per_axis_schema(low: int, high: int) -> dict[str, Any]:
    item = {"anyOf": [_integer_schema(low, high), EXPRESSION_SCHEMA]}
    return {"anyOf": [_integer_schema(low, high), _list_schema(item), EXPRESSION_SCHEMA]}


_SIDE: Final = _integer_schema(0, MAX_KERNEL)
_ONE_SIDE: Final = {"anyOf": [_SIDE, EXPRESSION_SCHEMA]}
_PAIR: Final = {"type": "array", "items": _ONE_SIDE, "minItems": 2, "maxItems": 2}
_SIDES: Final = [_SIDE, _list_schema(_ONE_SIDE), _list_schema(_PAIR)]

Id = Annotated[str, Checked(identifier, ID_SCHEMA)]
Text = Annotated[Prose, Checked(text, {"type": ["string", "number"]})]
Path = Annotated[str, Checked(path, {"type": "string", "minLength": 1, "maxLength": 1024})]
StepPath = Annotated[
    str,
    Checked(
        step_path,
        {"type": ["string", "integer"], "pattern": r"^[a-z0-9_]+(/[a-z0-9_]+)*$"},
    ),
]
Texts = Annotated[
    tuple[Prose, ...],
    Checked(
        texts,
        {
            "anyOf": [
                {"type": ["string", "number"]},
                {"type": "array", "items": {"type": ["string", "number"]}},
            ]
        },
    ),
]
Count = Annotated[
    int, Checked(expressible(integer(1, MAX_COUNT)), _schema(_integer_schema(1, MAX_COUNT)))
]
Repeat = Annotated[int, Checked(expressible(integer(0, 10**9)), _schema(_integer_schema(0, 10**9)))]
Kernel = Annotated[
    int | tuple[int, ...],
    Checked(expressible(per_axis(1, MAX_KERNEL)), _per_axis_schema(1, MAX_KERNEL)),
]
MorePixels = Annotated[
    int | tuple[int, ...],
    Checked(expressible(per_axis(0, MAX_KERNEL)), _per_axis_schema(0, MAX_KERNEL)),
]
AnyPadding = Annotated[
    Any,
    Checked(expressible(any_padding), _schema({"anyOf": [{"enum": ["same", "valid"]}, *_SIDES]})),
]
Sides = Annotated[Any, Checked(expressible(sides), _schema({"anyOf": _SIDES}))]
Flag = Annotated[bool, Checked(expressible(boolean), _schema({"type": "boolean"}))]
Rate = Annotated[
    float,
    Checked(
        expressible(real(0, 1, open_high=True)),
        _schema({"type": "number", "minimum": 0, "exclusiveMaximum": 1}),
    ),
]
Share = Annotated[
    float, Checked(expressible(real(0, 1)), _schema({"type": "number", "minimum": 0, "maximum": 1}))
]
Positive = Annotated[
    float,
    Checked(
        expressible(real(0, 1e6, open_low=True)),
        _schema({"type": "number", "exclusiveMinimum": 0, "maximum": 1e6}),
    ),
]
Real = Annotated[
    float,
    Checked(
        expressible(real(-1e6, 1e6)), _schema({"type": "number", "minimum": -1e6, "maximum": 1e6})
    ),
]
Over = Annotated[str, Checked(expressible(choice(OVER)), _schema({"enum": list(OVER)}))]
FactorOf = Annotated[
    str, Checked(expressible(choice(FACTORS_OF)), _schema({"enum": list(FACTORS_OF)}))
]
DropOf = Annotated[str, Checked(expressible(choice(DROPS_OF)), _schema({"enum": list(DROPS_OF)}))]
# without expressions: fields outside of blocks, where no parameters are known
PlainCount = Annotated[int, Checked(integer(1, MAX_COUNT), _integer_schema(1, MAX_COUNT))]
Fraction = Annotated[float, Checked(real(0, 1), {"type": "number", "minimum": 0, "maximum": 1})]
Factor = Annotated[
    float,
    Checked(real(0, 1e6, open_low=True), {"type": "number", "exclusiveMinimum": 0, "maximum": 1e6}),
]
Constant = Annotated[
    float, Checked(real(-1e6, 1e6), {"type": "number", "minimum": -1e6, "maximum": 1e6})
]

Function: TypeAlias = Literal[
    "none",
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "gelu",
    "silu",
    "hard_swish",
    "sigmoid",
    "tanh",
    "softmax",
]
FUNCTIONS: Final[tuple[str, ...]] = get_args(Function)
SLOPES: Final = {"leaky_relu": 0.01, "elu": 1.0}
"""The default of ``alpha`` for each function that has it, as in PyTorch."""
ActivationName = Annotated[
    str, Checked(expressible(choice(FUNCTIONS)), _schema({"enum": list(FUNCTIONS)}))
]
ORDERS: Final = ("channels_last", "channels_first")
"""How the values of a block of pixels become channels."""
Order = Annotated[str, Checked(expressible(choice(ORDERS)), _schema({"enum": list(ORDERS)}))]
BlockSize = Annotated[
    int, Checked(expressible(integer(1, MAX_KERNEL)), _schema(_integer_schema(1, MAX_KERNEL)))
]
METHODS: Final = ("nearest", "linear")
UpsampleMethod = Annotated[
    str, Checked(expressible(choice(METHODS)), _schema({"enum": list(METHODS)}))
]
