"""YAML text to plain data: YAML 1.2 scalars, positions, and what is refused."""

from __future__ import annotations

import pytest

from inception_dsl.diagnostics import Report, Span
from inception_dsl.source import MAX_DEPTH, Document, parse


def read(text: str) -> Document:
    report = Report()
    document = parse(text, "a.yaml", report)
    assert document is not None, report.render()
    return document


def refused(text: str) -> tuple[str, str]:
    """The code of the one mistake in a text and its place."""
    report = Report()
    assert parse(text, "a.yaml", report) is None
    (found,) = report
    return found.code, f"{found.span.line}:{found.span.column}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
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


@pytest.mark.parametrize("text", ["010", "0o17", "0x1F", "0b1", "1:30", "1_000", "-.inf", ".nan", "1" * 19, "1e999"])
def test_numbers_that_readers_disagree_on_are_refused(text: str) -> None:
    assert refused(f"a: {text}") == ("E107", "1:4")


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "E103", "1:1"),
        ("# nothing\n", "E103", "1:1"),
        ("a: 1\na: 2\n", "E104", "2:1"),
        ("a: !!python/object:os.system 1", "E105", "1:4"),
        ("a: !x 1", "E105", "1:4"),
        ("<<: {a: 1}", "E105", "1:1"),
        ("a: 1\n---\nb: 2\n", "E105", "2:1"),
        ("a: &x [*x]", "E105", "1:8"),
        ("a: *x", "E103", "1:4"),
        ("? [a]\n: 1\n", "E103", "1:3"),
        ("a: [1", "E103", "2:1"),
        ("a:\n\t- 1", "E103", "2:1"),
        ("a: \x00", "E102", "1:4"),
        ("a: b\u202ec", "E102", "1:5"),
        ("a\rb: 1", "E102", "1:2"),
        ("[" * (MAX_DEPTH + 1), "E106", f"1:{MAX_DEPTH + 1}"),
        ("x" * 1_000_001, "E106", "1:1"),
    ],
)
def test_what_is_refused(text: str, code: str, place: str) -> None:
    assert refused(text) == (code, place)


def test_aliases_cannot_explode() -> None:
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    assert refused("\n".join(lines))[0] == "E106"


def test_an_alias_is_the_value_it_names() -> None:
    document = read("a: &x {b: [1, 2]}\nc: *x\n")
    assert document.data == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}}
    assert str(document.span(("c", "b", 1))) == "a.yaml:1:15"


def test_positions_of_values_and_keys() -> None:
    document = read("a:\n  - {b: 'text'}\n")
    assert document.span(("a", 0, "b")) == Span("a.yaml", 2, 9, 2, 15)
    assert document.key_span(("a", 0, "b")) == Span("a.yaml", 2, 6, 2, 7)
    assert document.span(("a", 0, "b", "deeper")) == document.span(("a", 0, "b"))
    assert document.span(("missing",)) == document.span(())


def test_the_byte_order_mark_and_windows_line_ends_are_harmless() -> None:
    assert read("a: 1\r\nb: 2\r\n").data == {"a": 1, "b": 2}


def test_every_duplicate_is_reported_with_the_first_place() -> None:
    report = Report()
    assert parse("a: 1\na: 2\nb: 1\nb: 2\n", "a.yaml", report) is None
    assert [d.code for d in report] == ["E104", "E104"]
    assert report.diagnostics[0].related[0][0].line == 1
