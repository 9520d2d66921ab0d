"""Tests the program ``inception_dsl.testing.fuzz`` itself."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import pytest

from inception_dsl.testing import trial
from inception_dsl.testing.fuzz import summary
from inception_dsl.testing.random_specs import random_spec
from inception_dsl.testing.trial import Trial, loaded

WITHOUT_NUMPY = """\
import runpy, sys
sys.modules["numpy"] = None
sys.argv = ["fuzz", "--count", "1"]
runpy.run_module("inception_dsl.testing.fuzz", run_name="__main__")
"""


def test_without_numpy_it_says_what_to_install() -> None:
    command = [sys.executable, "-c", WITHOUT_NUMPY]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot import the package `numpy`")
    assert "pip install 'inception-dsl[weights]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_rounding_changes_is_not_said_to_be_compared() -> None:
    trials = [Trial(0, "plain", "float32", 2e-7), Trial(1, "plain", "float32", math.nan)]
    text = summary([], trials, ["torch"], 1.0)
    assert "1 compared in float32, largest error 2.0e-07" in text
    assert "1 not compared in float32, whose rounding changes the outputs" in text
    text = summary([], trials[:1], ["torch"], 1.0)
    assert "not compared" not in text


@pytest.mark.parametrize("effect", [1.0, math.inf, math.nan])
def test_a_network_whose_outputs_are_rounding_says_nothing(
    effect: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    seed = next(seed for seed in itertools.count() if random_spec(seed).dtype == "float32")
    backends = loaded(["torch"])
    assert trial.attempt(seed, backends).worst < 1e-5
    monkeypatch.setattr(trial, "_rounding", lambda *_: effect)
    found = trial.attempt(seed, backends)
    assert math.isnan(found.worst)
    assert found.problem == ""
