"""HDF5 files whose groups and data sets share what they hold: an error, quickly and in little
memory.
"""

from __future__ import annotations

import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from inception_dsl.diagnostics.report import Report
from inception_dsl.weights.hdf5 import _Seen, read_layers

DATA = np.arange(100_000, dtype=np.float32)


def vars_of(file: h5py.File, path: str, name: str) -> h5py.Group:
    group = file.create_group(f"{path}/vars")
    group.attrs["name"] = name
    return group


def doubled(file: h5py.File) -> None:
    """Two links to each group, 28 levels deep: 268 million layers."""
    group = file.create_group("layers")
    for _ in range(28):
        inner = group.create_group("a")
        group["b"] = inner
        group = inner
    vars_of(file, group.name, "deep")["0"] = np.ones(1, np.float32)


def circle(file: h5py.File) -> None:
    layers = file.create_group("layers")
    layers["a"] = layers["b"] = layers


def one_dataset(file: h5py.File) -> None:
    """3,000 variables of 0.4 MB in a file of 0.5 MB."""
    group = vars_of(file, "layers/a", "a")
    group["0"] = DATA
    for number in range(1, 3000):
        group[str(number)] = group["0"]


def one_group(file: h5py.File) -> None:
    """1,000 layers with the same 1,000 variables."""
    group = vars_of(file, "layers/a", "a")
    for number in range(1000):
        group[str(number)] = np.ones(1, np.float32)
    for number in range(1000):
        file.create_group(f"layers/l{number}")["vars"] = group


def long_names(file: h5py.File) -> None:
    vars_of(file, "layers/a", "x" * 60_000)["0"] = np.ones(1, np.float32)


def old(file: h5py.File, *layers: str) -> None:
    file.attrs["layer_names"] = np.array([layer.encode() for layer in layers])


def listed_again(file: h5py.File) -> None:
    old(file, *["a"] * 4000)
    group = file.create_group("a")
    group.attrs["weight_names"] = np.array([b"kernel:0"])
    group["kernel:0"] = DATA


def one_old_group(file: h5py.File) -> None:
    old(file, *(f"l{number}" for number in range(3000)))
    group = file.create_group("l0")
    group.attrs["weight_names"] = np.array([b"kernel:0"])
    group["kernel:0"] = DATA
    for number in range(1, 3000):
        file[f"l{number}"] = group


def one_old_dataset(file: h5py.File) -> None:
    old(file, *(f"l{number}" for number in range(3000)))
    file["l0/kernel:0"] = DATA
    for number in range(3000):
        group = file.require_group(f"l{number}")
        group.attrs["weight_names"] = np.array([b"kernel:0"])
        if number:
            group["kernel:0"] = file["l0/kernel:0"]


def long_paths(file: h5py.File) -> None:
    """Each name goes 10,000 times through a group that contains itself."""
    old(file, "a")
    group = file.create_group("a")
    group["a"] = group
    group.attrs["weight_names"] = np.array([b"a/" * 10_000 + b"w%d" % n for n in range(3)])


def many_texts(file: h5py.File) -> None:
    """Texts of variable length, which may share their bytes: each can be the long one."""
    file.attrs["layer_names"] = [f"l{number}" for number in range(3000)]
    file.create_dataset("text", data=["x" * 100_000])


def many_lists(file: h5py.File) -> None:
    """Lists that are each within the limit."""
    for part in range(6):
        file.attrs[f"layer_names{part}"] = [f"l{number}" for number in range(1000)]
    file.create_dataset("text", data=["x" * 60_000])


def name_list(file: h5py.File) -> None:
    """A list of texts in place of one."""
    group = vars_of(file, "layers/a", "a")
    group.attrs["name"] = ["x" * 1000] * 3
    group["0"] = DATA


def compressed(file: h5py.File) -> None:
    """A chunk may hold more than it declares."""
    vars_of(file, "layers/a", "a").create_dataset("0", data=DATA, compression="gzip")


FILES = {
    doubled: "linked more than once",
    circle: "linked more than once",
    one_dataset: "linked more than once",
    one_group: "linked more than once",
    long_names: "a name of more than 1,024 characters",
    listed_again: "linked more than once",
    one_old_group: "linked more than once",
    one_old_dataset: "linked more than once",
    long_paths: "nested more than 32 levels deep",
    many_texts: "3,000 texts of up to 100,032 bytes, far more than are stored",
    many_lists: "1,000 texts of up to 60,032 bytes, far more than are stored",
    name_list: "has no layer name",
    compressed: "`a/0` is compressed",
}


@pytest.mark.parametrize("make", FILES, ids=lambda make: make.__name__)
def test_shared_objects_are_rejected(make: Callable[[h5py.File], None], tmp_path: Path) -> None:
    path = tmp_path / "a.weights.h5"
    with h5py.File(path, "w") as file:
        make(file)
    assert FILES[make] in rejected(path)


def test_a_signature_inside_another_counts() -> None:
    """The bound of texts is that of the largest heap, whatever is in front of it."""
    heap = b"GCOL\1\0\0\0"
    content = memoryview(heap + heap + (5000).to_bytes(8, "little") + bytes(6000))
    assert _Seen(content).longest == 5000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])
def test_archives_that_hold_more_than_they_declare(method: int, tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("model.weights.h5", bytes(200_000_000))
    data = path.read_bytes()
    declared = (200_000_000).to_bytes(4, "little")
    path.write_bytes(data.replace(declared, (1000).to_bytes(4, "little")))
    assert "E701" in rejected(path)


def test_data_sets_with_the_same_bytes_are_rejected(tmp_path: Path) -> None:
    """500 data sets of 0.4 MB, each at the address of the first."""
    path = tmp_path / "a.weights.h5"
    with h5py.File(path, "w") as file:
        group = vars_of(file, "layers/a", "a")
        for number in range(500):
            group.create_dataset(str(number), data=DATA[: 1000 + number])
        places = [group[str(number)].id.get_offset() for number in range(500)]
    data = path.read_bytes()
    for place in places[:-1]:
        data = data.replace(place.to_bytes(8, "little"), places[-1].to_bytes(8, "little"))
    path.write_bytes(data[: len(data) // 2])
    assert "E701" in rejected(path)


def rejected(path: Path) -> str:
    """The error for a file, which takes a few seconds and megabytes."""
    report, start = Report(), time.monotonic()
    tracemalloc.start()
    try:
        assert read_layers(path, report) is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.monotonic() - start < 10
    assert peak < 50e6
    (found,) = report.diagnostics
    assert found.code == "E701"
    return f"{found.code}: {found.message}"
