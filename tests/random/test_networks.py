"""Random networks agree: inference, the NumPy reference, and every framework, with the same weights."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inception_dsl.testing.fuzz import fuzz, kept, tasks

COUNT = 200
TRAINED = 20
SEEDS = Path(__file__).with_name("seeds.txt")


def test_every_network_agrees() -> None:
    """Those of the first seeds, and those that once did not agree."""
    seeds = list(dict.fromkeys([*range(COUNT), *kept(SEEDS)]))
    trials = list(fuzz(tasks(seeds, TRAINED), ("torch", "keras"), jobs=os.cpu_count() or 1))
    assert sorted(trial.seed for trial in trials) == sorted(seeds)
    assert [f"{trial.seed}: {trial.problem}" for trial in trials if trial.problem] == []
    assert sum(trial.trained for trial in trials) == TRAINED


@pytest.mark.parametrize("timeout", [0.01])
def test_a_network_that_hangs_is_a_disagreement(timeout: float) -> None:
    (trial,) = fuzz(tasks([0], 0), ("torch",), jobs=1, timeout=timeout)
    assert trial.problem == "no result after 0.01 seconds"
