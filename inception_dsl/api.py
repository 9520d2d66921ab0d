"""The Python API: a spec as an object, its errors as exceptions."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Collection
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

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
    from .design.rewrites.attempt import Spec
    from .design.rewrites.moves import Moves
    from .design.rewrites.rewriting import Rewritten


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
    given = {name: json.dumps(value) for name, value in settings.items()}
    typed = compile_spec(path, given, report, root)
    if typed is None:
        raise SpecError(report)
    found = tuple(report)
    for one in found:
        help = f"; {one.help}" if one.help else ""
        warnings.warn(
            printable(f"{one.span}: {one.code}: {one.message}{help}"), SpecWarning, stacklevel=2
        )
    network = Network(typed, report.texts, found)
    network._loaded = _Loaded(path, given, root)
    return network


class _Loaded(NamedTuple):
    """The arguments of :func:`load`."""

    path: str | os.PathLike[str]
    settings: dict[str, str]
    root: str | os.PathLike[str] | None

    def spec(self) -> Spec:
        """The spec to be rewritten; raises :class:`SpecError`."""
        from .design.rewrites.attempt import Spec

        report = Report()
        spec = Spec(self.path, self.settings, report, self.root)
        if spec.typed is None:
            raise SpecError(report)
        return spec


class Network:
    """A compiled spec. Notebooks show it as an HTML table.

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
        self._loaded: _Loaded | None = None

    def __repr__(self) -> str:
        return f"<Network {self.typed.program.id} on {self.typed.program.taken}>"

    def _repr_html_(self) -> str:
        """What it is and costs, as a table for notebooks."""
        from .design import html  # only notebooks need it

        return html.page(self._summary.heading(), html.facts(self._summary.facts()))

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

    def rewrites(self) -> Moves:
        """The rules of :meth:`rewrite` that apply to the spec, where, and what each would save.

        ``print`` it, or read ``found``. Raises :class:`SpecError` if the spec has errors now or
        cannot be rewritten.
        """
        from .design.rewrites.moves import moves

        report = Report()
        found = moves(self._spec(), report)
        if found is None:
            raise SpecError(report)
        return found

    def rewrite(self, rule: str, at: str | Collection[str] = (), **options: Any) -> Rewritten:
        """The spec rewritten by a rule, such as ``factorise-5x5``; no file is written.

        ``at`` are the paths of steps or blocks to rewrite (the default: wherever it applies), and
        ``options`` those of the rule. ``print`` the result, or read its ``text``, ``files`` and
        ``totals``. Raises :class:`SpecError` if the rule cannot be applied, ``ValueError`` for an
        unknown rule or option.
        """
        from .design.rewrites import rule_named
        from .design.rewrites.rewriting import rewritten

        found = rule_named(rule)
        values = found.read({name: str(value) for name, value in options.items()})
        report = Report()
        paths = [at] if isinstance(at, str) else at
        result = rewritten(self._spec(), found, paths, values, report)
        if result is None:
            raise SpecError(report)
        return result

    def _spec(self) -> Spec:
        if self._loaded is None:
            raise ValueError("only a network from `load` can be rewritten: it has a file")
        return self._loaded.spec()

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
