"""Loads a spec: reads the file and what it extends, applies ``--set``, validates."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..diagnostics.report import Report, Span
from ..diagnostics.words import nearest, suggestion
from ..types.tensor import AXES
from ..yaml import source
from ..yaml.document import DataPath, Document
from .check import check
from .derived import SETTING, modified
from .foreign import of_data
from .inputs import FIELDS as INPUT_FIELDS
from .inputs import has_names
from .models import BlockFile, NetworkFile
from .notes import ABOUT
from .overlay import FIELDS
from .reading import Limits, Reading, laid, read
from .roots import root_of
from .variants import with_variants


class Spec(NamedTuple):
    """A validated spec and its document."""

    model: NetworkFile | BlockFile
    document: Document
    root: Path = Path()
    """The root: the only folder from which the spec may read files."""
    settings: Mapping[str, str] = {}
    """The settings that it was read with."""


def load(
    path: str | os.PathLike[str],
    settings: Mapping[str, str],
    report: Report,
    root: str | os.PathLike[str] | None = None,
    without: Sequence[DataPath] = (),
) -> Spec | None:
    """The spec at ``path``, with ``settings`` (``--set name=value``) applied.

    ``root`` is the folder of :func:`root_of`; ``without`` are parts of the file to leave out.
    """
    reading = Reading(report, root_of(Path(path), root), Limits(), without=tuple(without))
    document, misfits = with_settings(path, settings, reading)
    spec = None if document is None else validate(document, report)
    if spec is not None and misfits:
        spec.document.dropped.add(("params",))  # the setting may be for one of them
    return None if spec is None else spec._replace(root=reading.root, settings=settings)


def with_settings(
    path: str | os.PathLike[str], settings: Mapping[str, str], reading: Reading
) -> tuple[Document | None, bool]:
    """The data of the spec at ``path`` with ``settings`` applied, before it is validated; and
    whether one of them does not fit it.
    """
    document = read(path, reading)
    if document is None:
        return None, False
    misfits = False
    # texts last, as another network loses those of the original only
    for name, value in sorted(settings.items(), key=lambda s: s[0].split(".")[0] in ABOUT):
        changed = _set(document, name, value, reading)
        document, misfits = changed or document, misfits or changed is None
    return with_variants(document, reading), misfits


def path_of(name: str) -> DataPath:
    """The path that the name of a setting means; numbers are positions of steps."""
    return tuple(int(p) if p.isdecimal() and len(p) < 9 else p for p in name.split("."))


def _set(document: Document, name: str, value: str, reading: Reading) -> Document | None:
    """``document`` with one setting applied."""
    report = reading.report
    label = f"{SETTING}{name}"
    parsed = source.parse(value, label, report)
    if parsed is None:
        return None
    data = document.data if isinstance(document.data, dict) else {}
    if name.split(".")[0] == "input":
        if not _fits(name, parsed, data.get("input"), report):
            return None
        document = _resized(name, parsed, document)
    parameters = data.get("params")
    path = path_of(name)
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
        help = f"did you mean `{best}`?" if best else f"known names: {', '.join(known)}"
        report.error("E209", f"unknown parameter or field `{path[0]}`", span, help=help)
        return None
    nested: Any = parsed.data
    for part in reversed(path):
        nested = {part: nested}
    spans = {path + k: v for k, v in parsed.spans.items()}
    for depth in range(len(path)):
        spans[path[:depth]] = parsed.span(())
    found = laid(document, Document(label, nested, spans, dict(spans)), reading)
    found = modified(document, found, path[0], parsed.span(()))
    return dataclasses.replace(found, file=document.file)


def _fits(name: str, parsed: Document, given: Any, report: Report) -> bool:
    """Whether a spec with the input ``given`` can have such a setting; reports it if not."""
    key = f"{name}.".split(".")[1]
    key = "" if key in INPUT_FIELDS else key
    if not isinstance(given, dict) or isinstance(parsed.data, dict) or key in given:
        return True
    if not has_names(given):
        if not key or not isinstance(parsed.data, str):
            return True
        message = "the network has one input, without a name"
        help = f"write `--input {_sized(given, parsed.data)}`"
    elif key:
        message = f"the network has no input `{key}`"
        help = suggestion(key, map(str, given), what="inputs")
    else:
        message = f"the network has {len(given)} inputs: {', '.join(map(str, given))}"
        sizes = {name: _sized(one, parsed.data) for name, one in given.items()}
        maps = {name: size for name, size in sizes.items() if "x" in size}
        options = [f"--input {name}={size}" for name, size in (maps or sizes).items()]
        help = f"write `{' '.join(options)}`"
    report.error("E203", message, parsed.span(()), help=help)
    return False


def _sized(given: Any, wanted: Any) -> str:
    """An input in short form, with the spatial sizes that are ``wanted`` if it has these axes."""
    if not isinstance(given, dict):
        return "224x224x3"
    axes = [key for key in given if key != "channels"]
    sizes = _sizes(str(wanted), vector=False)
    if type(wanted) is int and wanted > 0:
        sizes = dict.fromkeys(axes, wanted)
    if not isinstance(sizes, dict) or not set(axes) <= sizes.keys():
        sizes = given
    found = {**given, **{axis: sizes[axis] for axis in axes}}
    order = (*AXES.get(len(axes), ()), "channels")
    return "x".join(str(found[key]) for key in order if key in found)


def _resized(name: str, parsed: Document, document: Document) -> Document:
    """``document`` without the input, or the one of several, that sizes in short form replace.

    A single number is that of all spatial axes, and replaces nothing else.
    """
    _, _, key = name.partition(".")
    data = document.data if isinstance(document.data, dict) else {}
    given = data.get("input")
    if name == "input" and type(parsed.data) is int and isinstance(given, dict):
        axes = [key for key in given if key != "channels" and not has_names(given)]
        parsed.data = dict.fromkeys(axes, parsed.data) or parsed.data
        return document
    vector = type(parsed.data) is int and has_names(given) and key in (given or ())
    if not (vector or isinstance(parsed.data, str)) or "." in key or key in INPUT_FIELDS:
        return document
    parsed.data = _sizes(str(parsed.data), vector=vector)
    if key and isinstance(given, dict):
        return dataclasses.replace(document, data={**data, "input": {**given, key: {}}})
    left = {k: v for k, v in data.items() if k != "input"}
    replaced = {**document.replaced, "input": given}
    return dataclasses.replace(document, data=left or document.data, replaced=replaced)


def _sizes(text: str, *, vector: bool) -> Any:
    """``224x224x3`` as an input; any other text is left for the check of the field."""
    numbers = (
        [int(n) for n in text.split("x")]
        if re.fullmatch(r"[0-9]{1,9}(x[0-9]{1,9}){0,3}", text) and (vector or "x" in text)
        else []
    )
    return (
        dict(zip((*AXES[len(numbers) - 1], "channels"), numbers, strict=True)) if numbers else text
    )


_TOP = FIELDS - {"network", "block", "requires", "extends", "import"}


def _misspelled(data: Any) -> tuple[str, str] | None:
    """The field at the top that is most like one that names a spec, and that one."""
    if not isinstance(data, dict) or data.keys() & {"network", "block"}:
        return None
    unknown = {key: key for key in data if isinstance(key, str) and key not in FIELDS}
    found = ((nearest(name, unknown), name) for name in ("network", "block", "extends"))
    return next(((key, name) for key, name in found if key), None)


def validate(document: Document, report: Report) -> Spec | None:
    """The model of a document, without parts that have errors; ``None`` if nothing is left."""
    data = document.data
    if not isinstance(data, dict) or ("network" in data) == ("block" in data):
        message = "expected exactly one of the fields `network` and `block`"
        help = "start the file with `network: name` or `block: name`"
        span = document.span(())
        if tool := of_data(data):
            message, help = f"this is {tool.what}, not a spec", tool.help
        elif found := _misspelled(data):
            span, help = document.key_span((found[0],)), f"did you mean `{found[1]}`?"
        report.error("E208", message, span, help=help)
        return None
    kind: type[NetworkFile] | type[BlockFile] = NetworkFile if "network" in data else BlockFile
    model = check(kind, document, report)
    return None if model is None else Spec(model, document)
