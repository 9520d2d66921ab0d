"""Initial values of every layer in both frameworks: mean, deviation, bounds and distribution.

The expected values are written here by hand, from the authors' code and Caffe's.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from frameworks import BACKENDS, ROOT, files_of, shipped

from inception_dsl.ir.typed import TypedProgram

Compiled = Callable[..., TypedProgram]
REST = 0.8796256610342398  # standard deviation of a normal distribution that is cut at 2


class Expected(NamedTuple):
    """A distribution: its bound, its standard deviation, and whether it is uniform."""

    bound: float
    deviation: float
    uniform: bool

    def below(self, x: Any) -> Any:
        """The cumulative distribution function."""
        if self.uniform:
            return (x / self.bound + 1) / 2
        whole = math.erf(math.sqrt(2))
        erf = np.vectorize(math.erf)
        return (erf(x * math.sqrt(2) / self.bound) / whole + 1) / 2


def uniform(bound: float) -> Expected:
    return Expected(bound, bound / math.sqrt(3), True)


def truncated(stddev: float) -> Expected:
    return Expected(2 * stddev, REST * stddev, False)


def he(fan_in: int) -> Expected:
    return truncated(math.sqrt(2 / fan_in) / REST)


def lecun(fan_in: int) -> Expected:
    return uniform(math.sqrt(3 / fan_in))


def glorot(fan_in: int, fan_out: int) -> Expected:
    return uniform(math.sqrt(6 / (fan_in + fan_out)))


def initial(backend: str, typed: TypedProgram) -> dict[str, Any]:
    """The weights of a new model, with the initial values of its file."""
    package = importlib.import_module(f"inception_dsl_{backend}")
    runner = importlib.import_module(package.BACKEND.runner)
    model = runner.create(typed, files_of(backend, typed), "float32")
    if backend == "keras":
        model.model.trainable = False  # the values of a frozen model are set too
        model.module.init_weights(model.model)
    found: dict[str, Any] = model.weights()
    return found


def agrees(values: Any, expected: Expected) -> None:
    """Whether values look drawn from a distribution; each test fails by chance once in 10^6."""
    values = np.asarray(values, "float64").ravel()
    n = len(values)
    assert np.abs(values).max() <= expected.bound * (1 + 1e-6)
    assert abs(values.mean()) <= 5 * expected.deviation / math.sqrt(n)
    assert abs(values.std() / expected.deviation - 1) <= 5 / math.sqrt(2 * n)
    some = np.sort(values[:50_000])
    steps = np.arange(1, len(some) + 1) / len(some)
    assert np.abs(expected.below(some) - steps).max() <= 2.7 / math.sqrt(len(some))


LAYERS = """
network: several
input: {channels: 64, height: 5, width: 5}
classes: 40
body:
  - {op: conv, name: plain, filters: 48, kernel_size: 3}
  - {op: conv, name: grouped, filters: 48, kernel_size: 3, groups: 4, initializer: {bias: -1}}
  - {op: depthwise_conv, name: depthwise, kernel_size: 5, depth_multiplier: 2}
  - {op: depthwise_conv, name: glorot_depthwise, kernel_size: 5,
     initializer: {name: glorot_uniform}}
  - {op: separable_conv, name: separable, filters: 32, kernel_size: 5,
     initializer: {name: lecun_uniform}}
  - {op: conv_bn, name: normed, filters: 64, kernel_size: [1, 7],
     initializer: {name: truncated_normal, stddev: 0.02}}
  - {name: fork, merge: concat, repeat: 2, branches: {
     one: [{op: conv, filters: 24, kernel_size: 3, initializer: {name: glorot_uniform}}],
     two: [{op: conv, filters: 24, kernel_size: 3}]}}
head:
  - {op: global_avg_pool}
  - {op: dense, name: classifier, units: $classes, initializer: {name: lecun_uniform, bias: 0}}
training: {initializer: {name: he_normal, bias: 0.25}}
"""
KERNELS = {
    "plain": he(9 * 64),
    "grouped": he(9 * 12),
    "depthwise": he(25),
    "glorot_depthwise": glorot(25, 25 * 96),
    "separable/depthwise": lecun(25),
    "separable/pointwise": lecun(96),
    "normed/conv": truncated(0.02),
    "fork/0/one": glorot(9 * 64, 9 * 24),
    "fork/0/two": he(9 * 64),
    "fork/1/one": glorot(9 * 48, 9 * 24),
    "fork/1/two": he(9 * 48),
    "classifier": lecun(48),
}
BIASES = {"grouped": -1.0, "classifier": 0.0}


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_layer_has_its_own_initial_values(backend: str, compiled: Compiled) -> None:
    found = initial(backend, compiled(LAYERS))
    kernels = {p.rpartition("/")[0]: v for p, v in found.items() if p.endswith("/kernel")}
    assert kernels.keys() == KERNELS.keys()
    for path, expected in KERNELS.items():
        agrees(kernels[path], expected)
    for path, value in found.items():
        layer, _, name = path.rpartition("/")
        if name == "bias":
            assert np.array_equal(value, np.full(value.shape, BIASES.get(layer, 0.25), "float32"))
    assert "separable/pointwise/bias" in found and not found["normed/bn/beta"].any()


SINGLE = """
network: single
input: {channels: 64, height: 5, width: 5}
body: [{op: conv, name: usual, filters: 64, kernel_size: 3},
  {op: conv, name: biased, filters: 64, kernel_size: 3, initializer: {bias: 3}},
  {op: conv, name: drawn, filters: 64, kernel_size: 3, initializer: {name: truncated_normal}}]
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_single_layers_without_a_rule_for_all(backend: str, compiled: Compiled) -> None:
    """The other layers keep the values of the framework's own layers."""
    found = initial(backend, compiled(SINGLE))
    agrees(found["drawn/kernel"], truncated(0.1))
    assert (found["biased/bias"] == 3).all()
    own = {"keras": glorot(9 * 64, 9 * 64), "torch": uniform(1 / math.sqrt(9 * 64))}[backend]
    for layer in ("usual", "biased"):
        agrees(found[f"{layer}/kernel"], own)


def v1(path: str, fan_in: int, fan_out: int) -> Expected:
    return lecun(fan_in)


def v3(path: str, fan_in: int, fan_out: int) -> Expected:
    known = {"classifier": 0.01, "aux/conv_5x5/conv": 0.01, "aux/classifier": 0.001}
    return truncated(known.get(path, 0.1))


def v4(path: str, fan_in: int, fan_out: int) -> Expected:
    return glorot(fan_in, fan_out) if path == "classifier" else he(fan_in)


def torchvision(path: str, fan_in: int, fan_out: int) -> Expected:
    return truncated({"aux/conv_5x5/conv": 0.01, "aux/classifier": 0.001}.get(path, 0.1))


AUTHORS = {
    "v1": v1,
    "v3": v3,
    "v4": v4,
    "inception_resnet_v2": v4,
    "published/torchvision_inception_v3": torchvision,
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("spec", AUTHORS)
def test_networks_start_as_the_authors_do(spec: str, backend: str) -> None:
    found = initial(backend, shipped(Path(ROOT) / "specs" / f"{spec}.yaml"))
    for path, value in found.items():
        layer, _, name = path.rpartition("/")
        if name == "kernel":
            window = math.prod(value.shape[:-2])
            fans = window * value.shape[-2], window * value.shape[-1]
            agrees(value, AUTHORS[spec](layer, *fans))
        elif name == "bias":
            usual = 0.2 if spec == "v1" and not layer.endswith("classifier") else 0.0
            assert np.array_equal(value, np.full(value.shape, usual, "float32")), path
