"""The neutral format: the weights of a spec in safetensors, by their paths in the spec.

The layout does not depend on a framework. The metadata has ``format`` (``inception-dsl``),
``format_version``, ``spec`` (the name of the network or block) and ``digest``
(:func:`inception_dsl.analysis.weights.digest`). A file without metadata is accepted if its tensors
match the spec.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from ..analysis.weights import digest, sizes, weight_shapes
from ..build.write import followed, write_all
from ..diagnostics.report import Report
from ..ir.typed import TypedProgram
from .files import FLOATS, File, file_span, read_file, writer

FORMAT: Final = "inception-dsl"
VERSION: Final = "1"
SUFFIX: Final = ".safetensors"
KINDS: Final = ("missing", "unknown", "with a wrong shape", "with a wrong type", "not finite")


def read(path: Path, typed: TypedProgram, report: Report) -> dict[str, Any] | None:
    """The weights of ``typed`` from a neutral file, in the order of the spec.

    ``None`` with errors in the report if the file does not match. Arrays are float32 or float64;
    float16 and bfloat16 are converted to float32.
    """
    file = read_file(path, report)
    if file is None:
        return None
    shapes = weight_shapes(typed)
    about = metadata_problems(file, path, report)
    dtypes = {name: tensor.dtype for name, tensor in file.tensors.items()}
    arrays = {name: tensor.array() for name, tensor in file.tensors.items()}
    if not fits(path, typed, arrays, report, dtypes=dtypes, metadata=file.metadata) or not about:
        return None
    return {name: arrays[name] for name in shapes}


def write(
    path: Path,
    typed: TypedProgram,
    weights: Mapping[str, Any],
    report: Report,
    dtype: Literal["float32", "float64"] = "float32",
) -> bool:
    """Write a neutral file atomically; false with errors in the report.

    The same weights give the same bytes. A value that overflows ``dtype`` is an error.
    """
    shapes = weight_shapes(typed)
    with np.errstate(over="ignore"):
        arrays = {name: np.asarray(array, dtype) for name, array in weights.items()}
    if not ending(path, report) or not fits(path, typed, arrays, report):
        return False
    metadata = {
        "format": FORMAT,
        "format_version": VERSION,
        "spec": typed.program.id,
        "digest": digest(shapes),
    }
    return write_all(
        {followed(path): writer({name: arrays[name] for name in shapes}, metadata)}, report
    )


def ending(path: Path, report: Report) -> bool:
    """Whether a path has the suffix of neutral files; otherwise reports it."""
    if path.name.endswith(SUFFIX):
        return True
    message = f"the name of the neutral file {os.path.normpath(path)} must end in `{SUFFIX}`"
    report.error(
        "E704",
        message,
        file_span(path),
        help=f"use {path.name.partition('.')[0] or 'weights'}{SUFFIX}",
    )
    return False


def metadata_problems(file: File, path: Path, report: Report) -> bool:
    """Whether the metadata of a neutral file matches its contents; true without such metadata."""
    metadata = file.metadata
    if metadata.get("format") != FORMAT:
        return True
    name, version = os.path.normpath(path), metadata.get("format_version", "")
    if version != VERSION:
        message = f"{name} has format version `{version[:40]}`, expected `{VERSION}`"
        report.error("E703", message, file_span(path), help="try a newer version of inception-dsl")
        return False
    found = digest({n: tensor.shape for n, tensor in file.tensors.items()})
    if metadata.get("digest") != found:
        message = f"the metadata of {name} does not match its contents"
        notes = [
            f"digest in the metadata: `{metadata.get('digest', '')[:80]}`",
            f"digest of the contents: `{found}`",
        ]
        report.error("E703", message, file_span(path), notes=notes)
        return False
    return True


def fits(
    path: Path,
    typed: TypedProgram,
    arrays: Mapping[str, Any],
    report: Report,
    *,
    dtypes: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> bool:
    """Whether ``arrays`` match the weights of ``typed``; one error lists all differences."""
    found = differences(weight_shapes(typed), arrays, dtypes or {})
    if not any(found.values()):
        return True
    counts = ", ".join(f"{len(lines)} {kind}" for kind, lines in found.items() if lines)
    message = f"{os.path.normpath(path)} does not fit `{typed.program.id}`: {counts}"
    notes = [line for lines in found.values() for line in lines]
    help = ""
    if metadata is not None and arrays and not arrays.keys() & weight_shapes(typed).keys():
        help = (
            "no name in the file is a weight of the spec; if a framework wrote the file, add "
            "`--from NAME`"
        )
    if metadata and metadata.get("format") == FORMAT:
        maker = metadata.get("spec", "")
        same = maker == typed.program.id
        help = f"the file was written for {'another variant of ' if same else ''}`{maker}`"
        help += "; use the same `--set` and `--input` as then" if same else ""
    report.error("E702", message, file_span(path), notes=notes, help=help)
    return False


def differences(
    shapes: Mapping[str, tuple[int, ...]], arrays: Mapping[str, Any], dtypes: Mapping[str, str]
) -> dict[str, list[str]]:
    """How ``arrays`` differ from weights with ``shapes``: one line per difference, by kind."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for name, shape in shapes.items():
        if name not in arrays:
            found["missing"].append(f"missing: {name} ({sizes(shape)})")
            continue
        array, dtype = arrays[name], dtypes.get(name)
        if dtype is not None and dtype not in FLOATS:
            found["with a wrong type"].append(
                f"wrong type: {name} has {dtype}, expected {' or '.join(FLOATS)}"
            )
        if array is None:
            continue
        if array.shape != shape:
            held = sizes(array.shape) or "a scalar"
            found["with a wrong shape"].append(
                f"wrong shape: {name} is {held}, expected {sizes(shape)}"
            )
        if array.dtype.kind == "f" and (
            bad := array.size - int(np.count_nonzero(np.isfinite(array)))
        ):
            at = [int(n) for n in np.argwhere(~np.isfinite(array))[0]]
            found["not finite"].append(
                f"not finite: {name} has {bad:,} NaN or infinite value{'s'[: bad > 1]}, "
                f"the first at {at}"
            )
    for name in arrays:
        if name not in shapes:
            found["unknown"].append(
                f"unknown: {name} "
                f"({sizes(arrays[name].shape) if arrays[name] is not None else '?'})"
            )
    return found
