"""The installed backends, found by entry points; each is imported only when it is used.

A backend that fails to load does not affect the others; the error names its distribution and the
reason. Packages are imported in a thread with a time limit, and what they print goes to standard
error.
"""

from __future__ import annotations

import contextlib
import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from traceback import walk_tb
from typing import Any, Final, NamedTuple

from .diagnostics.project import DISTRIBUTION
from .diagnostics.report import Report, Span
from .diagnostics.text import printable
from .diagnostics.words import suggestion
from .emit.mark import sealed

GROUP = "inception_dsl.backends"
MAX_SECONDS: Final = 20.0
"""Time limit for the import of a backend."""
_TARGET: Final = re.compile(r"[\w.]+\s*:\s*[\w.]+\s*(\[.*\])?")
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_SUFFIX: Final = re.compile(r"(\.[A-Za-z0-9_-]{1,16}){1,2}")
TYPE_CHECKING = False
if TYPE_CHECKING:
    from .backend.protocol import Backend
    from .ir.typed import TypedProgram


class Plugin(NamedTuple):
    """An entry point: its name, its distribution and its target (``module:attribute``).

    If the entry points of a distribution cannot be read, ``problem`` says why, and ``target`` and
    ``entry_point`` are empty.
    """

    name: str
    distribution: str
    version: str
    target: str
    entry_point: metadata.EntryPoint | None
    problem: str = ""


class BrokenPluginError(Exception):
    """A backend fails to load; the message is one line that names its distribution."""


def installed() -> tuple[Plugin, ...]:
    """All installed backends, sorted by name; none is imported."""
    try:
        found = [_plugin(point, point.dist) for point in metadata.entry_points(group=GROUP)]
    except Exception:  # one broken distribution makes the whole list fail
        found = list(_one_by_one())
    return tuple(sorted(found, key=lambda p: (p.name, p.distribution)))


def _one_by_one() -> Iterator[Plugin]:
    """The entry points of each distribution, and a plugin with a problem for each broken one."""
    seen: set[str] = set()
    for distribution in metadata.distributions():
        name, version = _identity(distribution)
        if name in seen:
            continue
        seen.add(name)
        try:
            points = distribution.entry_points.select(group=GROUP)
        except Exception as error:
            yield Plugin(
                "?", name, version, "", None, f"its entry points cannot be read: {_reason(error)}"
            )
        else:
            yield from (_plugin(point, distribution) for point in points)


def _plugin(point: metadata.EntryPoint, distribution: metadata.Distribution | None) -> Plugin:
    return Plugin(point.name, *_identity(distribution), point.value, point)


def _identity(distribution: metadata.Distribution | None) -> tuple[str, str]:
    """Name and version; without metadata the name of its folder."""
    if distribution is None:  # the entry point was created by hand
        return "unknown distribution", ""
    known: Any = None
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        known = distribution.metadata
    name, version = (
        str(known[key]) if known and key in known else "" for key in ("Name", "Version")
    )
    folder = getattr(getattr(distribution, "_path", None), "name", "unknown distribution")
    return name or str(folder), version


def load(plugin: Plugin, plugins: Sequence[Plugin]) -> Backend:
    """The backend of ``plugin``; raises :class:`BrokenPluginError`."""
    others = [p for p in plugins if p.name == plugin.name]
    if plugin.entry_point is None:
        raise BrokenPluginError(f"{plugin.distribution}: {plugin.problem}")
    if len(others) > 1:
        names = " and ".join(p.distribution for p in others)
        raise BrokenPluginError(f"{names} both provide a backend `{plugin.name}`; uninstall one")
    if not _TARGET.fullmatch(plugin.target):
        raise BrokenPluginError(
            f"{plugin.distribution}: `{printable(plugin.target)}` is not `module:attribute`"
        )
    found = _imported(plugin, plugin.entry_point)
    problem = _mismatch(found, plugin)
    if problem:
        raise BrokenPluginError(f"{plugin.distribution}: {problem}")
    backend: Backend = found
    return backend


def _imported(plugin: Plugin, point: metadata.EntryPoint) -> Any:
    """The target of the entry point, imported in a thread that is abandoned after the limit."""
    found: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(point.load())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name=f"import of {plugin.distribution}", daemon=True)
    with contextlib.redirect_stdout(sys.stderr):
        thread.start()
        thread.join(MAX_SECONDS)
    if failed:
        raise BrokenPluginError(f"{plugin.distribution}: {_reason(failed[0])}") from failed[0]
    if not found:
        raise BrokenPluginError(
            f"{plugin.distribution}: import timed out after {MAX_SECONDS:g} seconds"
        )
    return found[0]


