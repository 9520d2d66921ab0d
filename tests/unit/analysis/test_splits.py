"""Forks that divide the channels of their input: types, width, overlays, flattened maps."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from split_specs import spec

from inception_dsl.analysis.sizes import minimum_input, running_sizes
from inception_dsl.analysis.weights import flattened
from inception_dsl.compiler import check_spec, compile_spec
from inception_dsl.diagnostics.absent import absent
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedFork, TypedProgram, TypedUse

Compiled = Callable[..., TypedProgram]
Errors = Callable[..., Report]
STEP = "{op: conv, filters: 4, kernel_size: 1}"


def parts(typed: TypedProgram, index: int = 0) -> list[int]:
    """The channels that the branches of the fork at this position get."""
    found = [*typed.sections.values()][-1].steps[index].runs[0].typed
    assert isinstance(found, TypedFork)
    return [chain.x.channels for _, chain in found.branches]


@pytest.mark.parametrize(
    ("split", "count", "expected"),
    [
        ("equal", 2, [16, 16]),
        ("equal", 4, [8, 8, 8, 8]),
        ("[4, 28]", 2, [4, 28]),
        ("[rest, 4, 4, 4]", 4, [20, 4, 4, 4]),
        ("[4, rest, 3]", 3, [4, 25, 3]),
        ("[4, 3, rest]", 3, [4, 3, 25]),
        ("[31, rest]", 2, [31, 1]),
        ("[rest]", 1, [32]),
        ('["${in_channels // 8}", rest]', 2, [4, 28]),
        ('["${in_channels / 24}", rest]', 2, [1, 31]),  # 1.33
        ('["${in_channels / 64}", rest]', 2, [1, 31]),  # 0.5, halves up, as filters
        ('["${in_channels / 12.8}", rest]', 2, [3, 29]),  # 2.5
    ],
)
def test_parts(split: str, count: int, expected: list[int], compiled: Compiled) -> None:
    typed = compiled(spec(split, count))
    assert parts(typed) == expected
    assert typed.y.channels == 32
    assert typed.y.spatial == (9, 8)


def test_parts_of_a_vector_and_of_one_and_three_axes(compiled: Compiled) -> None:
    for size in ("length: 5", "depth: 2, height: 3, width: 4"):
        text = spec("[5, rest]").replace("height: 9, width: 8", size)
        assert parts(compiled(text)) == [5, 27]
    text = spec("[5, rest]").replace("steps:\n", "steps:\n  - {op: global_avg_pool}\n")
    assert parts(compiled(text), 1) == [5, 27]


def test_elementwise_merges(compiled: Compiled) -> None:
    assert compiled(spec("equal", 4, merge="add")).y.channels == 8
    assert compiled(spec("equal", 2, merge="multiply")).y.channels == 16
    assert compiled(spec("[1, rest]", 2, merge="add")).y.channels == 31  # one is broadcast


WIDE = """\
network: wide
input: {{channels: 3, height: 8, width: 8}}
width: {width}
params: {{g: {{type: int, default: 8}}}}
blocks:
  part:
    params: {{width: int}}
    steps: [{{branches: {{a: [], b: []}}, split: [$width, rest], merge: concat}}]
body:
  - {{op: conv, filters: 32, kernel_size: 1}}
  - {{name: literals, branches: {{a: [], b: []}}, split: [8, 24], merge: concat}}
  - {{name: rests, branches: {{a: [], b: []}}, split: [12, rest], merge: concat}}
  - {{name: parameters, branches: {{a: [], b: []}}, split: [$g, rest], merge: concat}}
  - {{name: shares, branches: {{a: [], b: []}}, split: [4, rest], merge: concat}}
  - {{name: used, use: part, width: 4}}
  - {{op: conv, filters: $g, kernel_size: 1}}
"""


def test_the_width_scales_sizes_as_filters(compiled: Compiled) -> None:
    for width, expected in (
        ("1", [[8, 24], [12, 20], [8, 24], [4, 28]]),
        ("0.5", [[4, 12], [6, 10], [4, 12], [2, 14]]),
        ("2", [[16, 48], [24, 40], [16, 48], [8, 56]]),
    ):
        typed = compiled(WIDE.format(width=width))
        body = typed.sections["body"].steps
        forks = [step.runs[0].typed for step in body[1:5]]
        found = [[c.x.channels for _, c in f.branches] for f in forks if isinstance(f, TypedFork)]
        assert found == expected
        inner = body[5].runs[0].typed
        assert isinstance(inner, TypedUse)
        assert inner.arguments["width"] == int(4 * float(width))
        assert typed.y.channels == int(8 * float(width))


def test_sizes_of_the_input_are_not_scaled(compiled: Compiled) -> None:
    """What is computed from `$in_channels` is scaled already."""
    text = (
        "network: n\ninput: {channels: 3, height: 8, width: 8}\nwidth: 0.5\nblocks:\n  part:\n"
        '    steps: [{branches: {a: [], b: []}, split: ["${in_channels // 4}", rest], '
        "merge: concat}]\nbody:\n  - {op: conv, filters: 32, kernel_size: 1}\n  - {use: part}\n"
    )
    use = compiled(text).sections["body"].steps[1].runs[0].typed
    assert isinstance(use, TypedUse)
    fork = use.body.steps[0].runs[0].typed
    assert isinstance(fork, TypedFork)
    assert [chain.x.channels for _, chain in fork.branches] == [4, 12]


def test_a_width_after_which_sizes_do_not_fit(errors: Errors) -> None:
    """Rounding: 7.5 and 0.5 of 8 are 8 and 1."""
    text = WIDE.format(width="0.25").replace("split: [8, 24]", "split: [30, 2]")
    (found,) = errors(text)
    assert (found.code, found.span.line) == ("E403", 11)


BASE = f"""\
network: base
input: {{channels: 8, height: 6, width: 6}}
body:
  - {{name: mix, branches: {{a: [], b: [{STEP}]}}, split: [4, rest], merge: concat}}
  - {{name: plain, branches: {{a: [], b: [{STEP}]}}, merge: concat}}
