"""The learning rate of recipes against ``timm.scheduler``, at the ends of each epoch."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from operators import declare
from recipes import recipe

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.recipe import Optimizer, Schedule, Training
from inception_dsl.reference.schedules import learning_rate

torch = pytest.importorskip("torch")
BOUND = 1e-13
SAMPLES, BATCH = 1_281_167, 4_096
RATE = 0.004


@pytest.fixture(scope="module")
def schedulers() -> Any:
    declare()
    return pytest.importorskip("timm.scheduler")


def optimizer() -> Any:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)


def rates(scheduler: Any, own: Any, epochs: int) -> list[float]:
    """The rates of timm's training loop, which calls the scheduler after each epoch."""
    found = []
    for epoch in range(epochs):
        found.append(own.param_groups[0]["lr"])
        scheduler.step(epoch + 1)
    return found


def judge(training: Training, expected: list[float]) -> None:
    """An epoch is 312.78 steps: it begins with the first step that is not in the one before."""
    bounds = [math.ceil(Fraction(e * SAMPLES, BATCH)) for e in range(len(expected) + 1)]
    for epoch, rate in enumerate(expected):
        for step in (bounds[epoch], bounds[epoch + 1] - 1):
            assert learning_rate(training, step) == pytest.approx(rate, rel=BOUND), epoch


def test_the_recipe_of_inception_next(schedulers: Any) -> None:
    """The settings of the authors' command and script; the cool-down is at the lowest rate."""
    report = Report()
    settings = {"training.samples": str(SAMPLES)}
    typed = compile_spec("inception-dsl:family/inception_next_tiny", settings, report)
    assert typed is not None, report.render()
    training = typed.program.training
    assert training is not None
    assert training.missing() == ()
    scheduler, epochs = schedulers.create_scheduler_v2(
        (own := optimizer()),
        sched="cosine",
        num_epochs=300,
        cooldown_epochs=10,
        min_lr=1e-5,
        warmup_lr=1e-6,
        warmup_epochs=20,
    )
    assert epochs == 310
    judge(training, rates(scheduler, own, epochs))


@pytest.mark.parametrize("prefix", [False, True])
@pytest.mark.parametrize("name", ["cosine", "polynomial", "steps"])
def test_after_a_warm_up(schedulers: Any, name: str, prefix: bool) -> None:
    """timm counts from the start of the run unless `warmup_prefix` is set."""
    own, warm_up = optimizer(), {"warmup_t": 5, "warmup_lr_init": 1e-5, "warmup_prefix": prefix}
    falling: dict[str, Any]
    if name == "cosine":
        scheduler = schedulers.CosineLRScheduler(own, t_initial=30, lr_min=1e-4, **warm_up)
        falling = {"end": 1e-4 / RATE, "epochs": 30.0}
    elif name == "polynomial":
        scheduler = schedulers.PolyLRScheduler(own, t_initial=30, power=0.5, lr_min=1e-4, **warm_up)
        falling = {"power": 0.5, "end": 1e-4 / RATE, "epochs": 30.0}
    else:  # timm changes one epoch before
        scheduler = schedulers.MultiStepLRScheduler(
            own, decay_t=[11, 21], decay_rate=0.5, **warm_up
        )
        falling = {"factor": 0.5, "at_epochs": (10.0, 20.0)}
    counts: Any = "schedule" if prefix else "run"
    then = Schedule(name, **falling, counts_from=counts, by_epoch=True)  # type: ignore[arg-type]
    schedule = Schedule("warm_up", epochs=5, start=1e-5 / RATE, by_epoch=True, then=then)
    training = recipe(
        optimizer=Optimizer("sgd", RATE),
        samples=SAMPLES,
        batch_size=BATCH,
        steps=None,
        epochs=40.0,
        schedule=schedule,
    )
    judge(training, rates(scheduler, own, 40))
