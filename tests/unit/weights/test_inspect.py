"""`weights inspect` and `weights init`: output and errors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from safetensors.numpy import save_file
from small_network import LIST, SMALL

from inception_dsl.analysis.weights import weight_shapes
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.seeds import seeded
from inception_dsl.weights.store import write

Run = Callable[..., Result]


def test_write_reports_all_differences(small: TypedProgram, tmp_path: Path) -> None:
    weights = seeded(small)
    weights["zeta"] = weights.pop("aux/out/bias")
    weights["stem/bn/beta"] = np.full(6, np.nan)
    report = Report()
    assert not write(tmp_path / "new.safetensors", small, weights, report)
    assert [d.code for d in report] == ["E702"]
    assert "1 missing, 1 unknown, 1 not finite" in report.render()
    assert not (tmp_path / "new.safetensors").exists()


def test_a_block_without_weights(run: Run, tmp_path: Path) -> None:
    text = (
        "block: pool\n"
        "input: {channels: 3, height: 8, width: 8}\n"
        "steps: [{op: max_pool, kernel_size: 3}]\n"
    )
    (tmp_path / "pool.yaml").write_text(text)
    save_file({}, tmp_path / "pool.safetensors")
    for words in (
        ["init", "pool.yaml"],
        ["check", "pool.yaml", "pool.safetensors"],
        ["convert", "pool.yaml", "pool.safetensors", "new.safetensors"],
    ):
        result = run("weights", *words)
        assert result.exit_code == 1
        assert "error[E702]: `pool` has no weights\n  --> pool.yaml:1:8" in result.stderr
    assert "tensors              0" in run("weights", "inspect", "pool.safetensors").stdout


def test_a_spec_with_errors(run: Run, small: TypedProgram, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(SMALL.replace("filters", "filtres", 1))
    for words in (
        ["init", "bad.yaml"],
        ["check", "bad.yaml", "small.safetensors"],
        ["convert", "bad.yaml", "a", "b"],
    ):
        result = run("weights", *words)
        assert result.exit_code == 1
        assert "unknown field `filtres`" in result.stderr
    assert run("weights", "init", "small.yaml", "--seed", "-1").exit_code == 2
    assert run("weights", "init", "small.yaml", "--dtype", "float16").exit_code == 2


def test_inspect(run: Run, small: TypedProgram, tmp_path: Path) -> None:
    shown = run("weights", "inspect", "small.safetensors").stdout.splitlines()
    assert shown[0] == "small.safetensors  (weights of small)"
    assert shown[2].split() == ["weight", "shape", "type", "numbers", "min", "max", "mean", "std"]
    assert [line.split()[0] for line in shown[4:17]] == list(weight_shapes(small))
    kernel = seeded(small, 5)["stem/conv/kernel"].astype(np.float32).astype(np.float64)
    numbers = [f"{n:.4g}" for n in (kernel.min(), kernel.max(), kernel.mean(), kernel.std())]
    assert shown[4].split() == ["stem/conv/kernel", "3x2x3x6", "float32", "108", *numbers]
    assert shown[-4:-1] == [
        "tensors              13",
        "parameters           1,176",
        "type                 float32",
    ]
    found = json.loads(run("weights", "inspect", "small.safetensors", "--json").stdout)
    assert (found["spec"], found["tensors"], found["parameters"], found["not_finite"]) == (
        "small",
        13,
        1176,
        0,
    )
    assert found["digest"] == hashlib.sha256(LIST.encode()).hexdigest()
    assert found["weights"][0]["mean"] == pytest.approx(kernel.mean())
    assert found["weights"][0]["shape"] == [3, 2, 3, 6]


def test_inspect_a_foreign_file(run: Run, tmp_path: Path) -> None:
    tensors = {
        "layer.weight": np.array([[1.0, np.nan, np.inf]], np.float32),
        "layer.steps": np.array(7, np.int64),
        "mask": np.array([True, False]),
        "nothing": np.zeros((0, 3), np.float16),
        "broken": np.full(2, np.nan),
    }
    save_file(
        tensors, tmp_path / "foreign.safetensors", {"format": "pt", "title": "two\x1b[2Jlines\n"}
    )
    shown = run("weights", "inspect", "foreign.safetensors").stdout
    assert "foreign.safetensors  (a file without a spec)" in shown
    assert "metadata format      pt" in shown
    assert "metadata title       two\\x1b[2Jlines\\n" in shown
    assert "not finite           4" in shown
    found = json.loads(run("weights", "inspect", "foreign.safetensors", "--json").stdout)
    assert found["spec"] is None
    rows = {row["name"]: row for row in found["weights"]}
    assert (rows["layer.weight"]["not_finite"], rows["layer.weight"]["max"]) == (2, 1.0)
    assert (
        rows["layer.steps"]["shape"],
        rows["layer.steps"]["min"],
        rows["layer.steps"]["dtype"],
    ) == ([], 7.0, "I64")
    assert rows["mask"]["mean"] == 0.5
    assert rows["nothing"]["min"] is rows["broken"]["min"] is None
    assert found["parameters"] == 3 + 1 + 2 + 0 + 2


def test_help_says_that_a_target_is_replaced(run: Run) -> None:
    for command in ("init", "inspect", "convert", "check"):
        assert command in run("weights", "--help").stdout
        assert run("weights", command, "--help").exit_code == 0
    assert "An existing TARGET is replaced; on an error it stays unchanged" in " ".join(
        run("weights", "convert", "--help").stdout.split()
    )
