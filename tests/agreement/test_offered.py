"""`verify --train` judges what a file offers: bugs that are seeded into emitted files are found."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import torch
from offered_defects import SEEDED, Seeded
from offered_network import INITIALIZERS, case_of, problem, source, written

from inception_dsl.verify.case import Case, expect


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """One thread: small networks gain nothing from more."""
    torch.set_num_threads(1)


@cache
def prepared(initializer: str) -> tuple[Path, Case, Any]:
    """The network, its case, the results of the reference."""
    spec = written(Path(mkdtemp(prefix="inception-dsl-")), initializer)
    case = case_of(spec)
    return spec, case, expect(case, train=True)


@pytest.mark.parametrize("backend", ["torch", "keras"])
@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_what_is_emitted_is_right(initializer: str, backend: str) -> None:
    spec, case, expected = prepared(initializer)
    assert problem(spec, backend, source(spec, backend), case, expected) == ""


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_sizes_in_gaps_are_judged(tmp_path: Path, backend: str) -> None:
    """Two pools that round in other ways fit together for every second size only."""
    spec = tmp_path / "gaps.yaml"
    pool = "op: max_pool, kernel_size: 3, stride: 2, padding: valid"
    spec.write_text(f"""
        network: gaps
        input: {{channels: 3, height: 17, width: 17}}
        classes: 5
        body:
          - {{op: conv_bn, filters: 4, kernel_size: 3}}
          - {{merge: concat, branches: {{a: [{{{pool}}}], b: [{{{pool}, ceil_mode: true}}]}}}}
        head: [{{op: global_avg_pool}}, {{op: dense, units: $classes}}]
        """)
    case = case_of(spec)
    expected = expect(case, train=True)
    text = source(spec, backend)
    assert problem(spec, backend, text, case, expected) == ""
    for old, new in (("below % 2 == 0", "below % 2 == 1"), ("below < above", "below > above")):
        assert old in text
        assert problem(spec, backend, text.replace(old, new), case, expected)


def test_there_are_many_different_defects() -> None:
    assert len(SEEDED) >= 60
    assert len({(seeded.backend, seeded.name) for seeded in SEEDED}) == len(SEEDED)


@pytest.mark.parametrize("seeded", SEEDED, ids=lambda s: f"{s.backend}: {s.name}")
def test_seeded_defect_is_found(seeded: Seeded) -> None:
    spec, case, expected = prepared(seeded.initializer)
    text = source(spec, seeded.backend)
    assert text.count(seeded.old) >= 1, f"`{seeded.old}` is not in the file"
    found = problem(spec, seeded.backend, text.replace(seeded.old, seeded.new), case, expected)
    print(found)
    assert found
