"""A search with Optuna over variants of Inception-v4, in any number of processes.

    pip install 'inception-dsl[search]'
    python docs/search.py v4 search.log 200   # in as many terminals as there are cores

All processes with one file work on one study, until it has so many trials. It goes on if it is run
again. Replace `score` by what is to be found: train the network, return its accuracy.
"""

from __future__ import annotations

import sys
import warnings

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import MaxTrialsCallback

import inception_dsl


def score(network: inception_dsl.Network) -> float:
    """What to maximise: here the parameters, for a result without training."""
    return float(network.parameters)  # network.module("torch").InceptionV4() is the model


def objective(trial: optuna.Trial, spec: str) -> tuple[float, float]:
    """The multiply-adds, to minimise, and the score."""
    settings = {
        "width": trial.suggest_int("percent", 25, 200, step=5) / 100,
        "input": trial.suggest_int("input", 139, 331, step=32),
        "body.0.repeat": trial.suggest_int("inception_a", 1, 6),
        "body.2.repeat": trial.suggest_int("inception_b", 1, 10),
    }
    try:
        network = inception_dsl.load(spec, **settings)
    except inception_dsl.SpecError as error:
        raise optuna.TrialPruned(str(error)) from None  # not a valid network
    return float(network.macs), score(network)


def main(spec: str, journal: str, trials: int) -> None:
    """Run trials until the study has enough, and print the Pareto front."""
    warnings.simplefilter("ignore", inception_dsl.SpecWarning)
    storage = JournalStorage(JournalFileBackend(journal))
    study = optuna.create_study(
        study_name=spec, storage=storage, directions=["minimize", "maximize"], load_if_exists=True
    )
    if len(study.trials) < trials:
        enough = MaxTrialsCallback(trials, states=None)
        study.optimize(lambda trial: objective(trial, spec), callbacks=[enough])
    for trial in sorted(study.best_trials, key=lambda trial: trial.values[0]):
        print(f"{trial.values[0]:,.0f} MACs, score {trial.values[1]:,.0f}: {trial.params}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
