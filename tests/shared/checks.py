"""Checks of generated Keras source: format and lint, and errors to the reference."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from inception_dsl_keras import BACKEND

from inception_dsl.backend import Report, Request, TypedProgram
from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.verify.bounds import distance


def checked(text: str, folder: Path) -> str:
    """The output of ruff for a file with this text."""
    file = folder / "emitted.py"
    file.write_text(text)
    said = ""
    for command in (
        ["format", "--check", "--diff", "--line-length", "88"],
        ["check", "--quiet", "--select", "E,F,I,UP,B,N,RET,SIM"],
    ):
        call = [sys.executable, "-m", "ruff", *command, "--isolated", str(file)]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        said += (done.stdout + done.stderr) if done.returncode else ""
    return said


def farthest(typed: TypedProgram, dtype: str = "float64") -> float:
    """The largest error of any output, in inference and in training."""
    from inception_dsl_keras.runner import create

    report = Report()
    files = BACKEND.emit(typed, Request("test"), report)
    assert files is not None, report.render()
    model, weights, x = create(typed, files, dtype), seeded(typed), batch(typed)
    model.load(weights)
    held = model.weights()
    assert held.keys() == weights.keys()
    found = []
    for training in (False, True):
        expected = interpret(typed, weights, x, training=training).outputs
        outputs = model.forward(x, training=training)
        assert outputs.keys() == expected.keys()
        found += [distance(outputs[name], value) for name, value in expected.items()]
    return max(found)
