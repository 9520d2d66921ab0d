"""Every warning: where it is told and where not, what it says, how it is silenced and how it is printed."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result

import inception_dsl
from inception_dsl.cli import main
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.codes import CODES, WARNINGS
from inception_dsl.diagnostics.explain.explanations import explanations
from inception_dsl.diagnostics.formats import as_json, concise, github, sarif
from inception_dsl.diagnostics.report import COLOURED, MAX_SHOWN, Diagnostic, Report, Span
from inception_dsl.types.tensor import ShapeError
from inception_dsl.types.window import Window

HEAD = "network: n\ninput: {channels: 3, height: 32, width: 32}\n"
CASES = yaml.safe_load((Path(__file__).parent / "warnings.yaml").read_text(encoding="utf-8"))
BIASED = f"{HEAD}body: [{{op: conv, filters: 4, kernel_size: 1}}, {{op: batch_norm}}]\n"
Warned = Callable[..., list[Diagnostic]]


@pytest.fixture
def warned(write: Callable[..., Path]) -> Warned:
    """The warnings on the text of a spec without mistakes, in order."""

    def warned(text: str, name: str = "spec.yaml", **settings: str) -> list[Diagnostic]:
        report = Report()
        assert compile_spec(write(text, name), settings, report) is not None, report.render()
        return list(report)

    return warned


def places(found: list[Diagnostic]) -> list[str]:
    return [f"{d.code} {Path(d.span.file).name}:{d.span.line}:{d.span.column}" for d in found]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_a_warning(case: dict[str, Any], warned: Warned) -> None:
    head = "" if case.get("whole") else HEAD
    found = warned(f"{head}{case['text']}\n")
    assert [f"{d.code} {d.span.line - head.count(chr(10))}:{d.span.column}" for d in found] == case[
        "reports"
    ]


def test_each_has_cases_of_both_kinds() -> None:
    told = {report.split()[0] for case in CASES for report in case["reports"]}
    assert told == set(WARNINGS)
    assert sum(not case["reports"] for case in CASES) >= 50


# what they say


def test_sizes_that_lose_nothing(warned: Warned) -> None:
    (found,) = warned(f"{HEAD}body: [{{op: max_pool, kernel_size: 3, stride: 2, padding: valid}}]")
    assert (
        found.message
        == "`max_pool` leaves the last row and the last column of its 32x32 input unread"
    )
    assert found.help == "31x31 or 33x33 would lose nothing, nor would `padding: same`"
    step = "{op: conv, filters: 4, kernel_size: 3}"  # leaves the sizes, so those of the network are the same
    (found,) = warned(
        f"{HEAD}stem: [{step}]\nbody: [{{op: max_pool, kernel_size: 3, stride: 2, padding: valid}}]"
    )
    assert found.help == "31x31 or 33x33 would lose nothing, nor would `padding: same`"


def test_every_size_in_a_help_is_tried_out(warned: Warned) -> None:
    text = HEAD + (
        "stem: [{op: conv_bn, filters: 8, kernel_size: 3, stride: 2}, {op: zero_pad, padding: 1}]\n"
        "body: [{op: max_pool, kernel_size: 4, stride: 3, padding: valid}]"
    )
    tried = 0
    for size in range(20, 40):
        for found in warned(text.replace("32", str(size))):
            others = re.findall(r"(\d+)x\1", found.help.partition("(")[2].partition(")")[0])
            assert len(others) == 2, found.help
            for other in others:
                tried += 1
                assert warned(text.replace("32", other)) == []
    assert tried >= 10


@pytest.mark.parametrize(
    ("length", "window", "fits"),
    [(79, 40, "80"), (49, 40, "40 or 80"), (79, 50, "50 or 100"), (150, 100, "another size")],
)
def test_only_sizes_that_are_near(length: int, window: int, fits: str, warned: Warned) -> None:
    spec = f"network: n\ninput: {{channels: 3, length: {length}}}\n"
    (found,) = warned(
        f"{spec}body: [{{op: avg_pool, kernel_size: {window}, stride: {window}, padding: valid}}]"
    )
    assert found.help == f"{fits} would lose nothing, nor would `padding: same`"


def test_two_rows_and_gaps(warned: Warned) -> None:
    (found,) = warned(
        f"{HEAD}body: [{{op: max_pool, kernel_size: [3, 1], stride: [3, 2], padding: valid}}]"
    )
    assert (
        found.message
        == "`max_pool` leaves the last 2 rows and 16 of 32 columns of its 32x32 input unread"
    )
    assert found.help == "a `kernel_size` of at least the stride reads everything"


@pytest.mark.parametrize(("kernel", "stride"), list(product(range(1, 6), range(1, 5))))
def test_what_is_unread_is_what_no_window_reads(kernel: int, stride: int, warned: Warned) -> None:
    for size, pad, ceil in product(range(5, 13), ("valid", 1, 2), (False, True)):
        before = 0 if pad == "valid" else int(pad)
        window = Window(kernel, stride, 1, (before, before), ceil)
        if before > kernel // 2:
            continue
        try:
            outputs = window.output(size)
        except ShapeError:
            continue
        assert isinstance(outputs, int)
        read = {i * stride - before + k for i in range(outputs) for k in range(kernel)}
        unread = sorted(set(range(size)) - read)
        spec = f"network: n\ninput: {{channels: 3, length: {size}}}\nbody: [{{op: max_pool, kernel_size: {kernel}, "
        found = warned(f"{spec}stride: {stride}, padding: {pad}, ceil_mode: {str(ceil).lower()}}}]")
        assert bool(found) == bool(unread), (size, pad, ceil)
        if unread and unread[0] > max(read):
            word = "the last position" if len(unread) == 1 else f"the last {len(unread)} positions"
            assert word in found[0].message
        elif unread:
            assert f"{len(unread)} of {size} positions" in found[0].message


def test_branches_that_lose_the_same_are_one_warning(warned: Warned) -> None:
    pool = "{op: max_pool, kernel_size: 3, stride: 2, padding: valid}"
    (found,) = warned(
        f"{HEAD}body: [{{merge: concat, branches: {{a: [{pool}], b: [{pool}], c: [{pool}]}}}}]"
    )
    ((span, label),) = found.related
    assert (span.column, label) == (142, "and so do this and 1 more of the branches")


def test_the_worst_of_several_uses_with_the_way_to_it(warned: Warned) -> None:
    text = f"""{HEAD}blocks:
  pool: {{steps: [{{op: max_pool, kernel_size: 4, stride: 4, padding: valid}}]}}
  outer: {{steps: [{{use: pool}}]}}
