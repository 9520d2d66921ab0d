"""`verify --train` judges what a file offers: bugs that are seeded into emitted files are found."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from folders import prepared_folder
from offered_defects import SEEDED, Seeded
from offered_network import INITIALIZERS, case_of, problem, source, written

import inception_dsl
from inception_dsl.verify import dropout, offered
from inception_dsl.verify.bounds import distance
from inception_dsl.verify.case import Case, expect
from inception_dsl.verify.finding import Job

EPS = np.finfo("float64").eps


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """One thread: small networks gain nothing from more."""
    torch.set_num_threads(1)


@cache
def prepared(initializer: str) -> tuple[Path, Case, Any]:
    """The network, its case, the results of the reference."""
    spec = written(prepared_folder(), initializer)
    case = case_of(spec)
    return spec, case, expect(case, train=True)


@pytest.mark.parametrize("backend", ["torch", "keras"])
@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_what_is_emitted_is_right(initializer: str, backend: str) -> None:
    spec, case, expected = prepared(initializer)
    assert problem(spec, backend, source(spec, backend), case, expected) == ""


@pytest.mark.parametrize("backend", ["torch", "keras"])
@pytest.mark.parametrize(
    "steps",
    [
        "{op: conv, filters: 4, kernel_size: 3, padding: valid}",
        "{op: flatten}, {op: dense, units: 2}",
    ],
)
def test_a_block_alone_rejects_sizes_in_its_own_way(
    tmp_path: Path, backend: str, steps: str
) -> None:
    """In PyTorch its class is a module like any other: it has no check of the size."""
    spec = tmp_path / "cell.yaml"
    spec.write_text(f"block: cell\ninput: {{channels: 3, height: 9, width: 8}}\nsteps: [{steps}]\n")
    case = case_of(spec)
    text, expected = source(spec, backend), expect(case, train=True)
    assert problem(spec, backend, text, case, expected) == ""
    if backend == "torch" and "conv" in steps:
        accepting = text.replace("kernel_size=3", "kernel_size=3, padding=1")
        assert accepting != text
        assert problem(spec, backend, accepting, case, expected)


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


@pytest.mark.parametrize(
    ("backend", "head", "old", "new"),
    [
        ("torch", "{op: flatten}", ".movedim(1, -1).flatten(1)", ".flatten(1)"),
        (
            "torch",
            "{op: activation, function: softmax}, {op: global_avg_pool}",
            "x = F.softmax(x, dim=1)  # 1x1x5\n        return self.global_avg_pool(x)",
            "return F.softmax(self.global_avg_pool(x), dim=1)",
        ),
        (
            "keras",
            "{op: activation, function: softmax}, {op: global_avg_pool}",
            'Activation("softmax", name="head_0")(x)\n'
            '    probabilities = layers.GlobalAveragePooling2D(name="head_1")(x)  # 5',
            'GlobalAveragePooling2D(name="head_1")(x)\n'
            '    probabilities = layers.Activation("softmax", name="head_0")(x)',
        ),
    ],
)
def test_maps_of_one_position_are_judged_with_more(
    tmp_path: Path, backend: str, head: str, old: str, new: str
) -> None:
    """What is the same for one position is not for other inputs that the network takes."""
    spec = tmp_path / "one.yaml"
    whole = "op: conv, filters: 5, kernel_size: 8, stride: 8, padding: valid"
    spec.write_text(f"""
        network: one
        input: {{channels: 3, height: 8, width: 8}}
        classes: 5
        body: [{{{whole}}}]
        head: [{head}]
        training: {{label_smoothing: 0.1}}
        """)
    case = case_of(spec)
    expected = expect(case, train=True)
    text = source(spec, backend)
    assert problem(spec, backend, text, case, expected) == ""
    assert old in text
    found = problem(spec, backend, text.replace(old, new), case, expected)
    assert "outputs of the smallest input differ" in found


ARGUMENTS = """
    network: arguments
    input: {channels: 3, height: 9, width: 8}
    classes: 5
    params:
      size: {type: int, default: 3}
      growth: {type: int, default: 4}
      more: {type: float, default: 2.0}
    blocks: {cell: {params: {k: int}, steps: [{op: max_pool, kernel_size: $k, stride: 1}]}}
    body:
      - {use: cell, k: $size}
      - {op: conv, filters: "${2 * growth}", kernel_size: 1}
      - {op: scale, value: $more}
    head: [{op: global_avg_pool}, {op: dense, units: $classes}]
    """


@pytest.mark.parametrize(
    ("backend", "old", "new"),
    [
        ("torch", "k=size", "k=3"),
        ("torch", "2 * growth", "growth + 4"),
        ("torch", "self.more * x", "2.0 * x"),
        ("keras", "k=size", "k=3"),
        ("keras", "2 * growth", "growth + 4"),
    ],
)
def test_arguments_are_judged_with_other_values(
    tmp_path: Path, backend: str, old: str, new: str
) -> None:
    spec = tmp_path / "arguments.yaml"
    spec.write_text(ARGUMENTS)
    case = case_of(spec)
    expected = expect(case, train=True)
    text = source(spec, backend)
    assert problem(spec, backend, text, case, expected) == ""
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


@pytest.mark.parametrize("name", ["family/xception", "v4", "inception_resnet_v1"])
def test_rounding_stays_small_in_training(name: str) -> None:
    """On the smallest input, every batch norm has many values: two of them would be -1 and 1."""
    typed = inception_dsl.load(name).typed
    small = offered._small(Job(None, typed, {}))
    weights, rng = offered._without_heads(small), np.random.default_rng(0)
    given = partial(dropout._given, small, weights, offered.batch_of_training(small))
    exact, moved = given(None), given(lambda v: v * (1 + EPS * rng.uniform(-1, 1, np.shape(v))))
    assert distance(moved[""], exact[""]) < 1e-12
