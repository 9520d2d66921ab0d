"""Tests the rows of ``rewrite``: each is what the new steps cost more than those they stand for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import inception_dsl
from inception_dsl.design.rewrites import RULES, sources
from inception_dsl.design.rewrites.rewriting import Rewritten


def rows(result: Rewritten) -> dict[str, tuple[int, int]]:
    """The rows with the parameters before, and by how much they are more."""
    found = [*result.savings, result.elsewhere]
    return {one.path: (one.parameters, one.more_parameters) for one in found}


def test_a_row_leaves_out_the_branches_and_blocks_with_rows_of_their_own(net: Callable) -> None:
    step = "{op: conv, filters: 64, kernel_size: 5, use_bias: false}"
    result = net(f"""\
        blocks:
          module: {{steps: [{step}]}}
        body:
          - {step}
          - {{name: fork, merge: add, branches: {{a: [{step}], b: [{{use: module}}], c: []}}}}
          - {step}
          - {{op: conv, filters: 8, kernel_size: 1}}
        """).rewrite("factorise-5x5")
    one = 25 * 64 * 64
    saved = -7 * 64 * 64
    assert rows(result) == {
        "the network": (2 * one, 2 * saved),
        "fork/a": (one, saved),
        "module": (one, saved),
        "elsewhere": (64 * 8 + 8, 0),
    }
    assert "elsewhere" not in str(result)


def test_later_layers_have_a_row_of_their_own(net: Callable) -> None:
    result = net("""\
        body:
          - {op: max_pool, name: pool, kernel_size: 3, stride: 2}
          - {op: conv, filters: 8, kernel_size: 1, use_bias: false}
          - {op: conv, filters: 4, kernel_size: 1, use_bias: false}
        """).rewrite("parallel-reduction", op="conv")
    added = 9 * 64 * 64 + 64
    assert rows(result) == {"pool": (0, added), "elsewhere": (64 * 8 + 8 * 4, 64 * 8)}
    pool, elsewhere = str(result).splitlines()[10:12]
    assert pool.split()[:3] == ["pool", "1", f"{added:+,}"]
    assert elsewhere.split()[:3] == ["elsewhere", "+512", "(+94.1%)"]


def test_a_module_in_a_block_inside_of_a_module_counts_once(net: Callable) -> None:
    result = net("""\
        blocks:
          inner:
            steps:
              - merge: concat
                branches:
                  a: [{op: conv, filters: 16, kernel_size: 1, use_bias: false}]
                  b: [{op: conv, filters: 16, kernel_size: 1, use_bias: false}]
        body:
          - merge: concat
            name: outer
            branches:
              a: [{use: inner}, {op: conv, filters: 32, kernel_size: 1, use_bias: false}]
              b: [{op: conv, filters: 32, kernel_size: 1, use_bias: false}]
        """).rewrite("residualise")
    inner = 2 * 64 * 16, 32 * 64 + 64  # its projection
    outer = 32 * 32 + 64 * 32, 32 * (64 - 32) + 64 * 64 + 64
    assert rows(result) == {"outer": outer, "inner": inner, "elsewhere": (0, 0)}


def test_macs_of_auxiliary_heads_are_in_no_row(net: Callable) -> None:
    result = net("""\
        body: [{op: conv, name: a, filters: 64, kernel_size: 1}]
        head: [{op: global_avg_pool}, {op: dense, units: 10}]
        aux_heads:
          aux:
            after: a
            loss_weight: 0.3
            steps:
              - {op: conv, filters: 64, kernel_size: 5}
              - {op: global_avg_pool}
              - {op: dense, units: 10}
        """).rewrite("factorise-5x5")
    (saving,) = result.savings
    assert (saving.more_parameters < 0, saving.macs, saving.more_macs) == (True, 0, 0)


def test_a_setting_by_position_keeps_its_step(write: Callable[..., Path]) -> None:
    """New steps before the one that it names would give it to another one."""
    path = write(
        "network: n\ninput: {channels: 8, height: 9, width: 9}\n"
        "body:\n"
        "  - {op: conv, name: one, filters: 8, kernel_size: 5, activation: relu}\n"
        "  - {op: conv, name: two, filters: 8, kernel_size: 3}\n"
        "  - {op: conv, name: three, filters: 8, kernel_size: 5}\n",
        "net.yaml",
    )
    with pytest.warns(inception_dsl.SpecWarning, match="W403"):
        network = inception_dsl.load(path, **{"body.1.filters": 4})
    result = network.rewrite("factorise-5x5")
    assert result.left_out == [
        ("one", "the setting `body.1.filters` names a later step by its position")
    ]
    assert [saving.path for saving in result.savings] == ["three"]
    assert result.elsewhere.more_parameters == 0
    assert "one" not in dict(network.rewrite("batch-normalise").left_out)  # no step is added


def test_the_list_of_rules_compiles_once_for_each_rule(
    net: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for rules that change the shapes of blocks, each of which is tried alone."""
    block = "{merge: concat, branches: {a: [{op: conv, filters: 8, kernel_size: 3}], b: []}}"
    blocks = "\n".join(f"  m{i}: {{steps: [{block}]}}" for i in range(20))
    body = ", ".join(f"{{use: m{i}}}" for i in range(20))
    network, calls = net(f"blocks:\n{blocks}\nbody: [{body}]"), list[object]()
    compiled = sources.compile_quickly
    monkeypatch.setattr(
        sources, "compile_quickly", lambda *given: calls.append(given) or compiled(*given)
    )
    moves = network.rewrites().found
    alone = [move for move in moves if move.rule.name == "residualise"]
    assert len(alone) == 20
    assert len(calls) <= len(RULES)
    last = network.rewrite("residualise", at="m19").totals
    assert alone[19].parameters == last["parameters"].new - last["parameters"].old
    first = network.rewrite("residualise", at="m0").totals
    assert alone[0].macs == first["MACs"].new - first["MACs"].old < 0
