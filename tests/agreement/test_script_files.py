"""Training scripts of both frameworks: files of images that they cannot use, or read in part."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from script_here import Script
from scripts import CLASSES, IMAGES, NETWORK, digits

pytest.importorskip("torch")
pytest.importorskip("keras")
NO_NPZ = "it is no .npz file, as numpy.savez writes them"


@pytest.fixture(scope="module", params=["torch", "keras"])
def script(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Script:
    return Script(request.param, tmp_path_factory.mktemp("spec"), NETWORK, {})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return digits(tmp_path / "digits.npz")


def changed(data: Path, **arrays: Any) -> Path:
    """The same data with other arrays."""
    with np.load(data) as file:
        held = {**file, **arrays}
    np.savez(data, **held)
    return data


def test_labels_that_are_one_hot(script: Script, data: Path) -> None:
    line = script.refuses(changed(data, y_train=np.eye(CLASSES)[np.arange(IMAGES) % CLASSES]))
    found = f"y_train has the shape ({IMAGES}, {CLASSES})"
    assert line == f"{data}: {found}, not one class index for each image"
    line = script.refuses(changed(data, y_train=np.int64(3)))
    assert line == f"{data}: y_train has the shape (), not one class index for each image"
    column = np.arange(IMAGES)[:, None] % CLASSES
    assert len(script.images(changed(data, y_train=column))) == IMAGES


@pytest.mark.parametrize(
    ("label", "text"),
    [(True, "True"), (0.7, "0.7"), (-1, "-1"), ("a\nb" * 99, repr("a\nb" * 99)[:40])],
)
def test_the_first_label_that_is_no_class(
    label: Any, text: str, script: Script, data: Path
) -> None:
    line = script.refuses(changed(data, y_train=np.full(IMAGES, label)))
    assert line == f"{data}: y_train needs classes from 0 to {CLASSES - 1}, not {text}"


def test_a_split_without_images(script: Script, data: Path) -> None:
    none = {"x_test": np.zeros((0, 8, 8, 3), np.uint8), "y_test": np.zeros(0, np.int64)}
    line = script.refuses(changed(data, **none), "val")
    assert line == f"{data}: x_test is uint8 (0, 8, 8, 3), without images"


def test_files_that_are_not_npz(script: Script, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    path = (tmp_path / "x.npy").rename(tmp_path / "x.npz")
    assert script.refuses(path) == f"{path} cannot be read: {NO_NPZ}"
    path.write_text("x,y\n")
    assert script.refuses(path) == f"{path} cannot be read: {NO_NPZ}"


def test_the_end_of_the_name_does_not_matter(script: Script, data: Path, tmp_path: Path) -> None:
    for name in ("D.NPZ", "digits"):
        assert len(script.images(Path(shutil.copy(data, tmp_path / name)))) == IMAGES
    line = script.refuses(tmp_path / "none")
    assert line.startswith(f"{tmp_path / 'none'} cannot be read: No such file")


def saved(path: Path, pixels: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def test_hidden_folders_are_no_classes(script: Script, tmp_path: Path) -> None:
    for split in ("train", "val"):
        for name in (*"abcd", ".git", ".ipynb_checkpoints"):
            saved(tmp_path / split / name / "0.png", np.zeros((9, 9, 3), np.uint8))
        (tmp_path / split / "a" / ".DS_Store").write_bytes(b"")
    assert [int(n) for n in script.images(tmp_path, "val").classes] == [*range(CLASSES)]
    shutil.rmtree(tmp_path / "val" / ".git")
    assert len(script.images(tmp_path, "val")) == CLASSES


def test_gray_images_of_16_bits(script: Script, tmp_path: Path) -> None:
    """They have the upper 8 bits, as Pillow gives them for RGB; 32 bits have no known white."""
    gray = np.array([[0, 255, 256, 40000, 65535]], np.uint16)
    found = script.module.decoded(saved(tmp_path / "16.png", gray))
    assert found[0].tolist() == [[v] * 3 for v in (0, 0, 1, 156, 255)]
    for kind in (np.int32, np.float32):
        path = saved(tmp_path / f"{kind.__name__}.tiff", np.full((4, 4), 300, kind))
        with pytest.raises(script.error) as caught:
            script.module.decoded(path)
        assert str(caught.value) == f"{path} is no image: 32 bits of gray, whose white is not known"


def test_without_pillow(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script.module, "find_spec", lambda name: None)
    assert script.refuses(tmp_path) == "Pillow is not installed: pip install pillow"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_other_kinds_of_pixels(mode: str, script: Script, tmp_path: Path) -> None:
    path = tmp_path / "image.tif"
    Image.new(mode, (5, 4)).save(path)
    assert script.module.decoded(path).shape == (4, 5, 3)
