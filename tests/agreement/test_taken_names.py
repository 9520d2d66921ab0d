"""Uses attribute names of PyTorch and Keras models, and names of Python, as names in a spec.

Either there is an error with a location, or the network matches the reference.
"""

from __future__ import annotations

import builtins
import keyword
import os
import re
from pathlib import Path
from typing import Any

import keras
import pytest
from frameworks import BACKENDS, running
from torch import nn

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Diagnostic, Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.plugins import chosen, emit
from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.verify.bounds import FLOAT64, distance

WRITTEN = (
    "tensor conv_bn scale callable named_tuple max_pool loss preprocess init_weights x f fn "
    "input inputs output outputs logits features target targets size least module model keras "
    "layers ops torch"
)
MODULE = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))
MODEL = keras.Sequential([keras.layers.Input((4, 4, 1)), keras.layers.Conv2D(1, 1)])
FOUND = {
    *dir(nn.Module),
    *dir(MODULE),
    *dir(keras.Model),
    *dir(MODEL),
    *dir(keras.layers.Layer),
    *dir(builtins),
    *dir(tuple),
}
NAMES = sorted(
    n
    for n in {*FOUND, *WRITTEN.split(), *keyword.softkwlist, "self", "super"}
    if re.fullmatch("[a-z][a-z0-9_]*", n)
)
CONV = "{{op: conv, name: {0}, filters: 2, kernel_size: 1}}"
INPUT = "input: {channels: 2, height: 4, width: 4}\nclasses: 2\n"


def steps(names: list[str]) -> str:
    return f"network: net\n{INPUT}body: [{', '.join(CONV.format(n) for n in names)}]\n"


def branches(names: list[str]) -> str:
    inner = ", ".join(f"{n}: [{{op: conv, filters: 1, kernel_size: 1}}]" for n in names)
    return f"network: net\n{INPUT}body: [{{branches: {{{inner}}}, merge: concat, name: fork}}]\n"


def blocks(names: list[str]) -> str:
    text = "".join(
        f"  {n}: {{steps: [{{op: conv, filters: 2, kernel_size: 1}}, {{op: batch_norm}}]}}\n"
        for n in names
    )
    uses = ", ".join(f"{{use: {n}, name: step_{i}}}" for i, n in enumerate(names))
    return f"network: net\n{INPUT}blocks:\n{text}body: [{uses}]\n"


def parameters(names: list[str]) -> str:
    """One block per parameter, used with two values, so that the code keeps the parameter."""
    text = "".join(
        f"  block_{i}: {{params: {{{n}: int}}, steps: [{{op: conv, filters: ${n}, "
        f"kernel_size: 1}}, {{op: scale, value: 0.5}}]}}\n"
        for i, n in enumerate(names)
    )
    uses = ", ".join(
        f"{{use: block_{i}, name: s{i}_{k}, {n}: {k}}}" for i, n in enumerate(names) for k in (2, 3)
    )
    return f"network: net\n{INPUT}blocks:\n{text}body: [{uses}]\n"


def heads(names: list[str]) -> str:
    steps = "steps: [{op: global_avg_pool}, {op: dense, units: 2}]"
    text = "".join(f"  {n}: {{after: first, loss_weight: 0.1, {steps}}}\n" for n in names)
    body = f"body: [{CONV.format('first')}, {{op: activation, name: last_step, function: relu}}]"
    return (
        f"network: net\n"
        f"{INPUT}{body}\n"
        f"aux_heads:\n"
        f"{text}head: [{{op: global_avg_pool}}, {{op: dense, name: fc_out, units: 2}}]\n"
    )


def networks(names: list[str]) -> str:
    [name] = names
    return (
        f"network: {name}\n"
        f"{INPUT}body: [{CONV.format('first')}, {{op: batch_norm, name: second}}]\n"
    )


def outputs(names: list[str]) -> str:
    text = ", ".join(f"{n}: first" for n in names)
    return (
        f"network: net\n"
        f"{INPUT}body: [{CONV.format('first')}, {CONV.format('second')}]\n"
        f"outputs: {{{text}}}\n"
    )


KINDS = {
    "step": steps,
    "branch": branches,
    "block": blocks,
    "parameter": parameters,
    "head": heads,
    "output": outputs,
    "network": networks,
}
SHARE = int(os.environ.get("SHARE", "2"))  # 1: every name in every kind of field; 2: half of them


def compiled(text: str, folder: Path) -> tuple[TypedProgram | None, Report]:
    path = folder / "spec.yaml"
    path.write_text(text)
    report = Report()
    return compile_spec(path, {}, report), report


def errors_in(report: Report) -> list[Diagnostic]:
    """The diagnostics that are errors, not warnings."""
    return [found for found in report if found.code.startswith("E")]


def accepted(kind: str, backend: str, folder: Path) -> list[str]:
    """The names that are valid for a ``kind`` of name; all others have an error with a location
    and the name.
    """
    kept = []
    names = NAMES[list(KINDS).index(kind) % SHARE :: SHARE]
    for name in names:
        typed, report = compiled(KINDS[kind]([name]), folder)
        [found] = chosen([backend], report)
        if typed is not None and emit(*found, typed, report) is not None:
            assert report.ok
            kept.append(name)
            continue
        assert not report.ok
        for error in errors_in(report):
            assert error.code in ("E104", "E206", "E303", "E304", "E305", "E307", "E503"), error
            assert f"`{name}`" in error.message, error
            assert error.span.file.endswith("spec.yaml")
            assert error.span.line > 1 or kind == "network"
    assert len(kept) > len(names) * 0.8
    return kept


def agree(text: str, backend: str, folder: Path) -> None:
    typed, report = compiled(text, folder)
    assert typed is not None, report.render()
    weights, x = seeded(typed), batch(typed)
    model: Any = running(backend, typed)
    model.load(weights)
    for training in (False, True):
        expected = interpret(typed, weights, x, training=training).outputs
        found = model.forward(x, training=training)
        assert found.keys() == expected.keys()
        assert max(distance(found[name], value) for name, value in expected.items()) <= FLOAT64
    assert model.weights().keys() == weights.keys()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", [k for k in KINDS if k != "network"])
def test_reserved_names(kind: str, backend: str, tmp_path: Path) -> None:
    """Forty names in one network, where they may also clash with each other."""
    names = accepted(kind, backend, tmp_path)
    for start in range(0, len(names), 40):
        agree(KINDS[kind](names[start : start + 40]), backend, tmp_path)


@pytest.mark.parametrize("backend", BACKENDS)
def test_reserved_names_of_networks(backend: str, tmp_path: Path) -> None:
    for name in accepted("network", backend, tmp_path)[:: 6 if backend == "keras" else 2]:
        agree(networks([name]), backend, tmp_path)


def test_block_with_the_name_of_a_helper(tmp_path: Path) -> None:
    """`same_conv2d` is also the name of the helper for `same` padding with a stride."""
    body = (
        "body: [{op: conv, filters: 2, kernel_size: 3, stride: 2, padding: same}, "
        "{use: same_conv2d, name: s}]\n"
    )
    block = (
        "blocks: {same_conv2d: {steps: [{op: conv, filters: 2, kernel_size: 1}, "
        "{op: batch_norm}]}}\n"
    )
    typed, report = compiled(f"network: net\n{INPUT}{block}{body}", tmp_path)
    assert typed is not None
    [found] = chosen(["torch"], report)
    assert emit(*found, typed, report) is None
    assert [(d.code, d.span.line) for d in errors_in(report)] == [("E503", 4)]
    agree(f"network: net\n{INPUT}{block}{body}", "keras", tmp_path)
