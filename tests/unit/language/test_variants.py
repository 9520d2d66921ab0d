"""Blocks that extend another block."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from overlays import compiled, ops

from inception_dsl.analysis.cost import layers
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report

SPEC = """\
network: net
import: [tower.yaml]
input: {{channels: 3, height: 8, width: 8}}
defaults: {{conv: {{use_bias: false}}}}
blocks:
  plain:
    title: Plain
    paper: {{authors: A. Author, year: 2015}}
    params: {{filters: {{type: int, default: 2}}}}
    steps: [{{op: conv, filters: $filters, kernel_size: 1}}, {{op: identity, name: last}}]
{blocks}
body: [{body}]
"""
TOWER = """\
block: tower
defaults: {conv: {kernel_size: 3, use_bias: true}}
params: {filters: int}
steps: [{op: conv, filters: $filters}, {use: inner}]
blocks: {inner: {steps: [{op: max_pool, kernel_size: 3}]}}
"""
Write = Callable[..., Path]


def spec(write: Write, blocks: str, body: str) -> Path:
    write(TOWER, "tower.yaml")
    return write(SPEC.format(blocks=blocks, body=body), "net.yaml")


@pytest.mark.parametrize(
    ("blocks", "body", "expected"),
    [
        ("  wide: {extends: plain}", "{use: wide}", ["conv:2", "identity:2"]),
        (
            "  wide: {extends: plain, params: {filters: {default: 5}}}",
            "{use: wide}, {use: plain}",
            ["conv:5", "identity:5", "conv:2", "identity:2"],
        ),
        (
            "  wide: {extends: plain, steps: {0: {op: conv_bn, filters: 4, kernel_size: 1}}}",
            "{use: wide}",
            ["conv_bn:4", "identity:4"],
        ),
        (
            "  wide: {extends: plain, steps: [..., {op: max_pool, kernel_size: 2}]}",
            "{use: wide}",
            ["conv:2", "identity:2", "max_pool:2"],
        ),
        (
            "  a: {extends: b, steps: {last: null}}\n  b: {extends: plain, params: {filters: "
            "{default: 7}}}",
            "{use: a}, {use: b}",
            ["conv:7", "conv:7", "identity:7"],
        ),
        (
            "  high: {extends: tower, steps: {inner: null}}",
            "{use: high, filters: 6}",
            ["conv:6"],
        ),
        (
            "  high: {extends: tower, params: {filters: {default: 6}}}",
            "{use: high}, {use: tower, filters: 3}",
            ["conv:6", "max_pool:6", "conv:3", "max_pool:3"],
        ),
    ],
)
def test_variants(write: Write, blocks: str, body: str, expected: list[str]) -> None:
    assert ops(compiled(spec(write, blocks, body))) == expected


def test_a_variant_has_the_defaults_of_its_file(write: Write) -> None:
    path = spec(write, "  high: {extends: tower, params: {filters: {default: 6}}}", "{use: high}")
    conv, _ = layers(compiled(path))
    assert [weight.shape for weight in conv.weights] == [(3, 3, 3, 6), (6,)]


def test_a_variant_says_what_it_modifies(write: Write) -> None:
    path = spec(write, "  wide: {extends: plain, steps: {last: null}}", "{use: wide}")
    about = compiled(path).program.blocks["wide"].about
    assert about.modified_from is not None
    assert about.modified_from.plain == "Plain (A. Author, 2015)"
    assert about.title.plain == ""


def test_changes_of_the_block_reach_its_variants(write: Write) -> None:
    spec(write, "  wide: {extends: plain, steps: {last: null}}", "{use: wide}, {use: plain}")
    over = write(
        "extends: net.yaml\nblocks: {plain: {params: {filters: {default: 9}}}}\n", "o.yaml"
    )
    assert ops(compiled(over)) == ["conv:9", "conv:9", "identity:9"]
    over = write("extends: net.yaml\nblocks: {wide: {params: {filters: {default: 9}}}}\n", "o.yaml")
    assert ops(compiled(over)) == ["conv:9", "conv:2", "identity:2"]
    over = write(
        "extends: net.yaml\nblocks: {new: {extends: wide}}\nbody: [{use: new}]\n", "o.yaml"
    )
    assert ops(compiled(over)) == ["conv:2"]


def test_one_of_a_repeat_is_another_block(write: Write) -> None:
    path = spec(write, "", "{use: plain, name: all, repeat: 5}")
    text = """\
