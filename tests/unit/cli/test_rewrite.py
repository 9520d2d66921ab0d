"""Tests the command ``rewrite``: what it prints, writes, and refuses to overwrite."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inception_dsl.cli import main

NET = """\
network: net
title: A net  # of tests
input: {channels: 3, height: 32, width: 32}
import: [parts/unit.yaml]
stem: [{op: conv_bn, name: first, filters: 64, kernel_size: 1}]
body:
  # two units
  - {use: unit, repeat: 2}
"""
UNIT = "block: unit\nsteps: [{op: conv_bn, filters: 64, kernel_size: 5}]  # large\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["rewrite", *arguments])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    (tmp_path / "net.yaml").write_text(NET)
    (tmp_path / "parts/unit.yaml").write_text(UNIT)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_without_a_rule_the_rules_are_listed(folder: Path) -> None:
    before = contents(folder)
    done = run("net.yaml")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["rule", "where", "steps", "runs", "parameters", "MACs"]
    (line,) = (line for line in lines if line.startswith("factorise-5x5  unit"))
    assert line.split()[1:4] == ["unit", "1", "2"]
    assert "-27.6%" in line
    assert any(line.startswith("two-2x2: ") for line in run("v3").stdout.splitlines())
    assert contents(folder) == before


def test_no_rule_applies(folder: Path) -> None:
    text = "network: n\ninput: {channels: 3, height: 8, width: 8}\nbody: [{op: identity}]\n"
    (folder / "n.yaml").write_text(text)
    assert run("n.yaml").stdout == "No rule applies to this spec.\n"


def test_a_diff_is_printed_and_nothing_written(folder: Path) -> None:
    before = contents(folder)
    done = run("net.yaml", "factorise-5x5")
    assert done.exit_code == 0, done.stderr
    assert contents(folder) == before
    assert "\n--- parts/unit.yaml\n+++ parts/unit.yaml\n" in done.stdout
    assert "note: other specs that import parts/unit.yaml change, too" in done.stdout
    assert "note: `unit` changes in all its 2 uses" in done.stdout
    if shutil.which("patch"):
        subprocess.run(["patch", "-p0", "-s"], input=done.stdout, text=True, check=True)
        after = (folder / "parts/unit.yaml").read_text()
        assert run("net.yaml", "factorise-5x5", "--in-place").exit_code == 1  # it has no 5x5 now
        (folder / "parts/unit.yaml").write_text(UNIT)
        assert run("net.yaml", "factorise-5x5", "--in-place").exit_code == 0
        assert (folder / "parts/unit.yaml").read_text() == after


def test_in_place_only_the_changed_file_is_written(folder: Path) -> None:
    done = run("net.yaml", "factorise-5x5", "--in-place")
    assert done.exit_code == 0
    assert done.stderr == "parts/unit.yaml\n"
    found = contents(folder)
    assert found["net.yaml"] == NET.encode()
    assert found["parts/unit.yaml"].endswith(b"kernel_size: 3}]  # large\n")
    assert sorted(found) == ["net.yaml", "parts/unit.yaml"]


def test_a_new_file_has_the_blocks_that_change(folder: Path) -> None:
    done = run("net.yaml", "factorise-5x5", "-o", "new/net.yaml")
    assert done.exit_code == 0, done.stderr
    assert contents(folder)["parts/unit.yaml"] == UNIT.encode()
    assert (folder / "new/net.yaml").read_text() == NET.replace(
        "import: [parts/unit.yaml]\n",
        "blocks:\n  unit:\n    steps: [{op: conv_bn, filters: 64, kernel_size: 3},\n"
        "            {op: conv_bn, filters: 64, kernel_size: 3}]  # large\n",
    )


def test_imports_are_found_from_the_new_file(folder: Path) -> None:
    (folder / ".inception-dsl-root").write_text("")
    done = run("net.yaml", "separable", "--at", "unit", "-o", "one.yaml")
    assert done.exit_code == 0, done.stderr
    (folder / "net.yaml").write_text(NET.replace("kernel_size: 1", "kernel_size: 3"))
    done = run("net.yaml", "asymmetric", "--at", "first", "-o", "new/net.yaml")
    assert done.exit_code == 0, done.stderr
    assert "import: [../parts/unit.yaml]\n" in (folder / "new/net.yaml").read_text()
    assert CliRunner().invoke(main, ["check", "new/net.yaml"]).exit_code == 0


def test_nothing_is_overwritten_unasked(folder: Path) -> None:
    (folder / "there.yaml").write_text("mine")
    done = run("net.yaml", "factorise-5x5", "-o", "there.yaml")
    assert done.exit_code == 2
    assert "there.yaml already exists" in done.stderr
    assert (folder / "there.yaml").read_text() == "mine"
    assert run("net.yaml", "factorise-5x5", "-o", "there.yaml", "--force").exit_code == 0
    assert (folder / "there.yaml").read_text().startswith("network: net\n")
    done = run("net.yaml", "factorise-5x5", "-o", ".", "--force")
    assert done.exit_code == 2
    assert "error: . is a folder" in done.stderr
    done = run("net.yaml", "factorise-5x5", "-o", "there.yaml/below.yaml")
    assert done.exit_code == 1
    assert (folder / "there.yaml").read_text().startswith("network: net\n")


def test_a_link_is_followed_in_place(folder: Path) -> None:
    os.symlink("net.yaml", folder / "link.yaml")
    (folder / "net.yaml").write_text(NET.replace("kernel_size: 1", "kernel_size: 5"))
    assert run("link.yaml", "factorise-5x5", "--at", "first", "--in-place").exit_code == 0
    assert (folder / "link.yaml").is_symlink()
    assert "kernel_size: 3" in (folder / "net.yaml").read_text()


def test_a_byte_order_mark_stays(folder: Path) -> None:
    text = NET.replace("kernel_size: 1", "kernel_size: 5")
    (folder / "net.yaml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert run("net.yaml", "factorise-5x5", "--at", "stem", "--in-place").exit_code == 0
    found = (folder / "net.yaml").read_bytes()
    assert found.startswith(b"\xef\xbb\xbfnetwork: net\n")
    assert found.count(b"\xef\xbb\xbf") == 1


def test_a_new_file_has_the_byte_order_mark_of_its_source(folder: Path) -> None:
    text, mark = NET.replace("kernel_size: 1", "kernel_size: 5"), b"\xef\xbb\xbf"
    (folder / "net.yaml").write_bytes(mark + text.encode())
    (folder / "plain.yaml").write_text(text)
    for source, target, begins in (
        ("net.yaml", "new.yaml", mark),
        ("plain.yaml", "new.yaml", b""),  # over the one with a mark
        ("net.yaml", "-", mark),
        ("v3", "v3.yaml", b""),
    ):
        done = run(source, "factorise-5x5", "-o", target, "--force")
        assert done.exit_code == 0, done.stderr
        found = done.stdout_bytes if target == "-" else (folder / target).read_bytes()
        assert found.startswith(begins + b"network: "), (source, target)
        assert found.count(mark) == len(begins) // 3
    assert CliRunner().invoke(main, ["check", "new.yaml"]).exit_code == 0


def test_standard_output_gets_the_spec_alone(folder: Path) -> None:
    before = contents(folder)
    done = run("net.yaml", "factorise-5x5", "-o", "-")
    assert done.exit_code == 0, done.stderr
    assert contents(folder) == before
    assert "factorise-5x5: two 3x3" in done.stderr
    assert run("net.yaml", "factorise-5x5", "-o", "new.yaml").exit_code == 0
    assert done.stdout == (folder / "new.yaml").read_text()
    assert run("v3", "factorise-5x5", "-o", "-").stdout.startswith("network: inception_v3\n")
    assert run("net.yaml", "factorise-5x5", "-o", "./-").exit_code == 0
    assert (folder / "-").read_text() == done.stdout


def test_printed_imports_are_found_from_the_current_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "net.yaml").write_text(NET.replace("kernel_size: 1", "kernel_size: 5"))
    monkeypatch.chdir(folder / "parts")
    (folder / ".inception-dsl-root").write_text("")
    done = run("../net.yaml", "factorise-5x5", "--at", "first", "-o", "-")
    assert "import: [unit.yaml]\n" in done.stdout, done.stderr
    (folder / "parts/new.yaml").write_text(done.stdout)
    assert CliRunner().invoke(main, ["check", "new.yaml"]).exit_code == 0


@pytest.mark.skipif(os.name == "nt", reason="there are no named pipes")
def test_a_pipe_is_not_opened(folder: Path) -> None:
    """In another process, which would wait for the other end without the checks."""
    for name in ("new.yaml", "v3.yaml"):
        os.mkfifo(folder / name)
    os.symlink("new.yaml", folder / "link.yaml")
    for arguments, status, message in (
        (("net.yaml", "factorise-5x5", "-o", "new.yaml"), 2, "new.yaml is not a regular file"),
        (("net.yaml", "factorise-5x5", "-o", "link.yaml"), 2, "link.yaml is not a regular file"),
        (("v3", "factorise-5x5"), 1, "E101: not a regular file: v3.yaml"),
    ):
        force = ["--force"] if "-o" in arguments else []
        command = [sys.executable, "-m", "inception_dsl", "rewrite", *arguments, *force]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == status, done.stderr
        assert message in done.stderr


def test_help_on_the_root_is_kept(folder: Path) -> None:
    done = run("net.yaml", "asymmetric", "--at", "unit", "-o", "new/net.yaml")
    assert done.exit_code == 0, done.stderr  # the block is taken over, and nothing is imported
    (folder / "net.yaml").write_text(NET.replace("kernel_size: 1", "kernel_size: 3"))
    arguments = ("net.yaml", "asymmetric", "--at", "first", "-o", "other/net.yaml")
    done = run(*arguments)
    assert done.exit_code == 1
    assert "E301: parts/unit.yaml is outside the root folder" in done.stderr
    assert "= help: write `--root .`, or put a file `.inception-dsl-root`" in done.stderr
    assert not (folder / "other").exists()
    assert run(*arguments, "--root", ".").exit_code == 0
    assert run("other/net.yaml", "separable").stderr.count("--root .") == 1


def test_json(folder: Path) -> None:
    done = run("net.yaml", "factorise-5x5", "--at", "unit", "--json")
    found = json.loads(done.stdout)
    assert found["rule"] == "factorise-5x5"
    assert found["totals"]["receptive field"] == {"old": 9, "new": 9}
    (step,) = found["steps"]
    assert (step["path"], step["uses"], found["uses"]) == ("unit", 2, {"unit": 2})
    assert list(found["files"]) == ["parts/unit.yaml"]
    assert found["elsewhere"] == {
        "parameters": found["totals"]["parameters"]["old"] - step["parameters"],
        "macs": found["totals"]["MACs"]["old"] - step["macs"],
        "more_parameters": 0,
        "more_macs": 0,
    }
    rules = json.loads(run("net.yaml", "--json").stdout)["rules"]
    (rule,) = (rule for rule in rules if rule["rule"] == "factorise-5x5")
    assert (rule["block"], rule["paths"]) == ("unit", ["unit"])


def test_json_and_the_table_have_the_same_numbers(folder: Path) -> None:
    arguments = ("v3", "parallel-reduction")
    found = json.loads(run(*arguments, "--json").stdout)
    shown = run(*arguments).stdout.split("\n\n")[2].splitlines()[2:]
    for line, step in zip(shown, [*found["steps"], found["elsewhere"]], strict=True):
        for field in ("parameters", "macs"):
            if more := step[f"more_{field}"]:
                assert f" {more:+,}" in line
    assert shown[-1].startswith("elsewhere  ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("net.yaml", "factorize-5x5"), "did you mean `factorise-5x5`?"),
        (("net.yaml", "--at", "unit"), "these options need a RULE"),
        (("net.yaml", "reduce", "--with", "filters"), "expected NAME=VALUE, got `filters`"),
        (("net.yaml", "reduce", "--with", "=1"), "expected NAME=VALUE, got `=1`"),
        (("net.yaml", "reduce", "--with", "ratio=1"), "`reduce` has no option `ratio`"),
        (("net.yaml", "separable", "--with", "depth_multiplier=x"), "expected an integer from 1"),
        (("net.yaml", "residualise", "--with", "scale=nan"), "expected a number other than 0"),
        (("net.yaml", "asymmetric", "--with", "first=2"), "expected `1xn` or `nx1`"),
        (
            ("net.yaml", "reduce", "--with", "filters=1", "--with", "filters=2"),
            "`filters` is set more than once",
        ),
        (("net.yaml", "reduce", "-o", "a.yaml", "--in-place"), "exclude each other"),
        (("net.yaml", "reduce", "--force"), "`--force` is for the file of `--out`"),
        (("v1", "reduce", "--in-place"), "the shipped spec `v1` is read-only"),
        (("v1", "separable", "-o", "-", "--json"), "both print to standard output"),
        (("v1", "separable", "-o", ""), "error: . is a folder"),
        (("v1", "separable", "-o", "new/"), "error: new is a folder"),
    ],
)
def test_usage_errors(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.yaml", "reduce"), "error[E101]: no such file: missing.yaml"),
        (("-", "reduce"), "error[E101]: standard input cannot be read here"),
        (("net.yaml", "two-2x2"), "`two-2x2` is for a `conv` or `conv_bn` with a 3x3 kernel"),
        (("net.yaml", "factorise-5x5", "--at", "unti"), "did you mean `unit`?"),
        (("net.yaml", "factorise-5x5", "--at", ""), "error[E308]: no step has the path ``"),
        (("net.yaml", "factorise-5x5", "--at", "[\x1b"), "no step has the path `[\\x1b`"),
        (("net.yaml", "factorise-5x5", "--with", "filters=$f"), "the result has an error, E304"),
    ],
)
def test_errors_of_specs(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    before = contents(folder)
    done = run(*arguments)
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stdout == ""
    assert contents(folder) == before


def test_a_block_alone_needs_an_input(folder: Path) -> None:
    assert "E404" in run("parts/unit.yaml", "factorise-5x5").stderr
    done = run("parts/unit.yaml", "factorise-5x5", "--input", "32x32x64", "--in-place")
    assert done.exit_code == 0
    assert (folder / "parts/unit.yaml").read_text().startswith("block: unit\nsteps: [{op: conv_bn,")


def test_a_file_that_the_spec_reads_is_not_replaced(folder: Path) -> None:
    before = contents(folder)
    (folder / "link.yaml").symlink_to("parts/unit.yaml")
    for out in ("parts/unit.yaml", "./parts/../parts/unit.yaml", "link.yaml"):
        done = run("net.yaml", "factorise-5x5", "-o", out, "--force")
        assert (done.exit_code, "a file that the spec reads" in done.stderr) == (2, True)
    assert contents(folder) == before | {"link.yaml": before["parts/unit.yaml"]}
    assert run("net.yaml", "factorise-5x5", "-o", "net.yaml", "--force").exit_code == 0
