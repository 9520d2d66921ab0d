"""What a derived spec says of the original: its name and source, and nothing else of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inception_dsl.backend.plan import plan
from inception_dsl.compiler import compile_spec
from inception_dsl.design.summary import Summary
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.program import About
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.language.derived import origin
from inception_dsl.plugins import chosen, emit

Change = Callable[..., TypedProgram]
BASE = """\
network: base
title: The base
description: What the base is.
paper: {authors: "One, Two, Three", year: 2016, arxiv: "1602.07261", figure: 9}
deviation: [The first., The second.]
input: {channels: 3, height: 32, width: 32}
blocks:
  tower:
    title: A tower
    paper: {arxiv: "1602.07261", figure: 4}
    deviation: Of the tower.
    steps:
      - {op: conv, name: reduce, filters: 4, kernel_size: 1, deviation: Of the step.}
      - {op: conv, name: kept, filters: 8, kernel_size: 1, deviation: Of another step.}
  other: {paper: {figure: 5}, steps: [{op: identity}]}
body: [{use: tower}, {use: other}]
aux_heads: {aux: {after: tower, title: Old, loss_weight: 0.3, steps: [{op: flatten}]}}
"""


@pytest.fixture
def change(write: Callable[..., Path]) -> Change:
    def change(text: str, **settings: str) -> TypedProgram:
        write(BASE, "base.yaml")
        report = Report()
        spec = write(f"extends: base.yaml\n{text}" if text else BASE)
        typed = compile_spec(spec, settings, report)
        assert typed is not None, report.render()
        return typed

    return change


def said(about: About) -> dict[str, Any]:
    paper = {k: v.plain for k, v in about.paper.items()}
    found = {
        "title": about.title.plain,
        "description": about.description.plain,
        "paper": paper,
        "deviation": [text.plain for text in about.deviations],
        "from": about.modified_from.plain,
    }
    return {name: value for name, value in found.items() if value}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("network: mine\n", {"from": "The base (One et al., 2016)"}),
        (
            "title: Mine\ndescription: x\ndeviation: y\npaper: {year: 2026}\n",
            {
                "title": "Mine",
                "description": "x",
                "deviation": ["y"],
                "paper": {"year": "2026"},
                "from": "The base (One et al., 2016)",
            },
        ),
        ("modified_from: Theirs\n", {"from": "Theirs"}),
        ("title: null\npaper: null\n", {"from": "The base (One et al., 2016)"}),
    ],
)
def test_a_derived_spec(change: Change, text: str, expected: dict[str, Any]) -> None:
    assert said(change(text).program.about) == expected


def test_settings_do_not_derive_a_spec(change: Change) -> None:
    about = said(change("", classes="10").program.about)
    assert about["title"] == "The base" and "from" not in about


@pytest.mark.parametrize(
    "settings",
    [
        {"width": "0.5"},
        {"body": "[{use: tower}, {use: other, repeat: 2}]"},
        {"blocks.other.steps": "[{op: flatten}]"},
        {"defaults.conv.use_bias": "false"},
        {"aux_heads.aux.loss_weight": "0.4"},
        {"width": "0.5", "divisor": "8"},
    ],
)
def test_settings_that_make_another_network(change: Change, settings: dict[str, str]) -> None:
    assert said(change("", **settings).program.about) == {"from": "The base (One et al., 2016)"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("input.height", "64"),
        ("aux_heads.aux.loss_weight", "0.3"),
        ("blocks.tower.title", "Mine"),
        ("blocks.tower.allow", "[W403]"),
        ("aux_heads.none", "null"),
        ("training.epochs", "3"),
    ],
)
def test_settings_that_do_not(change: Change, name: str, value: str) -> None:
    about = said(change("", **{name: value}).program.about)
    assert about["title"] == "The base" and "from" not in about


@pytest.mark.parametrize("names", [("title", "width"), ("width", "title")])
def test_a_text_that_is_set_is_kept(change: Change, names: tuple[str, str]) -> None:
    values = {"title": "Mine", "width": "0.5"}
    about = change("", **{name: values[name] for name in names}).program.about
    assert said(about) == {"title": "Mine", "from": "The base (One et al., 2016)"}


def test_only_the_blocks_that_are_changed(change: Change) -> None:
    blocks = change("blocks: {tower: {steps: {reduce: {filters: 8}}}}\n").program.blocks
    assert said(blocks["tower"].about) == {"from": "A tower (arXiv:1602.07261, figure 4)"}
    assert said(blocks["other"].about) == {"paper": {"figure": "5"}}
    blocks = change("blocks: {tower: {allow: [W403]}}\n").program.blocks
    assert said(blocks["tower"].about)["title"] == "A tower", "it is the same network"
    blocks = change("", **{"blocks.other.steps": "[{op: flatten}]"}).program.blocks
    assert said(blocks["other"].about) == {"from": "other (figure 5)"}


def test_a_changed_head(change: Change) -> None:
    (head,) = change("aux_heads: {aux: {steps: [{op: flatten}]}}\n").program.heads
    assert said(head.about) == {"from": "Old"}


def test_a_chain_of_specs(change: Change, write: Callable[..., Path]) -> None:
    write("extends: base.yaml\ntitle: The second\n", "second.yaml")
    write("extends: second.yaml\nnetwork: third\n", "third.yaml")
    report = Report()
    change("")
    typed = compile_spec(write("extends: third.yaml\n", "fourth.yaml"), {}, report)
    assert typed is not None, report.render()
    assert typed.program.about.modified_from.plain == (
        "third, modified from The second, modified from The base (One et al., 2016)"
    )


def test_locations(change: Change) -> None:
    """An error in the new text is reported where `extends` or the change is."""
    typed = change("network: mine\nblocks: {tower: {steps: {reduce: {filters: 8}}}}\n")
    document = typed.program.origin.document
    assert document.span(("modified_from",)).line == 1
    assert document.span(("blocks", "tower", "modified_from")).line == 3
    assert not [p for p in document.spans if p and p[0] in ("title", "paper", "deviation")]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"network": "n"}, "n"),
        (
            {"block": "b", "paper": {"authors": "One and Two", "year": 2020}},
            "b (One and Two, 2020)",
        ),
        ({"title": "T", "paper": {"authors": "One & Two"}}, "T (One and Two)"),
        ({"title": "T", "paper": {"authors": "One", "year": 1999, "figure": 3}}, "T (One, 1999)"),
        ({"title": "T", "paper": {"title": "P", "year": 2014}}, "T (P, 2014)"),
        ({"title": "T", "paper": {"arxiv": "1", "table": 2}}, "T (arXiv:1, table 2)"),
        ({"title": "T", "paper": {"doi": "10.1"}}, "T"),
        ({"title": ["x"], "paper": [1], "network": {}}, "another spec"),
        ({"title": True, "paper": {"authors": {}}, "block": "b"}, "b"),
        ({"title": 7, "modified_from": "X"}, "7, modified from X"),
    ],
)
def test_the_name_of_an_original(data: dict[str, Any], expected: str) -> None:
    assert origin(data) == expected


def test_what_is_printed(change: Change) -> None:
    typed = change(
        "network: mine\ntitle: Mine\nblocks: {tower: {steps: {reduce: {filters: 8}}}}\n"
        "aux_heads: {aux: {steps: [{op: flatten}]}}\n"
    )
    summary = Summary(typed)
    assert str(summary).splitlines()[:2] == [
        "Mine  (network mine, input 32x32x3)",
        "Modified from The base (One et al., 2016)",
    ]
    assert summary.to_dict()["modified_from"] == "The base (One et al., 2016)"
    assert plan(typed).module_doc("X").startswith('"""Mine, in X.\n\nModified from The base (One')
    for plugin, backend in chosen(["torch", "keras"], report := Report()):
        files = emit(plugin, backend, typed, report)
        assert files is not None, report.render()
        text = " ".join(str(next(iter(files.values()))).split())
        assert "Modified from The base (One et al., 2016)." in text
        assert "Modified from A tower (arXiv:1602.07261, figure 4)." in text
        assert "Of another step." in text
        for old in ("What the base is", "The first.", "Of the tower", "Of the step.", "figure 9"):
            assert old not in text
