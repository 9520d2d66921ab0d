"""Tests what ``summary`` prints: depth, formats, several specs, the part before an error."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import inception_dsl
from inception_dsl.cli import main
from inception_dsl.design.tables import Line, Table

TEXT = """
network: n_1
title: A & B
input: {channels: 3, height: 16, width: 16}
classes: 5
blocks:
  pair:
    steps:
      - merge: concat
        branches: {left: [], right: [{op: conv, filters: 4, kernel_size: 5}, {op: batch_norm}]}
body:
  - {op: conv, name: first, filters: 4, kernel_size: 3, stride: 2}
  - {use: pair, name: twice, repeat: 2}
head: [{op: global_avg_pool}, {op: dense, name: classifier, units: $classes}]
aux_heads:
  aux: {after: first, loss_weight: 1, steps: [{op: flatten}, {op: dense, units: $classes}]}
"""
SHORT = """\
A & B  (network n_1, input 16x16x3)

layer       op                          output  parameters    MACs  % MACs  receptive field
----------  --------------------------  ------  ----------  ------  ------  ---------------
first       conv 3x3 /2                 8x8x4          112   6,912     8.3                3  #
twice/0     pair                        8x8x8          420  25,600    30.6               11  ###
twice/1     pair                        8x8x12         820  51,200    61.1               19  #######
head/0      global_avg_pool             12                                              all
classifier  dense                       5               65      60     0.1              all
aux         auxiliary head after first  5            1,285   1,280
"""


@pytest.fixture
def shown(write: Callable[..., Path]) -> Callable[..., Result]:
    path = write(TEXT, "net.yaml")

    def run(*arguments: str) -> Result:
        return CliRunner(env={"COLUMNS": "104"}).invoke(main, ["summary", str(path), *arguments])

    return run


def test_a_network_has_one_line_for_each_top_level_step(shown: Callable[..., Result]) -> None:
    lines = shown().stdout.splitlines()
    short = [line.rstrip("# ") for line in SHORT.splitlines()]
    assert lines[: len(short)] == short


def test_a_terminal_shows_bars(write: Callable[..., Path]) -> None:
    summary = inception_dsl.load(write(TEXT)).summary()
    assert summary.render(width=104).startswith(SHORT)
    assert "#" not in summary.render(width=90)


def test_the_receptive_field_is_that_of_the_last_map(shown: Callable[..., Result]) -> None:
    lines = shown().stdout.splitlines()
    assert "receptive field        19 of twice/1" in lines
    assert "  stride, padding      2, 8" in lines
    everywhere = CliRunner().invoke(main, ["summary", "family/v4_cbam"]).stdout
    assert "  stride, padding      none, 30\n" in everywhere


def paths(result: Result) -> list[str]:
    return [row["path"] for row in csv.DictReader(io.StringIO(result.stdout))]


def test_expanded_steps_show_all_their_layers(shown: Callable[..., Result]) -> None:
    top = ["first", "twice/0", "twice/1", "head/0", "classifier", "aux"]
    inner = ["left", "right", "right/0", "right/1", ""]
    assert paths(shown("-f", "csv")) == top
    one = [f"twice/1/{name}".rstrip("/") for name in inner]
    assert paths(shown("-f", "csv", "--expand", "twice/1")) == [*top[:3], *one, *top[3:]]
    every = shown("-f", "csv", "--depth", "all")
    assert len(paths(every)) == len(top) + 2 * len(inner) + 2
    assert paths(shown("-f", "csv", "--depth", "9")) == paths(every)


def test_the_layers_of_csv_add_up_to_the_totals(shown: Callable[..., Result]) -> None:
    rows = [*csv.DictReader(io.StringIO(shown("-f", "csv", "--depth", "all").stdout))]
    data = json.loads(shown("--json").stdout)
    layers = [row for row in rows if row["layer"] == "true"]
    assert sum(int(row["parameters"]) for row in layers) == data["parameters"]["total"]
    macs = sum(int(row["macs"]) for row in layers if not row["path"].startswith("aux/"))
    assert macs == data["macs"]


def test_memory_is_that_of_the_batch(shown: Callable[..., Result]) -> None:
    """The output of twice/0, the batch norm after it, and their concatenation exist at once."""
    one, many = (json.loads(shown("--json", "--batch", n).stdout)["activations"] for n in "18")
    assert one["inference"] == 4 * 64 * (8 + 4 + 12)
    outputs = [16 * 16 * 3, *[64 * n for n in (4, 4, 4, 8, 4, 4, 12, 4)], 12, 5, 5]
    assert one["training"] == 4 * sum(outputs)
    assert many == {"batch": 8, **{k: 8 * v for k, v in one.items() if k != "batch"}}


@pytest.mark.parametrize(
    ("size", "total"),
    [(9, "8 of output"), (8, "4 of body/1, the last map of more than one pixel"), (1, "")],
)
def test_maps_of_one_pixel_have_no_receptive_field_in_the_totals(
    write: Callable[..., Path], size: int, total: str
) -> None:
    """Of more than one pixel, as in tables of receptive fields; where another follows, it says so.

    A map of one pixel before others does not count.
    """
    text = f"network: n\ninput: {{channels: 2, height: {size}, width: {size}}}\n"
    pools = "body: [{op: max_pool, kernel_size: 2, stride: 2, repeat: 3}]\n"
    facts = dict(inception_dsl.load(write(text + pools)).summary().facts())
    assert facts.get("receptive field", "") == total
    larger = pools.replace("}]", "}, {op: upsample, factor: 2, method: nearest}]")
    facts = dict(inception_dsl.load(write(text + larger)).summary().facts())
    assert facts["receptive field"].endswith("of output")


def test_markdown_and_latex_have_the_same_rows(shown: Callable[..., Result]) -> None:
    assert shown("-f", "markdown").stdout.splitlines()[1:4] == [
        "| --- | --- | --- | ---: | ---: | ---: | ---: |",
        "| first | conv 3x3 /2 | 8x8x4 | 112 | 6,912 | 8.3 | 3 |",
        "| **twice/0** | pair | 8x8x8 | 420 | 25,600 | 30.6 | 11 |",
    ]
    latex = shown("-f", "latex").stdout.splitlines()
    assert latex[0] == r"{\footnotesize\setlength{\tabcolsep}{3pt}%"
    assert latex[1:3] == [r"\begin{tabular}{@{}lllrrrr@{}}", r"\toprule"]
    assert latex[5] == r"first & conv 3x3 /2 & 8x8x4 & 112 & 6,912 & 8.3 & 3 \\"
    assert latex[3] == (r"layer & op & output & parameters & MACs & \% MACs & receptive field \\")


@pytest.mark.parametrize("form", ["text", "csv", "markdown", "latex", "json"])
def test_several_networks_are_side_by_side(form: str) -> None:
    result = CliRunner().invoke(main, ["summary", "v1", "v3", "-f", form])
    assert result.exit_code == 0
    if form == "json":
        assert [one["name"] for one in json.loads(result.stdout)] == ["googlenet", "inception_v3"]
        return
    numbers = ("13378280", "27179376", "715", "1311", "31x31", "75x75")
    plain = result.stdout.replace(",", "") if form != "csv" else result.stdout
    assert all(number in plain for number in numbers)


def test_the_part_before_an_error_is_shown(write: Callable[..., Path]) -> None:
    text = TEXT.replace(
        "{op: conv, filters: 4, kernel_size: 5}",
        "{op: conv, filters: 4, kernel_size: 9, padding: valid}",
    )
    path = write(text, "bad.yaml")
    result = CliRunner().invoke(main, ["summary", str(path)])
    assert result.exit_code == 1
    assert [line.split()[0] for line in result.stdout.splitlines() if line][2:] == ["first", "The"]
    assert "error[E401]" in result.stderr
    assert CliRunner().invoke(main, ["summary", str(path), "-f", "csv"]).stdout == ""


PAYLOADS = ["a|b", "`x`", "<b>", "50%", "$x$", "a_b & c#d", "\\input{x}", "~^{}", "\x1b[31m", '"']


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_of_a_spec_is_no_markup(payload: str) -> None:
    table = Table(("name",), [Line((payload,))], 1)
    (row,) = table.markdown().splitlines()[2:]
    assert row.count("|") - row.count("\\|") == 2
    assert "<" not in row.replace("\\<", "")
    assert "\x1b" not in row + table.latex()
    body = table.latex().splitlines()[5].removesuffix(r" \\")
    for command in (
        r"\textbackslash{}",
        r"\textasciitilde{}",
        r"\textasciicircum{}",
        r"\textless{}",
        r"\textgreater{}",
        r"\textbar{}",
        r"\symbol{34}",
        "{[}",
        r"\textbraceleft{}",
        r"\textbraceright{}",
        *(f"\\{c}" for c in "&%$#_"),
    ):
        body = body.replace(command, "")
    assert not set(body) & set('\\&%$#_{}~^<>|"')
