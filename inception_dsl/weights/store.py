"""The neutral file.

The weights of a spec in safetensors, in one layout, under their paths in the spec.

The metadata say ``format`` (``inception-dsl``), ``format_version``, ``spec`` (the network's or
block's name) and ``digest`` (that of :func:`inception_dsl.analysis.weights.digest`). A file without
metadata is read too, if its tensors fit.
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
from .files import FLOATS, File, place, read_file, writer

FORMAT: Final = "inception-dsl"
VERSION: Final = "1"
SUFFIX: Final = ".safetensors"
KINDS: Final = ("missing", "unknown", "of another shape", "of another type", "not finite")


def read(path: Path, typed: TypedProgram, report: Report) -> dict[str, Any] | None:
    """The weights of ``typed`` from a neutral file, in the order of the spec, or ``None`` with all
    that is wrong.

    Arrays are float32 or float64; float16 and bfloat16 come as float32.
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
    """Write a neutral file whole or not at all; false with all that is wrong in the report.

    The same weights give the same bytes. A number too large for ``dtype`` is a mistake.
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
    """Whether a path has the ending of neutral files."""
    if path.name.endswith(SUFFIX):
        return True
    message = f"{os.path.normpath(path)} does not end in `{SUFFIX}`, as neutral files do"
    report.error(
        "E704",
        message,
        place(path),
        help=f"call it {path.name.partition('.')[0] or 'weights'}{SUFFIX}",
    )
    return False


def metadata_problems(file: File, path: Path, report: Report) -> bool:
    """Whether what a file says of itself holds; nothing said is nothing wrong."""
    said = file.metadata
    if said.get("format") != FORMAT:
        return True
    name, version = os.path.normpath(path), said.get("format_version", "")
    if version != VERSION:
        message = f"{name} has version `{version[:40]}` of the format; this reads version {VERSION}"
        report.error("E703", message, place(path), help="a newer inception-dsl may read it")
        return False
    found = digest({n: tensor.shape for n, tensor in file.tensors.items()})
    if said.get("digest") != found:
        message = (
            f"{name} does not hold the weights that it says: its digest is "
            f"`{said.get('digest', '')[:80]}`"
        )
        report.error("E703", message, place(path), help=f"that of what it holds is `{found}`")
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
    """Whether ``arrays`` are the weights of ``typed``.

    If not, one mistake that lists every difference.
    """
    found = differences(weight_shapes(typed), arrays, dtypes or {})
    if not any(found.values()):
        return True
    counts = ", ".join(f"{len(lines)} {kind}" for kind, lines in found.items() if lines)
    message = f"{os.path.normpath(path)} does not fit `{typed.program.id}`: {counts}"
    notes = [line for lines in found.values() for line in lines]
    help = ""
    if metadata is not None and arrays and not arrays.keys() & weight_shapes(typed).keys():
        help = (
            "none of its names is one of the spec; if a framework wrote it, say which: "
            "`--from NAME`"
        )
    if metadata and metadata.get("format") == FORMAT:
        maker = metadata.get("spec", "")
        same = maker == typed.program.id
        help = f"it was written for {'another variant of ' if same else ''}`{maker}`"
        help += "; give the same `--set` and `--input` as then" if same else ""
    report.error("E702", message, place(path), notes=notes, help=help)
    return False


def differences(
    shapes: Mapping[str, tuple[int, ...]], arrays: Mapping[str, Any], dtypes: Mapping[str, str]
) -> dict[str, list[str]]:
    """How ``arrays`` differ from weights of these shapes, a line for each, by kind."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for name, shape in shapes.items():
        if name not in arrays:
            found["missing"].append(f"missing: {name} ({sizes(shape)})")
            continue
        array, dtype = arrays[name], dtypes.get(name)
        if dtype is not None and dtype not in FLOATS:
            found["of another type"].append(
                f"of another type: {name} holds {dtype}, expected {' or '.join(FLOATS)}"
            )
        if array is None:
            continue
        if array.shape != shape:
            held = sizes(array.shape) or "a single number"
            found["of another shape"].append(
                f"of another shape: {name} is {held}, expected {sizes(shape)}"
            )
        if array.dtype.kind == "f" and (
            bad := array.size - int(np.count_nonzero(np.isfinite(array)))
        ):
            at = [int(n) for n in np.argwhere(~np.isfinite(array))[0]]
            found["not finite"].append(
                f"not finite: {name} has {bad:,} such number{'s'[: bad > 1]}, the first at {at}"
            )
    for name in arrays:
        if name not in shapes:
            found["unknown"].append(
                f"unknown: {name} "
                f"({sizes(arrays[name].shape) if arrays[name] is not None else '?'})"
            )
    return found