stem: [{{op: conv_bn, filters: 8, kernel_size: 2, padding: valid}}]
body: [{{use: outer, name: a}}, {{use: outer, name: b}}]
"""
    (found,) = warned(text)
    assert (
        found.message
        == "`max_pool` leaves the last 3 rows and the last 3 columns of its 31x31 input unread"
    )
    file = found.span.file
    assert found.notes == (
        f"in: {file}:5:25, use of `pool`",
        f"in: {file}:7:14, use of `outer`",
        "the worst of 2 cases: other sizes or values have it too",
    )


def test_how_much_factors_save(warned: Warned) -> None:
    (found,) = warned(
        f"{HEAD}stem: [{{op: conv, filters: 32, kernel_size: 3}}]\nbody: [{{op: conv, filters: 32, kernel_size: 5}}]"
    )
    macs, whole = 1024 * 25 * 32 * 32, 1024 * (25 * 32 * 32 + 27 * 32)
    assert (
        found.message
        == f"this 5x5 `conv` takes {macs:,} multiply-adds, {100 * macs / whole:.1f}% of all"
    )
    saved = macs - 2 * 1024 * 9 * 32 * 32
    assert found.help == (
        f"two with `kernel_size: 3` and `kernel_size: 3`, and 32 filters between them, save {saved:,} (28.0%)"
    )


def test_how_much_factors_of_a_7x7_save_in_several_uses(warned: Warned) -> None:
    text = f"""{HEAD}blocks: {{b: {{params: {{n: int}}, steps: [{{op: conv_bn, filters: $n, kernel_size: 7, padding: valid}}]}}}}
