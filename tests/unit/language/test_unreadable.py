"""Files that cannot be read or extended, and files of the maximum size."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from loading import HEAD, Loaded, place

from inception_dsl.diagnostics.report import Report, Span
from inception_dsl.language.load import load
from inception_dsl.language.models import NetworkFile
from inception_dsl.language.reading import Limits, Reading, read, read_wanted
from inception_dsl.yaml.characters import MAX_CHARACTERS


def test_files_that_cannot_be_read(
    tmp_path: Path, refused: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = Path("spec.yaml")
    for make, code, word in (
        (lambda: None, "E101", "no such file"),
        (lambda: spec.mkdir(), "E101", "not a file but a folder"),
        (lambda: spec.rmdir() or spec.write_bytes(b"\xff: a"), "E102", "byte 0xFF"),
        (lambda: spec.write_bytes(b"#" * (MAX_CHARACTERS * 4 + 1)), "E106", "1,000,000"),
        (lambda: spec.write_bytes("é".encode() * (MAX_CHARACTERS + 1)), "E106", "1,000,000"),
        (lambda: spec.write_bytes("é".encode() * (2 * MAX_CHARACTERS + 1)), "E106", "1,000,000"),
    ):
        make()  # type: ignore[no-untyped-call]
        report = Report()
        assert load("./spec.yaml", {}, report) is None
        (found,) = report
        assert (found.code, found.span) == (code, Span("spec.yaml", 1, 1, 1, 2))
        assert word in found.message
    report = Report()
    assert load("a\0b", {}, report) is None
    assert [
        (d.code, "invalid path" in d.message or "no such file" in d.message) for d in report
    ] == [("E101", True)]


def test_a_file_without_permission(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = write("network: n\n")

    def fails(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", fails)
    report = Report()
    assert read(spec, Reading(report, spec.parent, Limits())) is None
    assert [(d.code, "cannot be read: Permission denied" in d.message) for d in report] == [
        ("E101", True)
    ]
    monkeypatch.setattr("inception_dsl.language.reading.read_inside", fails)
    report = Report()
    span = Span(str(spec), 4, 5, 4, 9)
    assert read_wanted("other.yaml", span, Reading(report, spec.parent, Limits())) is None
    assert [(d.code, d.span, "cannot be read: Permission denied" in d.message) for d in report] == [
        ("E301", span, True)
    ]


def test_a_byte_order_mark_is_accepted(write: Callable[..., Path]) -> None:
    spec = write("")
    spec.write_bytes(b"\xef\xbb\xbf" + f"{HEAD}body: [{{op: identity}}]".encode())
    report = Report()
    loaded = load(str(spec), {}, report)
    assert loaded is not None, report.render()
    assert loaded.root == Path(os.path.realpath(spec.parent))
    assert isinstance(loaded.model, NetworkFile)
    assert loaded.document.file == str(spec)


def test_a_file_of_the_maximum_size_is_read(write: Callable[..., Path]) -> None:
    text = f"{HEAD}body: [{{op: identity}}]\n"
    spec = write("")
    spec.write_text(text + "#" * (MAX_CHARACTERS - len(text)))
    report = Report()
    assert load(spec, {}, report) is not None, report.render()


@pytest.mark.parametrize(
    ("wanted", "code", "where", "word"),
    [
        ("nothing.yaml", "E301", "1:10-21", "no such file"),
        ("spec.yaml/x", "E301", "1:10-20", "no such file"),
        (".", "E301", "1:10-10", "is not a regular file"),
        ("/etc/passwd", "E301", "1:10-20", "is not a relative path"),
        ("[a]", "E203", "1:10-12", "found the list"),
        ("spec.yaml", "E301", "1:10-18", "extends itself"),
    ],
)
def test_files_that_cannot_be_extended(
    refused: Loaded, wanted: str, code: str, where: str, word: str
) -> None:
    (found,) = refused(f"extends: {wanted}\n")
    assert (found.code, place(found.span)) == (code, where)
    assert word in found.message


def test_at_most_sixteen_levels_of_extends(write: Callable[..., Path]) -> None:
    write(f"{HEAD}body: [{{op: identity}}]\n", "0.yaml")
    for i in range(1, 18):
        write(f"extends: {i - 1}.yaml\ntitle: '{i}'\n", f"{i}.yaml")
    report = Report()
    spec = load(write("extends: 15.yaml\n"), {}, report)
    assert spec is not None, report.render()
    assert spec.document.data["modified_from"].startswith("15, modified from 14")
    report = Report()
    assert load(write("extends: 16.yaml\n"), {}, report) is None
    assert [d.code for d in report] == ["E301"]
