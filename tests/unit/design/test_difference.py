"""Tests what ``diff`` finds: known differences, single edits, nothing where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from frameworks import typed_program

import inception_dsl
from inception_dsl.analysis.cost import cost, layers
from inception_dsl.analysis.step_costs import StepCosts
from inception_dsl.design.compared import Difference, where, words
from inception_dsl.design.difference import Place, changes
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.testing.random_specs import MAIN, random_spec

RMSPROP = "{name: rmsprop, rate: 0.045, form: tensorflow, decay: 0.9, epsilon: 1.0}"
L2 = "training weight_decay: {rate: 4e-05, form: l2, on: kernels} -> none"
STAIRS = "training schedule: {name: staircase, factor: 0.94, every_epochs: 2.0} -> none"
NO_RECIPE = [
    "training samples: 1281167 -> none",
    "training batch_size: 1600 -> none",
    "training replicas: 50 -> none",
    "training epochs: 100.0 -> none",
    f"training optimizer: {RMSPROP} -> none",
    L2,
    "training gradient_clip: {norm: 2.0} -> none",
    STAIRS,
    "training average: {decay: 0.9999, warm_up: true} -> none",
]
STEM = ["removed block inception_v4_stem"]
STEM += ["added conv_bn 3x3 /2, padding valid, filters 32"]
STEM += ["added conv_bn 3x3, padding valid, filters 32", "added conv_bn 3x3, filters 64"]
STEM += ["added max_pool 3x3 /2, padding valid", "added conv_bn 1x1, filters 80"]
STEM += ["added conv_bn 3x3, padding valid, filters 192"]
STEM += ["added block inception_v3_a (filters_pool 64)"]
PUBLISHED = {
    ("v1", "torchvision_googlenet"): [
        "op: conv -> conv_bn (batch_norm: {epsilon: 0.001, decay: 0.9})",
        "use_bias: true -> false",
        "removed local_response_norm",
        "kernel_size: 3 -> 2",
        "rate: 0.4 -> 0.2",
        "kernel_size: 5 -> 3",
        "op: avg_pool -> adaptive_avg_pool (output_size: 4)",
        "preprocessing channel_order: bgr -> rgb",
        "preprocessing scale: 1.0 -> 0.00784313725490196",
        "preprocessing mean: [104.0, 117.0, 123.0] -> 1.0",
        "training initializer.name: lecun_uniform -> truncated_normal",
        "training initializer.bias: 0.2 -> 0.0",
        "training batch_size: 32 -> none",
        "training optimizer: {name: sgd, rate: 0.01, form: caffe, momentum: 0.9} -> none",
        "training weight_decay: {rate: 0.0002, form: l2, on: kernels} -> none",
        "training groups: {biases: {rate: 2.0, decay: 0.0}} -> none",
        "training schedule: {name: staircase, factor: 0.96, every_epochs: 8.0} -> none",
        "training augmentation: {crop: [0.08, 1.0], aspect: [0.75, 1.3333]} -> none",
        "training initializer.stddev: none -> 0.01",
    ],
    ("v3", "keras_inception_v3"): [
        "batch_norm.decay: 0.9997 -> 0.99",
        "removed dropout, rate 0.2",
        "activation: none -> softmax",
        "removed auxiliary head after mixed_6e",
        "training label_smoothing: 0.1 -> 0.0",
        "training initializer.name: truncated_normal -> glorot_uniform",
        "training initializer.stddev: 0.1 -> none",
        *NO_RECIPE,
    ],
    ("v3", "torchvision_inception_v3"): [
        "batch_norm.decay: 0.9997 -> 0.9",
        "batch_norm.scale: false -> true",
        "rate: 0.2 -> 0.5",
        "initializer.stddev: 0.01 -> 0.1",
        "count_include_pad: false -> true",
        "removed flatten",
        "added global_avg_pool",
        "training label_smoothing: 0.1 -> 0.0",
        *NO_RECIPE,
    ],
    ("published/torchvision_inception_v3", "timm_inception_v3"): [
        "removed dropout, rate 0.5",
        "removed auxiliary head after mixed_6e",
    ],
    ("v4", "timm_inception_v4"): [
        "removed dropout, rate 0.2",
        "batch_norm.decay: 0.9997 -> 0.9",
        "batch_norm.scale: false -> true",
    ],
    ("inception_resnet_v2", "timm_inception_resnet_v2"): [
        *STEM,
        "repeat: 5 -> 10",
        "repeat: 10 -> 20",
        "repeat: 5 -> 9",
        "added argument activation: relu",
        "added block inception_resnet_c (filters_1x1 192, filters_3x3_reduce 192, "
        "filters_3x3_middle 224, filters_3x3 256, residual_scale 1.0, activation none)",
        "added conv_bn 1x1, filters 1536",
        "removed dropout, rate 0.2",
        "batch_norm.decay: 0.9997 -> 0.9",
        "batch_norm.scale: false -> true",
        "function: relu -> $activation",
    ],
    ("published/timm_inception_resnet_v2", "keras_inception_resnet_v2"): [
        "batch_norm.decay: 0.9 -> 0.99",
        "batch_norm.scale: true -> false",
        "activation: none -> softmax",
        "training initializer.name: he_normal -> glorot_uniform",
        "training replicas: 20 -> none",
        f"training optimizer: {RMSPROP} -> none",
        L2,
        STAIRS,
    ],
}
"""What the ``deviation`` of each published spec lists, and the recipe that its package has not."""


@pytest.mark.parametrize(("base", "name"), PUBLISHED, ids=lambda x: x)
def test_published_networks_differ_as_they_say_and_in_nothing_else(base: str, name: str) -> None:
    found = changes(typed_program(base), typed_program(f"published/{name}"))
    assert [words(one) for one in found] == PUBLISHED[base, name]


def test_a_change_in_a_block_is_one_change_however_often_it_is_used() -> None:
    found = Difference(typed_program("v1"), typed_program("published/torchvision_googlenet"))
    (kernel,) = [one for one in found.changes if words(one) == "kernel_size: 5 -> 3"]
    assert kernel.places == (Place("inception/branch_5x5/1", 9, -378_672, -84_295_680),)
    (convolutions,) = [one for one in found.changes if one.field == "op" and one.old == "conv"]
    assert convolutions.uses == 59
    assert where(convolutions.places) == (
        "conv1, conv2_reduce, conv2, inception (6 steps), auxiliary_head/conv"
    )
    totals = {total.name: (total.old, total.new) for total in found.totals}
    assert totals["receptive field"] == (715, 379)
    assert totals["MACs"] == (1_582_671_872, 1_582_671_872 - 84_295_680)


EDITS = {
    "body: {inception_a: {repeat: 3}}": ("v4", "repeat: 4 -> 3", "inception_a"),
    "classes: 10": ("v4", "parameter classes: 1000 -> 10", "classifier"),
    "width: 0.5": (
        "v4",
        "width factor: none -> 0.5",
        "inception_v4_stem (11 steps), inception_a (7 steps), reduction_a (4 steps), "
        "inception_b (10 steps) and 2 more",
    ),
    "input: {height: 331}": ("v4", "input input: 299x299x3 -> 331x299x3", ""),
    "body: {pool4: null}": (
        "v1",
        "removed max_pool 3x3 /2, padding valid, ceil_mode true",
        "pool4",
    ),
    "body: {pool4: {stride: 1}}": ("v1", "stride: 2 -> 1", "pool4"),
    "body: {inception_4b: {filters_pool: 96}}": ("v1", "filters_pool: 64 -> 96", "inception_4b"),
    "body: {pool3: [..., {op: identity, name: here}]}": ("v1", "added identity", "here"),
    "body: {pool3: {..., op: avg_pool, padding: valid, ceil_mode: true}}": (
        "v1",
        "op: max_pool -> avg_pool",
        "pool3",
    ),
    "body: {pool3: {name: other}}": ("v1", "renamed step: pool3 -> other", "other"),
    "blocks: {inception: {steps: {0: {branches: {branch_5x5: {0: {kernel_size: 3}}}}}}}": (
        "v1",
        "kernel_size: 1 -> 3",
        "inception/branch_5x5/0",
    ),
    "blocks: {inception: {steps: {0: {branches: {branch_5x5: null}}}}}": (
        "v1",
        "removed branch of conv 1x1, filters $filters_5x5_reduce, activation relu, "
        "conv 5x5, filters $filters_5x5, activation relu",
        "inception/branch_5x5",
    ),
    "blocks: {inception: {steps: {0: {branches: {branch_new: []}}}}}": (
        "v1",
        "added branch of no steps",
        "inception/branch_new",
    ),
    "aux_heads: {aux1: {loss_weight: 0.4}}": ("v1", "loss_weight: 0.3 -> 0.4", "aux1"),
    "aux_heads: {aux1: {after: inception_4b}}": (
        "v1",
        "after: inception_4a -> inception_4b",
        "aux1",
    ),
    "outputs: {tap: inception_4c}": ("v1", "output tap: none -> inception_4c", ""),
    "head: {1: {rate: 0.5}}": ("v3", "rate: 0.2 -> 0.5", "head/1"),
    "preprocessing: {channel_order: rgb}": ("v1", "preprocessing channel_order: bgr -> rgb", ""),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_found_and_nothing_else(edit: str, write: Callable[..., Path]) -> None:
    base, text, place = EDITS[edit]
    path = write(f"extends: inception-dsl:{base}\nnetwork: edited\n{edit}\n")
    (found,) = changes(typed_program(base), typed_program(path))
    assert (words(found), where(found.places)) == (text, place)


@pytest.mark.parametrize("seed", range(25))
def test_a_network_does_not_differ_from_itself(seed: int, write: Callable[..., Path]) -> None:
    for name, text in random_spec(seed).files.items():
        write(text, name)
    path = write(random_spec(seed).files[MAIN], MAIN)
    assert not Difference(typed_program(path), typed_program(path))


STEPS = [
    f"{{op: conv_bn, name: {n}, filters: {f}, kernel_size: 3}}"
    for n, f in zip("abcdef", (8, 8, 16, 16, 24, 24), strict=True)
]


def chain(write: Callable[..., Path], name: str, steps: list[str]) -> TypedProgram:
    text = f"block: net\ninput: {{channels: 8, height: 8, width: 8}}\nsteps: [{', '.join(steps)}]\n"
    return typed_program(write(text, name))


@pytest.mark.parametrize("one", range(6))
@pytest.mark.parametrize("other", range(6))
def test_steps_that_are_moved_removed_and_added(
    one: int, other: int, write: Callable[..., Path]
) -> None:
    old = chain(write, "old.yaml", STEPS)
    left = [step for i, step in enumerate(STEPS) if i != one]
    moved = chain(write, "new.yaml", [*left[:other], STEPS[one], *left[other:]])
    kinds = [change.kind for change in changes(old, moved)]
    assert kinds == ([] if one == other else ["moved"])
    fewer = chain(write, "fewer.yaml", left)
    assert [(c.kind, c.places[0].path) for c in changes(old, fewer)] == [("removed", "abcdef"[one])]
    assert [(c.kind, c.places[0].path) for c in changes(fewer, old)] == [("added", "abcdef"[one])]


def test_the_difference_in_python() -> None:
    network = inception_dsl.load("v3")
    found = network.diff(inception_dsl.load("v3", classes=10))
    assert [words(one) for one in found.changes] == ["parameter classes: 1000 -> 10"]
    assert "classifier  1000 -> 10" in str(found)
    assert not network.diff(inception_dsl.load("v3"))


@pytest.mark.parametrize("name", ["v4", "family/siamese_googlenet", "family/v4_cbam", "v1"])
def test_the_costs_of_the_steps_are_those_of_the_network(name: str) -> None:
    """Shared weights count once, and heads with their steps."""
    typed = typed_program(name)
    found = StepCosts(typed)
    own = [found.of(step.node) for chain in typed.sections.values() for step in chain.steps]
    heads = [found.of_head(head.name) for head, _ in typed.heads]
    always = [found.of_head(head.name) for head, _ in typed.always]
    total = cost(list(layers(typed)))
    assert sum(one.parameters for one in (*own, *heads)) == total.total
    assert sum(one.macs for one in (*own, *always)) == total.macs


TWO_FORKS = """\
network: two
input: {channels: 8, height: 9, width: 9}
stem:
  - branches:
      short: []
      deep: [{op: conv, filters: 8, kernel_size: 3}]
    merge: add
