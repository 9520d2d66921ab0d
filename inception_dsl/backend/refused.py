"""Networks that a backend cannot write: with several inputs, or steps that share weights."""

from __future__ import annotations

from ..diagnostics.report import Report
from ..ir.program import Node
from ..ir.typed import TypedProgram
from ..ir.walk import roots, sharing
from .frames import SplitError
from .protocol import Backend


def supported(backend: Backend, typed: TypedProgram, report: Report) -> bool:
    """Whether a backend can write several inputs, and all steps that share weights; reports what
    it cannot.
    """
    if typed.program.several and not backend.several_inputs:
        message = f"the backend `{backend.name}` supports only networks with one input"
        report.error("E503", message, typed.program.origin.document.key_span(("input",)))
        return False
    node = None if backend.shares else _sharer(typed)
    if node is None:
        return True
    message = f"the backend `{backend.name}` does not support `weights`"
    report.error("E503", message, node.origin.span("weights"))
    return False


def refuse_sharing(error: SplitError, typed: TypedProgram, report: Report) -> None:
    """Report that steps with the same weights need different code.

    Raises ``error`` if no steps share weights, as it has another cause then.
    """
    node = _sharer(typed)
    if node is None:
        raise error
    message = "this step and the one whose weights it has need different code"
    help = "give it weights of its own, or an input of the same size"
    report.error("E503", message, node.origin.span("weights"), help=help)


def _sharer(typed: TypedProgram) -> Node | None:
    """The first step with the weights of another one."""
    return next((step.node for chains in roots(typed) for step, _, _ in sharing(chains)), None)
