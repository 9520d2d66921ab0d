"""The search of docs/search_training.py: workers that share a study, are killed, and go on."""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import optuna
import pytest
import torch
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from paths import ROOT
from safetensors.torch import load_file
from script_runs import step_of

import inception_dsl

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="file locks")

PROGRAM = ROOT / "docs" / "search_training.py"
SPEC = """\
network: small
input: {channels: 3, height: 8, width: 8}
classes: 4
preprocessing: {scale: 0.0078125, mean: 1}
body:
  - branches:
      branch_1x1: [{op: conv, filters: 16, kernel_size: 1, activation: relu}]
      branch_3x3: [{op: conv, filters: 8, kernel_size: 3, groups: GROUPS, activation: relu}]
    merge: concat
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
training:
  batch_size: 20
  epochs: EPOCHS
  optimizer: {name: sgd, form: torch, rate: 0.1, momentum: 0.9}
  average: {decay: 0.9}
"""
EPOCHS, STEPS = 20, 20  # steps of an epoch
GOOD = {"optimizer": "adam", "rate": 0.03}
BAD = {"optimizer": "sgd", "rate": 1e-4}
SPACE = {  # that of the program
    "optimizer": CategoricalDistribution(["sgd", "adam"]),
    "rate": FloatDistribution(1e-4, 1, log=True),
    "percent": IntDistribution(25, 200, step=25),
}


