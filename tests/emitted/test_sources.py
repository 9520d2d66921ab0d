"""Generated source is formatted and has no lint, for every spec."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from frameworks import BACKENDS, SPECS, emitted, shipped, typed_program
from paths import PUBLISHED

from inception_dsl.testing.cases import all_cases

RULES = "E,F,I,UP,B,RET,SIM,C4,PIE"


@pytest.mark.parametrize("backend", BACKENDS)
def test_source_passes_ruff(backend: str, tmp_path: Path) -> None:
    spec = tmp_path / "case.yaml"
    for number, case in enumerate(all_cases()):
        spec.write_text(case.text)
        (tmp_path / f"case_{number}.py").write_text(emitted(backend, typed_program(spec)))
    for path in [*SPECS, *PUBLISHED]:
        (tmp_path / f"{path.stem}.py").write_text(emitted(backend, shipped(path)))
    for command in (["format", "--check", "--diff"], ["check", "--select", RULES]):
        call = [sys.executable, "-m", "ruff", *command, "--isolated", str(tmp_path)]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
