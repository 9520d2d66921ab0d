"""The only door for backends: everything that a backend package may import from the compiler.

A backend is a :class:`Backend` value that a distribution announces under the entry point group
``inception_dsl.backends``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .diagnostics import Report, Span
from .ir.typed import TypedProgram

API_VERSION: Final = 1
GROUP: Final = "inception_dsl.backends"


@dataclass(frozen=True, slots=True)
class Backend:
    """A backend. ``emit`` turns a typed program into the text of one file, or adds to the report and returns ``None``.

    ``title`` is the framework's name, ``suffix`` the ending of the files. ``runner`` names the module, and it alone, that
    imports the framework to run what was emitted; it is imported only then (empty where nothing can be run).
    """

    name: str
    title: str
    emit: Callable[[TypedProgram, Report], str | None]
    suffix: str = ".py"
    runner: str = ""
    api_version: int = API_VERSION


__all__ = ["API_VERSION", "GROUP", "Backend", "Report", "Span", "TypedProgram"]
