"""Tests the command `sweep`: output, limits, bad input."""

from __future__ import annotations

import csv
import json
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner
from swept import NET, run, save

from inception_dsl.cli import main
from inception_dsl.diagnostics import codes

SAME = "both set `body.0.filters`"
SET = ("--set", "body.0.filters=1")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save(tmp_path)
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


def test_formats_for_programs_have_no_names_of_files() -> None:
    done = run("--vary", "n=4,8", "--json", "-o", "a.csv", "--plot", "a.svg")
    assert len(json.loads(done.stdout)["rows"]) == 2
    assert Path("a.svg").exists()


def test_the_same_bytes_whatever_the_jobs() -> None:
    files = []
    for jobs in ("1", "2", "7"):
        out, plot = Path(f"{jobs}.csv"), Path(f"{jobs}.svg")
        options = ("--vary", "n=1..20", "--vary", "input=2..20:6", "--jobs", jobs)
        assert run(*options, "-o", str(out), "--plot", str(plot)).exit_code == 0
        files.append((out.read_bytes(), plot.read_bytes()))
    assert files[1:] == files[:-1]


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
        (["--vary", "n=1", "--plot", "g.png"], "`--plot` writes SVG: `g.png` does not end with"),
        (
            ["--vary", "n=1", "-o", "g.json"],
            "`--out` writes CSV: `g.json` does not end with `.csv`",
        ),
        (["--vary", "n=1", "-o", "."], "`--out` writes CSV"),
        (["--vary", "body.0.filters=1,2", "--vary", "body.first.filters=3"], SAME),
        (["--vary", "body.first.filters=3", "--set", "body.0.filters=1"], SAME),
        (["--vary", "n=1", "--set", "body={first: {filters: 2}}", *SET], "`body` and `body.0.filt"),
        (
            ["--vary", "input=16,8x8x1", "--set", "input.height=8"],
            "`input.height` and `input` both",
        ),
        (["--vary", "n=1", "--set", "input=8", "--input", "9"], "by `--set` and by `--input`"),
        (["--vary", "n=1", "-o", "-"], "`--out` needs a file"),
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
    assert not Path("out.csv.partial").exists()


def test_different_errors_of_all_variants_are_shown_once() -> None:
    """Without the text of what is varied, which each has of its own."""
    done = run("--vary", "n=zero,one", "--vary", "classes=1..9")
    assert done.stderr.count("error[E203]") == 2
    assert "`zero`" in done.stderr
    assert "`one`" in done.stderr
    assert "\n1 | " not in done.stderr
    assert "\n1 | zero\n" in run("--vary", "n=zero", "--vary", "classes=1..9").stderr


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
