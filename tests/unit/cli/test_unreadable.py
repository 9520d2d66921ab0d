"""Specs, generated files and folders that the user may not read, or that are gone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from builds import SPEC
from click.testing import CliRunner

from inception_dsl import plugins
from inception_dsl.cli import main

pytestmark = pytest.mark.skipif(os.name == "nt", reason="modes of files")
CHECK = ("build", "specs", "--check")


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.output


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with ``specs/net.yaml``, built and checked once, that every user may read."""
    backends = plugins.installed()
    monkeypatch.setattr(plugins, "installed", lambda: backends)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        monkeypatch.chdir(folder)
        folder.chmod(0o755)
        (folder / "specs/deep").mkdir(parents=True)
        (folder / "specs/net.yaml").write_text(SPEC.format(name="net", n=4))
        (folder / "specs/deep/other.yaml").write_text(SPEC.format(name="other", n=4))
        assert run("build", "specs/net.yaml")[0] == 0
        assert run(*CHECK)[0] == 0
        yield folder
        monkeypatch.undo()


def closed(path: str, *arguments: str) -> str:
    """The output of a command, which fails, while a file or folder is closed to the user."""
    before, user = os.stat(path).st_mode, os.geteuid()
    os.chmod(path, 0)
    if not user:
        os.seteuid(65534)  # root may read anything
    try:
        code, output = run(*arguments)
    finally:
        os.seteuid(user)
        os.chmod(path, before)
    assert code == 1, output
    return output


@pytest.mark.parametrize("path", ["generated", "generated/torch", "generated/torch/net.py"])
def test_generated_files(path: str, built: Path) -> None:
    for spec in ("specs", "specs/net.yaml"):
        output = closed(path, "build", spec, "--check")
        assert "error[E602]: generated/torch/net.py cannot be read: Permission denied" in output
        assert "+++ generated/torch/net.py\n(the file cannot be read: Permission den" in output
        assert "missing" not in output
        assert ("generated/keras/net.py" in output) == (path == "generated")


@pytest.mark.parametrize("path", ["specs/net.yaml", "specs/deep", "specs"])
def test_specs(path: str, built: Path) -> None:
    problem = f"error[E101]: {path} cannot be read: Permission denied"
    for command in (["check", "specs"], ["check", "specs", "--only-specs"], CHECK):
        output = closed(path, *command)
        assert problem in output
        assert "no spec" not in output
    named = "specs/deep/other.yaml" if path == "specs/deep" else "specs/net.yaml"
    for command in (["check"], ["check", "--only-specs"], ["build"], ["summary"]):
        output = closed(path, *command, named)
        assert f"error[E101]: {named} cannot be read: Permission denied" in output


def test_weights_in_a_closed_folder(built: Path) -> None:
    (built / "specs/deep/w.safetensors").write_bytes(b"")
    output = closed("specs/deep", "weights", "check", "specs/net.yaml", "specs/deep/w.safetensors")
    assert "error[E701]: specs/deep/w.safetensors cannot be read: Permission denied" in output


def test_a_current_folder_that_was_deleted(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    for arguments in (
        ["list"],
        ["check", "specs"],
        ["build", "v4"],
        ["check", "v4", "--root", "."],
    ):
        gone.mkdir()
        code = f"import os; os.rmdir({str(gone)!r}); from inception_dsl.__main__ import run; run()"
        command = [sys.executable, "-c", code, *arguments]
        result = subprocess.run(command, cwd=gone, capture_output=True, text=True)
        assert result.returncode == 1
        assert result.stderr == (
            "error: the current folder does not exist any more\n"
            "  = help: change to another folder\n"
        )
