"""The report on a spec with errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report


@pytest.fixture
def errors_in(write: Callable[..., Path]) -> Callable[..., Report]:
    """The report on the text of a spec that has errors."""

    def errors_in(text: str, **settings: str) -> Report:
        report = Report()
        assert compile_spec(write(text), settings, report) is None
        assert not report.ok
        return report

    return errors_in
