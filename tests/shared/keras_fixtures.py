"""Fixtures for Keras: compile a spec to a typed program, to source, and to a module in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inception_dsl_keras import BACKEND
from inception_dsl_keras.emitter import emit_source
from paths import ROOT

from inception_dsl.backend import Report, Request, TypedProgram, module_from_source
from inception_dsl.compiler import compile_spec
from inception_dsl.reference.seeds import seeded

SPECS = ROOT / "specs"


@pytest.fixture
def typed_of(tmp_path: Path) -> Callable[[str], TypedProgram]:
    """Compiles a shipped spec by name, or the text of a spec."""

    def compiled(text: str) -> TypedProgram:
        path = SPECS / f"{text}.yaml"
        if "\n" in text:
            path = tmp_path / "spec.yaml"
            path.write_text(text)
        report = Report()
        typed = compile_spec(path, {}, report)
        assert typed is not None, report.render()
        return typed

    return compiled


@pytest.fixture
def source_of(typed_of: Callable[[str], TypedProgram]) -> Callable[[str], str]:
    """Emits the source of a spec."""

    def emitted(text: str) -> str:
        report = Report()
        source = emit_source(typed_of(text), report)
        assert source is not None, report.render()
        return source

    return emitted


@pytest.fixture
def module_of(source_of: Callable[[str], str]) -> Callable[[str], Any]:
    """Imports the emitted source of a spec as a module."""
    return lambda text: module_from_source(source_of(text), "test")


@pytest.fixture
def model_of(typed_of: Callable[[str], TypedProgram]) -> Callable[[str], Any]:
    """A running model with seeded weights."""
    from inception_dsl_keras.runner import create  # imports Keras

    def made(text: str) -> Any:
        typed = typed_of(text)
        model = create(typed, BACKEND.emit(typed, Request("test"), Report()) or {}, "float32")
        model.load(seeded(typed))
        return model

    return made
