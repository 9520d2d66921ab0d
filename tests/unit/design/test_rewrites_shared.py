"""Tests ``rewrite`` on steps that share weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rewrites import added

import inception_dsl
from inception_dsl.design.rewrites.together import shared
from inception_dsl.ir.program import Node

pytestmark = pytest.mark.filterwarnings("ignore::inception_dsl.SpecWarning")
Write = Callable[..., Path]


def owners_of(network: inception_dsl.Network) -> list[tuple[str, str]]:
    """The steps that share weights, each with that whose weights it has, by their locations."""
    return [(location(step), location(owner)) for step, owner in shared(network.typed)]


def location(node: Node) -> str:
    return "/".join(map(str, node.origin.path))


def test_shared_weights_stay_shared(net: Callable, write: Write) -> None:
    old = net("""\
        body:
          - {op: conv, name: a, filters: 64, kernel_size: 3}  # first
          - {op: conv, name: b, filters: 64, kernel_size: 3, weights: a}  # second
        """)
    result = old.rewrite("asymmetric")
    assert added(result) == [
        "- {op: conv, name: a_1x3, filters: 64, kernel_size: [1, 3]}",
        "- {op: conv, name: a, filters: 64, kernel_size: [3, 1]}  # first",
        "- {op: conv, weights: a_1x3, name: b_1x3, filters: 64, kernel_size: [1, 3]}",
        "- {op: conv, name: b, filters: 64, kernel_size: [3, 1], weights: a}  # second",
    ]
    assert result.totals["parameters"].difference == "-12,224 (-33.1%)"
    new = inception_dsl.load(write(result.text, "new.yaml"))
    assert owners_of(new) == [("body/2", "body/0"), ("body/3", "body/1")]


BRANCHES = """\
    body:
      - name: twins
        merge: add
        branches:
          left: [{op: conv_bn, filters: 64, kernel_size: 3}]
          right: [{op: identity}, {op: conv_bn, filters: 64, kernel_size: 3, weights: left}]
      - {op: conv_bn, filters: 64, kernel_size: 3, weights: twins/left}
    """


@pytest.mark.parametrize("rule", ["asymmetric", "separable", "two-2x2", "reduce"])
def test_paths_of_shared_weights_change(net: Callable, write: Write, rule: str) -> None:
    old = net(BRANCHES)
    rest = {"at": "twins"} if rule == "reduce" else {}
    if rest:
        with pytest.raises(inception_dsl.SpecError, match="it shares weights with `body/1`, which"):
            old.rewrite(rule, **rest)
        return
    result = old.rewrite(rule)
    new = inception_dsl.load(write(result.text, "new.yaml"))
    before, after = old.parameters, new.parameters
    assert (before, after) == (result.totals["parameters"].old, result.totals["parameters"].new)
    left = "body/0/branches/left"
    pairs = {"asymmetric": (0, 1), "two-2x2": (0, 1), "separable": (0, 1)}[rule]
    own = [f"{left}/{n}" for n in pairs]
    assert [owner for _, owner in owners_of(new)] == [*own, *own]
    assert "weights: left/0" in result.text
    assert "weights: twins/left/1" in result.text


def test_a_path_that_counts_steps_is_written_anew(net: Callable, write: Write) -> None:
    result = net("""\
        body:
          - merge: add
            branches:
              left:
                - {op: conv, filters: 64, kernel_size: 5}
                - {op: dropout, rate: 0.5}
                - {op: conv, filters: 64, kernel_size: 1}
              right: [{op: conv, filters: 64, kernel_size: 1, weights: left/2}]
        """).rewrite("factorise-5x5")
    assert "weights: left/3}" in result.text
    new = inception_dsl.load(write(result.text, "new.yaml"))
    assert owners_of(new) == [("body/0/branches/right/0", "body/0/branches/left/3")]


def test_weights_shared_from_inside_of_a_rewritten_fork(net: Callable, write: Write) -> None:
    result = net("""\
        body:
          - name: m
            merge: concat
            branches: {a: [{op: conv, filters: 64, kernel_size: 1}], b: []}
          - {op: conv, filters: 64, kernel_size: 1}
          - {op: conv, filters: 64, kernel_size: 1, weights: m/a}
        """).rewrite("residualise")
    assert "weights: m/residual/a" in result.text
    new = inception_dsl.load(write(result.text, "new.yaml"))
    assert owners_of(new)[0][1] == "body/0/branches/residual/0/branches/a/0"


def test_blocks_that_share_weights_change_together(net: Callable) -> None:
    result = net("""\
        blocks: {one: {steps: [{op: conv, filters: 64, kernel_size: 3}]}}
        body: [{use: one, name: a}, {use: one, name: b, weights: a}]
        """).rewrite("asymmetric")
    assert result.totals["parameters"].difference == "-12,224 (-33.1%)"
    assert result.text.count("weights") == 1
