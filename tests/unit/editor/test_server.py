"""Diagnostics of the language server, driven over standard input and output as by an editor."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from editor import Editor, units
from editor_files import COMMAND, NET, TOWER, Files, codes, place
from paths import ROOT


def test_a_correct_spec_has_no_diagnostics(files: Files) -> None:
    assert files.editor.diagnostics(files.new(NET)) == []


@pytest.mark.parametrize("before", ["", "# 😀😀\n", "\ufeff"])
@pytest.mark.parametrize("inside", ["", "title: '😀', ", "title: '漢é\\t😀', ", "\t "])
def test_diagnostics_are_at_their_characters(before: str, inside: str, files: Files) -> None:
    text = f"{before}{{network: n, {inside}filtres: 3}}\n"
    (found,) = (d for d in files.editor.diagnostics(files.new(text)) if d["code"] == "E201")
    line = text.split("\n")[before.count("\n")]
    start = units(line[: line.index("filtres")])
    assert place(found) == (before.count("\n"), start, before.count("\n"), start + 7)


def test_positions_are_in_utf_16_whatever_the_editor_prefers(files: Files) -> None:
    """Editors may offer UTF-8 first, and must support UTF-16."""
    assert files.editor.capabilities["positionEncoding"] == "utf-16"


def test_a_change_is_analysed(files: Files) -> None:
    """In steps of UTF-16 units, after an emoji in the line; the file on the disk is not read."""
    name = files.new(NET)
    assert files.editor.diagnostics(name, 1) == []
    line = NET.split("\n").index("title: 😀 net")
    spot = {"line": line, "character": 13}
    changes = [{"range": {"start": spot, "end": spot}, "text": "\nfiltres: 3"}]
    files.editor.change(name, changes, 2)
    (found,) = files.editor.diagnostics(name, 2)
    assert place(found) == (line + 1, 0, line + 1, 7)
    end = {"line": line + 1, "character": 10}
    files.editor.change(name, [{"range": {"start": spot, "end": end}, "text": ""}], 3)
    assert files.editor.diagnostics(name, 3) == []


def test_an_outdated_version_is_not_published(files: Files) -> None:
    name = files.new(NET)
    files.editor.diagnostics(name, 1)
    for version in range(2, 20):
        files.editor.change(name, [{"text": f"{NET}wrong{version}: 1\n"}], version)
    (found,) = files.editor.diagnostics(name, 19)
    assert "wrong19" in found["message"]
    versions = [one["version"] for one in files.editor.published[files.editor.uri(name)]]
    assert versions == [1, 19]


def test_an_imported_text_is_read_before_it_is_saved(files: Files) -> None:
    name = files.new(NET)
    assert files.editor.diagnostics(name, 1) == []
    other = name.replace("net.yaml", "tower.yaml")
    files.editor.published.clear()
    files.editor.open(other, TOWER.replace("3}", "3, groups: 3}"))
    (found,) = files.editor.diagnostics(name)
    assert "tower.yaml:3: " in found["message"]
    assert place(found) == (2, 9, 2, 19)  # where it is imported
    there = found["relatedInformation"][0]["location"]
    assert there["uri"] == files.editor.uri(other)
    assert there["range"]["start"]["line"] == 2
    files.editor.published.clear()
    files.editor.change(other, [{"text": TOWER}], 2)
    assert files.editor.diagnostics(name) == []
    files.editor.published.clear()
    files.editor.change(other, [{"text": "block: other\nsteps: []\n"}], 3)
    assert set(codes(files.editor.diagnostics(name))) >= {"E302"}
    files.editor.published.clear()
    files.editor.shut(other)  # the file counts again
    assert files.editor.diagnostics(name) == []


def test_a_new_file_can_be_extended_before_it_is_saved(files: Files) -> None:
    base = files.new(NET, "base.yaml")
    assert files.editor.diagnostics(base) == []
    over = base.replace("base", "over")
    files.editor.open(over, "extends: base.yaml\nbody: {tower: {n: 0}}\n")
    (found,) = files.editor.diagnostics(over)
    assert place(found) == (1, 18, 1, 19)
    assert not (files.editor.folder / base).exists()


def test_a_change_on_the_disk_is_noticed(files: Files) -> None:
    """For files that are not open, the editor is asked to say so."""
    name = files.new(NET)
    assert files.editor.diagnostics(name) == []
    (asked,) = [one for one in files.editor.asked if one["method"] == "client/registerCapability"]
    (registration,) = asked["params"]["registrations"]
    assert registration["method"] == "workspace/didChangeWatchedFiles"
    other = name.replace("net.yaml", "tower.yaml")
    (files.editor.folder / other).write_text("block: tower\nsteps: 3\n", encoding="utf-8")
    files.editor.published.clear()
    changes = [{"uri": files.editor.uri(other), "type": 2}]
    files.editor.notify("workspace/didChangeWatchedFiles", {"changes": changes})
    assert codes(files.editor.diagnostics(name))


def test_files_of_other_tools_have_no_diagnostics(files: Files) -> None:
    texts = [
        "services:\n  web: {image: x, extends: a}\n",
        "network: {version: 2}\n",
        "extends: airbnb\nrules: {}\n",
        "- 1\n",
        "a: [\n",
        "",
        "title: x\ndescription: y\ndefaults: {run: {shell: bash}}\n",
    ]
    for text in texts:
        assert files.editor.diagnostics(files.new(text)) == [], text
    assert set(codes(files.editor.diagnostics(files.new("network: n\n")))) == {"E202"}
    assert codes(files.editor.diagnostics(files.new("network: n\ninput: [\n"))) == ["E103"]


def test_a_block_of_a_library_has_no_error_for_being_alone(files: Files) -> None:
    assert files.editor.diagnostics(files.new(TOWER, "t.yaml")) == []
    wrong = files.new(TOWER.replace("$n", "$m"), "t.yaml")
    (found,) = files.editor.diagnostics(wrong)
    assert "`m`" in found["message"]


def test_every_shipped_spec_is_as_on_the_command_line(files: Files) -> None:
    shutil.copytree(ROOT / "specs", files.editor.folder / "specs")
    for path in sorted((ROOT / "specs").rglob("*.yaml")):
        name = path.relative_to(ROOT).as_posix()
        files.editor.open(name, path.read_text(encoding="utf-8"))
        assert files.editor.diagnostics(name) == [], name
        files.editor.shut(name)


def test_shutdown(tmp_path: Path) -> None:
    editor = Editor(COMMAND, tmp_path)
    editor.open("net.yaml", NET.replace("import: [tower.yaml]\n", ""))
    editor.diagnostics("net.yaml")
    assert editor.close() == 0
