"""The installed backends: listed from entry points without importing any, loaded one at a time.

A backend that cannot be loaded is one line of text, the distribution's name and the reason; it breaks nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from typing import NamedTuple

from .diagnostics import Report, Span, printable
from .emit.mark import sealed
from .words import suggestion

GROUP = "inception_dsl.backends"
TYPE_CHECKING = False
if TYPE_CHECKING:
    from .backend import Backend
    from .ir.typed import TypedProgram


class Plugin(NamedTuple):
    """An entry point: its name, the distribution that announces it, and the ``module:attribute`` it points at."""

    name: str
    distribution: str
    version: str
    target: str
    entry_point: metadata.EntryPoint


class BrokenPluginError(Exception):
    """A backend cannot be loaded; the message is one line that names its distribution."""


def installed() -> tuple[Plugin, ...]:
    """Every announced backend by name; nothing is imported."""
    found = []
    for point in metadata.entry_points(group=GROUP):
        # an entry point that was made by hand has no distribution
        name, version = (point.dist.name, point.dist.version) if point.dist else ("unknown distribution", "")
        found.append(Plugin(point.name, name, version, point.value, point))
    return tuple(sorted(found, key=lambda p: (p.name, p.distribution)))


def load(plugin: Plugin, plugins: Sequence[Plugin]) -> Backend:
    """The backend that ``plugin`` points at; raises :class:`BrokenPluginError`."""
    others = [p for p in plugins if p.name == plugin.name]
    if len(others) > 1:
        names = " and ".join(p.distribution for p in others)
        raise BrokenPluginError(f"{names} both provide a backend `{plugin.name}`; uninstall one")
    try:
        found = plugin.entry_point.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise BrokenPluginError(f"{plugin.distribution}: {_reason(error)}") from error
    problem = _mismatch(found, plugin)
    if problem:
        raise BrokenPluginError(f"{plugin.distribution}: {problem}")
    backend: Backend = found
    return backend


def _reason(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "the package exits when it is imported"
    if isinstance(error, SyntaxError):
        return f"syntax error in {error.filename}:{error.lineno}: {error.msg}"
    lines = str(error).splitlines()
    return printable(f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__)


def _mismatch(found: object, plugin: Plugin) -> str:
    from .backend import API_VERSION, Backend

    if not isinstance(found, Backend):
        return f"`{plugin.target}` is not a Backend but of type {type(found).__name__}"
    if found.api_version != API_VERSION:
        return f"written for version {found.api_version} of the backend interface, this is version {API_VERSION}"
    if found.name != plugin.name:
        return f"announced as `{plugin.name}`, but its backend is called `{found.name}`"
    return ""


def chosen(names: Sequence[str], report: Report) -> list[tuple[Plugin, Backend]]:
    """The backends called ``names``, loaded; what is unknown or broken goes into the report."""
    plugins = installed()
    known = {p.name: p for p in plugins}
    backends = []
    for name in dict.fromkeys(names):
        span = Span(f"--backend {printable(name)}", 1, 1, 1, len(name) + 1)
        report.texts[span.file] = name
        if name not in known:
            help = suggestion(name, known, what="installed") or "no backend is installed"
            report.error("E501", f"there is no backend `{name}`", span, help=help)
            continue
        try:
            backends.append((known[name], load(known[name], plugins)))
        except BrokenPluginError as error:
            report.error("E502", f"the backend `{name}` cannot be loaded: {error}", span)
    return backends


def usable() -> tuple[list[tuple[Plugin, Backend]], list[str]]:
    """Every backend that loads, and a line for each that does not."""
    plugins = installed()
    backends, broken = [], []
    for plugin in plugins:
        try:
            backends.append((plugin, load(plugin, plugins)))
        except BrokenPluginError as error:
            broken.append(f"the backend `{plugin.name}` is left out: {error}")
    return backends, list(dict.fromkeys(broken))


def emit(plugin: Plugin, backend: Backend, typed: TypedProgram, report: Report) -> str | None:
    """What ``backend`` prints of a program; a failure inside the backend is one line in the report."""
    span = typed.program.origin.span()
    before = len(report.diagnostics)
    try:
        text = backend.emit(typed, report)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        where = _place(error)
        message = f"the backend `{backend.name}` failed: {plugin.distribution}: {_reason(error)}{where}"
        report.error("E502", message, span)
        return None
    if len(report.diagnostics) > before:
        return None
    if not isinstance(text, str):
        report.error("E502", f"the backend `{backend.name}` gave no text: {plugin.distribution}", span)
        return None
    return sealed(text)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f" ({trace.tb_frame.f_globals.get('__name__', '?')}, line {trace.tb_lineno})"
