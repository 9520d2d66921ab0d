"""Errors of the loader: a fixture, and the location of a span as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.diagnostics.report import Diagnostic, Report, Span
from inception_dsl.language.load import load

HEAD = "network: n\ninput: {channels: 3, height: 8, width: 8}\n"
Loaded = Callable[..., list[Diagnostic]]


@pytest.fixture
def refused(write: Callable[..., Path]) -> Loaded:
    """The errors in the text of a spec."""

    def refused(text: str, **settings: str) -> list[Diagnostic]:
        report = Report()
        load(write(text), settings, report)
        assert report.diagnostics
        return list(report)

    return refused


def place(span: Span) -> str:
    """Line and columns, from the first to the last character; short if it is one line."""
    end = "" if span.end_line == span.line else f"{span.end_line}:"
    return f"{span.line}:{span.column}-{end}{span.end_column - 1}"
