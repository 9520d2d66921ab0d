"""Several inputs: their types, their paths, the sizes that run, settings and warnings."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from inception_dsl.analysis.size_conditions import AxisSizes
from inception_dsl.analysis.sizes import minimum_input, running_sizes
from inception_dsl.analysis.ties import all_tied
from inception_dsl.analysis.weights import weight_shapes
from inception_dsl.api import load
from inception_dsl.backend.protocol import Backend
from inception_dsl.cli import main
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.editor.completion import complete
from inception_dsl.editor.hover import hover
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.plugins import Plugin, emit
from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.reference.training import step

NETWORK = """\
network: net
input:
  rgb: {{channels: 3, height: 32, width: 24}}
  flow: {{channels: 2, height: {height}, width: 24}}
  table: {{channels: 5}}
classes: 4
stem:
  - branches:
      flow: [{flow}]
      table: [{{op: dense, units: 6}}]
      rgb: [{rgb}]
    merge: {merge}
head: [{head}{{op: dense, units: $classes}}]
"""
CONV = "{op: conv, filters: 6, kernel_size: 3, padding: valid, stride: 2}"
POOLED = f"{CONV}, {{op: global_avg_pool}}"
MAPS = NETWORK.format(height=32, flow=CONV, rgb=CONV, merge="add", head="{op: global_max_pool}, ")
VECTORS = NETWORK.format(height=20, flow=POOLED, rgb=POOLED, merge="concat", head="")
APART = NETWORK.format(
    height=17,
    flow="{op: conv, filters: 6, kernel_size: [2, 3], stride: [1, 2], padding: [[0, 0], [0, 0]]}",
    rgb="{op: conv, filters: 6, kernel_size: [2, 3], stride: 2, padding: valid}",
    merge="multiply",
    head="{op: global_max_pool}, ",
)
Write = Callable[..., Path]


def compiled(path: Path, **settings: str) -> TypedProgram:
    report = Report()
    typed = compile_spec(path, {n.replace("__", "."): v for n, v in settings.items()}, report)
    assert typed is not None, report.render()
    return typed


def test_each_branch_gets_its_input(write: Write) -> None:
    typed = compiled(write(MAPS))
    assert typed.entry is not None
    assert {name: str(branch.x) for name, branch in typed.entry.branches} == {
        "flow": "32x24x2",
        "table": "5",
        "rgb": "32x24x3",
    }
    assert typed.program.taken == "rgb 32x24x3, flow 32x24x2 and table 5"
    assert load(write(MAPS)).inputs == {"rgb": (32, 24, 3), "flow": (32, 24, 2), "table": (5,)}
    assert weight_shapes(typed)["stem/flow/kernel"] == (3, 3, 2, 6)
    assert weight_shapes(typed)["stem/table/kernel"] == (5, 6)


def test_another_step_in_the_section_changes_no_path(write: Write) -> None:
    more = MAPS.replace("    merge: add\n", "    merge: add\n  - {op: identity, name: rest}\n")
    assert weight_shapes(compiled(write(more))) == weight_shapes(compiled(write(MAPS)))


def test_the_reference_is_the_sum_of_what_the_branches_compute(write: Write) -> None:
    typed = compiled(write(MAPS.replace("head: [{op: global_max_pool}, ", "head: [")))
    weights, x = seeded(typed), batch(typed, size=2)
    parts = []
    for name, kind in (("rgb", CONV), ("flow", CONV), ("table", "{op: dense, units: 6}")):
        sizes = (
            "{channels: 5, length: 1}"
            if name == "table"
            else (f"{{channels: {x[name].shape[-1]}, height: 32, width: 24}}")
        )
        alone = compiled(write(f"block: alone\ninput: {sizes}\nsteps: [{kind}]\n", f"{name}.yaml"))
        own = {p.rpartition("/")[2]: w for p, w in weights.items() if p.startswith(f"stem/{name}/")}
        given = x[name][:, None] if name == "table" else x[name]
        y = interpret(alone, own, given).outputs["output"]
        parts.append(y[:, None] if name == "table" else y)
    found = interpret(typed, weights, x).blocks["stem"]
    np.testing.assert_allclose(found, sum(parts), atol=1e-12)


def test_gradients_of_all_inputs_match_finite_differences(write: Write) -> None:
    typed = compiled(write(APART))
    weights, x = seeded(typed), batch(typed, size=1)
    targets = {name: np.ones((1, *y.shape)) for name, y in typed.outputs.items()}
    found = step(typed, weights, x, targets, 0.1)
    assert found.input_gradient.keys() == x.keys()
    rng = np.random.default_rng(0)
    for name, value in x.items():
        direction = rng.normal(size=value.shape)
        losses = [
            step(typed, weights, {**x, name: value + sign * 1e-6 * direction}, targets, 0.1).loss
            for sign in (1, -1)
        ]
        slope = (losses[0] - losses[1]) / 2e-6
        expected = float((found.input_gradient[name] * direction).sum())
        assert math.isclose(slope, expected, rel_tol=1e-6, abs_tol=1e-7)


def test_maps_of_one_size_keep_one_size(write: Write) -> None:
    typed = compiled(write(MAPS))
    assert all_tied(typed) == {("rgb", "flow"): (0, 1)}
    assert running_sizes(typed, "rgb") == running_sizes(typed, "flow")
    assert running_sizes(typed, "rgb").inference == (AxisSizes(3), AxisSizes(3))
    assert minimum_input(typed, "table") == ()


SHARED = """\
network: shared
input:
  a: {channels: 1, height: 8, width: 8}
  b: {channels: 1, height: 8, width: 8}
  c: {channels: 1, height: 8, width: 6}
  d: {channels: 1, height: 8, width: 8}
