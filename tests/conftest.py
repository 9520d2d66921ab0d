"""What all tests share."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from paths import ROOT
from spread import order_of, scheduler

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# the workers fill the processor: more threads wait for each other
if "PYTEST_XDIST_WORKER" in os.environ:
    for one in ("OMP_NUM", "MKL_NUM", "OPENBLAS_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
        os.environ.setdefault(f"{one}_THREADS", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What is costly to make is made once, and long tests come first."""
    return scheduler(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first, where there are several processes."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=order_of)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes the text of a spec and returns its path."""

    def write(text: str, name: str = "spec.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture
def compiled(write: Callable[..., Path]) -> Callable[..., TypedProgram]:
    """Compiles the text of a spec; fails the test with its report if it has mistakes."""

    def compiled(text: str, **settings: str) -> TypedProgram:
        report = Report()
        typed = compile_spec(write(text), settings, report)
        assert typed is not None, report.render()
        return typed

    return compiled


@pytest.fixture
def mistakes(write: Callable[..., Path]) -> Callable[..., Report]:
    """The report on the text of a spec that has mistakes."""

    def mistakes(text: str, **settings: str) -> Report:
        report = Report()
        assert compile_spec(write(text), settings, report) is None
        assert not report.ok
        return report

    return mistakes


@pytest.fixture
def body(compiled: Callable[..., TypedProgram]) -> Callable[..., TypedProgram]:
    """Compiles one or more steps on an input, 32x32x3 unless said."""

    def body(
        steps: str, size: str = "channels: 3, height: 32, width: 32", more: str = ""
    ) -> TypedProgram:
        return compiled(f"network: net\ninput: {{{size}}}\n{more}\nbody: [{steps}]\n")

    return body
