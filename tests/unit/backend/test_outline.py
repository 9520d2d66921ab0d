"""Repeated forks as blocks: layers, paths and the meaning of expressions do not change."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inception_dsl.analysis.cost import cost, layers
from inception_dsl.backend import Definitions, walk_program
from inception_dsl.backend.outline import outlined
from inception_dsl.ir.typed import TypedFork, TypedOp, TypedProgram

Compiled = Callable[..., TypedProgram]
FORKS = """
network: forks
input: {channels: 3, height: 8, width: 8}
classes: 5
blocks:
  unit_branches: {steps: [{op: identity}]}
  unit:
    params: {width: int, n: int}
    steps:
      - {use: unit_branches, name: first}
      - repeat: $n
        branches:
          keep: []
          new:
            - repeat: 2
              branches: {a: [{op: conv, filters: $in_channels, kernel_size: 1}], b: []}
              merge: concat
            - {op: conv, filters: $width, kernel_size: 3}
        merge: concat
body:
  - {use: unit, width: 4, n: 2, name: u}
  - {use: unit, width: 2, n: 3, name: v}
  - {branches: {a: [], b: []}, merge: add}
  - name: mixed
    repeat: 2
    branches: {a: [{op: conv, filters: $classes, kernel_size: 1}], b: []}
    merge: concat
"""


def test_layers_paths_and_types_are_the_same(compiled: Compiled) -> None:
    typed = compiled(FORKS)
    made = outlined(typed)
    assert made is not typed

    def found(program: TypedProgram) -> list[object]:
        nodes = [(p, n) for p, n in walk_program(program) if isinstance(n, TypedOp | TypedFork)]
        return [(p, type(n), n.x, n.y, getattr(n, "op", None)) for p, n in nodes]

    assert found(made) == found(typed)
    assert cost(list(layers(made))) == cost(list(layers(typed)))


def test_blocks_are_named_after_the_forks_they_replace(compiled: Compiled) -> None:
    found = outlined(compiled(FORKS)).program.blocks
    assert [*found] == ["unit_branches", "unit", "unit_new", "unit_branches_2", "mixed"]
    assert found["unit_new"].parameters == {"width": "int", "n": "int", "in_channels": "int"}


def test_one_definition_for_each(compiled: Compiled) -> None:
    """Even if the numbers of repetitions differ: 2, 3 and, in a branch, 2 in 2 and 3."""
    found = [d.block.id for d in Definitions(outlined(compiled(FORKS)))]
    assert found == ["unit_branches", "unit_new", "unit_branches_2", "unit", "mixed"]


@pytest.mark.parametrize("repeat", ["", "repeat: 1,"])
def test_a_fork_without_repeat_is_not_changed(compiled: Compiled, repeat: str) -> None:
    fork = f"{{{repeat} branches: {{a: [], b: []}}, merge: add}}"
    typed = compiled(f"network: n\ninput: {{channels: 3, height: 8, width: 8}}\nbody: [{fork}]\n")
    assert outlined(typed) is typed
