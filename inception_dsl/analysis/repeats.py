"""How often steps are repeated."""

from __future__ import annotations

from ..ir.program import Node
from ..ops import ROUNDED, Computed
from ..ops.fields.refusal import shown
from .evaluate import Values
from .outputs import Outputs

MAX_LAYERS = 10_000  # ResNet-1202 has less than half of it


class Repeats(Outputs):
    """Evaluates the repetitions of steps."""

    def repeat(self, node: Node, values: Values) -> int | None:
        """How often a step is repeated; ``None`` if the value has an error."""
        value = self.evaluate(node.repeat, node.origin.below("repeat"), values)
        if value is None:
            return None
        if isinstance(value, Computed):
            value = value.as_integer()
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.error(
                "E203",
                f"expected an integer >= 0 for `repeat`, found {shown(value)}",
                node.origin.span("repeat"),
                help=ROUNDED if isinstance(value, Computed) else "",
            )
            return None
        if value > MAX_LAYERS:
            span = node.origin.span("repeat")
            self.error(
                "E309", f"`repeat: {value}` expands to more than {MAX_LAYERS:,} layers", span
            )
            return None
        return value
