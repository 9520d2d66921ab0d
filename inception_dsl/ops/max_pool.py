"""Max pooling."""

from typing import ClassVar, Literal

from .pool import Pool


class MaxPool(Pool):
    """The maximum of each window; padding counts as minus infinity."""

    kind: ClassVar[str] = "max_pool"
    summary: ClassVar[str] = "max pooling"
    example: ClassVar[str] = "{op: max_pool, kernel_size: 3, stride: 2, padding: valid}"

    op: Literal["max_pool"]
