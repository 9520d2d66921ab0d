"""Tables for LaTeX: the published numbers, the totals, the rows of every kind of network."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from frameworks import ROOT, shipped
from latex_tables import SPECS, files, lines, table

from inception_dsl.analysis.cost import cost, layers
from inception_dsl.cli import main
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.testing.conformance import Prints

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


class TestPrints(Prints):
    backend = "latex"
    specs = ("v1", "v4", "family/i3d_two_stream", "family/siamese_googlenet", "family/v3_multitask")


# Szegedy et al. 2014, table 1: what each row prints, and what the printed widths give instead. The
# paper counts weights without biases, and 1K is 1024.
GOOGLENET = {
    "conv": ("2.7K", "9.2K", "34M", "118M"),  # the numbers of a separable convolution
    "conv2": ("112K", "112K", "360M", "360M"),
    "3a": ("159K", "160K", "128M", "128M"),  # 159.5
    "3b": ("380K", "379K", "304M", "304M"),
    "4a": ("364K", "367K", "73M", "74M"),  # 366.75, 73.6
    "4b": ("437K", "438K", "88M", "88M"),
    "4c": ("463K", "498K", "100M", "100M"),
    "4d": ("580K", "590K", "119M", "119M"),
    "4e": ("840K", "847K", "170M", "170M"),
    "5a": ("1072K", "1018K", "54M", "51M"),  # those of 48 filters before the 5x5, not 32
    "5b": ("1388K", "1409K", "71M", "71M"),
    "dense": ("1000K", "1000K", "1M", "1M"),
}
WIDTHS = {
    "3a": "64 96 128 16 32 32",
    "3b": "128 128 192 32 96 64",
    "4a": "192 96 208 16 48 64",
    "4b": "160 112 224 24 64 64",
    "4c": "128 128 256 24 64 64",
    "4d": "112 144 288 32 64 64",
    "4e": "256 160 320 32 128 128",
    "5a": "256 160 320 32 128 128",
    "5b": "384 192 384 48 128 128",
}
SIZES = ["112x112x64", "56x56x192", "28x28x256", "28x28x480", *["14x14x512"] * 3, "14x14x528"]
SIZES += ["14x14x832", "7x7x832", "7x7x1024", "1000"]
DEPTHS = ["1", "2", *["2"] * 9, "1"]


def test_the_table_of_googlenet() -> None:
    """Row by row; where the paper contradicts its own widths, the numbers of these."""
    text = table(shipped(ROOT / "specs/v1.yaml"), width="page", counts="googlenet")
    heads, names, *rows = lines(text)
    assert list(zip(heads[4:10], names[4:10], strict=True)) == [
        ("", "#1x1"),
        ("#3x3", "reduce"),
        ("", "#3x3"),
        ("#5x5", "reduce"),
        ("", "#5x5"),
        ("pool", "proj"),
    ]
    counted = [row for row in rows if row[-2] and "after" not in row[0]]
    *steps, total = counted
    found = [(row[-2], row[-1]) for row in steps]
    assert found == [(params, ops) for _, params, _, ops in GOOGLENET.values()]
    assert [row[2] for row in steps] == SIZES
    assert [row[3] for row in steps] == DEPTHS
    assert total[3] == "22"  # "22 layers deep when counting only layers with parameters"
    assert [steps[0][1], steps[1][1]] == ["7x7/2", "3x3/1"]
    assert steps[1][4:10] == ["", "64", "192", "", "", ""]
    widths = {row[0][-3:-1]: " ".join(row[4:10]) for row in steps if "(" in row[0]}
    assert widths == WIDTHS


def test_what_the_table_of_googlenet_prints() -> None:
    """The exceptions, by how much: all are parameters, but for two rows of operations."""
    wrong = {name for name, (printed, own, *_) in GOOGLENET.items() if printed != own}
    assert {*GOOGLENET} - wrong == {"conv2", "dense"}
    assert {n for n, (*_, printed, own) in GOOGLENET.items() if printed != own} == {
        "conv",
        "4a",
        "5a",
    }
    values = {n: [float(text[:-1]) for text in row] for n, row in GOOGLENET.items()}
    far = {n for n, (p, own, *_) in values.items() if abs(p / own - 1) > 0.02}
    assert far == {"conv", "4c", "5a"}
    for name, weights, macs in [  # the rows that another spec explains
        ("conv", 7 * 7 * 3 * 8 + 24 * 64, 112 * 112 * (7 * 7 * 3 * 8 + 24 * 64)),
        ("5a", 1018 * 1024 + 16 * (832 + 25 * 128), 7 * 7 * (1018 * 1024 + 16 * (832 + 25 * 128))),
    ]:
        printed, _, operations, _ = values[name]
        assert weights / (1000 if name == "conv" else 1024) == pytest.approx(printed, rel=0.01)
        assert round(macs / 10**6) == operations


def value(text: str) -> float:
    return float(text.rstrip("KMGT")) * UNITS[text.lstrip("0123456789.")] if text else 0


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
@pytest.mark.parametrize("width", ["column", "page"])
def test_totals_are_those_of_the_summary(path: Path, width: str) -> None:
    typed = shipped(path)
    total, text = cost(list(layers(typed))), table(typed, width=width)
    exact = f"{total.total:,} parameters, {total.macs:,} multiply-adds"
    assert text.splitlines()[1] == f"% {exact}."
    assert f"{exact} (ops)" in text.replace(r"\-", "")
    rows = [row for row in lines(text)[2:] if len(row) > 1]
    *steps, last = rows
    assert value(last[-2]) == pytest.approx(total.total, rel=0.005)
    assert value(last[-1]) == pytest.approx(total.macs, rel=0.005)
    assert sum(value(row[-2]) for row in steps) == pytest.approx(total.total, rel=0.03)
    inference = [row for row in steps if row[0].partition(",")[0] not in typed.auxiliary]
    assert sum(value(row[-1]) for row in inference) == pytest.approx(total.macs, rel=0.03)


def test_equal_steps_are_one_row() -> None:
    rows = {row[0]: row for row in lines(table(shipped(ROOT / "specs/v4.yaml")))}
    assert rows["4xInception-A"][1:] == ["fig. 4", "35x35x384", "12", "1273K", "1550M"]
    assert rows["7xInception-B"][1:] == ["fig. 5", "17x17x1024", "35", "20.6M", "5931M"]
    rows = {row[0]: row for row in lines(table(shipped(ROOT / "specs/v3.yaml"), size="input"))}
    assert {n for n in rows if "Inception" in n} == {
        "Inception-v3-A (mixed 5b)",
        "2xInception-v3-A",
        "Inception-v3-B (mixed 6b)",
        "2xInception-v3-B",
        "Inception-v3-B (mixed 6e)",
        "2xInception-v3-C",
        "aux, after Inception-v3-B (mixed 6e)",
    }
    assert rows["2xInception-v3-C"][2] == "8x8x1280"


BODY = """
network: net
input: {channels: 3, height: 32, width: 32}
body:
  - {op: conv, name: a, filters: 4, kernel_size: 3}
  - {op: conv, name: b, filters: 4, kernel_size: 3}
  - {op: conv, name: c, filters: 4, kernel_size: 3}
  - {op: conv, name: d, filters: 4, kernel_size: 3, weights: c}
  - name: e
    branches: {left: [{op: conv, filters: 2, kernel_size: 1, repeat: 2}], right: []}
    merge: MERGE
  - {op: conv, name: f, filters: 4, kernel_size: [1, 3], stride: [1, 2], dilation: 1}
  - {op: conv, name: g, filters: 4, kernel_size: 3, dilation: 2}
