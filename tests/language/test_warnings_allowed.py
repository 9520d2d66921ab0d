"""Silencing warnings with `allow`: in steps, blocks, heads, files and overlays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from warned import HEAD, Warned, places

from inception_dsl.diagnostics.codes import WARNINGS
from inception_dsl.diagnostics.explain.explanations import explanations, is_command

# allow


@pytest.mark.parametrize("code", [c for c in WARNINGS if c != "W303" and not c.startswith("W5")])
def test_a_file_can_allow_any_warning(
    code: str, warned: Warned, write: Callable[..., Path]
) -> None:
    example = explanations()[code]
    for name, text in example.files.items():
        write(text, name)
    wrong, size = example.wrong, dict[str, str]()
    if is_command(wrong):
        *_, name, _, size["input"] = wrong.split()
        wrong = example.files[name]
    assert {d.code for d in warned(wrong, **size)} == {code}
    assert warned(f"allow: [{code}]\n{wrong}", **size) == []
    assert warned(wrong, allow=f"[{code}]", **size) == []
    other = next(c for c in WARNINGS if c not in (code, "W303"))
    assert {d.code for d in warned(f"allow: [{other}]\n{wrong}", **size)} == {code, "W303"}


LEVELS = {
    "the step": "{op: conv, filters: 4, kernel_size: 1, allow: [W404]}, {op: batch_norm}",
    "the fork": "{merge: add, allow: [W404], branches: {a: ["
    "{op: conv, filters: 4, kernel_size: 1}, {op: batch_norm}]}}",
    "a fork around it": "{merge: add, allow: [W404], branches: {b: [{merge: add, branches: "
    "{a: [{op: conv, filters: 4, kernel_size: 1}, {op: batch_norm}]}}]}}",
    "the use": "{use: biased, allow: [W404]}",
    "a use around it": "{use: outer, allow: [W404]}",
    "a repeated use": "{use: biased, allow: [W404], repeat: 3}",
    "the block": "{use: quiet}",
}


@pytest.mark.parametrize("level", LEVELS)
def test_allow_at_every_level(level: str, warned: Warned) -> None:
    blocks = f"""{HEAD}blocks:
  biased: {{steps: [{{op: conv, filters: 3, kernel_size: 1}}, {{op: batch_norm}}]}}
  outer: {{steps: [{{use: biased}}]}}
  quiet: {{allow: [W404], steps: [{{use: biased}}]}}
allow: [W302]
"""
    assert [d.code for d in warned(f"{blocks}body: [{LEVELS[level]}]") if d.code != "W303"] == []
    without = LEVELS[level].replace(", allow: [W404]", "").replace("quiet", "outer")
    assert [d.code for d in warned(f"{blocks}body: [{without}]") if d.code != "W303"] == ["W404"]


def test_an_auxiliary_head_can_allow_warnings(warned: Warned) -> None:
    text = (
        f"{HEAD}body: [{{op: identity, name: a}}]\n"
        "aux_heads: {h: {after: a, loss_weight: 1, allow: [W404], "
        "steps: [{op: global_avg_pool}, {op: dense, units: 5}, {op: batch_norm}]}}"
    )
    assert warned(text) == []
    assert [d.code for d in warned(text.replace("allow: [W404], ", ""))] == ["W404"]


def test_one_of_two_uses_allows_a_warning(warned: Warned) -> None:
    text = f"""{HEAD}blocks: {{b: {{steps: [{{op: conv, filters: 5, kernel_size: 1}}, \
{{op: batch_norm}}]}}}}
body:
  - {{use: b, name: a, repeat: 9, allow: [W404]}}
  - {{use: b, name: c}}
"""
    (found,) = warned(text)
    assert found.message.endswith(": 5 parameters"), "only the parameters of the second use"
    assert found.notes == (f"in: {found.span.file}:6:11, use of `b`",)


def test_an_imported_file_allows_its_own_warnings(
    warned: Warned, write: Callable[..., Path]
) -> None:
    block = "block: b\nsteps: [{op: conv, filters: 4, kernel_size: 1}, {op: batch_norm}]\n"
    spec = f"{HEAD}import: [b.yaml]\nbody: [{{use: b}}]\n"
    write(block, "b.yaml")
    assert places(warned(spec)) == ["W404 b.yaml:2:14"]
    write(f"allow: [W404]\n{block}", "b.yaml")
    assert warned(spec) == []
    write(f"allow: [W404, W401]\n{block}", "b.yaml")
    assert warned(spec) == [], "an imported block may need its `allow` in other networks"
    assert places(warned(f"{spec}params: {{p: {{type: int, default: 1}}}}\n")) == [
        "W301 spec.yaml:5:10"
    ]


# extends and import


BASE = """network: base
input: {channels: 3, height: 32, width: 32}
import: [b.yaml]
params: {n: {type: int, default: 4}}
allow: [W405]
blocks:
  tower: {params: {k: int}, steps: [{op: conv, name: conv, filters: $k, kernel_size: 1},
      {op: batch_norm}]}
