"""Tables for LaTeX in tests: the files of a network, and the cells of a table."""

from __future__ import annotations

import re
from collections.abc import Mapping

from frameworks import ROOT
from inception_dsl_documents import LATEX

from inception_dsl.backend import Request
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram

SPECS = sorted([*(ROOT / "specs").glob("*.yaml"), *(ROOT / "specs/family").glob("*.yaml")])


def files(typed: TypedProgram, name: str = "net", **options: str) -> Mapping[str, str | bytes]:
    """The files of a network."""
    report = Report()
    found = LATEX.emit(typed, Request(name, options), report)
    assert found is not None, report.render()
    return found


def table(typed: TypedProgram, name: str = "net", **options: str) -> str:
    found = files(typed, name, **options)[f"{name}.tex"]
    assert isinstance(found, str)
    return found


def lines(text: str) -> list[list[str]]:
    """The cells of all lines, as a reader sees them."""
    plain = text.replace(r"$\times$", "x").replace("~", " ").replace(r"\allowbreak{}", "")
    plain = re.sub(r"\\raggedright\\hangindent=.7em |\\-", "", plain)
    plain = re.sub(r"\\mbox\{(.*?)\}", r"\1", plain)
    rows = re.findall(r"^(.*?)\s*\\\\$", plain, re.MULTILINE)
    return [[cell.strip().replace("\\", "") for cell in row.split("&")] for row in rows]
