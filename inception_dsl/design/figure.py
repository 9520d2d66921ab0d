"""The figure of a network, if a backend that draws figures is installed."""

from __future__ import annotations

from .. import plugins
from ..backend.protocol import Backend, main_text
from ..diagnostics.report import Report
from ..ir.typed import TypedProgram


def draws(backend: Backend) -> bool:
    """Whether a backend writes figures that browsers can show as images."""
    return backend.documents and backend.suffix == ".svg"


def figure(typed: TypedProgram) -> str:
    """The first figure of a program, as SVG; empty if no backend can draw it."""
    for plugin, backend in plugins.usable()[0]:
        files = plugins.emit(plugin, backend, typed, Report()) if draws(backend) else None
        if files:
            return main_text(files)
    return ""
