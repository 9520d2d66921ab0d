"""Every kind of mistake: its code, its place, and a message that a reader of the spec understands."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from inception_dsl.cli import main
from inception_dsl.codes import CODES

HEAD = "network: n\ninput: {channels: 3, height: 32, width: 32}\n"
CASES = yaml.safe_load((Path(__file__).parent / "mistakes.yaml").read_text(encoding="utf-8"))
JARGON = re.compile(
    r"pydantic|validation error|Traceback|NoneType|KeyError|<class|ScalarNode|MappingNode|block mapping|flow (sequence|mapping)"
    r"|token|\bNone\b|\bdict\b|\bstr\b.*expected|unhashable|type=|input_value|literal_error"
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_a_mistake(case: dict[str, Any], write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    head = "" if case.get("whole") else HEAD
    path = write("", "spec.yaml")
    path.write_text(f"{head}{case['text']}\n" if case["text"] else "", encoding="utf-8")
    monkeypatch.chdir(path.parent)
    result = CliRunner().invoke(main, ["check", "spec.yaml"])
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    found = re.findall(r"^error\[(E\d{3})\]: (.+)\n  --> spec\.yaml:(\d+):(\d+)$", result.stderr, re.MULTILINE)
    skipped = head.count("\n") if any(int(line) > head.count("\n") for *_, line, _ in found) else 0
    assert [f"{code} {int(line) - skipped}:{column}" for code, _, line, column in found] == case["reports"], (
        result.stderr
    )
    assert result.stderr.count("error[") == len(found)
    assert not JARGON.search(result.stderr), result.stderr


def test_there_are_many_kinds() -> None:
    assert len(CASES) >= 100
    codes = {report.split()[0] for case in CASES for report in case["reports"]}
    elsewhere = {"E101", "E209", "E303", "E310", "E501", "E502", "E503", "E601", "E602", "E603"}
    elsewhere |= {"E701", "E702", "E703", "E704", "E705", "E706", "E711"}
    assert codes | elsewhere == set(CODES)


def test_a_block_that_is_defined_twice(write: Callable[..., Path]) -> None:
    write("block: a\nsteps: []\n", "a.yaml")
    spec = write(f"{HEAD}import: [a.yaml]\nblocks: {{a: {{steps: []}}}}\nbody: [{{use: a}}]\n")
    result = CliRunner().invoke(main, ["check", str(spec)])
    assert "error[E303]: the block `a` is defined twice" in result.stderr
    assert "here first" in result.stderr


def test_all_mistakes_of_all_specs_in_one_run(write: Callable[..., Path]) -> None:
    first = write(f"{HEAD}bodi: []\nbody: [{{op: x}}]\n", "a.yaml")
    second = write(f"{HEAD}title: [\n", "b.yaml")
    result = CliRunner().invoke(main, ["check", str(first), str(second)])
    assert result.stderr.count("error[") == 3
    assert result.stderr.endswith("\n3 errors\n")