stem: [{{op: conv, filters: 16, kernel_size: 3}}]
body: [{{use: b, name: a, n: 64}}, {{use: b, name: c, n: 16}}]
"""
    (found,) = warned(text)
    macs = 49 * (26 * 26 * 16 * 64 + 20 * 20 * 64 * 16)
    left = 7 * (26 * 32 * 16 * 32 + 26 * 26 * 32 * 64) + 7 * (20 * 26 * 64 * 32 + 20 * 20 * 32 * 16)
    assert f"takes {macs:,} multiply-adds in its 2 uses, " in found.message
    assert found.help.startswith(
        "two with `kernel_size: [1, 7]` and `kernel_size: [7, 1]`, and 32 filters between them, "
    )
    assert found.help.endswith(f"save {macs - left:,} ({100 * (macs - left) / macs:.1f}%)")


def test_how_many_parameters_have_no_effect(warned: Warned) -> None:
    text = f"{HEAD}blocks: {{b: {{steps: [{{op: conv, filters: 12, kernel_size: 1, use_bias: true}}, {{op: batch_norm}}]}}}}\n"
    (found,) = warned(f"{text}body: [{{use: b, repeat: 5}}]")
    assert found.message.endswith(": 60 parameters")
    assert [edit.text for edit in found.fix] == ["false"]


def test_helps_are_steps_that_warn_no_more(warned: Warned) -> None:
    stem = "stem: [{op: conv, filters: 8, kernel_size: 3}]\n"
    for more in ("", ", padding: valid", ", padding: [[1, 0], [1, 1]]"):
        pool = f"{{op: max_pool, kernel_size: [3, 3], stride: [1, 2]{more}}}"
        found = warned(f"{HEAD}{stem}body: [{pool}, {{op: conv, filters: 16, kernel_size: 3}}]")
        (told,) = [d for d in found if d.code == "W405"]
        step = told.help.split("`")[1]
        after = warned(f"{HEAD}{stem}body: [{step}, {{op: conv, filters: 16, kernel_size: 3}}]")
        assert "W405" not in {d.code for d in after}
    text = f"{HEAD}stem: [{{op: dense, units: 1001}}]\nbody: [{{merge: add, branches: {{s: [], r: [{{op: dense, units: 1001}}]}}}}]"
    (found,) = warned(text)
    assert found.help == "end `r` with `{op: scale, value: 0.2}`"
    assert warned(text.replace("1001}]}", "1001}, {op: scale, value: 0.2}]}")) == []


# silencing


@pytest.mark.parametrize("code", [code for code in WARNINGS if code != "W303"])
def test_a_file_allows_any(code: str, warned: Warned, write: Callable[..., Path]) -> None:
    example = explanations()[code]
    for name, text in example.files.items():
        write(text, name)
    assert {d.code for d in warned(example.wrong)} == {code}
    assert warned(f"allow: [{code}]\n{example.wrong}") == []
    assert warned(example.wrong, allow=f"[{code}]") == []
    other = next(c for c in WARNINGS if c not in (code, "W303"))
    assert {d.code for d in warned(f"allow: [{other}]\n{example.wrong}")} == {code, "W303"}


LEVELS = {
    "the step": "{op: conv, filters: 4, kernel_size: 1, allow: [W404]}, {op: batch_norm}",
    "the fork": "{merge: add, allow: [W404], branches: {a: [{op: conv, filters: 4, kernel_size: 1}, {op: batch_norm}]}}",
    "a fork around it": "{merge: add, allow: [W404], branches: {b: [{merge: add, branches: "
    "{a: [{op: conv, filters: 4, kernel_size: 1}, {op: batch_norm}]}}]}}",
    "the use": "{use: biased, allow: [W404]}",
    "a use around it": "{use: outer, allow: [W404]}",
    "a repeated use": "{use: biased, allow: [W404], repeat: 3}",
    "the block": "{use: quiet}",
}


@pytest.mark.parametrize("level", LEVELS)
def test_levels(level: str, warned: Warned) -> None:
    blocks = f"""{HEAD}blocks:
  biased: {{steps: [{{op: conv, filters: 3, kernel_size: 1}}, {{op: batch_norm}}]}}
  outer: {{steps: [{{use: biased}}]}}
  quiet: {{allow: [W404], steps: [{{use: biased}}]}}
