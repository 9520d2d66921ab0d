"""Reads Keras weight files (HDF5), in the old and the new format.

Only data in the file itself is read. Links to other files, external and virtual datasets, and
datasets that declare far more bytes than are stored are rejected. So is a group or a dataset that
is linked more than once, as Keras writes none: a small file could hold any number of layers. Of a
``.keras`` archive only the weights are read.
"""

from __future__ import annotations

import io
import math
import mmap
import os
import re
import zipfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

import h5py
import numpy as np

from ..diagnostics.report import Report
from ..diagnostics.text import printable
from .files import file_span, readable
from .other import other

Variables: TypeAlias = list[tuple[str, Any]]
INNER: Final = "model.weights.h5"
SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
MAX_RATIO: Final = 100
MAX_DEPTH: Final = 32
MAX_NAMES: Final = 268_435_456
MAX_NAME: Final = 1024
HEAP: Final = re.compile(rb"(?=GCOL\x01\0\0\0(.{8}))", re.DOTALL)  # also inside another match


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
                member = _member(path)
                return _layers(h5py.File(member, "r"), member.getbuffer())
            if start == SIGNATURE:
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                    return _layers(h5py.File(path, "r"), whole)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, zipfile.BadZipFile) as error:
        reason = printable(str(error.args[0] if error.args else error)).splitlines() or [
            "the file is corrupted"
        ]
        report.error("E701", f"{name} cannot be read: {reason[0]}", file_span(path))
        return None
    kind = other(path, start)
    message = kind.message if kind else "is not an HDF5 file"
    help = kind.help if kind else "use a file that ends in .h5, .weights.h5 or .keras"
    report.error("E701", f"{name} {message}", file_span(path), help=help)
    return None


def _member(path: Path) -> io.BytesIO:
    """The weights in a ``.keras`` archive, in memory."""
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(INNER)
        if entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise ValueError(
                f"{INNER} declares {entry.file_size:,} bytes, far more than are stored"
            )
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{INNER} is compressed by another method than deflate")
        with archive.open(entry) as member:  # a number: what it declares need not be true
            return io.BytesIO(member.read(entry.file_size + 1))


class _Seen:
    """The objects that were read, so that each is read once; ``room`` are the bytes left."""

    def __init__(self, content: memoryview | mmap.mmap) -> None:
        self.addresses: set[int] = set()
        self.content = content
        self.room = len(content)
        self.texts = max(MAX_NAMES, MAX_RATIO * len(content))

    def once(self, found: Any) -> Any:
        """``found``; raises ``ValueError`` if it was read before."""
        address = h5py.h5o.get_info(found.id).addr
        if address in self.addresses:
            raise ValueError(f"`{found.name}` is linked more than once")
        self.addresses.add(address)
        return found

    def take(self, size: int, name: str) -> None:
        """Count the stored bytes of a dataset; all together are less than the file."""
        self.room -= size
        if self.room < 0:
            raise ValueError(f"`{name}` shares its bytes with another dataset")

    @cached_property
    def longest(self) -> int:
        """A bound of the bytes in a text of variable length.

        Such texts are in heaps (HDF5 file format, III.E), which give their size, in 2, 4 or 8
        bytes, after a signature. A match anywhere else can only raise the bound.
        """
        sizes = [
            int.from_bytes(found[1][:width], "little")
            for found in re.finditer(HEAP, self.content)
            for width in (2, 4, 8)
        ]
        return max((size for size in sizes if size <= len(self.content)), default=0)


def _layers(file: Any, content: memoryview | mmap.mmap) -> dict[str, Variables]:
    seen = _Seen(content)
    with file:
        root = _at(file, "model_weights") if "model_weights" in file else file
        if _attribute(root, "layer_names", seen):
            found = list(_named(root, seen))
        elif "layers" in root:
            found = list(_numbered(seen.once(_at(root, "layers")), 0, seen))
        else:
            raise ValueError("there are no layers in the file")
    if len(dict(found)) < len(found):
        raise ValueError("two layers have the same name")
    return dict(found)


def _named(root: Any, seen: _Seen) -> Iterator[tuple[str, Variables]]:
    """The old format: attributes list the layers, and the weights of each."""
    for layer in _attribute(root, "layer_names", seen):
        group = seen.once(_at(root, layer))
        names = _attribute(group, "weight_names", seen)
        inner = [tuple(n.split("/"))[-2:] for n in names]
        own = [(i[0] if len(i) > 1 else layer, i[-1].split(":")[0]) for i in inner]
        if len({leaf for _, leaf in own}) == len(own):
            own = [(layer, leaf) for _, leaf in own]
        elif len(set(own)) < len(own):  # else it is a model inside of the model
            raise ValueError(f"two weights of the layer `{layer}` have the same name")
        found: dict[str, Variables] = {}
        for (name, leaf), path in zip(own, names, strict=True):
            array = _array(_at(group, path), f"{layer}/{path}", seen)
            found.setdefault(name, []).append((leaf, array))
        yield from found.items()


