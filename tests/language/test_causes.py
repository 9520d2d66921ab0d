"""What an overlay, a default or a setting causes is reported where that stands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Diagnostic, Report

BASE = """\
network: base
import: [tower.yaml]
input: {channels: 3, height: 33, width: 33}
classes: 10
allow: [W401]
params: {width: {type: int, default: 8}}
defaults: {conv_bn: {padding: valid}}
stem:
  - {op: conv_bn, name: first, filters: $width, kernel_size: 3, stride: 2}
  - {op: max_pool, name: pool, kernel_size: 3, stride: 2, padding: valid}
body:
  - {use: tower, name: one, filters: 4}
  - {use: residual, name: two, filters: 8}
blocks:
  residual:
    params: {filters: int}
    steps:
      - merge: add
        branches:
          shortcut: []
          deep:
            - {op: conv_bn, filters: $filters, kernel_size: 3, padding: same}
            - {op: conv_bn, filters: $filters, kernel_size: 1}
head: [{op: global_avg_pool}, {op: dense, name: classifier, units: $classes}]
aux_heads: {side: {after: one, loss_weight: 0.3,
  steps: [{op: avg_pool, name: smaller, kernel_size: 5, stride: 3, padding: valid},
    {op: flatten}, {op: dense, units: $classes}]}}
outputs: {early: pool}
"""
TOWER = """\
block: tower
params: {filters: int}
steps:
  - merge: concat
    branches:
      left: [{op: conv_bn, filters: $filters, kernel_size: 1}]
      right:
        - {op: conv_bn, filters: $filters, kernel_size: 1}
        - {op: conv_bn, filters: $filters, kernel_size: 3, padding: same}
"""
Compile = Callable[..., list[Diagnostic]]


@pytest.fixture
def found(write: Callable[..., Path]) -> Compile:
    def found(text: str, **settings: str) -> list[Diagnostic]:
        write(TOWER, "tower.yaml")
        write(BASE, "base.yaml")
        report = Report()
        compile_spec(write(f"extends: base.yaml\n{text}", "over.yaml"), settings, report)
        return list(report)

    return found


class Seeded(NamedTuple):
    """A wrong overlay: the part that is blamed, and the code."""

    text: str
    blamed: str
    code: str


SEEDED = (
    # defaults
    Seeded("defaults: {conv_bn: {stride: 2}}\n", "2", "E402"),
    Seeded("defaults: {conv_bn: {use_bias: true, dilation: 40}}\n", "40", "E401"),
    Seeded("defaults: {dense: {units: 0}}\n", "0", "E203"),
    Seeded("defaults: {conv_bn: {groups: 5}}\n", "5", "E403"),
    Seeded("defaults: {conv_bn: {kernl: 5}}\n", "kernl", "E201"),
    Seeded("defaults: {conv_bn: {groups: x}}\n", "x", "E203"),
    Seeded("defaults: {dense: {activation: gelo}}\n", "gelo", "E203"),
    # the input
    Seeded("input: {height: 9}\n", "9", "E401"),
    Seeded("input: {width: 20, channels: 4}\n", "20", "E401"),
    Seeded("classes: 0\n", "0", "E203"),
    # parameters
    Seeded("params: {width: null}\n", "width", "E304"),
    Seeded("params: {width: {default: -1}}\n", "-1", "E203"),
    Seeded("params: {width: {type: str, default: a}}\n", "width", "E203"),
    # steps
    Seeded("stem: {first: {stride: 5}}\n", "5", "E401"),
    Seeded("stem: {pool: {kernel_size: 20}}\n", "20", "E401"),
    Seeded("stem: {pool: null}\n", "pool", "E308"),
    Seeded("stem: null\n", "stem", "E308"),
    Seeded("body: {one: null}\n", "one", "E308"),
    Seeded("body: {one: {filters: 3}}\n", "3", "E402"),
    Seeded("body: {two: {filters: 9}}\n", "9", "E402"),
    Seeded("body: {one: {filtres: 3}}\n", "filtres", "E304"),
    Seeded("body: {one: {use: residual}}\n", "residual", "E305"),
    Seeded("body: {two: {..., use: twoer}}\n", "twoer", "E302"),
    Seeded("stem: {first: [..., {op: max_pool, kernel_size: 4, stride: 4}]}\n", "first", "E401"),
    # blocks
    Seeded("blocks: {residual: null}\n", "residual", "E302"),
    Seeded("blocks: {tower: {params: {more: int}}}\n", "int", "E305"),
    Seeded("blocks: {tower: {params: {filters: null}}}\n", "filters", "E304"),
    Seeded("blocks: {tower: {steps: {0: {branches: {left: {0: {stride: 2}}}}}}}\n", "2", "E402"),
    Seeded("blocks: {residual: {steps: {0: {merge: concat}}}}\n", "concat", ""),
    Seeded(
        "blocks: {residual: {steps: {0: {branches: {deep: {0: {padding: valid}}}}}}}\n",
        "valid",
        "E402",
    ),
    Seeded(
        "blocks: {residual: {steps: {0: {branches: {deep: [{op: identity}, ...], "
        "shortcut: [{op: conv, filters: 3, kernel_size: 1}]}}}}}\n",
        "shortcut",
        "E402",
    ),
    # heads and outputs
    Seeded("aux_heads: {side: {after: nothing}}\n", "nothing", "E308"),
    Seeded("aux_heads: {side: {steps: {smaller: {kernel_size: 9}}}}\n", "9", "E401"),
    Seeded("outputs: {early: nothing}\n", "nothing", "E308"),
)


@pytest.mark.parametrize("seeded", SEEDED, ids=lambda s: s.text.strip())
def test_the_cause_is_blamed(found: Compile, seeded: Seeded) -> None:
    diagnostics = found(seeded.text)
    lines = f"extends: base.yaml\n{seeded.text}".splitlines()
    for diagnostic in diagnostics:
        span = diagnostic.span
        print(diagnostic)
        assert Path(span.file).name == "over.yaml"
        assert lines[span.line - 1][span.column - 1 : span.end_column - 1] == seeded.blamed
    assert [d.code for d in diagnostics] == ([seeded.code] if seeded.code else [])


def test_two_independent_causes(found: Compile) -> None:
    """One error hides the other: without its cause, the other is found."""
    text = "stem: {first: {groups: 2}}\ninput: {height: 9}\n"
    assert {d.code for d in found(text)} == {"E403"}
    two = found("blocks: {residual: {steps: {0: {branches: {deep: {0: {stride: 2}}}}}}}\n"
                "aux_heads: {side: {steps: {smaller: {kernel_size: 9}}}}\n")  # fmt: skip
    assert [(d.code, d.span.line) for d in two] == [("E402", 2), ("E401", 3)]
    one = found("input: {height: 9}\nstem: {first: {kernel_size: 1}}\ndefaults: {conv_bn: "
                "{stride: 2}}\n")  # fmt: skip
    assert {Path(d.span.file).name for d in one} == {"over.yaml"}, one


POOLS = """\
network: pools
input: {channels: 3, height: 64, width: 64}
defaults: {max_pool: {padding: valid}}
body:
  - {op: max_pool, kernel_size: 2, stride: 2}
  - {op: max_pool, kernel_size: 2, stride: 2}
  - {op: max_pool, kernel_size: 2, stride: 2}
  - {op: max_pool, kernel_size: 2, stride: 2}
  - {op: max_pool, kernel_size: 2, stride: 2}
