"""Reads Keras weight files (HDF5), in the old and the new format.

Only data in the file itself is read. Links to other files, external and virtual datasets, and
datasets that declare far more bytes than are stored are rejected. Of a ``.keras`` archive only the
weights are read.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import h5py
import numpy as np

from ..diagnostics.report import Report
from ..diagnostics.text import printable
from .files import ADVICE, file_span, pickled, readable

Variables: TypeAlias = list[tuple[str, Any]]
INNER: Final = "model.weights.h5"
SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
MAX_RATIO: Final = 100
MAX_DEPTH: Final = 32


def read_layers(path: Path, report: Report) -> dict[str, Variables] | None:
    """The variables of every layer in the order of the file; ``None`` on errors.

    A variable has its name (``kernel``), or its position (``0``) if the file has no names.
    """
    if not readable(path, report):
        return None
    name = os.path.normpath(path)
    try:
        with open(path, "rb") as file:
            start = file.read(8)
            if start[:4] == b"PK\x03\x04" and path.suffix == ".keras":
                return _layers(h5py.File(_member(path), "r"))
            if start == SIGNATURE:
                return _layers(h5py.File(path, "r"))
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, zipfile.BadZipFile) as error:
        reason = printable(str(error.args[0] if error.args else error)).splitlines() or [
            "the file is corrupted"
        ]
        report.error("E701", f"{name} cannot be read: {reason[0]}", file_span(path))
        return None
    kind = pickled(path, start)
    message = (
        f"{name} is {kind}; pickles are never opened" if kind else f"{name} is not an HDF5 file"
    )
    report.error(
        "E701",
        message,
        file_span(path),
        help=ADVICE if kind else "use a file that ends in .h5, .weights.h5 or .keras",
    )
    return None


def _member(path: Path) -> io.BytesIO:
    """The weights in a ``.keras`` archive, in memory."""
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(INNER)
        if entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise ValueError(
                f"{INNER} declares {entry.file_size:,} bytes, far more than are stored"
            )
        return io.BytesIO(archive.read(entry))


def _layers(file: Any) -> dict[str, Variables]:
    with file:
        root = _at(file, "model_weights") if "model_weights" in file else file
        if _attribute(root, "layer_names"):
            return dict(_named(root))
        if "layers" in root:
            found = list(_numbered(_at(root, "layers"), 0))
            if len(dict(found)) < len(found):
                raise ValueError("two layers have the same name")
            return dict(found)
    raise ValueError("there are no layers in the file")


def _named(root: Any) -> Iterator[tuple[str, Variables]]:
    """The old format: attributes list the layers, and the weights of each."""
    for layer in _attribute(root, "layer_names"):
        group = _at(root, layer)
        names = _attribute(group, "weight_names")
        own = [name.rsplit("/", 1)[-1].split(":")[0] for name in names]
        if len(set(own)) < len(own):
            raise ValueError(f"two weights of the layer `{layer}` have the same name")
        if names:
            yield (
                layer,
                [
                    (k, _array(_at(group, n), f"{layer}/{n}"))
                    for k, n in zip(own, names, strict=True)
                ],
            )


def _numbered(group: Any, depth: int) -> Iterator[tuple[str, Variables]]:
    """The new format: each layer has a group ``vars`` with its name and numbered variables."""
    if depth > MAX_DEPTH:
        raise ValueError(f"groups are nested more than {MAX_DEPTH} levels deep")
    for name in group:
        inner = _at(group, name)
        if not isinstance(inner, h5py.Group):
            continue
        if name != "vars":
            yield from _numbered(inner, depth + 1)
        elif len(inner):
            layer = inner.attrs.get("name")
            if not isinstance(layer, str):
                message = (
                    f"{inner.name} has no layer name; load the file with a newer version of Keras "
                    "and save it again"
                )
                raise ValueError(message)
            yield (
                layer,
                [(str(i), _array(_at(inner, str(i)), f"{layer}/{i}")) for i in range(len(inner))],
            )


def _attribute(group: Any, name: str) -> list[str]:
    """A list of strings, which Keras may split into numbered attributes."""
    parts = [name] if name in group.attrs else []
    while parts[:1] != [name] and f"{name}{len(parts)}" in group.attrs:
        parts.append(f"{name}{len(parts)}")
    whole = [group.attrs[part] for part in parts]
    return [
        n.decode() if isinstance(n, bytes) else str(n) for values in whole for n in np.ravel(values)
    ]


def _at(group: Any, path: str) -> Any:
    """The object at ``path``; links to other files are rejected."""
    for part in filter(None, path.split("/")):
        link = group.get(part, getlink=True)
        if link is not None and not isinstance(link, h5py.HardLink):
            raise ValueError(f"`{part}` is a link, and links are not followed")
        if link is None:
            raise KeyError(f"`{part}` is missing in {group.name}")
        group = group[part]
    return group


def _array(data: Any, name: str) -> Any:
    if not isinstance(data, h5py.Dataset) or data.dtype.kind != "f":
        raise ValueError(f"`{name}` is not a floating-point array")
    if data.external or data.is_virtual:
        raise ValueError(f"`{name}` is stored in another file, which is not opened")
    if data.nbytes > MAX_RATIO * data.id.get_storage_size():
        raise ValueError(f"`{name}` declares {data.nbytes:,} bytes, far more than are stored")
    values = data[()]
    return values.astype(np.float32) if values.dtype.itemsize < 4 else values
