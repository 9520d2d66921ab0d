"""Safetensors files, checked whole before anything of them is used.

The package ``safetensors`` holds header and data against each other. A file is read at once and
never mapped into memory, so that it can be replaced by what is made of it. No pickle is opened,
whatever the file is called.
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

DTYPES: Final = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",  # the upper half of a float32; NumPy has no such type
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
PICKLES: Final = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".npz", ".npy", ".joblib")
ADVICE: Final = (
    "a pickle can run any program when it is opened, so this never opens one; where you trust the "
    "file, load its tensors with the framework that wrote it and save them with safetensors "
    "(docs/weights.md shows how)"
)


class Tensor(NamedTuple):
    """A tensor of a file: the format's word for its type, its shape, and its bytes."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes | bytearray

    def array(self) -> Any:
        """Its values, half precision as float32, which holds them all.

        ``None`` for a type that NumPy lacks.
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
    """A whole file: its metadata, and its tensors by name in the order of their data."""

    metadata: dict[str, str]
    tensors: dict[str, Tensor]


def place(path: str | os.PathLike[str]) -> Span:
    """Where a mistake in a weight file stands: at its start, as bytes have no lines."""
    return Span(os.path.normpath(path), 1, 1, 1, 2)


def read_file(path: Path, report: Report) -> File | None:
    """The safetensors file at ``path``, or ``None`` with what is wrong in the report."""
    if not readable(path, report):
        return None
    data = b""
    try:
        with open(path, "rb") as file:
            data = file.read(8)
            # a lie about the size is found before all is read
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
        reason = getattr(error, "strerror", None) or str(error) or "it is too large for the memory"
        report.error("E701", f"{os.path.normpath(path)} cannot be read: {reason}", place(path))
        return None
    except (SafetensorError, ValueError) as error:
        refuse(path, re.sub("^Error while deserializing[^:]*: ", "", str(error)), data, report)
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
    """Whether there is a file that may be read; folders, devices and the like are mistakes."""
    try:
        problem = "" if path.is_file() else "is not a file" if path.exists() else "does not exist"
        if not problem:
            path.open("rb").close()
    except (OSError, ValueError) as error:
        problem = f"cannot be read: {getattr(error, 'strerror', None) or 'not a path'}"
    if problem:
        report.error("E701", f"{os.path.normpath(path)} {problem}", place(path))
    return not problem


def refuse(path: Path, reason: str, start: bytes, report: Report) -> None:
    """Report that a file is no safetensors file: what it is instead, or what is wrong with it."""
    name = os.path.normpath(path)
    if kind := pickled(path, start):
        report.error(
            "E701", f"{name} is {kind}, and pickles are never opened", place(path), help=ADVICE
        )
    elif start[:8] == b"\x89HDF\r\n\x1a\n" or (
        start[:4] == b"PK\x03\x04" and path.suffix == ".keras"
    ):
        message = f"{name} is not a safetensors file but one of a framework"
        report.error(
            "E701", message, place(path), help="`convert` and `check` read it with `--from NAME`"
        )
    else:
        size = f"{path.stat().st_size:,} bytes" if path.exists() else "no bytes"
        message = f"{name} is not a whole safetensors file ({size}): {reason}"
        report.error(
            "E701",
            message,
            place(path),
            help="fetch or write it again; it may be cut short or changed",
        )


def pickled(path: Path, start: bytes) -> str:
    """What kind of pickle, or archive of pickles, a file is that is no safetensors file.

    Empty if none.
    """
    if start[:1] == b"\x80" and 2 <= (start[1] if len(start) > 1 else 0) <= 5:
        return "a pickle"
    if start[:6] == b"\x93NUMPY":
        return "a NumPy file, which may hold a pickle"
    if start[:4] == b"PK\x03\x04" and path.suffix != ".keras":
        return "an archive as PyTorch and NumPy write them, which holds pickles"
    return f"called `{path.suffix}` as pickles are" if path.suffix in PICKLES else ""


def writer(arrays: Mapping[str, Any], metadata: Mapping[str, str]) -> Callable[[Path], None]:
    """What writes ``arrays`` (float32 or float64) in their order; the same bytes every time.

    The package's own writer puts metadata in another order in every process.
    """
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    start = 0
    for name, array in arrays.items():
        end = start + array.nbytes
        dtype = {"float32": "F32", "float64": "F64"}[array.dtype.name]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # data starts at a multiple of eight

    def write(path: Path) -> None:
        with open(path, "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for array in arrays.values():
                file.write(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)

    return write


def _possible(name: str, shape: list[int]) -> None:
    """Raise ``ValueError`` for a shape that no array has.

    Beyond 64 axes, or without end in spite of no elements.
    """
    try:
        np.broadcast_to(np.float64(0), shape)
    except ValueError as error:
        raise ValueError(f"`{name}` has an impossible shape ({error})") from None


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"`{name}` stands twice in the header")
        found[name] = value
    return found
