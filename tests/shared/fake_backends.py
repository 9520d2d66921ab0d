"""Backends that each fail in one way, and fake runners."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from inception_dsl.backend import Backend, Files, Report, Request, TypedProgram, main_text
from inception_dsl.reference.seeds import seeded


def emit(_: TypedProgram, request: Request, __: Report) -> Files:
    return {f"{request.name}.py": "source\n"}


PLAIN = Backend("plain", "Plain", emit)
LACKING = Backend("lacking", "Lacking", emit, runner="fake_runner_lacking")
CRASHING = Backend("crashing", "Crashing", emit, runner="fake_runner_crashing")
RAISING = Backend("raising", "Raising", emit, runner="fake_backends")
NOISY = Backend("noisy", "Noisy", emit, runner="fake_backends")
HALF = Backend("half", "Half", emit, runner="fake_backends")
FULL = Backend("full", "Full", emit, runner="fake_backends")
OLD = Backend("old", "Old", emit, runner="fake_backends", api_version=0)

SUFFIXES = (".fake",)
behaviour = ""


def create(typed: TypedProgram, files: Files, dtype: str) -> Any:
    if behaviour == "raising":
        raise RuntimeError("no accelerator\nand more")
    assert main_text(files) == "source\n"
    return Fake(typed, dtype)


class Fake:
    """A model that stores its weights and saves them as text."""

    def __init__(self, typed: TypedProgram, dtype: str) -> None:
        self.typed, self.dtype = typed, dtype
        self.held: dict[str, Any] = seeded(typed)

    def weights(self) -> dict[str, Any]:
        return self.held

    def load(self, weights: Any) -> None:
        self.held = dict(weights)

    def save(self, path: Path) -> None:
        path.write_text("half of it")
        if behaviour == "noisy":
            print("hello")
            os.write(1, b"from below\n")
            os.write(2, b"from below\n")
        elif behaviour == "half":
            raise RuntimeError("the format has no such layer")
        elif behaviour == "full":
            raise OSError(28, "No space left on device")

    def restore(self, path: Path) -> None:
        print("hello")
        if path.read_text() == "bad":
            raise ValueError(f"{path}: a is missing; b is unknown")
