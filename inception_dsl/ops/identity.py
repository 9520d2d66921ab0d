"""The op that returns its input."""

from typing import ClassVar, Literal

from .base import Op


class Identity(Op):
    """Returns its input."""

    kind: ClassVar[str] = "identity"
    summary: ClassVar[str] = "returns its input"
    example: ClassVar[str] = "{op: identity}"

    op: Literal["identity"]
