"""Reads the files of a spec, applies ``extends``, and limits their total size."""

from __future__ import annotations

import codecs
import dataclasses
import os
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic_core import PydanticCustomError

from ..diagnostics.report import Edit, Report, Span
from ..diagnostics.words import nearest
from ..ops.fields.kinds import path as path_field
from ..yaml import source
from ..yaml.characters import MAX_CHARACTERS
from ..yaml.document import Document
from ..yaml.edits import flow
from .overlay import overlay, with_block
from .roots import OutsideError, names_inside, read_inside

MAX_EXTENDS: Final = 16
MAX_FILES: Final = 100
_LIMIT: Final = 4 * MAX_CHARACTERS + 1  # bytes; a UTF-8 character has at most 4


@dataclasses.dataclass(slots=True)
class Limits:
    """The remaining limits for all files of one spec: files, characters, values."""

    files: int = MAX_FILES
    characters: int = MAX_CHARACTERS
    values: int = source.MAX_NODES

    def another(self, span: Span, report: Report) -> bool:
        """Whether one more file, named at ``span``, may be read; reports it if not."""
        self.files -= 1
        if self.files < 0:
            report.error(
                "E301", f"a spec can have at most {MAX_FILES} files", Span(span.file, 1, 1, 1, 2)
            )
        elif self.characters < 0:
            report.error(
                "E106",
                f"the files of this spec have more than {MAX_CHARACTERS:,} characters in total",
                span,
            )
        elif self.values < 0:
            report.error(
                "E106",
                f"the files of this spec have more than {source.MAX_NODES:,} values in total",
                span,
            )
        return min(self.files, self.characters, self.values) >= 0


class Reading(NamedTuple):
    """The state shared by all files of a spec.

    ``root`` is the folder that all must be in, ``limits`` the remaining limits, and ``chain`` the
    files that extend each other, to find cycles.
    """

    report: Report
    root: Path
    limits: Limits
    chain: tuple[str, ...] = ()


def read(path: Path, reading: Reading) -> Document | None:
    """The data of the file that the user names, with ``extends`` applied."""
    span = Span(file_name(path), 1, 1, 1, 2)
    try:
        if path.is_file():
            with path.open("rb") as file:
                return _parsed(file.read(_LIMIT), path, span, reading)
        problem, help = "no such file", ""
        if path.is_dir():
            problem = "not a file but a folder"
            help = f"name the specs in it, for example `{file_name(path)}/*.yaml`"
        elif path.exists():
            problem = "not a regular file"
        elif (other := path.with_name(f"{path.name}.yaml")).is_file():
            help = f"did you mean `{file_name(other)}`?"
        reading.report.error("E101", f"{problem}: {file_name(path)}", span, help=help)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "invalid path"
        reading.report.error("E101", f"{file_name(path)} cannot be read: {reason}", span)
    return None


def read_wanted(wanted: str, span: Span, reading: Reading) -> Document | None:
    """The data of a file that the spec names at ``span``, with ``extends`` applied."""
    folder = Path(span.file).parent
    path = folder / wanted
    if not reading.limits.another(span, reading.report):
        return None
    try:
        return _parsed(read_inside(folder, wanted, reading.root, _LIMIT), path, span, reading)
    except OutsideError as error:
        reading.report.error("E301", f"{file_name(path)} {error}", span, help=error.help)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        best = _beside(folder, wanted, reading.root) if reading.report.helping else ""
        help, fix = (f"did you mean `{best}`?", [Edit(span, flow(best))]) if best else ("", [])
        reading.report.error("E301", f"no such file: {file_name(path)}", span, help=help, fix=fix)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "invalid path"
        reading.report.error("E301", f"{file_name(path)} cannot be read: {reason}", span)
    return None


def _beside(folder: Path, wanted: str, root: Path) -> str:
    """The existing spec inside the root that is probably meant by a missing one."""
    above, _, name = wanted.rpartition("/")
    found = [n for n in names_inside(folder, above, root) if n.endswith((".yaml", ".yml"))]
    best = nearest(name, found)
    return f"{above}/{best}" if best and above else best or ""


def _parsed(data: bytes, path: Path, span: Span, reading: Reading) -> Document | None:
    report = reading.report
    if len(data) >= _LIMIT:
        reading.limits.characters = -1
        report.error("E106", f"{file_name(path)} has more than {MAX_CHARACTERS:,} characters", span)
        return None
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        byte = Span(file_name(path), line, column, line, column + 1)
        report.error("E102", f"invalid UTF-8: byte 0x{data[error.start]:02X}", byte)
        return None
    reading.limits.characters -= len(text)
    document = source.parse(text, file_name(path), report)
    if document is None:
        return None
    reading.limits.values -= len(document.spans)
    if not isinstance(document.data, dict) or "extends" not in document.data:
        return document
    return _extended(document, path, reading)


def _extended(document: Document, path: Path, reading: Reading) -> Document | None:
    wanted = document.data["extends"]
    span = document.span(("extends",))
    report, chain = reading.report, reading.chain
    try:
        path_field(wanted)
    except PydanticCustomError as error:
        report.error("E203", error.message(), span)
        return None
    if len(chain) >= MAX_EXTENDS:
        report.error("E301", f"more than {MAX_EXTENDS} levels of `extends`", span)
        return None
    chain = (*chain, os.path.abspath(path))
    if os.path.abspath(path.parent / wanted) in chain:
        report.error("E301", f"{wanted} extends itself, directly or through other files", span)
        return None
    reading = reading._replace(chain=chain)
    base = read_wanted(wanted, span, reading)
    return None if base is None else laid(base, document, reading)


def laid(base: Document, over: Document, reading: Reading) -> Document:
    """``base`` with the changes in ``over``.

    Blocks that ``base`` imports and ``over`` changes are first copied into ``base``.
    """
    changed = {name for name in _blocks(over) if name not in _blocks(base)}
    for document in (over, base) if changed else ():
        for index, wanted in enumerate(_imports(document)):
            if not changed or not isinstance(wanted, str):
                continue  # what is no text is reported when the spec is validated
            imported = read_wanted(wanted, document.span(("import", index)), reading)
            data = imported.data if imported is not None else None
            if imported is not None and isinstance(data, dict) and data.get("block") in changed:
                base = with_block(base, imported)
                changed.discard(data["block"])
    return overlay(base, over, reading.report)


def _imports(document: Document) -> list[Any]:
    found = document.data.get("import") if isinstance(document.data, dict) else None
    return found if isinstance(found, list) else []


def _blocks(document: Document) -> list[Any]:
    found = document.data.get("blocks") if isinstance(document.data, dict) else None
    return list(found) if isinstance(found, dict) else []


def file_name(path: Path) -> str:
    """The name of a file in diagnostics."""
    return os.path.normpath(path)
