"""The interpreter of recipes against Keras and TensorFlow 1, 200 steps in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
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
)
from inception_dsl.reference.schedules import learning_rate

keras = pytest.importorskip("keras")
optimizers = keras.optimizers
BOUND = 1e-12
IN_FLOAT32 = 1e-6
"""Where TensorFlow 1 computes in float32: Adam's bias correction, the average's warm-up."""


@pytest.fixture
def double() -> Iterator[None]:
    """Keras in float64."""
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


def run_keras(
    training: Training, optimizer: Any, start: float | None = None
) -> list[dict[str, Any]]:
    """The weights after each step, with the mean square of RMSProp set to ``start`` first."""
    own = {path: keras.Variable(w, dtype="float64") for path, w in WEIGHTS.items()}
    optimizer.build([*own.values()])
    for slot in optimizer._velocities if start is not None else ():
        slot.assign(np.full(slot.shape, start))
    found = []
    for step in range(STEPS):
        optimizer.learning_rate = learning_rate(training, step)
        values = {path: keras.ops.convert_to_numpy(v) for path, v in own.items()}
        given = [keras.ops.convert_to_tensor(g) for g in gradients(values, step).values()]
        optimizer.apply(given, [*own.values()])
        found.append({path: keras.ops.convert_to_numpy(v) for path, v in own.items()})
        if optimizer.use_ema:
            found[-1] = {
                p: keras.ops.convert_to_numpy(v)
                for p, v in zip(own, optimizer._model_variables_moving_average, strict=True)
            }
    return found


_RMSPROP = {"rho": DECAY, "momentum": MOMENTUM, "epsilon": EPSILON}
KERAS = {
    "sgd": (sgd("keras"), lambda **k: optimizers.SGD(1.0, momentum=MOMENTUM, **k)),
    "sgd as Caffe": (sgd("caffe"), lambda **k: optimizers.SGD(1.0, momentum=MOMENTUM, **k)),
    "nesterov": (
        sgd("keras", nesterov=True),
        lambda **k: optimizers.SGD(1.0, momentum=MOMENTUM, nesterov=True, **k),
    ),
    "rmsprop": (rmsprop("keras"), lambda **k: optimizers.RMSprop(1.0, **_RMSPROP, **k)),
    "adam": (adam("keras"), lambda **k: optimizers.Adam(1.0, **ADAM, **k)),
    "adam as TensorFlow 1": (
        adam("tensorflow"),
        lambda **k: optimizers.Adam(1.0, **ADAM, **k),
    ),
    "adamw": (
        adam("keras", "adamw"),
        lambda **k: optimizers.AdamW(1.0, **{"weight_decay": 0.0, **ADAM, **k}),
    ),
    "lamb": (adam("keras", "lamb"), lambda **k: optimizers.Lamb(1.0, **ADAM, **k)),
}


@pytest.mark.parametrize("name", KERAS)
def test_keras_optimizers(name: str, double: None) -> None:
    optimizer, make = KERAS[name]
    training = recipe(optimizer=optimizer, schedule=STAIRS)
    assert worst(interpreted(training), run_keras(training, make())) < BOUND


def test_rmsprop_of_tensorflow_is_that_of_keras_from_a_mean_square_of_1(double: None) -> None:
    training = recipe(optimizer=rmsprop("tensorflow"), schedule=STAIRS)
    found = run_keras(training, KERAS["rmsprop"][1](), start=1.0)
    assert worst(interpreted(training), found) < BOUND


@pytest.mark.parametrize("name", ["sgd", "adamw", "lamb"])
def test_decoupled_decay_of_keras(name: str, double: None) -> None:
    optimizer, make = KERAS[name]
    decay = WeightDecay(0.25, "decoupled", "all")
    training = recipe(optimizer=optimizer, schedule=STAIRS, weight_decay=decay)
    assert worst(interpreted(training), run_keras(training, make(weight_decay=0.25))) < BOUND


@pytest.mark.parametrize(("kind", "field"), [("norm", "global_clipnorm"), ("value", "clipvalue")])
def test_clip_of_keras(kind: str, field: str, double: None) -> None:
    optimizer, make = KERAS["sgd"]
    training = recipe(optimizer=optimizer, gradient_clip=GradientClip(**{kind: 0.5}))
    assert worst(interpreted(training), run_keras(training, make(**{field: 0.5}))) < BOUND


def test_average_of_keras(double: None) -> None:
    optimizer, make = KERAS["sgd"]
    training = recipe(optimizer=optimizer, average=Average(0.96875))
    found = run_keras(training, make(use_ema=True, ema_momentum=0.96875))
    states = [state._replace(weights=state.average) for state in interpreted(training)]
    assert worst(states, found) < BOUND


schedules = optimizers.schedules
_RATE = np.float64(2.0**-6)  # a float would become float32, and the schedule with it
KERAS_SCHEDULES = {
    "staircase": (STAIRS, lambda: schedules.ExponentialDecay(_RATE, 40, 0.5, staircase=True)),
    "exponential": (
        Schedule("exponential", factor=0.5, every_steps=40),
        lambda: schedules.ExponentialDecay(_RATE, 40, 0.5),
    ),
    "polynomial": (
        Schedule("polynomial", power=0.5, end=0.125, steps=150),
        lambda: schedules.PolynomialDecay(_RATE, 150, _RATE / 8, power=0.5),
    ),
    "cosine": (
        Schedule("cosine", end=0.125),
        lambda: schedules.CosineDecay(_RATE, STEPS, alpha=0.125),
    ),
    "warm-up and cosine": (
        Schedule("warm_up", start=0.25, steps=50, then=Schedule("cosine")),
        lambda: schedules.CosineDecay(_RATE / 4, 150, warmup_target=_RATE, warmup_steps=50),
    ),
}


@pytest.mark.parametrize("name", KERAS_SCHEDULES)
def test_schedules_of_keras(name: str, double: None) -> None:
    schedule, make = KERAS_SCHEDULES[name]
    training, found = recipe(optimizer=sgd("keras"), schedule=schedule), make()
    for step in range(STEPS):
        assert learning_rate(training, step) == pytest.approx(
            float(found(step)), rel=BOUND, abs=0
        ), step


def test_keras_changes_a_piecewise_rate_one_step_later(double: None) -> None:
    """Its boundaries are the last steps of the old rate."""
    schedule = Schedule("steps", factor=0.5, at_steps=(30, 60))
    training = recipe(optimizer=sgd("keras"), schedule=schedule)
    found = schedules.PiecewiseConstantDecay([29, 59], [_RATE, _RATE / 2, _RATE / 4])
    for step in range(STEPS):
        assert learning_rate(training, step) == float(found(step)), step


tensorflow = pytest.importorskip("tensorflow")
V1 = tensorflow.compat.v1.train


def run_tensorflow(
    training: Training, make: Callable[[Any], Any], clip: Any = None, average: Any = None
) -> list[dict[str, Any]]:
    """The weights after each step of an optimizer of TensorFlow 1, or their average."""
    own, rate = {path: tensorflow.Variable(w) for path, w in WEIGHTS.items()}, [0.0]
    optimizer, found = make(lambda: rate[0]), []
    counted = average is not None and average._num_updates is not None
    if average:
        average.apply([*own.values()])  # which creates the averages
        for w in own.values():
            average.average(w).assign(w)
    for step in range(STEPS):
        rate[0] = learning_rate(training, step)
        values = {path: w.numpy() for path, w in own.items()}
        given = [tensorflow.constant(g) for g in gradients(values, step).values()]
        if clip:
            given, _ = tensorflow.clip_by_global_norm(given, clip)
        optimizer.apply_gradients(zip(given, own.values(), strict=True))
        if average:
            average._num_updates = step + 1 if counted else None
            average.apply([*own.values()])
        found.append({p: (average.average(w) if average else w).numpy() for p, w in own.items()})
    return found


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_of_tensorflow_1(nesterov: bool) -> None:
    training = recipe(optimizer=sgd("tensorflow", nesterov=nesterov), schedule=STAIRS)
    found = run_tensorflow(
        training, lambda rate: V1.MomentumOptimizer(rate, MOMENTUM, use_nesterov=nesterov)
    )
    assert worst(interpreted(training), found) < BOUND


def test_rmsprop_and_clip_of_tensorflow_1() -> None:
    clip = GradientClip(norm=0.5)
    training = recipe(optimizer=rmsprop("tensorflow"), schedule=STAIRS, gradient_clip=clip)
    found = run_tensorflow(
        training, lambda rate: V1.RMSPropOptimizer(rate, DECAY, MOMENTUM, EPSILON), clip=0.5
    )
    assert worst(interpreted(training), found) < BOUND


def test_adam_of_tensorflow_1() -> None:
    training = recipe(optimizer=adam("tensorflow"), schedule=STAIRS)
    found = run_tensorflow(training, lambda rate: V1.AdamOptimizer(rate, *ADAM.values()))
    assert worst(interpreted(training), found) < IN_FLOAT32


@pytest.mark.parametrize("warm_up", [False, True])
def test_average_of_tensorflow_1(warm_up: bool) -> None:
    training = recipe(optimizer=sgd("tensorflow"), average=Average(0.96875, warm_up=warm_up))
    average = V1.ExponentialMovingAverage(0.96875, num_updates=0 if warm_up else None)
    found = run_tensorflow(
        training, lambda rate: V1.MomentumOptimizer(rate, MOMENTUM), average=average
    )
    states = [state._replace(weights=state.average) for state in interpreted(training)]
    assert worst(states, found) < (IN_FLOAT32 if warm_up else BOUND)
