"""Names for the types of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Array: TypeAlias = Any
Weights: TypeAlias = Mapping[str, Array]
Gradients: TypeAlias = tuple[Array, dict[str, Array]]
