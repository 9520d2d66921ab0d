"""Edits of a spec's text, in flow and in block style."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Edit, Report, Span
from inception_dsl.yaml.edits import Editor, apply, flow, inside
from inception_dsl.yaml.source import parse

FLOW = "a: {op: conv, filters: 3} # x\nb: {}\nc: {d: [1]}\n"
BLOCK = "a:\n  - op: conv # x\n    filters: 3\n"


@pytest.mark.parametrize(
    ("text", "change", "expected"),
    [
        (FLOW, lambda e: e.replace(("a", "filters"), "$n"), FLOW.replace("3", "$n")),
        (FLOW, lambda e: e.rename(("a", "filters"), "units"), FLOW.replace("filters", "units")),
        (FLOW, lambda e: e.insert(("a",), "k", "1"), FLOW.replace("conv", "conv, k: 1")),
        (FLOW, lambda e: e.insert(("b",), "k", "1"), FLOW.replace("{}", "{k: 1}")),
        (FLOW, lambda e: e.insert(("c",), "k", "1"), FLOW.replace("{d", "{k: 1, d")),
        (FLOW, lambda e: e.remove(("a", "op")), FLOW.replace("op: conv, ", "")),
        (FLOW, lambda e: e.remove(("a", "filters")), FLOW.replace(", filters: 3", "")),
        (FLOW, lambda e: e.remove(("c", "d")), FLOW),
        (FLOW, lambda e: e.remove(("c", "no")), FLOW),
        (
            FLOW,
            lambda e: e.wrap(("a",), "[", "]"),
            FLOW.replace("{op", "[{op").replace("3}", "3}]"),
        ),
        (BLOCK, lambda e: e.insert(("a", 0), "k", "1"), BLOCK.replace("# x", "# x\n    k: 1")),
        (BLOCK, lambda e: e.remove(("a", 0, "op")), "a:\n  - filters: 3\n"),
        (BLOCK, lambda e: e.remove(("a", 0, "filters")), "a:\n  - op: conv\n"),
        (BLOCK, lambda e: e.wrap(("a",), "[", "]"), BLOCK),
        (BLOCK, lambda e: e.insert((), "k", "1"), "k: 1\n" + BLOCK),
    ],
)
def test_edits(text: str, change: Callable[[Editor], tuple[Edit, ...]], expected: str) -> None:
    report = Report()
    document = parse(text, "a.yaml", report)
    assert document is not None
    assert apply(text, change(Editor(document, report.texts))) == expected


SPREAD = """\
network: tiny
input: {channels: 3, height: 8, width: 8}
body:
  - op: conv
    filters: 4
    kernel_size: 1
    stride: 2
    each: {filtes: [3, 4]}
"""
LAID = """\
network: tiny
input: {channels: 3, height: 8, width: 8}
blocks:
  a: {steps: [{op: conv, name: c, filters: 4, kernel_size: 1}]}
  b: {extends: a, steps: {c: {filtes: 3}}}
body: [{use: b}]
"""
BETWEEN = LAID.replace("filtes", "stride").replace("filters: 4, ", "filters: 4, filtes: 4, ")


@pytest.mark.parametrize(
    ("text", "fixed"),
    [(SPREAD, SPREAD), (LAID, LAID), (BETWEEN, BETWEEN.replace("filtes: 4, ", ""))],
)
def test_only_a_field_of_the_mapping_is_removed(text: str, fixed: str, tmp_path: Path) -> None:
    """Fields that come from another mapping, by ``each`` or an overlay, end no removal."""
    spec = tmp_path / "tiny.yaml"
    spec.write_text(text)
    report = Report()
    assert compile_spec(spec, {}, report) is None
    assert apply(text, [edit for found in report for edit in found.fix]) == fixed


def test_the_command_line_is_not_edited() -> None:
    report = Report()
    document = parse("{a: 1}", "--set x", report)
    assert document is not None
    editor = Editor(document, report.texts)
    assert [
        editor.replace(("a",), "2"),
        editor.insert((), "b", "2"),
        editor.wrap((), "[", "]"),
    ] == [(), (), ()]


def test_insertions_at_one_location_keep_their_order() -> None:
    here = Span("a", 1, 2, 1, 2)
    assert (
        apply("xy\nz", [Edit(here, "1"), Edit(here, "2"), Edit(Span("a", 2, 1, 2, 9), "!")])
        == "x12y\n!"
    )


@pytest.mark.parametrize(
    ("raw", "offset", "length", "marked"),
    [
        ("$ab", 1, 2, "ab"),
        ("'$ab'", 1, 2, "ab"),
        ('"$ab"', 1, 2, "ab"),
        ("'a''b$cd'", 4, 2, "cd"),
        (r'"a\n\x41\u0042\"$cd"', 6, 2, "cd"),
        (r'"\u0024ab"', 0, 2, r"\u0024a"),
        ("'${a +}'", 4, 1, "+"),
        ('"${"', 2, 1, '"'),
        ("$ab", 9, 2, "$ab"),
    ],
)
def test_a_part_of_a_scalar(raw: str, offset: int, length: int, marked: str) -> None:
    """Offsets in the value are mapped to columns in the file, also after escapes."""
    span = Span("a", 2, 5, 2, 5 + len(raw))
    found = inside(span, offset, length, {"a": f"x\nk:  {raw} # y"})
    assert f"k:  {raw} # y"[found.column - 1 : found.end_column - 1] == marked


def test_a_scalar_of_several_lines_is_marked_as_a_whole() -> None:
    span = Span("a", 1, 4, 2, 6)
    assert inside(span, 1, 2, {"a": "k: $aa\n   bb"}) == span


def test_long_values_are_cut() -> None:
    deep: object = 1
    for _ in range(48):
        deep = [deep]
    many = {f"k{i}": [i] * 9 for i in range(10_000)}
    for value in (deep, [deep] * 10_000, many, [many], [[[]] * 10_000] * 10_000):
        assert 40 < len(flow(value, 40)) < 160
    for value in ([], {}, [1, [2, {"a": "b c"}]], {"a": [], "b": {"c": None}}, "x", True, [""]):
        assert flow(value, 40) == flow(value)
    assert flow([1] * 99, 10).startswith("[1, 1, 1, 1")


def test_values_are_valid_in_any_context() -> None:
    value = {"a": [1, 0.5, True, None, "yes", "it's", "$n"]}
    assert flow(value) == "{a: [1, 0.5, true, null, 'yes', \"it's\", $n]}"
