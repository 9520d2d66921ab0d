"""The Python API: a spec as an object, its errors as exceptions."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Collection, Mapping, Sequence
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
from .language.overridden import reject_overridden

if TYPE_CHECKING:
    from .design.compared import Difference
    from .design.fit import Fit
    from .design.rewrites.attempt import Spec
    from .design.rewrites.moves import Moves
    from .design.rewrites.rewriting import Rewritten
    from .design.sweep import Sweep


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
    ``**{"training.label_smoothing": 0.0}``; two of the same field are a ``ValueError``.
    ``input="224x224x3"`` is short for the mapping. ``root`` is the project folder, as with
    ``--root``: files outside it are rejected.
    """
    report, given = Report(), _texts(settings)
    reject_overridden(path, given, root=root)
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


def sweep(
    path: str | os.PathLike[str],
    vary: Mapping[str, str | Sequence[Any]],
    *,
    root: str | os.PathLike[str] | None = None,
    jobs: int = 1,
    **settings: Any,
) -> Sweep:
    """Compile every combination of the values in ``vary``, and compare the costs.

    ``vary`` has the values of each name that ``--set`` takes: a list of Python values, or a text
    as on the command line, ``"0.5..2:0.25"``. ``jobs`` processes compile; ``root`` and
    ``settings`` are those of :func:`load`.

    Raises :class:`SpecError` if all variants have errors, ``ValueError`` if ``vary`` is not valid.
    """
    from .design.measured import Spec
    from .design.processes import variants
    from .design.sweep import Sweep
    from .design.variations import Variations

    varied, spec = Variations.given(vary), Spec(path, root, _texts(settings))
    reject_overridden(path, spec.settings, dict(varied.varied), root)
    found = tuple(one for chunk in variants(spec, varied, jobs) for one in chunk)
    if all(one.measured is None for one in found):
        raise _error(path, varied.settings(0, spec.settings), root)
    return Sweep(os.fspath(path), varied.names, found)


def fit(
    path: str | os.PathLike[str],
    vary: str,
    *,
    macs: int | None = None,
    parameters: int | None = None,
    root: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> Fit:
    """Find the largest value with which the spec has at most so many ``macs`` and ``parameters``.

    ``vary`` is a name, or a name with a range, as on the command line: ``"width=0.25..2"``. The
    result is false if no value fits.

    Raises :class:`SpecError` if no value is valid, ``ValueError`` if ``vary`` is not, or if there
    is no limit.
    """
    from .design.fit import fit as largest
    from .design.fit import range_of
    from .design.measured import Spec
    from .design.sweep import Limits

    if macs is None and parameters is None:
        raise ValueError("expected a limit: `macs`, `parameters` or both")
    spec = Spec(path, root, _texts(settings))
    varied = range_of(vary, spec)
    reject_overridden(path, spec.settings, dict([varied]), root)
    found = largest(spec, varied, Limits(macs, parameters))
    if not found and found.above is None:
        raise _error(path, {**spec.settings, varied.name: varied.values[0]}, root)
    return found


def _texts(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings as ``--set`` has them."""
    return {name: json.dumps(value) for name, value in settings.items()}


def _error(path: str | os.PathLike[str], settings: Mapping[str, str], root: Any) -> SpecError:
    """The errors of a spec with these settings."""
    compile_spec(path, settings, report := Report(), root)
    return SpecError(report)


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
        self._loaded: _Loaded | None = None

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

    def rewrites(self) -> Moves:
        """The rules of :meth:`rewrite` that apply to the spec, where, and what each would save.

        ``print`` it, or read ``found``. Raises :class:`SpecError` if the spec has errors
        now.
        """
        from .design.rewrites.moves import Moves

        return Moves(self._spec())

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
