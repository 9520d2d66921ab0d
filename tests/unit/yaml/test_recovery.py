"""All errors of a text are reported at once, until one that stops the parser."""

from __future__ import annotations

import pytest
from texts import only, place, read

from inception_dsl.diagnostics.report import Report, Span
from inception_dsl.yaml.document import BROKEN, Document
from inception_dsl.yaml.edits import apply
from inception_dsl.yaml.source import _at, parse


def test_all_errors_of_a_text_at_once() -> None:
    report = Report()
    assert parse("a: [010, .nan, {b: 1, b: 2}]\nc: 1e999\n", "a.yaml", report) is not None
    assert [(d.code, place(d.span)) for d in report] == [
        ("E107", "1:5-7"),
        ("E107", "1:10-13"),
        ("E104", "1:23-23"),
        ("E107", "2:4-8"),
    ]
    assert place(report.diagnostics[2].related[0][0]) == "1:17-17"
    assert report.diagnostics[0].help
    assert f"`{'1' * 32}`" in str(only("a: " + "1" * 40).message)


def test_nothing_is_reported_after_an_error_that_stops_the_parser() -> None:
    for text in (
        "<<: 1\na: 010",
        "? [a]\n: 010",
        "a: *x\nb: 010",
        "a: !!x 010",
        "a: 1\n---\nb: 010",
        "[" * 60 + "010",
    ):
        assert only(text).code != "E107", text
    assert only("<<: 1").help == "list the fields, or use `defaults`"
    assert only("a: !!x 010").help == ""


@pytest.mark.parametrize(
    ("text", "data", "at", "write"),
    [
        ("{a: 1, b: (3, 3), c: 2}", {"a": 1, "b": BROKEN, "c": 2}, "1:11-16", "[3, 3]"),
        ("{b: (3,3)}", {"b": BROKEN}, "1:5-9", "[3, 3]"),
        ("{b: (10, 100)}", {"b": BROKEN}, "1:5-13", "[10, 100]"),
        ("{b: (1, 2, x)}", {"b": BROKEN}, "1:5-13", "[1, 2, x]"),
        ("{a: , b: (1, 2, 3, 4)}", {"a": None, "b": BROKEN}, "1:10-21", "[1, 2, 3, 4]"),
    ],
)
def test_a_tuple_in_a_mapping_on_one_line(
    text: str, data: dict[str, object], at: str, write: str
) -> None:
    report = Report()
    document = parse(text, "a.yaml", report)
    (found,) = report
    assert document is not None
    assert document.data == data
    assert (found.code, place(found.span), [edit.text for edit in found.fix]) == (
        "E108",
        at,
        [write],
    )
    assert read(apply(text, found.fix)).data.keys() == data.keys()


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("{a: (3, b): 3}", {"a": "(3", "b)": 3}),
        ("{a: 3, b)}", {"a": 3, "b)": None}),
        ("{a: 1(2, 3)}", {"a": "1(2", "3)": None}),
        ("{a: (3, b, c: 1, d)}", {"a": "(3", "b": None, "c": 1, "d)": None}),
        ("{a: (1, 2, 3, 4, 5)}", {"a": "(1", 2: None, 3: None, 4: None, "5)": None}),
        ("a: (3\nb):\n", {"a": "(3", "b)": None}),
        ("{a)}", {"a)": None}),
        ("{a: [(3], b)}", {"a": ["(3"], "b)": None}),
        ("{a: '(3, 3)'}", {"a": "(3, 3)"}),
    ],
)
def test_text_that_is_not_a_tuple(text: str, data: object) -> None:
    assert read(text).data == data


@pytest.mark.parametrize(
    ("text", "line", "column", "found"),
    [
        ("ab\ncde", 0, 1, (1, 2)),
        ("ab\ncde", 1, 2, (2, 3)),
        ("ab\ncde", 2, 0, (2, 4)),
        ("abc", 1, 0, (1, 4)),
        ("", 1, 0, (1, 1)),
        ("ab\n", 1, 0, (2, 1)),
        ("ab\n", 2, 0, (2, 1)),
    ],
)
def test_the_end_of_a_text_is_on_its_last_line(
    text: str, line: int, column: int, found: tuple[int, int]
) -> None:
    row, start = found
    assert _at("a.yaml", text, line, column) == Span("a.yaml", row, start, row, start + 1)


@pytest.mark.parametrize(("count", "left"), [(1_000, True), (1_001, False), (1_500, False)])
def test_parsing_stops_after_a_thousand_errors(count: int, left: bool) -> None:
    report = Report()
    assert (parse("- 010\n" * count, "a.yaml", report) is not None) == left
    assert len(report.diagnostics) == 1_000


def test_parts_of_what_was_left_out_are_lost_too() -> None:
    document = Document("a.yaml", {}, dropped={("a",), ("b", 0, "c")})
    lost = [("a",), ("a", 1, "x"), ("b", 0, "c"), ("b", 0, "c", "d")]
    kept = [(), ("b",), ("b", 0), ("b", 0, "d"), ("c", "a")]
    assert [document.lost(*path) for path in (*lost, *kept)] == [True] * 4 + [False] * 5
