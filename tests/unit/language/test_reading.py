"""The files of one spec: their number, total size, and errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.diagnostics.report import Report, Span
from inception_dsl.language import reading
from inception_dsl.language.file_names import file_name
from inception_dsl.language.reading import Limits, Reading, read, read_wanted

Write = Callable[..., Path]


def found(report: Report) -> list[str]:
    assert all(d.span.line == d.span.end_line for d in report)
    return [
        f"{d.code} {Path(d.span.file).name} {d.span.line}:{d.span.column}-{d.span.end_column}"
        for d in report
    ]


def test_the_limits_of_one_spec() -> None:
    limits = Limits()
    assert (limits.files, limits.characters, limits.values) == (100, 1_000_000, 120_000)


@pytest.mark.parametrize(
    ("limits", "expected", "words"),
    [
        (Limits(1, 0, 0), [], ""),
        (Limits(0, 5, 5), ["E301 a.yaml 1:1-2"], "a spec can have at most 100 files"),
        (Limits(-1, 5, 5), ["E301 a.yaml 1:1-2"], "a spec can have at most 100 files"),
        (Limits(0, -1, -1), ["E301 a.yaml 1:1-2"], "a spec can have at most 100 files"),
        (Limits(9, -1, 5), ["E106 a.yaml 3:4-9"], "more than 1,000,000 characters in total"),
        (Limits(9, -1, -1), ["E106 a.yaml 3:4-9"], "more than 1,000,000 characters in total"),
        (Limits(9, 5, -1), ["E106 a.yaml 3:4-9"], "more than 120,000 values in total"),
    ],
)
def test_another_file(limits: Limits, expected: list[str], words: str) -> None:
    report, files = Report(), limits.files
    assert limits.another(Span("a.yaml", 3, 4, 3, 9), report) == (not expected)
    assert (limits.files, found(report)) == (files - 1, expected)
    assert all(words in d.message for d in report)


def test_a_file_counts_against_the_limits(write: Write) -> None:
    write("b: [1, 2]\n", "base.yaml")
    spec = write("extends: base.yaml\na: {c: é}\n")
    report, limits = Report(), Limits()
    assert read(spec, Reading(report, spec.parent, limits)) is not None
    assert (limits.files, limits.characters) == (99, 1_000_000 - 10 - 29)
    assert limits.values == 120_000 - 4 - 4  # mappings count, and each of their values
    assert found(report) == []


def test_too_many_files_with_the_extended_one(write: Write) -> None:
    write("b: 1\n", "base.yaml")
    spec = write("extends: base.yaml\n")
    report = Report()
    assert read(spec, Reading(report, spec.parent, Limits(0))) is None
    assert found(report) == ["E301 spec.yaml 1:1-2"]


def test_the_maximum_size_of_a_file_in_bytes(write: Write) -> None:
    spec = write("😀" * 1_000_000)
    report = Report()
    assert read(spec, Reading(report, spec.parent, Limits())) is not None
    assert found(report) == []


def test_a_file_that_is_too_large(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read to its end, and no further file is read."""
    monkeypatch.setattr(reading, "ENOUGH", 20)
    write("a: 1 # 0123456789012\n", "large.yaml")
    write("a: 1 # 0123456789\n", "small.yaml")
    for name, expected in (("large.yaml", ["E106 spec.yaml 1:10-19"]), ("small.yaml", [])):
        report, limits = Report(), Limits()
        spec = write(f"extends: {name}\n")
        span = Span(str(spec), 1, 10, 1, 19)
        document = read_wanted(name, span, Reading(report, spec.parent, limits))
        assert (document is None, found(report)) == (bool(expected), expected)
        assert (limits.characters < 0) == bool(expected)
        assert limits.another(span, report) == (not expected)


