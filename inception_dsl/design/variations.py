"""What a sweep varies: names with values, and all combinations of these values.

Values are lists, ranges ``first..last:step`` whose decimals are exact, or both.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any, Final, NamedTuple

from ..diagnostics.report import Report
from ..yaml.source import parse

MAX_VARIANTS: Final = 100_000
_PRECISION: Final = 100
"""Digits in which ranges are computed: more than any two numbers that can be written have."""
_NUMBER: Final = r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?(?:[eE][+-]?[0-9]{1,2})?"
_RANGE: Final = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(?::({_NUMBER}))?")
_LIKE_A_RANGE: Final = re.compile(r"[+-]?[0-9.]+\s*\.\.|.*\.\.\s*[+-]?[0-9.]+\s*(:|$)")
_AMOUNT: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?(?:[eE]\+?[0-9]{1,2})?)([kKMGT]?)")
_UNITS: Final = {"": 0, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12}
_OPENING: Final = {"[": "]", "{": "}", "(": ")"}


class VariationError(ValueError):
    """What is varied is not valid; ``help`` says what to write instead."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message, self.help = message, help


class Variation(NamedTuple):
    """A name that ``--set`` or ``--input`` takes, and its values as they are written."""

    name: str
    values: tuple[str, ...]


class Variations:
    """All combinations of the values of several names; the last name changes first.

    Raises :class:`VariationError` if a name or a value is there twice, if a name has no values, or
    if there are more than ``MAX_VARIANTS``.
    """

    def __init__(self, varied: Sequence[Variation]) -> None:
        self.varied = tuple(varied)
        self.names = tuple(one.name for one in varied)
        for name, values in varied:
            if self.names.count(name) > 1:
                help = f"write `{name}=a,b,c` once"
                raise VariationError(f"`{name}` is varied more than once", help)
            if not values:
                raise VariationError(f"`{name}` has no values")
            if len(set(values)) < len(values):
                twice = next(v for v, count in Counter(values).items() if count > 1)
                raise VariationError(f"`{name}` has the value `{twice}` twice", "remove one")
        self.count = math.prod(len(one.values) for one in varied)
        if self.count > MAX_VARIANTS:
            raise _too_many(self.count)

    @classmethod
    def given(cls, vary: Mapping[str, str | Sequence[Any]]) -> Variations:
        """The values of each name: Python values, or a text as on the command line."""
        return cls(
            [
                Variation(n, values_of(v, n) if isinstance(v, str) else tuple(map(json.dumps, v)))
                for n, v in vary.items()
            ]
        )

    def values(self, index: int) -> tuple[str, ...]:
        """The values of a variant, in the order of the names."""
        found = []
        for one in reversed(self.varied):
            index, at = divmod(index, len(one.values))
            found.append(one.values[at])
        return tuple(reversed(found))

    def settings(self, index: int, fixed: Mapping[str, str]) -> dict[str, str]:
        """The settings of a variant: those that all have, then what is varied."""
        return {**fixed, **dict(zip(self.names, self.values(index), strict=True))}


def variation(text: str) -> Variation:
    """``NAME=VALUES``.

    Raises :class:`VariationError`, as :func:`values_of` does.
    """
    name, equals, values = text.partition("=")
    if not name or not equals:
        raise VariationError(
            f"expected NAME=VALUES, got `{text}`", "example: `width=0.5,1` or `width=0.5..2:0.25`"
        )
    return Variation(name, values_of(values, name))


def values_of(text: str, name: str) -> tuple[str, ...]:
    """The values that a list names, with those of its ranges.

    Raises :class:`VariationError` if one is missing, or a range is not valid.
    """
    found: list[str] = []
    for part in _parts(text, name):
        if not part:
            raise VariationError(f"`{name}`: a value is missing in `{text}`", _forms(name))
        found += _range(part, name)
    return tuple(found)


