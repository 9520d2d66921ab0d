"""Helpers for tests of backends: compile specs, emit source, create models."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import Any

from initial import undrawn_model

from inception_dsl.backend import Files, Request, main_text
from inception_dsl.backend.arguments import decided
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram

ROOT = Path(__file__).parents[2]
BACKENDS = ("torch", "keras")
SPECS = sorted((ROOT / "specs").glob("*.yaml"))


def typed_program(path: Path | str, **settings: str) -> TypedProgram:
    """The typed program of a spec that has no errors."""
    report = Report()
    typed = compile_spec(path, settings, report)
    assert typed is not None, report.render()
    return typed


def files_of(backend: str, typed: TypedProgram) -> Files:
    """The emitted files of a program."""
    report, request = Report(), Request(typed.program.id)
    package = importlib.import_module(f"inception_dsl_{backend}").BACKEND
    typed = decided(typed, package, typed.program.id)
    files: Files | None = package.emit(typed, request, report)
    assert files is not None, report.render()
    return files


def emitted(backend: str, typed: TypedProgram) -> str:
    """The emitted source of a program."""
    return main_text(files_of(backend, typed))


@undrawn_model
def running(backend: str, typed: TypedProgram, dtype: str = "float64") -> Any:
    """A model in the backend's framework; load its weights first."""
    package = importlib.import_module(f"inception_dsl_{backend}")
    return importlib.import_module(package.BACKEND.runner).create(
        typed, files_of(backend, typed), dtype
    )


@cache
def shipped(path: Path) -> TypedProgram:
    """The typed program of a spec in the repository, compiled once per process."""
    return typed_program(path)
