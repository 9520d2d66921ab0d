"""Output formats of a report: lines for editors, JSON, GitHub workflow commands and SARIF.

Pure functions from a report to text; ``docs/diagnostics.md`` lists the fields. The default text
format is :meth:`~inception_dsl.diagnostics.report.Report.render`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from .explain.explanations import Explanation, explanations
from .project import DISTRIBUTION, errors_page
from .report import Diagnostic, Report, Span
from .text import printable

SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def concise(report: Report) -> str:
    """``file:line:column: error[E402]: message``, one line for each diagnostic."""
    return "\n".join(
        f"{printable(str(d.span))}: {d.severity}[{d.code}]: {printable(d.message)}" for d in report
    )


def as_json(report: Report) -> str:
    """A JSON list with one object for each diagnostic.

    Lines and columns count from 1; the end column is exclusive.
    """
    found = [
        {
            "severity": d.severity,
            "code": d.code,
            "message": d.message,
            **_location_fields(d.span),
            "label": d.label,
            "help": d.help,
            "notes": list(d.notes),
            "related": [{**_location_fields(span), "label": label} for span, label in d.related],
            "fix": [{**_location_fields(span), "text": text} for span, text in d.fix],
        }
        for d in report
    ]
    return json.dumps(found, indent=2, ensure_ascii=True)


def _location_fields(span: Span) -> dict[str, Any]:
    return span._asdict()


def github(report: Report) -> str:
    """One workflow command for each diagnostic; GitHub shows it at its line."""
    return "\n".join(_command(d) for d in report)


def _command(d: Diagnostic) -> str:
    span, text = d.span, d.message
    properties = {
        "file": span.file,
        "line": span.line,
        "col": span.column,
        "endLine": span.end_line,
    }
    properties["endColumn"] = span.end_column
    if not span.in_a_file:
        properties, text = {}, f"{span}: {text}"
    listed = ",".join(
        f"{name}={_property(str(value))}" for name, value in {**properties, "title": d.code}.items()
    )
    lines = [text, *d.notes, *([f"help: {d.help}"] if d.help else [])]
    return f"::{d.severity} {listed}::{_data(chr(10).join(printable(line) for line in lines))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")


def sarif(report: Report, version: str) -> str:
    """A SARIF 2.1.0 log with one run of compiler ``version``."""
    used = sorted({d.code for d in report})
    page = errors_page()
    rules = [_rule(explanations()[code], page) for code in used]
    driver = {"name": DISTRIBUTION, "semanticVersion": version, "rules": rules}
    results = [_result(d, used.index(d.code)) for d in report]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps(
        {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=True
    )


def _rule(found: Explanation, page: str) -> dict[str, Any]:
    """A code with its explanation; ``page`` is the address of all."""
    link = {"helpUri": f"{page}#{found.code.lower()}"} if page else {}
    return {
        "id": found.code,
        "shortDescription": {"text": found.meaning},
        "fullDescription": {"text": found.why},
        "help": {"text": str(found), "markdown": found.markdown()},
        **link,
        "defaultConfiguration": {"level": "warning" if found.code.startswith("W") else "error"},
    }


def _result(d: Diagnostic, index: int) -> dict[str, Any]:
    lines = [d.message if d.span.in_a_file else f"{d.span}: {d.message}", *d.notes]
    lines += [f"help: {d.help}"] if d.help else []
    related = [
        {**_location(span), "message": {"text": _unlinked(printable(label))}}
        for span, label in d.related
        if span.in_a_file
    ]
    return {
        "ruleId": d.code,
        "ruleIndex": index,
        "level": d.severity,
        "message": {"text": _unlinked("\n".join(printable(line) for line in lines))},
        "locations": [_location(d.span)] if d.span.in_a_file else [],
        **({"relatedLocations": related} if related else {}),
        **({"fixes": [_fix(d)]} if d.fix else {}),
    }


def _unlinked(text: str) -> str:
    """``text`` with brackets escaped where SARIF viewers would show `[…](…)` as a link."""
    return re.sub(r"([\[\]\\])", r"\\\1", text) if "](" in text else text


def _fix(d: Diagnostic) -> dict[str, Any]:
    """All edits of one diagnostic as a SARIF fix, grouped by file."""
    changes = []
    for file in dict.fromkeys(span.file for span, _ in d.fix):
        replacements = [
            {"deletedRegion": _region(span), "insertedContent": {"text": text}}
            for span, text in d.fix
            if span.file == file
        ]
        changes.append({"artifactLocation": {"uri": _uri(file)}, "replacements": replacements})
    return {
        "description": {"text": _unlinked(printable(d.help or d.message))},
        "artifactChanges": changes,
    }


def _location(span: Span) -> dict[str, Any]:
    return {
        "physicalLocation": {"artifactLocation": {"uri": _uri(span.file)}, "region": _region(span)}
    }


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


FORMATS: Final[Mapping[str, Callable[[Report, str], str]]] = MappingProxyType(
    {
        "text": lambda report, _: report.render(),
        "concise": lambda report, _: concise(report),
        "json": lambda report, _: as_json(report),
        "github": lambda report, _: github(report),
        "sarif": sarif,
    }
)
"""The formats by name; each takes a report and the compiler's version."""
