"""Specs to files. All texts are generated before the first file is written."""

from __future__ import annotations

import contextlib
import keyword
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from .. import plugins
from ..compiler import compile_spec
from ..diagnostics.report import SHIPPED, Report, Span
from ..emit.mark import state
from ..ir.typed import TypedProgram
from ..language.given import StandardInput
from ..plugins import Plugin
from .write import contents, difference, portable, remove_leftovers, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..backend.protocol import Backend

_MAX_CHARACTERS: Final = 64_000_000
UNMADE: Final = "is of an earlier build, and is not made any more"
"""What is said of a file of :func:`unmade`."""


class Order(NamedTuple):
    """What to build: ``specs`` for ``backends``, below the folder ``out``.

    Each backend gets those of the ``options`` that it has. ``train``: with training scripts;
    ``None``: with those that are there.
    """

    specs: Sequence[str | StandardInput]
    settings: Mapping[str, str]
    backends: Sequence[tuple[Plugin, Backend]]
    out: Path
    options: Mapping[str, str] = MappingProxyType({})
    train: bool | None = False


def build(
    order: Order, report: Report, progress: Callable[[str], None] = lambda _: None
) -> dict[Path, str | bytes] | None:
    """The content of every file, or ``None`` with the errors of all specs in the report.

    ``progress`` is called with every path in ``order.specs`` before it is compiled.
    """
    before = len(report.diagnostics)
    files: dict[Path, str | bytes] = {}
    origins: dict[str, str] = {}
    for given in dict.fromkeys(order.specs):
        spec = os.fspath(given)
        progress(spec)
        typed = compile_spec(given, order.settings, report)
        if typed is None:
            continue
        others = len(order.backends) > 1
        for plugin, backend in order.backends:
            stem = file_stem(spec, typed)
            path = order.out / backend.name / f"{stem}{backend.suffix}"
            if not _claim(path, spec, origins, report):
                continue
            train = _trains(order, backend, path)
            made = plugins.emit(
                plugin, backend, typed, report, stem, order.options, train=train, others=others
            )
            for file, content in (made or {}).items():
                files[path.with_name(file)] = content
                _claim(path.with_name(file), spec, origins, report)
    return files if len(report.diagnostics) == before else None


def _trains(order: Order, backend: Backend, path: Path) -> bool:
    """Whether a backend is asked for a training script beside the main file ``path``."""
    from ..backend.protocol import SCRIPT

    if order.train is None:
        return backend.trains and bool(_there(path.with_name(f"{SCRIPT}{path.name}")))
    return order.train and not backend.documents


def built(spec: str, backends: Sequence[tuple[Plugin, Backend]], out: Path) -> bool:
    """Whether a spec was built: the main file of a backend is there, or no folder can be read."""
    stem = _stem(spec)
    if not stem:
        typed = compile_spec(spec, {}, Report())
        stem = file_stem(spec, typed) if typed else ""
    found = [_there(out / b.name / f"{stem}{b.suffix}") for _, b in backends]
    return any(found) or all(there is None for there in found)


def _there(path: Path) -> bool | None:
    """Whether a file exists; ``None`` if its folder cannot be read."""
    try:
        return bool(os.stat(path))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return None


def in_use(backends: list[tuple[Plugin, Backend]], out: Path) -> list[tuple[Plugin, Backend]]:
    """The backends that a folder was built with, by the folders in it; if there are none, those
    that write source.
    """
    found = [(p, b) for p, b in backends if os.path.isdir(out / b.name)]
    return found or [(p, b) for p, b in backends if not b.documents]


def _claim(path: Path, spec: str, origins: dict[str, str], report: Report) -> bool:
    """Whether no other spec is written to ``path``; otherwise reports both specs."""
    name = str(path).casefold()  # on many file systems `V4.py` and `v4.py` are the same file
    first = origins.setdefault(name, spec)
    if first != spec:
        message = f"{spec} and {first} have the same output file {path}"
        report.error(
            "E601", message, Span(spec, 1, 1, 1, 2), help="use another `--out` for one of them"
        )
    return first == spec


def file_stem(spec: str, typed: TypedProgram) -> str:
    """The name of the spec's file, or of the shipped spec, if it is a module name; else its id.

    The result is also valid on Windows (:func:`~inception_dsl.build.write.portable`).
    """
    return _stem(spec) or portable(typed.program.id)


