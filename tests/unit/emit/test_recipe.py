"""The sentences of recipes in generated docstrings."""

from __future__ import annotations

from typing import Any

import pytest

from inception_dsl.emit.recipe import recorded
from inception_dsl.ir.recipe import (
    Augmentation,
    Average,
    GradientClip,
    Optimizer,
    Schedule,
    Training,
    WeightDecay,
    WeightGroup,
)

COSINE = Schedule("cosine", end=0.0025)
CASES: list[tuple[dict[str, Any], str]] = [
    ({"samples": 1_281_167}, "Trained on 1,281,167 samples."),
    ({"samples": 1}, "Trained on 1 sample."),
    ({"batch_size": 32}, "Trained in batches of 32."),
    ({"replicas": 20}, "Trained across 20 replicas."),
    ({"epochs": 1_500.0}, "Trained for 1,500 epochs."),
    ({"steps": 1}, "Trained for 1 step."),
    (
        {"epochs": 2.5, "samples": 50, "batch_size": 4, "replicas": 2},
        "Trained for 2.5 epochs on 50 samples in batches of 4 across 2 replicas.",
    ),
    (
        {"optimizer": Optimizer("adam", 1e-3, "keras", beta_1=0.9, epsilon=1e-7)},
        "Optimiser: Adam as Keras defines it; learning rate 0.001, beta_1 0.9, epsilon 1e-7.",
    ),
    (
        {"schedule": Schedule("staircase", factor=0.94, every_epochs=2.0)},
        "Learning rate: times 0.94 every 2 epochs.",
    ),
    ({"schedule": Schedule("staircase")}, "Learning rate: falling, in steps."),
    ({"schedule": Schedule("exponential")}, "Learning rate: falling exponentially."),
    (
        {"schedule": Schedule("exponential", factor=0.5, every_steps=1)},
        "Learning rate: falling exponentially, times 0.5 every 1 step.",
    ),
    (
        {"schedule": Schedule("warm_up", epochs=20, start=2.5e-4, then=COSINE)},
        "Learning rate: rising from 0.00025 times the rate, for 20 epochs, then falling by half a "
        "cosine, down to 0.0025 of it.",
    ),
    (
        {
            "schedule": Schedule(
                "warm_up",
                epochs=2,
                by_epoch=True,
                then=Schedule("cosine", counts_from="run", by_epoch=True),
            )
        },
        "Learning rate: rising from 0 (once per epoch), for 2 epochs, then falling by half a "
        "cosine (counted from the start of the run, once per epoch).",
    ),
    (
        {"schedule": Schedule("warm_up", steps=9)},
        "Learning rate: rising from 0, for 9 steps.",
    ),
    (
        {"average": Average(0.9999, warm_up=True)},
        "Evaluated with a running average of the weights; its decay is 0.9999, at most "
        "(1+n)/(10+n) after n steps.",
    ),
    ({"average": Average()}, "Evaluated with a running average of the weights."),
    (
        {"average": Average(warm_up=True)},
        "Evaluated with a running average of the weights; its decay is at most "
        "(1+n)/(10+n) after n steps.",
    ),
    ({"weight_decay": WeightDecay(4e-5, "l2", "all")}, "Weight decay: L2, 4e-5 on all weights."),
    (
        {"groups": {"biases": WeightGroup(2.0, 0.0)}},
        "Biases have 2 times the learning rate and no weight decay.",
    ),
    ({"gradient_clip": GradientClip(value=0.5)}, "Gradients are clipped to 0.5 each."),
    ({"augmentation": Augmentation(flip=True)}, "Augmentation: horizontal flips."),
    (
        {
            "unsaid": (
                "epochs",
                "optimizer",
                "schedule.then.factor",
                "schedule.factor",
                "batch_size",
            )
        },
        "The paper does not give the length, optimiser, factor of the schedule and batch size.",
    ),
    (
        {"unsaid": ("optimizer", "optimizer.beta_1", "average.decay", "weight_decay.rate")},
        "The paper does not give the optimiser, beta_1 of the optimiser, decay of the running "
        "average and rate of the weight decay.",
    ),
]


@pytest.mark.parametrize(("fields", "sentence"), CASES)
def test_sentences(fields: dict[str, Any], sentence: str) -> None:
    assert [text.plain for text in recorded(Training(0.0, (), **fields))] == [sentence]
