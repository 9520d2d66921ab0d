"""Tests sweeps: the numbers are those of `summary`, whatever the processes; limits, front, rows."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from paths import ROOT

import inception_dsl
from inception_dsl.design import processes
from inception_dsl.design.comparison import smallest_input
from inception_dsl.design.measured import Measured, Spec, Variant, measure
from inception_dsl.design.processes import variants
from inception_dsl.design.rows import field_text
from inception_dsl.design.sweep import FIELDS, Limits, Sweep
from inception_dsl.design.variations import Variations, plain, variation

SPECS = sorted(p for p in (ROOT / "specs").rglob("*.yaml") if p.parent.name != "blocks")
NET = """
network: net
input: {channels: 3, height: 32, width: 32}
classes: 10
params: {n: {type: int, default: 8}}
body:
  - {op: conv, name: first, filters: $n, kernel_size: 3, groups: 1}
  - {op: conv, filters: $n, kernel_size: 3, stride: 2, repeat: 1}
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
"""


def swept(path: Path, *varied: str, jobs: int = 1) -> list[Variant]:
    variations = Variations([*map(variation, varied)])
    return [one for chunk in variants(Spec(path), variations, jobs) for one in chunk]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_numbers_are_those_of_the_summary(path: Path) -> None:
    network = inception_dsl.load(path)
    summary = network.summary()
    data = summary.to_dict()
    found = measure(Spec(path), {}).measured
    assert found is not None
    assert (found.parameters, found.macs) == (data["parameters"]["total"], data["macs"])
    memory = data["activations"]
    assert (found.activations, found.training) == (memory["inference"], memory["training"])
    assert found.minimum_input == smallest_input(network.typed)
    last, field = summary.last_map, data["receptive_field"]
    assert found.receptive_field == (field_text(last[1]) if last else "")
    fields = {name: one["size"] for name, one in (field or {}).items() if name != "of"}
    sizes = [
        size or network.inputs[name][axis]  # null: the whole input
        for name, axes in fields.items()
        for axis, size in enumerate(axes)
    ]
    assert found.pixels == (min(sizes) if sizes else None)


def test_any_number_of_processes_finds_the_same(write: Callable[..., Path]) -> None:
    """Also where variants fail; in the order of the values."""
    path = write(NET)
    varied = ("n=1..12", "body.first.groups=1,3", "body.1.repeat=1..3")
    alone = swept(path, *varied)
    assert [swept(path, *varied, jobs=jobs) for jobs in (2, 5)] == [alone] * 2
    assert {one.code for one in alone if one.values[1] == "3"} == {"", "E403"}
    assert [one.values for one in alone[:4]] == [
        ("1", "1", "1"),
        ("1", "1", "2"),
        ("1", "1", "3"),
        ("1", "3", "1"),
    ]


def test_each_variant_is_that_of_load(write: Callable[..., Path]) -> None:
    path = write(NET)
    for one in swept(path, "n=3,8", "input=16,[bad],32x24x3", "classes=2"):
        n, size, classes = map(plain, one.values)
        try:
            network = inception_dsl.load(path, n=n, input=size, classes=classes)
        except inception_dsl.SpecError as error:
            first = error.diagnostics[0]
            assert (one.measured, one.code, one.message) == (None, first.code, first.message)
            assert size == ["bad"]
        else:
            assert one.measured is not None
            assert (one.measured.macs, one.code) == (network.macs, "")


def test_a_process_that_fails(write: Callable[..., Path]) -> None:
    """An exception in a process reaches the caller with its traceback."""
    path = write(NET)
    broken = Spec(path, None, {"n": 3})  # type: ignore[dict-item]
    many = Variations([variation("classes=1..40")])
    with pytest.raises(RuntimeError, match=r"^TypeError: ") as error:
        [*variants(broken, many, 2)]
    assert error.value.__notes__[0].startswith("Traceback")


def test_processes_end_with_the_iterator(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **settings)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    found = variants(Spec(write(NET)), Variations([variation("n=1..100")]), 2)
    assert len(next(found)) == 16
    assert [process.poll() for process in started] == [None, None]
    found.close()
    assert [process.poll() for process in started] == [-9, -9]


def test_a_process_that_the_system_ends(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_SERVE", "import os; os.kill(os.getpid(), 9)")
    found = variants(Spec(write(NET)), Variations([variation("n=1..100")]), 2)
    with pytest.raises(MemoryError, match="status -9; use fewer"):
        next(found)


def test_a_script_needs_no_main_guard(write: Callable[..., Path], tmp_path: Path) -> None:
    path = write(NET)
    script = tmp_path / "script.py"
    script.write_text(
        "import inception_dsl\n"
        f"found = inception_dsl.sweep({str(path)!r}, {{'n': range(1, 41)}}, jobs=2)\n"
        "print(found.counts.variants)\n"
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.stdout, done.stderr) == ("40\n", "")


def made(*points: tuple[int, int, int | None]) -> list[Variant]:
    """Variants with these MACs, parameters and receptive fields."""
    return [
        Variant((str(i),), Measured(parameters, macs, str(pixels or ""), 4, 8, "1x1", pixels))
        for i, (macs, parameters, pixels) in enumerate(points)
    ]


FOUND = [
    *made((10, 5, 3), (20, 9, 7), (20, 8, 9), (30, 9, None), (5, 1, 1)),
    Variant(("x",), None, "E401", 'a "b", c'),
]


@pytest.mark.parametrize(
    ("limits", "x", "y", "front", "beyond"),
    [
        (Limits(), "macs", "parameters", "410", 0),
        (Limits(macs=19), "macs", "parameters", "40", 3),
        (Limits(parameters=8), "macs", "parameters", "420", 2),
        (Limits(receptive_field=4), "macs", "parameters", "1", 3),
        (Limits(), "macs", "receptive-field", "402", 0),
        (Limits(), "parameters", "receptive-field", "402", 0),
        (Limits(macs=1), "macs", "parameters", "", 5),
    ],
)
def test_the_front_and_the_limits(limits: Limits, x: str, y: str, front: str, beyond: int) -> None:
    found = Sweep("net", ("n",), FOUND, limits, x, y)
    assert {one.values[0] for one in found.front()} == set(front)
    assert (found.counts.beyond, found.counts.failed) == (beyond, 1)
    assert found.counts.front == len(front)
    assert len([*found]) == 6 - beyond


def test_rows_as_csv_and_json() -> None:
    found = Sweep("net", ("n",), FOUND, Limits(macs=20))
    rows = [*csv.DictReader("".join(found.csv()).splitlines())]
    assert [*rows[0]] == ["n", *FIELDS]
    assert rows[0] == {
        "n": "0", "parameters": "5", "macs": "10", "receptive_field": "3",
        "activations_inference": "4", "activations_training": "8", "minimum_input": "1x1",
        "front": "true", "code": "", "message": "",
    }  # fmt: skip
    assert (rows[-1]["n"], rows[-1]["code"], rows[-1]["message"]) == ("x", "E401", 'a "b", c')
    data = json.loads("".join(found.json()))
    assert data == found.to_dict()
    assert data["rows"][0]["values"] == {"n": 0}
    assert data["rows"][-1] == {
        "values": {"n": "x"}, "error": {"code": "E401", "message": 'a "b", c'}
    }  # fmt: skip
    assert json.loads("".join(found.json(front=True)))["rows"] == [
        row for row in data["rows"] if row.get("front")
    ]


def test_the_api(write: Callable[..., Path]) -> None:
    path = write(NET)
    found = inception_dsl.sweep(path, {"n": [4, 8], "input": "16,32"}, classes=3)
    macs = [one.measured.macs for one in found if one.measured]
    wanted = [
        inception_dsl.load(path, n=n, input=size, classes=3).macs
        for n in (4, 8)
        for size in (16, 32)
    ]
    assert macs == wanted
    assert "4 variants" in str(found)
    with pytest.raises(inception_dsl.SpecError, match="did you mean `n`"):
        inception_dsl.sweep(path, {"nn": [4, 8]})
    with pytest.raises(ValueError, match="`n` has no values"):
        inception_dsl.sweep(path, {"n": []})
