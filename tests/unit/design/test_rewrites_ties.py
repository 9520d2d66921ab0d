"""Tests ``rewrite`` on steps with ``each``, and published names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rewrites import HEAD, added, body

import inception_dsl

pytestmark = pytest.mark.filterwarnings("ignore::inception_dsl.SpecWarning")
Write = Callable[..., Path]


# each


def test_repetitions_that_differ_become_steps(net: Callable) -> None:
    result = net("""\
        body:
          - {op: conv, name: a, kernel_size: 3, each: {filters: [64, 16]}}  # two
          - {op: identity}
        aux_heads:
          aux: {after: a, loss_weight: 0.3, steps: [{op: global_avg_pool}, {op: dense, units: 9}]}
        """).rewrite("asymmetric")
    assert body(result).splitlines()[1:6] == [
        "  - {op: conv, name: a_0_1x3, filters: 64, kernel_size: [1, 3]}  # two",
        "  - {op: conv, name: a_0, kernel_size: [3, 1], filters: 64}",
        "  - {op: conv, name: a_1x3, filters: 32, kernel_size: [1, 3]}",
        "  - {op: conv, name: a, kernel_size: [3, 1], filters: 16}",
        "  - {op: identity}",
    ]
    assert [(s.path, s.steps) for s in result.savings] == [("a", 1)]


def test_repetitions_that_stay_alike_stay_together(net: Callable) -> None:
    step = "{op: conv, name: a, each: {filters: [8, 16], kernel_size: [3, 5]}, activation: relu}"
    result = net(f"body: [{step}]").rewrite("batch-normalise")
    assert added(result) == [
        "body: [{op: conv_bn, name: a, each: {filters: [8, 16], kernel_size: [3, 5]}}]"
    ]
    assert result.totals["parameters"].difference == "+72 (+0.9%)"


def test_a_rule_for_some_of_the_repetitions(net: Callable) -> None:
    result = net("""\
        body:
          - op: conv
            kernel_size: 1
            filters: 64
          - op: conv_bn
            each:
              kernel_size: [1, 5]
              filters: [32, 64]
        """).rewrite("factorise-5x5")
    assert body(result).splitlines()[4:] == [
        "  - {op: conv_bn, kernel_size: 1, filters: 32}",
        "  - {op: conv_bn, filters: 45, kernel_size: 3}",
        "  - {op: conv_bn, kernel_size: 3, filters: 64}",
    ]


def test_what_each_cannot_be(net: Callable) -> None:
    each = "each: {filters: [8, 16]}"
    with pytest.raises(inception_dsl.SpecError, match="and it has an anchor or is an alias"):
        net(f"body: [&a {{op: conv, kernel_size: 3, {each}}}]").rewrite("asymmetric")
    with pytest.raises(inception_dsl.SpecError, match="it has groups"):
        net(f"body: [{{op: conv, kernel_size: 3, groups: 2, {each}}}]").rewrite("asymmetric")
    text = "body:\n  - op: conv\n    kernel_size: 3  # why\n    each: {filters: [8, 16]}\n"
    with pytest.raises(inception_dsl.SpecError, match="the comment `# why` would be lost"):
        net(text).rewrite("asymmetric")


def test_an_option_that_changes_a_repetition(write: Write) -> None:
    step = "{op: conv, kernel_size: 3, each: {filters: [8, 16]}}"
    path = write(f"{HEAD}body: [{step}]\n", "net.yaml")
    network = inception_dsl.load(path, **{"body.0.kernel_size": 5})
    with pytest.raises(inception_dsl.SpecError, match="an option changes it"):
        network.rewrite("factorise-5x5")


# published names


def test_published_names_are_left_out(net: Callable) -> None:
    names = "{conv: conv1.conv, fc: fc}"
    network = net(f"""\
        body: [{{op: conv, name: conv, filters: 8, kernel_size: 3}}]
        # about
        checkpoints:  # where
          timm:
            names: {names}
            # a name
        head: [{{op: global_avg_pool}}, {{op: dense, name: fc, units: 10}}]
        """)
    result = network.rewrite("two-2x2")
    assert "# about\n# where\n    # a name\nhead: [" in result.text
    assert "note: it has no `checkpoints`: published weights" in str(result)
    assert result.difference.new.typed.program.checkpoints == {}


def test_inherited_published_names_are_left_out(write: Write) -> None:
    base = "inception-dsl:published/timm_inception_v4"
    for own in ("", "checkpoints: {timm: {optional: [last_linear]}}\n"):
        path = write(f"extends: {base}\n{own}network: mine\n", "mine.yaml")
        result = inception_dsl.load(path).rewrite("asymmetric", at="inception_a")
        assert result.text.count("checkpoints: null\n") == 1
        new = inception_dsl.load(write(result.text, "new.yaml"))
        assert new.typed.program.checkpoints == {}
        assert new.macs == result.totals["MACs"].new


# notes


def test_a_note_on_the_old_step_is_to_be_checked(net: Callable) -> None:
    step = "{op: conv, name: a, filters: 8, kernel_size: 3, deviation: Not in the paper.}"
    result = net(f"body: [{step}]").rewrite("asymmetric")
    assert "note: check the `deviation` of `a`: it was for the old step" in str(result)
    assert "deviation: Not in the paper." in result.text
    plain = net("body: [{op: conv, name: a, filters: 8, kernel_size: 3}]").rewrite("asymmetric")
    assert "deviation" not in str(plain)
