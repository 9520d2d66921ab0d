"""Targets that cannot be written: full disks, read-only folders, unknown suffixes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from refusals import Run, refused

from inception_dsl import plugins
from inception_dsl.ir.typed import TypedProgram


@pytest.mark.parametrize(
    ("target", "code", "expected"),
    [
        ("folder.safetensors", "E601", "it is a folder"),
        ("small.yaml/new.safetensors", "E601", "cannot be written"),
        ("new.h5", "E704", "must end in `.safetensors`"),
        ("new", "E704", "use new.safetensors"),
        ("-", "E704", "weights cannot be written to standard output"),
        (f"{'n' * 300}.safetensors", "E601", "File name too long"),
    ],
)
def test_a_target_that_cannot_be_written(
    run: Run, small: TypedProgram, tmp_path: Path, target: str, code: str, expected: str
) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    assert expected in refused(
        run, tmp_path, "convert", "small.yaml", "small.safetensors", target, code=code
    )
    assert expected in refused(run, tmp_path, "init", "small.yaml", "--out", target, code=code)


@pytest.mark.parametrize(
    ("target", "goal", "expected"),
    [
        ("new.weights", "keras", "does not have a file name suffix of Keras 3"),
        ("new.h5", "keras", "use .keras or .weights.h5"),
        ("new.pth", "torch", "use .safetensors"),
    ],
)
def test_an_unknown_suffix(
    run: Run, small: TypedProgram, tmp_path: Path, target: str, goal: str, expected: str
) -> None:
    said = refused(
        run,
        tmp_path,
        "convert",
        "small.yaml",
        "small.safetensors",
        target,
        "--to",
        goal,
        code="E704",
    )
    assert expected in said


@pytest.mark.parametrize(
    ("target", "goal"),
    [("new.safetensors", "torch"), ("new.keras", "keras"), ("new.weights.h5", "keras")],
)
def test_a_full_disk(
    run: Run,
    small: TypedProgram,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    goal: str,
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / target).write_bytes(b"old")
    monkeypatch.setattr(os, "replace", full)
    said = refused(
        run,
        tmp_path,
        "convert",
        "small.yaml",
        "small.safetensors",
        target,
        "--to",
        goal,
        code="E601",
    )
    assert "No space left on device" in said
    assert (tmp_path / target).read_bytes() == b"old"


@pytest.fixture
def closed(
    run: Run, small: TypedProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A read-only folder of another user; ``secret.safetensors`` in it cannot be read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in ("small.yaml", "small.safetensors"):
            (folder / file).write_bytes((tmp_path / file).read_bytes())
            (folder / file).chmod(0o644)
        (folder / "secret.safetensors").write_bytes(b"")
        (folder / "secret.safetensors").chmod(0)
        folder.chmod(0o555)
        for goal, suffix in (
            ("torch", ".safetensors"),
            ("keras", ".keras"),
        ):  # imports the packages, which the other user may not read
            file = f"{goal}{suffix}"
            assert (
                run(
                    "weights", "convert", "small.yaml", "small.safetensors", file, "--to", goal
                ).exit_code
                == 0
            )
        backends = plugins.installed()
        monkeypatch.setattr(plugins, "installed", lambda: backends)
        user = os.geteuid()
        if not user:
            os.seteuid(65534)  # root may write anywhere
        try:
            yield folder
        finally:
            os.seteuid(user)
            folder.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="modes of files")
@pytest.mark.parametrize(
    ("target", "goal"),
    [("n.safetensors", "neutral"), ("n.safetensors", "torch"), ("n.keras", "keras")],
)
def test_a_read_only_folder(
    run: Run, closed: Path, monkeypatch: pytest.MonkeyPatch, target: str, goal: str
) -> None:
    monkeypatch.chdir(closed)
    result = run("weights", "convert", "small.yaml", "small.safetensors", target, "--to", goal)
    assert result.exit_code == 1, result.output
    assert f"error[E601]: {target} cannot be written: Permission denied" in result.stderr
    assert sorted(p.name for p in closed.iterdir()) == [
        "secret.safetensors",
        "small.safetensors",
        "small.yaml",
    ]


@pytest.mark.skipif(os.name == "nt", reason="modes of files")
@pytest.mark.parametrize("origin", ["neutral", "torch"])
def test_an_unreadable_file(
    run: Run, closed: Path, monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    monkeypatch.chdir(closed)
    result = run("weights", "check", "small.yaml", "secret.safetensors", "--from", origin)
    assert result.exit_code == 1, result.output
    assert "error[E701]: secret.safetensors cannot be read: Permission denied" in result.stderr