class Workers:
    """A folder with a spec and images whose mean brightness tells the class."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "search"
        self.begun: list[subprocess.Popen[str]] = []
        self.write()
        rng = np.random.default_rng(0)
        y = np.arange(20 * STEPS + 40) % 4
        x = (rng.integers(0, 64, (len(y), 8, 8, 3)) + 48 * y[:, None, None, None]).astype(np.uint8)
        self.x, self.y = x[-40:], y[-40:]
        train = {"x_train": x[:-40], "y_train": y[:-40]}
        np.savez(folder / "images.npz", x_test=self.x, y_test=self.y, **train)

    def write(self, spec: str = SPEC, epochs: int = EPOCHS, groups: int = 1) -> None:
        text = spec.replace("EPOCHS", str(epochs)).replace("GROUPS", str(groups))
        (self.folder / "small.yaml").write_text(text, encoding="utf-8")

    def start(self, trials: int, *more: str, spec: str = "small.yaml") -> subprocess.Popen[str]:
        call = [sys.executable, str(PROGRAM), spec, "--data", "images.npz", "--out", "search"]
        worker = subprocess.Popen(
            [*call, "--trials", str(trials), *more],
            cwd=self.folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.begun.append(worker)
        return worker

    def study(self) -> optuna.Study:
        self.out.mkdir(exist_ok=True)
        storage = JournalStorage(JournalFileBackend(str(self.out / "study.log")))
        return optuna.create_study(
            study_name="training", storage=storage, direction="maximize", load_if_exists=True
        )

    def enqueue(self, values: dict[str, Any], *percents: int) -> None:
        for percent in percents:
            self.study().enqueue_trial({**values, "percent": percent})

    def until(self, ready: Callable[[], bool]) -> None:
        """Wait until something is so; a worker that has ended fails the test."""
        deadline = time.monotonic() + 600
        while not ready():
            assert self.begun[-1].poll() is None, self.begun[-1].communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def workers(tmp_path: Path) -> Any:
    made = Workers(tmp_path)
    yield made
    for worker in made.begun:  # and its scripts
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.communicate()


def ended(worker: subprocess.Popen[str], status: int = 0) -> str:
    """What a worker has printed, without a traceback."""
    output, errors = worker.communicate(timeout=600)
    assert worker.returncode == status, errors
    assert "Traceback" not in errors
    return output if status == 0 else errors


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def steps(output: Path) -> list[int]:
    """The steps that the runs of a script have printed."""
    return [int(step) for step in re.findall(r"^step (\d+)/", output.read_text(), re.MULTILINE)]


def trained(trial: FrozenTrial, folder: Path) -> list[float]:
    """Checks that every step of a trial is in the log once; returns the accuracies in it."""
    log = rows(folder)
    assert [int(row["step"]) for row in log] == list(range(1, len(log) + 1))
    found = [float(row["average"]) for row in log if row["average"]]
    known = trial.intermediate_values
    assert known == dict(enumerate(found[: len(known)]))
    assert len(known) == len(found) or trial.state == TrialState.PRUNED
    return found


def accuracy(workers: Workers, folder: Path) -> float:
    """The accuracy of the network with the weights in a trial's folder."""
    spec = importlib.util.spec_from_file_location("best", folder / "torch" / "small.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.Small()
    model.load_state_dict(load_file(folder / "weights.safetensors"))
    with torch.no_grad():
        x = torch.from_numpy(workers.x).movedim(-1, 1).float()
        right = model.eval()(module.preprocess(x)).argmax(1).numpy() == workers.y
    return float(right.mean())


def test_workers_prune_and_go_on(workers: Workers) -> None:
    epochs = dict.fromkeys(range(EPOCHS), 0.3)
    for _ in range(5):  # so many complete trials the pruner needs
        workers.study().add_trial(optuna.create_trial(value=0.3, intermediate_values=epochs))
    workers.enqueue(GOOD, 50, 100)
    workers.enqueue(BAD, 75, 125)
    killed = workers.start(9, "--workers", "0")
    folder = workers.out / "5"
    workers.until(lambda: (folder / "last.npz").exists() and step_of(folder) > 0)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    saved, before = step_of(folder), len(steps(folder / "output.txt"))
    assert 0 < saved < EPOCHS * STEPS, "the script is killed while it trains"

    both = [workers.start(9, "--workers", "0") for _ in range(2)]
    printed = [ended(worker) for worker in both]
    assert all(re.search(r"^trial \d+: ", text) for text in printed), "both have run trials"
    *_, lost, good, one, other, again = trials = workers.study().trials
    assert (lost.state, lost.params) == (TrialState.FAIL, again.params)
    assert steps(folder / "output.txt")[before] > saved, "it goes on from the checkpoint"
    assert sorted(path.name for path in workers.out.iterdir() if path.is_dir()) == list("5678")
    for trial, own in ((again, folder), (good, workers.out / "6")):
        assert trial.state == TrialState.COMPLETE
        assert trial.value == trained(trial, own)[-1] > 0.9
        assert len(rows(own)) == EPOCHS * STEPS
    assert steps(workers.out / "6" / "output.txt") == list(range(20, EPOCHS * STEPS + 1, 20))
    for trial in (one, other):
        own = workers.out / str(trial.number)
        assert trial.state == TrialState.PRUNED
        assert len(trained(trial, own)) < EPOCHS, "the script has ended early"
        assert step_of(own) == len(rows(own)), "it has saved"
        assert not (own / "weights.safetensors").exists()

    best = workers.study().best_trial
    place = folder if best == again else workers.out / "6"
    assert f"best: {best.value:.2%}, search/{place.name}/weights.safetensors" in printed[0]
    assert accuracy(workers, place) == pytest.approx(best.value, abs=1e-6)
    ended(workers.start(9))
    assert len(workers.study().trials) == len(trials) == 10, "there are enough"


def test_a_script_that_outlives_its_worker(workers: Workers) -> None:
    """No other worker starts its trial before it has ended, and then nothing is left to train."""
    killed = workers.start(1)
    output = workers.out / "0" / "output.txt"
    workers.until(lambda: output.exists() and bool(steps(output)))
    killed.kill()
    text = ended(workers.start(1))
    assert "best: " in text
    assert steps(output) == list(range(20, EPOCHS * STEPS + 1, 20)), "each step once"
    states = [trial.state for trial in workers.study().trials]
    assert states == [TrialState.FAIL, TrialState.COMPLETE]
    trained(workers.study().trials[1], output.parent)


def test_a_worker_that_is_terminated(workers: Workers) -> None:
    """Its script saves, and a worker with the same command goes on."""
    folder = workers.out / "0"
    first = workers.start(1)
    workers.until(lambda: (folder / "last.npz").exists() and step_of(folder) > 0)
    first.terminate()
    ended(first, 128 + signal.SIGTERM)
    saved, count = step_of(folder), len(steps(folder / "output.txt"))
    stop = f"stopped after step {saved}; run it again to go on\n"
    assert (folder / "output.txt").read_text().endswith(stop)
    ended(workers.start(1))
    assert steps(folder / "output.txt")[count] > saved
    assert len(rows(folder)) == EPOCHS * STEPS


def test_a_trial_without_a_result(workers: Workers) -> None:
    """Its message is kept, and the next one runs."""
    linear = SPEC.replace(", activation: relu", "").replace("0.0078125", "1000000")
    workers.write(linear + "width: 0.75\n", epochs=1, groups=3)
    workers.enqueue(GOOD, 75)
    study = workers.study()
    study.tell(study.ask(SPACE), state=TrialState.FAIL)  # a worker died here
    workers.enqueue(GOOD, 50)
    workers.enqueue({"optimizer": "sgd", "rate": 1.0}, 75)
    ended(workers.start(3))
    lost, wrong, failed, right = workers.study().trials
    assert (right.params, right.user_attrs) == (lost.params, {"goes_on_with": 0})
    states = (wrong.state, failed.state, right.state)
    assert states == (TrialState.PRUNED, TrialState.FAIL, TrialState.COMPLETE)
    diagnostic = "error[E403]: `conv`: 4 filters are not divisible by 3 groups\n"
    assert wrong.user_attrs["message"].startswith(diagnostic)
    loss = r"status 1: error: the loss is (nan|inf) at step \d+"
    assert re.fullmatch(loss, failed.user_attrs["message"])


def test_wrong_arguments(workers: Workers) -> None:
    """They end the worker at once."""
    assert "no such file or shipped spec: nosuch" in ended(workers.start(9, spec="nosuch"), 1)
    assert not workers.out.exists()
    assert "unrecognized arguments: --amt" in ended(workers.start(9, "--amt"), 1)
    assert "missing.npz cannot be read" in ended(workers.start(9, "--data", "missing.npz"), 1)
    assert len(workers.study().trials) == 2
    other = "error: search is of small.yaml and torch\n"
    assert ended(workers.start(9, "--backend", "keras"), 1).endswith(other)
    (workers.folder / "file").touch()
    assert "File exists: 'file'" in ended(workers.start(9, "--out", "file"), 1)


def test_keras(workers: Workers) -> None:
    workers.write(epochs=2)
    workers.enqueue(GOOD, 50)
    ended(workers.start(1, "--backend", "keras"))
    (trial,) = workers.study().trials
    assert trial.value == trained(trial, workers.out / "0")[-1]
    sizes: list[int] = []
    with h5py.File(workers.out / "0" / "model.weights.h5") as file:
        file.visititems(lambda _, node: sizes.append(getattr(node, "size", 0)))
    network = inception_dsl.load(workers.folder / "small.yaml", width=0.5)
    assert sum(sizes) == network.parameters
