"""Validation of a spec: errors in fields, their locations and suggestions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from loading import HEAD, Loaded, place

from inception_dsl.diagnostics.report import Report
from inception_dsl.language.models import BlockFile, NetworkFile
from inception_dsl.language.problems import known_fields
from inception_dsl.yaml.source import parse


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
        (
            "training: {initializer: he_normal}\nbody: [{op: identity}]",
            "E203 3:25-33",
            "write `initializer: {name: he_normal}`",
        ),
        ("title: [a]\nbody: [{op: identity}]", "E203 3:8-10", ""),
        ("body: [{op: dense, units: $}]", "E207 3:27-27", ""),
        ('body: [{op: dense, units: "${clas + }"}]', "E207 3:37-37", ""),
        ("body: [{op: dense, units: '${3 + ?}'}]", "E207 3:34-34", ""),
        ("body: [{op: dense, units: '${3 + four five}'}]", "E207 3:39-42", ""),
        ("body:\n- {op: dense, units: $a b}", "E207 4:22-25", ""),
        ('body: [{op: dense, units: "${3 \\\n  + ?}"}]', "E207 3:27-4:7", ""),
        ("blocks: {B: {steps: []}}\nbody: [{op: identity}]", "E206 3:10-10", "lower-case"),
        ("outputs: {1: a}\nbody: [{op: identity, name: a}]", "E206 3:11-11", "lower-case"),
        ("outputs: {x: 1}\nbody: [{op: identity}]", "E206 3:14-14", "give the step a `name`"),
        ("1: 2\nbody: [{op: identity}]", "E201 3:1-1", ""),
        ("body: [{1: 2, op: identity}]", "E201 3:9-9", ""),
        ("body: [{use: b, name: c, x: [1]}]", "E203 3:29-31", ""),
        ("checkpoints: {timm: {nmes: {}, names: {}}}\nbody: [{op: identity}]", "E201 3:22-25", ""),
    ],
)
def test_one_error(refused: Loaded, text: str, expected: str, help: str) -> None:
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
def test_messages(refused: Loaded, text: str, words: list[str]) -> None:
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
def test_all_errors_and_nothing_that_follows_from_them(
    refused: Loaded, text: str, expected: list[str]
) -> None:
    """A misspelled field is not also reported as missing. A missing field and an unrelated unknown
    field are two errors.
    """
    assert sorted(f"{d.code} {place(d.span)}" for d in refused(text)) == sorted(expected)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ((), {"network", "import", "body", "blocks"}),
        (("paper",), {"arxiv", "figure"}),
        (("training",), {"initializer", "optimizer"}),
        (("training", "initializer"), {"stddev"}),
        (("training", "optimizer"), {"rate", "form"}),
        (("training", "schedule", "then"), {"every_epochs"}),
        (("training", "groups", "biases"), {"rate", "decay"}),
        (("preprocessing",), {"channel_order"}),
        (("aux_heads", "aux"), {"after", "loss_weight"}),
        (("blocks", "b"), {"steps", "params"}),
        (("blocks", "b", "params", "n"), {"type", "default"}),
        (("params", "n"), {"type", "default"}),
        (("defaults",), {"conv", "batch_norm"}),
        (("defaults", "conv"), {"filters", "groups"}),
        (("defaults", "batch_norm"), {"epsilon", "decay"}),
        (("body", 0), {"filters", "name", "each"}),
        (("body", 0, "batch_norm"), {"epsilon", "decay"}),
        (("body", 1), {"branches", "merge"}),
        (("body", 1, "branches", "a", 0), {"units"}),
        (("body", 2), set()),
        (("outputs",), set()),
        (("nowhere", "x", 3), set()),
    ],
)
def test_the_known_fields_at_a_path(path: tuple[str | int, ...], fields: set[str]) -> None:
    text = (
        "body: [{op: conv_bn, batch_norm: {}}, {branches: {a: [{op: dense}]}}, "
        "{op: nothing}]\n"
        "params: {n: {}}\n"
    )
    document = parse(text + "outputs: {}\n", "f", Report())
    assert document is not None
    found = set(known_fields(NetworkFile, document.data, path))
    assert fields <= found
    assert bool(fields) == bool(found)
    assert "network" not in known_fields(BlockFile, {}, path)
    if path[:1] == ("defaults",):
        assert not {"op", "name", "repeat", "each"} & found
    if "branches" in fields:
        assert "each" not in found


@pytest.mark.parametrize("section", ["stem", "body", "head"])
def test_a_misspelled_section_is_the_only_error(
    errors: Callable[..., Report], section: str
) -> None:
    """The input size of the pool is unknown, so its window is not checked."""
    sections = {"stem": "{op: identity}", "body": "{op: identity}", "head": "{op: identity}"}
    after = "head" if section == "body" else "body"
    sections[after] = (
        "{op: max_pool, kernel_size: 9, padding: valid}" if section != "head" else "{op: identity}"
    )
    text = "".join(
        f"{name.replace(section, section[1:])}: [{step}]\n" for name, step in sections.items()
    )
    assert [(d.code, d.help) for d in errors(HEAD + text)] == [
        ("E201", f"did you mean `{section}`?")
    ]


@pytest.mark.parametrize("section", ["stem", "body", "head"])
def test_a_misspelled_section_hides_no_other_error(
    errors: Callable[..., Report], section: str
) -> None:
    """It counts as a section; a correct section next to it is still checked."""
    assert [d.code for d in errors(f"{HEAD}{section[1:]}: [{{op: identity}}]\n")] == ["E201"]
    text = (
        f"{section[1:]}: [{{op: identity}}]\n"
        f"{section}: [{{op: max_pool, kernel_size: 9, padding: valid}}]\n"
    )
    assert [d.code for d in errors(HEAD + text)] == ["E201", "E401"]


def test_the_branches_of_a_step_of_two_kinds_are_checked(errors: Callable[..., Report]) -> None:
    text = (
        "body: [{op: conv, branches: {a: [{op: conv, filters: 0, kernel_size: 1}], b: []}, "
        "merge: add}]\n"
    )
    assert [(d.code, d.span.column) for d in errors(HEAD + text)] == [("E205", 8), ("E203", 54)]


def test_errors_next_to_each_other_are_all_found(errors: Callable[..., Report]) -> None:
    text = (
        f"{HEAD}paper: {{yer: 1, tabel: 2}}\n"
        f"training: {{label_smoothing: 7, note: {{}}}}\n"
        f"body: [{{op: identity, nme: a}}]\n"
    )
    places = [(d.code, d.span.line, d.span.column) for d in errors(text)]
    assert places == [
        ("E201", 3, 9),
        ("E201", 3, 17),
        ("E203", 4, 29),
        ("E203", 4, 38),
        ("E201", 5, 23),
    ]
