"""Tests ``rewrite`` on steps that have one text: anchors and aliases."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from rewrites import added, body, reasons

import inception_dsl

pytestmark = pytest.mark.filterwarnings("ignore::inception_dsl.SpecWarning")
Write = Callable[..., Path]


def test_all_steps_with_the_text_of_an_anchor(net: Callable) -> None:
    result = net("""\
        body:
          - &conv {op: conv, filters: 64, kernel_size: 5}  # one
          # two
          - *conv  # again
        """).rewrite("factorise-5x5")
    assert body(result) == textwrap.dedent("""\
        body:
          - {op: conv, filters: 64, kernel_size: 3}
          - &conv {op: conv, filters: 64, kernel_size: 3}  # one
          # two
          - {op: conv, filters: 64, kernel_size: 3}
          - *conv  # again
        """)
    assert result.totals["parameters"].difference == "-57,216 (-27.9%)"


def test_an_anchor_on_lines_of_its_own(net: Callable) -> None:
    result = net("""\
        body:
          - &conv
            op: conv_bn  # the op
            filters: 64
            kernel_size: 3
          - *conv
        """).rewrite("separable")
    behind = "  - {op: batch_norm}\n  - {op: activation, function: relu}\n"
    assert body(result) == (
        "body:\n  - &conv\n    op: separable_conv  # the op\n    use_bias: false\n"
        f"    filters: 64\n    kernel_size: 3\n{behind}  - *conv\n{behind}"
    )


def test_an_alias_of_a_chain_is_edited_once(net: Callable) -> None:
    result = net("""\
        body:
          - merge: add
            branches:
              left: &branch [{op: conv, filters: 64, kernel_size: 3}]
              right: *branch
        """).rewrite("asymmetric")
    assert [saving.path for saving in result.savings] == ["body/left", "body/right"]
    assert body(result).count("kernel_size: [1, 3]") == 1
    assert result.totals["parameters"].difference == "-24,448 (-33.1%)"


def test_an_alias_with_names_is_edited_once(net: Callable) -> None:
    result = net("""\
        body: &chain [{op: conv, name: c, filters: 64, kernel_size: 5}]
        outputs: {other: {after: c, steps: *chain, loss: mean_squared_error}}
        """).rewrite("factorise-5x5")
    assert [(one.path, one.steps) for one in result.savings] == [("c", 1), ("other/c", 1)]
    assert result.text.count("name: c_3x3") == 1


def test_a_fork_around_an_alias(net: Callable) -> None:
    result = net("""\
        blocks:
          one:
            steps:
              - &fork
                {merge: concat, branches: {a: [], b: [{op: conv, filters: 8, kernel_size: 3}]}}
          two: {steps: [*fork]}
        body: [{use: one}, {op: conv, filters: 64, kernel_size: 1}, {use: two}]
        """).rewrite("residualise")
    assert [saving.path for saving in result.savings] == ["one", "two"]
    assert result.text.count("&fork") == result.text.count("[*fork,") == 1
    (output,) = result.difference.new.typed.outputs.values()
    assert output.channels == 64  # those of the input of each module


def test_an_anchor_that_nothing_uses(net: Callable) -> None:
    result = net("body: [&a {op: conv, filters: 64, kernel_size: &k 3}]").rewrite("two-2x2")
    assert added(result) == [
        "body: [{op: conv, filters: 64, kernel_size: 2, padding: [[1, 0], [1, 0]]},",
        "&a {op: conv, filters: 64, kernel_size: 2}]",
    ]


def test_the_anchor_of_a_field_moves_to_the_first_alias_that_stays(net: Callable) -> None:
    network = net("""\
        body:
          - {op: conv, name: a, filters: 64, kernel_size: &k 5}
          - {op: conv, name: b, filters: 64, kernel_size: *k}
          - {op: max_pool, kernel_size: *k, stride: 1}
          - {op: max_pool, kernel_size: *k, stride: 1}
        """)
    lines = body(network.rewrite("factorise-5x5")).splitlines()
    assert [line.partition("kernel_size: ")[2] for line in lines[1:]] == [
        *["3}"] * 4,
        "&k 5, stride: 1}",
        "*k, stride: 1}",
    ]
    one = body(network.rewrite("factorise-5x5", at="b"))
    assert "kernel_size: &k 5}" in one
    assert one.count("*k") == 2


TIED = """\
body:
  - &a {op: conv, filters: 64, kernel_size: 5}  # one
  - {op: max_pool, kernel_size: 3}
  - *a
  - *a  # last
