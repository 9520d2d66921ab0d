"""A convolution that becomes another op with the same attributes."""

from __future__ import annotations

from typing import Any

from ...ops import Op
from ...types.expression import Expression
from ...yaml.edits import Edits
from .convolutions import convolution
from .written import Written


def converted(written: Written, kind: type[Op], **wanted: Any) -> Edits:
    """Edits that make a convolution a step of another op.

    Its attributes stay, whatever the defaults of both ops are; those in ``wanted`` get new values.
    Attributes that the other op does not have are removed.
    """
    op, data = convolution(written.place), written.data
    assert op is not None
    own, new = {**op.attributes(), **wanted}, kind.model_fields
    given = written.defaults.get(kind.kind, {})
    gone, edits = [], [*written.set("op", kind.kind)]
    for name, value in own.items():
        if name not in new:
            gone.append(name)
            continue
        default = given.get(name, plain(new[name].default))
        found = plain(value)
        if name in ("initializer", "batch_norm"):
            continue  # as they are written
        if found == default and name in wanted:
            gone.append(name)
        elif (name not in data and found != default) or (name in data and name in wanted):
            edits += written.set(name, found)
    return (*edits, *written.without(*(name for name in gone if name in data)))


def plain(value: Any) -> Any:
    """A value as it is written: an expression as text, numbers for each axis as a list."""
    if isinstance(value, Expression):
        return value.text
    return [plain(item) for item in value] if isinstance(value, tuple) else value
