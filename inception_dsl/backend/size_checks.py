"""The check of the input's size, for backends that print Python."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from ..analysis.size_conditions import AxisSizes, Gap
from ..analysis.size_words import axes_of, pixels, together
from ..analysis.sizes import RunningSizes, Sizes
from ..emit.pycode import WIDTH, Code
from ..ir.typed import TypedProgram
from ..types.tensor import AXES

When: TypeAlias = Literal["", "head", "heads"]
_SUBJECT: dict[When, str] = {"": "", "head": " with its head", "heads": " with auxiliary heads"}


class SizeRule(NamedTuple):
    """Sizes that run: always (``when`` is empty), with the head, or with the auxiliary heads."""

    when: When
    sizes: Sizes

    @property
    def needs(self) -> str:
        """Who needs which sizes, as the end of a sentence whose subject is the network."""
        return f"{_SUBJECT[self.when]} needs {pixels(self.sizes)}"

    @property
    def advice(self) -> str:
        """What to do about another size, as the end of the sentence."""
        fixed = any(axis.fixed for axis in self.sizes)
        ways = ["set aux_logits=False"] if self.when == "heads" else []
        ways += ["compile the spec for this size with --input"] if fixed else []
        return f"; {' or '.join(ways)}" if ways else ""


def size_rules(sizes: RunningSizes, *, features: bool) -> tuple[SizeRule, ...]:
    """The rules that say something; ``features``: the network also runs without its head."""
    stages: list[SizeRule] = [SizeRule("", sizes.features)] if features else []
    stages.append(SizeRule("head" if features else "", sizes.inference))
    stages.append(SizeRule("heads", sizes.training))
    before: Sizes = (AxisSizes(1),) * len(sizes.inference)
    found = []
    for rule in stages:
        if rule.sizes != before:
            found.append(rule)
        before = rule.sizes
    return tuple(found)


def size_checks(
    rules: Sequence[SizeRule], flags: Mapping[When, str], name: str, got: str, unknown: str = ""
) -> tuple[Code, ...]:
    """Lines that raise a ``ValueError`` for a size that does not run.

    They read a variable for each axis, called as in :data:`AXES`, and the ``flags``. Messages are
    parts of f-strings: ``name`` is the network's, ``got`` its size. ``unknown`` is a test for sizes
    that are not known yet.
    """
    lines: list[str] = []
    known: Sizes = ()
    for rule in rules:
        named = dict(zip(AXES[len(rule.sizes)], rule.sizes, strict=True))
        tests = [test for axis, sizes in named.items() if (test := _outside(axis, sizes))]
        if unknown and any(sizes.fixed for sizes in rule.sizes):
            tests.insert(0, unknown)
        if tests:
            lines += _condition("if", flags[rule.when], tests, 4)
            lines += _raised(f"{name}{rule.needs}, got {got}{rule.advice}", 8)
        subject = f"{name}{_SUBJECT[rule.when]}"
        for sizes in dict.fromkeys(rule.sizes):
            if sizes.gaps and sizes.gaps not in [other.gaps for other in known]:
                axes = [axis for axis, other in named.items() if other == sizes]
                lines += _loop(axes, sizes, flags[rule.when], subject)
        known = rule.sizes
    return tuple(map(Code, lines))


def unequal_sizes(
    typed: TypedProgram, name: str, inputs: Sequence[str], axes: Sequence[int], tests: Sequence[str]
) -> tuple[Code, ...]:
    """Lines that raise a ``ValueError`` if one of the ``tests`` for unequal sizes holds.

    ``inputs`` must have the same sizes on ``axes``.
    """
    text = f"{together(inputs)} of {name} need the same {axes_of(typed, axes)}"
    return tuple(map(Code, [*_condition("if", "", tests, 4), *_raised(text, 8)]))


def _loop(axes: Sequence[str], sizes: AxisSizes, flag: str, subject: str) -> list[str]:
    """Lines that check the gaps of some axes."""
    lines = [
        f"    for size in ({', '.join(axes)}{',' * (len(axes) == 1)}):",
        "        below, above = size, size",
    ]
    for side, sign in (("below", "-"), ("above", "+")):
        tests = [_inside(side, gap, sizes.least) for gap in sizes.gaps]
        lines += _condition("while", flag, tests, 8)
        lines.append(f"            {side} {sign}= 1")
    text = (
        f"{subject} does not run on {{size}} pixels; the nearest sizes that it runs on are"
        " {below} and {above}"
    )
    return [*lines, "        if below < above:", *_raised(text, 12)]


def _outside(axis: str, sizes: AxisSizes) -> str:
    """The test for a size below the smallest or above the largest; empty if there is none."""
    least, most = sizes.least, sizes.most
    if most is None:
        return f"{axis} < {least}" if least > 1 else ""
    return f"{axis} != {least}" if least == most else f"not {least} <= {axis} <= {most}"


def _inside(size: str, gap: Gap, least: int) -> str:
    """The test for a size in a gap; ``least`` is the smallest size that runs."""
    start, length, period = gap
    if not period:
        return f"{start} <= {size} < {start + length}" if length > 1 else f"{size} == {start}"
    rest, first = f"{size} % {period}", start % period
    if length == 1:
        test = f"{rest} == {first}"
    elif first + length > period:
        test = f"({size} + {period - first}) % {period} < {length}"
    elif first + length == period:
        test = f"{rest} >= {first}"
    else:
        test = f"{first} <= {rest} < {first + length}" if first else f"{rest} < {length}"
    earlier = start - period + length > least  # the period does not go on below the first gap
    return f"({size} >= {start} and {test})" if earlier else test


def _condition(keyword: str, flag: str, tests: Sequence[str], indent: int) -> list[str]:
    """``if flag and (test or test):``, broken into lines if it is too wide."""
    pad, joined = " " * indent, " or ".join(tests)
    inner = f"({joined})" if flag and len(tests) > 1 else joined
    one = f"{pad}{keyword} {f'{flag} and ' if flag else ''}{inner}:"
    if len(one) <= WIDTH:
        return [one]
    first, *others = tests
    opening = f"{flag} and (" if flag else "("
    if len(f"{pad}    {joined}") <= WIDTH:
        return [f"{pad}{keyword} {opening}", f"{pad}    {joined}", f"{pad}):"]
    return [
        f"{pad}{keyword} {opening}",
        f"{pad}    {first}",
        *(f"{pad}    or {test}" for test in others),
        f"{pad}):",
    ]


def raised(text: str, indent: int) -> Code:
    """The statement that raises a ``ValueError`` with a text that is the inside of an f-string."""
    return Code("\n".join(_raised(text, indent)))


def _raised(text: str, indent: int) -> list[str]:
    """Lines that raise a ``ValueError`` with a text that is the inside of an f-string."""
    pad = " " * indent
    form = "f" * ("{" in text)
    one = f'{pad}raise ValueError({form}"{text}")'
    if len(one) <= WIDTH:
        return [one]
    whole = f'{pad}    {form}"{text}"'
    if len(whole) <= WIDTH:
        return [f"{pad}raise ValueError(", whole, f"{pad})"]
    parts = textwrap.wrap(text, WIDTH - indent - 9, break_on_hyphens=False)
    ends = [f"{part} " for part in parts[:-1]] + parts[-1:]
    lines = [f'{pad}    {"f" * ("{" in part)}"{part}"' for part in ends]
    return [f"{pad}raise ValueError(", *lines, f"{pad})"]
