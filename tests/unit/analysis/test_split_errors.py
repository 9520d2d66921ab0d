"""Errors of forks that divide the channels of their input: locations, texts, fixes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from split_specs import BLOCK, fork, spec

from inception_dsl.compiler import check_spec, compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.yaml.edits import apply

Compiled = Callable[..., TypedProgram]
Errors = Callable[..., Report]
ERRORS = {
    "too few": ("[4, 4]", 2, "E403", 0, "[4, rest]"),
    "too many": ("[4, 30]", 2, "E403", 0, "[4, rest]"),
    "much too many": ("[40, 30]", 2, "E403", 0, ""),
    "nothing for the rest": ("[2, rest, 30]", 3, "E403", 0, ""),
    "less than nothing for the rest": ("[33, rest]", 2, "E403", 0, ""),
    "unequal parts": ("equal", 3, "E403", 0, "[10, 10, rest]"),
    "a size too few": ("[4, 4]", 3, "E203", 0, "[4, 4, rest]"),
    "a size too few after a rest": ("[rest, 4]", 3, "E203", 0, ""),
    "a size too many": ("[4, 4, rest]", 2, "E203", 0, ""),
    "two rests": ("[rest, rest]", 2, "E203", 7, ""),
    "zero": ("[0, rest]", 2, "E203", 1, ""),
    "negative": ("[-4, rest]", 2, "E203", 1, ""),
    "a fraction": ("[2.5, rest]", 2, "E203", 1, ""),
    "a boolean": ("[true, rest]", 2, "E203", 1, ""),
    "nothing": ("[null, rest]", 2, "E203", 1, ""),
    "another word": ("[4, rst]", 2, "E203", 4, "[4, rest]"),
    "a number": ("2", 2, "E203", 0, "equal"),
    "a misspelled word": ("equl", 2, "E203", 0, "equal"),
    "an empty list": ("[]", 2, "E203", 0, ""),
    "a mapping": ("{a: 4, b: rest}", 2, "E203", 0, ""),
    "an expression of zero": ('["${in_channels - 32}", rest]', 2, "E203", 1, ""),
    "an unknown parameter": ("[4, $widht]", 2, "E304", 5, "[4, $width]"),
    "an invalid expression": ('[4, "${width +}"]', 2, "E207", 14, ""),
}


@pytest.mark.parametrize("why", ERRORS)
def test_an_error_stands_at_the_list_and_its_fix_is_right(
    why: str, write: Callable[..., Path], compiled: Compiled
) -> None:
    split, count, code, offset, fixed = ERRORS[why]
    text = spec(split, count, "params: {width: {type: int, default: 28}}\n")
    report = Report()
    path = write(text)
    assert compile_spec(path, {}, report) is None
    (found,) = [d for d in report if d.code.startswith("E")]
    line = text.splitlines()[4]
    place = (code, 5, line.index(", split: ") + len(", split: ") + 1 + offset)
    assert (found.code, found.span.line, found.span.column) == place, report.render()
    if not fixed:
        assert not found.fix
        return
    repaired = apply(text, found.fix)
    assert f"split: {fixed}, merge" in repaired
    compiled(repaired)


def test_errors_say_what_fits(errors: Errors) -> None:
    assert (
        "the sizes are 8 in all, but the input has 32 channels" in errors(spec("[4, 4]")).render()
    )
    text = errors(spec("equal", 3)).render()
    assert "32 channels cannot be divided into 3 equal parts" in text
    assert "write `split: [10, 10, rest]`" in text
    text = errors(spec("[30, rest, 2]", 3)).render()
    assert "nothing is left for `rest`: the other sizes are 32 in all" in text
    assert "must be less than 32 in all" in text
    text = errors(spec("equal", 8).replace("channels: 32", "channels: 5")).render()
    assert "at most 5 branches fit" in text


def test_a_wrong_argument_is_reported_where_it_is_passed(errors: Errors) -> None:
    text = (
        f"{BLOCK}blocks:\n  part: {{params: {{g: int}}, steps: [{fork('[$g, rest]')}]}}\n"
        "steps: [{use: part, g: 0}]\n"
    )
    (found,) = errors(text)
    assert (found.code, found.span.line, found.span.column) == ("E203", 5, 24)
    (found,) = errors(text.replace("g: 0", "g: 32"))
    assert (found.code, found.span.line) == ("E403", 4)
    assert any("use of `part`" in note for note in found.notes)


def test_parts_that_do_not_fit_their_sum(errors: Errors) -> None:
    (found,) = errors(spec("[4, rest]", merge="add"))
    assert found.code == "E402"
    assert "found 4 and 28" in found.message


UNKNOWN = "block: mixer\nparams: {g: int, t: str}\nsteps:\n  - %s\n"


@pytest.mark.parametrize(
    ("split", "code"),
    [
        ("[$g, rest]", ""),
        ("[$g, $g]", ""),  # right for 2 g channels
        ("equal", ""),
        ('["${in_channels // 8}", rest]', ""),
        ('["${in_channels - g}", $g]', ""),
        ("[$in_channels, rest]", "E403"),
        ("[$in_channels, 1]", "E403"),
        ('["${in_channels - g}", "${g + 1}"]', "E403"),
        ("[$t, rest]", "E203"),
        ("[4, 0]", "E203"),
    ],
)
def test_unknown_channels_are_terms(split: str, code: str, write: Callable[..., Path]) -> None:
    """An error of a block without an input is one for all numbers of channels."""
    report = Report()
    check_spec(write(UNKNOWN % fork(split)), {}, report)
    assert [d.code for d in report if d.code.startswith("E")] == ([code] if code else [])


def test_unknown_channels_after_a_split(write: Callable[..., Path]) -> None:
    """The sizes add up again; a sum of parts that differ for all values is an error."""
    report = Report()
    two = f"{fork('[$g, rest]')}\n  - {fork('[$in_channels, 1]').replace('mix', 'two')}"
    check_spec(write(UNKNOWN % two), {}, report)
    assert [(d.code, d.span.line) for d in report if d.code.startswith("E")] == [("E403", 5)]
    report = Report()
    unequal = fork('[$g, "${g + 2}"]', merge="add")
    check_spec(write(UNKNOWN % unequal), {}, report)
    assert [d.code for d in report if d.code.startswith("E")] == ["E402"]
