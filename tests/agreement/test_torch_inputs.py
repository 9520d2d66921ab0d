"""PyTorch scripts: checkpoints and folders that they cannot use, each named in one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from script_here import Script
from scripts import NETWORK, digits

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    return Script("torch", tmp_path_factory.mktemp("spec"), NETWORK, {})


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


def options(data: Path, out: Path) -> list[str]:
    return ["--data", str(data), "--out", str(out), "--workers", "0"]


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
        line = script.run(monkeypatch, *options(data, out))
        assert line == f"error: another run writes to {out}"
        assert [path.name for path in out.iterdir()] == ["run.lock"]
        other.kill()
    assert script.run(monkeypatch, *options(data, out)) == 0


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
        assert script.run(patch, *options(given, folder / "out")) == 0
    with np.load(folder / "out" / "last.npz") as file:
        return dict(file)


def edited(arrays: dict[str, Any], **values: Any) -> dict[str, Any]:
    """A checkpoint with other values beside the arrays; ``None`` leaves one out."""
    found = dict(arrays)
    held = json.loads(str(found["run"])) | values
    found["run"] = np.array(json.dumps({k: v for k, v in held.items() if v is not None}))
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
    line = str(script.run(monkeypatch, *options(data, tmp_path)))
    assert line.startswith(f"error: {tmp_path / 'last.npz'} cannot be read: ")
    assert "\n" not in line
    assert not (tmp_path / "log.csv").exists()


@pytest.mark.parametrize("lost", ["a weight", "a shape", "the run"])
def test_checkpoints_without_their_arrays(
    lost: str, script: Script, trained: dict[str, Any], data: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    arrays = dict(trained)
    name = next(n for n in arrays if n.startswith("model/"))
    if lost == "a shape":
        arrays[name] = arrays[name][..., :1]
    else:
        del arrays["run" if lost == "the run" else name]
    np.savez(tmp_path / "last.npz", **arrays)
    line = str(script.run(monkeypatch, *options(data, tmp_path)))
    assert line.startswith(f"error: {tmp_path / 'last.npz'} ")
    assert "\n" not in line


def test_a_checkpoint_of_another_script(
    script: Script, trained: dict[str, Any], data: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    line = f"error: {tmp_path / 'last.npz'} is of another script or framework"
    given = {"run": np.array("{}"), "now": np.array("{}"), "0": np.zeros(3)}  # as Keras's script
    for arrays in (given, {"weights": np.zeros(3)}):
        np.savez(tmp_path / "last.npz", **arrays)
        assert script.run(monkeypatch, *options(data, tmp_path)) == line


def test_values_that_are_not_finite(
    script: Script, trained: dict[str, Any], data: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    name = next(n for n in trained if n.startswith("average/"))
    np.savez(tmp_path / "last.npz", **{**trained, name: trained[name] * np.nan})
    line = script.run(monkeypatch, *options(data, tmp_path))
    assert line == f"error: {tmp_path / 'last.npz'} has values that are not finite"


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_during_imports(script: Script, tmp_path: Path) -> None:
    """No traceback: the process ends by the signal."""
    slow = "import time\nprint('imports', flush=True)\ntime.sleep(60)\n"
    text = script.source.replace("import numpy as np\n", slow, 1)
    (tmp_path / "train_small.py").write_text(text, encoding="utf-8")
    call = [sys.executable, str(tmp_path / "train_small.py")]
    with subprocess.Popen(call, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "imports\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == -signal.SIGINT
        assert process.stderr.read() == ""
