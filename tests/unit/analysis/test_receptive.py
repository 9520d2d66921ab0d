"""Tests receptive fields: against changed pixels in the reference, and published numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inception_dsl_documents.facts import PageTrees
from perturbed import compiled, dependences, differences, outside

import inception_dsl
from inception_dsl.analysis.receptive import receptive_fields
from inception_dsl.ir.flow import Apply
from inception_dsl.ir.typed import TypedFork
from inception_dsl.testing.conformance import SAMPLES
from inception_dsl.testing.random_specs import MAIN
from inception_dsl.types.receptive import ReceptiveField, joined

GAPS = ("dilation: ", "softmax, parts: 1")
"""A dilated window can begin in the padding; a softmax over one part is 1 for all inputs."""


POSITIONS = range(12)


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_every_op_depends_on_its_receptive_field(sample) -> None:
    network = compiled({MAIN: sample.text})
    fields = receptive_fields(network)
    layers = [s for s in network.statements if isinstance(s, Apply)]
    exact = len(layers) == 1 and not any(word in sample.text for word in GAPS)
    for one in dependences(network, 1):
        size = network.types[network.inputs[one.input]].spatial[one.axis]
        assert not differences(one, fields[one.value], size, exact=exact)


@pytest.mark.parametrize("seed", [*range(40), 133, 198, 246])
def test_random_networks_depend_on_nothing_else(seed: int) -> None:
    """``nightly/receptive_fields.py`` tries more of them."""
    assert outside(seed) == []


PUBLISHED = {
    "v2": (699, 32, None),
    "v3": (1311, 32, 618),
    "v4": (2071, 32, 998),
    "published/keras_inception_resnet_v2": (3039, 32, 1482),
    "published/timm_inception_resnet_v2": (3039, 32, 1482),
    "family/vgg_16": (212, 32, 90),
    "family/alexnet": (195, 32, 64),
}
"""Receptive field, effective stride and padding of the last feature map: Araujo, Norris and Sim,
"Computing Receptive Fields of Convolutional Neural Networks" (2019), and the table of TF models.
The padding of v2 is that of another stem.
"""


@pytest.mark.parametrize("name", PUBLISHED)
def test_networks_have_the_published_receptive_fields(name: str) -> None:
    size, stride, padding = PUBLISHED[name]
    found = inception_dsl.load(name).summary().to_dict()["receptive_field"]["input"]
    assert found["size"] == [size] * 2
    assert found["stride"] == [stride] * 2
    assert padding is None or found["padding"] == [padding] * 2


fields = st.builds(
    lambda firsts, extents, step: ReceptiveField(
        tuple(sorted(firsts)[: len(extents)]),
        tuple(f + e for f, e in zip(sorted(firsts), sorted(extents), strict=False)),
        step,
    ),
    st.lists(st.integers(-3, 0), min_size=3, max_size=3),
    st.lists(st.integers(0, 4), min_size=1, max_size=3),
    st.sampled_from([None, 3, 4, 5]),
).filter(lambda f: f.step is None or f.lasts[-1] <= f.lasts[0] + f.step)
"""Positions in order, as those of all ops."""


def pixels(field: ReceptiveField, position: int) -> range:
    return range(field.first(position), field.last(position) + 1)


@given(fields, fields)
def test_one_after_the_other_is_every_pixel_of_every_pixel(
    first: ReceptiveField, second: ReceptiveField
) -> None:
    both = first.then(second, len(POSITIONS))
    for position in POSITIONS:
        seen = {x for q in pixels(second, position) for x in pixels(first, q)}
        assert pixels(both, position) == range(min(seen), max(seen) + 1)


@given(st.lists(fields, min_size=1, max_size=3))
def test_a_merge_sees_what_any_branch_sees(branches: list[ReceptiveField]) -> None:
    merged = joined(branches, len(POSITIONS))
    for position in POSITIONS:
        seen = {x for field in branches for x in pixels(field, position)}
        assert pixels(merged, position) == range(min(seen), max(seen) + 1)


def test_a_position_between_the_pixels_of_a_transposed_convolution_sees_nothing() -> None:
    gaps = ReceptiveField((0, 1), (0, 0))
    assert [gaps.then(ReceptiveField(), 4).size, len(pixels(gaps, 1))] == [1, 0]
    after_a_window = ReceptiveField((0,), (2,)).then(gaps, 4).then(ReceptiveField((0,), (1,)), 4)
    assert [list(pixels(after_a_window, p)) for p in range(3)] == [[0, 1, 2], [1, 2, 3], [1, 2, 3]]
    wide = gaps.then(ReceptiveField((0,), (1,)), 4)
    assert [list(pixels(wide, p)) for p in range(3)] == [[0], [1], [1]]
    assert list(pixels(joined([gaps, ReceptiveField((3,), (3,), None)], 4), 1)) == [3]


def test_forks_without_names_have_fields_of_their_own(write) -> None:
    """They have the path of their chain, which they share."""
    text = """
network: two
input: {channels: 2, height: 33, width: 33}
stem: [{merge: add, branches: {a: [], b: [{op: conv, filters: 2, kernel_size: 3}]}}]
body: [{use: twice, name: one}, {use: twice, name: two}]
blocks:
  twice:
    steps:
      - {merge: add, branches: {a: [], b: [{op: conv, filters: 2, kernel_size: 5}]}}
      - {merge: add, branches: {c: [], d: [{op: conv, filters: 2, kernel_size: 7}]}}
"""
    found = inception_dsl.load(write(text)).summary(depth=9)
    sizes = [layer["receptive_field"]["input"]["size"][0] for layer in found.to_dict()["layers"]]
    assert sizes == [3, 3, 7, 7, 13, 13, 17, 17, 23, 23]
    merges = [row for row in found.rows() if row.op == "add"]
    assert [row.field for row in merges] == ["3", "7", "13", "17", "23"]
    boxes = PageTrees.of(found.typed)
    boxes.network()
    forks = [id for id, box in boxes.noted.items() if isinstance(box.first, TypedFork)]
    assert [boxes.facts(id)["field"] for id in forks] == ["3", "7", "13", "17", "23"]
