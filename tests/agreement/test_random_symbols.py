"""Random networks with expressions as values, and names that have a meaning in generated code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from defect import CORE, Defect
from first_seeds import FIRST, named, seeds
from paths import ROOT
from symbol_defects import SYMBOL_DEFECTS

from inception_dsl.backend import TypedProgram
from inception_dsl.testing.fuzz import fuzz, main, tasks
from inception_dsl.testing.random_specs import MAIN, RandomSpec
from inception_dsl.testing.random_symbols import symbol_spec
from inception_dsl.testing.symbol_files import blocks_of
from inception_dsl.testing.symbol_trial import (
    REJECTED,
    UNSUPPORTED,
    Unsupported,
    attempt_symbols,
    compiled,
    source,
)
from inception_dsl.testing.trial import compare_backends, loaded

COUNT = 60
ONCE = (200295, 200354, 200521, 200777, 201271, 201489, 201737, 201883, 202104, 202292, 402786)
"""Seeds that once disagreed: parameters called like arguments of networks, in two forms."""
SEEDS = (*range(COUNT), *ONCE)
BACKENDS = ("torch", "keras")
HEAD = "head: [{op: global_avg_pool}, {op: dense, units: $classes}]"


def spec_of(text: str) -> RandomSpec:
    own = f"network: n\nclasses: 2\n{text}"
    return RandomSpec(0, "kept", "float64", {MAIN: own})


SPECS = {
    "an activation as a parameter that only the network uses": f"""
input: {{channels: 2, height: 3, width: 3}}
params: {{act: {{type: str, default: tanh}}}}
body: [{{op: conv, filters: 3, kernel_size: 1, activation: $act}}]
{HEAD}
""",
    "an activation as a parameter of a sequential block": f"""
input: {{channels: 2, height: 3, width: 3}}
blocks:
  b:
    params: {{act: str}}
    steps: [{{op: activation, function: $act}}, {{op: conv, filters: 3, kernel_size: 1}}]
body: [{{use: b, act: tanh}}]
{HEAD}
""",
    "branches with names that the size check uses": f"""
input: {{channels: 2, height: 5, width: 5}}
body:
  - {{op: conv, filters: 2, kernel_size: 3, padding: valid}}
  - branches:
      tuple: [{{op: conv, filters: 2, kernel_size: 1}}]
      min: [{{op: conv, filters: 2, kernel_size: 1}}]
      size: [{{op: conv, filters: 2, kernel_size: 1}}]
    merge: concat
{HEAD}
""",
    "repetitions of which only the first needs asymmetric padding": f"""
input: {{channels: 3, height: 9, width: 9}}
blocks:
  p:
    params: {{k: int, model: str, n: int}}
    steps:
      - {{op: zero_pad, padding: 1}}
      - {{op: conv_bn, filters: 2, kernel_size: $k, padding: $model, repeat: $n}}
body:
  - {{use: p, k: 2, model: same, n: 3, name: a}}
  - {{use: p, k: 2, model: valid, n: 1, name: b}}
{HEAD}
""",
    "local response norm of a vector": """
input: {channels: 3, height: 3, width: 3}
blocks:
  norm:
    params: {n: int}
    steps: [{op: local_response_norm, size: $n, alpha: 0.5}]
body:
  - {use: norm, n: 3, name: a}
  - {op: global_avg_pool}
  - {use: norm, n: 2, name: b}
  - {use: norm, n: 2, name: c, repeat: 2}
head: [{op: dense, units: $classes}]
""",
    "a step with the name of its section, next to steps without a name": f"""
