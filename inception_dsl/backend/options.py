"""Options: what a helper of a generated file takes as arguments, of all that its calls say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence

from ..emit.pycode import Code
from .scope import Read


def varying(
    calls: Sequence[Mapping[str, Code | None]], always: Container[str] = ()
) -> dict[str, Code | None]:
    """The options that are arguments, each with its default: the most common value that means the
    same everywhere.

    An option that has one value in all calls is none of them; a value of ``None`` is as good as any
    other. The default is ``None`` where the option has to be given, as those in ``always`` have.
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
    """The most common of the values that read no name of their scope."""
    counts = Counter(value for value in values if not isinstance(value, Read))
    return counts.most_common(1)[0][0] if counts else None
