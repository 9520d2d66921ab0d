"""Fixtures: a small network, its weights in a neutral file, and the command line in an empty
folder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from frameworks import typed_program
from small_network import SMALL

from inception_dsl.cli import main
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.seeds import seeded
from inception_dsl.weights.store import write


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs the command line in an empty folder; an exception fails the test."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Result:
        result = CliRunner().invoke(main, [str(a) for a in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), (
            result.exception
        )
        return result

    return run


@pytest.fixture
def small(run: Callable[..., Result], tmp_path: Path) -> TypedProgram:
    """A small network with every kind of kernel, in ``small.yaml``; weights in
    ``small.safetensors``.
    """
    (tmp_path / "small.yaml").write_text(SMALL)
    typed = typed_program(tmp_path / "small.yaml")
    report = Report()
    assert write(tmp_path / "small.safetensors", typed, seeded(typed, 5), report), report.render()
    return typed


@pytest.fixture
def changed(small: TypedProgram, tmp_path: Path) -> Callable[..., Any]:
    """Changes the weights of the small network and writes them to ``changed.safetensors``."""
    from safetensors.numpy import load_file, save_file

    def changed(change: Callable[[dict[str, Any]], Any], name: str = "changed.safetensors") -> Path:
        arrays = load_file(tmp_path / "small.safetensors")
        change(arrays)
        save_file(arrays, tmp_path / name)
        return Path(name)

    return changed
