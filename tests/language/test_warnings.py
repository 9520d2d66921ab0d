"""All warnings: when they are reported, and their texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from warned import HEAD, Warned

from inception_dsl.cli import main
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.codes import WARNINGS
from inception_dsl.diagnostics.report import Report
from inception_dsl.types.tensor import ShapeError
from inception_dsl.types.window import Window

CASES = yaml.safe_load((Path(__file__).parent / "warnings.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_a_warning(case: dict[str, Any], warned: Warned) -> None:
    head = "" if case.get("whole") else HEAD
    settings = {"input": case["input"]} if "input" in case else {}
    found = warned(f"{head}{case['text']}\n", **settings)
    assert [f"{d.code} {d.span.line - head.count(chr(10))}:{d.span.column}" for d in found] == case[
        "reports"
    ]


def test_each_warning_has_cases_with_and_without() -> None:
    reported = {report.split()[0] for case in CASES for report in case["reports"]}
    assert reported == {code for code in WARNINGS if code < "W5"}  # others are not of `check`
    assert sum(not case["reports"] for case in CASES) >= 50


# texts


def test_input_sizes_that_are_read_completely(warned: Warned) -> None:
    (found,) = warned(f"{HEAD}body: [{{op: max_pool, kernel_size: 3, stride: 2, padding: valid}}]")
    assert (
        found.message
        == "`max_pool` does not read the last row and the last column of its 32x32 input"
    )
    assert found.help == "use `padding: same`, or an input of 31x31 or 33x33"
    # a step that keeps the size, so the size of the network's input is the same
    step = "{op: conv, filters: 4, kernel_size: 3}"
    (found,) = warned(
        f"{HEAD}stem: [{step}]\nbody: [{{op: max_pool, kernel_size: 3, stride: 2, padding: valid}}]"
    )
    assert found.help == "use `padding: same`, or an input of 31x31 or 33x33"


def test_every_size_in_a_help_has_no_warning(warned: Warned) -> None:
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
    "steps",
    [
        "{op: max_pool, kernel_size: 2, stride: 2, padding: valid, repeat: 3}",
        "{op: max_pool, kernel_size: 3, stride: 2, padding: valid, repeat: 2}",
        "{op: conv, filters: 2, kernel_size: 3, stride: 2, padding: valid}, "
        "{op: max_pool, kernel_size: 2, stride: 2, padding: valid}",
    ],
)
def test_a_suggested_size_does_not_warn_again(steps: str, warned: Warned) -> None:
    """Neither in a layer before, nor in a later repetition of the step."""
    tried = 0
    for size in range(20, 50):
        for found in warned(f"{HEAD.replace('32', str(size))}body: [{steps}]"):
            text = found.help.partition("(")[2] or found.help
            for other in re.findall(r"(\d+)x\1", text):
                again = warned(f"{HEAD.replace('32', other)}body: [{steps}]")
                assert found.span not in [one.span for one in again], (size, other)
                tried += 1
    assert tried >= 20


@pytest.mark.parametrize(
    ("length", "window", "fits"),
    [(79, 40, "80"), (49, 40, "40 or 80"), (79, 50, "50 or 100"), (150, 100, "another size")],
)
def test_only_similar_sizes_are_suggested(
    length: int, window: int, fits: str, warned: Warned
) -> None:
    spec = f"network: n\ninput: {{channels: 3, length: {length}}}\n"
    (found,) = warned(
        f"{spec}body: [{{op: avg_pool, kernel_size: {window}, stride: {window}, padding: valid}}]"
    )
    assert found.help == f"use `padding: same`, or an input of {fits}"


def test_two_rows_and_gaps(warned: Warned) -> None:
    (found,) = warned(
        f"{HEAD}body: [{{op: max_pool, kernel_size: [3, 1], stride: [3, 2], padding: valid}}]"
    )
    assert (
        found.message
        == "`max_pool` does not read the last 2 rows and 16 of 32 columns of its 32x32 input"
    )
    assert found.help == "use a `kernel_size` of at least the stride"


@pytest.mark.parametrize(("kernel", "stride"), list(product(range(1, 6), range(1, 5))))
def test_unread_pixels_against_brute_force(kernel: int, stride: int, warned: Warned) -> None:
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
        spec = (
            f"network: n\n"
            f"input: {{channels: 3, length: {size}}}\n"
            f"body: [{{op: max_pool, kernel_size: {kernel}, "
        )
        found = warned(f"{spec}stride: {stride}, padding: {pad}, ceil_mode: {str(ceil).lower()}}}]")
        assert bool(found) == bool(unread), (size, pad, ceil)
        if unread and unread[0] > max(read):
            word = "the last position" if len(unread) == 1 else f"the last {len(unread)} positions"
            assert word in found[0].message
        elif unread:
            assert f"{len(unread)} of {size} positions" in found[0].message


def test_branches_that_lose_the_same_pixels_are_one_warning(warned: Warned) -> None:
    pool = "{op: max_pool, kernel_size: 3, stride: 2, padding: valid}"
    (found,) = warned(
        f"{HEAD}body: [{{merge: concat, branches: {{a: [{pool}], b: [{pool}], c: [{pool}]}}}}]"
    )
    ((span, label),) = found.related
    assert (span.column, label) == (142, "this and 1 more branches do not read them either")


def test_the_worst_of_several_uses_is_reported(warned: Warned) -> None:
    text = f"""{HEAD}blocks:
  pool: {{steps: [{{op: max_pool, kernel_size: 4, stride: 4, padding: valid}}]}}
  outer: {{steps: [{{use: pool}}]}}
