"""`list` and `new`: the shipped specs, and variants of them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from inception_dsl.analysis.weights import weight_shapes
from inception_dsl.cli import main
from inception_dsl.compiler import compile_spec
from inception_dsl.design.catalogue import entries, render
from inception_dsl.design.summary import Summary
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.language.shipped import names

NETWORKS = [name for name in names() if not name.startswith("blocks/")]
BLOCKS = [name for name in names() if name.startswith("blocks/")]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code != 3, result.output
    return result


def ran(*arguments: str) -> Result:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result


def compiled(spec: str) -> tuple[TypedProgram, Report]:
    report = Report()
    typed = compile_spec(spec, {}, report)
    assert typed is not None, report.render()
    return typed, report


def network(spec: str) -> Any:
    """What a spec computes, without what it says."""
    typed, _ = compiled(spec)
    found = Summary(typed).to_dict()
    about = {key: found.pop(key) for key in ("name", "title", "modified_from")}
    assert about["name"]
    program = typed.program
    rest = (program.preprocessing, program.checkpoints.keys(), bool(program.training))
    return found, weight_shapes(typed), rest


def test_the_list_is_complete() -> None:
    found = json.loads(ran("list", "--json").stdout)
    assert [entry["name"] for entry in found] == list(names())
    v4 = next(entry for entry in found if entry["name"] == "v4")
    assert v4 == {
        "name": "v4",
        "kind": "network",
        "id": "inception_v4",
        "title": "Inception-v4",
        "source": "arXiv:1602.07261",
        "arguments": [],
        "input": [299, 299, 3],
        "parameters": 42_711_400,
        "macs": 12_253_974_624,
    }
    block = next(entry for entry in found if entry["name"] == "blocks/inception_v3_a")
    assert (block["arguments"], block["parameters"]) == (["filters_pool"], None)
    assert all(entry["source"] for entry in found)


def test_the_list_as_a_table() -> None:
    lines = ran("list").stdout.splitlines()
    assert lines == render(entries()).splitlines()
    assert any(
        line.split()[:4] == ["v4", "42,711,400", "12,253,974,624", "299x299x3"] for line in lines
    )
    assert all(any(line.startswith(f"{name} ") for line in lines) for name in names())
    for command in re.findall(r"inception-dsl (?:build|new) .*", "\n".join(lines)):
        words = command.partition("#")[0].replace("NAME", "mine").split()[1:]
        assert run(*words).exit_code == 0, command


def test_commands_take_names() -> None:
    ran("build", "v4", "published/timm_inception_v4", "-b", "torch")
    assert {p.name for p in Path("generated/torch").iterdir()} == {"v4.py", "timm_inception_v4.py"}
    ran("build", "inception-dsl:v4", "-b", "torch", "--check")
    result = run("build", "v4", "-b", "torch", "--check", "--set", "classes=10")
    assert (result.exit_code, "E602" in result.output) == (1, True)
    assert "Inception-v4 of timm" in ran("summary", "published/timm_inception_v4").stdout
    assert ran("check", "v0", "v4").stdout == "v0: ok\nv4: ok\n"
    ran("weights", "init", "v0", "--out", "v0.safetensors")


def test_a_variant_and_what_to_do_next() -> None:
    result = ran("new", "mine", "--from", "v4")
    assert result.stdout.splitlines() == [
        "mine.yaml",
        "schema.json",
        "next: inception-dsl summary mine.yaml",
        "next: inception-dsl build mine.yaml",
        "next: inception-dsl verify mine.yaml",
    ]
    rooted = ran("new", "other", "--from", "mine.yaml", "--root", ".").stdout.splitlines()
    assert f"next: inception-dsl summary other.yaml --root {Path.cwd()}" in rooted
    for line in result.stdout.splitlines()[2:4]:
        ran(*line.split()[2:])
    for backend in ("torch", "keras"):
        lines = Path(f"generated/{backend}/mine.py").read_text().splitlines()
        assert lines[2] == "Modified from Inception-v4 (Szegedy et al., 2016)."


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("copy", [False, True], ids=["overlay", "copy"])
def test_a_variant_is_the_original_until_it_is_changed(name: str, copy: bool) -> None:
    ran("new", "mine", "--from", name, *["--copy"] * copy)
    assert network("mine.yaml") == network(name)
    typed, report = compiled("mine.yaml")
    assert not report.warnings, report.render()
    assert typed.program.id == "mine"
    assert typed.program.about.title.plain == "Mine"
    assert typed.program.about.modified_from
    text = Path("mine.yaml").read_text(encoding="utf-8")
    assert ("extends" in text) != copy
    assert "import:" not in text
    if not copy:
        examples = text.partition("a list replaces it")[2].partition("\n")[2]
        assert len(examples.splitlines()) > 2
        assert all(line.startswith("# ") for line in examples.splitlines())
        Path("mine.yaml").write_text(text.replace(examples, re.sub("(?m)^# ", "", examples)))
        assert network("mine.yaml") == network(name), "the examples have the present values"


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("copy", [False, True], ids=["overlay", "copy"])
def test_a_variant_of_a_block(name: str, copy: bool) -> None:
    result = ran("new", "mine", "--from", name, *["--copy"] * copy)
    assert "next: `import: [mine.yaml]` and `use: mine` in a spec beside it" in result.stdout
    (entry,) = [e for e in entries() if e.name == name]
    values = {"residual_scale": "0.5"}
    use = ", ".join(f"{p}: {values.get(p, '64')}" for p in entry.arguments)
    uses = []
    for file, block in (("mine.yaml", "mine"), (f"inception-dsl:{name}", entry.id)):
        text = (
            f"network: n\nimport: [{file}]\ninput: {{channels: 1088, height: 299, width: 299}}\n"
            f"defaults: {{conv: {{filters: $in_channels}}}}\n"
            f"body: [{{use: {block}, name: it, {use}}}]\n"
        )
        Path("net.yaml").write_text(text)
        report = Report()
        typed = compile_spec("net.yaml", {}, report)
        uses.append(weight_shapes(typed) if typed else [(d.code, d.message) for d in report])
    assert uses[0] == uses[1]


def test_a_variant_of_a_file(here: Path) -> None:
    ran("new", "base", "-o", "specs")
    ran("new", "mine", "--from", "specs/base.yaml", "-o", "specs")
    assert "extends: base.yaml" in Path("specs/mine.yaml").read_text()
    assert network("specs/mine.yaml") == network("specs/base.yaml")
    result = run("new", "other", "--from", "specs/base.yaml", "-o", "elsewhere")
    assert result.exit_code == 1 and "outside the root" in result.output
    assert "`--copy`" in result.output and not Path("elsewhere").exists()
    ran("new", "other", "--from", "specs/base.yaml", "-o", "elsewhere", "--copy")
    assert network("elsewhere/other.yaml") == network("specs/base.yaml")
    ran("new", "rooted", "--from", "specs/base.yaml", "-o", "elsewhere", "--root", ".")
    assert "extends: ../specs/base.yaml" in Path("elsewhere/rooted.yaml").read_text()
    Path(".inception-dsl-root").touch()
    ran("new", "third", "--from", "specs/base.yaml", "-o", "elsewhere")
    assert "extends: ../specs/base.yaml" in Path("elsewhere/third.yaml").read_text()
    assert network("elsewhere/third.yaml") == network("specs/base.yaml")


def test_a_block_with_defaults_of_its_own_is_not_copied() -> None:
    """They are not those of the network: copied into it, the block would be another one."""
    Path("tower.yaml").write_text(
        "block: tower\ndefaults: {conv: {use_bias: false}}\n"
        "steps: [{op: conv, filters: 4, kernel_size: 1}]\n"
    )
    Path("net.yaml").write_text(
        "network: n\nimport: [tower.yaml]\ninput: {channels: 3, length: 9}\nbody: [{use: tower}]\n"
    )
    result = run("new", "mine", "--from", "net.yaml", "--copy")
    assert result.exit_code == 1 and not Path("mine.yaml").exists()
    assert "tower.yaml:2:1" in result.output and "defaults of its own" in result.output
    ran("new", "mine", "--from", "net.yaml")
    assert network("mine.yaml") == network("net.yaml")


def test_errors_of_the_original() -> None:
    result = run("new", "mine", "--from", "v44")
    assert (result.exit_code, "did you mean" in result.output) == (1, True), result.output
    Path("broken.yaml").write_text("network: n\ninput: {channels: 3, length: 9}\nbody: [{op: x}]\n")
    result = run("new", "mine", "--from", "broken.yaml", "-f", "json")
    assert (result.exit_code, '"E204"' in result.output) == (1, True)
    assert run("new", "mine", "--copy").exit_code == 2
    assert os.listdir() == ["broken.yaml"]


@pytest.mark.parametrize("name", ["torch", "keras", "random", "numpy"])
def test_a_name_whose_code_would_hide_a_module(here: Path, name: str) -> None:
    result = run("new", name, "--from", "v4")
    assert result.exit_code == 2
    assert f"{name}.py would hide the module `{name}`" in result.stderr
    assert list(here.iterdir()) == []


def test_the_schema_is_written_once(here: Path) -> None:
    ran("new", "a")
    schema = Path("schema.json").read_text(encoding="utf-8")
    assert schema == ran("schema").stdout
    Path("schema.json").write_text(schema.replace("A network, a block", "Another version"))
    assert ran("new", "b").stdout.splitlines()[1].startswith("next")
    assert "Another version" in Path("schema.json").read_text(), "it is not replaced"
    Path(".inception-dsl-root").touch()
    ran("new", "c", "-o", "sub/deep")
    first = Path("sub/deep/c.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../schema.json"
    assert os.listdir("sub/deep") == ["c.yaml"]


def test_a_foreign_schema_is_not_replaced(here: Path) -> None:
    Path("schema.json").write_text("{}")
    ran("new", "a")
    assert Path("schema.json").read_text() == "{}"
    first = "# yaml-language-server: $schema=inception-dsl.schema.json"
    assert Path("a.yaml").read_text().splitlines()[0] == first
    assert json.loads(Path("inception-dsl.schema.json").read_text(encoding="utf-8"))
    ran("new", "b")
    assert Path("b.yaml").read_text().splitlines()[0] == first


def test_a_schema_above_the_root_is_not_used(here: Path) -> None:
    ran("new", "a")
    ran("new", "b", "-o", "sub")
    assert sorted(os.listdir("sub")) == ["b.yaml", "schema.json"]


@pytest.mark.parametrize("there", ["mine.yml", "mine.yaml"])
def test_a_spec_of_the_same_name_is_in_the_way(there: str) -> None:
    """Builds of both would write the same files."""
    Path(there).write_text("block: mine\nsteps: []\n")
    result = run("new", "mine")
    assert result.exit_code == 2 and f"{there} already exists" in result.stderr
    assert os.listdir() == [there]


COMMENTED = """\
# A spec
network: c  # its name
# about the input
input: {channels: 3, height: 32, width: 32}  # small
import:
  - parts/one.yaml  # the first