allow: [W302]
"""
    assert [d.code for d in warned(f"{blocks}body: [{LEVELS[level]}]") if d.code != "W303"] == []
    open_again = LEVELS[level].replace(", allow: [W404]", "").replace("quiet", "outer")
    assert [d.code for d in warned(f"{blocks}body: [{open_again}]") if d.code != "W303"] == ["W404"]


def test_an_auxiliary_head_allows(warned: Warned) -> None:
    text = (
        f"{HEAD}body: [{{op: identity, name: a}}]\n"
        "aux_heads: {h: {after: a, loss_weight: 1, allow: [W404], steps: [{op: dense, units: 5}, {op: batch_norm}]}}"
    )
    assert warned(text) == []
    assert [d.code for d in warned(text.replace("allow: [W404], ", ""))] == ["W404"]


def test_one_use_allows_what_another_does_not(warned: Warned) -> None:
    text = f"""{HEAD}blocks: {{b: {{steps: [{{op: conv, filters: 5, kernel_size: 1}}, {{op: batch_norm}}]}}}}
body:
  - {{use: b, name: a, repeat: 9, allow: [W404]}}
  - {{use: b, name: c}}
"""
    (found,) = warned(text)
    assert found.message.endswith(": 5 parameters"), "only those of the second use"
    assert found.notes == (f"in: {found.span.file}:6:11, use of `b`",)


def test_an_imported_file_allows_for_itself(warned: Warned, write: Callable[..., Path]) -> None:
    block = "block: b\nsteps: [{op: conv, filters: 4, kernel_size: 1}, {op: batch_norm}]\n"
    spec = f"{HEAD}import: [b.yaml]\nbody: [{{use: b}}]\n"
    write(block, "b.yaml")
    assert places(warned(spec)) == ["W404 b.yaml:2:14"]
    write(f"allow: [W404]\n{block}", "b.yaml")
    assert warned(spec) == []
    write(f"allow: [W404, W401]\n{block}", "b.yaml")
    assert warned(spec) == [], "what a block allows may be of use in another network"
    assert places(warned(f"{spec}params: {{p: {{type: int, default: 1}}}}\n")) == [
        "W301 spec.yaml:5:10"
    ]


# extends and import


BASE = """network: base
input: {channels: 3, height: 32, width: 32}
import: [b.yaml]
params: {n: {type: int, default: 4}}
allow: [W405]
blocks:
  tower: {params: {k: int}, steps: [{op: conv, name: conv, filters: $k, kernel_size: 1}, {op: batch_norm}]}
body:
  - {op: dense, name: wide, units: $n}
  - {use: tower, k: 4}
  - {use: b}
  - {op: conv, name: c, filters: 4, kernel_size: 1}
  - {op: max_pool, name: p, kernel_size: 3, stride: 2}
  - {op: dense, name: d, units: 8}
