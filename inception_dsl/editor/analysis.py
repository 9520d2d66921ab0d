"""What the compiler finds in the text of an editor."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ..compiler import compile_spec
from ..diagnostics.report import Diagnostic, Report, Span
from ..ir.typed import TypedProgram
from ..language.overlay import FIELDS
from ..language.reading import named, named_by_user, same
from ..language.unsaved import unsaved
from ..yaml.document import DataPath, Document
from ..yaml.source import parse

_KEY: Final = re.compile(r"^\{? ?[\"']?([a-z_]{1,20})[\"']?:[ \t]*([^\r\n]{0,200})", re.MULTILINE)
_ANYWHERE: Final = frozenset({"title", "description", "defaults", "input", "requires"})
"""Fields that files of other tools have, too."""
_ALONE: Final = ("E404", "E305")
"""Errors of a block that is built alone, without input or values for its parameters."""


@dataclass(frozen=True)
class Analysis:
    """The result for one version of a text; ``typed`` is missing if it has errors."""

    file: str
    report: Report
    diagnostics: tuple[Diagnostic, ...]
    typed: TypedProgram | None

    def read(self, path: str) -> bool:
        """Whether the result may depend on the file at ``path``."""
        missing = any(d.code == "E301" for d in self.report.diagnostics)
        return missing or any(same(file) == path for file in self.report.texts)


def is_spec(text: str) -> bool:
    """Whether this is probably a spec of inception-dsl and not another YAML file.

    It has the id of a network or a block, blocks, a spec that it extends, or two other fields.
    """
    found: set[str] = set()
    for key, value in _top(text):
        scalar = value[:1] not in ("", "{", "[", "|", ">", "#")
        if key == "blocks" or (key in ("network", "block") and scalar):
            return True
        if key == "extends" and _is_path(value):
            return True
        found |= {key} & FIELDS - _ANYWHERE
    return len(found) > 1


def _top(text: str) -> list[tuple[str, str]]:
    """The fields of the first level with the rest of their lines."""
    return [(one[1], one[2]) for one in _KEY.finditer(text.removeprefix("\ufeff"))]


def _is_path(value: str) -> bool:
    return "inception-dsl:" in value or re.search(r"\.ya?ml\b", value) is not None


def analyse(path: str, texts: Mapping[str, str]) -> Analysis:
    """Compile the spec at ``path``, with the ``texts`` that are open in place of their files."""
    report, file = Report(), named_by_user(path)
    with unsaved(texts):
        typed = compile_spec(path, {}, report)
    top = parse(report.texts.get(file, ""), file, Report())
    shown = [_here(d, file, top) for d in report if not _only_alone(d, file, top)]
    return Analysis(file, report, tuple(shown), typed)


def _only_alone(found: Diagnostic, file: str, top: Document | None) -> bool:
    """Whether an error is only that a block is compiled alone, as it is opened alone."""
    if found.code not in _ALONE or found.span.file != file or top is None:
        return False
    if not isinstance(top.data, dict) or "block" not in top.data:
        return False
    inside = [top.span((key,)) for key in ("block", "params") if (key,) in top.spans]
    return any(span.contains(found.span) for span in inside)


def _here(found: Diagnostic, file: str, top: Document | None) -> Diagnostic:
    """A diagnostic of another file where this file names that one."""
    if found.span.file == file:
        return found
    span = _named_at(found.span.file, file, top)
    message = f"{os.path.basename(found.span.file)}:{found.span.line}: {found.message}"
    related = ((found.span, found.label or found.message), *found.related)
    return replace(found, message=message, span=span, related=related, fix=())


def _named_at(other: str, file: str, top: Document | None) -> Span:
    """Where ``file`` extends or imports another one; its beginning if others do so for it."""
    data = top.data if top is not None else None
    if top is None or not isinstance(data, dict):
        return Span(file, 1, 1, 1, 2)
    imports = data.get("import")
    entries = enumerate(imports) if isinstance(imports, list) else ()
    wanted: list[tuple[DataPath, Any]] = [(("extends",), data.get("extends"))]
    wanted += [(("import", index), one) for index, one in entries]
    for path, name in wanted:
        if isinstance(name, str) and same(named(name, file)) == same(other):
            return top.span(path)
    return top.span(("extends",)) if "extends" in data else Span(file, 1, 1, 1, 2)
