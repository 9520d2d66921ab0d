"""The Python interface: a spec as an object, mistakes as exceptions."""

from __future__ import annotations

import json
import os
import warnings
from types import ModuleType
from typing import Any

from . import plugins
from .compiler import compile_spec
from .design.summary import Summary
from .diagnostics.report import Diagnostic, Report
from .diagnostics.text import printable
from .emit.module import module_from_source
from .ir.typed import TypedProgram


class SpecWarning(UserWarning):
    """The spec has something that its author may not want.

    :attr:`Network.warnings` has it with its place.
    """


class SpecError(ValueError):
    """The spec has mistakes.

    The message is what the command line prints; ``diagnostics`` are the single mistakes.
    """

    def __init__(self, report: Report) -> None:
        super().__init__(report.render())
        self.diagnostics = tuple(d for d in report if d.severity == "error")


def load(
    path: str | os.PathLike[str], *, root: str | os.PathLike[str] | None = None, **settings: Any
) -> Network:
    """The network (or the block) that the spec at ``path`` describes; raises :class:`SpecError`.

    What the spec's author may not want is warned of, as :class:`SpecWarning`.

    ``settings`` are what ``--set`` takes: parameters and fields by name, as Python values
    (``classes=10``, ``**{"training.label_smoothing": 0.0}``); ``input="224x224x3"`` is short for
    the mapping. ``root`` is the folder that the spec's files must stand in, as with ``--root``.
    """
    report = Report()
    typed = compile_spec(
        path, {name: json.dumps(value) for name, value in settings.items()}, report, root
    )
    if typed is None:
        raise SpecError(report)
    found = tuple(report)
    for one in found:
        help = f"; {one.help}" if one.help else ""
        warnings.warn(
            printable(f"{one.span}: {one.code}: {one.message}{help}"), SpecWarning, stacklevel=2
        )
    return Network(typed, report.texts, found)


class Network:
    """A compiled spec. ``typed`` is the program with every shape, for those who want to go deeper.

    ``warnings`` are what is right but may not be meant, each with its place.
    """

    def __init__(
        self,
        typed: TypedProgram,
        texts: dict[str, str] | None = None,
        warnings: tuple[Diagnostic, ...] = (),
    ) -> None:
        self.typed, self.warnings = typed, warnings
        self._texts = texts or {}

    def __repr__(self) -> str:
        return f"<Network {self.typed.program.id} on {self.typed.program.input}>"

    @property
    def name(self) -> str:
        """The id that the spec gives."""
        return self.typed.program.id

    def summary(self) -> Summary:
        """Shapes and cost: ``print`` it, or take its ``to_dict()``."""
        return Summary(self.typed)

    def files(self, backend: str) -> dict[str, str | bytes]:
        """The files that ``backend`` gives, the one to import or load first.

        Raises :class:`SpecError` where there are none.
        """
        report = Report(texts=dict(self._texts))
        for plugin, found in plugins.chosen([backend], report):
            files = plugins.emit(plugin, found, self.typed, report)
            if files is not None:
                return files
        raise SpecError(report)

    def source(self, backend: str) -> str:
        """The source that ``backend`` prints.

        Raises :class:`SpecError` where there is none, ``ValueError`` where it is no text.
        """
        from .backend.protocol import main_text

        return main_text(self.files(backend))

    def module(self, backend: str) -> ModuleType:
        """The source as an imported module; this imports the framework.

        Every call gives a module of its own.
        """
        return module_from_source(self.source(backend), f"{self.name}_{backend}")
