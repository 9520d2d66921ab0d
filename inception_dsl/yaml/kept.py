"""Documents of texts that were parsed before: the variants of a spec read the same files."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Final

from ..diagnostics.report import Report
from .document import Document
from .source import parse

_SHORT: Final = 20_000  # characters of a file whose document is kept


def parse_file(text: str, file: str, report: Report) -> Document | None:
    """As :func:`.source.parse`; the document of a short text without errors is made once.

    Stages add to ``dropped`` of a document, and change nothing else in it.
    """
    kept = _without_errors(text, file) if len(text) <= _SHORT else None
    if kept is None:
        return parse(text, file, report)
    report.texts[file] = text
    return replace(kept, dropped=set())


@lru_cache(maxsize=32)
def _without_errors(text: str, file: str) -> Document | None:
    report = Report()
    found = parse(text, file, report)
    return found if report.ok else None


@lru_cache(maxsize=8)
def known(text: str, file: str) -> Document:
    """The document of a text that has no error, such as that of a spec that was compiled."""
    found = parse(text, file, Report())
    assert found is not None
    return found
