"""A fixture with the warnings of a spec without errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Diagnostic, Report

HEAD = "network: n\ninput: {channels: 3, height: 32, width: 32}\n"
BIASED = f"{HEAD}body: [{{op: conv, filters: 4, kernel_size: 1}}, {{op: batch_norm}}]\n"
Warned = Callable[..., list[Diagnostic]]


@pytest.fixture
def warned(write: Callable[..., Path]) -> Warned:
    """The warnings for the text of a spec without errors, in order."""

    def warned(text: str, name: str = "spec.yaml", **settings: str) -> list[Diagnostic]:
        report = Report()
        assert compile_spec(write(text, name), settings, report) is not None, report.render()
        return list(report)

    return warned


def places(found: list[Diagnostic]) -> list[str]:
    return [f"{d.code} {Path(d.span.file).name}:{d.span.line}:{d.span.column}" for d in found]
