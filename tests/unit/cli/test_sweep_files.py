"""Tests the files of `sweep`: what is replaced, and how an interrupted sweep goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from swept import NET, UNIT, run, save

from inception_dsl.design import measured


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save(tmp_path)
    return tmp_path


VARIED = ("--vary", "n=1..30", "-o", "out.csv", "--jobs", "1")
PARTIAL = Path("out.csv.partial")


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A sweep that was interrupted after 16 of 30 variants; the result is that of a whole one."""
    assert run(*VARIED).exit_code == 0
    whole = Path("out.csv").read_bytes()
    Path("out.csv").unlink()
    usual, calls = measured.compile_quickly, []

    def interrupted(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) > 20:
            raise KeyboardInterrupt
        return usual(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(measured, "compile_quickly", interrupted)
        done = run(*VARIED)
    assert done.exit_code == 130
    assert "16 of 30 variants are in out.csv.partial" in done.stderr
    assert "the same command goes on from there" in done.stderr
    assert not Path("out.csv").exists()
    return whole


@pytest.mark.parametrize("cut", [0, 1, 20, 200], ids="{} bytes less".format)
def test_an_interrupted_sweep_goes_on(
    stopped: bytes, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if its last lines are cut; what is there is not compiled again."""
    PARTIAL.write_bytes(PARTIAL.read_bytes()[: -cut or None])
    left = len(PARTIAL.read_bytes().splitlines()) - 1 - bool(cut > 0)
    usual, calls = measured.compile_quickly, []
    monkeypatch.setattr(measured, "compile_quickly", lambda *a: (calls.append(a), usual(*a))[1])
    done = run(*VARIED)
    assert done.exit_code == 0
    assert f"resumed: {left} of 30 variants" in done.stderr
    assert len(calls) == 30 - left
    assert Path("out.csv").read_bytes() == stopped
    assert not PARTIAL.exists()


def test_other_limits_and_a_plot_may_be_added_when_it_goes_on(stopped: bytes) -> None:
    done = run(*VARIED, "--max-macs", "1M", "--plot", "p.svg", "--x", "parameters", "--y", "macs")
    assert done.exit_code == 0
    assert "resumed: 16" in done.stderr


@pytest.mark.parametrize(
    "changed", ["spec", "block", "values", "order", "setting", "input", "damaged", "foreign"]
)
def test_another_sweep_does_not_go_on(stopped: bytes, changed: str) -> None:
    options = list(VARIED)
    if changed == "spec":
        Path("net.yaml").write_text(NET.replace("kernel_size: 3", "kernel_size: 5"))
    elif changed == "block":
        Path("unit.yaml").write_text(UNIT.replace("kernel_size: 3", "kernel_size: 1"))
    elif changed == "values":
        options[1] = "n=1..31"
    elif changed == "order":
        options[1] = "n=30..1:-1"
    elif changed == "setting":
        options += ["--set", "classes=3"]
    elif changed == "input":
        options += ["--input", "16"]
    elif changed == "damaged":
        PARTIAL.write_bytes(b"x" + PARTIAL.read_bytes()[1:])
    else:
        PARTIAL.write_text("mine")
    before = PARTIAL.read_bytes()
    done = run(*options)
    assert done.exit_code == 1
    assert "error[E603]: out.csv.partial is of a sweep with another spec" in done.stderr
    assert "--force" in done.stderr
    assert PARTIAL.read_bytes() == before
    assert run(*options, "--force").exit_code == 0
    assert not PARTIAL.exists()


def test_two_sweeps_do_not_write_one_file() -> None:
    fcntl = pytest.importorskip("fcntl")
    with PARTIAL.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = run(*VARIED)
    assert done.exit_code == 1
    assert "another sweep is writing it" in done.stderr


def test_files_of_others_are_replaced_only_by_force() -> None:
    Path("empty.csv").touch()
    assert run("--vary", "n=4", "-o", "empty.csv").exit_code == 0
    for name in ("a.csv", "a.svg"):
        Path(name).write_text("a,b\n1,2\n")
    options = ("--vary", "n=4,8", "-o", "a.csv", "--plot", "a.svg")
    done = run(*options)
    assert done.exit_code == 1
    assert done.stderr.count("error[E603]") == 2
    assert "was not written by `sweep`" in done.stderr
    assert Path("a.csv").read_text() == Path("a.svg").read_text() == "a,b\n1,2\n"
    assert not Path("a.csv.partial").exists()
    assert run(*options, "--force").exit_code == 0
    assert run(*options).exit_code == 0, "its own files are replaced"


@pytest.mark.parametrize("option", ["-o", "--plot"])
def test_outputs_that_cannot_be_written(option: str, folder: Path) -> None:
    Path("file").touch()
    for path in (".", "file/x.csv"):
        done = run("--vary", "n=4,8", option, path)
        assert done.exit_code == 1, path
        assert "error[E601]" in done.stderr
        assert "Traceback" not in done.output
    if os.name != "nt" and os.geteuid():
        folder.chmod(0o500)
        done = run("--vary", "n=4,8", option, "x.csv")
        folder.chmod(0o700)
        assert done.exit_code == 1


def test_a_partial_file_that_is_a_link() -> None:
    Path("precious").write_text("x")
    PARTIAL.symlink_to("precious")
    done = run(*VARIED)
    assert done.exit_code == 1
    assert "symbolic link" in done.stderr
    assert Path("precious").read_text() == "x"


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals(number: int, status: int) -> None:
    """The partial file is left, the processes end, and the same command finishes the sweep."""
    call = [sys.executable, "-m", "inception_dsl", "sweep", "net.yaml", "--vary", "n=1..3000"]
    call += ["-o", "out.csv", "--jobs", "2"]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    limit = time.monotonic() + 60
    while time.monotonic() < limit and not (PARTIAL.exists() and PARTIAL.stat().st_size > 2000):
        time.sleep(0.01)
    workers = descendants(process.pid)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status, errors
    assert "variants are in out.csv.partial" in errors
    assert "Traceback" not in errors
    assert len(workers) == 2
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]
    count = len(PARTIAL.read_bytes().splitlines()) - 1
    assert 0 < count < 3000
    lines = PARTIAL.read_bytes().splitlines(keepends=True)
    assert all(line.endswith(b"\n") for line in lines)


def descendants(process: int) -> list[int]:
    """The processes that a process has started; where there is /proc."""
    path = Path(f"/proc/{process}/task/{process}/children")
    if not path.exists():
        pytest.skip("the system does not list processes")
    return [*map(int, path.read_text().split())]
