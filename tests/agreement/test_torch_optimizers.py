"""The interpreter of recipes against ``torch.optim``, 200 steps in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from recipes import (
    ADAM,
    DECAY,
    EPSILON,
    MOMENTUM,
    STAIRS,
    STEPS,
    WEIGHTS,
    adam,
    distance,
    gradients,
    interpreted,
    recipe,
    rmsprop,
    sgd,
    worst,
)

from inception_dsl.ir.recipe import (
    Average,
    GradientClip,
    Schedule,
    Training,
    WeightDecay,
    WeightGroup,
)
from inception_dsl.reference.schedules import learning_rate

torch = pytest.importorskip("torch")
BOUND = 1e-12


def run_torch(
    training: Training,
    make: Callable[[list[Any]], Any],
    clip: Callable[[list[Any]], Any] = lambda _: None,
    groups: Sequence[dict[str, Any]] = ({}, {}),
) -> list[dict[str, Any]]:
    """The weights after each step; ``groups`` have settings of kernels and of other weights."""
    own = {path: torch.nn.Parameter(torch.tensor(w)) for path, w in WEIGHTS.items()}
    kernels = [p for path, p in own.items() if path.endswith("kernel")]
    others = [p for path, p in own.items() if not path.endswith("kernel")]
    sets = [{"params": p, **more} for p, more in zip((kernels, others), groups, strict=True)]
    optimizer, found = make(sets), []
    factors = [group.get("lr", 1.0) for group in groups]
    for step in range(STEPS):
        for group, factor in zip(optimizer.param_groups, factors, strict=True):
            group["lr"] = learning_rate(training, step) * factor
        values = {path: p.detach().numpy() for path, p in own.items()}
        for path, g in gradients(values, step).items():
            own[path].grad = torch.tensor(g)
        clip(list(own.values()))
        optimizer.step()
        found.append({path: p.detach().numpy().copy() for path, p in own.items()})
    return found


T = torch.optim
TORCH = {
    "sgd": (sgd("torch"), lambda s: T.SGD(s, 1.0, momentum=MOMENTUM)),
    "sgd without momentum": (sgd("torch", momentum=0.0), lambda s: T.SGD(s, 1.0)),
    "nesterov": (
        sgd("torch", nesterov=True),
        lambda s: T.SGD(s, 1.0, momentum=MOMENTUM, nesterov=True),
    ),
    "rmsprop": (
        rmsprop("torch"),
        lambda s: T.RMSprop(s, 1.0, alpha=DECAY, eps=EPSILON, momentum=MOMENTUM),
    ),
    "rmsprop without momentum": (
        rmsprop("torch", 0.0),
        lambda s: T.RMSprop(s, 1.0, alpha=DECAY, eps=EPSILON),
    ),
    "adam": (
        adam("torch"),
        lambda s: T.Adam(s, 1.0, betas=(MOMENTUM, ADAM["beta_2"]), eps=EPSILON),
    ),
}


@pytest.mark.parametrize("name", TORCH)
def test_torch_optimizers(name: str) -> None:
    optimizer, make = TORCH[name]
    training = recipe(optimizer=optimizer, schedule=STAIRS)
    assert worst(interpreted(training), run_torch(training, make)) < BOUND


@pytest.mark.parametrize("on", ["kernels", "all"])
@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam"])
def test_l2_of_torch(name: str, on: Any) -> None:
    optimizer, make = TORCH[name]
    decay = WeightDecay(0.03125, "l2", on)
    training = recipe(optimizer=optimizer, schedule=STAIRS, weight_decay=decay)
    groups = ({"weight_decay": 0.03125}, {"weight_decay": 0.03125 if on == "all" else 0})
    assert worst(interpreted(training), run_torch(training, make, groups=groups)) < BOUND


def test_adamw_of_torch() -> None:
    training = recipe(
        optimizer=adam("torch", "adamw"),
        schedule=STAIRS,
        weight_decay=WeightDecay(0.25, "decoupled", "kernels"),
    )
    groups = ({"weight_decay": 0.25}, {"weight_decay": 0.0})

    def make(sets: Any) -> Any:
        return T.AdamW(sets, 1.0, betas=(MOMENTUM, ADAM["beta_2"]), eps=EPSILON)

    assert worst(interpreted(training), run_torch(training, make, groups=groups)) < BOUND


def test_groups_of_torch() -> None:
    """Caffe's `lr_mult: 2, decay_mult: 0` for biases, and the same for gamma."""
    group = WeightGroup(rate=2.0, decay=0.0)
    training = recipe(
        optimizer=sgd("torch"),
        weight_decay=WeightDecay(0.03125, "l2", "all"),
        groups={"biases": group, "norms": group},
    )
    groups = ({"weight_decay": 0.03125}, {"lr": 2.0})
    make = TORCH["sgd"][1]
    assert worst(interpreted(training), run_torch(training, make, groups=groups)) < BOUND


