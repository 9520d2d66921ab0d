"""Steps that share weights but cannot be written as calls of one module."""

from __future__ import annotations

from ..diagnostics.report import Report
from ..ir.typed import TypedProgram
from ..ir.walk import roots, sharing
from .frames import SplitError


def refuse_sharing(error: SplitError, typed: TypedProgram, report: Report) -> None:
    """Report that steps with the same weights need different code.

    Raises ``error`` if no steps share weights, as it has another cause then.
    """
    step = next((step for chains in roots(typed) for step, _, _ in sharing(chains)), None)
    if step is None:
        raise error
    message = "this step and the one whose weights it has need different code"
    help = "give it weights of its own, or an input of the same size"
    report.error("E503", message, step.node.origin.span("weights"), help=help)
