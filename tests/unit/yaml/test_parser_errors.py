"""Errors of the YAML parser as diagnostics with a location."""

from __future__ import annotations

import pytest
import yaml
from texts import refused

from inception_dsl.diagnostics.report import Report
from inception_dsl.yaml.edits import apply
from inception_dsl.yaml.source import parse

PLAIN = "the text is not valid YAML"
UNALIGNED = "wrong indentation"
INDENT = "indent it by 4 spaces, as the fields of the entry in"


@pytest.mark.parametrize(
    ("text", "place", "message", "help"),
    [
        ("a: @x", "1:4-4", "a value cannot start with this character", "quote the text"),
        ("a: [1, 2}", "1:9-9", "missing `,` or closing `]`", ""),
        ("a: {b: 1]", "1:9-9", "missing `,` or closing `}`", ""),
        (
            "a: b: c",
            "1:5-5",
            "unexpected `:`",
            "fix the indentation, or quote the text",
        ),
        *(
            (
                text,
                place,
                f"nothing can be below `{above}`, which has a value",
                "write the missing line above this one, or fix the indentation",
            )
            for text, place, above in (
                ("classes: 3\n  - {op: conv}", "2:8-8", "classes: 3"),
                ("a: x\n\n  b: 1", "3:4-4", "a: x"),
                ("a:\n  - b: x\n      c: 1", "3:8-8", "b: x"),
            )
        ),
        ("b: 2\na\n", "2:1-1", "missing `:` after the key `a`", "write `a:`"),
        ("b: 2\na b c\nd: 1", "2:1-1", "missing `:` after the key", ""),
        (
            "a:\n  b 2  # x\n  c: 1",
            "2:3-5",
            "expected `key: value`, found `b 2`",
            "write `b: 2`",
        ),
        ("a:2\nb: 1", "1:1-3", "expected `key: value`, found `a:2`", "write `a: 2`"),
        ("a\n  - b: 1", "1:1-1", "missing `:` after the key `a`", "write `a:`"),
        (
            "x {a: {b: 1}}",
            "1:1-13",
            "expected `key: value`, found `x {a: {b: 1}}`",
            "write `x: {a: {b: 1}}`",
        ),
        ("a:\n  - b: 1\n  -c: 2", "3:3-7", "missing space after `-`", "write `- c: 2`"),
        ("a:\n  -b: 1\n   c: 2", "2:3-7", "missing space after `-`", "write `- b: 1`"),
        (
            "a: {b: 1}, {c: 2}",
            "1:10-10",
            "a field has one value",
            "write several as a list: `[…, …]`",
        ),
        ("a: {b: 1\nc: 2", "1:9-9", "missing `}`, which closes the `{`", "write `}` here"),
        (
            "a: [{b: 1},\n  {c: 2}\nd: 1",
            "2:9-9",
            "missing `]`, which closes the `[` of line 1",
            "write `]` here",
        ),
        ("a: {\n  b: 1\n  c: 2}", "2:7-7", "missing `,` or closing `}`", ""),
        (
            "- a: 1\n b: 2",
            "2:2-2",
            UNALIGNED,
            "indent it by 2 spaces, as the fields of the entry in line 1",
        ),
        (
            "x:\n  - a: 1\n  b: 2",
            "3:3-3",
            UNALIGNED,
            f"{INDENT} line 2, or start it with `- ` as a new entry",
        ),
        (
            "x:\n  a: 1\n  - b: 2",
            "3:3-3",
            "an entry of a list beside fields",
            "remove `- `, as the lines from line 2 on are fields",
        ),
        ("p:\n    year: 1\n  table: 2", "3:3-3", UNALIGNED, "align it with the fields above"),
        ("a:\n  - 1\n  b: 2", "3:3-3", UNALIGNED, "start it with `- `, as the other entries"),
        *(
            (text, place, "missing `- ` before an entry of a list", f"start it with `- `, {like}")
            for text, place, like in (
                ("a:\n  - {b: 1}\n    {b: 2}", "3:5-5", "as the other entries, in column 3"),
                ("a:\n  - {b: 1}\n  {b: 2}\nc: 1", "3:3-8", "as the other entries"),
                ("a:\n  {b: 1}\n  - {b: 2}", "2:3-8", "as the other entries"),
                ("a:\n  {b: 1}\n  {b: 2}", "2:3-8", "as the other entries"),
                ("a:\n  {b: 1}\n  {b: 2,\n    c: 3}", "2:3-8", "as the other entries"),
                ("a:\n  b: x\n    c: 1\n  - b: 2", "2:3-6", "as the other entries"),
            )
        ),
        ("a: 'x\nb: 1\n", "1:4-4", "missing closing quote", ""),
        (
            'a: "\\q"',
            "1:5-5",
            "unknown escape",
            "use single quotes, or double the backslash",
        ),
        ("a: - 1", "1:4-4", "a list cannot start here", "start it on the next line"),
        ("&a &b c", "1:4-4", "text outside of the document", ""),
        ("a: 1\nb: &", "2:5-5", "missing name after `&` or `*`", "quote the text"),
        ("a: {b: c, ,}", "1:11-11", "missing value", ""),
        ("a: >z", "1:5-5", PLAIN, ""),
        ("a: 1\n\tb: 2", "2:1-1", "tab in the indentation", "use spaces"),
        ("a:\n \t- 1", "2:2-2", "tab in the indentation", "use spaces"),
    ],
)
def test_errors_of_the_parser_are_explained(text: str, place: str, message: str, help: str) -> None:
    report = Report()
    assert parse(text, "a.yaml", report) is None
    (found,) = report
    assert (found.code, found.message, found.help) == ("E103", message, help)
    assert refused(text) == ("E103", place)


