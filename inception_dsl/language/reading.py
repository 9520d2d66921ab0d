"""Reads the files of a spec, applies ``extends``, and limits their total size."""

from __future__ import annotations

import codecs
import dataclasses
import os
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic_core import PydanticCustomError

from ..diagnostics.report import SHIPPED, Edit, Report, Span
from ..ops.fields.paths import path as path_field
from ..yaml import source
from ..yaml.characters import MAX_CHARACTERS
from ..yaml.document import DataPath, Document
from ..yaml.edits import flow
from ..yaml.kept import parse_file
from . import shipped
from .copied import with_block
from .derived import derived
from .file_names import file_name, meant, named, named_by_user, no_file, same, with_suffix
from .foreign import of_file
from .given import ENOUGH, StandardInput, start
from .overlay import overlay
from .requires import satisfied
from .roots import OutsideError, read_inside
from .rules import layered
from .unsaved import contents, is_file

MAX_EXTENDS: Final = 16
MAX_FILES: Final = 100


@dataclasses.dataclass(slots=True)
class Limits:
    """The remaining limits for all files of one spec: files, characters, values."""

    files: int = MAX_FILES
    characters: int = MAX_CHARACTERS
    values: int = source.MAX_NODES
    read: dict[str, Document] = dataclasses.field(default_factory=dict)
    """The files by name, each with what it extends."""

    def another(self, span: Span, report: Report) -> bool:
        """Whether one more file, named at ``span``, may be read; reports it if not."""
        self.files -= 1
        if self.files < 0:
            report.error(
                "E301", f"a spec can have at most {MAX_FILES} files", Span(span.file, 1, 1, 1, 2)
            )
            return False
        return self.kept(span, report)

    def kept(self, span: Span, report: Report) -> bool:
        """Whether the files are not too large, with blocks that are copied; reports it if not."""
        if self.characters < 0:
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
        return min(self.characters, self.values) >= 0


class Reading(NamedTuple):
    """The state shared by all files of a spec.

    ``root`` is the folder that all must be in, ``limits`` the remaining limits, and ``chain`` the
    files that extend each other, to find cycles. ``without`` are parts that are left out of the
    file that the user names.
    """

    report: Report
    root: Path
    limits: Limits
    chain: tuple[str, ...] = ()
    without: tuple[DataPath, ...] = ()


def read(given: str | os.PathLike[str], reading: Reading) -> Document | None:
    """The data of the file or shipped spec that the user names, with ``extends`` applied."""
    spec, path = os.fspath(given), Path(given)
    name, file = shipped.meant(spec), named_by_user(given)
    span, report = Span(file, 1, 1, 1, 2), reading.report
    if isinstance(given, StandardInput):
        return _parsed(given.data, file, span, reading)
    try:
        if name == spec and (other := with_suffix(path)):
            message = f"`{spec}` may mean the shipped spec or the file {file_name(other)}"
            help = f"write `{file}`, or `{file_name(other)}`"
            report.error("E101", message, span, help=help)
        elif name is not None:
            if name in shipped.names():
                return _parsed(shipped.text(name), file, span, reading)
            report.error("E101", f"no shipped spec `{name}`", span, help=shipped.unknown(name))
        elif is_file(path):
            return _parsed(contents(path, lambda: start(path)), file, span, reading)
        else:
            problem, help = no_file(spec, path)
            report.error("E101", f"{problem}: {file}", span, help=help)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "invalid path"
        report.error("E101", f"{file} cannot be read: {reason}", span)
    return None


def read_wanted(wanted: str, span: Span, reading: Reading) -> Document | None:
    """The data of a file that the spec names at ``span``, with ``extends`` applied.

    Only ``inception-dsl:NAME`` may be outside the root: a shipped spec, as it comes with the code.
    """
    file, known = named(wanted, span.file), reading.limits.read
    if same(file) not in known:
        found = _read(wanted, file, span, reading._replace(without=()))
        if found is None:
            return None
        known[same(file)] = found
    return known[same(file)]


def _read(wanted: str, file: str, span: Span, reading: Reading) -> Document | None:
    report, name = reading.report, shipped.wanted_by(span.file, wanted)
    if not reading.limits.another(span, report):
        return None
    folder = Path(span.file).parent
    try:
        if name is None:
            root, path = reading.root, folder / wanted
            data = contents(path, lambda: read_inside(folder, wanted, root, ENOUGH))
            return _parsed(data, file, span, reading)
        if name in shipped.names():
            return _parsed(shipped.text(name), file, span, reading)
        best = shipped.like(name) if report.helping else ""
        fix = [Edit(span, flow(f"{SHIPPED}{best}"))] if best and span.in_a_file else []
        help = shipped.unknown(name) if report.helping else ""
        report.error("E301", f"no shipped spec `{name}`", span, help=help, fix=fix)
    except OutsideError as error:
        report.error("E301", f"{file} {error}", span, help=error.help)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        best = meant(folder, wanted, reading.root) if report.helping else ""
        help, fix = (f"did you mean `{best}`?", [Edit(span, flow(best))]) if best else ("", [])
        report.error("E301", f"no such file: {file}", span, help=help, fix=fix)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "invalid path"
        report.error("E301", f"{file} cannot be read: {reason}", span)
    return None


