"""The search of docs/search.py runs in two processes on one study, and goes on."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from paths import ROOT

import inception_dsl

SCRIPT = ROOT / "docs" / "search.py"


def start(folder: Path, spec: str, trials: int) -> subprocess.Popen[str]:
    call = [sys.executable, str(SCRIPT), spec, "search.log", str(trials)]
    return subprocess.Popen(
        call, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def study(folder: Path, spec: str) -> optuna.Study:
    storage = JournalStorage(JournalFileBackend(str(folder / "search.log")))
    return optuna.load_study(study_name=spec, storage=storage)


def test_two_processes_share_a_study(tmp_path: Path) -> None:
    both = [start(tmp_path, "v4", 60) for _ in range(2)]
    printed = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], printed
    found = study(tmp_path, "v4")
    assert 60 <= len(found.trials) <= 62, "each process ends the trial that it has begun"
    assert len({trial.number for trial in found.trials}) == len(found.trials)
    for _, errors in printed:
        assert re.search(r"Trial \d+ finished", errors), "each process has run trials"
    best = found.best_trials[0]
    width = best.params["percent"] / 100
    repeats = {"body.0.repeat": "inception_a", "body.2.repeat": "inception_b"}
    settings = {name: best.params[of] for name, of in repeats.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", inception_dsl.SpecWarning)
        network = inception_dsl.load("v4", width=width, input=best.params["input"], **settings)
    assert best.values == [network.macs, network.parameters]
    before = len(found.trials)
    again = start(tmp_path, "v4", before + 2)
    again.communicate(timeout=300)
    assert len(study(tmp_path, "v4").trials) == before + 2, "the study goes on"


def test_a_network_that_is_not_valid_is_pruned(tmp_path: Path) -> None:
    """v0 is a block: it has no `body` to vary."""
    process = start(tmp_path, "v0", 3)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert {trial.state for trial in study(tmp_path, "v0").trials} == {TrialState.PRUNED}


def test_the_example_is_short() -> None:
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) <= 60
