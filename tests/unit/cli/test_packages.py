"""Commands whose packages are not installed name the extra and the command that installs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
WITHOUT = """\
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {packages!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Without())
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a command in a Python without some packages, in its processes too."""

    def run(packages: str, *words: str) -> subprocess.CompletedProcess[str]:
        text = WITHOUT.format(packages=packages.split())
        (tmp_path / "sitecustomize.py").write_text(text, encoding="utf-8")
        paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
        return subprocess.run(
            [sys.executable, "-m", "inception_dsl", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize(
    ("packages", "words", "extra"),
    [
        ("numpy", "verify v0", "keras,torch"),
        ("numpy", "verify v0 --backend torch", "torch"),
        ("numpy", "verify v0 --backend keras:jax", "keras"),
        ("numpy", "verify v0 --backend svg", "weights"),
        ("numpy safetensors", "weights init v0", "weights"),
        ("numpy safetensors", "weights inspect x", "weights"),
        ("numpy safetensors", "weights check v0 x", "weights"),
        ("numpy safetensors", "weights convert v0 x y", "weights"),
        ("h5py numpy safetensors", "weights import v4 x --from timm", "weights"),
        ("pygls", "lsp", "lsp"),
        ("pygments starlette uvicorn", "serve v0", "serve"),
    ],
)
def test_one_error_names_the_extra(run: Run, packages: str, words: str, extra: str) -> None:
    done = run(packages, *words.split())
    assert done.returncode == 1
    assert done.stderr.count("error[E705]: cannot import the package") == 1
    assert all(f"`{package}`" in done.stderr for package in packages.split())
    assert f"  = help: pip install 'inception-dsl[{extra}]'\n" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("package", "backend", "help"),
    [
        ("torch", "torch", "pip install 'inception-dsl[torch]'"),
        ("tensorflow", "keras", "pip install 'inception-dsl[keras]'"),
        ("jax", "keras:jax", "pip install jax"),
    ],
)
def test_verify_says_how_to_install_a_framework(
    run: Run, package: str, backend: str, help: str
) -> None:
    done = run(package, "verify", "v0", "--backend", backend)
    assert done.returncode == 1
    assert f"missing: ModuleNotFoundError: No module named '{package}'; {help}\n" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
