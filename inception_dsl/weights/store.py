"""The neutral format: the weights of a spec in safetensors, by their paths in the spec.

The layout does not depend on a framework. The metadata has ``format`` (``inception-dsl``),
``format_version``, ``spec`` (the name of the network or block), ``digest``
(:func:`inception_dsl.analysis.weights.digest`) and ``flattened``
(:func:`inception_dsl.analysis.weights.flattened`, as JSON), which version 1 does not have. A file
without metadata is accepted if its tensors match the spec.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from ..analysis.weights import digest, flattened, sizes, weight_shapes
from ..build.write import followed, write_all
from ..diagnostics.report import Report
from ..ir.typed import TypedProgram
from .files import FLOATS, File, file_span, read_file, writer

FORMAT: Final = "inception-dsl"
VERSION: Final = "2"
OLDER: Final = ("1",)
SUFFIX: Final = ".safetensors"
VARIANCES: Final = ("moving_variance", "running_var")
KINDS: Final = (
    "missing",
    "unknown",
    "with a wrong shape",
    "with a wrong type",
    "not finite",
    "negative",
)
SHOWN: Final = 8
"""How many differences of one kind an error lists."""


def read(
    path: Path, typed: TypedProgram, report: Report, *, any_network: bool = False
) -> dict[str, Any] | None:
    """The weights of ``typed`` from a neutral file, in the order of the spec.

    ``None`` with errors in the report if the file does not match; with ``any_network`` only its
    names and shapes have to. Arrays are float32 or float64; float16 and bfloat16 are converted to
    float32.
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
    if not any_network and not same_network(file, path, typed, report):
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
    if not (
        ending(path, report)
        and fits(path, typed, weights, report)
        and in_range(path, weights, dtype, report)
    ):
        return False
    arrays = {name: np.asarray(array, dtype) for name, array in weights.items()}
    metadata = {
        "format": FORMAT,
        "format_version": VERSION,
        "spec": typed.program.id,
        "digest": digest(shapes),
        "flattened": json.dumps(flattened(typed), separators=(",", ":")),
    }
    return write_all(
        {followed(path): writer({name: arrays[name] for name in shapes}, metadata)}, report
    )


def ending(path: Path, report: Report) -> bool:
    """Whether a path has the suffix of neutral files; otherwise reports it."""
    if path.name.endswith(SUFFIX):
        return True
    if os.fspath(path) == "-":
        message = "weights cannot be written to standard output"
        report.error("E704", message, file_span(path), help=f"name a file: `weights{SUFFIX}`")
        return False
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
    if version not in (VERSION, *OLDER):
        message = f"{name} has format version `{version[:40]}`, expected `{VERSION}`"
        report.error("E703", message, file_span(path), help="try a newer version of inception-dsl")
        return False
    found = digest({n: tensor.shape for n, tensor in file.tensors.items()})
    if version == VERSION and flattened_in(metadata) is None:
        message = f"the metadata of {name} has no valid `flattened`"
        report.error("E703", message, file_span(path))
        return False
    if metadata.get("digest") != found:
        message = f"the metadata of {name} does not match its contents"
        notes = [
            f"digest in the metadata: `{metadata.get('digest', '')[:80]}`",
            f"digest of the contents: `{found}`",
        ]
        report.error("E703", message, file_span(path), notes=notes)
        return False
    return True


def flattened_in(metadata: Mapping[str, str]) -> dict[str, str] | None:
    """What the metadata say about weights after a flatten; ``None`` if that is not valid."""
    try:
        found = json.loads(metadata.get("flattened", ""))
    except (ValueError, RecursionError):
        return None
    valid = isinstance(found, dict) and all(isinstance(v, str) for v in found.values())
    return found if valid else None


