"""A report with every kind of diagnostic, and the command line in a folder with two specs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inception_dsl.cli import main
from inception_dsl.diagnostics.report import Edit, Report, Span

TWICE = "network: n\ninput: {channels: 3, length: 9}\nbody: [{op: identity}]\nbody: []\n"
GOOD = "network: n\ninput: {channels: 3, length: 9}\nbody: [{op: identity}]\n"
Run = Callable[..., Result]


@pytest.fixture
def run(write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    write(TWICE, "twice.yaml")
    write(GOOD, "good.yaml")
    return lambda *arguments, **more: CliRunner().invoke(main, list(arguments), **more)


def some_report() -> Report:
    report = Report(texts={"a b.yaml": "one\ntwo: three\n"})
    where = Span("a b.yaml", 2, 6, 2, 11)
    report.error(
        "E203",
        "100% wrong: x,y\x1b",
        where,
        help="try ::",
        notes=["in: b"],
        related=[(where, "here")],
        fix=[Edit(where, "3")],
    )
    report.error("E501", "no backend", Span("--backend x", 1, 1, 1, 2))
    return report
