"""A file to a checked spec: read, apply what it extends and what the command line sets, validate."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic_core import PydanticCustomError

from .. import source
from ..diagnostics import Edit, Report, Span
from ..edits import flow
from ..ops.fields import path as path_field
from ..source import DataPath, Document
from ..words import nearest
from .check import check
from .models import AXES, BlockFile, NetworkFile
from .overlay import overlay, with_block
from .roots import OutsideError, names_inside, read_inside, root_of

MAX_EXTENDS: Final = 16
_LIMIT: Final = 4 * source.MAX_BYTES + 1  # of UTF-8


class Spec(NamedTuple):
    """A validated file and the document it was read from."""

    model: NetworkFile | BlockFile
    document: Document
    root: Path = Path()
    """The folder that the spec may read from."""


def load(
    path: str | os.PathLike[str],
    settings: Mapping[str, str],
    report: Report,
    root: str | os.PathLike[str] | None = None,
) -> Spec | None:
    """The spec at ``path``, with ``settings`` (``--set name=value``) applied; ``root`` as in :func:`root_of`."""
    named = Path(path)
    reading = Reading(report, root_of(named, root))
    document = read(named, reading)
    if document is None:
        return None
    misfits = False
    for name, value in settings.items():
        changed = _set(document, name, value, reading)
        document, misfits = changed or document, misfits or changed is None
    spec = validate(document, report)
    if spec is not None and misfits:
        spec.document.dropped.add(("params",))  # one of these may have been meant
    return None if spec is None else spec._replace(root=reading.root)


class Reading(NamedTuple):
    """What all files of a spec have in common: the report, the folder they may stand in, who extends whom."""

    report: Report
    root: Path
    chain: tuple[str, ...] = ()


def read(path: Path, reading: Reading) -> Document | None:
    """The plain data of the file that the user names, with what it extends underneath."""
    span = Span(_name(path), 1, 1, 1, 2)
    try:
        if path.is_file():
            with path.open("rb") as file:
                return _parsed(file.read(_LIMIT), path, span, reading)
        reading.report.error("E101", f"{_name(path)} is not a file", span)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        reading.report.error("E101", f"{_name(path)} cannot be read: {reason}", span)
    return None


def read_wanted(wanted: str, span: Span, reading: Reading) -> Document | None:
    """The plain data of a file that the spec names at ``span``, with what it extends underneath."""
    folder = Path(span.file).parent
    path = folder / wanted
    try:
        return _parsed(read_inside(folder, wanted, reading.root, _LIMIT), path, span, reading)
    except OutsideError as error:
        reading.report.error("E301", f"{_name(path)} {error}", span, help=error.help)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        best = _beside(folder, wanted, reading.root) if reading.report.helping else ""
        help, fix = (f"did you mean `{best}`?", [Edit(span, flow(best))]) if best else ("", [])
        reading.report.error("E301", f"{_name(path)} is not a file", span, help=help, fix=fix)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        reading.report.error("E301", f"{_name(path)} cannot be read: {reason}", span)
    return None


def _beside(folder: Path, wanted: str, root: Path) -> str:
    """The spec inside of the root that a missing file was probably meant to be."""
    above, _, name = wanted.rpartition("/")
    found = [n for n in names_inside(folder, above, root) if n.endswith((".yaml", ".yml"))]
    best = nearest(name, found[:1000])
    return f"{above}/{best}" if best and above else best or ""


def _parsed(data: bytes, path: Path, span: Span, reading: Reading) -> Document | None:
    report = reading.report
    if len(data) >= _LIMIT:
        report.error("E106", f"{_name(path)} is larger than {source.MAX_BYTES:,} characters", span)
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        report.error("E102", f"{_name(path)} is not UTF-8 (byte {error.start})", span)
        return None
    document = source.parse(text, _name(path), report)
    if document is None or not isinstance(document.data, dict) or "extends" not in document.data:
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
        report.error("E301", f"more than {MAX_EXTENDS} specs extend each other", span)
        return None
    chain = (*chain, os.path.abspath(path))
    if os.path.abspath(path.parent / wanted) in chain:
        report.error("E301", f"{wanted} extends itself, directly or through others", span)
        return None
    reading = reading._replace(chain=chain)
    base = read_wanted(wanted, span, reading)
    return None if base is None else _laid(base, document, reading)


def _laid(base: Document, over: Document, reading: Reading) -> Document:
    """``over`` laid over ``base``; a block that ``base`` imports and ``over`` changes is put into ``base`` before."""
    changed = [name for name in _blocks(over) if name not in _blocks(base)]
    source = over if isinstance(over.data, dict) and "import" in over.data else base
    imports = source.data.get("import") if isinstance(source.data, dict) else None
    for index, wanted in enumerate(imports if changed and isinstance(imports, list) else ()):
        span = source.span(("import", index))
        if not isinstance(wanted, str):
            continue  # reported when the spec is validated
        imported = read_wanted(wanted, span, reading)
        if imported is not None and isinstance(imported.data, dict) and imported.data.get("block") in changed:
            base = with_block(base, imported)
    return overlay(base, over, reading.report)


def _blocks(document: Document) -> list[Any]:
    found = document.data.get("blocks") if isinstance(document.data, dict) else None
    return list(found) if isinstance(found, dict) else []


def _name(path: Path) -> str:
    return os.path.normpath(path)


def _set(document: Document, name: str, value: str, reading: Reading) -> Document | None:
    """``document`` with one setting laid over it."""
    report = reading.report
    label = f"--set {name}"
    parsed = source.parse(value, label, report)
    if parsed is None:
        return None
    data = document.data if isinstance(document.data, dict) else {}
    if name == "input" and isinstance(parsed.data, str):
        parsed.data = _sizes(parsed.data)
        document = dataclasses.replace(document, data={k: v for k, v in data.items() if k != "input"} or document.data)
    parameters = data.get("params")
    path: DataPath = tuple(int(p) if p.isdecimal() and len(p) < 9 else p for p in name.split("."))
    if isinstance(parameters, dict) and name in parameters:
        declared = parameters[name]
        kind = declared.get("type") if isinstance(declared, dict) else declared
        parsed.data = {"type": kind, "default": parsed.data}
        parsed.spans |= {("default", *k): v for k, v in parsed.spans.items()}
        path = ("params", name)
    elif path[0] not in _TOP:
        known = [*(parameters if isinstance(parameters, dict) else ()), *sorted(_TOP)]
        best = nearest(str(path[0]), known)
        span = Span(label, 1, 1, 1, len(value) + 1)
        help = f"did you mean `{best}`?" if best else f"it can be one of {', '.join(known)}"
        report.error("E209", f"`{path[0]}` is neither a parameter nor a field of the spec", span, help=help)
        return None
    nested: Any = parsed.data
    for part in reversed(path):
        nested = {part: nested}
    spans = {path + k: v for k, v in parsed.spans.items()}
    for depth in range(len(path)):
        spans[path[:depth]] = parsed.span(())
    found = _laid(document, Document(label, nested, spans, dict(spans)), reading)
    return None if found is None else dataclasses.replace(found, file=document.file)


def _sizes(text: str) -> Any:
    """``224x224x3`` as an input; what does not look so is left for the check of the field."""
    numbers = [int(n) for n in text.split("x")] if re.fullmatch(r"[0-9]{1,9}(x[0-9]{1,9}){1,3}", text) else []
    return dict(zip((*AXES[len(numbers) - 1], "channels"), numbers, strict=True)) if numbers else text


_TOP = frozenset(
    f.alias or n
    for kind in (NetworkFile, BlockFile)
    for n, f in kind.model_fields.items()
    if n not in ("network", "block", "extends", "imports")
)


def validate(document: Document, report: Report) -> Spec | None:
    """The model of a document without what is wrong in it; ``None`` where nothing can be told of it."""
    data = document.data
    if not isinstance(data, dict) or ("network" in data) == ("block" in data):
        help = "the first field is `network: name` or `block: name`"
        report.error("E208", "a spec defines a network or a block, one of the two", document.span(()), help=help)
        return None
    kind: type[NetworkFile] | type[BlockFile] = NetworkFile if "network" in data else BlockFile
    model = check(kind, document, report)
    return None if model is None else Spec(model, document)
