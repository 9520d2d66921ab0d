"""Parsing YAML text: YAML 1.2 scalars, locations, and rejected text."""

from __future__ import annotations

import pytest
from texts import only, place, read, refused

from inception_dsl.diagnostics.report import Report, Span
from inception_dsl.yaml.document import BROKEN, Document
from inception_dsl.yaml.edits import apply
from inception_dsl.yaml.source import MAX_DEPTH, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("y", "y"),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        *((word, None) for word in ("~", "null", "Null", "NULL")),
        ("tRUE", "tRUE"),
        ("nULL", "nULL"),
        ("inf", "inf"),
        ("", None),
        ("1e-3", 0.001),
        ("1.", 1.0),
        (".5", 0.5),
        ("-7", -7),
        ("+7", 7),
        ("0", 0),
        ("12e03", 12000.0),
        ("1.2.3", "1.2.3"),
        ("2001-01-01", "2001-01-01"),
        ("'10'", "10"),
        ('"true"', "true"),
        ("0x", "0x"),
        ("é", "é"),
        ("=", "="),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    found = read(f"a: {text}").data["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "010",
            "-010",
            "0o17",
            "0x1F",
            "0b1",
            "1:30",
            "1_000",
            "1" * 19,
            "-" + "1" * 19,
            "1e999",
            "-1e999",
        ),
        *(".inf", ".Inf", ".INF", "-.inf", "+.inf", ".nan", ".NaN", ".NAN"),
    ],
)
def test_ambiguous_numbers_are_rejected(text: str) -> None:
    report = Report()
    document = parse(f"a: [{text}, b]", "a.yaml", report)
    (found,) = report
    assert (found.code, place(found.span)) == ("E107", f"1:5-{4 + len(text)}")
    assert document is not None
    assert document.data == {"a": [BROKEN, "b"]}


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        *(
            ("010", "10"),
            ("-007", "-7"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("0b1", "1"),
            ("1_000", "1000"),
            ("1:30", ""),
        ),
        ("1_000_000_000_000_000", "1000000000000000"),
        ("100_000_000_000_000_000", "100000000000000000"),
        ("1_000_000_000_000_000_000", ""),
    ],
)
def test_the_fix_of_an_ambiguous_number_is_decimal(text: str, decimal: str) -> None:
    report = Report()
    parse(f"a: {text}", "a.yaml", report)
    assert [edit.text for edit in report.diagnostics[0].fix] == ([decimal] if decimal else [])


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "E103", "1:1-1"),
        ("# nothing\n", "E103", "1:1-1"),
        ("a: !!python/object:os.system 1", "E105", "1:4-30"),
        ("a: !x 1", "E105", "1:4-7"),
        ("<<: {a: 1}", "E105", "1:1-2"),
        ("'<<': {a: 1}", "E105", "1:1-4"),
        ("a: 1\n---\nb: 2\n", "E105", "2:1-3"),
        ("a: &x [*x]", "E105", "1:8-9"),
        ("a: *x", "E103", "1:4-5"),
        ("? [a]\n: 1\n", "E103", "1:3-3"),
        ("a: [1\n", "E103", "1:6-6"),
        ("a:\n\t- 1", "E103", "2:1-1"),
        ("a: \x00", "E102", "1:4-4"),
        ("a: b\u202ec", "E102", "1:5-5"),
        ("a\rb: 1", "E102", "1:2-2"),
        ("[" * (MAX_DEPTH + 1), "E106", f"1:{MAX_DEPTH + 1}-{MAX_DEPTH + 1}"),
        ("x" * 1_000_001, "E106", "1:1-1"),
        ("a: 1\r\nb: \x07", "E102", "2:4-4"),
        ("é: x\n" * 2 + "b: \u2028", "E102", "3:4-4"),
        ("a: [!!int 1]", "E105", "1:5-11"),
        ('a: "x\\u202Ey"', "E102", "1:4-13"),
        ('"\\u202E": y', "E102", "1:1-8"),
        ("a:\n" + "- 1\n" * 10_001, "E106", "10002:3-3"),
        ("".join(f"a{i}: 1\n" for i in range(1_001)), "E106", "1001:1-5"),
    ],
)
def test_rejected_text(text: str, code: str, place: str) -> None:
    assert refused(text) == (code, place)


def test_the_limits_count_the_values_of_aliases() -> None:
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [
        f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    assert refused("\n".join(lines))[0] == "E106"


def test_an_alias_has_the_value_of_its_anchor() -> None:
    document = read("a: &x {b: [1, 2]}\nc: *x\n")
    assert document.data == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}}
    assert str(document.span(("c", "b", 1))) == "a.yaml:1:15"


def test_locations_of_values_and_keys() -> None:
    document = read("a:\n  - {b: 'text'}\n")
    assert document.span(("a", 0, "b")) == Span("a.yaml", 2, 9, 2, 15)
    assert document.key_span(("a", 0, "b")) == Span("a.yaml", 2, 6, 2, 7)
    assert document.span(("a", 0, "b", "deeper")) == document.span(("a", 0, "b"))
    assert document.span(("missing",)) == document.span(())


def test_windows_line_ends_are_accepted() -> None:
    assert read("a: 1\r\nb: 2\r\n").data == {"a": 1, "b": 2}


