"""The commands that warnings advise: each is followed, and works."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from inception_dsl.cli import main
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report

HEAD = """\
network: net
input: {channels: 32, height: 16, width: 16}
stem: [{op: conv_bn, filters: 48, kernel_size: 3}]
head: [{op: global_avg_pool}, {op: dense, units: 10}]
"""
LARGE = "op: conv_bn, filters: 48, kernel_size: 5"
USES = "body: [{use: b, name: p, k: 5}, {use: b, name: q, k: %s}]"
SIZED = f"blocks: {{b: {{params: {{k: int}}, steps: [{{{LARGE[:-1]}$k}}]}}}}\n{USES}"
INSIDE = f"blocks: {{b: {{steps: [{{{LARGE}, name: x}}, {{{LARGE}, name: y, weights: x}}]}}}}\n"
POOL = "{op: max_pool, kernel_size: 3, stride: 2}"
WIDE = "{op: conv_bn, filters: 512, kernel_size: 1}"
ADVISED = {
    "a step": (f"body: [{{{LARGE}, name: x}}]", ["--at x"]),
    "shared weights": (
        f"body: [{{{LARGE}, name: x}}, {{{LARGE}, name: y, weights: x}},"
        f" {{{LARGE}, name: z, weights: y}}]",
        ["--at x --at y --at z"] * 3,
    ),
    "shared weights of branches": (
        f"body: [{{merge: add, branches: {{a: [{{{LARGE}}}], b: [{{{LARGE}, weights: a}}]}}}}]",
        ["--at body/a --at body/b"] * 2,
    ),
    "shared weights in a block, and of it": (
        f"{INSIDE}body: [{{use: b, name: p}}, {{use: b, name: q, weights: p}}]",
        ["--at b/x --at b/y"] * 2,
    ),
    "an alias": (f"body: [&a {{{LARGE}}}, {{op: max_pool, kernel_size: 3}}, *a]", ["--at body/0"]),
    "the same kernel in all uses": (SIZED % 5, ["--at b"]),
    "a pool of a block": (
        f"blocks: {{r: {{steps: [{POOL}, {WIDE}]}}}}\nbody: [{{use: r, name: a}}]",
        ["--at r/0"],
    ),
}
NOT_ADVISED = {
    "a repeated step": f"body: [{{{LARGE}, repeat: 2}}]",
    "another kernel in a use": SIZED % 7,
    "other padding at one side": f"body: [{{{LARGE}, padding: [[1, 2], [2, 2]]}}]",
    "a block that another one extends": (
        f"blocks: {{b: {{steps: [{{{LARGE}}}]}},"
        " c: {extends: b, steps: {0: {filters: 64}}}}\n"
        "body: [{use: b}, {use: c}]"
    ),
    "a pool without a stride": (
        f"body: [{{op: max_pool, kernel_size: 3, padding: valid}}, {WIDE}]"
    ),
}
"""Changes that ``rewrite`` refuses: the warning has no command."""


def advised(path: Path, root: Path | None = None, **settings: str) -> list[list[str]]:
    """The commands in the warnings on a spec."""
    report = Report()
    assert compile_spec(path, settings, report, root) is not None, report.render()
    assert report.warnings
    found = (re.search(r"run `inception-dsl (.*)`", warning.help) for warning in report.warnings)
    return [shlex.split(match[1]) for match in found if match]


def follow(command: list[str]) -> None:
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("why", ADVISED)
def test_what_is_advised_can_be_done(why: str, write: Callable[..., Path]) -> None:
    text, wanted = ADVISED[why]
    commands = advised(write(HEAD + text))
    assert [" ".join(command[3:]) for command in commands] == wanted
    for command in commands:
        follow(command)


@pytest.mark.parametrize("why", NOT_ADVISED)
def test_what_cannot_be_done_is_not_advised(why: str, write: Callable[..., Path]) -> None:
    assert advised(write(HEAD + NOT_ADVISED[why])) == []


def test_the_command_has_the_options_with_which_the_spec_was_read(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(f"block: large\nparams: {{n: int}}\nsteps: [{{{LARGE[:-1]}$n}}]", "blocks/large.yaml")
    text = HEAD + "params: {n: int}\nimport: [../blocks/large.yaml]\nbody: [{use: large, n: $n}]"
    path = write(text, "a b/net.yaml")
    monkeypatch.chdir(tmp_path)
    for file, root in ((path, str(tmp_path)), (path.relative_to(tmp_path), ".")):
        (command,) = advised(file, tmp_path, n="5")
        assert command[1] == str(file)
        assert command[3:] == ["--at", "large", "--set", "n=5", "--root", root]
        follow(command)


def test_a_setting_by_position_has_no_command(write: Callable[..., Path]) -> None:
    path = write(f"{HEAD}body: [{{{LARGE}}}, {{op: max_pool, kernel_size: 3}}]")
    assert advised(path, **{"body.1.kernel_size": "5"}) == []