extends: net.yaml
blocks: {wide: {extends: plain, params: {filters: {default: 4}}}}
body: {all: [{use: plain, name: first, repeat: 2}, {use: wide}, {use: plain, repeat: 2}]}
"""
    assert len(ops(compiled(path))) == 10
    assert ops(compiled(write(text, "o.yaml")))[::2] == ["conv:2"] * 2 + ["conv:4"] + ["conv:2"] * 2


@pytest.mark.parametrize(
    ("block", "expected", "help"),
    [
        ("{extends: plian}", "E302 11:19-23", "did you mean `plain`?"),
        ("{extends: towr}", "E302 11:19-22", "did you mean `tower`?"),
        ("{extends: zzzzz}", "E302 11:19-23", "known blocks: "),
        ("{extends: wide}", "E306 11:19-22", ""),
        ("{extends: [a]}", "E203 11:19-21", ""),
        ("{extends: plain, steps: {lst: {repeat: 2}}}", "E310 11:34-36", "did you mean `last`?"),
        ("{extends: plain, stps: []}", "E201 11:26-29", "did you mean `steps`?"),
        ("{extends: plain, steps: {0: {filters: x}}}", "E203 11:47-47", ""),
    ],
)
def test_errors(write: Write, block: str, expected: str, help: str) -> None:
    report = Report()
    path = spec(write, f"  wide: {block}", "{use: wide}, {use: plain}")
    assert compile_spec(path, {}, report) is None
    (found,) = report
    span = found.span
    assert f"{found.code} {span.line}:{span.column}-{span.end_column - 1}" == expected
    assert help in found.help


def test_a_cycle(write: Write) -> None:
    report = Report()
    path = spec(write, "  a: {extends: b}\n  b: {extends: a}", "{use: plain}")
    assert compile_spec(path, {}, report) is None
    assert {d.code for d in report} == {"E306"}


@pytest.mark.parametrize("blocks", ["a: {extends: b}, b: {extends: tower}",
                                    "b: {extends: tower}, a: {extends: b}"])  # fmt: skip
def test_the_order_of_variants_does_not_matter(write: Write, blocks: str) -> None:
    write("block: tower\ndefaults: {conv: {kernel_size: 3, activation: relu}}\n"
          "steps: [{op: conv, filters: 4}]\n", "tower.yaml")  # fmt: skip
    head = "network: n\nimport: [tower.yaml]\ninput: {channels: 3, height: 8, width: 8}\n"
    typed = compiled(write(f"{head}blocks: {{{blocks}}}\nbody: [{{use: a}}]\n"))
    (layer,) = layers(typed)
    assert next(weight.shape for weight in layer.weights) == (3, 3, 3, 4)


def test_blocks_that_are_only_extended_are_used(write: Write) -> None:
    path = spec(
        write,
        "  a: {extends: b}\n  b: {extends: plain}\n  t: {extends: tower, steps: {0: {filters: 3}}}",
        "{use: a}, {use: t, filters: 2}",
    )
    report = Report()
    assert compile_spec(path, {}, report) is not None
    assert {d.code for d in report} <= {"W301"}
    assert not any("tower.yaml" in d.span.file for d in report)


def test_blocks_inside_of_imported_files(write: Write) -> None:
    write("block: leaf\nsteps: [{op: max_pool, name: l, kernel_size: 3}]\n", "leaf.yaml")
    write(f"import: [leaf.yaml]\n{TOWER}", "tower.yaml")
    text = SPEC.format(
        blocks="  inside: {extends: inner, steps: []}\n  far: {extends: leaf, steps: {l: null}}",
        body="{use: inside}, {use: far}, {use: leaf}, {use: inner}, {use: plain}",
    )
    assert ops(compiled(write(text, "net.yaml"))) == ["max_pool:3"] * 2 + ["conv:2", "identity:2"]


@pytest.mark.parametrize(
    ("blocks", "code"),
    [
        ("{1: {steps: []}, a: {extends: zz}}", "E302"),
        ("{cell: [1], a: {extends: cell}}", "E203"),
        ("{a: {extends: a}}", "E306"),
    ],
)
def test_broken_blocks_beside_a_variant(write: Write, blocks: str, code: str) -> None:
    report = Report()
    head = "network: n\ninput: {channels: 3, height: 8, width: 8}\n"
    path = write(f"{head}blocks: {blocks}\nbody: [{{use: a}}]\n")
    assert compile_spec(path, {}, report) is None
    assert code in {d.code for d in report}, report.render()


def test_what_a_variant_causes_stands_there(write: Write) -> None:
    write(TOWER, "tower.yaml")
    text = SPEC.format(
        blocks="  t: {extends: tower, steps: {0: {filters: null}}}", body="{use: t, filters: 2}"
    )
    report = Report()
    assert compile_spec(write(text, "net.yaml"), {}, report) is None
    assert {Path(d.span.file).name for d in report} == {"net.yaml"}, report.render()
    assert not any(d.fix for d in report if d.code == "E202")


def test_files_that_import_each_other(write: Write) -> None:
    """Each has a variant of a block that is in neither."""
    text = "block: {0}\nimport: [{1}.yaml]\nblocks: {{v{0}: {{extends: none}}}}\nsteps: []\n"
    for one, other in (("a", "b"), ("b", "a")):
        write(text.format(one, other), f"{one}.yaml")
    head = "network: n\nimport: [a.yaml]\ninput: {channels: 3, height: 8, width: 8}\n"
    report = Report()
    spec = write(f"{head}blocks: {{w: {{extends: none}}}}\nbody: [{{use: a}}]\n", "net.yaml")
    assert compile_spec(spec, {}, report) is None
    assert {d.code for d in report} == {"E302"}
    assert len(list(report)) == 3


@pytest.mark.parametrize("imports", ["a.yaml, c.yaml", "c.yaml, a.yaml"])
def test_files_that_import_the_same_file(write: Write, imports: str) -> None:
    write("block: c\nsteps: [{op: max_pool, name: p, kernel_size: 3}]\n", "c.yaml")
    write("block: a\nimport: [c.yaml]\nblocks: {va: {extends: c, steps: [..., {op: identity}]}}\n"
          "steps: [{use: va}]\n", "a.yaml")  # fmt: skip
    head = f"network: n\nimport: [{imports}]\ninput: {{channels: 3, height: 8, width: 8}}\n"
    text = "blocks: {w: {extends: va, steps: {p: null}}}\nbody: [{use: w}, {use: a}]\n"
    assert ops(compiled(write(head + text))) == ["identity:3", "max_pool:3", "identity:3"]


def test_many_variants_of_imported_blocks(write: Write) -> None:
    """Each file is read once; a spec may read a hundred."""
    for index in range(8):
        write(f"block: b{index}\nsteps: [{{op: identity}}]\n", f"b{index}.yaml")
    names = [f"v{n}" for n in range(60)]
    blocks = ", ".join(f"{name}: {{extends: b{n % 8}}}" for n, name in enumerate(names))
    files, uses = (
        ", ".join(f"b{n}.yaml" for n in range(8)),
        ", ".join(f"{{use: {n}}}" for n in names),
    )
    head = f"network: n\nimport: [{files}]\ninput: {{channels: 3, height: 8, width: 8}}\n"
    path = write(f"{head}blocks: {{{blocks}}}\nbody: [{uses}]\n")
    assert len(ops(compiled(path))) == 60


def test_a_number_is_no_block_of_an_imported_file(write: Write) -> None:
    report = Report()
    write("block: tower\nblocks: {1: {steps: []}}\nsteps: []\n", "tower.yaml")
    text = SPEC.format(blocks="  a: {extends: '1'}", body="{use: a}, {use: plain}, {use: tower}")
    assert compile_spec(write(text, "net.yaml"), {}, report) is None
    assert "E302" in {d.code for d in report}, report.render()


def test_copies_count_as_values_of_the_files(write: Write) -> None:
    """A page of variants of a long block is as long as all of them written out."""
    steps = ", ".join("{op: identity}" for _ in range(2_000))
    blocks = ", ".join(f"v{n}: {{extends: cell}}" for n in range(100))
    head = "network: n\ninput: {channels: 3, height: 8, width: 8}\n"
    text = f"{head}blocks: {{cell: {{steps: [{steps}]}}, {blocks}}}\nbody: [{{use: v0}}]\n"
    report = Report()
    assert compile_spec(write(text, "net.yaml"), {}, report) is None
    assert [d.code for d in report] == ["E106"]


def test_a_file_counts_once(write: Write) -> None:
    """However many overlays and settings change its block."""
    for index in range(20):
        write(f"block: f{index}\nsteps: [{{op: conv, filters: 2, kernel_size: 1}}]\n",
              f"f{index}.yaml")  # fmt: skip
    files = ", ".join(f"f{n}.yaml" for n in range(20))
    head = f"network: n\nimport: [{files}]\ninput: {{channels: 3, height: 8, width: 8}}\n"
    write(f"{head}body: [{', '.join(f'{{use: f{n}}}' for n in range(20))}]\n", "l0.yaml")
    for level in range(1, 8):
        change = f"blocks: {{f{level}: {{steps: {{0: {{filters: {level + 2}}}}}}}}}\n"
        write(f"extends: l{level - 1}.yaml\n{change}", f"l{level}.yaml")
    settings = {f"blocks.f{n}.steps.0.filters": "9" for n in range(10, 18)}
    found = ops(compiled(write("extends: l7.yaml\n", "net.yaml"), **settings))
    assert [int(op.split(":")[1]) for op in found] == [2, 3, 4, 5, 6, 7, 8, 9, 2, 2, *[9] * 8, 2, 2]
