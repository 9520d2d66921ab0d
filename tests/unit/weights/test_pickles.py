"""Pickles are never opened, whatever the name of the file."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from refusals import Run, refused

from inception_dsl.ir.typed import TypedProgram


class Trap:
    """Writes a file when it is unpickled."""

    def __reduce__(self) -> Any:
        return open, ("opened", "w")


def archive(members: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return held.getvalue()


def array(value: Any) -> bytes:
    held = io.BytesIO()
    np.save(held, value, allow_pickle=True)
    return held.getvalue()


TRAP = pickle.dumps(Trap())
PICKLES: dict[str, bytes] = {
    "model.pth": archive({"archive/data.pkl": TRAP}),
    "model.pt": TRAP,
    "old.pt": pickle.dumps(Trap(), protocol=0),
    "model.bin": archive({"archive/data.pkl": TRAP}),
    "model.pkl": pickle.dumps(Trap(), protocol=5),
    "disguised.safetensors": TRAP,
    "archive.safetensors": archive({"archive/data.pkl": TRAP}),
    "model.npz": archive({"a.npy": array(np.array([Trap()], object))}),
    "model.npy": array(np.array([Trap()], object)),
}


@pytest.mark.parametrize("origin", ["neutral", "torch", "keras"])
@pytest.mark.parametrize("name", PICKLES)
def test_no_pickle_is_opened(
    run: Run, small: TypedProgram, tmp_path: Path, name: str, origin: str
) -> None:
    (tmp_path / name).write_bytes(PICKLES[name])
    code = "E702" if origin == "torch" and name.endswith(".safetensors") else "E701"
    said = refused(
        run, tmp_path, "convert", "small.yaml", name, "new.safetensors", "--from", origin, code=code
    )
    assert "help: opening a pickle can run any code" in said
    assert "save_file" in said
    assert not (tmp_path / "opened").exists()


def test_unpickling_the_trap_writes_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pickle.loads(TRAP).close()
    assert (tmp_path / "opened").exists()
