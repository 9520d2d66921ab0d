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


def test_a_plot_may_be_added_when_it_goes_on(stopped: bytes) -> None:
    done = run(*VARIED, "--plot", "p.svg")
    assert done.exit_code == 0
    assert "resumed: 16" in done.stderr
    assert Path("out.csv").read_bytes() == stopped


def test_its_own_sweep_goes_on_with_force(stopped: bytes) -> None:
    done = run(*VARIED, "--force")
    assert "resumed: 16" in done.stderr
    assert Path("out.csv").read_bytes() == stopped


MORE = {
    "setting": ("--set", "classes=3"),
    "input": ("--input", "16"),
    "limit": ("--max-macs", "1M"),
    "axis": ("--y", "receptive-field"),
}


@pytest.mark.parametrize(
    "changed", ["spec", "block", "values", "order", "damaged", "foreign", *MORE]
)
def test_another_sweep_does_not_go_on(stopped: bytes, changed: str) -> None:
    options = [*VARIED, *MORE.get(changed, ())]
    if changed == "spec":
        Path("net.yaml").write_text(NET.replace("kernel_size: 3", "kernel_size: 5"))
    elif changed == "block":
        Path("unit.yaml").write_text(UNIT.replace("kernel_size: 3", "kernel_size: 1"))
    elif changed == "values":
        options[1] = "n=1..31"
    elif changed == "order":
        options[1] = "n=30..1:-1"
    elif changed == "damaged":
        PARTIAL.write_bytes(b"x" + PARTIAL.read_bytes()[1:])
    elif changed == "foreign":
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


@pytest.mark.parametrize(
    "changed", ["spec", "block", "values", "fewer", "more", "edited", "row", *MORE]
)
def test_a_finished_file_of_another_sweep_is_kept(changed: str) -> None:
    """Whatever differs: the error comes at the first row that does, and `--force` replaces it."""
    options = [*VARIED[:1], "n=1..40", *VARIED[2:]]
    assert run(*options).exit_code == 0
    out = Path("out.csv")
    whole = out.read_text()
    if changed == "spec":
        Path("net.yaml").write_text(NET.replace("kernel_size: 3", "kernel_size: 5"))
    elif changed == "block":
        Path("unit.yaml").write_text(UNIT.replace("kernel_size: 3", "kernel_size: 1"))
    elif changed in ("values", "fewer", "more"):
        options[1] = {"values": "n=2..41", "fewer": "n=1..39", "more": "n=1..41"}[changed]
    elif changed == "edited":
        out.write_text(whole.replace("\n4,", "\n4.0,"))
    elif changed == "row":
        out.write_text(f"{whole}mine\n")
    options += MORE.get(changed, ())
    before = out.read_bytes()
    done = run(*options)
    assert done.exit_code == 1
    assert (
        "error[E603]: out.csv is not what this sweep writes: it is of another one, or was edited"
        in done.stderr
    )
    assert out.read_bytes() == before
    late = changed in ("fewer", "more", "row", "axis", "limit")
    assert (
        PARTIAL.exists()
        == late
        == ("are in out.csv.partial, from which that goes on" in done.stderr)
    )
    done = run(*options, "--force")
    assert done.exit_code == 0
    assert ("resumed: " in done.stderr) == late
    assert out.read_bytes() != before
    assert not PARTIAL.exists()


def test_a_finished_file_of_this_sweep_stays() -> None:
    options = (*VARIED, "--plot", "p.svg")
    assert run(*options).exit_code == 0
    files = [Path("out.csv"), Path("p.svg")]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in files]
    done = run(*options)
    assert done.exit_code == 0
    assert done.stdout.endswith("out.csv\np.svg\n")
    assert [(path.read_bytes(), path.stat().st_mtime_ns) for path in files] == before


def test_a_plot_of_another_sweep_is_kept() -> None:
    """It is an error before anything is compiled; one that was edited is kept, too."""
    plot = Path("p.svg")
    options = ("--vary", "n=4,8", "--plot", "p.svg")
    assert run(*options).exit_code == 0
    drawn = plot.read_text()
    done = run(*options, "--max-macs", "1G")
    assert done.exit_code == 1
    assert "error[E603]: p.svg is of a sweep with another spec" in done.stderr
    plot.write_text(drawn.replace("net.yaml: ", "My title: "))
    done = run(*options)
    assert done.exit_code == 1
    assert (
        "error[E603]: p.svg is not what this sweep writes: it is of another one, or was edited"
        in done.stderr
    )
    assert "My title" in plot.read_text()
    assert run(*options, "--force").exit_code == 0
    assert plot.read_text() == drawn


def test_a_sweep_does_not_replace_what_it_reads() -> None:
    """The spec and the files that it imports or extends, by any name, also with `--force`."""
    Path("top.yaml").write_text("extends: net.yaml\nclasses: 4\n")
    sources = [Path(name) for name in ("top.yaml", "net.yaml", "unit.yaml")]
    texts = [path.read_text() for path in sources]
    for index, source in enumerate(sources):
        for option, ending in (("-o", "csv"), ("--plot", "svg"), ("-o", "csv.partial")):
            name = f"{index}.{ending}"
            link = Path(name)
            if (index, ending) == (0, "svg"):  # files that are imported cannot have other names
                os.link(source, link)
            else:
                link.symlink_to(source)
            target = name.removesuffix(".partial")
            done = run("--vary", "n=4,8", option, f"./{target}", "--force", spec="top.yaml")
            assert done.exit_code == 2, name
            assert f"would replace `{source}`, which the sweep reads" in done.stderr
            assert [path.read_text() for path in sources] == texts
            link.unlink()


def test_files_of_a_sweep_that_are_the_same() -> None:
    Path("p.svg").symlink_to("out.csv.partial")
    Path("q.svg").symlink_to("out.csv")
    Path("folder").mkdir()
    Path("here").symlink_to(".")
    for plot in ("p.svg", "q.svg", "folder/../p.svg", "here/q.svg"):
        done = run("--vary", "n=4,8", "-o", "here/out.csv", "--plot", plot, "--force")
        assert done.exit_code == 2, plot
        assert "are the same file" in done.stderr
        assert not Path("out.csv").exists()


@pytest.mark.parametrize(("option", "ending"), [("-o", "csv"), ("--plot", "svg")])
def test_outputs_that_cannot_be_written(option: str, ending: str, folder: Path) -> None:
    Path("file").touch()
    Path(f"d.{ending}").mkdir()
    for path in (f"d.{ending}", f"file/x.{ending}"):
        done = run("--vary", "n=4,8", option, path)
        assert done.exit_code == 1, path
        assert "error[E601]" in done.stderr
        assert "Traceback" not in done.output
    if os.name != "nt" and os.geteuid():
        folder.chmod(0o500)
        done = run("--vary", "n=4,8", option, f"x.{ending}")
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
