"""Suggestions for steps: what the language has instead, and no edit that makes another network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.absent import _TEXTS, absent
from inception_dsl.diagnostics.report import Diagnostic, Report
from inception_dsl.diagnostics.synonyms import SYNONYMS
from inception_dsl.ops import OPS
from inception_dsl.ops.fields.kinds import FUNCTIONS

Refused = Callable[[str], Diagnostic]


@pytest.fixture
def refused(write: Callable[..., Path]) -> Refused:
    def refused(step: str) -> Diagnostic:
        text = f"network: n\ninput: {{channels: 3, height: 64, width: 64}}\nbody: [{step}]\n"
        report = Report()
        assert compile_spec(write(text), {}, report) is None
        (found,) = report
        return found

    return refused


@pytest.mark.parametrize(
    ("op", "help"),
    [
        ("prelu", "function: leaky_relu"),
        ("PReLU", "function: leaky_relu"),
        ("drop_path", "`per: sample`"),
        ("SpatialDropout2D", "`per: channel`"),
        ("drop_block", "left out on purpose"),
        ("CBAM", "over: channels"),
        ("PixelShuffle", "`order: channels_first`"),
        ("max_unpool", "left out"),
        ("attention", "left out on purpose"),
        ("MultiHeadAttention", "left out on purpose"),
        ("layer_scale", "`learned: true`"),
        ("InstanceNorm2d", "op: group_norm"),
        ("se", "merge: multiply"),
        ("concat", "{branches: {…}, merge: concat}"),
        ("Concatenate", "{branches: {…}, merge: concat}"),
        ("add", "{branches: {…}, merge: add}"),
        ("$x", "`op` takes no parameter"),
        ("drop_connect", "did you mean `dropout`?"),
    ],
)
def test_a_layer_that_does_not_exist_here(refused: Refused, op: str, help: str) -> None:
    """No edit: a program would write another network in its place."""
    found = refused(f"{{op: {op}}}")
    assert (found.code, found.fix) == ("E204", ())
    assert help in found.help
    if op == "attention":
        assert help in refused(op).help
        assert help in refused(f"{op}: {{size: 2}}").help


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ("{op: con_bn, filters: 4, kernel_size: 1}", "conv_bn"),
        ("{op: Conv2d, filters: 4, kernel_size: 1}", "conv"),
        ("{op: swish}", "activation"),
        ("{op: relu}", "activation"),
        ("flaten", "{op: flatten}"),
    ],
)
def test_another_spelling_is_corrected(refused: Refused, step: str, text: str) -> None:
    assert refused(step).fix[0].text == text


def test_a_block_is_no_parameter(refused: Refused) -> None:
    found = refused("{use: $x}")
    assert (found.code, found.fix) == ("E206", ())
    assert "`use` takes no parameter" in found.help


def test_a_block_with_the_name_of_an_absent_layer(refused: Refused) -> None:
    found = refused("{op: attention}]\nblocks: {attention: {steps: [{op: identity}]}}\nhead: [")
    assert found.help == "did you mean `use: attention`?"
    assert found.fix[0].text == "use"


def test_nothing_that_exists_is_absent() -> None:
    assert not [name for name in (*OPS, *FUNCTIONS) if absent(name)]
    assert not _TEXTS.keys() & SYNONYMS.keys()
