"""Fixtures for this folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from warned import warned

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report

__all__ = ["warned"]


@pytest.fixture
def errors(write: Callable[..., Path]) -> Callable[..., Report]:
    """The report for the text of a spec with errors."""

    def errors(text: str, **settings: str) -> Report:
        report = Report()
        assert compile_spec(write(text), settings, report) is None
        assert not report.ok
        return report

    return errors