@pytest.mark.parametrize(
    "text",
    [
        "a: @x",
        "a: {b: c, ,}",
        "a: 1\n...\nb: 2",
        "p:\n    year: 1\n  table: 2",
        "a: [1, 2}",
        "a:\n\t- 1",
        "a: !!int 1",
    ],
)
def test_without_libyaml_the_error_is_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_it, without = Report(), Report()
    parse(text, "a.yaml", with_it)
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert parse(text, "a.yaml", without) is None
    assert [(d.code, d.span, d.message) for d in without] == [
        (d.code, d.span, d.message) for d in with_it
    ]


def test_any_exception_of_the_parser_is_a_diagnostic(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (yaml.YAMLError("x"), RecursionError(), yaml.MarkedYAMLError()):

        def fails(_: str, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr(yaml, "CSafeLoader", fails)
        assert refused("a: 1\n") == ("E103", "1:1-1")


@pytest.mark.parametrize(
    ("broken", "fixed"),
    [
        ("a:\n  - b: 1\n\tc: 2\n", "a:\n  - b: 1\n    c: 2\n"),
        ("a:\n\tb:\n\t\tc: 1\n\td: 2\n", "a:\n  b:\n    c: 1\n  d: 2\n"),
        ("a:\n\t- b: 1\n\t  c: 2\n\t- b: 3\n", "a:\n  - b: 1\n    c: 2\n  - b: 3\n"),
        ("a:\n  b: 1\n \t# c\n\tc: 2", "a:\n  b: 1\n# c\n  c: 2"),
        ("a: {b: 1\nc: 2\n", "a: {b: 1}\nc: 2\n"),
        ("a: {b: 1 # x\nc: 2\n", "a: {b: 1} # x\nc: 2\n"),
        ("a: [{b: 1\nc: 2\n", ""),
        ("a: {\n  b: 1\n  c: 2}", "a: {\n  b: 1,\n  c: 2}"),
        ("- a: 1\n b: 2", "- a: 1\n  b: 2"),
        ("a: {b: 1}, {c: 2}  # x", "a: [{b: 1}, {c: 2}]  # x"),
        ("a: {b: 1}, {c: 2} d", ""),
        ("a  =  2 # x\r\nb: 1\r\n", "a: 2 # x\r\nb: 1\r\n"),
        ("- a\n- b\n-c: 1\n", "- a\n- b\n- c: 1\n"),
        ("a\n  - b: 1", "a:\n  - b: 1"),
        ("a:\n  - {b: 1}\n    {b: 2}\n", "a:\n  - {b: 1}\n  - {b: 2}\n"),
        ("a:\n  - {b: 1}\n  {b: 2}\nc: 1", "a:\n  - {b: 1}\n  - {b: 2}\nc: 1"),
        ("a:\n  {b: 1}\n  - {b: 2}", "a:\n  - {b: 1}\n  - {b: 2}"),
        (
            "a:\n  {b: 1}\n  # x\n  {b: 2,\n    c: 3}",
            "a:\n  - {b: 1}\n  # x\n  - {b: 2,\n    c: 3}",
        ),
        ("a:\n  b: x\n    c: 1\n  - b: 2", "a:\n  - b: x\n    c: 1\n  - b: 2"),
    ],
)
def test_a_fix_parses(broken: str, fixed: str) -> None:
    """No fix at all is better than one that does not help."""
    report = Report()
    assert parse(broken, "a.yaml", report) is None
    (found,) = report
    if not fixed:
        assert found.fix == ()
        return
    assert apply(broken, found.fix) == fixed
    assert parse(fixed, "a.yaml", Report()) is not None
