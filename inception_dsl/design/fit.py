"""The largest value of a parameter with which a network fits into limits of its cost."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ..diagnostics.report import Report
from ..language.given import StandardInput
from ..language.load import load
from .measured import Measured, Spec, Variant, totals
from .sweep import COLUMNS, FIELDS, Limits, cells
from .tables import Line, Table
from .variations import VariationError, bounds, plain, stepped

STEP: Final = "0.01"
"""Between the decimals of a range without a step."""
_DECIMALS: Final = ("0.01", "8", STEP)
_INTEGERS: Final = ("1", "4096", "1")
_AROUND: Final = 16  # values above the one that is found, which are tried too
_SPREAD: Final = 32  # values between these and the end of the range, which are tried too
_NEAR: Final = 32  # values on each side of one that is not valid, which are tried instead


class Range(NamedTuple):
    """What is varied: a name and its values, in increasing order."""

    name: str
    values: tuple[str, ...]


def range_of(text: str, spec: Spec) -> Range:
    """``NAME``, ``NAME=first..last`` or ``NAME=first..last:step``.

    Without a range: integers from 1 to 4096, or decimals from 0.01 to 8 for ``width`` and floats.
    Raises :class:`.VariationError` if the range is empty, or it is no range.
    """
    name, equals, given = text.partition("=")
    if not equals:
        first, last, step = _DECIMALS if _is_decimal(name, spec) else _INTEGERS
        return Range(name, stepped(first, last, step, name))
    found = bounds(given)
    if not name or found is None:
        message = f"expected NAME or NAME=first..last, got `{text}`"
        raise VariationError(message, "examples: `width`, `width=0.25..2`, `width=0.25..2:0.05`")
    first, last, by = found
    step = by or ("1" if all(map(_is_integer, (first, last))) else STEP)
    if Decimal(step) < 0 or Decimal(first) > Decimal(last):
        message = f"`{name}`: the range {given} does not increase"
        raise VariationError(message, f"write `{name}={last}..{first}`")
    return Range(name, stepped(first, last, step, name))


def _is_integer(text: str) -> bool:
    return text.lstrip("+-").isdigit()


def _is_decimal(name: str, spec: Spec) -> bool:
    """Whether a name has decimals as values: the field ``width``, or a parameter of type float."""
    found = load(spec.path, spec.settings, Report(), spec.root)
    declared = found.model.params.get(name) if found is not None else None
    return name == "width" if declared is None else declared.type == "float"


class Fit:
    """The result of :func:`fit`: ``print`` it, or call :meth:`to_dict`.

    ``value`` is the largest value that fits, and ``largest`` its costs; both are ``None`` if no
    value fits. ``above`` is the next larger valid value, which does not fit; ``None`` if there is
    none, as all that are larger are not valid, or the value is the last of the range.
    """

    def __init__(
        self,
        spec: Spec,
        varied: Range,
        limits: Limits,
        largest: Variant | None,
        above: Variant | None,
    ) -> None:
        self.spec, self.name, self.values, self.limits = spec, *varied, limits
        self.largest, self.above = largest, above

    @property
    def value(self) -> str | None:
        return self.largest.values[0] if self.largest else None

    @property
    def setting(self) -> str:
        """The option with the value; empty if no value fits."""
        return f"--set {self.name}={self.value}" if self.largest else ""

    @property
    def command(self) -> str:
        """The command that prints the summary of this network; empty if no value fits.

        It has all settings, so its options are those of ``build``, too.
        """
        if self.value is None:
            return ""
        path, root, settings = self.spec
        name = "-" if isinstance(path, StandardInput) else os.fspath(path)
        words = ["inception-dsl", "summary", name]
        words += ["--root", os.fspath(root)] if root is not None else []
        for field, value in {**settings, self.name: self.value}.items():
            words += ["--input", value] if field == "input" else ["--set", f"{field}={value}"]
        return shlex.join(words)

    def __bool__(self) -> bool:
        return self.largest is not None

    def __str__(self) -> str:
        table = "\n".join(self.table().text())
        return "\n".join([table, "", self.sentence(), *[self.command] * bool(self)])

    def table(self) -> Table:
        """The value that fits and the next one, with their costs."""
        found = [(one, "yes") for one in (self.largest,) if one]
        found += [(one, "no") for one in (self.above,) if one]
        lines = [Line((*cells(one), fits), heading=fits == "yes") for one, fits in found]
        return Table((self.name, *COLUMNS, "fits"), lines, 1, 1)

    def sentence(self) -> str:
        """What was found."""
        first, last = self.values[0], self.values[-1]
        limits = " and ".join(
            f"{limit:,} {name}"
            for limit, name in ((self.limits.macs, "MACs"), (self.limits.parameters, "parameters"))
            if limit is not None
        )
        if self.largest is None:
            return f"no value of `{self.name}` from {first} to {last} fits into {limits}"
        if self.value == last:
            end = f"the end of the range {first}..{last} fits into {limits}"
            return f"{end}; larger values were not tried"
        text = f"the largest `{self.name}` that fits into {limits}: {self.value}"
        return text if self.above else f"{text}; the next larger values are not valid"

    def to_dict(self) -> dict[str, Any]:
        """The data of ``inception-dsl fit -f json``."""
        return {
            "spec": str(self.spec.path),
            "name": self.name,
            "limits": {"macs": self.limits.macs, "parameters": self.limits.parameters},
            "range": [plain(self.values[0]), plain(self.values[-1])],
            "value": None if self.value is None else plain(self.value),
            "setting": self.setting or None,
            "command": self.command or None,
            "largest": _data(self.largest),
            "above": _data(self.above),
        }


def _data(one: Variant | None) -> dict[str, Any] | None:
    if one is None or one.measured is None:
        return None
    return {"value": plain(one.values[0]), **dict(zip(FIELDS, one.measured[:-1], strict=False))}


def fit(
    spec: Spec, varied: Range, limits: Limits, step: Callable[[str], None] = lambda _: None
) -> Fit:
    """The largest value that fits.

    The values are bisected, and some above the result are tried, too. If costs are found that fall
    as the value increases, all values are tried, from the largest down; else a larger value may
    still fit, if costs fall and rise again between those that were tried. ``step`` is called with
    each value before it is tried.
    """
    search = _Search(spec, varied, limits, step)
    found = search.bisected()
    search.spread(found)
    if not search.increases():
        found = next((i for i in reversed(range(len(varied.values))) if search.fits(i)), None)
    return Fit(spec, varied, limits, search.variant(found), search.above(found))


class _Search:
    def __init__(
        self, spec: Spec, varied: Range, limits: Limits, step: Callable[[str], None]
    ) -> None:
        self.spec, self.varied, self.limits, self.step = spec, varied, limits, step
        self.tried: dict[int, Measured | None] = {}

    def at(self, index: int) -> Measured | None:
        """The costs of a value; ``None`` if it is not valid."""
        if index not in self.tried:
            name, value = self.varied.name, self.varied.values[index]
            self.step(f"{name}={value}")
            self.tried[index] = totals(self.spec, {**self.spec.settings, name: value})
        return self.tried[index]

    def fits(self, index: int) -> bool:
        found = self.at(index)
        return found is not None and self.limits.allow(found)

    def variant(self, index: int | None) -> Variant | None:
        return None if index is None else Variant((self.varied.values[index],), self.at(index))

    def above(self, found: int | None) -> Variant | None:
        """The next valid value; the smallest that was tried, if none fits."""
        last = len(self.varied.values)
        near = (
            sorted(self.tried) if found is None else range(found + 1, min(found + 1 + _NEAR, last))
        )
        return self.variant(next((i for i in near if self.at(i)), None))

    def bisected(self) -> int | None:
        """The largest value that fits if costs increase with the value; ``None`` if none does."""
        end = len(self.varied.values)
        low, high = -1, end  # `low` fits, or is before all; `high` does not, or is after all
        while True:
            while high - low > 1:
                middle = self.valid((low + high) // 2, low, high)
                low, high = (middle, high) if self.fits(middle) else (low, middle)
            above = [i for i in range(low + 1, min(low + 1 + _AROUND, end)) if self.fits(i)]
            if not above:
                return None if low < 0 else low
            low, high = above[-1], end

    def valid(self, index: int, low: int, high: int) -> int:
        """A valid value near ``index``, between the two others; itself if there is none."""
        near = (index + sign * d for d in range(_NEAR + 1) for sign in (1, -1))
        return next((i for i in near if low < i < high and self.at(i)), index)

    def spread(self, found: int | None) -> None:
        """Try values above the one that is found, evenly up to the end of the range."""
        first, end = (0 if found is None else found + 1), len(self.varied.values)
        for index in range(end - 1, first, -max((end - first) // _SPREAD, 1)):
            self.at(index)

    def increases(self) -> bool:
        """Whether no value that was tried costs less than a smaller one."""
        return all(costs == sorted(costs) for costs in self.costs())

    def costs(self) -> Iterator[list[int]]:
        """The costs that have a limit, of all values that were tried, in their order."""
        found = [self.tried[i] for i in sorted(self.tried)]
        if self.limits.macs is not None:
            yield [one.macs for one in found if one]
        if self.limits.parameters is not None:
            yield [one.parameters for one in found if one]
