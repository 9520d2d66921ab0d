"""Published files: names and layouts, differences, optional parts; without a framework."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from published_files import (
    TIMM,
    Run,
    state,
    typed_program,
)
from safetensors.numpy import save_file

from inception_dsl.diagnostics.report import Report
from inception_dsl.weights.layouts import published
from inception_dsl.weights.published import read


def test_names_and_layouts(published_spec: Path, tmp_path: Path, imported: Run) -> None:
    """After a flatten, the rows of a published kernel are in channels-first order."""
    typed = typed_program(published_spec)
    held = state(TIMM)
    save_file(
        {**held, "conv1.bn.num_batches_tracked": np.zeros((), np.int64)}, tmp_path / "a.safetensors"
    )
    report = Report()
    found = read(tmp_path / "a.safetensors", typed, "timm", report)
    assert found is not None, report.render()
    for h, w, c in np.ndindex(3, 3, 10):
        flat = (h * 3 + w) * 10 + c
        np.testing.assert_array_equal(
            found.weights["classifier/kernel"][flat], held["fc.weight"][:, c * 9 + h * 3 + w]
        )
    np.testing.assert_array_equal(
        found.weights["stem/conv/kernel"][2, 1, 0], held["conv1.conv.weight"][:, 0, 2, 1]
    )
    np.testing.assert_array_equal(
        found.weights["tower/1/conv/kernel"][0, 0], held["layers.2.conv.weight"][:, :, 0, 0].T
    )
    np.testing.assert_array_equal(
        found.weights["depthwise/kernel"][0, 1].reshape(-1), held["dw.weight"][:, 0, 0, 1]
    )
    np.testing.assert_array_equal(found.weights["aux/out/kernel"], held["AuxLogits.out.weight"].T)
    again = published(typed, "timm", "state", found.weights)
    assert {k: a.tobytes() for k, a in again.items()} == {k: a.tobytes() for k, a in held.items()}
    assert imported(tmp_path / "a.safetensors", "torchvision").exit_code == 0


def test_all_differences_are_listed(tmp_path: Path, imported: Run) -> None:
    held = state({**TIMM, "fc.bias": (5,), "more.weight": (2,)})
    del held["dw.weight"]
    held["conv1.bn.running_var"][3] = np.nan
    held["layers.1.conv.weight"] = held["layers.1.conv.weight"].astype(np.int32)
    save_file(held, tmp_path / "a.safetensors")
    result = imported(tmp_path / "a.safetensors")
    assert "E702" in result.stderr
    for line in (
        "missing: dw.weight (10x1x1x2)",
        "unknown: more.weight (2)",
        "wrong shape: fc.bias is 5, expected 4",
        "not finite: conv1.bn.running_var has 1 NaN value, the first at [3]",
        "wrong type: layers.1.conv.weight has integers (I32)",
    ):
        assert line in result.stderr, result.stderr


def test_an_auxiliary_head_is_optional_in_file_and_spec(
    tmp_path: Path, imported: Run, published_spec: Path
) -> None:
    held = state(TIMM)
    save_file(held, tmp_path / "all.safetensors")
    save_file(
        {k: a for k, a in held.items() if not k.startswith("Aux")}, tmp_path / "without.safetensors"
    )
    result = imported(tmp_path / "without.safetensors")
    assert "missing: AuxLogits.out.bias" in result.stderr
    assert "--set aux_heads=null" in result.stderr
    assert (
        imported(tmp_path / "without.safetensors", "timm", "--set", "aux_heads=null").exit_code == 0
    )
    assert imported(tmp_path / "all.safetensors", "timm", "--set", "aux_heads=null").exit_code == 0


def test_a_pickle_is_never_opened(tmp_path: Path, imported: Run) -> None:
    for name, start in (
        ("a.pth", b"PK\x03\x04"),
        ("b.safetensors", b"\x80\x02cos\nsystem\n"),
        ("c.h5", b"\x80\x04x"),
    ):
        (tmp_path / name).write_bytes(start + bytes(64))
        source = "keras-applications" if name.endswith("h5") else "timm"
        result = imported(tmp_path / name, source)
        assert "pickle" in result.stderr
        assert "safetensors" in result.stderr


def test_an_unknown_source(tmp_path: Path, imported: Run, published_spec: Path) -> None:
    result = imported(tmp_path / "a.safetensors", "tim")
    assert "E711" in result.stderr
    assert "did you mean `timm`?" in result.stderr
    published_spec.write_text(published_spec.read_text().split("checkpoints:")[0])
    assert "`inception-dsl list`" in imported(tmp_path / "a.safetensors").stderr