def _stem(spec: str) -> str:
    """The name of the spec's file, if it is a module name; else empty."""
    stem = Path(spec.removeprefix(SHIPPED)).stem
    fit = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", stem) and not keyword.iskeyword(stem)
    return portable(stem) if fit else ""


def save(files: Mapping[Path, str | bytes], report: Report, *, force: bool = False) -> list[Path]:
    """Write the files that have changed and return their paths.

    Without ``force`` it is an error to replace a file that was not generated or was edited since.
    A backend's folder that is a symbolic link is always an error. On an error nothing is written.
    """
    for folder in dict.fromkeys(path.parent for path in files):
        if os.path.islink(folder):
            message = f"the output folder {folder} is a symbolic link"
            report.error(
                "E601",
                message,
                Span(str(folder), 1, 1, 1, 2),
                help="remove the link or choose another `--out`",
            )
        remove_leftovers(folder)
    changed = {
        path: content
        for path, content in files.items()
        if difference(path, content) or os.path.islink(path)
    }
    for path in () if force else changed:
        if os.path.isfile(path) and not os.path.islink(path):
            _protect(path, report)
    return list(changed) if report.ok and write_all(changed, report, force=force) else []


def _protect(path: Path, report: Report) -> None:
    """Report a file that was not generated, or was edited since."""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            found = state(file.read(_MAX_CHARACTERS))
    except OSError as error:
        report.error(
            "E601", f"{path} cannot be read: {error.strerror}", Span(str(path), 1, 1, 1, 2)
        )
        return
    if found == "sealed":
        return
    reason = (
        "was edited since it was generated"
        if found == "edited"
        else "was not generated by inception-dsl"
    )
    help = "move the file, or replace it with `--force`"
    report.error("E603", f"{path} {reason}", Span(str(path), 1, 1, 1, 2), help=help)


def compare(files: Mapping[Path, str | bytes], report: Report) -> str:
    """A diff from the files on disk to the generated ones; empty if they are equal.

    Files of earlier builds that are not generated any more (:func:`unmade`) are errors as well.
    """
    shown = []
    for path, text in files.items():
        found = difference(path, text)
        if found:
            shown.append(found)
            problem, help = _stale(path)
            report.error("E602", f"{path} {problem}", Span(str(path), 1, 1, 1, 2), help=help)
    for path in unmade(files):
        report.error("E602", f"{path} {UNMADE}", Span(str(path), 1, 1, 1, 2), help="remove it")
    return "\n".join(shown)


def unmade(files: Mapping[Path, str | bytes]) -> list[Path]:
    """The files of earlier builds of the same specs that are not among ``files``, in order.

    Such as the figure of a block that the spec has no more. They have the mark of generated files,
    and a name that begins with that of the spec: ``v4-old.svg``, ``v4.bib``.
    """
    from ..backend.returned import FILE_NAME

    stems: dict[Path, set[str]] = {}
    for path in files:
        stems.setdefault(path.parent, set()).add(_stem_of(path.name))
    found = []
    for folder, own in stems.items():
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            names = [e.name for e in entries if e.is_file(follow_symlinks=False)]
            ours = (n for n in names if FILE_NAME.fullmatch(n) and _stem_of(n) in own)
            found += [folder / name for name in ours if folder / name not in files]
    return sorted(path for path in found if _marked(path))


def _stem_of(name: str) -> str:
    """The name of the spec in that of a file: a module name, so without ``-`` and ``.``."""
    return re.split("[-.]", name, maxsplit=1)[0]


def _marked(path: Path) -> bool:
    """Whether a file has the mark of generated files, edited or not; false if it is unreadable."""
    try:
        return _state(path) != "foreign"
    except OSError:
        return False


def _state(path: Path) -> str:
    return state(contents(path)[:_MAX_CHARACTERS].decode(errors="surrogateescape"))


def _stale(path: Path) -> tuple[str, str]:
    """Why a file is not the generated one, and what to do."""
    try:
        found = _state(path)
    except (FileNotFoundError, NotADirectoryError):
        return "is missing", "run the build, or name the backends to check with `--backend`"
    except OSError as error:
        return f"cannot be read: {error.strerror}", ""
    if found == "sealed":
        return "is not up to date", "run the build again"
    reason = "was edited" if found == "edited" else "was not generated by inception-dsl"
    return f"is not up to date and {reason}", "move the file, or run the build with `--force`"