@pytest.mark.parametrize(
    ("data", "expected", "words"),
    [
        (b"a: 1\nb: \xff\n", ["E102 spec.yaml 2:4-5"], "invalid UTF-8: byte 0xFF"),
        (b"\xc3(", ["E102 spec.yaml 1:1-2"], "invalid UTF-8: byte 0xC3"),
        ("é: é".encode() + b"\x80", ["E102 spec.yaml 1:5-6"], "invalid UTF-8: byte 0x80"),
        (b"\xef\xbb\xbfa: 1\n", [], ""),
    ],
)
def test_bytes(write: Write, data: bytes, expected: list[str], words: str) -> None:
    spec = write("")
    spec.write_bytes(data)
    report = Report()
    assert (read(spec, Reading(report, spec.parent, Limits())) is None) == bool(expected)
    assert found(report) == expected
    assert all(words in d.message for d in report)


@pytest.mark.parametrize(
    ("wanted", "help", "fix"),
    [
        ("bsae.yaml", "did you mean `base.yaml`?", "base.yaml"),
        ("base.yml", "did you mean `base.yaml`?", "base.yaml"),
        ("sub/othr.yaml", "did you mean `sub/other.yml`?", "sub/other.yml"),
        ("sub/base.yaml", "", ""),
        ("base.text", "did you mean `base.yaml`?", "base.yaml"),
        ("a.yaml", "", ""),
        ("v3", "did you mean `inception-dsl:v3`?", "inception-dsl:v3"),
        ("sub/v3.yaml", "did you mean `inception-dsl:v3`?", "inception-dsl:v3"),
        ("zzzzzzzz.yaml", "", ""),
        ("base.yaml/x", "", ""),
    ],
)
def test_suggestions_for_a_missing_file(write: Write, wanted: str, help: str, fix: str) -> None:
    write("", "base.yaml")
    write("", "base.txt")
    write("", "sub/other.yml")
    spec = write(f"extends: {wanted}\n")
    report = Report()
    assert read(spec, Reading(report, spec.parent, Limits())) is None
    assert found(report) == [f"E301 spec.yaml 1:10-{10 + len(wanted)}"]
    (only,) = report
    assert only.message == f"no such file: {spec.parent / wanted}"
    assert (only.help, [text for _, text in only.fix]) == (help, [fix] if fix else [])


def test_no_suggestion_after_a_hundred_errors(write: Write) -> None:
    write("", "base.yaml")
    spec, report = write(""), Report()
    for line in range(1, 150):
        assert (
            read_wanted(
                "bsae.yaml",
                Span(str(spec), line, 1, line, 9),
                Reading(report, spec.parent, Limits()),
            )
            is None
        )
    helped = [bool(d.help) for d in report]
    assert helped[0]
    assert not helped[-1]
    assert [bool(d.fix) for d in report] == helped


def test_a_file_outside_the_root_has_help(write: Write) -> None:
    spec, report = write("extends: ../x.yaml\n", "sub/spec.yaml"), Report()
    assert read(spec, Reading(report, spec.parent, Limits())) is None
    (only,) = report
    assert (found(report), bool(only.help)) == (["E301 spec.yaml 1:10-19"], True)


def test_an_argument_that_cannot_be_read(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path, "not a file but a folder"),
        (tmp_path / "x", "no such file"),
        (Path("a\0b"), ""),
    ):
        report = Report()
        assert read(path, Reading(report, tmp_path, Limits())) is None
        assert found(report) == [f"E101 {path.name} 1:1-2"]
        assert words in next(iter(report)).message


def test_a_path_without_its_ending(write: Write, tmp_path: Path) -> None:
    write("", "net.yaml")
    report = Report()
    assert read(tmp_path / "net", Reading(report, tmp_path, Limits())) is None
    (error,) = report
    assert error.help.startswith("did you mean `") and error.help.endswith("net.yaml`?")


def test_a_cycle_of_extends_with_different_paths(write: Write) -> None:
    """Different paths to a file are the same file."""
    write("extends: ./sub/../spec.yaml\n", "base.yaml")
    write("", "sub/x.yaml")
    spec, report = write("extends: base.yaml\n"), Report()
    assert read(spec, Reading(report, spec.parent, Limits())) is None
    assert found(report) == ["E301 base.yaml 1:10-28"]


def test_the_name_of_a_file_in_diagnostics() -> None:
    assert file_name(Path("a/./b/../c.yaml")) == "a/c.yaml"
