"""Answers of the language server: hover, definitions, completion, quick fixes."""

from __future__ import annotations

import re
import shutil

import pytest
from editor import at
from editor_files import NET, TOWER, Files, edited, place
from paths import ROOT

from inception_dsl.compiler import compile_spec
from inception_dsl.design.summary import Summary
from inception_dsl.diagnostics.report import Report
from inception_dsl.yaml.edits import apply


@pytest.mark.parametrize(
    ("marked", "lines"),
    [
        (
            "a: [{op: con|v_bn",
            [
                "`conv_bn 1x1` mix/0/a",
                "32x32x3 -> **32x32x8**",
                "56 parameters, 24,576 MACs (multiply-adds)",
                "the first of 2 in this network",
            ],
        ),
        ("merge: con|cat", ["`concat` mix/0", "32x32x3 -> **32x32x16**"]),
        (
            "{use: to|wer",
            ["`tower` tower", "32x32x16 -> **32x32x8**", "1,160 parameters, 1,179,648"],
        ),
        ("{op: den|se", ["`dense` head/1", "8 -> **1000**", "9,000 parameters, 8,000 MACs"]),
        ("network: n|et", ["`network` net", "32x32x3 -> **logits 1000**", "11,808 parameters"]),
    ],
)
def test_hover(marked: str, lines: list[str], files: Files) -> None:
    where = at(NET.replace(marked.replace("|", ""), marked, 1))
    found = files.editor.hover(files.new(NET), where).split("\n\n")
    for line, expected in zip(found, lines, strict=False):
        assert line.startswith(expected)


def test_hover_in_a_block_of_another_file(files: Files) -> None:
    """It is alone a block without input; an open network that uses it has shapes."""
    name = files.new(NET)
    files.editor.diagnostics(name)
    other = name.replace("net.yaml", "tower.yaml")
    files.editor.open(other, TOWER)
    files.editor.diagnostics(name)
    assert files.editor.hover(other, at(TOWER.replace("conv", "co|nv"))).startswith(
        "`conv 3x3` tower"
    )


def test_the_figures_of_hover_are_those_of_the_summary(files: Files) -> None:
    text = (ROOT / "specs" / "v1.yaml").read_text(encoding="utf-8")
    (files.editor.folder / "v1").mkdir()
    shutil.copytree(ROOT / "specs", files.editor.folder / "v1" / "specs")
    files.editor.open("v1/specs/v1.yaml", text)
    typed = compile_spec(ROOT / "specs" / "v1.yaml", {}, Report())
    assert typed is not None
    rows = {row.name: row for row in Summary(typed).rows() if not row.layer}
    tried = 0
    for line in text.split("\n"):
        if (name := re.search(r"\{use: inception, name: (\w+)", line)) and name[1] in rows:
            row = rows[name[1]]
            marked = text.replace(line, line.replace("use", "u|se"), 1)
            found = files.editor.hover("v1/specs/v1.yaml", at(marked))
            assert f"{row.parameters:,} parameters, {row.macs:,} MACs" in found
            assert f"**{row.y}**" in found
            tried += 1
    assert tried > 4


@pytest.mark.parametrize(
    ("marked", "target"),
    [
        ("use: mi|x", ("net.yaml", 6, 2, 5)),
        ("use: to|wer", ("tower.yaml", 0, 7, 12)),
        ("[tow|er.yaml]", ("tower.yaml", 0, 0, 0)),
        ("$wid|th", ("net.yaml", 3, 9, 14)),
        ("filters: $filt|ers", ("net.yaml", 7, 13, 20)),
    ],
)
def test_definition(marked: str, target: tuple[str, int, int, int], files: Files) -> None:
    name = files.new(NET)
    where = at(NET.replace(marked.replace("|", ""), marked, 1))
    (found,) = files.editor.definition(name, where)
    file, line, start, end = target
    assert found["uri"] == files.editor.uri(name.replace("net.yaml", file))
    assert place(found) == (line, start, line, end)


def test_definition_in_what_is_extended(files: Files) -> None:
    text = "extends: inception-dsl:v1\nbody:\n  - {use: inception, name: a}\n"
    name = files.new(text)
    for marked, ending in (("inception-dsl:v|1", "v1.yaml"), ("use: incep|tion", ".yaml")):
        where = at(text.replace(marked.replace("|", ""), marked))
        (found,) = files.editor.definition(name, where)
        assert found["uri"].startswith("file://")
        assert found["uri"].endswith(ending)
        assert files.editor.definition(name, at(text.replace("body", "bo|dy"))) == []


USE, TOP = "{use: mix, filters", "{op: global_avg_pool}"


@pytest.mark.parametrize(
    ("old", "marked", "label", "new"),
    [
        (USE, "{use: m|ix, filters", "tower", "{use: tower, filters"),
        (USE, "{use: |mix, filters", "tower", "{use: tower, filters"),
        (USE, "{name: a, use: mix|, filters", "tower", "{name: a, use: tower, filters"),
        (USE, "{deviation: 😀, use: |, filters", "mix", "{deviation: 😀, use: mix, filters"),
        (USE, "{na|, use: mix, filters", "name", "{name: , use: mix, filters"),
        (USE, "{|use: mix, filters", "name", "{name: use: mix, filters"),
        ("n: $width}", "n: $wi|dth}", "classes", "n: $classes}"),
        (TOP, "{op: glob|al_avg_pool}", "flatten", "{op: flatten}"),
    ],
)
def test_what_a_completion_replaces(
    old: str, marked: str, label: str, new: str, files: Files
) -> None:
    """A value the whole word, a field only what is before the cursor."""
    where = at(NET.replace(old, marked, 1))
    found = files.editor.completions(files.new(where.text), where)
    (edit,) = [item["textEdit"] for item in found if item["label"] == label]
    assert edited(where.text, [edit]) == NET.replace(old, new, 1)


WRONG = """network: n
input: {channels: 3, height: 32, width: 32}
title: "😀"
body:
  - {op: conv, name: first, deviation: "😀😀", filtres: 8, kernel_size: 3}
  - {op: conv, filters: 8, kernel_size: (3, 3)}
  - {op: pooling_max, kernel_size: 3}
  - {branches: {a: [], b: [{op: conv_bn, filters: 7, kernel_size: 1}]}, op: add}
"""


def test_quick_fixes_are_our_edits(files: Files) -> None:
    name = files.new(WRONG)
    report = Report()
    (files.editor.folder / "wrong.yaml").write_text(WRONG, encoding="utf-8")
    compile_spec(files.editor.folder / "wrong.yaml", {}, report)
    expected = [d for d in report if d.fix]
    assert len(expected) >= 3
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
    params = {
        "textDocument": {"uri": files.editor.uri(name)},
        "range": whole,
        "context": {"diagnostics": []},
    }
    actions = files.editor.request("textDocument/codeAction", params)
    assert [one["kind"] for one in actions] == ["quickfix"] * len(expected)
    for action, diagnostic in zip(actions, expected, strict=True):
        (change,) = action["edit"]["documentChanges"]
        assert change["textDocument"] == {"uri": files.editor.uri(name), "version": 1}
        assert edited(WRONG, change["edits"]) == apply(WRONG, diagnostic.fix)
        assert action["diagnostics"][0]["code"] == diagnostic.code
    params["context"]["only"] = ["refactor"]
    assert files.editor.request("textDocument/codeAction", params) == []
    params["context"] = {"diagnostics": []}
    params["range"] = {key: {"line": 4, "character": 50} for key in ("start", "end")}
    (only,) = files.editor.request("textDocument/codeAction", params)
    assert "filters" in only["title"]
