"""Tests what ``diff`` says of pairs of small specs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from frameworks import typed_program

from inception_dsl.design.compared import Difference, words
from inception_dsl.design.difference import changes

HEAD = "network: e\ninput: {channels: 8, height: 32, width: 32}\nbody: "
BLOCKS = (
    "network: e\ninput: {channels: 8, height: 32, width: 32}\n"
    "blocks: {%s: {steps: [{op: conv_bn, filters: 8, kernel_size: 3, stride: 2}]}, "
    "%s: {steps: [{op: conv_bn, filters: 8, kernel_size: 3}]}}\nbody: "
)
PAIRS = {
    "a name of steps that differ": (
        HEAD + "[{op: conv_bn, name: c, kernel_size: 3, each: {filters: [8, 16]}}]",
        HEAD + "[{op: conv_bn, name: d, kernel_size: 3, each: {filters: [8, 16]}}]",
        ["renamed step: c -> d"],
    ),
    "steps that differ from now on": (
        HEAD + "[{op: conv_bn, name: c, filters: 8, kernel_size: 3}, {op: identity, name: p}]",
        HEAD + "[{op: conv_bn, name: c, kernel_size: 3, each: {filters: [8, 16]}}, "
        "{op: identity, name: p}]",
        ["repeat: 1 -> 2", "filters: 8 -> [8, 16]"],
    ),
    "moved steps that differ": (
        HEAD + "[{op: conv, name: n, kernel_size: 3, each: {filters: [8, 8]}}, "
        "{op: conv, name: w, kernel_size: 3, each: {filters: [16, 32]}}]",
        HEAD + "[{op: conv, name: w, kernel_size: 3, each: {filters: [16, 32]}}, "
        "{op: conv, name: n, kernel_size: 3, each: {filters: [8, 8]}}]",
        ["moved conv 3x3, filters 8, 2 times: first -> after w"],
    ),
    "an activation that another op has not by default": (
        HEAD + "[{op: conv_bn, name: c, filters: 8, kernel_size: 3}]",
        HEAD + "[{op: conv, name: c, filters: 8, kernel_size: 3}]",
        ["op: conv_bn -> conv", "use_bias: false -> true", "activation: relu -> none"],
    ),
    "a step with its attributes": (
        HEAD + "[{op: identity, name: i}]",
        HEAD + "[{op: identity, name: i}, {op: scale, value: 0.7}]",
        ["added scale, value 0.7"],
    ),
    "a step that is called as its block": (
        BLOCKS % ("red", "cell") + "[{use: red, name: red_b}, {use: cell, repeat: 5}]",
        BLOCKS % ("red_b", "cell2") + "[{use: red_b}, {use: cell2, repeat: 3}]",
        ["block: red -> red_b", "repeat: 5 -> 3", "block: cell -> cell2"],
    ),
    "a recipe in one of both": (
        HEAD + "[{op: identity}]\nhead: [{op: flatten}, {op: dense, units: 4}]",
        HEAD + "[{op: identity}]\nhead: [{op: flatten}, {op: dense, units: 4}]\n"
        "training: {label_smoothing: 0.1}",
        ["training label_smoothing: none -> 0.1"],
    ),
    "classes that nothing reads": (
        HEAD + "[{op: identity}]\nclasses: 5",
        HEAD + "[{op: identity}]",
        [],
    ),
    "one number for each axis": (
        HEAD + "[{op: conv, filters: 8, kernel_size: 3}]",
        HEAD + "[{op: conv, filters: 8, kernel_size: [3, 3]}]",
        [],
    ),
    "a pool of three axes": (
        "block: b\ninput: {channels: 2, depth: 4, height: 4, width: 4}\n"
        "steps: [{op: max_pool, kernel_size: 3}, {op: identity}]",
        "block: b\ninput: {channels: 2, length: 4}\nsteps: [{op: identity}]",
        ["input input: 4x4x4x2 -> 4x2", "removed max_pool 3x3x3"],
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_what_two_specs_differ_in(name: str, write: Callable[..., Path]) -> None:
    old, new, expected = PAIRS[name]
    found = changes(typed_program(write(old, "old.yaml")), typed_program(write(new, "new.yaml")))
    assert [words(one) for one in found] == expected


def test_steps_in_forks_are_not_those_of_the_top_level(write: Callable[..., Path]) -> None:
    path = write(
        "block: b\ninput: {channels: 4, height: 8, width: 8}\n"
        "steps: [{merge: add, branches: {x: [], y: [{merge: add, branches: "
        "{a: [{op: conv, filters: 4, kernel_size: 1}], b: []}}, {op: identity}]}}]\n"
    )
    assert Difference(typed_program(path), typed_program(path)).steps == []


def test_a_map_that_depends_on_the_whole_input_is_the_last_one() -> None:
    found = Difference(typed_program("v4"), typed_program("family/v4_cbam"))
    fields = {total.name: (total.old, total.new) for total in found.totals}
    assert fields["receptive field"] == (2071, "all")
