"""Compares the tensors of a weight file with a state dict, and writes weight files."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Final

import torch

FLOATS: Final = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
COUNTER: Final = "num_batches_tracked"  # batch norm's step counter, not a weight of the spec


def differences(
    found: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor], fixed: Container[str]
) -> Iterator[str]:
    """How the tensors of a file differ from a state dict.

    Tensors that are missing, unknown, not finite, or have the wrong shape or type. A ``fixed`` one,
    such as the scale of a batch norm without scale, may be missing, but has no other values.
    """
    yield from (
        f"{key} is missing"
        for key in state
        if key not in found and key not in fixed and not key.endswith(COUNTER)
    )
    yield from (f"{key} is unknown" for key in sorted(found.keys() - state.keys()))
    for key, target in state.items():
        if key not in found:
            continue
        value = found[key]
        if value.shape != target.shape:
            yield f"{key} has shape {tuple(value.shape)}, expected {tuple(target.shape)}"
        elif value.dtype not in (FLOATS if target.is_floating_point() else (target.dtype,)):
            yield f"{key} has type {value.dtype}, expected {target.dtype}".replace("torch.", "")
        elif problem := not_finite(value, target.dtype):
            yield f"{key} has {problem}"
        elif key in fixed and not torch.equal(value.to(target.dtype), target):
            yield f"{key} is not {target[0].item():g}, its fixed value"


def not_finite(value: torch.Tensor, dtype: torch.dtype) -> str:
    """The first value that is not finite, or too large for the type; empty if there is none."""
    wrong = (~value.to(dtype).isfinite()).nonzero()
    if not len(wrong):
        return ""
    at = tuple(wrong[0].tolist())
    why = f"too large for {dtype}" if value[at].isfinite() else "which is not finite"
    return f"{value[at].item():.6g} at {list(at)}, {why}".replace("torch.", "")


def write(path: Path, data: bytes) -> None:
    """Write a file atomically: write a temporary file beside it, then rename that."""
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
