"""Statements: one for each step; variables are free again after a merge."""

from __future__ import annotations

from defined import CONV, Body, definition, on

from inception_dsl.backend import Apply, Join, Locals, Names, statements

FORK = f"{{merge: concat, branches: {{one: [{{{CONV}: 2}}], two: []}}, name: %s}}"


def test_every_step_is_one_statement(body: Body) -> None:
    block = definition(body, f"{{{CONV}: 3, repeat: 2}}, {FORK % 'f'}", on(3))
    local = Locals(Names())
    first, join = statements(block.chain, "x", "y", ("p",), local)
    assert isinstance(first, Apply) and isinstance(join, Join)
    assert (first.source, first.target, first.path) == ("x", "y", ("p", "0"))
    assert (join.target, join.path) == ("y", ("p", "f"))
    one, two = join.branches
    (inner,) = one.statements
    assert isinstance(inner, Apply)
    assert (inner.source, inner.target, inner.path) == ("y", "one", ("p", "f", "one"))
    assert (one.end, two.end) == ("one", "y"), "the result of an empty branch is its source"


def test_variables_are_free_again_after_the_merge(body: Body) -> None:
    block = definition(body, f"{FORK % 'f'}, {FORK % 'g'}", on(3))
    first, second = statements(block.chain, "x", "x", (), Locals(Names(["two"])))
    for join in (first, second):
        assert isinstance(join, Join)
        assert [branch.target for branch in join.branches] == ["one", "x_two"]


def test_a_branch_in_a_branch_of_the_same_name(body: Body) -> None:
    inner = FORK % "g"
    block = definition(body, FORK.replace("two: []", f"two: [{inner}]") % "f", on(3))
    (join,) = statements(block.chain, "x", "x", (), Locals(Names()))
    assert isinstance(join, Join)
    (nested,) = join.branches[1].statements
    assert isinstance(nested, Join)
    assert [b.target for b in nested.branches] == ["two_one", "two_two"]


def test_claims() -> None:
    names = Names(["taken"])
    local = Locals(names)
    assert local.claim("taken", "other") == "other"
    assert [local.claim("other"), local.claim("other")] == ["other_2", "other_3"]
    local.release(["other"])
    assert local.claim("other") == "other"
    assert {"other", "other_2", "other_3"} <= {*names.taken}
