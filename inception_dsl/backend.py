"""The only door for backends: everything that a backend package may import from the compiler.

A backend is a :class:`Backend` value that a distribution announces under the entry point group
``inception_dsl.backends``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

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


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a weight of the spec lives in a framework's model.

    ``path`` is its name in the spec, ``key`` its name in the model, ``layout`` the word by which the runner converts
    between the neutral layout (see :class:`~inception_dsl.values.Weight`) and the framework's.
    """

    path: str
    key: str
    layout: str


class Model(Protocol):
    """A model that a runner holds. Arrays are NumPy's, channels last, with a batch axis; weights are named by path."""

    def weights(self) -> dict[str, Any]:
        """Every variable in the neutral layout."""

    def load(self, weights: Mapping[str, Any]) -> None:
        """Set every variable; raises ``KeyError`` or ``ValueError`` if one is missing, left over or misshapen."""

    def parameters(self) -> tuple[int, int]:
        """Trainable and other parameters, as the framework counts them."""

    def forward(self, x: Any, *, training: bool = False) -> dict[str, Any]:
        """The outputs by name; in training mode those of the auxiliary heads too (dropout off, batch statistics on)."""

    def boundaries(self, x: Any) -> dict[str, Any]:
        """The output of every used block by path, in inference."""


class Runner(Protocol):
    """What the module named by :attr:`Backend.runner` offers."""

    def create(self, typed: TypedProgram, source: str, dtype: str) -> Model:
        """A model from emitted source; ``dtype`` is ``float32`` or ``float64``."""


__all__ = ["API_VERSION", "GROUP", "Backend", "Report", "Span", "TypedProgram"]
