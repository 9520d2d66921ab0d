"""The suite that backends inherit, and `verify`, on backends that are installed by pip: one that
only prints, one that is right, one that is wrong, and some that cannot be run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A Python command with the text backend and the wrong ones installed."""
    folder = tmp_path_factory.mktemp("backends")
    options = [
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--disable-pip-version-check",
        "--no-index",
    ]
    for name in ("text_backend", "wrong_backend"):
        source = shutil.copytree(HERE / name, folder / name)
        call = [
            sys.executable,
            "-m",
            "pip",
            "install",
            *options,
            "--target",
            str(folder / "site"),
            str(source),
        ]
        subprocess.run(call, check=True)
    path = os.pathsep.join([str(folder / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        call = [sys.executable, "-m", *arguments]
        environment = {**os.environ, "PYTHONPATH": path}
        return subprocess.run(
            call, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

    return command


def suite(run: Run, folder: Path, text: str) -> tuple[dict[str, int], str]:
    """How many tests of a conformance class ended how, and what was printed."""
    file = folder / "test_it.py"
    file.write_text(text)
    done = run(
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-o",
        "addopts=",
        "--rootdir",
        str(folder),
        str(file),
    )
    found = re.findall(r"(\d+) (passed|failed|skipped|xfailed|error)", done.stdout.splitlines()[-1])
    return {what: int(count) for count, what in found}, done.stdout


def test_a_backend_that_only_prints(run: Run, tmp_path: Path) -> None:
    counts, output = suite(
        run,
        tmp_path,
        "from inception_dsl.testing.conformance import Prints\n"
        "class TestText(Prints):\n"
        "    backend = 'text'\n"
        f"    specs = [{str(ROOT / 'specs/v1.yaml')!r}, {str(ROOT / 'specs/v4.yaml')!r}]\n",
    )
    assert counts.keys() == {"passed"}, output
    assert counts["passed"] > 400


AGREES = (
    "from inception_dsl.testing.conformance import Agrees\n"
    "class TestIt(Agrees):\n"
    "    backend = {backend!r}\n"
    "    specs = [{spec!r}]\n"
    "    inputs = {{'inception_resnet_v1': '79x87x3', 'v4': '75x91x3'}}\n"
)


def test_a_backend_that_is_right(run: Run, tmp_path: Path) -> None:
    text = AGREES.format(backend="right", spec=str(ROOT / "specs" / "inception_resnet_v1.yaml"))
    counts, output = suite(run, tmp_path, text)
    assert counts.keys() == {"passed"}, output


def test_a_backend_that_is_wrong(run: Run, tmp_path: Path) -> None:
    spec = ROOT / "specs" / "v4.yaml"
    line = next(
        i for i, text in enumerate(spec.read_text().splitlines(), 1) if "use: inception_a" in text
    )
    counts, output = suite(run, tmp_path, AGREES.format(backend="wrong", spec=str(spec)))
    assert "outputs differ at inception_a/0" in output
    assert f"v4.yaml:{line}:5 (use of inception_a)" in output
    failed = re.findall(r"^FAILED .*test_every_op_agrees\[(.*)\](?: |$)", output, re.MULTILINE)
    assert failed
    assert all("avg" in name or "pool" in name or "fork" in name for name in failed), failed
    assert counts["passed"] > counts["failed"]


def test_verify_names_the_block_and_the_line(run: Run) -> None:
    call = (
        "inception_dsl",
        "verify",
        "specs/v4.yaml",
        "--input",
        "75x91x3",
        "--backend",
        "right",
        "--backend",
        "wrong",
    )
    done = run(*call)
    assert done.returncode == 1
    assert "wrong float64 differs: outputs differ at inception_a/0" in done.stdout
    assert re.search(r"--> specs/v4.yaml:\d+:5 \(use of inception_a\)", done.stdout)
    (found,) = json.loads(run(*call, "--json").stdout)
    right, wrong = found["outcomes"]
    assert (right["status"], wrong["status"]) == ("agrees", "differs")
    (differs,) = [check for check in wrong["checks"] if check["problem"]]
    assert differs["kind"] == "outputs"
    assert differs["error"] > 1e-3
    assert differs["place"]["file"] == "specs/v4.yaml"


def test_a_framework_that_cannot_be_run_is_a_result(run: Run) -> None:
    names = [
        part
        for name in ("aborts", "absent", "hangs", "text", "right")
        for part in ("--backend", name)
    ]
    done = run("inception_dsl", "verify", "specs/v0.yaml", "--timeout", "5", *names)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "aborts float64 failed: terminated by signal SIGABRT" in done.stdout
    assert (
        "absent float64 missing: ModuleNotFoundError: No module named 'framework_that_is_not_there'"
        in done.stdout
    )
    assert "hangs float64 hung: no result after 5 seconds" in done.stdout
    assert "text float64 failed: inception-dsl-text cannot run models" in done.stdout
    assert re.search(r"right +float64 .* agrees", done.stdout)


def test_an_engine_that_is_not_there(run: Run) -> None:
    done = run("inception_dsl", "verify", "specs/v0.yaml", "--backend", "keras:jaxx")
    assert done.returncode == 1
    assert "the backend `keras` has no engine `jaxx`" in done.stderr
    assert "did you mean `jax`?" in done.stderr
