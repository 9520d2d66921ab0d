"""Helpers to parse valid and invalid YAML texts."""

from __future__ import annotations

from inception_dsl.diagnostics.report import Diagnostic, Report, Span
from inception_dsl.yaml.document import Document
from inception_dsl.yaml.source import parse


def read(text: str) -> Document:
    report = Report()
    document = parse(text, "a.yaml", report)
    assert document is not None, report.render()
    return document


def refused(text: str) -> tuple[str, str]:
    """The code and the location of the only error in a text."""
    report = Report()
    assert parse(text, "a.yaml", report) is None
    (found,) = report
    return found.code, place(found.span)


def place(span: Span) -> str:
    assert span.file == "a.yaml"
    assert span.line == span.end_line
    return f"{span.line}:{span.column}-{span.end_column - 1}"


def only(text: str) -> Diagnostic:
    report = Report()
    parse(text, "a.yaml", report)
    (found,) = report
    return found