body:
  - branches:
      skip: []
      wide: [{op: conv, filters: 8, kernel_size: 5}]
    merge: add
  - {use: twice, repeat: 3}
head: [{op: global_avg_pool}]
blocks:
  twice:
    steps:
      - branches: {a: [], b: [{op: conv, filters: 8, kernel_size: 3}]}
        merge: add
      - branches: {c: [], d: [{op: conv, filters: 8, kernel_size: 1}]}
        merge: add
"""
"""Forks without a name have the path of their chain, which they share."""


def test_forks_without_names_have_costs_of_their_own(write: Callable[..., Path]) -> None:
    typed = inception_dsl.load(write(TWO_FORKS)).typed
    found = StepCosts(typed)
    stem, body = (typed.program.sections[name][0] for name in ("stem", "body"))
    one, two = typed.program.blocks["twice"].chain
    weights = {3: 9 * 64 + 8, 5: 25 * 64 + 8, 1: 64 + 8}
    assert [found.of(step).uses for step in (stem, body, one, two)] == [1, 1, 3, 3]
    assert [found.of(step).parameters for step in (stem, body)] == [weights[3], weights[5]]
    assert [found.of(step).parameters for step in (one, two)] == [3 * weights[3], 3 * weights[1]]
    assert found.of(body, "wide") == found.of(body) and found.of(body, "skip").uses == 1


def test_a_changed_merge_counts_each_fork_without_a_name_once(write: Callable[..., Path]) -> None:
    other = TWO_FORKS.replace("merge: add", "merge: multiply")
    old, new = (inception_dsl.load(write(text)) for text in (TWO_FORKS, other))
    (change,) = old.diff(new).changes
    assert [place.uses for place in change.places] == [1, 1, 3, 3]
    assert "stem, the network, twice (2 steps)" in str(old.diff(new))
