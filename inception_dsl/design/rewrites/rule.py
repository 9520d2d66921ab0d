"""What a rule of rewriting is: which steps it is for, its options, and its edits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ...types.expression import ExpressionError, parse
from ...yaml.edits import Edits
from .places import Place
from .written import Written

Values = Mapping[str, Any]


class Option(NamedTuple):
    """A number, or one of a few words, that a rule takes.

    ``kind`` is ``count`` (a positive integer or an expression), ``integer`` or ``number``, or the
    words. ``otherwise`` says the default; the rule computes it where ``value`` is ``None``.
    """

    name: str
    kind: str | tuple[str, ...]
    help: str
    otherwise: str
    value: Any = None

    def read(self, text: str) -> Any:
        """The value that a text means; raises ``ValueError`` with what was expected."""
        if isinstance(self.kind, tuple):
            if text not in self.kind:
                raise ValueError(f"expected {' or '.join(f'`{word}`' for word in self.kind)}")
            return text
        if self.kind != "integer" and text.startswith("$"):
            try:
                parse(text)
            except ExpressionError as error:
                raise ValueError(f"expected a number or an expression: {error}") from None
            return text
        if self.kind == "number":
            return _number(text)
        if not text.isascii() or not text.isdecimal() or not int(text[:12]) > 0 or len(text) > 9:
            also = " or an expression such as `$filters`" if self.kind == "count" else ""
            raise ValueError(f"expected an integer from 1 to 999999999{also}")
        return int(text)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value == 0:
        raise ValueError("expected a number other than 0")
    return value


class Replacement(NamedTuple):
    """The edits of a step's text, and how many steps of its chain stand for it then.

    ``own`` is the position among these of the step itself, as it is edited.
    """

    edits: Edits
    steps: int
    own: int = -1


class Rule(NamedTuple):
    """A move of the papers as an edit of a step.

    ``target`` is what it is for, in words, and ``wants`` whether a step is such. ``obstacle`` is
    why the step cannot be rewritten (empty: it can), and ``replaced`` is what replaces it.
    ``keeps``: the step's output keeps its shape. ``inside``: the text of the step itself changes.
    """

    name: str
    summary: str
    source: str
    target: str
    wants: Callable[[Place], bool]
    obstacle: Callable[[Written, Values], str]
    replaced: Callable[[Written, Values], Replacement]
    options: tuple[Option, ...] = ()
    note: str = ""
    keeps: bool = True
    inside: bool = True

    def meant(self, place: Place) -> bool:
        """Whether a step, or one of its repetitions if these differ, is one the rule is for."""
        return any(map(self.wants, place.repetitions))

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options with their defaults."""
        return {option.name: given.get(option.name, option.value) for option in self.options}

    def read(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The values of options that are given as text.

        Raises ``ValueError`` with what is wrong, and on a second line what to write instead.
        """
        known = {option.name: option for option in self.options}
        values = {}
        for name, text in given.items():
            if name not in known:
                names = ", ".join(f"`{option}`" for option in known)
                help = f"its options: {names}" if names else "it has no options"
                raise ValueError(f"`{self.name}` has no option `{name}`\n{help}")
            try:
                values[name] = known[name].read(text)
            except ValueError as error:
                about = f"{known[name].help} (default: {known[name].otherwise})"
                raise ValueError(f"`{name}`: {error}, got `{text}`\n`{name}`: {about}") from None
        return values
