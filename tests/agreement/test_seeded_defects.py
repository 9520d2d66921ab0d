"""Tests the random networks: they find every defect that is seeded on purpose."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pytest
import torch
from defect import KERAS, Defect
from defects import COUNT, DEFECTS
from first_seeds import FIRST, named, seeds

from inception_dsl.backend import Report, Request, TypedProgram, main_text
from inception_dsl.compiler import compile_spec
from inception_dsl.testing.random_specs import MAIN, random_spec
from inception_dsl.testing.trial import attempt, loaded


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """One thread: small networks gain nothing from more."""
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


def can_show(defect: Defect, seed: int) -> bool:
    """Whether a network can show a defect: whether the source differs. With the same source, Keras
    computes the same, so the network need not run.
    """
    if defect.package != KERAS:
        return True
    right = plain(seed, "keras")
    with defect.seeded():
        try:
            return printed(seed, "keras") != right
        except Exception:  # the trial reports it
            return True


def test_there_are_many_different_defects() -> None:
    assert len(DEFECTS) >= 30
    assert len({(defect.package, defect.name) for defect in DEFECTS}) == len(DEFECTS)
    assert FIRST["networks"].keys() <= {*map(named, DEFECTS)}


@pytest.mark.parametrize("defect", DEFECTS, ids=named)
def test_seeded_defect_is_found(defect: Defect) -> None:
    """A network disagrees with the defect, and agrees again without it."""
    backends = loaded(list(dict.fromkeys(["torch", defect.backend])))
    for seed in seeds("networks", defect, COUNT):
        if not can_show(defect, seed):
            continue
        with defect.seeded():
            trial = attempt(seed, backends, training=defect.training)
        if trial.problem:
            print(f"seed {seed}: {trial.problem}")
            assert not attempt(seed, backends, training=defect.training).problem
            return
    pytest.fail(f"{COUNT} networks agree, so the defect is not found: {defect.name}")
