"""A search with Optuna that trains: a trial builds a network with its script, and runs the script.

    pip install 'inception-dsl[search,torch]'
    python docs/search_training.py small.yaml --data digits.npz --out search --trials 40

Start it once for each device: all workers with one OUT share a study. Run it again to go on.
Other options are those of the script. Replace `settings` by what is to be varied.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import fcntl  # locks of Linux and macOS, which end with the processes that have them
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

import inception_dsl

WEIGHTS = {"torch": "weights.safetensors", "keras": "model.weights.h5"}


def settings(trial: optuna.Trial) -> dict[str, object]:
    """The values of `--set`, of the spec and of its recipe."""
    name = trial.suggest_categorical("optimizer", ["sgd", "adam"])
    more = {"sgd": {"momentum": 0.9}, "adam": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}}
    rate = trial.suggest_float("rate", 1e-4, 1, log=True)
    return {
        "width": trial.suggest_int("percent", 25, 200, step=25) / 100,
        "training.optimizer": {"name": name, "form": "torch", "rate": rate, **more[name]},
    }


def built(trial: optuna.Trial, folder: Path, args: argparse.Namespace) -> Path:
    """The script that trains the network of a trial."""
    call = [sys.executable, "-m", "inception_dsl", "build", args.spec, "--train"]
    call += [f"--set={name}={json.dumps(value)}" for name, value in settings(trial).items()]
    call += ["--backend", args.backend, "--out", str(folder)]
    done = subprocess.run(call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise optuna.TrialPruned(done.stderr.strip())  # the spec cannot have these values
    scripts = folder.glob(f"{args.backend}/train_*.py")
    return max(scripts, key=lambda path: len(path.name))  # of train_x.yaml: train_train_x.py


def score(trial: optuna.Trial, held: IO[str], args: argparse.Namespace) -> float:
    """The accuracy after training, which goes on from a checkpoint in the trial's folder."""
    folder, known, ended = Path(held.name).parent, 0, False
    call = [sys.executable, str(built(trial, folder, args)), "--data", args.data]
    call += ["--out", str(folder), "--export", str(folder / WEIGHTS[args.backend]), *args.options]
    with (folder / "output.txt").open("a") as output:  # the lock outlives a worker, not a script
        script = subprocess.Popen(call, stdout=output, stderr=output, pass_fds=[held.fileno()])
    try:
        while not ended:
            time.sleep(0.2)
            ended = script.poll() is not None  # before the log is read, which is complete then
            found = accuracies(folder / "log.csv")
            for epoch in range(known, len(found)):
                trial.report(found[epoch], epoch)
            if len(found) > known and not ended and trial.should_prune():
                raise optuna.TrialPruned(f"pruned after epoch {len(found)}")
            known = max(known, len(found))
    finally:
        script.terminate()  # it saves and leaves
        script.wait()
    if script.returncode:
        *_, last = ["", *(folder / "output.txt").read_text(errors="replace").splitlines()]
        raise subprocess.SubprocessError(f"status {script.returncode}: {last}")
    return found[-1]


def accuracies(log: Path) -> list[float]:
    """Those after each epoch, of the running average if there is one."""
    text = log.read_text() if log.exists() else ""
    rows = csv.DictReader(text.rpartition("\n")[0].splitlines())  # the last row may be incomplete
    found = (row.get("average") or row["accuracy"] for row in rows)
    return [float(value) for value in found if value]


def first(trial: optuna.Trial | FrozenTrial) -> int:
    """The number of a trial, or of the one that it goes on with."""
    return int(trial.user_attrs.get("goes_on_with", trial.number))


def lock(folder: Path, how: int = 0) -> IO[str]:
    """A file, locked until it is closed here and in all processes that have inherited it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("a")
    fcntl.flock(file, fcntl.LOCK_EX | how)
    return file


def begin(study: optuna.Study, args: argparse.Namespace) -> tuple[optuna.Trial, IO[str]] | None:
    """The next trial and its lock, if there are not enough. One worker at a time does this."""
    with lock(args.out):
        for left in study.get_trials(states=[TrialState.RUNNING]):
            folder = args.out / str(first(left))
            with contextlib.suppress(BlockingIOError), lock(folder, fcntl.LOCK_NB):
                if study.trials[left.number].state == TrialState.RUNNING:  # but nobody runs it
                    study.tell(left.number, state=TrialState.FAIL)
        for number, last in {first(trial): trial for trial in study.trials}.items():
            if last.state == TrialState.FAIL and "message" not in last.user_attrs:
                study.enqueue_trial(last.params, user_attrs={"goes_on_with": number})
        waiting = study.get_trials(states=[TrialState.WAITING])
        if not waiting and len({first(trial) for trial in study.trials}) >= args.trials:
            return None
        trial = study.ask()
        return trial, lock(args.out / str(first(trial)))


def work(study: optuna.Study, args: argparse.Namespace) -> None:
    """Run trials until there are enough and those of all workers have ended."""
    while (found := begin(study, args)) or study.get_trials(states=[TrialState.RUNNING]):
        if not found:
            time.sleep(1)  # this worker goes on with a trial if its worker is killed
            continue
        trial, held = found
        try:
            text = f"{study.tell(trial, score(trial, held, args)).value:.2%}"
        except (optuna.TrialPruned, subprocess.SubprocessError) as error:
            pruned, text = isinstance(error, optuna.TrialPruned), str(error)
            trial.set_user_attr("message", text)
            study.tell(trial, state=TrialState.PRUNED if pruned else TrialState.FAIL)
            if not (pruned or Path(held.name).with_name("log.csv").exists()):
                sys.exit(text)  # wrong data or options
        held.close()
        print(f"trial {trial.number}: {text} {trial.params}", flush=True)


def main() -> None:
    """Work on the study, and print the best trial."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], allow_abbrev=False)
    parser.add_argument("spec", metavar="SPEC")
    parser.add_argument("--data", required=True, help="folder or .npz file, as for the script")
    parser.add_argument("--out", required=True, type=Path, help="folder of the study")
    parser.add_argument("--trials", required=True, type=int, help="how many, of all workers")
    parser.add_argument("--backend", choices=WEIGHTS, default="torch", help="(default torch)")
    args, options = parser.parse_known_args()
    args.options = options
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # ends the script, too
    inception_dsl.load(args.spec)
    args.out.mkdir(parents=True, exist_ok=True)
    storage = JournalStorage(JournalFileBackend(str(args.out / "study.log")))
    study = optuna.create_study(
        storage=storage, study_name="training", direction="maximize", load_if_exists=True
    )
    run = [args.spec, args.backend]
    if study.user_attrs.get("run", run) != run:
        sys.exit(f"error: {args.out} is of {' and '.join(study.user_attrs['run'])}")
    study.set_user_attr("run", run)
    work(study, args)
    if study.get_trials(states=[TrialState.COMPLETE]):
        best = study.best_trial
        print(f"best: {best.value:.2%}, {args.out / str(first(best)) / WEIGHTS[args.backend]}")


if __name__ == "__main__":
    try:
        main()
    except (inception_dsl.SpecError, OSError) as error:
        sys.exit(str(error))
