"""docs/tutorial.md is true: its commands print what it shows, and write what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from documents import FENCE, LINK, blocks, text_of

import inception_dsl

TUTORIAL = "docs/tutorial.md"
ROW = re.compile(r"^\| (?:\[(\d)\. .*\]\(.*\)|.*) \| `(\w+\.yaml)` \| (.*) \|$", re.MULTILINE)
STEPS = 8


def commands() -> list[str]:
    """The commands, which are one line each."""
    return [line for block in blocks("sh", TUTORIAL) for line in block.text.splitlines()]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder in which all commands ran, and what each printed."""
    folder = tmp_path_factory.mktemp("tutorial")
    (spec,) = blocks("yaml", TUTORIAL)
    (folder / "naive.yaml").write_text(spec.text, encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1"}
    printed = {}
    for command in commands():
        call = ["bash", "-c", command]
        ran = subprocess.run(
            call, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == int(" diff " in command), command + ran.stdout + ran.stderr
        printed[command] = ran.stdout
    return folder, printed


def test_commands_print_what_it_shows(done: tuple[Path, dict[str, str]]) -> None:
    text, (_, printed) = text_of(TUTORIAL), done
    shown = re.findall(r"^```sh\n(.*)\n```\n\n```\n([^`]*(?:`\w+`[^`]*)*)```$", text, re.MULTILINE)
    assert [command for command, output in shown if printed[command] != output] == []
    rewrites = [command for command in printed if " rewrite " in command]
    assert len(rewrites) == STEPS
    assert {*rewrites} < {command for command, _ in shown}


def test_the_table_has_the_numbers_of_the_specs(done: tuple[Path, dict[str, str]]) -> None:
    rows, (folder, _) = ROW.findall(text_of(TUTORIAL)), done
    assert [number for number, *_ in rows] == ["", *map(str, range(1, STEPS + 1))]
    for _, file, cells in rows:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", inception_dsl.SpecWarning)
            network = inception_dsl.load(folder / file)
        (field,) = network.summary().to_dict()["receptive_field"]["input"]["size"][:1]
        numbers = [f"{n:,}" for n in (network.parameters, network.macs, field)]
        assert cells.split(" | ") == numbers, file


def test_lines_that_change_are_in_the_specs(done: tuple[Path, dict[str, str]]) -> None:
    """A block of changes is between two commands: its lines are those of the specs there."""
    files, seen = [], 0
    for found in FENCE.finditer(text_of(TUTORIAL)):
        if found[1] == "sh" and (rewrite := re.search(r"rewrite (\S+).* -o (\S+)", found[2])):
            files = [(done[0] / name).read_text(encoding="utf-8") for name in rewrite.groups()]
        elif found[1] == "diff":
            old, new = (text.splitlines() for text in files)
            for line in found[2].splitlines():
                seen += 1
                assert (line[1:] in new) == (line[0] in "+ "), line
                assert (line[1:] in old) == (line[0] in "- "), line
    assert seen


def test_every_figure_is_written(done: tuple[Path, dict[str, str]]) -> None:
    named = re.findall(r"^Figure: `(.*)` \(.*\)$", text_of(TUTORIAL), re.MULTILINE)
    assert len(named) >= STEPS - 2
    assert [name for name in named if not (done[0] / name).exists()] == []


def test_every_step_is_in_the_table() -> None:
    anchors = {link for link in LINK.findall(text_of(TUTORIAL)) if re.match(r"#\d", link)}
    headings = re.findall(r"^## (\d)", text_of(TUTORIAL), re.MULTILINE)
    assert {anchor[1] for anchor in anchors} == {*headings}
