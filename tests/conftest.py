"""Settings and fixtures for all tests."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import textwrap
from collections.abc import Callable, Generator
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
# the worker processes use all cores, so more threads only slow them down
if "PYTEST_XDIST_WORKER" in os.environ:
    for one in ("OMP_NUM", "MKL_NUM", "OPENBLAS_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
        os.environ.setdefault(f"{one}_THREADS", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Run tests with shared fixtures in one process, and slow tests first."""
    return scheduler(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests first, if there are several processes."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=order_of)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector away from what stays until the end.

    All tests and the frameworks are more than a million objects: searching them took a third of
    the time of the collection, and then 0.7 s each time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


with contextlib.suppress(AttributeError, ValueError):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as `nohup pytest` ignores it for all processes


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes the text of a spec to a file and returns its path."""

    def write(text: str, name: str = "spec.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture
def compiled(write: Callable[..., Path]) -> Callable[..., TypedProgram]:
    """Compiles the text of a spec; the test fails with the report if it has errors."""

    def compiled(text: str, **settings: str) -> TypedProgram:
        report = Report()
        typed = compile_spec(write(text), settings, report)
        assert typed is not None, report.render()
        return typed

    return compiled


@pytest.fixture
def errors(write: Callable[..., Path]) -> Callable[..., Report]:
    """The report for the text of a spec with errors."""

    def errors(text: str, **settings: str) -> Report:
        report = Report()
        assert compile_spec(write(text), settings, report) is None
        assert not report.ok
        return report

    return errors


@pytest.fixture
def body(compiled: Callable[..., TypedProgram]) -> Callable[..., TypedProgram]:
    """Compiles a body of one or more steps; the default input is 32x32x3."""

    def body(
        steps: str, size: str = "channels: 3, height: 32, width: 32", more: str = ""
    ) -> TypedProgram:
        return compiled(f"network: net\ninput: {{{size}}}\n{more}\nbody: [{steps}]\n")

    return body
