"""Which analyses are started, kept and published, with an analysis that the test controls."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest

from inception_dsl.diagnostics.report import Report
from inception_dsl.editor import documents
from inception_dsl.editor.analysis import Analysis
from inception_dsl.editor.documents import Documents, Open
from inception_dsl.editor.positions import Text

A, B = "/specs/a.yaml", "/specs/b.yaml"
SPEC = "network: a\n"


class Trial:
    """Documents whose analyses wait until they may end."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, Mapping[str, str]]] = []
        self.published: list[tuple[str, int, Analysis | None]] = []
        self.started, self.may_end = threading.Event(), threading.Event()
        self.documents = Documents(self.publish)

    def publish(self, one: Open, found: Analysis | None) -> None:
        self.published.append((one.path, one.version, found))

    def analyse(self, path: str, texts: Mapping[str, str]) -> Analysis:
        self.begun.append((path, dict(texts)))
        self.started.set()
        assert self.may_end.wait(30)
        if "broken" in texts[path]:
            raise RuntimeError("an internal error")
        return Analysis(path, Report(texts={path: texts[path], B: ""}), (), None)

    def put(self, path: str, version: int, text: str) -> None:
        self.documents.set(f"file://{path}", path, version, Text(text))

    async def begins(self) -> None:
        """Wait until an analysis has begun."""
        await asyncio.to_thread(self.started.wait, 30)
        self.started.clear()

    async def ends(self, path: str) -> Any:
        self.may_end.set()
        return await self.documents.analysis(f"file://{path}")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Trial]:
    """Runs a scenario."""
    monkeypatch.setattr(documents, "PAUSE", 0)

    def run(scenario: Callable[[Trial], Coroutine[Any, Any, None]]) -> Trial:
        trial = Trial()
        monkeypatch.setattr(documents, "analyse", trial.analyse)
        asyncio.run(scenario(trial))
        return trial

    return run


def test_a_result_for_an_older_text_is_dropped(run: Callable[..., Trial]) -> None:
    async def scenario(trial: Trial) -> None:
        trial.put(A, 1, SPEC)
        await trial.begins()
        trial.put(A, 2, f"{SPEC}# 2\n")
        assert await trial.ends(A)

    trial = run(scenario)
    assert [texts[A] for _, texts in trial.begun] == [SPEC, f"{SPEC}# 2\n"]
    assert [version for _, version, _ in trial.published] == [2]


def test_an_analysis_begins_again_if_a_file_changes_that_it_may_read(
    run: Callable[..., Trial],
) -> None:
    async def scenario(trial: Trial) -> None:
        trial.put(A, 1, SPEC)
        await trial.begins()
        trial.put(B, 1, "block: b\n")
        assert await trial.ends(A)

    trial = run(scenario)
    assert [texts.get(B) for path, texts in trial.begun if path == A] == [None, "block: b\n"]
    assert len([path for path, _, _ in trial.published if path == A]) == 1


def test_what_others_read_is_analysed_again(run: Callable[..., Trial]) -> None:
    async def scenario(trial: Trial) -> None:
        trial.put(A, 1, SPEC)
        await trial.ends(A)
        trial.put(B, 1, "block: b\n")
        await trial.ends(A)
        trial.put("/specs/c.yaml", 1, "block: c\n")  # this one is not read
        await trial.ends("/specs/c.yaml")
        trial.documents.close(f"file://{B}")
        await trial.ends(A)

    trial = run(scenario)
    found = [(path, version) for path, version, _ in trial.published if path == A]
    assert len(found) == 3
    assert (B, 1, None) in trial.published  # no diagnostics of a closed document


def test_an_internal_error_is_not_the_end(run: Callable[..., Trial]) -> None:
    async def scenario(trial: Trial) -> None:
        trial.put(A, 1, f"{SPEC}# broken\n")
        assert await trial.ends(A) is None
        trial.put(A, 2, SPEC)
        assert await trial.ends(A)

    (_, first, none), (_, second, found) = run(scenario).published
    assert (first, none) == (1, None)
    assert second == 2
    assert found is not None
