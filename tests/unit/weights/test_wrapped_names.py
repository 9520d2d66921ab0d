"""Published files whose names begin with something else: wrappers, averages, nested models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from published_files import TIMM, Run, state
from safetensors.numpy import load_file, save_file

WRAPPED = ["module.", "model.", "backbone.", "ema.", "a.b_c.", "model.module.", "InceptionV4/"]


def saved(arrays: dict[str, Any], path: Path) -> Path:
    save_file(arrays, path)
    return path


def imported_arrays(folder: Path) -> dict[str, Any]:
    return load_file(folder / "out.safetensors")


@pytest.fixture
def plain(imported: Run, tmp_path: Path) -> dict[str, bytes]:
    """The weights from a file without wrappers."""
    assert imported(saved(state(TIMM), tmp_path / "a.safetensors")).exit_code == 0
    found = {name: array.tobytes() for name, array in imported_arrays(tmp_path).items()}
    (tmp_path / "out.safetensors").unlink()
    return found


@pytest.mark.parametrize("prefix", WRAPPED)
def test_what_all_names_begin_with(
    imported: Run, tmp_path: Path, plain: dict[str, bytes], prefix: str
) -> None:
    held = {f"{prefix}{name}": array for name, array in state(TIMM).items()}
    result = imported(saved(held, tmp_path / "b.safetensors"))
    assert result.stdout.splitlines()[1:] == [f"  the names in the file begin with `{prefix}`"]
    assert {n: a.tobytes() for n, a in imported_arrays(tmp_path).items()} == plain


def test_compiled_parts(imported: Run, tmp_path: Path, plain: dict[str, bytes]) -> None:
    """``torch.compile`` adds its segment at any place; averages have a counter."""
    held = {
        name.replace("layers.", "layers._orig_mod."): array for name, array in state(TIMM).items()
    }
    held = {f"module._orig_mod.{name}": array for name, array in held.items()}
    held["n_averaged"] = np.array(7)
    result = imported(saved(held, tmp_path / "b.safetensors"))
    assert "without `_orig_mod`" in result.stdout
    assert "begin with `module.`" in result.stdout
    assert {n: a.tobytes() for n, a in imported_arrays(tmp_path).items()} == plain


def test_a_classifier_outside_of_the_backbone(
    imported: Run, tmp_path: Path, plain: dict[str, bytes]
) -> None:
    held = {
        f"net.{name}" if name.startswith("fc.") else f"net.backbone.{name}": array
        for name, array in state(TIMM).items()
    }
    result = imported(saved(held, tmp_path / "b.safetensors"))
    assert "begin with `net.backbone.`" in result.stdout
    assert {n: a.tobytes() for n, a in imported_arrays(tmp_path).items()} == plain


def test_the_same_weights_twice(imported: Run, tmp_path: Path, plain: dict[str, bytes]) -> None:
    """Nothing is guessed; ``--prefix`` chooses, with or without the dot."""
    averaged = {f"ema.{name}": array for name, array in state(TIMM).items()}
    other = {f"model.{name}": array + 1 for name, array in state(TIMM).items()}
    file = saved({**averaged, **other}, tmp_path / "b.safetensors")
    result = imported(file)
    assert "2 times; choose with `--prefix ema.` or `--prefix model.`" in result.stderr
    for prefix in ("ema.", "ema"):
        result = imported(file, "timm", "--prefix", prefix)
        assert f"tensors begin with `ema.`, {len(TIMM)} others are left out" in result.stdout
        assert {n: a.tobytes() for n, a in imported_arrays(tmp_path).items()} == plain
        (tmp_path / "out.safetensors").unlink()
    result = imported(file, "timm", "--prefix", "emma.")
    assert "no name begins with `emma.`; known: `ema.`, `model.`" in result.stderr
    file = saved({**state(TIMM), **other}, tmp_path / "c.safetensors")
    assert "`--prefix ''` or `--prefix model.`" in imported(file).stderr
    assert imported(file, "timm", "--prefix", "").exit_code == 0
    assert {n: a.tobytes() for n, a in imported_arrays(tmp_path).items()} == plain


def test_names_that_are_long_or_hide_something(imported: Run, tmp_path: Path) -> None:
    """Neither time nor the terminal: a name can have any length and any character."""
    prefix = "a." * 100_000
    held = {f"{prefix}{name}": array for name, array in state(TIMM).items()}
    result = imported(saved(held, tmp_path / "b.safetensors"))
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout) < 1000
    (tmp_path / "out.safetensors").unlink()
    held = {f"\x1b[2J\n.{name}": array for name, array in state(TIMM).items()}
    result = imported(saved(held, tmp_path / "c.safetensors"))
    assert "begin with `\\x1b[2J\\n.`" in result.stdout
    assert "\x1b" not in result.stdout


def test_the_same_weights_twice_but_for_one(imported: Run, tmp_path: Path) -> None:
    averaged = {f"ema.{k}": array for k, array in state(TIMM).items() if k != "fc.bias"}
    other = {f"model.{name}": array for name, array in state(TIMM).items()}
    result = imported(saved({**averaged, **other}, tmp_path / "b.safetensors"))
    assert "choose with `--prefix ema.` or `--prefix model.`" in result.stderr


def test_other_tensors_beside_the_model_are_an_error(imported: Run, tmp_path: Path) -> None:
    """Nothing of a file is left out in silence."""
    held = {f"model.{name}": array for name, array in state(TIMM).items()}
    held["loss.weight"] = np.ones(4, np.float32)
    file = saved(held, tmp_path / "b.safetensors")
    result = imported(file)
    assert "unknown: loss.weight (4)" in result.stderr
    assert "`--drop loss` leaves out" in result.stderr
    assert imported(file, "timm", "--drop", "loss").exit_code == 0


def test_a_long_list_of_differences_is_cut(imported: Run, tmp_path: Path) -> None:
    held = {f"x{i}.weight": np.ones(2, np.float32) for i in range(400)}
    result = imported(saved(held, tmp_path / "b.safetensors"))
    lines = result.stderr.splitlines()
    assert len(lines) < 30
    assert "  = unknown: 392 more" in lines
    assert "12 missing, 400 unknown" in lines[0]
    assert "= help: no name in the file is one of the spec" in result.stderr
    assert "`weights convert --from keras`" in result.stderr


def test_the_file_to_import_is_not_replaced(imported: Run, tmp_path: Path) -> None:
    file = saved(state(TIMM), tmp_path / "model.safetensors")
    before = file.read_bytes()
    result = imported(file, "timm", "--out", str(file))
    assert result.exit_code == 1
    assert "error[E601]" in result.stderr and "which would be replaced" in result.stderr
    assert file.read_bytes() == before
