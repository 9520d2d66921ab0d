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


def moved(write: Callable[..., Path]) -> Difference:
    """The difference of two networks whose unnamed steps changed places, with one more."""
    head = "network: n\ninput: {channels: 3, height: 8, width: 8}\nclasses: 4\nbody: "
    conv, pool = "{op: conv, filters: 8, kernel_size: 3}", "{op: max_pool, kernel_size: 2}"
    end = "\nhead: [{op: global_avg_pool}, {op: dense, units: $classes}]\n"
    old = write(f"{head}[{conv}, {pool}]{end}", "old.yaml")
    new = write(f"{head}[{pool}, {conv}, {{op: l2_normalize}}]{end}", "new.yaml")
    return Difference(typed_program(old), typed_program(new))


def test_steps_without_a_name_that_change_places(write: Callable[..., Path]) -> None:
    """They are side by side in the last table, and called after their op."""
    found = moved(write)
    assert [words(one) for one in found.changes] == [
        "moved conv 3x3, filters 8: first -> after max_pool body/0",
        "added l2_normalize",
    ]
    steps = [(one["old_path"], one["path"]) for one in found.to_dict()["steps"]]
    assert steps == [("body/1", "body/0"), ("body/0", "body/1"), (None, "body/2")]
    (added,) = [one for one in found.to_dict()["steps"] if one["parameters"]["old"] is None]
    assert added["output"] == {"old": None, "new": "8x8x8"}
    assert "body/2 (added)" in str(found)
    assert "body/1 -> body/0  8x8x8 -> 8x8x3" in str(found)


def test_the_steps_that_read_a_parameter(write: Callable[..., Path]) -> None:
    """In a block, the name is that of its own parameter; `width` is that of all filters."""
    text = (
        "network: net\ninput: {channels: 3, height: 8, width: 8}\nclasses: %s\n%s"
        "params: {n: {type: int, default: %s}}\n"
        "blocks: {b: {params: {n: int}, steps: [{op: conv, filters: $n, kernel_size: 1}]}}\n"
        "body: [{op: conv, name: c, filters: $n, kernel_size: 1}, {use: b, name: u, n: 4},\n"
        "  {merge: add, name: f, branches: {x: [{op: conv, filters: $n, kernel_size: 3}]}}]\n"
        "head: [{op: global_avg_pool}, {op: dense, name: fc, units: $classes}]\n"
    )
    old = typed_program(write(text % (5, "", 8), "old.yaml"))
    new = typed_program(write(text % (7, "width: 0.5\n", 6), "new.yaml"))
    found = {words(one): [place.path for place in one.places] for one in changes(old, new)}
    assert found == {
        "parameter n: 8 -> 6": ["c", "f/x"],
        "parameter classes: 5 -> 7": ["fc"],
        "width factor: none -> 0.5": ["c", "b", "f/x"],
    }
