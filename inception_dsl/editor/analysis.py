"""What the compiler finds in the text of an editor."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..compiler import check_spec
from ..diagnostics.report import Diagnostic, Report, Span
from ..ir.typed import TypedProgram
from ..language.file_names import named, named_by_user, same
from ..language.unsaved import unsaved
from ..yaml.document import DataPath, Document
from ..yaml.source import parse


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


def analyse(path: str, texts: Mapping[str, str]) -> Analysis:
    """Compile the spec at ``path``, with the ``texts`` that are open in place of their files."""
    report, file = Report(), named_by_user(path)
    with unsaved(texts):
        typed = check_spec(path, {}, report).typed
    top = parse(report.texts.get(file, ""), file, Report())
    shown = [_here(d, file, top) for d in report]
    return Analysis(file, report, tuple(shown), typed)


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
