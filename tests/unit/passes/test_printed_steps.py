"""The limit on generated steps: those at the top level, and those of each block, plus one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.passes import budget

HEAD = "network: net\ninput: {channels: 3, height: 32, width: 32}\n"
STEP = "{op: conv, filters: 8, kernel_size: 3}"
MAX_STEPS = 60
USE = "blocks: {a: {params: {n: int}, steps: [{op: max_pool, kernel_size: $n}]}}\n"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A low limit, so that specs beyond it are short."""
    assert budget.MAX_STEPS == 10_000
    monkeypatch.setattr(budget, "MAX_STEPS", MAX_STEPS)


def steps(count: int) -> str:
    return HEAD + "body:\n" + f"  - {STEP}\n" * count


def forked(count: int) -> str:
    return (
        HEAD
        + "body:\n  - merge: add\n    branches:\n"
        + "".join(f"      b{i}: [{STEP}]\n" for i in range(count))
    )


def blocks(count: int) -> str:
    """Blocks of one step, each used once."""
    found = ", ".join(f"a{i}: {{steps: [{STEP}]}}" for i in range(count))
    return f"{HEAD}blocks: {{{found}}}\nbody:\n" + "".join(
        f"  - {{use: a{i}}}\n" for i in range(count)
    )


@pytest.mark.parametrize(
    ("make", "most", "first"),
    [(steps, MAX_STEPS, 4), (forked, MAX_STEPS - 1, 6), (blocks, MAX_STEPS // 3, 4)],
)
def test_generated_steps(
    write: Callable[[str], Path], make: Callable[[int], str], most: int, first: int
) -> None:
    assert compile_spec(write(make(most)), {}, Report()) is not None
    report = Report()
    assert compile_spec(write(make(most + 1)), {}, report) is None
    assert [(d.code, d.span.line) for d in report.diagnostics] == [("E309", first + most)]
    assert f"more than {MAX_STEPS} steps" in report.diagnostics[0].message


def fork(inside: str, more: str = "") -> str:
    return f"{{merge: add, branches: {{a: [], b: [{inside}]}}{more}}}"


@pytest.mark.parametrize(
    "step",
    [
        fork("{op: identity}", ", repeat: 4000"),
        fork("{op: conv, filters: 5, kernel_size: 1}", ", repeat: 400").replace("add", "concat"),
        fork(fork("{op: identity}", ", repeat: 70"), ", repeat: 40"),
    ],
)
def test_a_repeated_fork_is_printed_once(write: Callable[[str], Path], step: str) -> None:
    """However often it repeats: its steps count once."""
    assert compile_spec(write(f"{HEAD}body: [{step}]\n"), {}, Report()) is not None


def uses(count: int) -> str:
    return f"{HEAD}{USE}body:\n" + "".join(
        f"  - {{use: a, name: u{i}, n: {i + 1}}}\n" for i in range(count)
    )


def test_a_block_is_generated_once(write: Callable[[str], Path]) -> None:
    """With any number of different arguments, only the uses and one definition count."""
    assert compile_spec(write(uses(MAX_STEPS - 2)), {}, Report()) is not None
    report = Report()
    assert compile_spec(write(uses(MAX_STEPS - 1)), {}, report) is None
    assert [d.code for d in report.diagnostics] == ["E309"]


def test_a_block_is_generated_once_for_each_rank(write: Callable[[str], Path]) -> None:
    inside = (MAX_STEPS - 3) // 2 - 1
    steps = ", ".join(["{op: identity}"] * inside)
    text = f"{HEAD}blocks: {{b: {{steps: [{steps}]}}}}\nbody:\n  - {{use: b, name: map}}\n"
    maps = "".join(f"  - {{use: b, name: m{i}}}\n" for i in range(MAX_STEPS - inside - 2))
    assert compile_spec(write(text + maps), {}, Report()) is not None
    vector = "  - {op: flatten}\n  - {use: b, name: vector}\n"
    room = MAX_STEPS - 3 - 2 * (inside + 1)
    assert compile_spec(write(text + vector + "  - {op: identity}\n" * room), {}, Report())
    report = Report()
    assert (
        compile_spec(write(text + vector + "  - {op: identity}\n" * (room + 1)), {}, report) is None
    )
    assert [d.code for d in report.diagnostics] == ["E309"]


def test_a_use_without_layers_counts_as_a_layer(write: Callable[[str], Path]) -> None:
    twice = "".join(
        f"  b{i}: {{steps: [{{use: b{i + 1}, name: x}}, {{use: b{i + 1}, name: y}}]}}\n"
        for i in range(30)
    )
    report = Report()
    assert (
        compile_spec(
            write(f"{HEAD}blocks:\n{twice}  b30: {{steps: []}}\nbody: [{{use: b0}}]\n"), {}, report
        )
        is None
    )
    assert [d.code for d in report.diagnostics] == ["E309"]
