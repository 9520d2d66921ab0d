"""Options: which settings of a generated helper become arguments, decided from all its calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence

from ..emit.pycode import Code
from .scope import Read


def varying(
    calls: Sequence[Mapping[str, Code | None]], always: Container[str] = ()
) -> dict[str, Code | None]:
    """The options that become arguments, each with its default: its most common constant value.

    An option with one value in all calls is not an argument. In a call, ``None`` means that any
    value will do; as a default, that the argument is required, as those in ``always`` are.
    """
    found: dict[str, Code | None] = {}
    for option in calls[0]:
        values = [value for call in calls if (value := call[option]) is not None]
        if option in always:
            found[option] = None
        elif len(set(values)) > 1 or any(isinstance(value, Read) for value in values):
            found[option] = common(values)
    return found


def common(values: Iterable[Code]) -> Code | None:
    """The most common of the values that read no name of their scope, if there is any."""
    counts = Counter(value for value in values if not isinstance(value, Read))
    return counts.most_common(1)[0][0] if counts else None
