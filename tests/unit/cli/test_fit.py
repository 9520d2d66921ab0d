"""Tests the command `fit`: output, exit status, bad input."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import inception_dsl
from inception_dsl.cli import main

NET = """
network: net
input: {channels: 3, height: 32, width: 32}
classes: 10
params: {n: {type: int, default: 8}}
divisor: 8
body:
  - {op: conv, name: first, filters: $n, kernel_size: 3}
  - {op: conv, filters: 16, kernel_size: 3, padding: valid}
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
"""


def run(*arguments: str, spec: str = "net.yaml") -> Result:
    return CliRunner().invoke(main, ["fit", spec, *arguments])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_text(NET)


def test_the_setting_gives_the_network() -> None:
    data = json.loads(run("--macs", "2M", "--vary", "n", "--json").stdout)
    option, setting = data["setting"].split()
    done = CliRunner().invoke(main, ["summary", "net.yaml", option, setting, "--json"])
    found = json.loads(done.stdout)
    assert found["macs"] == data["largest"]["macs"] <= 2_000_000 < data["above"]["macs"]
    assert found["parameters"]["total"] == data["largest"]["parameters"]
    assert data["above"]["value"] == data["value"] + 1
    assert data["limits"] == {"macs": 2_000_000, "parameters": None}


@pytest.mark.parametrize(
    "options",
    [
        ["--vary", "n", "--input", "20"],
        ["--vary", "n", "--set", "title=it's $n", "--input", "20x12x3", "--root", "."],
        ["--vary", "input=8..64", "--set", "n=5", "--set", "input.channels=2"],
        ["--vary", "params.n.default=1..90", "--set", "body.1.kernel_size=[1, 3]"],
    ],
)
@pytest.mark.parametrize("source", ["net.yaml", "my net.yaml", "-"])
def test_the_command_reproduces_the_result(options: list[str], source: str) -> None:
    """As a shell reads it, whatever the settings are."""
    Path("my net.yaml").write_text(NET)
    limit = ["--macs", "500k", *options]
    data = json.loads(CliRunner().invoke(main, ["fit", source, *limit, "-f", "json"], NET).stdout)
    program, *words = shlex.split(data["command"])
    assert program == "inception-dsl"
    done = CliRunner().invoke(main, [*words, "--json"], NET)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["macs"] == data["largest"]["macs"] <= 500_000
    assert ("--root" in words) == ("--root" in options)
    plain = CliRunner().invoke(main, ["fit", source, *limit], NET).stdout
    assert plain.splitlines()[-1] == data["command"]


def test_a_staircase() -> None:
    """Several widths give the same network: the largest is named, and the next that differs."""
    done = run("--macs", "2M", "--vary", "width")
    assert done.exit_code == 0
    best, above = (line.split() for line in done.stdout.splitlines()[2:4])
    assert (best[-1], above[-1]) == ("yes", "no")
    assert round(float(above[0]) - float(best[0]), 6) == 0.01
    assert f"into 2,000,000 MACs: {best[0]}\n" in done.stdout


def test_both_limits() -> None:
    macs = json.loads(run("--macs", "2M", "--vary", "n", "--json").stdout)["value"]
    parameters = json.loads(run("--parameters", "1k", "--vary", "n", "--json").stdout)["value"]
    both = run("--parameters", "1k", "--macs", "2M", "--vary", "n", "--json").stdout
    assert json.loads(both)["value"] == min(macs, parameters)
    most = inception_dsl.load("net.yaml", n=parameters).parameters
    assert most <= 1000 < inception_dsl.load("net.yaml", n=parameters + 1).parameters


def test_everything_fits() -> None:
    done = run("--macs", "1T", "--vary", "n=1..9")
    assert done.exit_code == 0
    text = (
        "the end of the range 1..9 fits into 1,000,000,000,000 MACs; larger values were not tried"
    )
    assert done.stdout.endswith(f"{text}\ninception-dsl summary net.yaml --set n=9\n")


def test_nothing_fits() -> None:
    done = run("--macs", "1k", "--vary", "n")
    assert done.exit_code == 1
    assert "error: no value of `n` from 1 to 4096 fits into 1,000 MACs" in done.stderr
    assert "no" in done.stdout
    data = json.loads(run("--macs", "1k", "--vary", "n", "--json").stdout)
    assert (data["value"], data["setting"], data["largest"]) == (None, None, None)


@pytest.mark.parametrize("form", ["markdown", "latex"])
def test_formats(form: str) -> None:
    done = run("--macs", "2M", "--vary", "n", "-f", form)
    assert done.exit_code == 0
    rows = [line for line in done.stdout.splitlines() if re.search("[0-9] [&|] ", line)]
    assert [("yes" in row, "no" in row) for row in rows] == [(True, False), (False, True)]


def test_no_value_is_valid() -> None:
    done = run("--macs", "2M", "--vary", "input=1..2")
    assert done.exit_code == 1
    assert "error[E401]" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--vary", "n"], 2, "missing option `--macs` or `--parameters`"),
        (["--macs", "2M"], 2, "missing option `--vary`"),
        (["--macs", "2M", "--vary", "width", "--vary", "n"], 2, "`--vary` is given 2 times"),
        (["--macs", "2M", "--vary", "n=3..1"], 2, "does not increase"),
        (["--macs", "2M", "--vary", "n=1..9:0"], 2, "the step of 1..9 is 0"),
        (["--macs", "2M", "--vary", "n=1,2"], 2, "expected NAME or NAME=first..last"),
        (["--macs", "2X", "--vary", "n"], 2, "`--macs`: expected a number, got `2X`"),
        (["--macs", "2M", "--vary", "n", "--set", "n=3"], 2, "`n` is varied, and set to `3`"),
        (
            ["--macs", "2M", "--vary", "input", "--set", "input.width=9"],
            2,
            "both set `input.width`",
        ),
        (["--macs", "2M", "--vary", "nn"], 1, "did you mean `n`?"),
        (["--macs", "2M", "--vary", "body.9.filters"], 1, "unknown step `9`"),
    ],
)
def test_wrong_usage(options: list[str], status: int, message: str) -> None:
    done = run(*options)
    assert done.exit_code == status
    assert message in done.stderr
    assert done.stdout == ""