def same_network(file: File, path: Path, typed: TypedProgram, report: Report) -> bool:
    """Whether the numbers of a file mean what they do in ``typed``; otherwise reports it.

    Names and shapes can be those of another network. True without metadata, and version 1 says
    nothing about a flatten.
    """
    metadata, name, spec = file.metadata, os.path.normpath(path), typed.program.id
    if metadata.get("format") != FORMAT:
        return True
    maker = metadata.get("spec", "")
    if maker != spec:
        report.error(
            "E707",
            f"{name} was written for `{maker[:80]}`, not for `{spec}`",
            file_span(path),
            help="use the spec that it was written for; to use the weights in spite of that, add "
            "`--any-network`",
        )
        return False
    wanted, held = flattened(typed), flattened_in(metadata)
    notes = [
        f"{key}: the order of a flattened {(held or {}).get(key, 'vector')[:80]}, expected "
        f"{wanted.get(key, 'vector')}"
        for key in (*wanted, *(k for k in held or () if k not in wanted))
        if held is not None and held.get(key) != wanted.get(key)
    ]
    if notes:
        message = f"{name} was written for `{spec}` with another input size"
        help = (
            "use the same `--input` as then; to use the weights in spite of that, add "
            "`--any-network`"
        )
        report.error("E707", message, file_span(path), notes=notes, help=help)
    return not notes


def in_range(path: Path, weights: Mapping[str, Any], dtype: str, report: Report) -> bool:
    """Whether all values are in the range of ``dtype``; otherwise reports which are not."""
    limit = np.finfo(dtype).max
    notes = []
    for name, array in weights.items():
        # the limit itself is in range; NumPy compares in the type of the array
        beyond = np.abs(array) > limit if np.asarray(array).dtype.itemsize > 4 else np.zeros(1)
        if count := int(np.count_nonzero(beyond)):
            at = tuple(int(n) for n in np.argwhere(beyond)[0])
            more = f" and {count - 1:,} more" if count > 1 else ""
            notes.append(f"too large: {name} has {array[at]:.6g} at {list(at)}{more}")
    if notes:
        message = f"{os.path.normpath(path)}: values are beyond the range of {dtype}"
        report.error("E702", message, file_span(path), notes=notes, help="use `--dtype float64`")
    return not notes


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
    notes = listed(found)
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


def listed(found: Mapping[str, list[str]]) -> list[str]:
    """The lines of differences by kind; of many of one kind the first, and how many more."""
    lines: list[str] = []
    for own in found.values():
        more = len(own) - SHOWN
        lines += own if more < 2 else [*own[:SHOWN], f"{own[0].split(':')[0]}: {more:,} more"]
    return lines


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
            what = {"I": "integers ", "U": "integers ", "B": "booleans "}.get(dtype[:1], "")
            found["with a wrong type"].append(
                f"wrong type: {name} has {what}({dtype}), expected {' or '.join(FLOATS)}"
            )
        if array is None:
            continue
        if array.shape != shape:
            held = sizes(array.shape) or "a scalar"
            found["with a wrong shape"].append(
                f"wrong shape: {name} is {held}, expected {sizes(shape)}"
            )
        if array.dtype.kind == "f":
            _values(name, array, found)
    for name in arrays:
        if name not in shapes:
            found["unknown"].append(
                f"unknown: {name} "
                f"({sizes(arrays[name].shape) if arrays[name] is not None else '?'})"
            )
    return found


def _values(name: str, array: Any, found: dict[str, list[str]]) -> None:
    """Add a line for values that are not finite, and for variances below 0."""
    wrong = ~np.isfinite(array)
    if count := int(np.count_nonzero(wrong)):
        at = [int(n) for n in np.argwhere(wrong)[0]]
        nans = int(np.count_nonzero(np.isnan(array)))
        parts = ((nans, "NaN"), (count - nans, "infinite"))
        what = " and ".join(f"{n:,} {word}" for n, word in parts if n)
        found["not finite"].append(
            f"not finite: {name} has {what} value{'s'[: count > 1]}, the first at {at}"
        )
    below = array < 0 if re.split("[./]", name)[-1] in VARIANCES else np.zeros(1)
    if count := int(np.count_nonzero(below)):
        at = [int(n) for n in np.argwhere(below)[0]]
        found["negative"].append(
            f"negative: {name} has {count:,} value{'s'[: count > 1]} below 0, the first at {at}; "
            "a variance is at least 0"
        )
