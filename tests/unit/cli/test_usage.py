"""Usage errors: the style of diagnostics, a suggestion, and exit status 2."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from inception_dsl.cli import main

UNKNOWN_COMMANDS = [
    (["biuld"], "unknown command `biuld`", "did you mean `build`?"),
    (["sumary", "x"], "unknown command `sumary`", "did you mean `summary`?"),
    (["weights", "imprt"], "unknown command `imprt`", "did you mean `import`?"),
    (["zzz\x1b"], "unknown command `zzz\\x1b`", "commands: "),
    (
        ["net.yaml"],
        "unknown command `net.yaml`",
        "name a command first: `inception-dsl check net.y",
    ),
]
OPTIONS = [
    (["check", "--ste", "a=1"], "unknown option `--ste`", "did you mean `--set`?"),
    (["check", "--formt", "json"], "unknown option `--formt`", "did you mean `--format`?"),
    (["build", "x", "--output", "y"], "unknown option `--output`", "did you mean `--out`?"),
    (["build", "x", "--framework", "y"], "unknown option `--framework`", "mean `--backend`?"),
    (["check", "x", "--framework", "y"], "unknown option `--framework`", "run `inception-dsl che"),
    (["build", "x", "-x"], "unknown option `-x`", "run `inception-dsl build --help`"),
    (["--verbose"], "unknown option `--verbose`", "`--version`?"),
    (["build", "x", "-o"], "option `-o` requires an argument", "run `inception-dsl build --help`"),
    (["check", "x", "--strict=1"], "option `--strict` does not take a value", "run `"),
    (["weights", "import", "a", "b"], "missing option `--from`", "torchvision, timm or keras-a"),
]
VALUES = [
    (
        ["check", "x", "--format", "jsn"],
        "invalid value `jsn` for `--format`",
        "one of `text`, `con",
    ),
    (["verify", "x", "--dtype", "float16"], "invalid value `float16`", "`float64`, `float32`"),
    (["verify", "x", "--timeout", "0"], "`--timeout`: expected a number > 0, got `0", "run `"),
    (["verify", "x", "--timeout", "a"], "`--timeout`: expected a number > 0, got `a`", "run `"),
    (["verify", "x", "--seed", "-1"], "`--seed`: expected an integer >= 0, got `-1`", "run `"),
    (["verify", "x", "--batch", "1"], "`--batch`: expected an integer >= 2, got `1`", "run `"),
    (["verify", "x", "--batch", "a"], "`--batch`: expected an integer >= 2, got `a`", "run `"),
    (["verify", "x", "--seed", "a"], "`--seed`: expected an integer >= 0, got `a`", "run `"),
    (["explain", "foo"], "unknown code `foo`", "`inception-dsl explain` lists all codes"),
    (["new", "my net"], "invalid name: `my net`", "write `my_net`"),
    (["check", "x", "--set", "a"], "`--set`: expected NAME=VALUE, got `a`", "`--set classes=10`"),
    (["check", "x", "--set", "a=1", "--set", "a=2"], "`a` is set more than once", "remove all"),
    (["check", "x", "--root", "/no/folder"], "`--root`: directory `/no/folder` does not", "run"),
    (["new", "class"], "invalid name: `class`", "run `inception-dsl new --help`"),
    (["ops", "convbn"], "unknown op `convbn`", "did you mean `conv_bn`?"),
    (["explain", "E4O2"], "unknown code `E4O2`", "did you mean `E402`?"),
]
ARGUMENTS = [
    (["check"], "missing argument `SPEC...`", "usage: `inception-dsl check [OPTIONS] SPEC...`"),
    (["summary"], "missing argument `SPEC...`", "usage: `inception-dsl summary [OPTIONS] SPEC"),
    (["explain", "a", "b"], "unexpected argument `b`", "usage: `inception-dsl explain [OPTIONS] ["),
    (["summary", "v1", "--depth", "0"], "invalid value for `--depth`", "a number from 1 up"),
    (["summary", "v1", "v2", "--depth", "2"], "need a single SPEC", "name one spec"),
    (["summary", "v1", "--expand", "inception_3"], "no step `inception_3`", "`inception_3b`"),
    (["summary", "v1", "--batch", "0"], "invalid value for `--batch`", "--help"),
    (["weights", "convert", "a", "b"], "missing argument `TARGET`", "SPEC SOURCE TARGET`"),
    (
        ["build", "a", "-b", "torch", "--all-backends"],
        "`--backend` and `--all-backends` cannot be used together",
        "run `inception-dsl build --help`",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "message", "help"), [*UNKNOWN_COMMANDS, *OPTIONS, *VALUES, *ARGUMENTS]
)
def test_usage_errors(arguments: list[str], message: str, help: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    first, *rest = result.stderr.splitlines()
    assert first.startswith("error: ")
    assert message in first
    assert all(line.startswith("  = help: ") for line in rest)
    assert help in "\n".join(rest)
    assert rest[-1].endswith("--help` for options and examples")
    assert "\x1b" not in result.output


def test_a_usage_error_is_coloured_as_diagnostics_are() -> None:
    plain = CliRunner().invoke(main, ["chek"], env={"FORCE_COLOR": None}).stderr
    painted = CliRunner().invoke(main, ["chek"], env={"FORCE_COLOR": "1", "NO_COLOR": None}).stderr
    assert painted.startswith("\x1b[1;31merror\x1b[0m")
    assert click.unstyle(painted) == plain


@pytest.mark.parametrize("arguments", [[], ["weights"]])
def test_without_a_command_the_help_is_shown(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert "Commands:" in result.output
    assert "error:" not in result.output
