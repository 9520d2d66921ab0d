"""The source of forks that divide their input: one line, with variables named after branches."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from frameworks import BACKENDS, emitted

from inception_dsl.backend import Report
from inception_dsl.emit.pycode import assigned, call, listing
from inception_dsl.ir.typed import TypedProgram

Compiled = Callable[..., TypedProgram]
HEAD = "network: net\ninput: {channels: 3, height: 8, width: 8}\n"
BLOCK = f"""\
{HEAD}blocks:
  part:
    params: {{g: int}}
    steps:
      - branches: {{identity: [], first: [{{op: depthwise_conv, kernel_size: 3}}], last: []}}
        split: SIZES
        merge: concat
body:
  - {{op: conv, filters: 12, kernel_size: 1}}
  - {{use: part, g: 2}}
  - {{op: conv, filters: 24, kernel_size: 1}}
  - {{use: part, name: more, g: 4}}
"""
LINES = {
    "[rest, $g, $g]": (
        "torch.split(x, [self.in_channels - 2 * self.g, self.g, self.g], dim=1)",
        "ops.split(x, [in_channels - 2 * g, in_channels - g], axis=-1)",
    ),
    "[$g, $g, rest]": (
        "torch.split(x, [self.g, self.g, self.in_channels - 2 * self.g], dim=1)",
        "ops.split(x, [g, 2 * g], axis=-1)",
    ),
    "equal": ("torch.chunk(x, 3, dim=1)", "ops.split(x, 3, axis=-1)"),
    "[2, rest, 3]": (
        "torch.split(x, [2, self.in_channels - 5, 3], dim=1)",
        "ops.split(x, [2, in_channels - 3], axis=-1)",
    ),
}


def flat(text: str) -> str:
    """The source without line breaks inside of calls."""
    return " ".join(text.split()).replace("( ", "(").replace(" )", ")")


@pytest.mark.parametrize("split", LINES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_line_of_a_split(backend: str, split: str, compiled: Compiled) -> None:
    """Sizes stay computed from the arguments; equal parts need none."""
    text = flat(emitted(backend, compiled(BLOCK.replace("SIZES", split))))
    line = LINES[split][BACKENDS.index(backend)]
    assert text.count(f" identity, first, last = {line} ") == 1


def test_names_of_long_branches_are_formatted(compiled: Compiled, tmp_path: Path) -> None:
    """Targets that do not fit on a line are in parentheses, as ruff writes them."""
    for count in (2, 3, 4, 6):
        names = [f"a_branch_with_a_long_name_{index}" for index in range(count)]
        branches = ", ".join(f"{name}: []" for name in names)
        fork = f"{{name: mix, branches: {{{branches}}}, split: equal, merge: concat}}"
        typed = compiled(f"{HEAD}body: [{{op: conv, filters: 12, kernel_size: 1}}, {fork}]\n")
        for backend in BACKENDS:
            file = tmp_path / f"{backend}_{count}.py"
            file.write_text(emitted(backend, typed), encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_assignments_to_several_targets() -> None:
    value = call("torch.split", "x", listing(["1", "2"]))
    assert assigned(("a", "b"), value) == "a, b = torch.split(x, [1, 2])"
    assert assigned("a", value, indent=4, note="map") == "    a = torch.split(x, [1, 2])  # map"
    one, two = "a" * 40, "b" * 40
    assert assigned((one, two), value) == (f"(\n    {one},\n    {two},\n) = torch.split(x, [1, 2])")


@pytest.mark.parametrize("name", ["split", "split_1"])
def test_a_step_with_the_name_of_the_operation_is_an_error(
    name: str, typed_of: Callable[[str], TypedProgram]
) -> None:
    """Keras names operations by itself, and all names of a model must be unique."""
    from inception_dsl_keras.emitter import emit_source

    step = f"{{name: {name}, op: conv, filters: 6, kernel_size: 1}}"
    fork = "{name: mix, branches: {a: [], b: []}, split: %s, merge: concat}"
    report = Report()
    typed = typed_of(f"{HEAD}body: [{step}, {fork % 'equal'}]\n")
    assert emit_source(typed, report) is None
    assert [(d.code, d.span.line) for d in report] == [("E503", 3)]
    assert emit_source(typed_of(f"{HEAD}body: [{step}, {fork % 'null'}]\n"), Report()) is not None


def test_a_file_with_a_split_says_that_the_old_format_cannot_hold_it(compiled: Compiled) -> None:
    text = emitted("keras", compiled(BLOCK.replace("SIZES", "equal")))
    assert "from keras import layers, ops\n" in text
    assert "cannot load its operations" in flat(text)
