"""A share of the damaged specs that ``campaign.py`` tries, and that it sees what must not be."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import campaign
import mutations
import pytest

from inception_dsl.diagnostics.report import Report, Span

SEED, COUNT = 20_002_000, 420


def test_no_mutant_is_a_finding() -> None:
    results = list(campaign.campaign(SEED, COUNT, 1))
    assert sorted(r.seed for r in results) == list(range(SEED, SEED + COUNT))
    problems = [
        f"seed {r.seed}: {r.problem}" for r in results if r.outcome == "finding" and not slow(r)
    ]
    assert problems == []
    count = Counter((r.kind, r.outcome) for r in results)
    for kind in mutations.KINDS:
        assert count[kind, "rejected"] >= COUNT // 16
        assert count[kind, "network"] >= 4
    assert sum(count[kind, "emitted"] for kind in mutations.KINDS) >= 3
    assert len({code for r in results for code in r.codes}) >= 20


def slow(result: campaign.Result) -> bool:
    """Whether all that is wrong is a time of which a busy machine may take a multiple."""
    return (
        result.problem == f"{result.seconds:.2f} seconds" and result.seconds < 10 * campaign.LIMIT
    )


def test_a_seed_is_a_mutant(root: Path) -> None:
    texts = mutations.shipped(root)
    assert len(texts) >= 20
    made = [mutations.mutant(seed, texts) for seed in range(400)]
    assert made == [mutations.mutant(seed, texts) for seed in range(400)]
    assert {m.source for m in made} == set(texts)
    assert sum(m.data != texts[m.source].encode() for m in made) > 390


class Failing(campaign.Worker):
    """A worker whose process does not answer the third seed."""

    last = "raise SystemExit(3)"

    def command(self) -> list[str]:
        said = campaign.Result(0, "bytes", "v0.yaml", "rejected", 0.0)._asdict()
        code = f"""
import json, os, signal, time
for seed in range({self.next}, {self.end}):
    if seed == 2:
        {self.last}
    print(json.dumps({{**{said!r}, "seed": seed}}), flush=True)
"""
        return [sys.executable, "-c", code]


@pytest.mark.parametrize(
    ("last", "problem"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "the process ended with -11"),
        ("raise SystemExit(3)", "the process ended with 3"),
        ("time.sleep(60)", "no answer"),
    ],
)
def test_a_process_that_ends_is_a_finding(
    last: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Failing, "last", last)
    monkeypatch.setattr(campaign, "Worker", Failing)
    monkeypatch.setattr(campaign, "HANGS", 2)
    results = list(campaign.campaign(0, 5, 1))
    assert [(r.seed, r.outcome) for r in results] == [
        (seed, "finding" if seed == 2 else "rejected") for seed in range(5)
    ]
    assert results[2].problem.startswith(problem)
    assert "1 findings" in campaign.summary(results, 1.0)


def test_what_is_raised_is_a_finding(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {"spec.yaml": "network: n\n"}

    def fails(*_: object, **__: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("inception_dsl.compiler.load", fails)
    found = campaign.attempt(0, tmp_path, texts, emit=False)
    assert (found.outcome, "KeyError: 'x'" in found.problem) == ("finding", True)


@pytest.mark.parametrize("span", [("", 1, 1), ("a", 0, 1), ("a", 1, 0), ("a", 3, 1), ("a", 2, 5)])
def test_a_place_outside_of_the_text_is_a_finding(span: tuple[str, int, int]) -> None:
    report = Report(texts={"a": "x\nyzw"})
    campaign.placed(Span("a", 2, 4, 2, 5), report.texts)
    with pytest.raises(AssertionError):
        campaign.placed(Span(*span, 9, 9), report.texts)