stem: [{{op: conv_bn, filters: 8, kernel_size: 2, padding: valid}}]
body: [{{use: outer, name: a}}, {{use: outer, name: b}}]
"""
    (found,) = warned(text)
    assert (
        found.message
        == "`max_pool` does not read the last 3 rows and the last 3 columns of its 31x31 input"
    )
    file = found.span.file
    assert found.notes == (
        f"in: {file}:5:25, use of `pool`",
        f"in: {file}:7:14, use of `outer`",
        "the worst of 2 cases with different shapes or arguments",
    )


def test_the_savings_of_a_factorization(warned: Warned) -> None:
    (found,) = warned(
        f"{HEAD}stem: [{{op: conv, filters: 32, kernel_size: 3}}]\n"
        f"body: [{{op: conv, filters: 32, kernel_size: 5}}]"
    )
    macs, whole = 1024 * 25 * 32 * 32, 1024 * (25 * 32 * 32 + 27 * 32)
    assert (
        found.message
        == f"this 5x5 `conv` takes {macs:,} multiply-adds, {100 * macs / whole:.1f}% of the total"
    )
    saved = macs - 2 * 1024 * 9 * 32 * 32
    assert found.help == (
        f"use two convolutions, `kernel_size: 3` and `kernel_size: 3`, with 32 filters between "
        f"them: this saves {saved:,} multiply-adds (28.0%)"
        f"; to do so, run `inception-dsl rewrite {found.span.file} factorise-5x5 --at body`"
    )


def test_the_savings_of_a_factorized_7x7_in_several_uses(warned: Warned) -> None:
    text = f"""{HEAD}blocks: {{b: {{params: {{n: int}},
        steps: [{{op: conv_bn, filters: $n, kernel_size: 7, padding: valid}}]}}}}