def _numbered(group: Any, depth: int, seen: _Seen) -> Iterator[tuple[str, Variables]]:
    """The new format: each layer has a group ``vars`` with its name and numbered variables."""
    if depth > MAX_DEPTH:
        raise ValueError(f"groups are nested more than {MAX_DEPTH} levels deep")
    for name in group:
        inner = _at(group, name)
        if not isinstance(inner, h5py.Group):
            continue
        seen.once(inner)
        if name != "vars":
            yield from _numbered(inner, depth + 1, seen)
        elif len(inner):
            layer = _name(inner)
            if layer is None:
                message = (
                    f"{inner.name} has no layer name; load the file with a newer version of Keras "
                    "and save it again"
                )
                raise ValueError(message)
            if len(layer) > MAX_NAME:
                raise ValueError(f"{inner.name} has a name of more than {MAX_NAME:,} characters")
            variables = [
                (str(i), _array(_at(inner, str(i)), f"{layer}/{i}", seen))
                for i in range(len(inner))
            ]
            yield layer, variables


def _name(group: Any) -> str | None:
    """The attribute ``name``, if it is one text: a list could be far larger than the file."""
    if "name" not in group.attrs or group.attrs.get_id("name").shape != ():
        return None
    found = group.attrs["name"]
    return found if isinstance(found, str) else None


def _attribute(group: Any, name: str, seen: _Seen) -> list[str]:
    """A list of strings, which Keras may split into numbered attributes."""
    parts = [name] if name in group.attrs else []
    while parts[:1] != [name] and f"{name}{len(parts)}" in group.attrs:
        parts.append(f"{name}{len(parts)}")
    for part in parts:
        _short(group, part, seen)
    whole = [group.attrs[part] for part in parts]
    return [
        n.decode() if isinstance(n, bytes) else str(n) for values in whole for n in np.ravel(values)
    ]


def _short(group: Any, name: str, seen: _Seen) -> None:
    """Raise ``ValueError`` if the lists of texts so far can be far larger than the file.

    Texts of variable length may share their bytes.
    """
    attribute = group.attrs.get_id(name)
    text = h5py.check_string_dtype(attribute.dtype)
    if text is None or text.length is not None:
        return
    count = math.prod(attribute.shape or ())
    seen.texts -= count * seen.longest
    if seen.texts < 0:
        raise ValueError(
            f"`{name}` has {count:,} texts of up to {seen.longest:,} bytes, far more than are "
            "stored"
        )


def _at(group: Any, path: str) -> Any:
    """The object at ``path``; links to other files are rejected."""
    parts = [part for part in path.split("/", MAX_DEPTH + 2) if part]
    if len(parts) > MAX_DEPTH:
        raise ValueError(f"`{path[:40]}` is nested more than {MAX_DEPTH} levels deep")
    for part in parts:
        link = group.get(part, getlink=True)
        if link is not None and not isinstance(link, h5py.HardLink):
            raise ValueError(f"`{part[:40]}` is a link, and links are not followed")
        if link is None:
            raise KeyError(f"`{part[:40]}` is missing in {group.name}")
        group = group[part]
    return group


def _array(data: Any, name: str, seen: _Seen) -> Any:
    if not isinstance(data, h5py.Dataset):
        raise ValueError(f"`{name}` is not an array")
    seen.once(data)
    # HDF5 has no bfloat16: Keras writes two bytes of no type, and says so in an attribute
    half = data.dtype.kind == "V" and data.dtype.itemsize == 2
    half = half and data.attrs.get("dtype") == "bfloat16"
    if data.dtype.kind != "f" and not half:
        raise ValueError(f"`{name}` holds {data.dtype}, expected floating-point numbers")
    if data.external or data.is_virtual:
        raise ValueError(f"`{name}` is stored in another file, which is not opened")
    if data.id.get_create_plist().get_nfilters():  # a few bytes can hold billions
        raise ValueError(f"`{name}` is compressed, which Keras does not write")
    if data.nbytes > MAX_RATIO * data.id.get_storage_size():
        raise ValueError(f"`{name}` declares {data.nbytes:,} bytes, far more than are stored")
    seen.take(data.id.get_storage_size(), name)
    values = data[()]
    if half:
        return (values.view("<u2").astype("<u4") << 16).view("<f4")
    return values.astype(np.float32) if values.dtype.itemsize < 4 else values
