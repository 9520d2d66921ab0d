"""The test of the test: random networks find every defect that is seeded on purpose."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pytest
import torch
from defect import KERAS, Defect
from defects import COUNT, DEFECTS

from inception_dsl.backend import Report, Request, TypedProgram, main_text
from inception_dsl.compiler import compile_spec
from inception_dsl.testing.random_specs import MAIN, random_spec
from inception_dsl.testing.trial import attempt, loaded


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Small networks gain nothing from threads."""
    torch.set_num_threads(1)


@cache
def typed_of(seed: int) -> TypedProgram:
    with tempfile.TemporaryDirectory() as name:
        for file, text in random_spec(seed).files.items():
            (Path(name) / file).write_text(text, encoding="utf-8")
        typed = compile_spec(Path(name) / MAIN, {}, Report())
    assert typed is not None
    return typed


def printed(seed: int, backend: str) -> str | None:
    (found,) = loaded([backend])
    files = found.emit(typed_of(seed), Request("test"), Report())
    return None if files is None else main_text(files)


plain = cache(printed)


def shows(defect: Defect, seed: int) -> bool:
    """Whether a network can show a defect. What Keras is given, and where its weights lie, follows
    from the source: where that is the same, so is all the rest, and the network need not be run.
    """
    if defect.package != KERAS:
        return True
    right = plain(seed, "keras")
    with defect.seeded():
        return printed(seed, "keras") != right


def test_there_are_enough() -> None:
    assert len(DEFECTS) >= 30
    assert len({(defect.package, defect.name) for defect in DEFECTS}) == len(DEFECTS)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: f"{d.package}: {d.name}")
def test_is_caught(defect: Defect) -> None:
    """One of the networks that all agree on without the defect shows it, and agrees again when it
    is gone.
    """
    backends = loaded(list(dict.fromkeys(["torch", defect.backend])))
    for seed in range(COUNT):
        if not shows(defect, seed):
            continue
        with defect.seeded():
            trial = attempt(seed, backends, training=defect.training)
        if trial.problem:
            print(f"seed {seed}: {trial.problem}")
            assert not attempt(seed, backends, training=defect.training).problem
            return
    pytest.fail(f"{COUNT} networks agree although {defect.name}")
