"""Cases by name: statements, or an expression for two values of one variable."""

from __future__ import annotations

from inception_dsl.emit.cases import Body, cases
from inception_dsl.emit.pycode import layout


def setting(*lines: str) -> Body:
    return lambda indent: [layout(line, "", indent=indent) for line in lines]


def test_two_values_of_a_variable_are_an_expression() -> None:
    groups = [(["a", "b"], setting("x = 1.0")), ([], setting("x = 2.0"))]
    assert cases("name", groups, 4) == ['    x = 1.0 if name in ("a", "b") else 2.0']
    groups[0] = (["a"], setting("x = 1.0"))
    assert cases("name", groups, 0) == ['x = 1.0 if name == "a" else 2.0']


def test_other_cases_are_statements() -> None:
    wide = ["a" * 40, "b" * 40]
    for groups in (
        [(["a"], setting("x = 1")), ([], setting("y = 2"))],
        [(["a"], setting("x = 1", "y = 1")), ([], setting("x = 2"))],
        [(["a"], setting("f(x)")), ([], setting("g(x)"))],
        [(["a"], setting("x = 1")), (["b"], setting("x = 2"))],
        [(["a"], setting("x = 1")), (["b"], setting("x = 2")), ([], setting("x = 3"))],
        [(wide, setting("x = 1")), ([], setting("x = 2"))],
    ):
        assert len(cases("name", groups, 0)) >= 4
        assert str(cases("name", groups, 0)[0]).startswith("if name ")