"""


@pytest.mark.parametrize(
    ("text", "settings", "place", "more"),
    [
        ("input: {height: 63}", {}, "over.yaml:2:17", 2),
        ("defaults: {max_pool: {stride: 2}}", {"input": "63x63x3"}, "--set input:1:1", 2),
    ],
)
def test_many_warnings_are_one(
    write: Callable[..., Path], text: str, settings: dict[str, str], place: str, more: int
) -> None:
    """A change that is wrong in five steps is one warning, which shows three of them."""
    write(POOLS, "base.yaml")
    report = Report()
    spec = write(f"extends: base.yaml\n{text}\n", "over.yaml")
    assert compile_spec(spec, {}, Report()) is not None
    assert compile_spec(spec, settings, report) is not None
    (found,) = report
    assert (found.code, str(found.span).rpartition("/")[2]) == ("W401", place)
    assert [span.line for span, _ in found.related] == [5, 6, 7]
    assert f"and in {more} more places" in found.notes


def test_a_warning_of_the_base_stays_there(write: Callable[..., Path]) -> None:
    write(POOLS.replace("height: 64", "height: 63"), "base.yaml")
    report = Report()
    assert compile_spec(write("extends: base.yaml\nnetwork: over\n", "over.yaml"), {}, report)
    assert {Path(d.span.file).name for d in report} == {"base.yaml"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # it follows from a step that the overlay does not change, or removes
        ("body: {two: {filters: 9}, tow: {filters: 8}}\n", "E310"),
        ("stem: {pool: null}\nbody: {two: {filters: 9}}\n", "E308"),
    ],
)
def test_shapes_without_a_step_are_not_reported(found: Compile, text: str, code: str) -> None:
    assert [one.code for one in found(text)] == [code]


def test_there_are_thirty() -> None:
    assert len(SEEDED) >= 30


def test_the_help_is_said_of_its_step(found: Compile) -> None:
    (error,) = found("defaults: {conv_bn: {groups: 5}}\n")
    assert error.help == "change it here, or at that step: write `groups: 1`"
    assert error.fix == ()  # it would change the file that is extended


@pytest.mark.parametrize(
    ("text", "settings", "more"),
    [
        ("stem: {pool: {name: smaller}}\n", {}, "outputs: {early: {after: smaller}}"),
        ("body: {one: {name: smaller}}\n", {}, "aux_heads: {side: {after: smaller}}"),
        ("", {"stem.pool.name": "smaller"}, "--set outputs.early.after=smaller"),
        (
            "stem: {pool: {name: smaller}}\nbody: {two: [..., {branches: {a: [], b: []}, "
            "name: f, merge: add, after: {b: one}}], one: {name: tower}}\n"
            "outputs: {early: smaller}\naux_heads: {side: {after: tower}}\n",
            {},
            "body: {f: {after: {b: tower}}}",
        ),
    ],
)
def test_what_reads_a_step_that_is_renamed(
    found: Compile, text: str, settings: dict[str, str], more: str
) -> None:
    """The help says what else to write, and this builds."""
    (error,) = found(text, **settings)
    new = "tower" if "tower" in more else "smaller"
    assert (error.code, error.message) == (
        "E308",
        f"this renames the step `{'one' if 'one:' in text else 'pool'}` to `{new}`, whose output "
        "is used",
    )
    assert f"`{more}`" in error.help
    if settings:
        name, _, value = more.removeprefix("--set ").partition("=")
        assert not found(text, **settings, **{name: value})
    elif "body: {f" not in more:
        assert not found(f"{text}{more}\n")
    else:
        assert not found(text.replace("{b: one}", "{b: tower}"))
