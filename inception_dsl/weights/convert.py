"""Converts weights between the neutral format and the formats of the frameworks.

A backend's runner creates the model and reads or writes the files of its framework. Weights are
matched by their paths in the spec. Output that a framework prints is discarded.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeVar

from .. import plugins
from ..backend.protocol import Backend, Model, Runner
from ..build.write import followed, write_all
from ..diagnostics.project import DISTRIBUTION, install
from ..diagnostics.report import Report, Span
from ..diagnostics.text import printable
from ..diagnostics.words import suggestion
from ..ir.typed import TypedProgram
from . import store
from .files import file_span, readable
from .other import other

NEUTRAL: Final = "neutral"
OWN_ERRORS: Final = (AttributeError, IndexError, KeyError, NameError, TypeError)
OTHER_MODEL: Final = (
    "use the same `--set` as for the model that saved the file; a layer that was added to it needs"
    " the name that it has in the generated model"
)
Dtype = Literal["float32", "float64"]
T = TypeVar("T")


class Framework(NamedTuple):
    """A backend whose runner is imported."""

    plugin: plugins.Plugin
    backend: Backend
    runner: Runner

    def model(self, typed: TypedProgram, dtype: str, report: Report) -> Model | None:
        """A model of the generated source, or ``None`` with errors in the report."""
        files = plugins.emit(self.plugin, self.backend, typed, report)
        if files is None:
            return None
        span = typed.program.origin.span()
        return _guarded(lambda: self.runner.create(typed, files, dtype), self, span, report)


def convert(
    typed: TypedProgram,
    source: tuple[Path, str],
    target: tuple[Path, str],
    report: Report,
    dtype: Dtype = "float32",
    progress: Callable[[str], None] = lambda _: None,
    *,
    any_network: bool = False,
) -> dict[str, Any] | None:
    """Convert the weights of ``typed`` from ``source`` to ``target``, each a path and a format.

    Returns the weights, or ``None`` with errors in the report. ``progress`` is called with a
    description of each of the two steps before it starts. ``any_network`` is that of
    :func:`~inception_dsl.weights.store.read`.
    """
    if target[1] == NEUTRAL and not store.ending(target[0], report):
        return None
    progress(f"read {source[0]}")
    found = read(*source, typed, report, dtype, any_network=any_network)
    progress(f"write {target[0]}")
    return found if found is not None and write(*target, typed, found, report, dtype) else None


def framework(name: str, option: str, report: Report) -> Framework | None:
    """The backend ``name`` with its runner; ``option`` is the option that named it."""
    known = {plugin.name: plugin for plugin in plugins.installed() if not plugin.problem}
    span = Span(f"{option} {printable(name)}", 1, 1, 1, len(name) + 1)
    report.texts[span.file] = name
    if name not in known:
        help = suggestion(name, [NEUTRAL, *known], what="known formats")
        report.error("E501", f"unknown format `{name}`", span, help=help)
        return None
    plugin = known[name]
    try:
        backend = plugins.load(plugin, plugins.installed())
    except plugins.BrokenPluginError as error:
        report.error("E502", f"cannot load the backend `{name}`: {error}", span)
        return None
    if not backend.runner:
        report.error(
            "E704",
            f"the backend `{name}` has no weight files, because it cannot run models",
            span,
        )
        return None
    for variable, value in backend.engines[0].environment if backend.engines else ():
        os.environ.setdefault(variable, value)
    with quiet():
        try:
            runner: Any = importlib.import_module(backend.runner)
        except ImportError as error:
            report.error(
                "E705",
                f"cannot import {backend.title}: {_reason(error)}",
                span,
                help=install(plugin.distribution, plugin.name, backend.title),
            )
            return None
        except Exception as error:
            report.error("E706", f"cannot import {backend.title}: {_reason(error)}", span)
            return None
    return Framework(plugin, backend, runner)


def read(
    path: Path,
    format: str,
    typed: TypedProgram,
    report: Report,
    dtype: Dtype = "float32",
    *,
    any_network: bool = False,
) -> dict[str, Any] | None:
    """The weights of ``typed`` by path, from a file in ``format``.

    ``None`` with all errors in the report if they cannot be read.
    """
    if format == NEUTRAL:
        return store.read(path, typed, report, any_network=any_network)
    if not readable(path, report):
        return None
    found = framework(format, "--from", report)
    if found is None or not _known_ending(path, found, report, reading=True):
        return None
    model = found.model(typed, dtype, report)
    if model is None or not _restored(model, path, found, typed, report):
        return None
    weights = _guarded(model.weights, found, file_span(path), report)
    return weights if weights is not None and store.fits(path, typed, weights, report) else None


def write(
    path: Path,
    format: str,
    typed: TypedProgram,
    weights: Mapping[str, Any],
    report: Report,
    dtype: Dtype = "float32",
) -> bool:
    """Write the weights of ``typed`` to a file in ``format``, atomically."""
    if format == NEUTRAL:
        return store.write(path, typed, weights, report, dtype)
    found = framework(format, "--to", report)
    if found is None or not _known_ending(path, found, report, reading=False):
        return False
    if not store.fits(path, typed, weights, report):
        return False
    if not store.in_range(path, weights, dtype, report):
        return False
    model = found.model(typed, dtype, report)
    if model is None:
        return False

    def loaded() -> dict[str, Any]:
        model.load(weights)
        return model.weights()

    held = _guarded(loaded, found, file_span(path), report)
    if held is None or not store.fits(path, typed, held, report):
        return False

    def save(temporary: Path) -> None:
        with quiet():
            try:
                model.save(temporary)
            except OSError:
                raise
            except Exception as error:
                raise OSError(f"{found.backend.title}: {_reason(error)}") from error

    return write_all({followed(path): save}, report)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Discard all output of Python and of the libraries that it calls."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        for descriptor in (1, 2):
            with contextlib.suppress(OSError):  # the descriptor may be closed
                saved = os.dup(descriptor)
                stack.callback(os.close, saved)
                stack.callback(os.dup2, saved, descriptor)
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, descriptor)
                os.close(null)
        yield


def _restored(
    model: Model, path: Path, found: Framework, typed: TypedProgram, report: Report
) -> bool:
    """Whether the model could load the file; otherwise reports why not."""

    def restore() -> str:
        try:
            model.restore(path)
        except ValueError as error:
            return str(error) or "it does not fit"
        return ""

    problem = _guarded(restore, found, file_span(path), report, untrusted=True)
    if problem:
        name = os.path.normpath(path)
        lines = (
            problem.removeprefix(str(path)).lstrip(": ").removeprefix("does not fit: ").split("; ")
        )
        kind = other(path, _start(path))
        report.error(
            "E702",
            f"{name} does not fit `{typed.program.id}` in {found.backend.title}: {len(lines)} "
            f"difference{'s'[: len(lines) > 1]}",
            file_span(path),
            notes=lines,
            help=kind.help if kind else OTHER_MODEL,
        )
    return problem == ""


def _known_ending(path: Path, found: Framework, report: Report, *, reading: bool) -> bool:
    suffixes = tuple(found.runner.SUFFIXES)
    if path.name.endswith(suffixes):
        return True
    name, title = os.path.normpath(path), found.backend.title
    kind = other(path, _start(path)) if reading else None
    if kind:
        report.error("E701", f"{name} {kind.message}", file_span(path), help=kind.help)
    else:
        message = f"{name} does not have a file name suffix of {title}"
        report.error("E704", message, file_span(path), help=f"use {' or '.join(suffixes)}")
    return False


def _start(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(8)
    except OSError:
        return b""


def _guarded(
    work: Callable[[], T], found: Framework, span: Span, report: Report, *, untrusted: bool = False
) -> T | None:
    """The result of ``work``; an exception inside the framework becomes one error.

    One that is raised in this package's own code is an internal error, so it is raised again,
    unless ``work`` reads an ``untrusted`` file, which may be corrupted in any way.
    """
    with quiet():
        try:
            return work()
        except Exception as error:
            if not untrusted and isinstance(error, OWN_ERRORS) and _own(error, found):
                raise
            report.error("E706", f"{found.backend.title} failed: {_reason(error)}", span)
            return None


def _own(error: Exception, found: Framework) -> bool:
    """Whether an exception is raised in the core, or in a runner of the same distribution."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    packages = {__name__.partition(".")[0]}
    if found.plugin.distribution == DISTRIBUTION:
        packages.add(found.backend.runner.partition(".")[0])
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in packages


def _reason(error: BaseException) -> str:
    lines = str(error).splitlines()
    return printable(f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__)
