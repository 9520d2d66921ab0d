"""Overlays of blocks that files import which the base imports, and of variants in such files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedOp, TypedProgram
from inception_dsl.ir.walk import walk_program

FILES = {
    "cell.yaml": """\
block: cell
params: {filters: {type: int, default: 4}}
steps: [{op: conv_bn, name: main, filters: $filters, kernel_size: 3}]
""",
    "lib.yaml": """\
block: lib
import: [cell.yaml]
params: {filters: int}
steps: [{use: wide, filters: $filters}, {use: small}, {use: cell, filters: 2}]
blocks:
  wide: {extends: cell, steps: {main: {kernel_size: 5}}}
  small: {steps: [{op: max_pool, name: pool, kernel_size: 2, stride: 2, padding: valid}]}
""",
    "outer.yaml": "block: outer\nimport: [lib.yaml]\nsteps: [{use: lib, filters: 8}]\n",
    "base.yaml": """\
network: base
import: [outer.yaml]
input: {channels: 3, height: 32, width: 32}
body: [{use: outer}]
""",
}
UNCHANGED = ["conv_bn 5 relu 8", "max_pool 2", "conv_bn 3 relu 2"]
Changed = Callable[..., list[str]]


def ops(typed: TypedProgram) -> list[dict[str, Any]]:
    """The fields of all layers."""
    found = (step for _, step in walk_program(typed) if isinstance(step, TypedOp))
    return [dict(step.op) for step in found]


@pytest.fixture
def changed(write: Callable[..., Path]) -> Changed:
    """The layers of the last of several overlays, each of the one before."""

    def changed(*texts: str) -> list[str]:
        for name, text in FILES.items():
            write(text, name)
        path, base = write(FILES["base.yaml"], "base.yaml"), "base.yaml"
        for index, text in enumerate(texts):
            path = write(f"extends: {base}\n{text}", f"over_{index}.yaml")
            base = path.name
        report = Report()
        typed = compile_spec(path, {}, report)
        assert typed is not None, report.render()
        assert not list(report)
        found = []
        for op in ops(typed):
            more = f" {op['activation']} {op['filters']}" if op["op"] == "conv_bn" else ""
            found.append(f"{op['op']} {op['kernel_size']}{more}")
        return found

    return changed


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), UNCHANGED),
        (
            ("blocks: {small: {steps: {pool: {kernel_size: 3, padding: same}}}}\n",),
            [UNCHANGED[0], "max_pool 3", UNCHANGED[2]],
        ),
        (
            ("blocks: {wide: {steps: {main: {activation: elu}}}}\n",),
            ["conv_bn 5 elu 8", *UNCHANGED[1:]],
        ),
        (  # a variant follows what it extends
            ("blocks: {cell: {steps: {main: {activation: elu}}}}\n",),
            ["conv_bn 5 elu 8", UNCHANGED[1], "conv_bn 3 elu 2"],
        ),
        (
            (
                "blocks: {wide: {steps: {main: {kernel_size: 7}}}}\n",
                "blocks: {cell: {steps: {main: {activation: elu}}}}\n",
                "blocks: {wide: {steps: {main: {stride: 1, kernel_size: 1}}}}\n",
            ),
            ["conv_bn 1 elu 8", UNCHANGED[1], "conv_bn 3 elu 2"],
        ),
        (
            ("blocks: {lib: {steps: {wide: {use: cell, filters: 3}, small: null}}}\n",),
            ["conv_bn 3 relu 3", UNCHANGED[2]],
        ),
        (  # another block takes the place of an imported one
            (
                "blocks:\n  wide: null\n  thin: {steps: [{op: conv_bn, filters: 1, "
                "kernel_size: 1}]}\n  small: {extends: thin}\n",
            ),
            [UNCHANGED[0], "conv_bn 1 relu 1", UNCHANGED[2]],
        ),
    ],
)
def test_blocks_of_files_further_away(
    changed: Changed, texts: tuple[str, ...], expected: list[str]
) -> None:
    assert changed(*texts) == expected


def test_the_command_line_reaches_them(changed: Changed, tmp_path: Path) -> None:
    changed()
    report = Report()
    setting = {"blocks.cell.steps.main.activation": "elu"}
    typed = compile_spec(tmp_path / "base.yaml", setting, report)
    assert typed is not None, report.render()
    found = [op["activation"] for op in ops(typed) if op["op"] == "conv_bn"]
    assert found == ["elu", "elu"]


def test_an_own_block_of_the_same_name_is_a_duplicate(write: Callable[..., Path]) -> None:
    for name, text in FILES.items():
        write(text, name)
    own = "blocks: {cell: {steps: [{op: identity}]}}\n"
    report = Report()
    assert compile_spec(write(FILES["base.yaml"] + own, "base.yaml"), {}, report) is None
    assert next(d.code for d in report) == "E303"