@pytest.mark.parametrize("kind", ["norm", "value"])
def test_clip_of_torch(kind: str) -> None:
    training = recipe(optimizer=sgd("torch"), gradient_clip=GradientClip(**{kind: 0.5}))
    name = {"norm": "clip_grad_norm_", "value": "clip_grad_value_"}[kind]
    clip = getattr(torch.nn.utils, name)
    found = run_torch(training, TORCH["sgd"][1], clip=lambda weights: clip(weights, 0.5))
    states = interpreted(training)
    assert worst(states, found) < BOUND
    assert (
        distance(states[-1].weights, interpreted(recipe(optimizer=sgd("torch")))[-1].weights) > 1e-3
    )


def test_average_of_torch() -> None:
    training = recipe(optimizer=sgd("torch"), average=Average(0.96875))
    states = interpreted(training)
    model = torch.nn.ParameterDict(
        {p.replace("/", "_"): torch.tensor(w) for p, w in WEIGHTS.items()}
    )
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.96875)
    )
    for state in states:
        with torch.no_grad():
            for path, w in state.weights.items():
                model[path.replace("/", "_")].copy_(torch.tensor(w))
        average.update_parameters(model)
        found = {p: average.module[p.replace("/", "_")].detach().numpy() for p in WEIGHTS}
        assert distance(state.average, found) < BOUND


S = torch.optim.lr_scheduler
SCHEDULERS = {
    "StepLR": (STAIRS, lambda o: S.StepLR(o, 40, 0.5)),
    "ExponentialLR": (
        Schedule("exponential", factor=0.96, every_steps=1),
        lambda o: S.ExponentialLR(o, 0.96),
    ),
    "MultiStepLR": (
        Schedule("steps", factor=0.1, at_steps=(30, 60, 150)),
        lambda o: S.MultiStepLR(o, [30, 60, 150], 0.1),
    ),
    "PolynomialLR": (
        Schedule("polynomial", power=0.5, steps=150),
        lambda o: S.PolynomialLR(o, 150, 0.5),
    ),
    "CosineAnnealingLR": (
        Schedule("cosine", end=0.125),
        lambda o: S.CosineAnnealingLR(o, STEPS, 2**-9),
    ),
    "LinearLR": (
        Schedule("warm_up", start=0.25, steps=50),
        lambda o: S.LinearLR(o, start_factor=0.25, total_iters=50),
    ),
    "SequentialLR": (
        Schedule("warm_up", start=0.25, steps=50, then=Schedule("staircase", 0.5, every_steps=40)),
        lambda o: S.SequentialLR(
            o, [S.LinearLR(o, start_factor=0.25, total_iters=50), S.StepLR(o, 40, 0.5)], [50]
        ),
    ),
}


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.filterwarnings("ignore")
def test_schedulers_of_torch(name: str) -> None:
    schedule, make = SCHEDULERS[name]
    training = recipe(optimizer=sgd("torch"), schedule=schedule)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 2.0**-6)
    scheduler = make(optimizer)
    for step in range(STEPS):
        (found,) = scheduler.get_last_lr()
        assert learning_rate(training, step) == pytest.approx(found, rel=BOUND, abs=0), step
        optimizer.step()
        scheduler.step()