paper: {arxiv: "1409.4842"}  # v1
body:
  # the module
  - {use: one, name: a}  # again
blocks:
  local: {steps: [{use: one}]}  # local
"""


def test_a_copy_has_the_comments_and_the_layout_of_the_original() -> None:
    Path("parts").mkdir()
    Path("parts/one.yaml").write_text(
        "# one\nblock: one  # its id\nsteps:\n  # wide\n  - op: conv  # it\n"
        "    filters: 8\n    kernel_size: 3\n"
    )
    Path("net.yaml").write_text(COMMENTED)
    ran("new", "mine", "--from", "net.yaml", "--copy", "-o", "other")
    assert (
        Path("other/mine.yaml").read_text().partition("\n")[2]
        == """\
# A spec
network: mine  # its name
requires: 'inception-dsl >= 0.1.0'
title: Mine
modified_from: 'c (arXiv:1409.4842)'
# about the input
input: {channels: 3, height: 32, width: 32}  # small
# the first
# v1
body:
  # the module
  - {use: one, name: a}  # again
blocks:
  local: {steps: [{use: one}]}  # local
  # one
  one:  # its id
    steps:
      # wide
      - op: conv  # it
        filters: 8
        kernel_size: 3
"""
    )
    assert network("other/mine.yaml") == network("net.yaml")


def test_a_copy_of_what_extends_a_spec_says_that_comments_are_missing() -> None:
    Path("net.yaml").write_text("extends: inception-dsl:v1  # Szegedy\nnetwork: n\nclasses: 7\n")
    ran("new", "mine", "--from", "net.yaml", "--copy")
    lines = Path("mine.yaml").read_text().splitlines()
    assert lines[1] == "# The comments of the original are not copied."
    assert network("mine.yaml") == network("net.yaml")
