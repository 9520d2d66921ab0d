"""Shape inference, the NumPy reference and all frameworks agree on random networks."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from defects import COUNT

from inception_dsl.testing.fuzz import fuzz, main, read_seeds, tasks
from inception_dsl.testing.random_specs import random_spec

TRAINED = 20
PARTS = 2  # each in a process of its own
SEEDS = Path(__file__).with_name("seeds.txt")


@pytest.mark.parametrize("part", range(PARTS))
def test_every_network_agrees(part: int) -> None:
    """The first seeds, and those that once disagreed."""
    seeds = list(dict.fromkeys([*range(COUNT), *read_seeds(SEEDS)]))
    every = tasks(seeds, TRAINED)
    assert sum(task.training for task in every) == TRAINED
    mine = every[part::PARTS]
    trials = list(fuzz(mine, ("torch", "keras"), jobs=1))
    assert sorted(trial.seed for trial in trials) == sorted(task.seed for task in mine)
    assert [f"{trial.seed}: {trial.problem}" for trial in trials if trial.problem] == []
    assert {t.seed for t in trials if t.trained} == {t.seed for t in mine if t.training}


@pytest.mark.parametrize("timeout", [0.01])
def test_timeout_is_a_disagreement(timeout: float) -> None:
    (trial,) = fuzz(tasks([0], 0), ("torch",), jobs=1, timeout=timeout)
    assert trial.problem == "no result after 0.01 seconds"


def test_crash_is_a_disagreement_for_each_network() -> None:
    trials = list(fuzz(tasks([0, 1], 0), ("missing",), jobs=2))
    assert [trial.problem for trial in trials] == ["the process ended with 1"] * 2


def test_command_prints_seeds_that_disagree() -> None:
    result = CliRunner().invoke(main, ["--count", "2", "--seed", "7", "--backend", "missing"])
    assert result.exit_code == 1
    for seed in (7, 8):
        assert (
            f"seed {seed} ({random_spec(seed).policy}): the process ended with 1" in result.stdout
        )
    assert "2 networks, 0 of them also in training: 2 disagreements, 0 skipped" in result.stdout


def test_show_prints_a_spec() -> None:
    result = CliRunner().invoke(main, ["--seed", "7", "--show"])
    assert (result.exit_code, result.stdout) == (0, random_spec(7).text)
