"""Reads and writes safetensors files; a file is checked completely before it is used.

The package ``safetensors`` checks the header against the data. A file is read as a whole and not
memory-mapped, so that a conversion can replace its own source. Pickles are never opened, whatever
the name of the file.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from safetensors import SafetensorError, deserialize, safe_open

from ..diagnostics.report import Report, Span
from .other import other

DTYPES: Final = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",  # the upper half of a float32; NumPy has no bfloat16
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "<i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "<u1",
    "BOOL": "?",
}
FLOATS: Final = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


class Tensor(NamedTuple):
    """A tensor of a file: type as the format names it (``F32``), shape and bytes."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes | bytearray

    def array(self) -> Any:
        """The values; float16 and bfloat16 as float32, without loss.

        ``None`` for a type that NumPy does not have.
        """
        if self.dtype not in DTYPES:
            return None
        values = np.frombuffer(self.data, DTYPES[self.dtype])
        if self.dtype == "BF16":
            values = (values.astype("<u4") << 16).view("<f4")
        elif self.dtype == "F16":
            values = values.astype("<f4")
        return values.reshape(self.shape)


class File(NamedTuple):
    """The contents of a file: metadata, and tensors by name in the order of their data."""

    metadata: dict[str, str]
    tensors: dict[str, Tensor]


def file_span(path: str | os.PathLike[str]) -> Span:
    """The location of errors in a weight file: its start, as binary files have no lines."""
    return Span(os.path.normpath(path), 1, 1, 1, 2)


def read_file(path: Path, report: Report) -> File | None:
    """The safetensors file at ``path``, or ``None`` with errors in the report."""
    if not readable(path, report):
        return None
    data = b""
    try:
        with open(path, "rb") as file:
            data = file.read(8)
            # checks the sizes in the header before the whole file is read
            with safe_open(path, framework="np"):
                file.seek(0)
            data = file.read()
        found = deserialize(data)  # type: ignore[no-untyped-call]
        for name, entry in found:
            _possible(name, entry["shape"])
        header = json.loads(
            data[8 : 8 + int.from_bytes(data[:8], "little")], object_pairs_hook=_once
        )
    except (OSError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "out of memory"
        report.error("E701", f"{os.path.normpath(path)} cannot be read: {reason}", file_span(path))
        return None
    except (SafetensorError, ValueError) as error:
        reject(path, re.sub("^Error while deserializing[^:]*: ", "", str(error)), data, report)
        return None
    order = {
        name: entry["data_offsets"] for name, entry in header.items() if name != "__metadata__"
    }
    tensors = {
        name: Tensor(entry["dtype"], tuple(entry["shape"]), entry["data"]) for name, entry in found
    }
    ordered = {
        name: tensors[name] for name in sorted(tensors, key=lambda name: (order[name], name))
    }
    return File(dict(header.get("__metadata__") or {}), ordered)


def readable(path: Path, report: Report) -> bool:
    """Whether ``path`` is a readable regular file; otherwise reports why not."""
    name = os.path.normpath(path)
    try:
        if path.is_file():
            path.open("rb").close()
            problem = ""
        else:
            problem = f"{name} is not a regular file" if path.exists() else f"no such file: {name}"
    except (OSError, ValueError) as error:
        problem = f"{name} cannot be read: {getattr(error, 'strerror', None) or 'invalid path'}"
    if problem:
        report.error("E701", problem, file_span(path))
    return not problem


def reject(path: Path, reason: str, start: bytes, report: Report) -> None:
    """Report that a file is not a valid safetensors file: its actual type, or ``reason``."""
    name = os.path.normpath(path)
    if kind := other(path, start):
        report.error("E701", f"{name} {kind.message}", file_span(path), help=kind.help)
    elif start[:8] == b"\x89HDF\r\n\x1a\n" or (
        start[:4] == b"PK\x03\x04" and path.suffix == ".keras"
    ):
        message = f"{name} is a file of a framework, not a safetensors file"
        report.error(
            "E701",
            message,
            file_span(path),
            help="name its format: `weights convert` and `weights check` have `--from NAME`",
        )
    else:
        size = f"{path.stat().st_size:,} bytes" if path.exists() else "0 bytes"
        message = f"{name} is not a valid safetensors file ({size}): {reason}"
        report.error(
            "E701",
            message,
            file_span(path),
            help="download or write it again; it may be truncated or corrupted",
        )


def writer(arrays: Mapping[str, Any], metadata: Mapping[str, str]) -> Callable[[Path], None]:
    """A function that writes ``arrays`` (float32 or float64) in their order.

    The output is deterministic; the package's own writer changes the order of the metadata from
    process to process.
    """
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    start = 0
    for name, array in arrays.items():
        end = start + array.nbytes
        dtype = {"float32": "F32", "float64": "F64"}[array.dtype.name]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the data is aligned to eight bytes

    def write(path: Path) -> None:
        with open(path, "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for array in arrays.values():
                file.write(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)

    return write


def _possible(name: str, shape: list[int]) -> None:
    """Raise ``ValueError`` for a shape that NumPy does not support.

    Examples: more than 64 axes, or a huge axis beside an axis of size 0.
    """
    try:
        np.broadcast_to(np.float64(0), shape)
    except ValueError as error:
        raise ValueError(f"`{name}` has an invalid shape ({error})") from None


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"duplicate name `{name}` in the header")
        found[name] = value
    return found