def bounds(text: str) -> tuple[str, str, str | None] | None:
    """First, last and step of ``first..last:step``; ``None`` if the text is no range."""
    match = _RANGE.fullmatch(text)
    return None if match is None else (match[1], match[2], match[3])


def stepped(first: str, last: str, step: str, name: str) -> tuple[str, ...]:
    """The values of a range, its last one included; exact, as decimals.

    Raises :class:`VariationError` if it is empty, or has more than ``MAX_VARIANTS``.
    """
    with localcontext(prec=_PRECISION):
        start, stop, by = Decimal(first), Decimal(last), Decimal(step)
        if not by:
            raise VariationError(f"`{name}`: the step of {first}..{last} is 0", _forms(name))
        if (stop - start) * by < 0:
            sign = "negative" if by > 0 else "positive"
            message = f"`{name}`: the range {first}..{last} with the step {step} is empty"
            raise VariationError(message, f"from {first} to {last} the step is {sign}")
        count = int((stop - start) / by) + 1
        if count > MAX_VARIANTS:
            raise _too_many(count)
        whole = all(re.fullmatch(r"[+-]?[0-9]+", text) for text in (first, step))
        digits = _digits(start, by)
        return tuple(_written(start + index * by, digits, whole) for index in range(count))


def plain(value: str) -> Any:
    """A value as data: ``0.5`` is a number, ``[1, 7]`` a list, ``331x331x3`` a text."""
    parsed = parse(value, "", Report())
    return value if parsed is None else parsed.data


def amount(text: str) -> int:
    """A number such as ``1.5G``, ``10M`` or ``600k``; k, M, G and T are powers of 1,000.

    Raises :class:`VariationError` for any other text.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        message = f"expected a number, got `{text}`"
        raise VariationError(message, "examples: `600k`, `10M`, `1.5G`, `12000000`")
    with localcontext(prec=_PRECISION):
        return int(Decimal(match[1]).scaleb(_UNITS[match[2]]))


def _parts(text: str, name: str) -> Iterator[str]:
    """What is between the commas that are not inside of brackets or quotes."""
    start, closing, quote = 0, "", ""
    for index, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in _OPENING:
            closing += _OPENING[character]
        elif closing and character == closing[-1]:
            closing = closing[:-1]
        elif character == "," and not closing:
            yield text[start:index].strip()
            start = index + 1
    if closing or quote:
        message = f"`{name}`: `{text}` has no closing `{quote or closing[-1]}`"
        raise VariationError(message, _forms(name))
    yield text[start:].strip()


def _range(text: str, name: str) -> tuple[str, ...]:
    """The values of a range, or the text itself."""
    found = bounds(text)
    if found is None:
        if _LIKE_A_RANGE.match(text):
            raise VariationError(f"`{name}`: `{text}` is not a range", _forms(name))
        return (text,)
    first, last, step = found
    if step is None:
        if not all(re.fullmatch(r"[+-]?[0-9]+", number) for number in (first, last)):
            message = f"`{name}`: the range {text} has decimals and no step"
            raise VariationError(message, f"write `{first}..{last}:STEP`")
        step = "1"
    return stepped(first, last, step, name)


def _digits(*numbers: Decimal) -> int:
    """The digits after the point that write all of these numbers exactly."""
    return max(0, *(-int(number.as_tuple().exponent) for number in numbers))


def _written(value: Decimal, digits: int, whole: bool) -> str:
    if whole:
        return str(int(value))
    text = f"{value:.{max(digits, 1)}f}"
    short = text.rstrip("0")
    return f"{short}0" if short.endswith(".") else short


def _forms(name: str) -> str:
    return f"write a list `{name}=a,b,c` or a range `{name}=first..last:step`"


def _too_many(count: int) -> VariationError:
    message = f"{count:,} variants are more than {MAX_VARIANTS:,}"
    return VariationError(message, "vary fewer values, or use a larger step")
