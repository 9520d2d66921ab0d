"""Folders of training scripts of both frameworks: images, checkpoints, and who writes there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from script_here import Script
from scripts import CLASSES, NETWORK, digits

pytest.importorskip("torch")
pytest.importorskip("keras")


@pytest.fixture(scope="module", params=["torch"])
def script(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Script:
    return Script(request.param, tmp_path_factory.mktemp("spec"), NETWORK, {})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return digits(tmp_path / "digits.npz")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def options(script: Script, data: Path, out: Path) -> list[str]:
    workers = "0" if script.backend == "torch" else "1"
    return ["--data", str(data), "--out", str(out), "--workers", workers]


def drawn(root: Path, mode: str = "RGB") -> None:
    """Folders of classes, and hidden ones beside them."""
    for split in ("train", "val"):
        for number in range(CLASSES):
            folder = root / split / f"class {number}"
            folder.mkdir(parents=True)
            for image in range(10):
                Image.new(mode, (9, 9), 60 * number).save(folder / f"{image}.tif")
        (root / split / ".ipynb_checkpoints").mkdir()
    (root / "train" / ".git" / "objects").mkdir(parents=True)


def test_hidden_folders_are_no_classes(script: Script, tmp_path: Path) -> None:
    drawn(tmp_path)
    assert len(script.images(tmp_path)) == 10 * CLASSES
    assert set(map(int, script.images(tmp_path, "val").classes)) == set(range(CLASSES))


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_pixels_of_more_than_8_bits(mode: str, script: Script, tmp_path: Path) -> None:
    """Pillow makes 255 of all that is larger."""
    drawn(tmp_path, mode)
    images = script.images(tmp_path)
    with pytest.raises(script.error, match=r"0\.tif has pixels of 16 or 32 bits; it needs 8 bits"):
        images.image(0) if script.backend == "keras" else images[0, 0]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_other_kinds_of_pixels(mode: str, script: Script, tmp_path: Path) -> None:
    path = tmp_path / "image.tif"
    Image.new(mode, (5, 4)).save(path)
    assert script.module.decoded(path).shape == (4, 5, 3)


def test_files_of_arrays_have_any_case(script: Script, data: Path) -> None:
    assert len(script.images(data.rename(data.with_suffix(".NPZ")))) == 40


def test_a_folder_has_one_run(
    script: Script, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock ends with its process, however it ends."""
    out = tmp_path / "out"
    out.mkdir()
    held = (
        "import fcntl, os, sys; file = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR);"
        "fcntl.lockf(file, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
    )
    call = [sys.executable, "-c", held, str(out / "run.lock")]
    with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        line = script.run(monkeypatch, *options(script, data, out))
        assert line == f"error: another run writes to {out}"
        assert [path.name for path in out.iterdir()] == ["run.lock"]
        other.kill()
    assert script.run(monkeypatch, *options(script, data, out)) == 0


def test_a_run_locks_its_folder(script: Script, tmp_path: Path) -> None:
    """Another process finds the lock."""
    script.module.claim(tmp_path)
    found = (
        "import fcntl, os, sys; file = os.open(sys.argv[1], os.O_RDWR);"
        "fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)"
    )
    call = [sys.executable, "-c", found, str(tmp_path / "run.lock")]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert "BlockingIOError" in done.stderr


@pytest.fixture(scope="module")
def trained(script: Script, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The checkpoint of a run."""
    folder = tmp_path_factory.mktemp("trained")
    given = digits(folder / "digits.npz")
    with pytest.MonkeyPatch.context() as patch:
        assert script.run(patch, *options(script, given, folder / "out")) == 0
    with np.load(folder / "out" / "last.npz") as file:
        return dict(file)


def edited(arrays: dict[str, Any], **values: Any) -> dict[str, Any]:
    """A checkpoint with other values beside the arrays; ``None`` leaves one out."""
    found = dict(arrays)
    for key in ("run", "now"):
        if key in found:
            held = json.loads(str(found[key]))
            held.update((k, v) for k, v in values.items() if k in held)
            kept = {k: v for k, v in held.items() if v is not None}
            found[key] = np.array(json.dumps(kept))
    return found


@pytest.mark.parametrize(
    "values",
    [{"step": 2.5}, {"step": -1}, {"step": 1000}, {"step": "2"}, {"step": None}, {"log": -1}],
    ids=str,
)
def test_checkpoints_of_no_step(
    values: dict[str, Any], script: Script, trained: dict[str, Any], data: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    np.savez(tmp_path / "last.npz", **edited(trained, **values))
    line = str(script.run(monkeypatch, *options(script, data, tmp_path)))
    assert line.startswith(f"error: {tmp_path / 'last.npz'} cannot be read: ")
    assert "\n" not in line
    assert not (tmp_path / "log.csv").exists()


@pytest.mark.parametrize("lost", ["a weight", "a shape", "the run"])
def test_checkpoints_without_their_arrays(
    lost: str, script: Script, trained: dict[str, Any], data: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    arrays = dict(trained)
    name = "model/features.0.conv.weight" if script.backend == "torch" else "0"
    name = name if name in arrays else next(n for n in arrays if n.startswith("model/"))
    if lost == "a shape":
        arrays[name] = arrays[name][..., :1]
    else:
        del arrays["run" if lost == "the run" else name]
    np.savez(tmp_path / "last.npz", **arrays)
    line = str(script.run(monkeypatch, *options(script, data, tmp_path)))
    assert line.startswith(f"error: {tmp_path / 'last.npz'} ")
    assert "\n" not in line


def test_a_checkpoint_of_another_framework(
    script: Script, trained: dict[str, Any], data: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    np.savez(tmp_path / "last.npz", **edited(trained, framework="another"))
    line = script.run(monkeypatch, *options(script, data, tmp_path))
    path = tmp_path / "last.npz"
    assert line == f"error: {path} is of another run: framework another, not {script.backend}"


def test_an_interrupt_before_the_first_step(script: Script, data: Path, tmp_path: Path) -> None:
    """It has no traceback."""
    path, read = tmp_path / "train_small.py", "    args = arguments()\n"
    assert read in script.source
    stopped = "    os.kill(os.getpid(), signal.SIGINT)\n"
    path.write_text(script.source.replace(read, read + stopped))
    (tmp_path / "small.py").write_text("")
    call = [sys.executable, str(path), *options(script, data, tmp_path / "out")]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.stderr == "stopped before the first step\n"
    assert done.returncode == 1
