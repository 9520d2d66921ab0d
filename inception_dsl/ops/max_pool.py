"""Max pooling."""

from typing import ClassVar, Literal

from .pool import Pool


class MaxPool(Pool):
    """The largest value in the window; padding never wins."""

    kind: ClassVar[str] = "max_pool"
    summary: ClassVar[str] = "largest value in a window"
    example: ClassVar[str] = "{op: max_pool, kernel_size: 3, stride: 2, padding: valid}"

    op: Literal["max_pool"]
