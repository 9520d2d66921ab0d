"""Documents that are kept are those of the text, whoever has read them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from paths import ROOT

from inception_dsl.compiler import check_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.yaml.kept import parse_file
from inception_dsl.yaml.source import parse

SPECS = sorted((ROOT / "specs").rglob("*.yaml"))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_document_is_not_changed_by_those_that_read_it(path: Path) -> None:
    """The document of a text is kept for the next time: it is the same as one made anew."""
    text, file = path.read_text(encoding="utf-8"), str(path)
    for settings in ({}, {"width": "0.5", "input": "96"}, {"params": "null"}, {"nowhere": "1"}):
        check_spec(path, settings, Report())
        kept, new = parse_file(text, file, Report()), parse(text, file, Report())
        assert replace(kept, _fields={}) == new


def test_errors_of_a_text_are_reported_each_time() -> None:
    for _ in range(2):
        report = Report()
        parse_file("a: [1", "net.yaml", report)
        assert [one.code for one in report] == ["E103"]
        assert report.texts == {"net.yaml": "a: [1"}
