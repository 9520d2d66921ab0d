"""Parameters of a network are arguments of the generated model only if every value is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from frameworks import BACKENDS, emitted

from inception_dsl import plugins
from inception_dsl.backend.arguments import decided
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram

Compiled = Callable[..., TypedProgram]

NETWORK = """\
network: n
input: {channels: 4, height: 11, width: 10}
params:
  filters: {type: int, default: 6}
  kernel: {type: int, default: 3}
  repeats: {type: int, default: 2}
  rate: {type: float, default: 0.4}
  bias: {type: bool, default: true}
  act: {type: str, default: relu}
blocks:
  cell: {params: {kernel: int}, steps: [{op: max_pool, kernel_size: $kernel, stride: 1}]}
  top: {steps: [{op: flatten}, {op: dense, units: 7}]}
body:
  - {op: conv, filters: 5, kernel_size: 1, use_bias: $bias, activation: $act}
  - {use: cell, kernel: $kernel, repeat: $repeats}
  - LAST
head: [{op: dropout, rate: $rate}, {use: top}, {op: dense, units: $classes}]
"""
CONV = "{op: conv, filters: $filters, kernel_size: 1}"


def literal(backend: str, typed: TypedProgram) -> set[str]:
    """The parameters that a backend writes as numbers."""
    ((_, found),) = plugins.chosen([backend], Report())
    names = decided(typed, found, typed.program.id).program.literal
    assert names is not None
    return {*names}


@pytest.mark.parametrize("backend", BACKENDS)
def test_parameters_are_arguments(backend: str, compiled: Compiled) -> None:
    typed = compiled(NETWORK.replace("LAST", "{op: scale, value: 2.0}"))
    assert literal(backend, typed) == set()
    text = emitted(backend, typed)
    for name in ("kernel: int = 3", "repeats: int = 2", "rate: float = 0.4", "bias: bool = True"):
        assert name in text


def test_a_number_of_features_that_is_no_argument(compiled: Compiled) -> None:
    # PyTorch: the features after `flatten` in a block are a number, which depends on the filters
    typed = compiled(NETWORK.replace("LAST", CONV))
    assert literal("keras", typed) == set()
    assert literal("torch", typed) == {"filters"}
    text = emitted("torch", typed)
    assert "filters: int = 6" not in text and "nn.Conv2d(5, 6, kernel_size=1)" in text
    assert "filters: int = 6" in emitted("keras", typed)


def test_a_width_that_no_argument_can_have(compiled: Compiled) -> None:
    parts = (
        "width: 0.5\ndivisor: 4\nbody: [{op: conv, filters: $n, kernel_size: $n}, "
        '{op: conv, filters: "${n + 40}", kernel_size: 1}]'
    )
    given = "params: {n: {type: int, default: 4}}"
    text = f"network: n\ninput: {{channels: 1, length: 9}}\n{given}\n{parts}\n"
    for backend in BACKENDS:
        assert literal(backend, compiled(text)) == {"n"}
        assert literal(backend, compiled(text.replace("divisor: 4\n", ""))) == set()


def test_what_was_decided_stays(compiled: Compiled) -> None:
    typed = compiled(NETWORK.replace("LAST", CONV))
    kept = replace(typed, program=typed.program._replace(literal=frozenset({"rate"})))
    assert literal("torch", kept) == {"rate"}
    assert "rate: float" not in emitted("torch", kept)


FAR = {
    "a number that changes far from the default": (
        "params: {n: {type: int, default: 16}}\n"
        'body: [{op: conv, filters: $n, kernel_size: 1, repeat: "${ceil(n / 64)}"}]',
        {"n"},
        set(),
    ),
    "a minimum": (
        "minimum: 64\nparams: {n: {type: int, default: 8}}\n"
        'body: [{op: conv, filters: "${n / 2}", kernel_size: 1}, '
        "{op: conv, filters: $n, kernel_size: 1}]",
        {"n"},
        {"n"},
    ),
    "a float that is given as an integer": (
        "params: {n: {type: float, default: 1}}\n"
        'body: [{op: conv, filters: "${64 * n}", kernel_size: 1}]',
        set(),
        set(),
    ),
    "features that depend on a stride": (
        "params: {n: {type: int, default: 2}}\n"
        "body: [{op: conv, filters: 4, kernel_size: 3, stride: $n}, {op: flatten}, "
        "{op: dense, units: 3}]",
        {"n"},
        {"n"},
    ),
    "repetitions that depend on the classes": (
        'body: [{op: conv, filters: 4, kernel_size: 1, repeat: "${ceil(classes / 2000)}"}]\n'
        "head: [{op: global_avg_pool}, {op: dense, units: $classes}]",
        {"classes"},
        set(),
    ),
    "classes that a width makes numbers": (
        "width: 0.5\nblocks: {b: {params: {n: int}, steps: [{op: conv, "
        'filters: "${n + 2}", kernel_size: 1}]}}\nbody: [{use: b, n: $classes}]',
        {"classes"},
        {"classes"},
    ),
}


@pytest.mark.parametrize("name", FAR)
def test_parameters_that_are_numbers(name: str, compiled: Compiled) -> None:
    text, torch, keras = FAR[name]
    typed = compiled(f"network: n\ninput: {{channels: 4, height: 8, width: 8}}\n{text}\n")
    assert literal("torch", typed) == torch
    assert literal("keras", typed) == keras


def test_a_rounded_number_is_at_least_one(compiled: Compiled) -> None:
    step = '{op: conv, filters: "${g / 5}", kernel_size: 1}'
    body = f"params: {{g: {{type: int, default: 12}}}}\nbody: [{step}]"
    typed = compiled(f"network: n\ninput: {{channels: 4, height: 8, width: 8}}\n{body}\n")
    for backend in BACKENDS:
        assert "max(1, int(g / 5 + 0.5))" in emitted(backend, typed)
