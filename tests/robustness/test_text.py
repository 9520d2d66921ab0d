"""The loader with malicious text, and with text that other parsers read differently."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import MAX_ERRORS, Report
from inception_dsl.yaml.source import parse

BIDI = (*(0x061C, 0x200E, 0x200F), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
INVISIBLE = (
    *(
        0x00A0,
        0x00AD,
        0x034F,
        0x115F,
        0x1160,
        0x17B4,
        0x180E,
        0x2003,
        0x200B,
        0x200C,
        0x200D,
        0x202F,
        0x205F,
        0x2060,
    ),
    *(0x2063, 0x206A, 0x2800, 0x3000, 0x3164, 0xFE0F, 0xFEFF, 0xFFA0, 0x1D159, 0xE0001, 0xE0100),
)
CONTROL = (0x00, 0x08, 0x0B, 0x1B, 0x7F, 0x85, 0x9B, 0x2028, 0x2029, 0xE000, 0xFFFF)
PLACES = {  # texts with a raw character, and its line and column
    "a: b{}c": "1:5",
    "b{}: c": "1:2",
    "{{a: 1, b{}: c}}": "1:9",
    "a: b # x{}y": "1:9",
    "# {}\na: b": "1:3",
    "a: |\n  x{}y": "2:4",
    "a: >\n  x\n  x{}y": "3:4",
    "a: 'x{}y'": "1:6",
    'a: "x{}y"': "1:6",
    "a:\n  - b\n  - {}": "3:5",
}
ESCAPED = {'a: "x{}y"': "1:4", '"x{}y": 1': "1:1", 'a:\n  - {{b: ["{}"]}}': "2:10"}


def refused(text: str) -> tuple[str, str, str]:
    """The code, the location and the message of the only error in a text."""
    report = Report()
    parse(text, "a.yaml", report)
    (found,) = report
    assert report.render().isascii() or not set(report.render()) & {text}
    return found.code, f"{found.span.line}:{found.span.column}", found.message


def escapes(point: int) -> list[str]:
    """All escapes of a character in double quotes."""
    short = {
        0x00: ["\\0"],
        0x08: ["\\b"],
        0x0B: ["\\v"],
        0x1B: ["\\e"],
        0x85: ["\\N"],
        0xA0: ["\\_"],
        0x2028: ["\\L"],
        0x2029: ["\\P"],
    }
    found = [f"\\U{point:08X}", *short.get(point, ())]
    found += [f"\\u{point:04x}"] if point <= 0xFFFF else []
    return found + ([f"\\x{point:02x}"] if point <= 0xFF else [])


def test_all_invisible_characters_are_covered() -> None:
    assert (len(set(BIDI)), len(set(INVISIBLE))) == (12, 25)


@pytest.mark.parametrize("point", [*BIDI, *INVISIBLE, *CONTROL], ids=lambda point: f"U+{point:04X}")
def test_invisible_characters_are_rejected(point: int) -> None:
    for text, place in PLACES.items():
        assert refused(text.format(chr(point))) == (
            "E102",
            place,
            f"the invisible character U+{point:04X} is not allowed",
        )
    for text, place in ESCAPED.items():
        for escape in escapes(point):
            code, where, message = refused(text.format(escape))
            assert (code, where) == ("E102", place), escape
            assert f"U+{point:04X}" in message


@pytest.mark.parametrize(
    "escape", ["\\uD800", "\\uDFFF", "\\ud83d\\ude00", "\\U0000DC00", "\\U00110000"]
)
def test_half_of_a_character_is_none(escape: str) -> None:
    code, place, message = refused(f'a: "x{escape}y"')
    assert (code, place) == ("E103", "1:8")
    assert re.fullmatch(r"U\+[0-9A-F]{4,6} is not a character", message)


def test_visible_text_is_kept() -> None:
    report = Report()
    text = (
        'a: "tab \\t line \\n é 中 \\u00e9 \\x41 👾"\n'
        "b: |\n"
        "  one\n"
        "\n"
        "  two\tx\n"
        "c: 'naïve e\u0301'\n"
    )
    document = parse(text, "a.yaml", report)
    assert document is not None, report.render()
    assert document.data == {
        "a": "tab \t line \n é 中 é A 👾",
        "b": "one\n\ntwo\tx\n",
        "c": "naïve e\u0301",
    }


ENCODINGS = (
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "utf-32-le",
    "utf-32-be",
    "latin-1",
    "cp1252",
    "cp437",
    "cp037",
)
EASTERN = ("shift_jis", "gb18030", "euc-kr", "big5")


@pytest.mark.parametrize("encoding", [*ENCODINGS, *EASTERN])
def test_other_encodings_are_errors_with_a_location(encoding: str, tmp_path: Path) -> None:
    title = "中" if encoding in EASTERN else "é"
    path = tmp_path / "spec.yaml"
    path.write_bytes(f"network: n\ntitle: {title}\n".encode(encoding))
    report = Report()
    assert compile_spec(path, {}, report) is None
    (found,) = report
    assert found.code == "E102"
    if encoding not in ENCODINGS[:6] and encoding != "cp037":
        assert (found.span.line, found.span.column) == (2, 8)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"\xff\xfe\xff", "1:1"),
        (b"network: n\nb: \xc0\x80", "2:4"),
        (b"\xef\xbb\xbfa: \xed\xa0\x80", "1:4"),
        ("é: é".encode() + b"\xe2\x82", "1:5"),
        (b"a: \xf4\x90\x80\x80", "1:4"),
    ],
)
def test_invalid_utf_8(data: bytes, place: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(data)
    report = Report()
    assert compile_spec(path, {}, report) is None
    (found,) = report
    assert (found.code, f"{found.span.line}:{found.span.column}") == ("E102", place)
    assert Path(found.span.file) == path


ERROR = object()
SCALARS: dict[str, object] = {
    "1e-3": 0.001,
    "1E3": 1000.0,
    "1e3": 1000.0,
    ".5": 0.5,
    "1.": 1.0,
    "-.5": -0.5,
    "+1": 1,
    "-0": 0,
    "0": 0,
    "0.0": 0.0,
    "no": "no",
    "on": "on",
    "off": "off",
    "yes": "yes",
    "y": "y",
    "NO": "NO",
    "true": True,
    "TRUE": True,
    "tRUE": "tRUE",
    "~": None,
    "null": None,
    "NULL": None,
    "nUll": "nUll",
    "none": "none",
    "None": "None",
    "": None,
    "010": ERROR,
    "0o17": ERROR,
    "0x1F": ERROR,
    "0b101": ERROR,
    "1:30": ERROR,
    "1:30:00": ERROR,
    "1_000": ERROR,
    "-010": ERROR,
    "00": ERROR,
    ".inf": ERROR,
    "-.Inf": ERROR,
    ".NaN": ERROR,
    "1e400": ERROR,
    "9" * 19: ERROR,
    "2026-11-25": "2026-11-25",
    "12:30pm": "12:30pm",
    "1.2.3": "1.2.3",
    "1e": "1e",
    "e3": "e3",
    "+": "+",
    ".": ".",
    "..": "..",
    "0x": "0x",
    "1/2": "1/2",
    "50%": "50%",
    "=": "=",
    "9" * 18: 10**18 - 1,
    "inf": "inf",
    "nan": "nan",
}


def test_there_are_forty_scalars() -> None:
    assert len(SCALARS) >= 40


@pytest.mark.parametrize("text", SCALARS)
def test_scalars_follow_yaml_1_2_or_are_rejected(text: str) -> None:
    expected = SCALARS[text]
    if expected is ERROR:
        assert refused(f"a: {text}")[:2] == ("E107", "1:4")
        return
    document = parse(f"a: {text}", "a.yaml", Report())
    assert document is not None
    assert document.data["a"] == expected
    assert type(document.data["a"]) is type(expected)


@pytest.mark.parametrize("text", ["&a x", "{b: &a [1]}", "[&a {b: 1}, *a]"])
def test_all_values_and_keys_have_a_location(text: str) -> None:
    document = parse(f"k: {text}\n", "a.yaml", Report())
    assert document is not None

    def walk(value: object, path: tuple[str | int, ...]) -> None:
        assert path in document.spans
        for key, inner in (
            value.items()
            if isinstance(value, dict)
            else enumerate(value)
            if isinstance(value, list)
            else ()
        ):
            assert isinstance(value, list) or (*path, key) in document.keys
            walk(inner, (*path, key))

    walk(document.data, ())


def test_errors_at_the_end_are_inside_the_text() -> None:
    for text in ("a: [1", "a: [1\n", "a: {b: 1,\n\n", 'a: "x\n', "a: 'x", "a: |\n x\n b"):
        report = Report()
        if parse(text, "a.yaml", report) is None:
            (found,) = report
            lines = text.split("\n")
            assert found.span.line <= len(lines)
            assert found.span.column <= len(lines[found.span.line - 1]) + 1


def test_checking_stops_after_very_many_errors(errors: Callable[..., Report]) -> None:
    text = "network: n\ninput: {channels: 1, length: 4}\nbody:\n"
    report = errors(
        text
        + "".join(f"  - {{op: conv, x{i}: 1, filters: 1, kernel_size: 1}}\n" for i in range(1_200))
    )
    assert len(report.diagnostics) == MAX_ERRORS
    assert "stopped after 1000 errors" in report.diagnostics[-1].notes[0]
    report = errors(text + "".join(f"  - {{use: b{i}}}\n" for i in range(1_200)))
    assert len(report.diagnostics) == MAX_ERRORS