"""


def test_rows(compiled: Callable[..., TypedProgram]) -> None:
    """Steps that others read, or that share weights, are no part of a row of several."""
    spec = BODY.replace("MERGE", "concat")
    rows = lines(table(compiled(spec), width="page"))[2:-1]
    assert rows == [
        ["3xconv", "3x3/1", "32x32x4", "3", "", "408", "406K"],
        ["conv (shared)", "3x3/1", "32x32x4", "1", "", "", "147K"],
        ["E", "", "32x32x6", "2", "2 x 1x1, 2 textbar{} identity", "16", "12K"],
        ["conv", "1x3/1x2", "32x16x4", "1", "", "76", "37K"],
        ["conv", "3x3/1, dilation 2", "32x16x4", "1", "", "148", "74K"],
    ]
    read = compiled(spec + "outputs: {middle: b}\n")
    assert [row[0] for row in lines(table(read))[2:6]] == [
        "conv",
        "conv (b)",
        "conv",
        "conv (shared)",
    ]


REPEATED = """\
network: net
input: {channels: 8, height: 16, width: 16}
blocks:
  module: {steps: [{op: conv, filters: 8, kernel_size: 3}]}
  wider: {steps: [{op: conv, filters: 16, kernel_size: 3}]}
body:
  - {use: module, name: early, repeat: 4}
  - {op: conv, name: plain, filters: 8, kernel_size: 3, repeat: 3}
  - {use: wider, name: late, repeat: 3}
  - {name: sum, repeat: 2, merge: add, branches: {a: [{op: identity}], b: []}}