"""


@pytest.fixture
def base(write: Callable[..., Path]) -> None:
    write(BASE, "base.yaml")
    write(
        "block: b\nparams: {k: {type: int, default: 3}}\nsteps: [{op: dense, units: $k}]\n",
        "b.yaml",
    )


@pytest.mark.usefixtures("base")
def test_what_a_spec_takes_over_it_need_not_use(warned: Warned) -> None:
    assert places(warned(BASE)) == ["W303 spec.yaml:5:9", "W404 spec.yaml:7:42"]
    more = "extends: base.yaml\nbody: {wide: null, b: null, tower: null}\n"
    assert warned(more) == []
    assert (
        warned(
            "extends: base.yaml\nblocks: {tower: {steps: {conv: {filters: 4, use_bias: false}}}}\n"
        )
        == []
    )


@pytest.mark.usefixtures("base")
def test_what_a_spec_adds_is_its_own(warned: Warned) -> None:
    text = "extends: base.yaml\nparams: {m: {type: int, default: 1}}\nblocks: {mine: {steps: []}, tower: {allow: [W404]}}\n"
    assert places(warned(text)) == ["W301 spec.yaml:2:10", "W302 spec.yaml:3:10"]
    assert places(warned("extends: base.yaml\nallow: [W404, W402]\n")) == ["W303 spec.yaml:2:15"]
    assert warned("extends: base.yaml\nallow: [W404]\n") == []
    assert places(
        warned("extends: base.yaml\nbody: {c: {allow: [W404]}, tower: {allow: [W404]}}\n")
    ) == ["W303 spec.yaml:2:20"]


@pytest.mark.usefixtures("base")
def test_a_block_that_is_imported_and_changed_is_told_once(warned: Warned) -> None:
    text = "extends: base.yaml\nimport: [b.yaml]\nblocks: {b: {title: x}}\nbody: {b: null}\nallow: [W404]\n"
    assert places(warned(text)) == ["W302 spec.yaml:3:10"]


@pytest.mark.usefixtures("base")
def test_settings_change_nothing_about_whose_lines_they_are(warned: Warned) -> None:
    assert places(warned(BASE, classes="5")) == ["W303 spec.yaml:5:9", "W404 spec.yaml:7:42"]
    assert places(warned("extends: base.yaml\n", classes="5")) == ["W404 base.yaml:7:42"]
    assert places(warned(BASE, allow="[W401, W404]")) == ["W303 --set allow:1:2"]


@pytest.mark.usefixtures("base")
def test_an_imported_file_that_is_not_used(warned: Warned, write: Callable[..., Path]) -> None:
    write(
        "block: c\nimport: [b.yaml]\nblocks: {d: {steps: []}, e: {steps: []}}\nsteps: [{use: d}]\n",
        "c.yaml",
    )
    spec = f"{HEAD}import: [b.yaml, c.yaml]\n"
    assert places(warned(f"{spec}body: [{{op: identity}}]\n")) == [
        "W302 spec.yaml:3:10",
        "W302 spec.yaml:3:18",
    ]
    assert places(warned(f"{spec}body: [{{use: b}}, {{use: c}}]\n")) == ["W302 c.yaml:3:26"]
    assert places(warned(f"{spec}body: [{{use: b}}, {{use: d}}]\n")) == ["W302 c.yaml:3:26"]
    only_c = spec.replace("b.yaml, ", "")
    assert places(warned(f"{only_c}body: [{{use: c}}]\n")) == [
        "W302 c.yaml:2:10",
        "W302 c.yaml:3:26",
    ]
    assert places(warned(f"{only_c}body: [{{use: b}}]\n")) == ["W302 c.yaml:3:26"], (
        "c, which nothing uses, uses d"
    )


def test_an_import_that_brings_what_another_brings(
    warned: Warned, write: Callable[..., Path]
) -> None:
    write("block: b\nsteps: [{op: identity}]\n", "b.yaml")
    write("block: c\nimport: [b.yaml]\nsteps: [{use: b}]\n", "c.yaml")
    write("block: d\nimport: [b.yaml]\nsteps: [{use: b}]\n", "d.yaml")
    assert places(warned(f"{HEAD}import: [b.yaml, c.yaml]\nbody: [{{use: b}}]\n")) == [
        "W302 spec.yaml:3:18"
    ]
    assert places(warned(f"{HEAD}import: [c.yaml, d.yaml]\nbody: [{{use: b}}]\n")) == [
        "W302 spec.yaml:3:10"
    ]
    assert warned(f"{HEAD}import: [c.yaml]\nbody: [{{use: b}}]\n") == []
    assert places(warned(f"{HEAD}import: [b.yaml, c.yaml]\nbody: [{{use: c}}]\n")) == []


def test_shipped_specs_and_the_starter_have_none(root: Path, tmp_path: Path) -> None:
    specs = [
        str(p)
        for folder in ("specs", "specs/published")
        for p in sorted((root / folder).glob("*.yaml"))
    ]
    assert CliRunner().invoke(main, ["new", "my_net", "--out", str(tmp_path)]).exit_code == 0
    result = CliRunner().invoke(main, ["check", "--strict", *specs, str(tmp_path / "my_net.yaml")])
    assert result.exit_code == 0, result.output
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("[W44]", "`W44` is not the code of a warning", "did you mean `W40"),
        ("[w404]", "`w404` is not the code of a warning", "did you mean `W404`?"),
        ("[E401]", "`E401` is a mistake, which nothing can allow", ""),
        ("[bias]", "`bias` is not the code of a warning", "codes: W301, W302, "),
        ("[[W404]]", "the list `[W404]` is not the code of a warning", "codes: W301, W302, "),
        ("W404", "expected a list of codes, found `W404`", "write `[W404]`"),
        ("{W404: true}", "expected a list of codes, found a mapping", ""),
    ],
)
def test_codes_are_known(
    text: str, message: str, help: str, mistakes: Callable[..., Report]
) -> None:
    (found,) = mistakes(f"{HEAD}allow: {text}\nbody: [{{op: identity}}]\n")
    assert (found.code, found.span.line, found.message) == ("E203", 3, message)
    assert found.help.startswith(help)
    assert bool(found.help) == bool(help)
    (found,) = mistakes(f"{HEAD}body: [{{op: identity, allow: {text}}}]\n")
    assert (found.code, found.message) == ("E203", message)


# printing


def both() -> Report:
    report = Report(texts={"a.yaml": "one: 1\ntwo: 2\n"})
    report.warning("W401", "rows", Span("a.yaml", 1, 6, 1, 7), help="pad", notes=["in: b"])
    report.error("E203", "wrong", Span("a.yaml", 2, 6, 2, 7))
    report.error("E201", "unknown", Span("a.yaml", 1, 1, 1, 4))
    return report


def test_text_has_both_by_place() -> None:
    report = both()
    assert report.render() == (
        "error[E201]: unknown\n  --> a.yaml:1:1\n  |\n1 | one: 1\n  | ^^^\n\n"
        "warning[W401]: rows\n  --> a.yaml:1:6\n  |\n1 | one: 1\n  |      ^\n  = in: b\n  = help: pad\n\n"
        "error[E203]: wrong\n  --> a.yaml:2:6\n  |\n2 | two: 2\n  |      ^"
    )
    assert report.counted() == "2 errors, 1 warning"
    assert not report.ok


def test_warnings_have_a_colour_of_their_own() -> None:
    painted = both().render(COLOURED)
    assert click.unstyle(painted) == both().render()
    assert "\x1b[1;33mwarning[W401]\x1b[0m\x1b[1m: rows" in painted
    assert "\x1b[1;33m^\x1b[0m" in painted
    assert "\x1b[1;31merror[E201]\x1b[0m" in painted
    assert "\x1b[1;31m^^^\x1b[0m" in painted


def test_mistakes_are_shown_before_warnings_where_there_is_no_room() -> None:
    report = Report()
    for line in range(1, MAX_SHOWN + 1):
        report.warning("W401", "x", Span("a", line, 1, line, 2))
    report.error("E201", "y", Span("z", 1, 1, 1, 2))
    shown = report.render()
    assert shown.count("warning[") == MAX_SHOWN - 1
    assert shown.endswith("error[E201]: y\n  --> z:1:1\n\nand 1 more")
    assert report.counted() == f"1 error, {MAX_SHOWN} warnings"


def test_the_same_warning_is_kept_once() -> None:
    report = both()
    report.warning("W401", "rows", Span("a.yaml", 1, 6, 1, 7))
    assert len(report.warnings) == 1


def test_formats_for_programs() -> None:
    report = both()
    assert concise(report).splitlines()[1] == "a.yaml:1:6: warning[W401]: rows"
    assert [(d["severity"], d["code"]) for d in json.loads(as_json(report))] == [
        ("error", "E201"),
        ("warning", "W401"),
        ("error", "E203"),
    ]
    assert (
        github(report)
        .splitlines()[1]
        .startswith("::warning file=a.yaml,line=1,col=6,endLine=1,endColumn=7,title=W401::rows%0A")
    )
    (one,) = json.loads(sarif(report, "1.2.3"))["runs"]
    assert [(r["ruleId"], r["level"]) for r in one["results"]] == [
        ("E201", "error"),
        ("W401", "warning"),
        ("E203", "error"),
    ]
    assert {"id": "W401", "shortDescription": {"text": CODES["W401"]}} in one["tool"]["driver"][
        "rules"
    ]


Run = Callable[..., Result]


@pytest.fixture
def run(write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    write(BIASED, "biased.yaml")
    write(BIASED.replace("batch_norm", "identity"), "good.yaml")
    write(BIASED.replace("filters", "filtres"), "bad.yaml")
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


def test_check_prints_them_and_is_content(run: Run) -> None:
    result = run("check", "biased.yaml")
    assert result.exit_code == 0
    assert result.stdout == "biased.yaml: ok\n"
    assert result.stderr.startswith("warning[W404]: the bias of this `conv` has no effect")
    assert result.stderr.endswith("\n\n1 warning\n")


def test_check_strict(run: Run) -> None:
    assert run("check", "--strict", "good.yaml").exit_code == 0
    result = run("check", "--strict", "biased.yaml")
    assert result.exit_code == 1
    assert "warning[W404]" in result.stderr
    assert run("check", "--strict", "biased.yaml", "--set", "allow=[W404]").exit_code == 0


def test_mistakes_and_warnings_of_several_specs(run: Run) -> None:
    result = run("check", "biased.yaml", "bad.yaml")
    assert result.exit_code == 1
    assert result.stderr.endswith("\n\n1 error, 1 warning\n")
    found = json.loads(run("check", "biased.yaml", "bad.yaml", "--format", "json").stdout)
    assert [(d["code"], d["file"]) for d in found] == [
        ("E201", "bad.yaml"),
        ("W404", "biased.yaml"),
    ]
    assert "error[E201]" in run("build", "biased.yaml", "bad.yaml", "--backend", "torch").stderr


@pytest.mark.parametrize("name", ["concise", "json", "github", "sarif"])
def test_check_prints_every_format_to_standard_output(name: str, run: Run) -> None:
    result = run("check", "biased.yaml", "--format", name)
    assert result.exit_code == 0
    assert "W404" in result.stdout
    assert result.stderr == ""


def test_build_does_what_it_was_asked_to(run: Run) -> None:
    result = run("build", "biased.yaml", "--backend", "torch", "--out", "out")
    assert result.exit_code == 0
    assert result.stdout == "out/torch/biased.py\n"
    assert result.stderr.endswith("\n\n1 warning\n")
    again = run(
        "build", "biased.yaml", "--backend", "torch", "--out", "out", "--check", "--format", "json"
    )
    assert again.exit_code == 0
    assert again.stdout == ""
    assert [d["code"] for d in json.loads(again.stderr)] == ["W404"]


def test_summaries_for_people_and_programs(run: Run) -> None:
    shown = run("summary", "biased.yaml")
    assert shown.exit_code == 0
    assert shown.stdout == run("summary", "biased.yaml", "--set", "allow=[W404]").stdout
    assert "warning[W404]" in shown.stderr
    quiet = run("summary", "biased.yaml", "--json")
    assert json.loads(quiet.stdout)["name"] == "n"
    assert quiet.stderr == ""
    assert run("summary", "good.yaml", "--format", "json").stderr == ""


def test_commands_on_weights_print_them_too(run: Run) -> None:
    result = run("weights", "init", "biased.yaml")
    assert result.exit_code == 0
    assert result.stdout.startswith("biased.safetensors: ")
    assert result.stderr.count("warning[W404]") == 1


def test_from_python(write: Callable[..., Path]) -> None:
    path = write(BIASED)
    with pytest.warns(
        inception_dsl.SpecWarning,
        match=r"spec\.yaml:3:13: W404: the bias of .*; write `use_bias: false`",
    ) as seen:
        network = inception_dsl.load(path)
    assert len(seen) == 1
    assert seen[0].filename == __file__
    (found,) = network.warnings
    assert (found.code, found.severity, found.span.line) == ("W404", "warning", 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert inception_dsl.load(path, allow=["W404"]).warnings == ()
        with pytest.raises(inception_dsl.SpecWarning):
            inception_dsl.load(path)