body:
  - {op: dense, name: wide, units: $n}
  - {use: tower, k: 4}
  - {use: b}
  - {op: conv, name: c, filters: 4, kernel_size: 1}
  - {op: max_pool, name: p, kernel_size: 3, stride: 2}
  - {op: dense, name: d, units: 8}
"""


@pytest.fixture
def base(write: Callable[..., Path]) -> None:
    write(BASE, "base.yaml")
    write(
        "block: b\nparams: {k: {type: int, default: 3}}\nsteps: [{op: dense, units: $k}]\n",
        "b.yaml",
    )


@pytest.mark.usefixtures("base")
def test_inherited_parts_may_be_unused(warned: Warned) -> None:
    assert places(warned(BASE)) == ["W303 spec.yaml:5:9", "W404 spec.yaml:7:42"]
    more = "extends: base.yaml\nbody: {wide: null, b: null, tower: null}\n"
    assert warned(more) == []
    assert (
        warned(
            "extends: base.yaml\nblocks: {tower: {steps: {conv: {filters: 4, use_bias: false}}}}\n"
        )
        == []
    )


@pytest.mark.usefixtures("base")
def test_added_parts_must_be_used(warned: Warned) -> None:
    text = (
        "extends: base.yaml\n"
        "params: {m: {type: int, default: 1}}\n"
        "blocks: {mine: {steps: []}, tower: {allow: [W404]}}\n"
    )
    assert places(warned(text)) == ["W301 spec.yaml:2:10", "W302 spec.yaml:3:10"]
    assert places(warned("extends: base.yaml\nallow: [W404, W402]\n")) == ["W303 spec.yaml:2:15"]
    assert warned("extends: base.yaml\nallow: [W404]\n") == []
    assert places(
        warned("extends: base.yaml\nbody: {c: {allow: [W404]}, tower: {allow: [W404]}}\n")
    ) == ["W303 spec.yaml:2:20"]


@pytest.mark.usefixtures("base")
def test_a_block_that_is_imported_and_changed_is_reported_once(warned: Warned) -> None:
    text = (
        "extends: base.yaml\n"
        "import: [b.yaml]\n"
        "blocks: {b: {title: x}}\n"
        "body: {b: null}\n"
        "allow: [W404]\n"
    )
    assert places(warned(text)) == ["W302 spec.yaml:3:10"]


@pytest.mark.usefixtures("base")
def test_settings_do_not_change_which_lines_are_inherited(warned: Warned) -> None:
    assert places(warned(BASE, classes="5")) == ["W303 spec.yaml:5:9", "W404 spec.yaml:7:42"]
    assert places(warned("extends: base.yaml\n", classes="5")) == ["W404 base.yaml:7:42"]
    assert places(warned(BASE, allow="[null, W401, W404]")) == ["W303 --set allow:1:8"]


@pytest.mark.usefixtures("base")
def test_an_imported_file_that_is_not_used(warned: Warned, write: Callable[..., Path]) -> None:
    write(
        "block: c\nimport: [b.yaml]\nblocks: {d: {steps: []}, e: {steps: []}}\nsteps: [{use: d}]\n",
        "c.yaml",
    )
    spec = f"{HEAD}import: [b.yaml, c.yaml]\n"
    assert places(warned(f"{spec}body: [{{op: identity}}]\n")) == [
        "W302 spec.yaml:3:10",
        "W302 spec.yaml:3:18",
    ]
    assert places(warned(f"{spec}body: [{{use: b}}, {{use: c}}]\n")) == ["W302 c.yaml:3:26"]
    assert places(warned(f"{spec}body: [{{use: b}}, {{use: d}}]\n")) == ["W302 c.yaml:3:26"]
    only_c = spec.replace("b.yaml, ", "")
    assert places(warned(f"{only_c}body: [{{use: c}}]\n")) == [
        "W302 c.yaml:2:10",
        "W302 c.yaml:3:26",
    ]
    assert places(warned(f"{only_c}body: [{{use: b}}]\n")) == ["W302 c.yaml:3:26"], (
        "only the unused block c uses d"
    )


def test_an_import_that_another_import_already_has(
    warned: Warned, write: Callable[..., Path]
) -> None:
    write("block: b\nsteps: [{op: identity}]\n", "b.yaml")
    write("block: c\nimport: [b.yaml]\nsteps: [{use: b}]\n", "c.yaml")
    write("block: d\nimport: [b.yaml]\nsteps: [{use: b}]\n", "d.yaml")
    assert places(warned(f"{HEAD}import: [b.yaml, c.yaml]\nbody: [{{use: b}}]\n")) == [
        "W302 spec.yaml:3:18"
    ]
    assert places(warned(f"{HEAD}import: [c.yaml, d.yaml]\nbody: [{{use: b}}]\n")) == [
        "W302 spec.yaml:3:10"
    ]
    assert warned(f"{HEAD}import: [c.yaml]\nbody: [{{use: b}}]\n") == []
    assert places(warned(f"{HEAD}import: [b.yaml, c.yaml]\nbody: [{{use: c}}]\n")) == []