outputs: {one: early, two: plain, three: late, four: sum}
"""


def test_repetitions_of_a_step_that_an_output_reads(compiled: Callable[..., TypedProgram]) -> None:
    """Are one row if they are equal: the output reads the last one. Others have no name."""
    assert [row[0] for row in lines(table(compiled(REPEATED)))[2:]] == [
        "4xModule (early)",
        "3xconv (plain)",
        "3xWider (late)",
        "2xSum",
        "total",
    ]
    other = REPEATED.replace("kernel_size: 3}]}\n  wider", "kernel_size: 3, stride: 2}]}\n  wider")
    names = [row[0] for row in lines(table(compiled(other)))[2:]]
    assert names[:4] == ["Module", "Module", "Module", "Module (early)"]


def test_counts_of_kernels(compiled: Callable[..., TypedProgram]) -> None:
    """As in GoogLeNet's paper: without biases and batch norm, 1K is 1024."""
    steps = "{op: conv_bn, filters: 64}, {op: separable_conv, filters: 8}"
    steps = steps.replace("}", ", kernel_size: 3}")
    typed = compiled(f"network: net\ninput: {{channels: 64, length: 9}}\nbody: [{steps}]\n")
    kernels = [3 * 64 * 64, 3 * 64 + 64 * 8]
    rows = lines(table(typed, counts="googlenet"))[2:]
    assert [row[-2] for row in rows] == ["12K", "704", "12.7K"]
    assert [f"{kernels[0] / 1024:.0f}K", str(kernels[1])] == ["12K", "704"]
    assert [row[-2] for row in lines(table(typed))[2:]] == ["13K", "712", "13.3K"]


@pytest.mark.parametrize(
    ("body", "short"),
    [
        ("{a: [{op: conv, filters: 3, kernel_size: 3}], b: []}", "3x3, 3 + identity"),
        ("{a: [{op: max_pool, kernel_size: 3}], b: []}", "max 3x3 + identity"),
        (
            "{a: [{op: depthwise_conv, kernel_size: 3}, {op: activation, function: relu}], b: []}",
            "depthwise conv 3x3, 3 + identity",
        ),
        (
            "{a: [{merge: multiply, branches: {c: [], d: [{op: global_avg_pool, keepdims: true}]}},"
            " {op: conv, filters: 3, kernel_size: 1}], b: []}",
            r"(identity $odot$ global avg pool) $to$ 1x1, 3 + identity",
        ),
    ],
)
def test_branches(body: str, short: str, compiled: Callable[..., TypedProgram]) -> None:
    head = "network: net\ninput: {channels: 3, height: 8, width: 8}\n"
    typed = compiled(f"{head}body: [{{name: x, merge: add, branches: {body}}}]\n")
    assert lines(table(typed, width="page"))[2][4] == short


def test_many_layers_are_counted(compiled: Callable[..., TypedProgram]) -> None:
    steps = ", ".join(f"{{op: conv, filters: {n}, kernel_size: 1}}" for n in range(1, 80))
    head = "network: net\ninput: {channels: 3, height: 8, width: 8}\n"
    typed = compiled(f"{head}body: [{{merge: concat, branches: {{a: [{steps}], b: []}}}}]\n")
    assert lines(table(typed, width="page"))[2][4] == "79 layers"


def test_a_spec_without_a_paper_has_no_entry(compiled: Callable[..., TypedProgram]) -> None:
    typed = compiled(BODY.replace("MERGE", "concat"))
    assert list(files(typed)) == ["net.tex"]
    assert "Net, for an input of 32$\\times$32$\\times$3: " in table(typed)


def test_the_command(tmp_path: Path) -> None:
    """It writes both files, `--check` finds an edit, and an edited file is not replaced."""
    call = ["build", "v4", "-b", "latex", "-o", str(tmp_path), "--option", "layout=tabular"]
    done = CliRunner().invoke(main, call)
    assert done.exit_code == 0, done.output
    path = tmp_path / "latex" / "v4.tex"
    assert sorted(os.listdir(path.parent)) == ["v4.bib", "v4.tex"]
    assert CliRunner().invoke(main, [*call, "--check"]).exit_code == 0
    assert CliRunner().invoke(main, [*call[:-1], "layout=table", "--check"]).exit_code == 1
    path.write_text(path.read_text(encoding="utf-8").replace("dense", "linear"), encoding="utf-8")
    assert CliRunner().invoke(main, [*call, "--check"]).exit_code == 1
    done = CliRunner().invoke(main, call)
    assert done.exit_code == 1
    assert "E603" in done.output + (done.stderr or "")
    wrong = CliRunner().invoke(main, [*call[:-1], "layout=float"])
    assert wrong.exit_code == 2
    assert "`layout=table`, `layout=tabular` or `layout=standalone`" in wrong.stderr
    listed = json.loads(CliRunner().invoke(main, ["backends", "--json"]).stdout)
    options = next(row["options"] for row in listed if row["name"] == "latex")
    assert [option["name"] for option in options] == ["layout", "width", "size", "counts"]
