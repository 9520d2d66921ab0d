"""The losses that an output with targets of its own may have."""

from typing import Literal, TypeAlias

LossKind: TypeAlias = Literal["cross_entropy", "binary_cross_entropy", "mean_squared_error"]
"""Cross-entropy takes class indices, the others numbers; both cross-entropies take logits."""
