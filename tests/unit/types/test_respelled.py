"""Expressions that lack their ``$``, or have one too many."""

from __future__ import annotations

import pytest

from inception_dsl.types.expression import parse, respelled, written


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a", "$a"),
        ("2 * $a", '"${2 * a}"'),
        ("{a * 2}", '"${a * 2}"'),
        ("{a}", "$a"),
        ("(a // 2)", '"${a // 2}"'),
        ("max(a, 2)", '"${max(a, 2)}"'),
        ("2 * ${a + 1}", '"${2 * (a + 1)}"'),
        ("${a} * max(a, 2)", '"${a * max(a, 2)}"'),
        ("${a + 1} * 2", '"${(a + 1) * 2}"'),
        ("7", ""),
        ("2 * 3", ""),
        ("a b", ""),
        ("a -", ""),
        ("", ""),
        ("a" * 600, ""),
    ],
)
def test_a_text_that_lacks_its_dollar(text: str, meant: str) -> None:
    found = respelled(text)
    assert (written(found) if found else "") == meant
    if found:
        value = parse(written(found).strip('"')).evaluate({"a": 5})
        assert value == found.evaluate({"a": 5})