stem: [{{op: conv, filters: 16, kernel_size: 3}}]
body: [{{use: b, name: a, n: 64}}, {{use: b, name: c, n: 16}}]
"""
    (found,) = warned(text)
    macs = 49 * (26 * 26 * 16 * 64 + 20 * 20 * 64 * 16)
    left = 7 * (26 * 32 * 16 * 32 + 26 * 26 * 32 * 64) + 7 * (20 * 26 * 64 * 32 + 20 * 20 * 32 * 16)
    assert f"takes {macs:,} multiply-adds in its 2 uses, " in found.message
    assert found.help.startswith(
        "use two convolutions, `kernel_size: [1, 7]` and `kernel_size: [7, 1]`, with 32 filters "
    )
    saved = f"{macs - left:,} multiply-adds ({100 * (macs - left) / macs:.1f}%)"
    assert f"saves {saved}; to do so, run `inception-dsl rewrite " in found.help


def test_the_number_of_parameters_without_effect(warned: Warned) -> None:
    text = (
        f"{HEAD}blocks: {{b: {{steps: [{{op: conv, filters: 12, kernel_size: 1, "
        f"use_bias: true}}, {{op: batch_norm}}]}}}}\n"
    )
    (found,) = warned(f"{text}body: [{{use: b, repeat: 5}}]")
    assert found.message.endswith(": 60 parameters")
    assert [edit.text for edit in found.fix] == ["false"]


def test_suggested_steps_have_no_warning(warned: Warned) -> None:
    stem = "stem: [{op: conv, filters: 8, kernel_size: 3}]\n"
    for more in ("", ", padding: valid", ", padding: [[1, 0], [1, 1]]"):
        pool = f"{{op: max_pool, kernel_size: [3, 3], stride: [1, 2]{more}}}"
        found = warned(f"{HEAD}{stem}body: [{pool}, {{op: conv, filters: 16, kernel_size: 3}}]")
        (pool_warning,) = [d for d in found if d.code == "W405"]
        step = pool_warning.help.split("`")[1]
        after = warned(f"{HEAD}{stem}body: [{step}, {{op: conv, filters: 16, kernel_size: 3}}]")
        assert "W405" not in {d.code for d in after}
    text = (
        f"{HEAD}stem: [{{op: dense, units: 1001}}]\n"
        f"body: [{{merge: add, branches: {{s: [], r: [{{op: dense, units: 1001}}]}}}}]"
    )
    (found,) = warned(text)
    assert found.help == "end `r` with `{op: scale, value: 0.2}`"
    assert warned(text.replace("1001}]}", "1001}, {op: scale, value: 0.2}]}")) == []


def test_shipped_specs_and_the_starter_have_no_warnings(root: Path, tmp_path: Path) -> None:
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
        ("[W44]", "unknown warning code: `W44`", "did you mean `W40"),
        ("[w404]", "unknown warning code: `w404`", "did you mean `W404`?"),
        ("[E401]", "`E401` is an error, and only warnings can be allowed", ""),
        ("[bias]", "unknown warning code: `bias`", "known codes: W301, W302, "),
        ("[[W404]]", "unknown warning code: the list `[W404]`", "known codes: W301, W302, "),
        ("W404", "expected a list of warning codes, found `W404`", "write `[W404]`"),
        ("{W404: true}", "expected a list of warning codes, found a mapping", ""),
    ],
)
def test_invalid_codes(text: str, message: str, help: str, errors: Callable[..., Report]) -> None:
    (found,) = errors(f"{HEAD}allow: {text}\nbody: [{{op: identity}}]\n")
    assert (found.code, found.span.line, found.message) == ("E203", 3, message)
    assert found.help.startswith(help)
    assert bool(found.help) == bool(help)
    (found,) = errors(f"{HEAD}body: [{{op: identity, allow: {text}}}]\n")
    assert (found.code, found.message) == ("E203", message)


@pytest.mark.parametrize(
    ("padding", "ceil"),
    [
        *((padding, False) for padding in ("same", "valid", "1", "[0, 1]", "[[0, 1], [1, 0]]")),
        *((padding, True) for padding in ("valid", "1", "[0, 1]", "[[0, 0], [1, 1]]")),
    ],
)
@pytest.mark.parametrize("size", [12, 13])
def test_the_branches_instead_of_a_bottleneck_have_its_size(
    padding: str, ceil: bool, size: int, warned: Warned, write: Callable[..., Path]
) -> None:
    """The help keeps the padding of the pool, and rounds the size of the convolution alike."""
    pool = f"kernel_size: 3, stride: 2, padding: {padding}, ceil_mode: {str(ceil).lower()}"
    head = f"network: n\ninput: {{channels: 3, height: {size}, width: {size + 1}}}\n"
    text = f"{head}stem: [{{op: conv, filters: 8, kernel_size: 3}}]\nbody:\n  - %s\n"
    text += "  - {op: conv, filters: 16, kernel_size: 1}\n"
    given = f"{{op: max_pool, {pool}}}"
    (found,) = [one for one in warned(text % given) if one.code == "W405"]
    assert found.help is not None
    _, step, _ = re.split(r"`(\{.*\})`", found.help)
    assert ("ceil_mode: true" in step) == ceil
    assert not [one for one in warned(text % step) if one.code == "W405"]
    both = [compile_spec(write(text % one, "spec.yaml"), {}, Report()) for one in (given, step)]
    assert len({y.spatial for typed in both if typed for y in typed.outputs.values()}) == 1
