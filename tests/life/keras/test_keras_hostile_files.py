"""Weight files in bfloat16, and files whose groups and data sets share what they hold."""

from __future__ import annotations

import shutil
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

Make = Callable[[str], Any]
SPEC = """\
network: halves
input: {channels: 3, height: 6, width: 6}
body: [{op: conv_bn, name: stem, filters: 4, kernel_size: 3}]
head: [{op: flatten}, {op: dense, name: classifier, units: 5}]
"""


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_files_in_half_precision(
    dtype: str, suffix: str, model_of: Make, module_of: Make, tmp_path: Path
) -> None:
    """A model that Keras keeps and saves in 16 bits: its values, without loss."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    keras.config.set_floatx(dtype)
    try:
        half = module_of(SPEC).halves()
        values = {v.path: np.asarray(keras.ops.cast(v, "float32")) for v in half.variables}
        path = tmp_path / f"half{suffix}"
        (half.save if suffix == ".keras" else half.save_weights)(path)
    finally:
        keras.config.set_dtype_policy(before)
        keras.config.set_floatx("float32")
    with opened(path) as file:
        kinds = {file[f"layers/{layer}/vars/0"].dtype for layer in ("conv2d", "dense")}
    assert kinds == {np.dtype("V2") if dtype == "bfloat16" else np.dtype("f2")}
    model = model_of(SPEC)
    model.restore(path)
    own = {v.path: np.asarray(v) for v in model.model.variables}
    assert own.keys() == values.keys()
    for name, value in values.items():
        np.testing.assert_array_equal(own[name], value, err_msg=name)
    assert np.abs(values["classifier/kernel"]).max() > 0.1


def opened(path: Path) -> h5py.File:
    if path.suffix == ".h5":
        return h5py.File(path)
    with zipfile.ZipFile(path) as archive:
        return h5py.File(archive.extract("model.weights.h5", path.parent / "inner"))


@pytest.mark.parametrize("said", ["float16", None, 7, np.zeros(3)])
def test_two_bytes_of_no_type_are_not_bfloat16(
    said: object, model_of: Make, tmp_path: Path
) -> None:
    model = model_of(SPEC)
    path = tmp_path / "a.weights.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        own = file["layers/dense/vars"]
        del own["1"]
        own["1"] = np.zeros(5, "V2")
        if said is not None:
            own["1"].attrs["dtype"] = said
    with pytest.raises(ValueError, match=r"classifier/bias has type \|V2"):
        model.restore(path)


def shared_group(layers: h5py.Group) -> None:
    """2,000 layers with the same 2,000 variables, in a file of some hundred kilobytes."""
    own = layers["dense/vars"]
    for number in range(2, 2000):
        own[str(number)] = np.ones(1, np.float32)
    for number in range(2000):
        layers.create_group(f"l{number}")["vars"] = own


def shared_layers(layers: h5py.Group) -> None:
    for number in range(2000):
        layers[f"l{number}"] = layers["dense"]


def shared_dataset(layers: h5py.Group) -> None:
    own = layers["dense/vars"]
    own["2"] = np.zeros(100_000, np.float32)
    for number in range(3, 5000):
        own[str(number)] = own["2"]


def shared_weights(layers: h5py.Group) -> None:
    """A bias in place of another of the same shape."""
    del layers["conv2d/vars"]["0"]
    layers["conv2d/vars"]["0"] = layers["dense/vars/0"]


def circle(layers: h5py.Group) -> None:
    layers["dense/vars"]["2"] = layers


def compressed(layers: h5py.Group) -> None:
    """A chunk may hold more than it declares."""
    own = layers["dense/vars"]
    kernel = own["0"][()]
    del own["0"]
    own.create_dataset("0", data=kernel, compression="gzip")


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
@pytest.mark.parametrize(
    "change", [shared_group, shared_layers, shared_dataset, shared_weights, circle, compressed]
)
def test_shared_objects_are_rejected(
    change: Callable[[h5py.Group], Any], suffix: str, model_of: Make, tmp_path: Path
) -> None:
    model = model_of(SPEC)
    plain, path = tmp_path / "plain.weights.h5", tmp_path / f"shared{suffix}"
    model.save(plain)
    with h5py.File(plain, "r+") as file:
        change(file["layers"])
    if suffix == ".keras":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(plain, "model.weights.h5")
    else:
        shutil.copy(plain, path)
    weights, start = model.weights(), time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(
            ValueError, match=r"linked more than once|not stored in this file|compressed"
        ):
            model.restore(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.monotonic() - start < 10
    assert peak < 50e6
    for name, value in model.weights().items():
        np.testing.assert_array_equal(value, weights[name])
