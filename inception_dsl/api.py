"""The Python API: a spec as an object, its errors as exceptions."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Collection
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

from . import plugins
from .analysis.cost import Layer
from .compiler import compile_spec
from .design.summary import Summary
from .diagnostics.report import Diagnostic, Report
from .diagnostics.text import printable
from .emit.module import module_from_source
from .ir.typed import TypedProgram

if TYPE_CHECKING:
    from .design.compared import Difference


class SpecWarning(UserWarning):
    """Something in the spec is valid but probably not intended.

    :attr:`Network.warnings` has the same warnings with their locations.
    """


class SpecError(ValueError):
    """The spec has errors.

    The message is the output of the command line; ``diagnostics`` has the errors one by one.
    """

    def __init__(self, report: Report) -> None:
        super().__init__(report.render())
        self.diagnostics = tuple(d for d in report if d.severity == "error")


def load(
    path: str | os.PathLike[str], *, root: str | os.PathLike[str] | None = None, **settings: Any
) -> Network:
    """Compile the network or block in the spec at ``path``.

    Raises :class:`SpecError` on errors; warnings become :class:`SpecWarning`.

    ``settings`` override parameters and fields by name, as ``--set`` does: ``classes=10``,
    ``**{"training.label_smoothing": 0.0}``. ``input="224x224x3"`` is short for the mapping.
    ``root`` is the project folder, as with ``--root``: files outside it are rejected.
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
    """A compiled spec. Notebooks show its figure and an HTML table.

    ``typed`` is the program with all shapes. ``warnings`` are the warnings with their locations.
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
        return f"<Network {self.typed.program.id} on {self.typed.program.taken}>"

    def _repr_html_(self) -> str:
        """What it is and costs, for notebooks: a figure, if a backend draws it, and a table."""
        from .design import html  # only notebooks need these
        from .design.figure import figure

        heading, svg = self._summary.heading(), figure(self.typed)
        shown = [html.image(svg, f"Figure of {heading[0]}")] if svg else []
        return html.page(heading, *shown, html.facts(self._summary.facts()))

    @property
    def name(self) -> str:
        """The id of the network or block."""
        return self.typed.program.id

    @property
    def parameters(self) -> int:
        """The number of parameters, moving statistics and auxiliary heads included."""
        return self._summary.cost.total

    @property
    def macs(self) -> int:
        """The multiply-adds for one sample, without auxiliary heads; FLOPs are twice as many."""
        return self._summary.cost.macs

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers and merges in order.

        Each has ``path``, ``op``, the types ``x`` before and ``y`` after it, ``parameters``,
        ``macs``, and ``auxiliary`` if it is in an auxiliary head.
        """
        return tuple(self._summary.layers)

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the inputs by name: spatial axes, then channels, without the batch."""
        return {name: x.shape for name, x in self.typed.program.inputs.items()}

    @property
    def outputs(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the outputs by name, those of auxiliary heads and further ones included."""
        return {name: y.shape for name, y in self.typed.outputs.items()}

    def summary(
        self, depth: int | None = None, expand: Collection[str] = (), batch: int = 1
    ) -> Summary:
        """Shapes, parameters, MACs, receptive fields: ``print`` it, or call its ``to_dict()``.

        ``depth`` is the number of levels to show (by default the top-level steps of a network),
        ``expand`` names steps of which to show all layers, and the memory is that of ``batch``
        samples.
        """
        return Summary(self.typed, depth, expand, batch)

    def diff(self, other: Network) -> Difference:
        """What differs in ``other``: ``print`` it, call its ``to_dict()``, or read ``changes``.

        It is false if the networks are the same.
        """
        from .design.compared import Difference

        return Difference(self.typed, other.typed)

    @cached_property
    def _summary(self) -> Summary:
        return Summary(self.typed)

    def files(self, backend: str) -> dict[str, str | bytes]:
        """The files that ``backend`` generates, by name; the main file comes first.

        Raises :class:`SpecError` if the backend is unknown or fails.
        """
        report = Report(texts=dict(self._texts))
        for plugin, found in plugins.chosen([backend], report):
            files = plugins.emit(plugin, found, self.typed, report)
            if files is not None:
                return files
        raise SpecError(report)

    def source(self, backend: str) -> str:
        """The source that ``backend`` generates.

        Raises :class:`SpecError` if the backend is unknown or fails, ``ValueError`` if its main
        file is not text.
        """
        from .backend.protocol import main_text

        return main_text(self.files(backend))

    def module(self, backend: str) -> ModuleType:
        """The source as an imported module; this imports the framework.

        Every call returns a new module.
        """
        return module_from_source(self.source(backend), f"{self.name}_{backend}")
