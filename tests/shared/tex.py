"""LaTeX documents in tests: pdflatex makes a PDF, and pdftotext shows what is on its pages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

PREAMBLE = r"""\documentclass[10pt,twocolumn]{article}
\usepackage{booktabs}
\pagestyle{empty}
\begin{document}
"""
"""Columns of 3.2 inches: those of conferences are 3.25 inches or wider."""


def tool(name: str) -> str:
    """The path of a program of TeX Live or Poppler; without it the test is skipped, not in CI."""
    found = shutil.which(name)
    if found is None:
        reason = f"{name} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def document(texts: Iterable[str]) -> str:
    """A document with a text on each page."""
    return PREAMBLE + "\\clearpage\n".join(texts) + "\\end{document}\n"


def typeset(text: str, folder: Path) -> str:
    """What pdflatex reports of a document, which becomes ``document.pdf``; it has no error."""
    (folder / "document.tex").write_text(text, encoding="utf-8")
    call = [tool("pdflatex"), "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
    env = {**os.environ, "max_print_line": "1000"}
    done = subprocess.run(call, cwd=folder, env=env, capture_output=True, check=False)
    report = done.stdout.decode(errors="replace")
    assert done.returncode == 0, report[-2000:]
    return report


def too_wide(report: str) -> list[str]:
    """The lines of a report on what does not fit."""
    return re.findall(r"Overfull.*|.*too large.*", report)


def pages(folder: Path) -> list[str]:
    """The text on each page of ``document.pdf``."""
    call = [tool("pdftotext"), "-layout", "document.pdf", "-"]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.split("\f")[:-1]