"""
NEW = "{op: conv, filters: 64, kernel_size: 3}"
OLD = "{op: conv, filters: 64, kernel_size: 5}"


@pytest.mark.parametrize(
    ("at", "lines"),
    [
        ("body/0", [NEW, f"{NEW}  # one", "", f"&a {OLD}", "*a  # last"]),
        ("body/2", [f"&a {OLD}  # one", "", NEW, NEW, "*a  # last"]),
        ("body/3", [f"&a {OLD}  # one", "", "*a", NEW, f"{NEW}  # last"]),
    ],
)
def test_only_some_steps_of_a_text(net: Callable, at: str, lines: list[str]) -> None:
    """They get a text of their own; the anchor moves if it is that of such a step."""
    result = net(TIED).rewrite("factorise-5x5", at=at)
    pool = "{op: max_pool, kernel_size: 3}"
    assert body(result).splitlines()[1:] == [f"  - {line or pool}" for line in lines]
    assert [saving.path for saving in result.savings] == [at] and not result.left_out


def test_only_some_steps_of_a_chain(net: Callable) -> None:
    network = net("""\
        body:
          - merge: add
            branches:
              left: &branch
                - {op: conv, filters: 64, kernel_size: 3}
                - {op: conv, filters: 64, kernel_size: 5}  # large
              middle: *branch
              right: *branch
        """)
    one = "{op: conv, filters: 64, kernel_size: 3}"
    right = body(network.rewrite("factorise-5x5", at="body/right")).splitlines()
    assert [line.strip() for line in right[-3:]] == [
        "middle: *branch",
        f"right: [{one}, {one},",
        f"{one}]",
    ]
    left = body(network.rewrite("factorise-5x5", at="body/left")).splitlines()
    assert [line.strip() for line in left[3:]] == [
        "left:",
        *(f"- {line}" for line in (one, one, f"{one}  # large")),
        f"middle: &branch [{one}, {{op: conv, filters: 64, kernel_size: 5}}]",
        "right: *branch",
    ]


def test_an_anchor_on_lines_of_its_own_moves(net: Callable) -> None:
    network = net("""\
        body:
          - &a
            op: conv  # the op
            filters: 64
            kernel_size: 5
          - *a
          - *a
        """)
    lines = body(network.rewrite("factorise-5x5", at="body/0")).splitlines()
    assert lines[2:] == [
        "  - op: conv  # the op",
        "    filters: 64",
        "    kernel_size: 3",
        f"  - &a {OLD}",
        "  - *a",
    ]


def test_an_alias_in_the_text_of_another_one(net: Callable) -> None:
    network = net("""\
        body:
          - &a {op: conv, filters: 64, kernel_size: &k 5}
          - merge: add
            branches:
              left: &branch [*a, {op: conv, filters: 64, kernel_size: *k}]
              right: *branch
        """)
    for at in ("body/0", "left/0", "right/0", "right/1"):
        result = network.rewrite("factorise-5x5", at=at)
        assert [(one.path, one.steps) for one in result.savings] == [(at, 1)]
        assert result.totals["parameters"].difference == "-28,608 (-5.6%)"


@pytest.mark.parametrize("between", ["# a comment\n    ", "  # a comment\n    "])
def test_a_comment_behind_an_anchor_keeps_it(net: Callable, between: str) -> None:
    text = f"body:\n  - &a {between}op: conv\n    filters: 64\n    kernel_size: 5\n  - *a\n"
    with pytest.raises(inception_dsl.SpecError, match="write the step out") as error:
        net(text).rewrite("factorise-5x5", at="body/0")
    reason = "`body/0`: it has the text of `body/1` (an alias), which stays"
    assert reasons(error) == [f"E317 4: `factorise-5x5` cannot rewrite {reason}"]


def test_a_text_that_is_too_large_is_not_written_out(net: Callable) -> None:
    steps = ", ".join(f"{{op: conv, name: c{n}, filters: 64, kernel_size: 5}}" for n in range(20))
    network = net(f"body: [{{merge: add, branches: {{a: &a [{steps}], b: *a}}}}]")
    with pytest.raises(inception_dsl.SpecError, match="it has the text of `body/a/c0`"):
        network.rewrite("factorise-5x5", at="body/b/c0")


def test_steps_of_one_text_that_would_get_others(net: Callable) -> None:
    """Each has filters for its own input."""
    steps = "&a {op: conv, filters: 64, kernel_size: 3}, {op: conv, filters: 8, kernel_size: 1}, *a"
    result = net(f"body: [{steps}]").rewrite("asymmetric")
    assert result.text.count("filters: 23") == 1


def test_a_step_before_some_of_an_alias(net: Callable) -> None:
    result = net("""\
        body:
          - &a {op: conv, filters: 64, kernel_size: 3}
          - *a
        """).rewrite("reduce")
    (line,) = added(result)
    assert line.strip() == "- {op: conv, filters: 32, kernel_size: 1}"


def test_an_anchor_of_several_lines_moves_to_one(net: Callable) -> None:
    network = net("""\
        body:
          - op: conv
            filters: 64
            kernel_size: &k
              5
          - {op: max_pool, kernel_size: *k, stride: 1}
        """)
    lines = body(network.rewrite("factorise-5x5")).splitlines()
    assert lines[-2:] == ["    kernel_size: 3", "  - {op: max_pool, kernel_size: &k 5, stride: 1}"]


def test_an_alias_in_a_block_that_does_not_run(net: Callable) -> None:
    network = net("""\
        body: [&a {op: conv, filters: 64, kernel_size: 5}]
        blocks: {other: {steps: [*a]}}
        """)
    text = body(network.rewrite("factorise-5x5"))
    assert text == f"body: [{NEW}, {NEW}]\nblocks: {{other: {{steps: [&a {OLD}]}}}}\n"
