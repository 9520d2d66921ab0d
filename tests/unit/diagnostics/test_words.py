"""Suggestions for misspelled words and for names of other frameworks."""

from __future__ import annotations

import difflib
from random import Random

import pytest

from inception_dsl.diagnostics.synonyms import SYNONYMS
from inception_dsl.diagnostics.words import _closest, bare, listed, nearest
from inception_dsl.ops import OPS, Conv, Dense, Dropout, attribute_names
from inception_dsl.ops.fields.kinds import FUNCTIONS


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        *(
            ("Conv2d", "conv"),
            ("MaxPool2d", "max_pool"),
            ("AvgPool3D", "avg_pool"),
            ("BatchNorm2d", "batch_norm"),
        ),
        *(
            ("Linear", "dense"),
            ("lrn", "local_response_norm"),
            ("GlobalAveragePooling2D", "global_avg_pool"),
        ),
        *(
            ("batchnorm", "batch_norm"),
            ("SeparableConv2D", "separable_conv"),
            ("flaten", "flatten"),
            ("zzz", None),
        ),
    ],
)
def test_ops(word: str, meant: str | None) -> None:
    assert nearest(word, OPS) == meant


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        *(
            ("out_channels", "filters"),
            ("kernel", "kernel_size"),
            ("strides", "stride"),
            ("bias", "use_bias"),
        ),
        *(
            ("dilation_rate", "dilation"),
            ("group", "groups"),
            ("act", "activation"),
            ("filtres", "filters"),
        ),
    ],
)
def test_attributes_of_a_convolution(word: str, meant: str) -> None:
    assert nearest(word, attribute_names(Conv)) == meant


def test_suggestions_depend_on_the_context() -> None:
    assert nearest("filters", attribute_names(Dense)) == "units"
    assert nearest("out_features", attribute_names(Dense)) == "units"
    assert nearest("p", attribute_names(Dropout)) == "rate"
    assert nearest("ReLU", FUNCTIONS) == "relu"
    assert nearest("size_kernel", attribute_names(Conv)) == "kernel_size"
    assert nearest("filters_pool", ["filter", "pool_filters"]) == "pool_filters"
    assert nearest("Swish", FUNCTIONS) == "silu"


def test_synonyms_are_normalized() -> None:
    assert [word for word in SYNONYMS if bare(word) != word] == []


def test_a_very_long_word_is_fast() -> None:
    assert nearest("x" * 1_000_000, [*FUNCTIONS, "y" * 500_000]) is None


def test_a_long_list_is_cut() -> None:
    assert listed(map(str, range(40))).endswith("28, 29 and 10 more")


def test_the_closest_word_is_that_of_difflib() -> None:
    random = Random(0)
    words = ["".join(random.choices("abcde_", k=random.randint(1, 7))) for _ in range(500)]
    for word in words:
        known = random.sample(words, random.randint(0, 20))
        assert _closest(word, known) == next(
            iter(difflib.get_close_matches(word, known, n=1)), None
        )