def _reason(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "the package exits (`SystemExit`)"
    if isinstance(error, SyntaxError):
        return printable(f"syntax error in {error.filename}:{error.lineno}: {error.msg}")
    lines = str(error).splitlines()
    return printable(f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__)


def _mismatch(found: object, plugin: Plugin) -> str:
    from .backend.protocol import API_VERSION, Backend

    if not isinstance(found, Backend):
        return f"`{plugin.target}` is not a Backend but of type {type(found).__name__}"
    if found.api_version != API_VERSION:
        return (
            f"written for version {found.api_version} of the backend API, but this is "
            f"version {API_VERSION}"
        )
    if found.name != plugin.name:
        return f"the entry point is named `{plugin.name}`, but the backend `{found.name}`"
    if not _NAME.fullmatch(found.name):
        return (
            "invalid backend name: expected lower-case letters, digits, `-` and `_`, with a "
            "letter first, because it names a folder"
        )
    if not isinstance(found.suffix, str) or not _SUFFIX.fullmatch(found.suffix):
        return f"`{printable(str(found.suffix))}` is not a valid file name suffix"
    return "" if callable(found.emit) else "`emit` is not callable"


def chosen(names: Sequence[str], report: Report) -> list[tuple[Plugin, Backend]]:
    """The backends with these names, loaded; unknown and broken ones are reported."""
    plugins = installed()
    known = {p.name: p for p in plugins if not p.problem}
    backends = []
    for name in dict.fromkeys(names):
        span = Span(f"--backend {printable(name)}", 1, 1, 1, len(name) + 1)
        report.texts[span.file] = name
        if name not in known:
            help = suggestion(name, known, what="installed backends") or "no backend is installed"
            report.error("E501", f"unknown backend `{name}`", span, help=help)
            continue
        try:
            backends.append((known[name], load(known[name], plugins)))
        except BrokenPluginError as error:
            _failed(f"cannot load the backend `{name}`: {error}", span, error.__cause__, report)
    return backends


def usable() -> tuple[list[tuple[Plugin, Backend]], list[str]]:
    """All backends that load, and one line for each that fails."""
    plugins = installed()
    backends, broken = [], []
    for plugin in plugins:
        try:
            backends.append((plugin, load(plugin, plugins)))
        except BrokenPluginError as error:
            broken.append(f"skipped the backend `{printable(plugin.name)}`: {error}")
    return backends, list(dict.fromkeys(broken))


def emit(
    plugin: Plugin,
    backend: Backend,
    typed: TypedProgram,
    report: Report,
    name: str = "",
    options: Mapping[str, str] | None = None,
    *,
    train: bool = False,
    others: bool = False,
) -> dict[str, str | bytes] | None:
    """The files that ``backend`` generates for a program, by name; the main file comes first.

    ``name`` is the stem of the file names, by default the id of the program. The backend gets those
    of the ``options`` that it has; a value that only others have leaves its default. With ``train``
    it is asked for a training script, too, which is an error if it writes none; ``others`` is that
    of its request. An exception
    in the backend of another package becomes one error in the report; one in a backend of this
    package is an internal error, so it is raised.
    """
    from .backend.arguments import decided
    from .backend.protocol import Request
    from .backend.refused import supported
    from .backend.returned import not_python, unusable
    from .backend.trainable import trainable

    if not supported(backend, typed, report) or (train and not trainable(backend, typed, report)):
        return None
    span = typed.program.origin.span()
    before = len(report.diagnostics)
    stem = name or typed.program.id
    request = Request(stem, _own(backend, options or {}), train, others)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            typed = decided(typed, backend, stem)
            files = backend.emit(typed, request, report)
            found = None if files is None else dict(files)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if plugin.distribution == DISTRIBUTION and isinstance(error, Exception):
            raise
        reason = f"{plugin.distribution}: {_reason(error)}{_origin(error, plugin)}"
        _failed(f"the backend `{backend.name}` failed: {reason}", span, error, report)
        return None
    if len(report.diagnostics) > before:
        return None
    problem = unusable(found, request, backend)
    if found and not problem and plugin.distribution != DISTRIBUTION:
        problem = not_python(found)
    if found is None or problem:
        report.error("E502", f"the backend `{backend.name}` {problem}: {plugin.distribution}", span)
        return None
    if _hides(found.get(f"{stem}.py"), stem, backend, typed, report):
        return None
    return {k: sealed(v) if isinstance(v, str) else v for k, v in found.items()}


def _own(backend: Backend, options: Mapping[str, str]) -> dict[str, str]:
    """Those of the options that a backend has, and their values too."""
    known = {option.name: option.choices for option in backend.options}
    return {name: value for name, value in options.items() if value in known.get(name, ())}


def _hides(
    text: str | bytes | None, stem: str, backend: Backend, typed: TypedProgram, report: Report
) -> bool:
    """Whether a Python file would be imported in place of a module that it needs; reports it.

    Python searches the folder of a script first: beside a file ``random.py``, ``import torch``
    fails. So the packages of the framework and the modules of the standard library count too.
    """
    if not isinstance(text, str) or not (
        _is_module(stem, backend) or re.search(rf"^(?:import|from) {stem}\b", text, re.MULTILINE)
    ):
        return False
    origin, own = typed.program.origin, stem == typed.program.id
    report.error(
        "E503",
        f"the {backend.title} file {stem}.py would hide the module `{stem}`, which it needs",
        origin.span(typed.program.kind) if own else Span(origin.document.file, 1, 1, 1, 2),
        help=f"give the {typed.program.kind if own else 'file of the spec'} another name",
    )
    return True


def _is_module(stem: str, backend: Backend) -> bool:
    """Whether a framework or the standard library has a module of this name."""
    return stem in sys.stdlib_module_names or stem in backend.packages


def would_hide(name: str) -> bool:
    """Whether a generated Python file ``name`` would hide a module that it needs."""
    return any(b.suffix == ".py" and _is_module(name, b) for _, b in usable()[0])


def _failed(message: str, span: Span, error: BaseException | None, report: Report) -> None:
    """Report a backend that fails; the exception, if there is one, is kept for ``--debug``."""
    if error is not None:
        report.failures.append(error)
    help = "" if error is None else "`inception-dsl --debug ...` prints the traceback"
    report.error("E502", message, span, help=help)


def _origin(error: BaseException, plugin: Plugin) -> str:
    """The last line of the backend's own package that was running, else the last one."""
    package = plugin.target.partition(":")[0].partition(".")[0].strip()
    found = [
        (str(frame.f_globals.get("__name__", "?")), line)
        for frame, line in walk_tb(error.__traceback__)
    ]
    own = [(name, line) for name, line in found if name.partition(".")[0] == package]
    return next((f" ({name}, line {line})" for name, line in reversed(own or found)), "")