input: {{channels: 2, height: 3, width: 3}}
body:
  - {{op: conv, filters: 3, kernel_size: 1}}
  - {{op: zero_pad, padding: 1, name: body}}
  - {{op: conv, filters: 2, kernel_size: 1}}
{HEAD}
aux_heads: {{aux: {{after: body, loss_weight: 0.5, steps: [{HEAD[7:]}}}}}
""",
}


@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("name", BACKENDS)
def test_specs_that_once_disagreed(text: str, name: str) -> None:
    """Regression tests: small specs for disagreements that random networks found."""
    assert compare_backends(spec_of(text), loaded([name]))[1] == ""


def test_momentum_is_one_minus_decay() -> None:
    """The argument is the parameter of the spec, as in Keras."""
    (torch,) = loaded(["torch"])
    typed = compiled(
        spec_of(
            f"""
input: {{channels: 2, height: 3, width: 3}}
blocks:
  b:
    params: {{p: float}}
    steps: [{{op: batch_norm, decay: "${{min(p, 0.75)}}"}}]
body: [{{use: b, p: 0.5, name: one}}, {{use: b, p: 0.9, name: two}}]
{HEAD}
"""
        )
    )
    assert typed is not None
    text = source(torch, typed)
    assert "def __init__(self, in_channels: int, p: float)" in text
    assert "momentum=1 - min(p, 0.75)" in text
    assert "p=0.9)" in text


def test_every_network_agrees() -> None:
    """In values, and in the source of the files."""
    trials = list(fuzz(tasks(SEEDS, 0, symbols=True), BACKENDS, jobs=os.cpu_count() or 1))
    assert sorted(trial.seed for trial in trials) == list(SEEDS)
    assert [f"{trial.seed}: {trial.problem}" for trial in trials if trial.problem] == []
    policies = Counter(trial.policy for trial in trials)
    assert policies[REJECTED] + policies[UNSUPPORTED] <= 0.15 * COUNT


def test_every_overlay_over_a_shipped_spec_agrees() -> None:
    """In values, and with the source of the same spec in one file."""
    seeds = range(30)
    given = tasks(seeds, 5, folder=str(ROOT / "specs"))
    trials = list(fuzz(given, BACKENDS, jobs=os.cpu_count() or 1))
    assert sorted(trial.seed for trial in trials) == list(seeds)
    assert [f"{trial.seed}: {trial.problem}" for trial in trials if trial.problem] == []
    policies = Counter(trial.policy for trial in trials)
    assert policies[REJECTED] == 0
    assert policies[UNSUPPORTED] < 4
    assert sum(trial.trained for trial in trials) > 3


@pytest.mark.parametrize(
    "defect",
    [
        Defect("a", CORE, "language.overlay", "merged.append(value)", "merged.insert(0, value)"),
        Defect("b", CORE, "language.overlay", "elif over[key] is not None:", "elif over[key]:"),
    ],
    ids=("new steps begin the chain", "a change to zero removes a field"),
)
def test_seeded_defect_of_overlays_is_found(defect: Defect) -> None:
    """Even where all frameworks agree with each other."""
    torch.set_num_threads(1)
    backends = loaded(["torch"])
    folder = ROOT / "specs"
    with defect.seeded():
        found = (s for s in range(COUNT) if attempt_symbols(s, backends, folder=folder).problem)
        seed = next(found, None)
    assert seed is not None
    assert not attempt_symbols(seed, backends, folder=folder).problem


@cache
def typed_of(seed: int) -> TypedProgram | None:
    return compiled(symbol_spec(seed).spec)


@cache
def plain(seed: int) -> str:
    return printed(seed)


def printed(seed: int) -> str:
    """The PyTorch source of a network; empty if it has an error or is unsupported."""
    (backend,) = loaded(["torch"])
    typed = typed_of(seed)
    try:
        return source(backend, typed) if typed else ""
    except Unsupported:
        return ""


def test_first_seeds_are_of_these_defects() -> None:
    assert FIRST["expressions"].keys() <= {*map(named, SYMBOL_DEFECTS)}


@pytest.mark.parametrize("defect", SYMBOL_DEFECTS, ids=lambda d: d.name)
def test_seeded_defect_is_found(defect: Defect) -> None:
    """A network disagrees with the defect, and agrees again without it."""
    torch.set_num_threads(1)
    backends = loaded(["torch"])
    for seed in seeds("expressions", defect, 6 * COUNT):
        right = plain(seed)
        with defect.seeded():
            if changed(seed, right):
                trial = attempt_symbols(seed, backends)
                if trial.problem:
                    print(f"seed {seed}: {trial.problem}")
                    break
    else:
        pytest.fail(f"{6 * COUNT} networks agree, so the defect is not found: {defect.name}")
    assert not attempt_symbols(seed, backends).problem


def changed(seed: int, right: str) -> bool:
    try:
        return printed(seed) != right
    except Exception:
        return True


def test_spec_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "from inception_dsl.testing.random_symbols import symbol_spec; "
        "print([symbol_spec(s) for s in range(40)])"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(texts) == 1


def test_few_specs_are_rejected_and_blocks_have_different_uses() -> None:
    seen = Counter[str]()
    for seed in range(300):
        typed = compiled(symbol_spec(seed).spec)
        if typed is None:
            seen["rejected"] += 1
            continue
        several = [uses for uses in blocks_of(typed).values() if len(uses) > 1]
        for what, same in {
            "values": lambda use: tuple(use.arguments.items()),
            "channels": lambda use: use.x.channels,
            "sizes": lambda use: use.x.spatial,
            "ranks": lambda use: use.x.rank,
        }.items():
            seen[what] += any(len(set(map(same, uses))) > 1 for uses in several)
        seen["heads"] += bool(typed.heads)
        seen["blocks alone"] += typed.program.kind == "block"
    assert seen["rejected"] < 30
    assert min(seen[what] for what in ("values", "channels", "sizes", "heads")) > 50
    assert min(seen[what] for what in ("ranks", "blocks alone")) > 15


def test_source_passes_ruff(tmp_path: Path) -> None:
    for name in BACKENDS:
        (backend,) = loaded([name])
        for seed in range(40):
            typed = typed_of(seed)
            try:
                text = source(backend, typed) if typed else ""
            except Unsupported:
                continue
            (tmp_path / f"{name}_{seed}.py").write_text(text, encoding="utf-8")
    call = ["ruff", "check", "--isolated", "--select", "E9,F", "--no-cache", str(tmp_path)]
    found = subprocess.run(call, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_show_prints_a_spec() -> None:
    result = CliRunner().invoke(main, ["--symbols", "--seed", "7", "--show"])
    assert (result.exit_code, result.stdout) == (0, symbol_spec(7).spec.text)
