"""Tests the command `sweep`: output, files, resuming, interrupts, bad input."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inception_dsl.cli import main
from inception_dsl.design import measured
from inception_dsl.diagnostics import codes

NET = """
network: net
input: {channels: 3, height: 32, width: 32}
classes: 10
params: {n: {type: int, default: 8}}
import: [unit.yaml]
body:
  - {op: conv, name: first, filters: $n, kernel_size: 3}
  - {use: unit, n: $n, repeat: 1}
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
"""
UNIT = """
block: unit
params: {n: int}
steps: [{op: conv, name: last, filters: $n, kernel_size: 3, padding: valid}]
"""


def run(*arguments: str, spec: str = "net.yaml") -> Result:
    return CliRunner().invoke(main, ["sweep", spec, *arguments])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_text(NET)
    Path("unit.yaml").write_text(UNIT)
    return tmp_path


def test_a_table_of_all_variants() -> None:
    done = run("--vary", "n=4,8", "--vary", "input=2,16,32x16x1")
    assert done.exit_code == 0
    columns, _, *rows = [line.split("  ") for line in done.stdout.splitlines() if line]
    assert [c.strip() for c in columns if c][:5] == [
        "n",
        "input",
        "parameters",
        "MACs",
        "receptive field",
    ]
    failed = [line for line in done.stdout.splitlines() if "E401: `conv`: the window" in line]
    assert len(failed) == 2
    assert [row[0] for row in rows[:6]] == ["4", "4", "4", "8", "8", "8"]
    assert done.stdout.endswith("\n6 variants: 2 on the Pareto front, 2 not valid\n")


def test_the_numbers_are_those_of_the_summary() -> None:
    rows = json.loads(run("--vary", "n=4,8", "--vary", "input=16,24", "--json").stdout)["rows"]
    for row in rows:
        settings = [f"--set=n={row['values']['n']}", f"--input={row['values']['input']}"]
        done = CliRunner().invoke(main, ["summary", "net.yaml", *settings, "--json"])
        wanted = json.loads(done.stdout)
        assert row["parameters"] == wanted["parameters"]["total"]
        assert row["macs"] == wanted["macs"]
        assert row["activations_training"] == wanted["activations"]["training"]
        assert row["minimum_input"] == "x".join(map(str, wanted["minimum_input"]))


@pytest.mark.parametrize("form", ["text", "json", "csv", "markdown", "latex"])
def test_formats_and_the_front(form: str) -> None:
    """Nothing but the rows goes to standard output; the front has fewer rows."""
    options = ("--vary", "n=4,8", "--vary", "input=16,24", "-f", form)
    whole, front = run(*options), run(*options, "--front")
    assert (whole.exit_code, front.exit_code) == (0, 0)
    assert len(front.stdout.splitlines()) == len(whole.stdout.splitlines()) - 2
    assert ("4 variants" in whole.stdout) == (form == "text")
    assert "4 variants" in whole.output


def test_limits_leave_rows_out() -> None:
    whole = json.loads(run("--vary", "n=1..20", "--json").stdout)["rows"]
    macs, parameters = whole[9]["macs"], whole[14]["parameters"]
    found = json.loads(run("--vary", "n=1..20", "--json", f"--max-macs={macs}").stdout)
    assert (found["beyond_limits"], len(found["rows"])) == (10, 10)
    found = json.loads(run("--vary", "n=1..20", "--json", f"--max-parameters={parameters}").stdout)
    assert len(found["rows"]) == 15
    assert "0 on the Pareto front" in run("--vary", "n=1..20", "--max-macs=1").stdout
    assert "2 beyond" in run("--vary", "body.1.repeat=0..3", "--min-receptive-field=7").stdout


def test_all_rows_go_to_a_file_and_the_front_is_printed() -> None:
    done = run("--vary", "n=4,8", "--vary", "input=2,16,24", "-o", "a/b.csv", "--plot", "c.svg")
    assert done.exit_code == 0, done.output
    rows = [*csv.DictReader(Path("a/b.csv").read_text().splitlines())]
    assert [row["code"] for row in rows] == ["E401", "", "", "E401", "", ""]
    assert [row["front"] for row in rows] == ["false", "true", "false", "false", "true", "false"]
    assert done.stdout.count("*") == 2
    assert done.stdout.splitlines()[-2:] == ["a/b.csv", "c.svg"]
    assert ET.parse("c.svg").getroot().tag.endswith("svg")
    assert [p.name for p in Path("a").iterdir()] == ["b.csv"]


def test_the_same_bytes_whatever_the_jobs() -> None:
    files = []
    for jobs in ("1", "2", "7"):
        out, plot = Path(f"{jobs}.csv"), Path(f"{jobs}.svg")
        options = ("--vary", "n=1..20", "--vary", "input=2..20:6", "--jobs", jobs)
        assert run(*options, "-o", str(out), "--plot", str(plot)).exit_code == 0
        files.append((out.read_bytes(), plot.read_bytes()))
    assert files[1:] == files[:-1]


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "missing option `--vary`"),
        (["--vary", "n"], "`--vary`: expected NAME=VALUES, got `n`"),
        (["--vary", "n=5..1"], "the range 5..1 with the step 1 is empty"),
        (["--vary", "n=1..5:0"], "the step of 1..5 is 0"),
        (["--vary", "n=1,1"], "`n` has the value `1` twice"),
        (["--vary", "n=1", "--vary", "n=2"], "`n` is varied more than once"),
        (["--vary", "n=1..999", "--vary", "input=1..999"], "998,001 variants are more"),
        (["--vary", "n=1", "--set", "n=2"], "`n` is varied, and set to `2`"),
        (["--vary", "input=16", "--input", "8"], "`input` is varied, and set to `8`"),
        (["--vary", "n=1", "--max-macs", "5x"], "`--max-macs`: expected a number, got `5x`"),
        (["--vary", "n=1", "--max-parameters", "-1"], "`--max-parameters`: expected a number"),
        (["--vary", "n=1", "--min-receptive-field", "0"], "expected an integer >= 1"),
        (["--vary", "n=1", "--jobs", "0"], "expected an integer >= 1"),
        (["--vary", "n=1", "--x", "parameter"], "invalid value `parameter` for `--x`"),
        (["--vary", "n=1", "--y", "macs"], "`--x` and `--y` are both `macs`"),
        (["--vary", "n=1", "-o", "a", "--plot", "./a"], "are the same file"),
    ],
)
def test_wrong_usage(options: list[str], message: str) -> None:
    done = run(*options)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "= help: " in done.stderr
    assert [*Path().glob("*.partial")] == []


@pytest.mark.parametrize(
    ("options", "spec", "code", "text"),
    [
        (["--vary", "nn=1..90000"], "net.yaml", "E209", "did you mean `n`?"),
        (["--vary", "body.7.repeat=1..90000"], "net.yaml", "E310", "unknown step `7`"),
        (["--vary", "body.1.repet=1..9"], "net.yaml", "E304", "did you mean `repeat`?"),
        (["--vary", "n=1..90000"], "missing.yaml", "E101", "missing.yaml"),
        (["--vary", "input=1,2"], "net.yaml", "E401", "the window spans 3 pixels"),
        (["--vary", "n=zero,one"], "net.yaml", "E203", "`one`"),
    ],
)
def test_errors_of_all_variants(options: list[str], spec: str, code: str, text: str) -> None:
    """What no value can change ends the sweep at once; else the errors of all are shown."""
    start = time.monotonic()
    done = run(*options, "-o", "out.csv", spec=spec)
    assert time.monotonic() - start < 20
    assert done.exit_code == 1
    assert f"error[{code}]" in done.stderr
    assert text in done.stderr
    assert code in codes.CODES
    assert not Path("out.csv").exists()
    assert not PARTIAL.exists()


def test_a_spec_from_the_standard_input() -> None:
    text = NET.replace("import: [unit.yaml]\n", "").replace(
        "  - {use: unit, n: $n, repeat: 1}\n", ""
    )
    arguments = ["sweep", "-", "--vary", "n=1..40", "--jobs", "2", "--json"]
    done = CliRunner().invoke(main, arguments, input=text)
    assert json.loads(done.stdout)["variants"] == 40


def test_text_of_values_is_shown_as_it_is() -> None:
    """Characters that would control a terminal, or be markup, are escaped in every format."""
    options = ("--vary", 'n="<b>\x1b[31m|&",8', "--plot", "p.svg")
    for form in ("text", "markdown", "latex", "json", "csv"):
        done = run(*options, "-f", form)
        assert done.exit_code == 0
        assert "\x1b" not in done.output, form
    run(*options, "-o", "out.csv")
    assert "\\x1b[31m" in Path("out.csv").read_text()
    assert "\x1b" not in Path("out.csv").read_text()
    ET.parse("p.svg")


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
