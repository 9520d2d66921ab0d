"""Valid files that do not match the spec: another spec, another framework, invalid values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from refusals import COMMANDS, Change, Run, refused
from safetensors.numpy import save

from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.seeds import seeded


def test_framework_files_are_recognised(run: Run, tmp_path: Path, small: TypedProgram) -> None:
    assert (
        run(
            "weights", "convert", "small.yaml", "small.safetensors", "a.weights.h5", "--to", "keras"
        ).exit_code
        == 0
    )
    assert (
        run(
            "weights", "convert", "small.yaml", "small.safetensors", "a.keras", "--to", "keras"
        ).exit_code
        == 0
    )
    for name in ("a.weights.h5", "a.keras"):
        said = refused(run, tmp_path, "check", "small.yaml", name)
        assert "is a file of a framework, not a safetensors file" in said
        assert "`--from NAME`" in said
    assert (
        run(
            "weights",
            "convert",
            "small.yaml",
            "small.safetensors",
            "t.safetensors",
            "--to",
            "torch",
        ).exit_code
        == 0
    )
    assert "add `--from NAME`" in refused(
        run, tmp_path, "check", "small.yaml", "t.safetensors", code="E702"
    )


def test_one_error_lists_everything(run: Run, tmp_path: Path, changed: Change) -> None:
    def change(w: dict[str, Any]) -> None:
        del w["stem/bn/beta"], w["aux/out/bias"]
        w["stem/bn/delta"] = w["zeta"] = np.zeros((2, 3), np.float32)
        w["depthwise/kernel"] = w["depthwise/kernel"].reshape(9, 12)
        w["grouped/bias"] = w["grouped/bias"][:-1].copy()
        w["grouped/kernel"] = w["grouped/kernel"].astype(np.int32)
        w["classifier/bias"] = w["classifier/bias"].astype(np.int64)
        w["stem/conv/kernel"][2, 1, 0, 5] = np.nan
        w["classifier/kernel"][:3, 2] = np.inf

    path = changed(change)
    said = refused(
        run, tmp_path, "convert", "small.yaml", str(path), "new.safetensors", code="E702"
    )
    for line in (
        "error[E702]: changed.safetensors does not fit `small`: "
        "2 missing, 2 unknown, 2 with a wrong shape, 2 with a wrong type, 2 not finite",
        "  --> changed.safetensors:1:1",
        "  = missing: stem/bn/beta (6)",
        "  = missing: aux/out/bias (4)",
        "  = unknown: stem/bn/delta (2x3)",
        "  = unknown: zeta (2x3)",
        "  = wrong shape: depthwise/kernel is 9x12, expected 3x3x6x2",
        "  = wrong shape: grouped/bias is 3, expected 4",
        "  = wrong type: grouped/kernel has integers (I32), expected F64 or F32 or F16 or BF16",
        "  = wrong type: classifier/bias has integers (I64), expected F64 or F32 or F16 or BF16",
        "  = not finite: stem/conv/kernel has 1 NaN value, the first at [2, 1, 0, 5]",
        "  = not finite: classifier/kernel has 3 infinite values, the first at [0, 2]",
        "1 error",
    ):
        assert line in said.splitlines(), line


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_not_finite(run: Run, tmp_path: Path, changed: Change, value: float, dtype: Any) -> None:
    path = changed(lambda w: w.update({"aux/out/bias": np.array([0, 1, value, 2], dtype)}))
    said = refused(run, tmp_path, "check", "small.yaml", str(path), code="E702")
    what = "NaN" if np.isnan(value) else "infinite"
    assert f"not finite: aux/out/bias has 1 {what} value, the first at [2]" in said


def test_too_large_for_float32(run: Run, tmp_path: Path, changed: Change) -> None:
    path = changed(lambda w: w.update({"aux/out/bias": np.array([0, 1, 1e300, 2])}))
    assert run("weights", "check", "small.yaml", path).exit_code == 0
    for more in ([], ["--to", "torch"]):
        said = refused(
            run, tmp_path, "convert", "small.yaml", str(path), "new.safetensors", *more, code="E702"
        )
        assert "too large: aux/out/bias has 1e+300 at [2]" in said
    assert (
        run(
            "weights", "convert", "small.yaml", path, "new.safetensors", "--dtype", "float64"
        ).exit_code
        == 0
    )


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"digest": "0" * 64}, "digest in the metadata: `000"),
        ({"digest": ""}, "digest in the metadata: ``"),
        ({"format_version": "3"}, "has format version `3`, expected `2`"),
        ({"format_version": "2", "flattened": ""}, "has no valid `flattened`"),
        ({"format_version": "2", "flattened": "[" * 50_000}, "has no valid `flattened`"),
        ({"format_version": "2", "flattened": '{"a": 1}'}, "has no valid `flattened`"),
        ({"format_version": "9" * 5000}, "9`, expected `2`"),
        ({"format_version": "one\x1b[2J"}, "has format version `one\\x1b[2J`, expected `2`"),
    ],
)
def test_metadata_that_does_not_match(
    run: Run, small: TypedProgram, tmp_path: Path, metadata: dict[str, str], expected: str
) -> None:
    from inception_dsl.diagnostics.report import Report
    from inception_dsl.weights.store import read_file

    file = read_file(tmp_path / "small.safetensors", Report())
    assert file is not None
    arrays = {name: tensor.array() for name, tensor in file.tensors.items()}
    (tmp_path / "bad.safetensors").write_bytes(save(arrays, {**file.metadata, **metadata}))
    for arguments in (COMMANDS["convert"], ("inspect", "bad.safetensors")):
        assert expected in refused(run, tmp_path, *arguments, code="E703")


def test_files_of_another_spec(run: Run, small: TypedProgram, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(
        (tmp_path / "small.yaml").read_text().replace("network: small", "network: other")
    )
    other = ("other.yaml", "small.safetensors")
    said = refused(run, tmp_path, "check", *other, code="E707")
    assert "error[E707]: small.safetensors was written for `small`, not for `other`" in said
    assert run("weights", "check", *other, "--any-network").exit_code == 0, "the same weight list"
    said = refused(
        run, tmp_path, "check", "other.yaml", "small.safetensors", "--set", "classes=5", code="E702"
    )
    assert "`other`: 4 with a wrong shape" in said
    assert "help: the file was written for `small`" in said
    said = refused(
        run,
        tmp_path,
        "check",
        "small.yaml",
        "small.safetensors",
        "--set",
        "aux_heads=null",
        code="E702",
    )
    assert "= unknown: aux/out/kernel (6x4)" in said
    assert "another variant of `small`; use the same `--set` and `--input` as then" in said


FOREIGN = {"torch": ("a.safetensors", "grouped.bias"), "keras": ("a.weights.h5", "grouped/bias")}


@pytest.mark.parametrize("backend", FOREIGN)
@pytest.mark.parametrize("size", [0, 4, 100, 2000, -1])
def test_truncated_framework_files(
    run: Run, small: TypedProgram, tmp_path: Path, backend: str, size: int
) -> None:
    name, _ = FOREIGN[backend]
    assert (
        run(
            "weights", "convert", "small.yaml", "small.safetensors", name, "--to", backend
        ).exit_code
        == 0
    )
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:size])
    refused(
        run,
        tmp_path,
        "convert",
        "small.yaml",
        name,
        "small.safetensors",
        "--from",
        backend,
        code="E702",
    )


@pytest.mark.parametrize("backend", FOREIGN)
def test_framework_files_of_another_network(
    run: Run, small: TypedProgram, tmp_path: Path, backend: str
) -> None:
    name, wrong = FOREIGN[backend]
    text = (tmp_path / "small.yaml").read_text().replace("filters: 4", "filters: 8")
    (tmp_path / "wide.yaml").write_text(text)
    weights = seeded(small, 1)
    assert weights["grouped/bias"].shape == (4,)
    assert run("weights", "init", "wide.yaml").exit_code == 0
    assert (
        run("weights", "convert", "wide.yaml", "wide.safetensors", name, "--to", backend).exit_code
        == 0
    )
    said = refused(
        run,
        tmp_path,
        "convert",
        "small.yaml",
        name,
        "new.safetensors",
        "--from",
        backend,
        code="E702",
    )
    assert f"= {wrong} has shape (8,), expected (4,)" in said
    assert "does not fit `small` in" in said