def test_every_duplicate_key_is_reported_with_the_first_location() -> None:
    report = Report()
    text = "a: 1\na: 2\nb: 1\nb: {c: 1}\n"
    document = parse(text, "a.yaml", report)
    assert document is not None
    assert document.data == {"a": 1, "b": 1}
    assert apply(text, [edit for d in report for edit in d.fix]) == "a: 1\nb: 1\n"
    assert [d.code for d in report] == ["E104", "E104"]
    assert report.diagnostics[0].related[0][0].line == 1
    for text in ("a: [1,\n 2]\na: 3\n", "a: 1\na: [2,\n 3]\n"):
        assert only(text).fix == ()  # no fix for values on several lines


def test_texts_are_kept_for_the_report() -> None:
    report = Report()
    parse("a: 1\n", "a.yaml", report)
    parse("a: [\n", "b.yaml", report)
    assert report.texts == {"a.yaml": "a: 1\n", "b.yaml": "a: [\n"}
    assert parse("b: 1", "c.yaml", report) is not None, "errors in another file do not matter"


def test_the_location_of_an_unknown_path() -> None:
    assert Document("a.yaml", None).span(("a", 1)) == Span("a.yaml", 1, 1, 1, 1)
    assert Document("a.yaml", None).key_span(()) == Span("a.yaml", 1, 1, 1, 1)


def _mappings(count: int) -> str:
    """Mappings of 1,000 keys, as entries of a list."""
    return f"- {{{', '.join(f'{i}: 1' for i in range(1000))}}}\n" * count


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("#" + "\x00" * 1_000_000, True),
        ("x" * 1_000_000, False),
        ("x" * 1_000_001, True),
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, False),
        ("- " * MAX_DEPTH + "a", False),
        ("- " * (MAX_DEPTH + 1) + "a", True),
        ("{a: " * (MAX_DEPTH + 1), True),
        ("- 1\n" * 10_000, False),
        ("".join(f"a{i}: 1\n" for i in range(1_000)), False),
        (
            "- " + "- 1\n  " * 9_943 + "\n" + _mappings(55),
            False,
        ),  # a key and its value count as two
        ("- " + "- 1\n  " * 9_944 + "\n" + _mappings(55), True),
        ("\n".join(f"a{i}: &x{i} 1" for i in range(100)), False),
        ("\n".join(f"a{i}: &x{i} 1" for i in range(101)), True),
        ("a: &a [" + "1," * 9_228 + "1]\nb: [" + "*a, " * 10 + "]\nc: &b {d: *a}\ne: *b", False),
        ("a: &a [" + "1," * 9_229 + "1]\nb: [" + "*a, " * 10 + "]\nc: &b {d: *a}\ne: *b", True),
    ],
    ids=lambda value: str(value)[:20],
)
def test_the_exact_limits(text: str, refused: bool) -> None:
    report = Report()
    assert (parse(text, "a.yaml", report) is None) == refused
    assert [d.code for d in report] == ["E106"] * refused


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("1: a", {1: "a"}),
        ("21: a", {21: "a"}),
        ('a: "x\\ny"', {"a": "x\ny"}),
        ('a: "\\xe9"', {"a": "é"}),
        ("'1': a", {"1": "a"}),
        ("true: a", {"true": "a"}),
        ("1.5: a", {"1.5": "a"}),
        ("null: a", {"null": "a"}),
        ("~: a", {"~": "a"}),
        ("'': a", {"": "a"}),
        ("a: ! x", {"a": "x"}),
        ("a:\tx  # y", {"a": "x"}),
        ("a: x\té", {"a": "x\té"}),
        ("a: |\n  010\n", {"a": "010\n"}),
        ("a: >-\n  x\n  y\n", {"a": "x y"}),
        ("a: {}\nb: []\nc: {d: [[], {e: }]}", {"a": {}, "b": [], "c": {"d": [[], {"e": None}]}}),
        ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
        ("a: '\t'", {"a": "\t"}),
        ("a: é ü", {"a": "é ü"}),
    ],
)
def test_data(text: str, data: object) -> None:
    assert read(text).data == data


def test_locations_in_an_alias_are_those_of_its_anchor() -> None:
    document = read("a: &x\n  b: [1, {c: 2}]\nd: {e: *x}\nf: &y [*x]\ng: *y\n")
    places = {
        p: document.span(p)
        for p in (("a", "b", 1, "c"), ("d", "e", "b", 1, "c"), ("g", 0, "b", 1, "c"))
    }
    assert {place(span) for span in places.values()} == {"2:14-14"}
    keys = [
        document.key_span(p) for p in (("a", "b"), ("d", "e", "b"), ("f", 0, "b"), ("g", 0, "b"))
    ]
    assert {place(span) for span in keys} == {"2:3-3"}
    assert place(document.key_span(("d", "e"))) == "3:5-5"
    assert place(document.key_span(("g",))) == "5:1-1"
    assert document.span(("a",)) == Span("a.yaml", 1, 4, 3, 1)
    assert document.span(()) == Span("a.yaml", 1, 1, 6, 1)
    assert document.span(("f",)) == Span("a.yaml", 4, 4, 4, 11)
