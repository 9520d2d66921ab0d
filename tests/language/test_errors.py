"""All kinds of errors: code, location, a message in plain words, and a fix that builds."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from click.testing import CliRunner

from inception_dsl import plugins
from inception_dsl.cli import main
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.codes import CODES, WARNINGS
from inception_dsl.diagnostics.report import Report
from inception_dsl.yaml.edits import apply

HEAD = "network: n\ninput: {channels: 3, height: 32, width: 32}\n"
CASES = yaml.safe_load((Path(__file__).parent / "errors.yaml").read_text(encoding="utf-8"))
JARGON = re.compile(
    r"pydantic|validation error|Traceback|NoneType|KeyError|<class|ScalarNode|MappingNode|block "
    r"mapping|flow (sequence|mapping)"
    r"|token|\bNone\b|\bdict\b|\bstr\b.*expected|unhashable|type=|input_value|literal_error"
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_an_error(
    case: dict[str, Any], write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    head = "" if case.get("whole") else HEAD
    path = write("", "spec.yaml")
    path.write_text(f"{head}{case['text']}\n" if case["text"] else "", encoding="utf-8")
    monkeypatch.chdir(path.parent)
    result = CliRunner().invoke(main, [case.get("command", "check"), "spec.yaml"])
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    found = re.findall(
        r"^error\[(E\d{3})\]: (.+)\n  --> spec\.yaml:(\d+):(\d+)$", result.stderr, re.MULTILINE
    )
    skipped = head.count("\n") if any(int(line) > head.count("\n") for *_, line, _ in found) else 0
    assert [f"{code} {int(line) - skipped}:{column}" for code, _, line, column in found] == case[
        "reports"
    ], result.stderr
    assert result.stderr.count("error[") == len(found)
    assert not JARGON.search(result.stderr), result.stderr


def test_all_codes_have_cases() -> None:
    assert len(CASES) >= 100
    codes = {report.split()[0] for case in CASES for report in case["reports"]}
    elsewhere = {
        "E101",
        "E209",
        "E211",
        "E303",
        "E310",
        "E317",
        "E501",
        "E502",
        "E503",
        "E601",
        "E602",
        "E603",
    }
    elsewhere |= {"E701", "E702", "E703", "E704", "E705", "E706", "E707", "E711", "E712"}
    assert codes | elsewhere == set(CODES) - set(WARNINGS)


def test_a_duplicate_block(write: Callable[..., Path]) -> None:
    write("block: a\nsteps: []\n", "a.yaml")
    spec = write(f"{HEAD}import: [a.yaml]\nblocks: {{a: {{steps: []}}}}\nbody: [{{use: a}}]\n")
    result = CliRunner().invoke(main, ["check", str(spec)])
    assert "error[E303]: duplicate block `a`" in result.stderr
    assert "first defined here" in result.stderr


def test_all_errors_of_all_specs_in_one_run(write: Callable[..., Path]) -> None:
    first = write(f"{HEAD}bodi: []\nbody: [{{op: x}}]\n", "a.yaml")
    second = write(f"{HEAD}title: [\n", "b.yaml")
    result = CliRunner().invoke(main, ["check", str(first), str(second)])
    assert result.stderr.count("error[") == 3
    assert result.stderr.endswith("\n3 errors\n")


MAX_LINES = 14
EXPECTED = re.compile(r"  # (E\d{3}) (\d+) (.+)$", re.MULTILINE)


class Case(NamedTuple):
    """A spec, further files, and the expected code, line, column, and part of the help."""

    why: str
    text: str
    files: dict[str, str]
    expected: tuple[str, int, int]
    help: str

    @property
    def by_hand(self) -> bool:
        return self.help.startswith("by hand: ")


def cases() -> list[Case]:
    found = []
    for path in sorted((Path(__file__).parent / "seeded").glob("*.txt")):
        for part in path.read_text(encoding="utf-8").split("=== ")[1:]:
            why, rest = part.split("\n", 1)
            text, *more = rest.split("\n--- ")
            if not re.match("network:|extends:", text):
                text = HEAD + text
            (match,) = EXPECTED.finditer(text)
            line = text[: match.start()].count("\n") + 1
            files = dict(m.split("\n", 1) for m in more)
            found.append(Case(why, text, files, (match[1], line, int(match[2])), match[3]))
    return found


SEEDED = cases()


def check(text: str, case: Case, write: Callable[..., Path]) -> tuple[Report, Any]:
    for name, body in case.files.items():
        write(body, name)
    report = Report()
    return report, compile_spec(write(text), {}, report)


@pytest.mark.parametrize("case", SEEDED, ids=lambda case: case.why)
def test_the_location_and_the_fix(case: Case, write: Callable[..., Path]) -> None:
    report, typed = check(case.text, case, write)
    shown = report.render()
    assert typed is None
    assert len(report.diagnostics) == 1, shown
    (found,) = report
    assert (found.code, found.span.line, found.span.column) == case.expected, shown
    assert shown.count("\n") < MAX_LINES, shown
    assert not JARGON.search(shown), shown
    if case.by_hand:
        assert found.fix == ()
        return
    assert case.help in found.help, shown
    assert {edit.span.file for edit in found.fix} == {found.span.file}, shown
    fixed = apply(case.text, found.fix)
    after, typed = check(fixed, case, write)
    assert typed is not None, f"{fixed}\n{after.render()}"
    ((plugin, backend),) = plugins.chosen(["torch"], after)
    assert plugins.emit(plugin, backend, typed, after), after.render()


def test_almost_all_seeded_errors_have_a_fix() -> None:
    assert len({case.why for case in SEEDED}) == len(SEEDED) >= 60
    assert sum(case.by_hand for case in SEEDED) * 12 <= len(SEEDED)
    assert len({case.expected[0] for case in SEEDED}) >= 15