blocks:
  outer: {steps: [{use: inner}, {op: global_avg_pool}]}
  inner: {steps: [{op: conv, filters: 2, kernel_size: 3}, STEP]}
body:
  - branches:
      a: [{use: outer, name: one}, {op: dense, units: 2}]
      b: [{use: outer, weights: a/one, name: two}, {op: dense, units: 2, name: last}]
      c: [{use: outer, weights: b/two}, {op: dense, units: 2}]
      d: [{use: outer}, {op: dense, units: 2, weights: b/last}]
    merge: concat
"""


@pytest.mark.parametrize(
    ("step", "sized"),
    [
        ("{op: max_pool, kernel_size: 3, stride: 2}", False),
        ("{op: avg_pool, kernel_size: 3, stride: 2}", True),
        ("{op: avg_pool, kernel_size: 3}", False),
        ("{op: avg_pool, kernel_size: [3, 2]}", True),
        ("{op: max_pool, kernel_size: 2, stride: 2, padding: valid, ceil_mode: true}", True),
        ("{op: max_pool, kernel_size: 2, padding: valid, ceil_mode: true}", False),
        ("{op: upsample, factor: 2}", False),
        ("{op: upsample, size: 9}", True),
        ("{op: upsample, factor: 2, method: linear}", True),
        ("{op: space_to_depth, block_size: 2}", True),
        ("{op: flatten}, {op: dense, units: 2}", True),
    ],
)
def test_inputs_with_shared_weights_of_one_size_keep_it(
    step: str, sized: bool, write: Write
) -> None:
    """Also within blocks, and where an owner shares its own weights."""
    text = SHARED.replace("STEP", step)
    if "flatten" in step:  # which has the weights of one size
        text = text.replace(", {op: global_avg_pool}", "").replace("width: 6", "width: 8")
    found = all_tied(compiled(write(text)))
    if "flatten" in step:
        assert found == {("a", "b", "c"): (0, 1)}
    else:
        assert found == ({("a", "b", "c"): (0,), ("a", "b"): (1,)} if sized else {})


def test_inputs_that_end_in_vectors_have_sizes_of_their_own(write: Write) -> None:
    typed = compiled(write(VECTORS))
    assert all_tied(typed) == {}
    assert [minimum_input(typed, name) for name in typed.program.inputs] == [(3, 3), (3, 3), ()]
    compiled(write(VECTORS), input__rgb="3x5x3", input__flow="9x3x2")


def test_maps_of_other_sizes_stay_as_in_the_spec(write: Write) -> None:
    """The height of `rgb` is halved; `flow` must have the same map, whatever its own height."""
    typed = compiled(write(APART))
    assert all_tied(typed) == {("rgb", "flow"): (1,)}
    height, width = running_sizes(typed, "rgb").inference
    assert (height, width) == (AxisSizes(32, 33), AxisSizes(3))
    assert running_sizes(typed, "flow").inference == (AxisSizes(17, 17), AxisSizes(3))


def settings_error(path: Path, *options: str) -> str:
    result = CliRunner().invoke(main, ["check", str(path), *options])
    assert result.exit_code in (1, 2), result.output
    return result.stderr


def test_input_on_the_command_line(write: Write) -> None:
    path = write(MAPS)
    given = ["--input", "rgb=40x16x3", "--input", "flow=40x16x2", "--input", "table=7"]
    result = CliRunner().invoke(main, ["summary", str(path), *given, "--json"])
    found = json.loads(result.stdout)
    assert found["inputs"] == {"rgb": [40, 16, 3], "flow": [40, 16, 2], "table": [7]}
    assert found["minimum_inputs"] == {"rgb": [3, 3], "flow": [3, 3], "table": []}
    assert found["same_sizes"] == [{"inputs": ["rgb", "flow"], "axes": ["height", "width"]}]
    single = ["--set", "input.rgb.height=36", "--set", "input.flow.height=36"]
    assert CliRunner().invoke(main, ["check", str(path), *single]).exit_code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--input", "40x16x3"], "write `--input rgb=40x16x3 --input flow=40x16x2`"),
        (["--input", "36"], "write `--input rgb=36x36x3 --input flow=36x36x2`"),
        (["--input", "64x3"], "write `--input rgb=32x24x3 --input flow=32x24x2`"),
        (["--input", "rbg=40x16x3"], "did you mean `rgb`?"),
        (["--input", "rgb=40x16x3", "--input", "rgb=8x8x3"], "set more than once"),
        (["--input", "rgb=40x16x3"], "found 15x11 and 19x7"),
        (
            ["--input", "rgb=2x2x3", "--input", "flow=2x2x2"],
            "write `--input rgb=3x3x3 --input flow=",
        ),
        (["--input", "rgb=abc"], "found `abc`"),
    ],
)
def test_wrong_inputs_on_the_command_line(write: Write, options: list[str], message: str) -> None:
    assert message in settings_error(write(MAPS), *options)


def test_a_network_with_one_input_has_no_names(write: Write) -> None:
    path = write("network: n\ninput: {channels: 3, length: 8}\nbody: [{op: identity}]\n")
    for wanted, help in (("a=9x5", "write `--input 9x3`"), ("a=9x9x3", "write `--input 8x3`")):
        error = settings_error(path, "--input", wanted)
        assert "the network has one input, without a name" in error
        assert help in error


def test_the_inputs_that_are_suggested_build(write: Write) -> None:
    path = write(MAPS)
    help = settings_error(path, "--input", "36").partition("write `")[2].partition("`")[0]
    assert CliRunner().invoke(main, ["check", str(path), *help.split()]).exit_code == 0


def test_sizes_that_are_probably_channels_first(write: Write) -> None:
    path = write(VECTORS)
    result = CliRunner().invoke(main, ["check", str(path), "--input", "rgb=3x224x224"])
    assert "write `--input rgb=224x224x3` for an input with 3 channels" in result.stderr


def test_an_overlay_changes_inputs(write: Write) -> None:
    write(VECTORS, "base.yaml")
    text = "extends: base.yaml\nnetwork: over\n"
    wider = compiled(write(f"{text}input: {{rgb: {{channels: 4}}}}\n"))
    assert str(wider.program.inputs["rgb"]) == "32x24x4"
    more = "input: {audio: {channels: 2}}\nstem: {0: {branches: {audio: []}}}\n"
    typed = compiled(write(text + more))
    assert [*typed.program.inputs] == ["rgb", "flow", "table", "audio"]
    assert typed.entry is not None
    assert typed.entry.y.channels == 20
    less = "input: {table: null}\nstem: {0: {branches: {table: null}}}\n"
    assert [*compiled(write(text + less)).program.inputs] == ["rgb", "flow"]
    report = Report()
    assert (
        compile_spec(write(f"{text}stem: {{0: {{branches: {{table: null}}}}}}\n"), {}, report)
        is None
    )
    (found,) = report.diagnostics
    assert (found.code, found.span.line) == ("E407", 3)


def test_a_backend_that_does_not_know_them(write: Write) -> None:
    def never(*_: Any) -> None:
        raise AssertionError

    report, plain = Report(), Backend("plain", "Plain", never)
    plugin = Plugin("plain", "plain", "1", "plain:BACKEND", None)
    assert emit(plugin, plain, compiled(write(MAPS)), report) is None
    (found,) = report.diagnostics
    assert (found.code, found.span.line) == ("E503", 2)
    assert found.message == "the backend `plain` supports only networks with one input"


def test_hover(write: Write) -> None:
    path = write(MAPS)
    line = 1 + path.read_text().splitlines().index("    merge: add")
    found = hover(compiled(path), str(path), line, 6)
    assert found is not None
    shapes = "flow 32x24x2, table 5, rgb 32x24x3 -> **15x11x6**"
    assert found[0].splitlines()[2] == shapes
    first = hover(compiled(path), str(path), 1, 10)
    assert first is not None
    assert "rgb 32x24x3, flow 32x24x2 and table 5 -> **logits 4**" in first[0]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("network: n\ninput: {|}\n", {"channels", "length", "height", "width", "depth"}),
        ("network: n\ninput: {a: {channels: 3, |}}\n", {"length", "height", "width", "depth"}),
        (
            "network: n\ninput: {a: {channels: 3}, b: {channels: 2}}\n"
            "body:\n  - branches:\n      a: []\n      |\n    merge: add\n",
            {"b"},
        ),
    ],
)
def test_completion(marked: str, expected: set[str]) -> None:
    text, offset = marked.replace("|", ""), marked.index("|")
    assert {item.label for item in complete("net.yaml", text, offset, {})} == expected
