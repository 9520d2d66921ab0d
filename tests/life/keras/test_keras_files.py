"""Weight files of Keras: atomic writes, reading by name, complete errors for invalid files."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from inception_dsl_keras.runner import SUFFIXES
from keras_specs import EVERYTHING, SMALL

Make = Callable[[str], Any]
TWINS = """\
network: twins
input: {channels: 3, height: 5, width: 5}
body:
  - {op: conv, name: alpha, filters: 3, kernel_size: 3}
  - {op: conv_bn, name: beta, filters: 3, kernel_size: 3}
  - {op: conv, name: gamma, filters: 3, kernel_size: 3}
"""


def same(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    return found.keys() == expected.keys() and all(
        np.array_equal(found[k], v) for k, v in expected.items()
    )


@contextmanager
def edited(path: Path, copy: Path) -> Iterator[h5py.File]:
    """A copy of the HDF5 file, open for changes."""
    shutil.copy(path, copy)
    with h5py.File(copy, "r+") as file:
        yield file


def group(file: h5py.File, layer: str) -> h5py.Group:
    """The variables of a layer, by its name."""
    (found,) = [entry for entry in file["layers"].values() if entry["vars"].attrs["name"] == layer]
    return found["vars"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("spec", [EVERYTHING, "v0"], ids=["everything", "v0"])
def test_restored_weights_equal_saved_ones(
    spec: str, suffix: str, model_of: Make, tmp_path: Path
) -> None:
    model = model_of(spec)
    weights = model.weights()
    model.save(tmp_path / f"model{suffix}")
    assert [p.name for p in tmp_path.iterdir() if p.name != "spec.yaml"] == [f"model{suffix}"]
    model.load({path: np.zeros_like(value) for path, value in weights.items()})
    model.restore(tmp_path / f"model{suffix}")
    assert same(model.weights(), weights)


def test_keras_loads_saved_files_and_its_files_are_restored(
    model_of: Make, module_of: Make, tmp_path: Path
) -> None:
    model = model_of(SMALL)
    weights = model.weights()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    assert again.get_layer("head_1").rate == 0.1, (
        "the saved dropout rate must be that of the spec, not that of the comparison"
    )
    again.compile("adam", loss="mse")
    again.save(tmp_path / "trained.keras")
    again.save_weights(tmp_path / "trained.weights.h5")
    for name in ("trained.keras", "trained.weights.h5"):
        model.load({path: np.zeros_like(value) for path, value in weights.items()})
        model.restore(tmp_path / name)
        assert same(model.weights(), weights)
    plain = module_of(SMALL).small(aux_logits=True)
    model.save(tmp_path / "model.weights.h5")
    plain.load_weights(tmp_path / "model.weights.h5")
    assert all(
        np.array_equal(a, b)
        for a, b in zip(plain.get_weights(), model.model.get_weights(), strict=True)
    )


def test_weights_are_found_by_layer_name_not_by_order(model_of: Make, tmp_path: Path) -> None:
    model = model_of(TWINS)
    weights = model.weights()
    model.save(tmp_path / "model.weights.h5")
    with edited(tmp_path / "model.weights.h5", tmp_path / "swapped.weights.h5") as file:
        alpha, gamma = group(file, "alpha"), group(file, "gamma")
        alpha.attrs["name"], gamma.attrs["name"] = "gamma", "alpha"
    model.restore(tmp_path / "swapped.weights.h5")
    found = model.weights()
    for name in ("kernel", "bias"):
        assert np.array_equal(found[f"alpha/{name}"], weights[f"gamma/{name}"])
        assert np.array_equal(found[f"gamma/{name}"], weights[f"alpha/{name}"])
    with edited(tmp_path / "model.weights.h5", tmp_path / "moved.weights.h5") as file:
        for before, after in (("conv2d", "kept"), ("conv2d_2", "conv2d"), ("kept", "conv2d_2")):
            file.move(f"layers/{before}", f"layers/{after}")
    model.restore(tmp_path / "moved.weights.h5")
    assert same(model.weights(), weights)


def test_a_single_layer_may_have_another_name(model_of: Make, tmp_path: Path) -> None:
    """A new classifier in Keras has its own name; two of them are not told apart."""
    model = model_of(TWINS)
    weights = model.weights()
    model.save(tmp_path / "model.weights.h5")
    with edited(tmp_path / "model.weights.h5", tmp_path / "one.weights.h5") as file:
        group(file, "gamma").attrs["name"] = "my_head"
    model.load({path: value + 1 for path, value in weights.items()})
    model.restore(tmp_path / "one.weights.h5")
    assert same(model.weights(), weights)
    with edited(tmp_path / "one.weights.h5", tmp_path / "two.weights.h5") as file:
        group(file, "alpha").attrs["name"] = "my_other_head"
    with pytest.raises(ValueError, match="missing alpha/bias"):
        model.restore(tmp_path / "two.weights.h5")


def test_one_error_lists_all_problems_and_keeps_the_weights(model_of: Make, tmp_path: Path) -> None:
    model = model_of(TWINS)
    weights = model.weights()
    model.save(tmp_path / "model.weights.h5")
    with edited(tmp_path / "model.weights.h5", tmp_path / "wrong.weights.h5") as file:
        del group(file, "alpha")["1"]
        group(file, "gamma")["0"][0, 0, 0, 0] = np.nan
        group(file, "gamma").attrs["name"] = "delta"
        group(file, "beta_conv")["0"][0, 0, 0, 0] = np.inf
        normal = group(file, "beta_bn")
        del normal["0"], normal["2"], normal["3"]
        normal["0"], normal["2"], normal["3"] = (
            np.ones(4, "float32"),
            np.ones(3, "int32"),
            np.full(3, 1e300),
        )
    with pytest.raises(ValueError) as caught:
        model.restore(tmp_path / "wrong.weights.h5")
    message = str(caught.value)
    for text in (
        "missing alpha/bias",
        "missing gamma/kernel",
        "missing gamma/bias",
        "unknown delta/0",
        "unknown delta/1",
        "beta/conv/kernel has inf at [0, 0, 0, 0], which is not finite",
        "beta/bn/gamma has shape (4,), expected (3,)",
        "beta/bn/moving_mean has type int32, expected a float type",
        "beta/bn/moving_variance has 1e+300 at [0], too large for float32",
    ):
        assert text in message
    assert message.count(";") == 8
    assert same(model.weights(), weights)


def test_error_names_the_missing_weights_of_heads(
    model_of: Make, module_of: Make, tmp_path: Path
) -> None:
    module_of(SMALL).small().save_weights(tmp_path / "plain.weights.h5")
    with pytest.raises(
        ValueError, match=r"plain.weights.h5: missing side/1/bias; missing side/1/kernel$"
    ):
        model_of(SMALL).restore(tmp_path / "plain.weights.h5")


def test_links_to_data_outside_of_the_file_are_rejected(model_of: Make, tmp_path: Path) -> None:
    model = model_of(TWINS)
    path = tmp_path / "model.weights.h5"
    model.save(path)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["bias"] = np.zeros(3, "float32")
    (tmp_path / "raw").write_bytes(bytes(12))
    layout = h5py.VirtualLayout((3,), "float32")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "bias", (3,))

    def soft(own: h5py.Group) -> None:
        own["1"] = h5py.SoftLink(f"{own.parent.name}/vars/0")

    def linked(own: h5py.Group) -> None:
        own["1"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "bias")

    def stored(own: h5py.Group) -> None:
        own.create_dataset("1", (3,), "float32", external=[(str(tmp_path / "raw"), 0, 12)])

    def virtual(own: h5py.Group) -> None:
        own.create_virtual_dataset("1", layout)

    for number, change in enumerate((soft, linked, stored, virtual)):
        with edited(path, tmp_path / f"{number}.weights.h5") as file:
            own = group(file, "alpha")
            del own["1"]
            change(own)
        with pytest.raises(ValueError, match="layers/conv2d/vars/1 is not stored in this file"):
            model.restore(tmp_path / f"{number}.weights.h5")


def test_invalid_structure_is_rejected(model_of: Make, tmp_path: Path) -> None:
    model = model_of(TWINS)
    path = tmp_path / "model.weights.h5"
    model.save(path)

    def unnamed(file: h5py.File) -> None:
        del group(file, "alpha").attrs["name"]

    def twice(file: h5py.File) -> None:
        group(file, "alpha").attrs["name"] = "gamma"

    def nested(file: h5py.File) -> None:
        file.create_group("layers/conv2d/layers")

    def empty(file: h5py.File) -> None:
        del file["layers"]

    messages = {
        unnamed: "layers/conv2d has no layer name",
        twice: "duplicate variable gamma/0; duplicate variable gamma/1",
        nested: "layers/conv2d is not a layer with its own variables",
        empty: "no group `layers`: not written by Keras 3",
    }
    for change, text in messages.items():
        with edited(path, tmp_path / "odd.weights.h5") as file:
            change(file)
        with pytest.raises(ValueError, match=text):
            model.restore(tmp_path / "odd.weights.h5")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_files_are_rejected(suffix: str, model_of: Make, tmp_path: Path) -> None:
    model = model_of(TWINS)
    weights = model.weights()
    whole, path = tmp_path / f"whole{suffix}", tmp_path / f"model{suffix}"
    model.save(whole)
    content = whole.read_bytes()
    parts = [content[: len(content) * n // 10] for n in range(10)]
    start = content.index(b"\x89HDF")
    for broken in (
        *parts,
        b"no such format" * 99,
        content[:start] + bytes(900) + content[start + 900 :],
    ):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="not a Keras 3 weight file, or damaged"):
            model.restore(path)
    assert same(model.weights(), weights)
    with pytest.raises(FileNotFoundError):
        model.restore(tmp_path / f"none{suffix}")


def test_compressed_or_empty_archive_is_rejected(model_of: Make, tmp_path: Path) -> None:
    model = model_of(TWINS)
    model.save(tmp_path / "model.weights.h5")
    with zipfile.ZipFile(tmp_path / "small.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "model.weights.h5", "model.weights.h5")
    with pytest.raises(
        ValueError, match=r"model.weights.h5 is compressed, expected uncompressed data"
    ):
        model.restore(tmp_path / "small.keras")
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ValueError, match="not a Keras 3 weight file"):
        model.restore(tmp_path / "empty.keras")


def test_failed_write_keeps_the_old_file(
    model_of: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(SMALL)
    path = tmp_path / "model.weights.h5"
    path.write_text("old")

    def fail(target: Path) -> None:
        Path(target).write_text("half")
        raise OSError("no space left on device")

    monkeypatch.setattr(model.model, "save_weights", fail)
    with pytest.raises(OSError, match="no space left"):
        model.save(path)
    assert path.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.weights.h5", "spec.yaml"]
    with pytest.raises(
        ValueError, match=r"expected a file name that ends in .keras or .weights.h5"
    ):
        model.save(tmp_path / "model.h5")
