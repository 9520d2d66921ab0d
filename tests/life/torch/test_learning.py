"""The program that trains on handwritten digits: two parts of it, its bounds and its files."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from paths import ROOT

pytest.importorskip("torch")
pytest.importorskip("mlxtend")
PROGRAM = ROOT / "benchmarks" / "learning.py"


def learn(out: Path, *only: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, str(PROGRAM), "--out", str(out), "--only", *only]
    return subprocess.run(call, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("learnt")
    done = learn(out, "v0", "v2")
    assert done.returncode == 0, done.stderr
    assert "| `v0` | 28x28, " in done.stdout
    assert "| `v2` | 63x63, " in done.stdout
    assert done.stdout.endswith("all bounds are met\n")
    return out


@pytest.mark.parametrize("part", ["v0", "v2"])
def test_a_part_overfits_real_digits_in_both_modes(part: str, learnt: Path) -> None:
    found = json.loads((learnt / part / "result.json").read_text())
    with open(learnt / part / "run" / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert found["steps"] == len(rows) == int(rows[-1]["step"])
    assert found["evaluation"] == float(rows[-1]["accuracy"]) >= 0.95
    assert found["average"] == float(rows[-1]["average"])
    assert found["training"] >= 0.95
    assert float(rows[-1]["loss"]) < 0.1 * float(rows[0]["loss"])


def test_what_is_done_is_not_run_again(learnt: Path) -> None:
    done = learn(learnt, "v0")
    assert done.returncode == 0, done.stderr
    assert "+ " not in done.stderr
    assert "| `v0` | 28x28, " in done.stdout


def test_a_bound_that_is_missed(learnt: Path, tmp_path: Path) -> None:
    (tmp_path / "v0").mkdir()
    (tmp_path / "digits.npz").write_bytes(b"")
    settings = (learnt / "v0" / "settings.json").read_text()
    (tmp_path / "v0" / "settings.json").write_text(settings)
    found = json.loads((learnt / "v0" / "result.json").read_text())
    (tmp_path / "v0" / "result.json").write_text(json.dumps({**found, "evaluation": 0.5}))
    done = learn(tmp_path, "v0")
    assert done.returncode == 1
    assert done.stdout.endswith("MISSED: v0: 50.0 % (evaluation mode), at least 95 %\n")


@pytest.mark.parametrize("text", ["{}", "[", "[1]"])
def test_files_of_others_are_kept(text: str, learnt: Path, tmp_path: Path) -> None:
    (tmp_path / "v0").mkdir()
    (tmp_path / "digits.npz").write_bytes(b"")
    (tmp_path / "v0" / "settings.json").write_text(text)
    done = learn(tmp_path, "v0")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path / 'v0'} has other settings: ")
    settings = (learnt / "v0" / "settings.json").read_text()
    (tmp_path / "v0" / "settings.json").write_text(settings)
    (tmp_path / "v0" / "result.json").write_text(text)
    done = learn(tmp_path, "v0")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path / 'v0' / 'result.json'} is no result: ")
    assert (tmp_path / "v0" / "result.json").read_text() == text
    file = learn(learnt / "digits.npz", "v0")
    assert file.returncode == 1
    assert file.stderr.startswith("error: ")
    assert file.stderr.count("\n") == 1
