"""W411 has the numbers in the unit in which the recipe is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report

NET = "network: n\ninput: {channels: 3, height: 9, width: 9}\nbody: [{op: identity}]\ntraining: "


@pytest.mark.parametrize(
    ("recipe", "message", "help"),
    [
        (
            "{samples: 160, batch_size: 16, epochs: 100, schedule: {name: cosine, epochs: 90}}",
            "the cosine schedule ends after 90 epochs, and the run after 100 epochs",
            "remove `epochs`, and it lasts until the run ends",
        ),
        (
            "{steps: 2400000, schedule: {name: polynomial, power: 0.5, steps: 2500000}}",
            "the polynomial schedule ends after 2,500,000 steps, and the run after 2,400,000 steps",
            "remove `steps`, and it lasts until the run ends",
        ),
        (
            "{samples: 10, batch_size: 10, epochs: 1, schedule: {name: cosine, steps: 9}}",
            "the cosine schedule ends after 9 steps, and the run after 1 step",
            "remove `steps`, and it lasts until the run ends",
        ),
        (
            "{epochs: 3, schedule: {name: constant, epochs: 3, then: {name: cosine}}}",
            "the cosine schedule begins after 3 epochs, and the run after 3 epochs",
            "use a run and a schedule of one length",
        ),
        (
            "{epochs: 3, schedule: {name: steps, factor: 0.1, at_epochs: [0.5, 3]}}",
            "the rate changes after 3 epochs, and the run after 3 epochs",
            "use a run and a schedule of one length",
        ),
    ],
)
def test_the_message(write: Callable[..., Path], recipe: str, message: str, help: str) -> None:
    report = Report()
    compile_spec(write(f"{NET}{recipe}\n"), {}, report)
    (found,) = report.warnings
    assert (found.code, found.message, found.help) == ("W411", message, help)
