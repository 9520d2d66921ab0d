"""Blocks without values for their parameters, or without an input: what can be checked is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.compiler import check_spec, compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.language.shipped import names

BLOCKS = [name for name in names() if name.startswith("blocks/")]
INPUT = "input: {channels: 64, height: 32, width: 32}\n"
CONV = "{op: conv, filters: %s, kernel_size: %s, stride: %s, padding: %s}"


def conv(filters: object, kernel: object = 1, stride: object = 1, padding: object = "same") -> str:
    number = f"'{filters}'" if "{" in str(filters) else filters
    return CONV % (number, kernel, stride, padding)


def fork(merge: str, *branches: str) -> str:
    """A block of one fork; parameters of all types."""
    listed = "".join(f"      b{i}: [{text}]\n" for i, text in enumerate(branches))
    return f"{PARAMS}steps:\n  - merge: {merge}\n    branches:\n{listed}"


PARAMS = "params: {f: int, g: int, n: int, rate: float, flag: bool, name: str}\n"
STEP = f"{PARAMS}steps: [%s]\n"
RIGHT = {
    "other parameters may be equal": fork("add", conv("$f"), conv("$g"), ""),
    "a parameter may be the constant": fork("add", conv("$f"), conv(64), ""),
    "channels may be those of the input": fork("add", conv("${f * 4}"), ""),
    "a window of unknown size": fork("concat", conv(8, "$n", 2, "valid"), conv(8)),
    "a stride may be 1": fork("add", conv(16, 3, "$n"), conv(16)),
    "strides that agree": fork(
        "concat",
        conv(8, 3, 2, "valid"),
        "{op: max_pool, kernel_size: 3, stride: 2, padding: valid}",
    ),
    "an int for a share": STEP % "{op: dropout, rate: $n}",
    "a float for an int": STEP % conv("$rate"),
    "any word": STEP % "{op: activation, function: $name}",
    "any part of a dropout": STEP % "{op: dropout, rate: $rate, per: $name}",
    "a learned scale of any kind": STEP
    % "{op: scale, value: $rate, learned: $flag, per: $name}, {op: identity}",
    "any axes of a pool": STEP % "{op: global_avg_pool, over: $name}",
    "channels that a pool leaves": fork("add", conv(1), "{op: global_avg_pool, over: channels}"),
    "groups of unknown channels": STEP % "{op: conv, filters: $f, kernel_size: 1, groups: 32}",
    "unknown groups": STEP % "{op: conv, filters: 30, kernel_size: 1, groups: $g}",
    "the other rank": STEP % "{op: conv, filters: 3, kernel_size: [3, 3, 3]}",
    "a growing repeat": STEP
    % "{op: conv, filters: '${in_channels + f}', kernel_size: 1, repeat: $n}",
    "blocks of pixels in any order": STEP % "{op: space_to_depth, block_size: $n, order: $name}",
    "large blocks of pixels": STEP
    % "{op: space_to_depth, block_size: 11}, {op: space_to_depth, block_size: 19}",
    "blocks of unknown channels": STEP
    % f"{conv('$f')}, {{op: depth_to_space, block_size: 3}}, {{op: channel_shuffle, groups: 5}}",
    "parts of any function": STEP % "{op: activation, function: $name, parts: $n}",
    "a crop of any size": STEP % "{op: crop, cropping: [[$n, 1], [0, $g]]}",
    "a division": STEP % conv("${64 // f}"),
    "a flatten": STEP % "{op: flatten}, {op: dense, units: $f}",
    "a large window": STEP % conv(8, 97, 1, "valid"),
    "a large window of one axis": STEP % conv(8, "[97]", 1, "valid"),
    "many windows": STEP % f"{conv(8, 3, 2, 'valid')[:-1]}, repeat: 6}}",
}
OTHER_INPUT = {
    *("the other rank", "a large window", "a large window of one axis", "many windows"),
    "large blocks of pixels",
}
"""What is wrong for ``INPUT``."""
WRONG = {
    "constants differ": (fork("add", conv(64), conv("$f"), conv(96)), "E402"),
    "terms differ": (fork("add", conv("$f"), conv("${f + 16}")), "E402"),
    "strides differ": (fork("concat", conv("$f", 3, 2), conv("$g", 3)), "E402"),
    "strides differ after others": (
        fork("concat", conv("$f", 3, 2), conv("$g", 3)).replace(
            "steps:\n", f"steps:\n  - {conv('$f', 3, 2)[:-1]}, repeat: 4, name: before}}\n"
        ),
        "E402",
    ),
    "a bool after many strides": (
        STEP % f"{conv('$f', 3, 2)[:-1]}, repeat: 12}}, {conv('$flag')}",
        "E203",
    ),
    "padding differs": (fork("add", conv("$f", 3, 1, "valid"), conv("$f", 3)), "E402"),
    "ranks differ": (fork("concat", "{op: global_avg_pool}", conv("$f")), "E402"),
    "an int for a part": (STEP % "{op: dropout, rate: $rate, per: $n}", "E203"),
    "a float for a switch": (STEP % "{op: scale, value: 1, learned: $rate}", "E203"),
    "a pool over channels leaves one": (
        fork("concat", "{op: global_avg_pool, over: channels}", conv(2, 3, 2)),
        "E402",
    ),
    "groups": (STEP % "{op: conv, filters: 30, kernel_size: $n, groups: 4}", "E403"),
    "a shuffle of groups": (
        STEP % "{op: conv, filters: 30, kernel_size: $n}, {op: channel_shuffle, groups: 4}",
        "E403",
    ),
    "channels that are no blocks": (
        STEP % "{op: conv, filters: 31, kernel_size: $n}, {op: depth_to_space, block_size: 2}",
        "E403",
    ),
    "parts of a ReLU": (STEP % "{op: activation, function: relu, parts: 2}", "E403"),
    "an int for an order": (STEP % "{op: space_to_depth, block_size: 2, order: $n}", "E203"),
    "groups of constants": (STEP % "{op: conv, filters: 30, kernel_size: 3, groups: 4}", "E403"),
    "after unknown channels": (
        STEP % f"{conv('$f')}, {{op: conv, filters: 9, kernel_size: [1]}}, "
        "{op: conv, filters: 9, kernel_size: [1, 1]}",
        "E403",
    ),
    "after a repeat": (
        STEP % f"{conv('$f')[:-1]}, repeat: $n}}, {{op: global_avg_pool}}, "
        "{op: max_pool, kernel_size: 2}",
        "E403",
    ),
    "a bool for an int": (STEP % conv("$flag"), "E203"),
    "a word for a window": (STEP % conv(8, "$name"), "E203"),
    "an int for a bool": (STEP % "{op: conv, filters: 8, kernel_size: 1, use_bias: $n}", "E203"),
    "an int for a word": (STEP % "{op: activation, function: $n}", "E203"),
    "a bool to repeat": (STEP % f"{conv(8)[:-1]}, repeat: $flag}}", "E203"),
    "arithmetic with a word": (STEP % conv("${f + name}"), "E207"),
    "division by zero": (STEP % conv("${8 // (4 - 4)}"), "E207"),
    "a negative constant": (STEP % conv("${f - f - 3}"), "E203"),
    "an unknown name": (STEP % conv("$nowhere"), "E304"),
    "an unknown field": (STEP % "{op: conv, filtres: $f, kernel_size: 1}", "E201"),
    "a bool for an int of a block": (
        f"blocks: {{tower: {{params: {{m: int}}, steps: [{conv('${m + 1}')}]}}}}\n"
        + STEP % "{use: tower, m: $flag}",
        "E203",
    ),
    "after unknown groups": (
        fork("add", "{op: conv, filters: 30, kernel_size: 1, groups: $g}", conv(20)),
        "E402",
    ),
    "inside of a block": (
        "blocks: {tower: {params: {m: int}, steps: [{merge: add, branches: "
        f"{{a: [{conv('$m')}], b: [{conv('${m + 8}')}]}}}}]}}}}\n" + STEP % "{use: tower, m: $f}",
        "E402",
    ),
}


def codes(text: str, folder: Path) -> tuple[list[str], str]:
    """The codes of the errors in a block, and the report."""
    path = folder / "block.yaml"
    path.write_text(f"block: b\n{text}", encoding="utf-8")
    report = Report()
    assert check_spec(path, {}, report).typed is None
    return [d.code for d in report.diagnostics], report.render()


@pytest.mark.parametrize("name", BLOCKS)
def test_shipped_blocks_have_no_errors(name: str) -> None:
    report = Report()
    compiled = check_spec(name, {}, report)
    assert compiled.unset
    assert not [*report], report.render()
    assert compile_spec(name, {}, report) is None
    assert {d.code for d in report} <= {"E305", "E404"}


@pytest.mark.parametrize("start", [INPUT, ""], ids=["input", "any-input"])
@pytest.mark.parametrize("why", RIGHT)
def test_what_values_can_make_right_is_no_error(why: str, start: str, tmp_path: Path) -> None:
    found, shown = codes(start * (why not in OTHER_INPUT) + RIGHT[why], tmp_path)
    assert not found, shown


@pytest.mark.parametrize("start", [INPUT, ""], ids=["input", "any-input"])
@pytest.mark.parametrize("why", WRONG)
def test_what_no_value_makes_right_is_an_error(why: str, start: str, tmp_path: Path) -> None:
    text, code = WRONG[why]
    found, shown = codes(start + text, tmp_path)
    assert found == [code] * bool(code), shown
    assert "5040" not in shown and "5,040" not in shown


def test_a_default_of_the_network_is_no_value(write: Callable[..., Path]) -> None:
    block = "block: b\nparams: {growth: {type: int, default: $growth}}\nsteps: [STEP]\n"
    for step, codes in (
        ("{op: conv, filters: $growth, kernel_size: 1}", []),
        ("{op: conv, filters: $growth, kernel_size: 1, use_bias: $growth}", ["E203"]),
    ):
        report = Report()
        found = check_spec(write(block.replace("STEP", step)), {}, report)
        assert [d.code for d in report] == codes
        assert not codes or found.typed is None
        alone = Report()
        assert compile_spec(write(block.replace("STEP", step)), {}, alone) is None
        assert {d.code for d in alone} >= {"E305", "E404"}


def test_the_width_of_a_block_scales_its_own_parameters(write: Callable[..., Path]) -> None:
    text = """\
        block: c
        width: 0.5
        params: {a: {type: int, default: 33}, f: int}
        steps:
          - branches:
              x: [{op: conv, filters: $a}, {op: conv, filters: "${2 * a}"}]
              y: [{op: conv, filters: 68}]
            merge: add
          - {op: conv, filters: $f}
        defaults: {conv: {kernel_size: 1}}
        """
    report = Report()
    check_spec(write(text), {}, report)
    assert [*report] == []


def test_channels_that_differ_on_a_map_of_one_pixel(write: Callable[..., Path]) -> None:
    text = """\
        block: b
        params: {f: int}
        defaults: {conv: {kernel_size: 1}}
        steps:
          - {op: adaptive_avg_pool, output_size: 7}
          - {op: conv, filters: $f, kernel_size: 7, padding: valid}
          - {branches: {x: [{op: conv, filters: 3}], y: [{op: conv, filters: OTHER}]}, merge: add}
        """
    for other, codes in (("3", []), ("4", ["E402"])):
        report = Report()
        check_spec(write(text.replace("OTHER", other)), {}, report)
        assert [d.code for d in report] == codes


def test_ops_that_enlarge_a_map(write: Callable[..., Path]) -> None:
    """Sizes are not known, but what no value makes right is an error."""
    text = """\
        block: up
        params: {f: int, k: int, s: int, m: str, p: str, corners: bool}
        steps:
          - {op: conv_transpose, filters: $f, kernel_size: $k, stride: $s, padding: $p}
          - {op: upsample, factor: $s, method: $m}
          - {op: upsample, size: [$k, 9], method: linear, align_corners: $corners}
          - {op: LAST}
        """
    for last, codes in (
        ('conv_transpose, filters: "${in_channels * 2}", kernel_size: 3, groups: $k', []),
        ("upsample, factor: $m", ["E203"]),
        ("upsample, factor: 2, method: $f", ["E203"]),
    ):
        report = Report()
        check_spec(write(text.replace("LAST", last)), {}, report)
        assert [d.code for d in report] == codes
    groups = "block: b\nsteps: [{op: conv_transpose, filters: 7, kernel_size: 3, groups: 3}]\n"
    report = Report()
    check_spec(write(groups), {}, report)
    assert [d.code for d in report] == ["E403"]
