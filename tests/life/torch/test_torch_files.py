"""Weight files of PyTorch: atomic writes, reading by name, complete errors for invalid files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch_specs import SMALL, running

from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.seeds import batch

Compiled = Callable[..., TypedProgram]


def test_saved_file_loads_into_the_generated_class(compiled: Compiled, tmp_path: Path) -> None:
    model = running(compiled(SMALL), "float32")
    model.step(batch(model.typed), {"logits": np.ones((2, 3))}, 0.1)
    path = tmp_path / "small.safetensors"
    path.write_bytes(b"old")
    model.save(path)
    assert [*tmp_path.glob("*.safetensors*")] == [path]
    net = model.module.Small()
    net.load_state_dict(load_file(path), strict=True)
    assert all(
        torch.equal(value, model.net.state_dict()[key]) for key, value in net.state_dict().items()
    )
    assert net.units[0].inner.bn.num_batches_tracked == 1


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_other_float_types_are_converted(
    dtype: torch.dtype, compiled: Compiled, tmp_path: Path
) -> None:
    model = running(compiled(SMALL))
    state = {
        k: v.to(dtype)
        for k, v in model.net.state_dict().items()
        if not k.endswith("num_batches_tracked")
    }
    save_file(state, tmp_path / "other.safetensors")
    model.restore(tmp_path / "other.safetensors")
    for key, value in state.items():
        assert torch.equal(model.net.state_dict()[key], value.double()), key


def test_one_error_lists_all_problems_and_keeps_the_weights(
    compiled: Compiled, tmp_path: Path
) -> None:
    model = running(compiled(SMALL), "float32")
    weights = model.weights()
    state = {key: value.clone() for key, value in model.net.state_dict().items()}
    del state["fc.bias"]
    state["more.weight"] = torch.ones(2)
    state["fc.weight"] = torch.ones(4, 3)
    state["stem.0.bn.weight"] = torch.ones(3, dtype=torch.int32)
    state["units.0.inner.bn.num_batches_tracked"] = torch.tensor(1.0)
    state["units.1.inner.bn.bias"][1] = float("nan")
    state["units.1.inner.bn.running_mean"] = torch.full((3,), 1e300, dtype=torch.float64)
    save_file(state, tmp_path / "wrong.safetensors")
    with pytest.raises(ValueError) as caught:
        model.restore(tmp_path / "wrong.safetensors")
    assert str(caught.value).split(" does not fit: ")[1].split("; ") == [
        "fc.bias is missing",
        "more.weight is unknown",
        "stem.0.bn.weight has type int32, expected float32",
        "units.0.inner.bn.num_batches_tracked has type float32, expected int64",
        "units.1.inner.bn.bias has nan at [1], which is not finite",
        "units.1.inner.bn.running_mean has 1e+300 at [0], too large for float32",
        "fc.weight has shape (4, 3), expected (3, 7)",
    ]
    assert all(np.array_equal(value, weights[path]) for path, value in model.weights().items())


def test_scale_that_the_spec_does_not_have_stays_1(compiled: Compiled, tmp_path: Path) -> None:
    model = running(
        compiled(SMALL.replace("kernel_size: 3}", "kernel_size: 3, batch_norm: {scale: false}}", 1))
    )
    key = "units.0.inner.bn.weight"
    state = {k: v.clone() for k, v in model.net.state_dict().items()}
    assert torch.equal(state[key], torch.ones(3))
    assert model.parameters()[0] == sum(p.numel() for p in model.net.parameters()) - 3 * 3
    save_file({k: v for k, v in state.items() if k != key}, tmp_path / "older.safetensors")
    model.restore(tmp_path / "older.safetensors")
    save_file({**state, key: 2 * state[key]}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=f"{key} is not 1, its fixed value"):
        model.restore(tmp_path / "other.safetensors")


def test_damaged_files_are_rejected(compiled: Compiled, tmp_path: Path) -> None:
    model = running(compiled(SMALL), "float32")
    weights = model.weights()
    path = tmp_path / "small.safetensors"
    model.save(path)
    data = path.read_bytes()
    header = 8 + int.from_bytes(data[:8], "little")
    damaged = [data[:length] for length in [0, 7, 8, header - 1, header, header + 1, len(data) - 1]]
    damaged += [
        data + b"\0",
        b"\xff" * 8 + data[8:],
        data.replace(b'"F32"', b'"I32"', 1),
        b"PK\x03\x04" + data,
    ]
    damaged.append(data.replace(b'"shape":[3]', b'"shape":[9]', 1))
    for text in damaged:
        path.write_bytes(text)
        with pytest.raises(
            ValueError, match=r"small.safetensors (is not a valid safetensors file|does not fit): "
        ):
            model.restore(path)
    with pytest.raises(FileNotFoundError):
        model.restore(tmp_path / "none.safetensors")
    assert all(np.array_equal(value, weights[name]) for name, value in model.weights().items())


def test_pickle_is_never_loaded(compiled: Compiled, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    torch.save({"fc.weight": Trap()}, tmp_path / "trap.safetensors")
    with pytest.raises(ValueError, match="is not a valid safetensors file"):
        running(compiled(SMALL)).restore(tmp_path / "trap.safetensors")
    assert not (tmp_path / "sprung").exists()


def test_failed_write_keeps_the_old_file(
    compiled: Compiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "small.safetensors").write_bytes(b"old")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        running(compiled(SMALL)).save(folder / "small.safetensors")
    assert (folder / "small.safetensors").read_bytes() == b"old"
    assert [p.name for p in folder.iterdir()] == ["small.safetensors"]