def _parsed(data: bytes, file: str, span: Span, reading: Reading) -> Document | None:
    report = reading.report
    if len(data) >= ENOUGH:
        reading.limits.characters = -1
        report.error("E106", f"{file} has more than {MAX_CHARACTERS:,} characters", span)
        return None
    data = data.removeprefix(codecs.BOM_UTF8)
    if tool := of_file(file, data):
        report.error("E208", f"this is {tool.what}, not a spec", span, help=tool.help)
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        byte = Span(file, line, column, line, column + 1)
        message = f"invalid UTF-8: byte 0x{data[error.start]:02X}"
        report.error("E102", message, byte, help="save the file as UTF-8")
        return None
    reading.limits.characters -= len(text)
    document = parse_file(text, file, report)
    if document is None:
        return None
    for path in reading.without:
        document.data = left_out(document.data, path)
    reading.limits.values -= len(document.spans)
    if not isinstance(document.data, dict):
        return document
    if "requires" in document.data and not satisfied(document, report):
        return None
    return _extended(document, reading) if "extends" in document.data else document


def _extended(document: Document, reading: Reading) -> Document | None:
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
    chain = (*chain, same(document.file))
    if same(named(wanted, span.file)) in chain:
        report.error("E301", f"{wanted} extends itself, directly or through other files", span)
        return None
    reading = reading._replace(chain=chain)
    base = read_wanted(wanted, span, reading)
    return None if base is None else laid(base, document, reading)


def laid(base: Document, over: Document, reading: Reading) -> Document:
    """``base`` with the changes in ``over``.

    Blocks that ``base`` imports and ``over`` changes are first copied into ``base``, with those
    that extend them, which follow their changes.
    """
    own = _blocks(base).keys()
    if changed := _blocks(over).keys() - own:
        seen: set[str] = set()
        imported = [i for document in (over, base) for i in _imported(document, reading, seen)]
        places = {place.name: place for document in imported for place in _places(document)}
        for name in _with_variants(changed, places):
            if name in places and name not in own:
                place = places[name]
                base = with_block(base, name, place.document, place.path)
    base, over = layered(base, over)
    return overlay(derived(base, over), over, reading.report)


class _Place(NamedTuple):
    """A block of an imported file, and which one it extends."""

    name: str
    document: Document
    path: DataPath
    extends: Any


def _places(document: Document) -> Iterator[_Place]:
    if isinstance(name := document.data.get("block"), str):
        yield _Place(name, document, (), None)
    for name, block in _blocks(document).items():
        if isinstance(name, str) and isinstance(block, dict):
            yield _Place(name, document, ("blocks", name), block.get("extends"))


def _with_variants(changed: Set[str], places: Mapping[str, _Place]) -> list[str]:
    """The names of blocks that change, with those that extend one of them."""
    found = sorted(changed, key=str)
    for name in found:
        following = {p.name for p in places.values() if p.extends == name}
        found += sorted(following.difference(found))
    return found


def _imported(document: Document, reading: Reading, seen: set[str]) -> Iterator[Document]:
    """The files that a document imports, each with those that it imports; once, by ``seen``."""
    for index, wanted in enumerate(_imports(document)):
        if not isinstance(wanted, str):
            continue  # reported when the spec is validated
        span = document.span(("import", index))
        if (path := same(named(wanted, span.file))) in seen:
            continue
        seen.add(path)
        found = read_wanted(wanted, span, reading)
        if found is not None and isinstance(found.data, dict):
            yield found
            yield from _imported(found, reading, seen)


def _imports(document: Document) -> list[Any]:
    found = document.data.get("import") if isinstance(document.data, dict) else None
    return found if isinstance(found, list) else []


def _blocks(document: Document) -> dict[Any, Any]:
    found = document.data.get("blocks") if isinstance(document.data, dict) else None
    return found if isinstance(found, dict) else {}


def left_out(data: Any, path: DataPath) -> Any:
    """``data`` without the field at ``path``."""
    first, *rest = path
    if not isinstance(data, dict) or first not in data:
        return data
    if rest:
        return {**data, first: left_out(data[first], tuple(rest))}
    return {key: value for key, value in data.items() if key != first}
