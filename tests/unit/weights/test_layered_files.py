"""Published Keras files: numbered layers in all formats, links, corrupted files, bombs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from published_files import (
    Run,
    layered,
    typed_program,
    write_new,
    write_old,
)

from inception_dsl.diagnostics.report import Report
from inception_dsl.reference.seeds import seeded
from inception_dsl.weights.layouts import places
from inception_dsl.weights.published import read


@pytest.mark.parametrize("first", [0, 1, 9])
def test_numbered_layers_in_all_formats(published_spec: Path, tmp_path: Path, first: int) -> None:
    typed = typed_program(published_spec)
    assert (
        places(typed, "keras-applications", "layers")["tower/1/conv/kernel"].key
        == "conv2d_2/kernel"
    )
    found = layered(published_spec, first)
    write_old(tmp_path / "a.h5", found)
    write_old(tmp_path / "b.h5", found, suffix="", chunks=True)
    write_new(tmp_path / "c.weights.h5", found)
    inner = io.BytesIO()
    write_new(inner, found)
    with zipfile.ZipFile(tmp_path / "d.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", inner.getvalue())
    wanted = {p: a.astype(np.float32) for p, a in seeded(typed).items()}
    for name in ("a.h5", "b.h5", "c.weights.h5", "d.keras"):
        report = Report()
        read_back = read(tmp_path / name, typed, "keras-applications", report)
        assert read_back is not None, report.render()
        assert {p: a.tobytes() for p, a in read_back.weights.items()} == {
            p: a.tobytes() for p, a in wanted.items()
        }, name


def test_bfloat16(published_spec: Path, tmp_path: Path) -> None:
    """HDF5 has no such type: Keras writes two bytes and says so in an attribute."""
    typed, path = typed_program(published_spec), tmp_path / "a.weights.h5"
    write_new(path, layered(published_spec))

    def shorten(name: str, found: Any) -> None:
        if isinstance(found, h5py.Dataset) and name.startswith("layers"):
            upper = (found[()].astype("<f4").view("<u4") >> 16).astype("<u2")
            del file[name]
            file[name] = upper.view("V2")
            file[name].attrs["dtype"] = "bfloat16"

    with h5py.File(path, "a") as file:
        names: list[str] = []
        file.visit(names.append)
        for name in names:
            shorten(name, file[name])
    report = Report()
    found = read(path, typed, "keras-applications", report)
    assert found is not None, report.render()
    for name, array in seeded(typed).items():
        upper = array.astype("<f4").view("<u4") & np.uint32(0xFFFF0000)
        np.testing.assert_array_equal(found.weights[name], upper.view("<f4"), err_msg=name)


def test_another_number_of_layers(published_spec: Path, tmp_path: Path, imported: Run) -> None:
    found = layered(published_spec)
    found["conv2d_9"] = {"kernel": np.zeros((1, 1, 5, 5), np.float32)}
    write_old(tmp_path / "a.h5", found)
    assert (
        "4 layers are named `conv2d_NUMBER`, expected 3"
        in imported(tmp_path / "a.h5", "keras-applications").stderr
    )


Change = Callable[[Any], None]


def linked(link: Any) -> Change:
    """Replaces a layer by a link."""

    def change(file: Any) -> None:
        del file["predictions"]
        file["predictions"] = link

    return change


def replaced(make: Change) -> Change:
    """Replaces the array of a bias by the result of ``make``."""

    def change(file: Any) -> None:
        del file["predictions/predictions/bias:0"]
        make(file["predictions/predictions"])

    return change


def test_data_outside_of_the_file_is_rejected(
    published_spec: Path, tmp_path: Path, imported: Run
) -> None:
    found = layered(published_spec)
    write_old(tmp_path / "other.h5", found)
    (tmp_path / "raw").write_bytes(bytes(16))
    raw, layout = [(str(tmp_path / "raw"), 0, 16)], h5py.VirtualLayout((4,), "f4")
    text = np.array([b"a"] * 4)
    for number, (expected, change) in enumerate(
        [
            ("links are not followed", linked(h5py.ExternalLink("other.h5", "/predictions"))),
            ("links are not followed", linked(h5py.SoftLink("/depthwise"))),
            (
                "in another file",
                replaced(lambda g: g.create_dataset("bias:0", (4,), "f4", external=raw)),
            ),
            ("in another file", replaced(lambda g: g.create_virtual_dataset("bias:0", layout))),
            (
                "far more than are stored",
                replaced(lambda g: g.create_dataset("bias:0", (1 << 40,), "f4", chunks=(1024,))),
            ),
            (
                "holds |S1, expected floating-point numbers",
                replaced(lambda g: g.create_dataset("bias:0", data=text)),
            ),
            ("`bias:0` is missing", replaced(lambda g: None)),
        ]
    ):
        path = tmp_path / f"{number}.h5"
        write_old(path, found)
        with h5py.File(path, "a") as file:
            change(file)
        said = imported(path, "keras-applications").stderr
        assert "error[E701]" in said
        assert expected in said


def test_corrupted_files(published_spec: Path, tmp_path: Path, imported: Run) -> None:
    def said(name: str) -> str:
        return str(imported(tmp_path / name, "keras-applications").stderr)

    found = layered(published_spec)
    write_old(tmp_path / "whole.h5", found)
    write_new(tmp_path / "nameless.weights.h5", found, named=False)
    assert "newer version of Keras" in said("nameless.weights.h5")
    whole = (tmp_path / "whole.h5").read_bytes()
    for size in (0, 4, 100, len(whole) // 2):
        (tmp_path / "cut.h5").write_bytes(whole[:size])
        assert "E701" in said("cut.h5")
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(10_000_000))
    assert "far more than are stored" in said("bomb.keras")
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    assert "E701" in said("empty.keras")
    with h5py.File(tmp_path / "none.h5", "w"):
        pass
    assert "there are no layers" in said("none.h5")