"""


@pytest.mark.parametrize(
    ("change", "mix", "plain"),
    [
        ("{mix: {split: [1, rest]}}", [1, 7], [5, 5]),
        ("{mix: {split: equal}}", [4, 4], [8, 8]),
        ("{mix: {split: null}}", [8, 8], [12, 12]),
        ("{plain: {split: [rest, 3]}}", [4, 4], [5, 3]),
        ("{mix: {branches: {c: []}, split: [1, 2, rest]}}", [1, 2, 5], [10, 10]),
    ],
)
def test_overlays_change_add_and_remove_a_split(
    change: str, mix: list[int], plain: list[int], write: Callable[..., Path]
) -> None:
    write(BASE, "base.yaml")
    report = Report()
    over = write(f"extends: base.yaml\nnetwork: over\nbody: {change}\n")
    typed = compile_spec(over, {}, report)
    assert typed is not None, report.render()
    found = [step.runs[0].typed for step in typed.sections["body"].steps]
    channels = [[c.x.channels for _, c in f.branches] for f in found if isinstance(f, TypedFork)]
    assert channels[0] == mix
    assert channels[1] == plain


def test_a_branch_that_an_overlay_adds_needs_a_size(write: Callable[..., Path]) -> None:
    write(BASE, "base.yaml")
    report = Report()
    over = write("extends: base.yaml\nnetwork: over\nbody: {mix: {branches: {c: []}}}\n")
    assert compile_spec(over, {}, report) is None
    (found,) = report
    assert found.code == "E203"
    assert found.message == "`split` has 2 sizes, but the fork has 3 branches"


def test_a_flattened_map_that_is_split_keeps_its_size(compiled: Compiled) -> None:
    text = (
        "network: n\ninput: {channels: 2, height: 6, width: 5}\nbody: [{op: flatten}, "
        "{name: mix, branches: {a: [], b: []}, split: [7, rest], merge: concat}]\n"
    )
    typed = compiled(text)
    assert minimum_input(typed) == (6, 5)
    assert [axis.least for axis in running_sizes(typed).inference] == [6, 5]


def test_what_a_dense_layer_after_a_split_reads(compiled: Compiled) -> None:
    """The same rows mean something else for another part of the flattened map."""
    text = (
        "network: n\ninput: {channels: 2, height: 3, width: 5}\nbody: [{op: flatten}, "
        "{name: mix, branches: {a: [{op: dense, units: 2}], b: [{op: batch_norm}]}, "
        "split: [%d, rest], merge: concat}]\n"
    )
    found = flattened(compiled(text % 7))
    assert found["mix/a/kernel"] == "3x5x2[0:7]"
    assert found["mix/b/gamma"] == "3x5x2[7:30]"
    assert flattened(compiled(text % 8))["mix/b/gamma"] == "3x5x2[8:30]"


def test_warnings_count_what_a_branch_reads_of_its_own_part(
    write: Callable[..., Path],
) -> None:
    """A strided 1x1 convolution skips pixels of its part, which no other branch reads."""
    text = (
        "network: n\ninput: {channels: 8, height: 9, width: 9}\nbody:\n  - {branches: "
        "{a: [{op: conv, filters: 4, kernel_size: 1, stride: 2}], "
        "b: [{op: conv, filters: 4, kernel_size: 3, stride: 2}]}, %smerge: concat}\n"
    )
    for split, codes in (("", []), ("split: equal, ", ["W401"])):
        report = Report()
        check_spec(write(text % split), {}, report)
        assert [d.code for d in report] == codes


def test_the_example_of_the_guide(root: Path, compiled: Compiled) -> None:
    """It is InceptionNeXt's mixer, for any width."""
    guide = (root / "specs" / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(block: inception_mixer\n.*?)```", guide, re.DOTALL)
    typed = compiled(text, input="9x8x64", width="8")
    assert parts(typed) == [40, 8, 8, 8]
    assert str(typed.y) == "9x8x64"


def test_split_is_not_absent() -> None:
    assert "split: equal" in absent("chunk")
    assert "split: equal" in absent("Split")
