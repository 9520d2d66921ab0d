"""The order of the calls of a shared batch norm in Keras: kept, or refused."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.backend import Report, Request
from inception_dsl.compiler import compile_spec
from inception_dsl.testing.conformance import Agrees, prepared
from inception_dsl.testing.trial import loaded

Write = Callable[..., Path]
NORM = "{op: batch_norm, name: norm, decay: 0.7}"
AGAIN = "{op: batch_norm, weights: norm, decay: 0.7}"
TANH = "{op: activation, function: tanh}"
CONV = "{op: conv, filters: 3, kernel_size: 1}"
FIRST = "{op: conv, filters: 3, kernel_size: 1, name: first}"
NETWORK = """\
network: calls
input: {channels: 3, height: 4, width: 3}
body: [STEPS]
"""


def random_network(seed: int) -> str:
    """A chain with forks of which branches begin after earlier steps, and one batch norm in it."""
    rng = random.Random(seed)
    steps, names = ["{op: conv, filters: 3, kernel_size: 1, name: first}", NORM], ["first", "norm"]
    for number in range(rng.randint(1, 3)):
        name, start = f"step_{number}", rng.choice(names)
        x, y = (", ".join(rng.choices((TANH, AGAIN, CONV), k=rng.choice((0, 1, 1)))) for _ in "xy")
        one, other = rng.sample(("x", "y"), 2)
        plain = rng.choice((f"{{op: activation, function: tanh, name: {name}}}", ""))
        fork = f"{{name: {name}, branches: {{{one}: [{x}], {other}: [{y}]}}, merge: add"
        steps.append(plain or f"{fork}, after: {{{rng.choice('xy')}: {start}}}}}")
        names.append(name)
    steps.append(rng.choice((AGAIN, CONV)))
    text = NETWORK.replace("STEPS", ", ".join(steps))
    return text + (f"outputs: {{a: {rng.choice(names)}}}\n" if rng.random() < 0.3 else "")


def refused(spec: Path) -> list[str]:
    """The codes of the errors with which Keras refuses a spec."""
    report = Report()
    typed = compile_spec(spec, {}, report)
    assert typed is not None, report.render()
    (backend,) = loaded(["keras"])
    files = backend.emit(typed, Request("calls"), report)
    codes = [d.code for d in report.diagnostics if d.code.startswith("E")]
    assert (files is None) == bool(codes)
    return codes


def agree(spec: Path) -> None:
    """Outputs, gradients and statistics, in float64."""
    type("One", (Agrees,), {"backend": "keras", "specs": ()})().agree(prepared(spec, {}))


@pytest.mark.parametrize("seed", range(24))
def test_random_calls_are_in_order_or_refused(seed: int, write: Write) -> None:
    spec = write(random_network(seed))
    if not refused(spec):
        agree(spec)


LATER = f"{{branches: {{short: [{TANH}, {AGAIN}], long: []}}, after: {{short: first}}, merge: add}}"
ONE = f"{{name: one, branches: {{a: [{AGAIN}]}}, after: {{a: first}}, merge: add}}"
ENDS = AGAIN.replace(": norm,", ": a/norm,") + ", {op: conv, filters: 1, kernel_size: 1}"
BLOCK = f"blocks: {{f: {{steps: [{FIRST}, {NORM}, {LATER}]}}}}\n"
REFUSED = {
    "after": f"{FIRST}, {NORM}, {LATER}",
    "one branch": f"{FIRST}, {NORM}, {ONE}, "
    "{branches: {long: [], short: []}, after: {short: norm}, merge: add}",
    "before the end of a branch": f"{{branches: {{a: [{NORM}], b: [{CONV}, {ENDS}]}}, merge: add}}",
    "output": f"{FIRST}, {NORM}, {CONV}, {LATER}]\noutputs: {{z: norm}}\ntraining: {{}} #",
    "block": f"{{use: f}}]\n{BLOCK}#",
    "inner model": f"{{use: f, name: one}}, {{use: f, weights: one}}]\n{BLOCK}#",
}
KEPT = {
    "one after the other": f"{FIRST}, {NORM}, {TANH}, {AGAIN}, "
    "{branches: {x: [], y: []}, after: {y: first}, merge: add}",
    "ends of branches": f"{{branches: {{a: [{NORM}], b: [{CONV}, {ENDS.split(', {')[0]}]}}, "
    "merge: multiply}",
}


@pytest.mark.parametrize("steps", REFUSED.values(), ids=REFUSED)
def test_other_orders_are_refused(steps: str, write: Write) -> None:
    assert refused(write(NETWORK.replace("STEPS", steps))) == ["E503"]


@pytest.mark.parametrize("steps", KEPT.values(), ids=KEPT)
def test_the_same_order_is_kept(steps: str, write: Write) -> None:
    spec = write(NETWORK.replace("STEPS", steps))
    assert refused(spec) == []
    agree(spec)
