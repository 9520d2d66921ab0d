"""The text format of diagnostics."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

import pytest

import inception_dsl
from inception_dsl.diagnostics.codes import CODES
from inception_dsl.diagnostics.report import Diagnostic, Report, Span
from inception_dsl.diagnostics.text import WIDTH, printable, visible
from inception_dsl.diagnostics.words import nearest, suggestion


def test_an_error_shows_its_line() -> None:
    report = Report(texts={"a.yaml": "one\ntwo three\n"})
    span = Span("a.yaml", 2, 5, 2, 10)
    report.error("E201", "unknown field `three`", span, label="here", help="did you mean `tree`?")
    assert report.render() == (
        "error[E201]: unknown field `three`\n"
        "  --> a.yaml:2:5\n"
        "  |\n"
        "2 | two three\n"
        "  |     ^^^^^ here\n"
        "  = help: did you mean `tree`?"
    )


def test_errors_are_sorted_and_kept_once() -> None:
    report = Report()
    for line in (3, 1, 3):
        report.error("E201", "x", Span("a", line, 1, line, 2))
    assert [d.span.line for d in report] == [1, 3]
    assert not report.ok


def test_a_long_line_is_cut_around_the_location() -> None:
    line = "a" * 3000 + "BAD" + "b" * 3000
    report = Report(texts={"a": line})
    report.error("E201", "x", Span("a", 1, 3001, 1, 3004))
    shown = report.render().splitlines()
    assert all(len(text) <= WIDTH + 12 for text in shown)
    at = shown[3].index("BAD")
    assert shown[4][at : at + 3] == "^^^"
    assert shown[4].count("^") == 3


def test_only_the_first_of_several_lines_is_marked() -> None:
    report = Report(texts={"a": "x: {a,\n b}"})
    report.error("E201", "x", Span("a", 1, 4, 2, 4))
    assert report.render().splitlines()[4] == "  |    ^^^"


def test_control_characters_are_shown_as_escapes() -> None:
    assert printable("a\x1b[31m\n") == "a\\x1b[31m\\n"
    report = Report(texts={"\x1b": "\x1b]0;x\x07 bad"})
    report.error("E201", "\x1b", Span("\x1b", 1, 9, 1, 12), help="\x1b")
    assert "\x1b" not in report.render()


def test_a_location_in_an_unknown_file_has_no_excerpt() -> None:
    report = Report()
    report.error("E101", "gone", Span("a.yaml", 1, 1, 1, 2))
    assert report.render() == "error[E101]: gone\n  --> a.yaml:1:1"


def test_codes_are_documented() -> None:
    with pytest.raises(KeyError):
        Diagnostic("E999", "x", Span("a", 1, 1, 1, 1))


def test_all_codes_are_used() -> None:
    package = Path(inception_dsl.__file__).parent
    text = "".join(p.read_text() for p in package.rglob("*.py") if p.name != "codes.py")
    used = set(re.findall(r'"([EW]\d{3})"', text))
    assert used <= set(CODES)
    assert set(CODES) - used <= {"E503", "W501"}, "only backends use them"


def test_suggestions() -> None:
    assert nearest("filtres", ["filters", "stride"]) == "filters"
    assert nearest("zzz", ["filters"]) is None
    assert suggestion("zzz", ["b", "a"], what="known") == "known: a, b"
    assert suggestion("zzz", [], what="known") == ""


def test_visible_characters_are_the_same_in_every_version_of_python() -> None:
    """Over all characters. `str.isprintable` depends on the Unicode tables of the version."""
    seen = "".join("01"[visible(chr(number))] for number in range(sys.maxunicode + 1))
    assert (
        hashlib.md5(seen.encode(), usedforsecurity=False).hexdigest()
        == "b8847b53215ec30046f05a0826d762bc"
    )
    assert [
        visible(c) for c in "a\u00e9\U0001f600\U0001fae8 \t\n\x1b\x7f\u00a0\u202e\u2066\ufeff\ud800"
    ] == [True] * 5 + [False] * 9
    assert printable("\U0001fae8\u2066\x1b") == "\U0001fae8\\u2066\\x1b"
