"""A file to a checked spec: what is wrong with a field, where exactly, and what is meant instead."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.diagnostics.report import Diagnostic, Report, Span
from inception_dsl.language.load import load
from inception_dsl.language.models import BlockFile, NetworkFile
from inception_dsl.language.problems import known_fields
from inception_dsl.language.reading import Reading, Room, read, read_wanted
from inception_dsl.yaml.characters import MAX_CHARACTERS
from inception_dsl.yaml.source import parse

HEAD = "network: n\ninput: {channels: 3, height: 8, width: 8}\n"
Loaded = Callable[..., list[Diagnostic]]


@pytest.fixture
def refused(write: Callable[..., Path]) -> Loaded:
    """The mistakes in the text of a spec."""

    def refused(text: str, **settings: str) -> list[Diagnostic]:
        report = Report()
        load(write(text), settings, report)
        assert report.diagnostics
        return list(report)

    return refused


def place(span: Span) -> str:
    """Lines and columns, from the first to the last character; of a part of one line, in short."""
    end = "" if span.end_line == span.line else f"{span.end_line}:"
    return f"{span.line}:{span.column}-{end}{span.end_column - 1}"


@pytest.mark.parametrize(
    ("text", "expected", "help"),
    [
        ("bdy: []\nbody: [{op: identity}]", "E201 3:1-3", "did you mean `body`?"),
        ("zzzzzz: 1\nbody: [{op: identity}]", "E201 3:1-6", "import, params"),
        ("body: [{op: conv, filters: 2}]", "E202 3:8-29", "`kernel_size"),
        (
            "body: [{op: conv, filters: 2, kernel_size: 1, qqqq: 1}]",
            "E201 3:47-50",
            "dilation, groups",
        ),
        ("body: [{op: dense, units: 2, untis: 1}]", "E201 3:30-34", "did you mean `units`?"),
        ("body: [{branches: {a: []}, merge: add, qqq: 1}]", "E201 3:40-42", "branches, merge"),
        ("body: [{op: batch_norm, momentum: 0.9}]", "E201 3:25-32", "write `decay: 0.9`"),
        (
            "body: [{op: conv_bn, filters: 1, kernel_size: 1, batch_norm: {momentum: 0.9}}]",
            "E201 3:63-70",
            "write `decay: 0.9`",
        ),
        (
            "body: [{op: conv_bn, filters: 1, kernel_size: 1, batch_norm: {epsilom: 0.9}}]",
            "E201 3:63-69",
            "did you mean `epsilon`?",
        ),
        (
            "defaults: {cnv: {use_bias: false}}\nbody: [{op: identity}]",
            "E201 3:12-14",
            "did you mean `conv`?",
        ),
        (
            "defaults: {conv: {use_bis: false}}\nbody: [{op: identity}]",
            "E201 3:19-25",
            "did you mean `use_bias`?",
        ),
        (
            "body: [{branches: {a: [{op: dense, units: 3, use_bis: true}]}, merge: add}]",
            "E201 3:46-52",
            "`use_bias`?",
        ),
        ("paper: {arxve: x}\nbody: [{op: identity}]", "E201 3:9-13", "did you mean `arxiv`?"),
        (
            "training: {label_smoothin: 0}\nbody: [{op: identity}]",
            "E201 3:12-25",
            "did you mean `label_smoothing`?",
        ),
        (
            "training: {initializer: {stdev: 1, name: he_normal}}\nbody: [{op: identity}]",
            "E201 3:26-30",
            "did you mean `stddev`?",
        ),
        ("preprocessing: {men: 0}\nbody: [{op: identity}]", "E201 3:17-19", "did you mean `mean`?"),
        (
            "blocks: {b: {steps: [], parms: {}}}\nbody: [{op: identity}]",
            "E201 3:25-29",
            "did you mean `params`?",
        ),
        (
            "params: {b: {type: int, defalt: 1}}\nbody: [{op: identity}]",
            "E201 3:25-30",
            "did you mean `default`?",
        ),
        ("params: {b: {type: itn}}\nbody: [{op: identity}]", "E203 3:20-22", ""),
        ("body: [{branches: {a: []}, merge: sum}]", "E203 3:35-37", ""),
        ("body: [{branches: {}, merge: add}]", "E203 3:19-20", ""),
        ("body: [{branches: [a], merge: add}]", "E203 3:19-21", ""),
        ("body: {op: x}", "E203 3:7-13", ""),
        ("title: [a]\nbody: [{op: identity}]", "E203 3:8-10", ""),
        ("body: [{op: dense, units: $}]", "E207 3:27-27", ""),
        ('body: [{op: dense, units: "${clas + }"}]', "E207 3:37-37", ""),
        ("body: [{op: dense, units: '${3 + ?}'}]", "E207 3:34-34", ""),
        ("body: [{op: dense, units: '${3 + four five}'}]", "E207 3:39-42", ""),
        ("body:\n- {op: dense, units: $a b}", "E207 4:22-25", ""),
        ('body: [{op: dense, units: "${3 \\\n  + ?}"}]', "E207 3:27-4:7", ""),
        ("blocks: {B: {steps: []}}\nbody: [{op: identity}]", "E206 3:10-10", "lower-case"),
        ("outputs: {1: a}\nbody: [{op: identity, name: a}]", "E206 3:11-11", "lower-case"),
        ("outputs: {x: 1}\nbody: [{op: identity}]", "E206 3:14-14", "lower-case"),
        ("1: 2\nbody: [{op: identity}]", "E201 3:1-1", ""),
        ("body: [{1: 2, op: identity}]", "E201 3:9-9", ""),
        ("body: [{use: b, name: c, x: [1]}]", "E203 3:29-31", ""),
        ("checkpoints: {timm: {nmes: {}, names: {}}}\nbody: [{op: identity}]", "E201 3:22-25", ""),
    ],
)
def test_one_mistake(refused: Loaded, text: str, expected: str, help: str) -> None:
    (found,) = refused(HEAD + text)
    assert f"{found.code} {place(found.span)}" == expected
    assert help in found.help
    assert "None" not in found.message + found.help


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("body: {op: x}", ["a list", "a mapping"]),
        ("body: [{branches: [a], merge: add}]", ["a mapping", "the list `[a]`"]),
        ("body: [{branches: {}, merge: add}]", ["at least one branch"]),
        ("body: [{branches: {a: []}, merge: sum}]", ["`concat`", "`add`", "`multiply`", "`sum`"]),
        ("paper: 7\nbody: [{op: identity}]", ["a mapping", "`7`"]),
        ("blocks: 7\nbody: [{op: identity}]", ["a mapping", "`7`"]),
        ("bodi: []\nbody: [{op: identity}]", ["`bodi`"]),
        ("body: [{op: identity, 7: 1}]", ["`7`"]),
        ("body: [{op: conv, filters: 2}]", ["`kernel_size`"]),
    ],
)
def test_what_is_said(refused: Loaded, text: str, words: list[str]) -> None:
    (found,) = refused(HEAD + text)
    assert all(word in found.message for word in words), found.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("network: a\nblock: b\n", ["E208 1:1-3:0"]),
        ("title: x\n", ["E208 1:1-2:0"]),
        ("[network, block]", ["E208 1:1-16"]),
        (f"{HEAD}body: [{{op: conv, filtres: 2, kernel_size: 1}}]", ["E201 3:19-25"]),
        (f"{HEAD}body: [{{op: conv, filtres: 2}}]", ["E202 3:8-29", "E201 3:19-25"]),
        (f"{HEAD}body: [{{op: conv, qqqq: 2, kernel_size: 1}}]", ["E202 3:8-42", "E201 3:19-22"]),
        ("network: a\ninptu: {channels: 1, length: 2}\nbody: [{op: identity}]", ["E201 2:1-5"]),
        (
            f"{HEAD}body: [{{op: conv, filters: 0, kernel_size: x}}, {{op: dens}}]",
            ["E203 3:28-28", "E203 3:44-44", "E204 3:53-56"],
        ),
        ("block: b\nstps: []", ["E201 2:1-4"]),
        ("block: b\nsteps: [{op: x}, {op: y}]", ["E204 2:14-14", "E204 2:23-23"]),
    ],
)
def test_all_mistakes_and_no_echo_of_them(refused: Loaded, text: str, expected: list[str]) -> None:
    """A field that is misspelt is not also missing; one that is missing and another that is unknown are two mistakes."""
    assert sorted(f"{d.code} {place(d.span)}" for d in refused(text)) == sorted(expected)


def test_files_that_cannot_be_read(
    tmp_path: Path, refused: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = Path("spec.yaml")
    for make, code, word in (
        (lambda: None, "E101", "is not a file"),
        (lambda: spec.mkdir(), "E101", "is not a file"),
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
        (d.code, "not a path" in d.message or "is not a file" in d.message) for d in report
    ] == [("E101", True)]


def test_a_file_that_the_system_refuses(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = write("network: n\n")

    def fails(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", fails)
    report = Report()
    assert read(spec, Reading(report, spec.parent, Room())) is None
    assert [(d.code, "cannot be read: Permission denied" in d.message) for d in report] == [
        ("E101", True)
    ]
    monkeypatch.setattr("inception_dsl.language.reading.read_inside", fails)
    report = Report()
    span = Span(str(spec), 4, 5, 4, 9)
    assert read_wanted("other.yaml", span, Reading(report, spec.parent, Room())) is None
    assert [(d.code, d.span, "cannot be read: Permission denied" in d.message) for d in report] == [
        ("E301", span, True)
    ]


def test_the_byte_order_mark_is_harmless(write: Callable[..., Path]) -> None:
    spec = write("")
    spec.write_bytes(b"\xef\xbb\xbf" + f"{HEAD}body: [{{op: identity}}]".encode())
    report = Report()
    loaded = load(str(spec), {}, report)
    assert loaded is not None, report.render()
    assert loaded.root == Path(os.path.realpath(spec.parent))
    assert isinstance(loaded.model, NetworkFile)
    assert loaded.document.file == str(spec)


def test_a_file_of_the_largest_size_is_read(write: Callable[..., Path]) -> None:
    text = f"{HEAD}body: [{{op: identity}}]\n"
    spec = write("")
    spec.write_text(text + "#" * (MAX_CHARACTERS - len(text)))
    report = Report()
    assert load(spec, {}, report) is not None, report.render()


@pytest.mark.parametrize(
    ("wanted", "code", "place", "word"),
    [
        ("nothing.yaml", "E301", "1:10-21", "is not a file"),
        ("spec.yaml/x", "E301", "1:10-20", "is not a file"),
        (".", "E301", "1:10-10", "is not a file"),
        ("/etc/passwd", "E301", "1:10-20", "is not a relative path"),
        ("[a]", "E203", "1:10-12", "found the list"),
        ("spec.yaml", "E301", "1:10-18", "extends itself"),
    ],
)
def test_what_cannot_be_extended(
    refused: Loaded, wanted: str, code: str, place: str, word: str
) -> None:
    (found,) = refused(f"extends: {wanted}\n")
    assert (found.code, globals()["place"](found.span)) == (code, place)
    assert word in found.message


def test_a_chain_of_sixteen_is_the_longest(write: Callable[..., Path]) -> None:
    write(f"{HEAD}body: [{{op: identity}}]\n", "0.yaml")
    for i in range(1, 18):
        write(f"extends: {i - 1}.yaml\ntitle: '{i}'\n", f"{i}.yaml")
    report = Report()
    spec = load(write("extends: 15.yaml\n"), {}, report)
    assert spec is not None, report.render()
    assert spec.document.data["title"] == "15"
    report = Report()
    assert load(write("extends: 16.yaml\n"), {}, report) is None
    assert [d.code for d in report] == ["E301"]


@pytest.mark.parametrize(
    ("name", "value", "code", "label", "help"),
    [
        ("clases", "3", "E209", "1:1-1", "did you mean `classes`?"),
        ("widht", "33", "E209", "1:1-2", "did you mean `width`?"),
        ("zzzz", "", "E103", "1:1-1", ""),
        ("zzzz", "1", "E209", "1:1-1", "it can be one of width, allow, aux_heads"),
        ("network", "x", "E209", "1:1-1", ""),
        ("block", "x", "E209", "1:1-1", ""),
        ("extends", "x", "E209", "1:1-1", ""),
        ("import", "[x]", "E209", "1:1-3", ""),
        ("classes", "many", "E203", "1:1-4", ""),
        ("classes", "[1, x]", "E203", "1:1-6", ""),
        ("width", "wide", "E203", "1:1-4", ""),
        ("input", "3x", "E203", "1:1-2", "224x224x3"),
        ("input", "3", "E203", "1:1-1", ""),
        ("input", "1x2x3x4x5", "E203", "1:1-9", ""),
        ("input", "0000000001x3", "E203", "1:1-12", ""),
        ("body.9.units", "3", "E310", "1:1-1", "0"),
        ("body.0.untis", "3", "E201", "1:1-1", "did you mean `units`?"),
    ],
)
def test_settings_that_do_not_fit(
    refused: Loaded, name: str, value: str, code: str, label: str, help: str
) -> None:
    text = f"{HEAD}params: {{width: {{type: int, default: 3}}}}\nbody: [{{op: dense, units: $width}}]\n"
    (found,) = refused(text, **{name: value})
    assert (found.code, found.span.file, place(found.span)) == (code, f"--set {name}", label)
    assert help in found.help


@pytest.mark.parametrize(
    ("settings", "field", "value"),
    [
        ({"input": "9x7"}, "input", {"length": 9, "channels": 7}),
        ({"input": "5x6x7"}, "input", {"height": 5, "width": 6, "channels": 7}),
        ({"input": "4x5x6x7"}, "input", {"depth": 4, "height": 5, "width": 6, "channels": 7}),
        ({"input": "999999999x7"}, "input", {"length": 999999999, "channels": 7}),
        ({"input": "{height: 9}"}, "input", {"channels": 3, "height": 9, "width": 8}),
        ({"input.height": "9"}, "input", {"channels": 3, "height": 9, "width": 8}),
        ({"classes": "7", "title": "x"}, "title", "x"),
        ({"width": "4"}, "params", {"width": {"type": "int", "default": 4}}),
        ({"body.0.units": "9"}, "body", [{"op": "dense", "name": "last", "units": 9}]),
        ({"body.last.units": "9"}, "body", [{"op": "dense", "name": "last", "units": 9}]),
        ({"paper.year": "2015"}, "paper", {"year": 2015}),
    ],
)
def test_what_a_setting_changes(
    write: Callable[..., Path], settings: dict[str, str], field: str, value: object
) -> None:
    text = f"{HEAD}params: {{width: int}}\nbody: [{{op: dense, name: last, units: $width}}]\n"
    report = Report()
    report_all = load(write(text), settings, report)
    assert not report.diagnostics or {d.code for d in report} == {"E203"}, (
        report.render()
    )  # a size may be too large
    if report_all is not None:
        assert report_all.document.data[field] == value


def test_a_parameter_in_short_and_the_place_of_a_setting(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    text = f"{HEAD}params: {{width: {{type: int, default: 3}}}}\nbody: [{{op: dense, units: $width}}]\n"
    spec = load(write(text), {"width": "44", "body.0.use_bias": "false"}, Report())
    assert spec is not None
    assert place(spec.document.span(("params", "width", "default"))) == "1:1-2"
    assert spec.document.span(("params", "width", "default")).file == "--set width"
    assert spec.document.span(("body", 0, "use_bias")) == Span("--set body.0.use_bias", 1, 1, 1, 6)
    assert spec.document.key_span(("body", 0, "use_bias")).file == "--set body.0.use_bias"
    assert (
        spec.document.span(("body", 0, "units")).file
        == spec.document.file
        == str(tmp_path / "spec.yaml")
    )


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ((), {"network", "import", "body", "blocks"}),
        (("paper",), {"arxiv", "figure"}),
        (("training",), {"initializer", "optimizer"}),
        (("training", "initializer"), {"stddev"}),
        (("preprocessing",), {"channel_order"}),
        (("aux_heads", "aux"), {"after", "loss_weight"}),
        (("blocks", "b"), {"steps", "params"}),
        (("blocks", "b", "params", "n"), {"type", "default"}),
        (("params", "n"), {"type", "default"}),
        (("defaults",), {"conv", "batch_norm"}),
        (("defaults", "conv"), {"filters", "groups"}),
        (("defaults", "batch_norm"), {"epsilon", "decay"}),
        (("body", 0), {"filters", "name"}),
        (("body", 0, "batch_norm"), {"epsilon", "decay"}),
        (("body", 1), {"branches", "merge"}),
        (("body", 1, "branches", "a", 0), {"units"}),
        (("body", 2), set()),
        (("outputs",), set()),
        (("nowhere", "x", 3), set()),
    ],
)
def test_the_fields_of_a_place(path: tuple[str | int, ...], fields: set[str]) -> None:
    text = "body: [{op: conv_bn, batch_norm: {}}, {branches: {a: [{op: dense}]}}, {op: nothing}]\nparams: {n: {}}\n"
    document = parse(text + "outputs: {}\n", "f", Report())
    assert document is not None
    found = set(known_fields(NetworkFile, document.data, path))
    assert fields <= found
    assert bool(fields) == bool(found)
    assert "network" not in known_fields(BlockFile, {}, path)
    if path[:1] == ("defaults",):
        assert not {"op", "name", "repeat"} & found


@pytest.mark.parametrize("section", ["stem", "body", "head"])
def test_nothing_follows_from_a_section_that_is_misspelt(
    mistakes: Callable[..., Report], section: str
) -> None:
    """The map that reaches the pool is not known."""
    sections = {"stem": "{op: identity}", "body": "{op: identity}", "head": "{op: identity}"}
    after = "head" if section == "body" else "body"
    sections[after] = (
        "{op: max_pool, kernel_size: 9, padding: valid}" if section != "head" else "{op: identity}"
    )
    text = "".join(
        f"{name.replace(section, section[1:])}: [{step}]\n" for name, step in sections.items()
    )
    assert [(d.code, d.help) for d in mistakes(HEAD + text)] == [
        ("E201", f"did you mean `{section}`?")
    ]


@pytest.mark.parametrize("section", ["stem", "body", "head"])
def test_a_misspelt_section_hides_nothing(mistakes: Callable[..., Report], section: str) -> None:
    """It stands for a section, so the network has one; and what the section holds that is there already, counts."""
    assert [d.code for d in mistakes(f"{HEAD}{section[1:]}: [{{op: identity}}]\n")] == ["E201"]
    text = f"{section[1:]}: [{{op: identity}}]\n{section}: [{{op: max_pool, kernel_size: 9, padding: valid}}]\n"
    assert [d.code for d in mistakes(HEAD + text)] == ["E201", "E401"]


def test_the_branches_of_a_step_of_two_kinds(mistakes: Callable[..., Report]) -> None:
    text = "body: [{op: conv, branches: {a: [{op: conv, filters: 0, kernel_size: 1}], b: []}, merge: add}]\n"
    assert [(d.code, d.span.column) for d in mistakes(HEAD + text)] == [("E205", 8), ("E203", 54)]


def test_mistakes_beside_each_other_are_both_found(mistakes: Callable[..., Report]) -> None:
    text = f"{HEAD}paper: {{yer: 1, tabel: 2}}\ntraining: {{label_smoothing: 7, note: {{}}}}\nbody: [{{op: identity, nme: a}}]\n"
    places = [(d.code, d.span.line, d.span.column) for d in mistakes(text)]
    assert places == [
        ("E201", 3, 9),
        ("E201", 3, 17),
        ("E203", 4, 29),
        ("E203", 4, 38),
        ("E201", 5, 23),
    ]


def test_after_a_setting_that_fits_nothing_no_parameter_is_missed(
    write: Callable[..., Path],
) -> None:
    """One of the parameters may have been meant."""
    spec = write(f"{HEAD}params: {{width: int}}\nbody: [{{op: dense, units: $width}}]\n")
    for settings, lost in (
        ({}, False),
        ({"width": "3"}, False),
        ({"widht": "3"}, True),
        ({"widht": "3", "classes": "3"}, True),
    ):
        loaded = load(spec, settings, Report())
        assert loaded is not None
        assert loaded.document.lost("params") == lost
    report = Report()
    assert load(write("title: x\n"), {"widht": "3"}, report) is None
    assert {d.code for d in report} == {"E208", "E209"}
