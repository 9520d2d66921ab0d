"""The printed size check, run for every size and compared with the sizes that run."""

from __future__ import annotations

import re
from typing import Any

import pytest

from inception_dsl.backend import AXES, AxisSizes, Gap, RunningSizes, size_checks, size_rules

FLAGS: Any = {"": "", "head": "head", "heads": "heads"}
FREE = (AxisSizes(1), AxisSizes(1))
AXIS = [
    AxisSizes(1),
    AxisSizes(7),
    AxisSizes(5, 9),
    AxisSizes(6, 6),
    AxisSizes(3, None, (Gap(5, 1, 8),)),
    AxisSizes(3, None, (Gap(5, 3, 8),)),
    AxisSizes(3, None, (Gap(7, 3, 8),)),
    AxisSizes(3, None, (Gap(8, 2, 8),)),
    AxisSizes(3, None, (Gap(4, 4, 8),)),
    AxisSizes(3, None, (Gap(5, 1, 4), Gap(6, 2, 7))),
    AxisSizes(2, None, (Gap(3, 2, 0), Gap(9, 2, 4))),
    AxisSizes(2, 30, (Gap(3, 2, 0), Gap(9, 1, 0), Gap(11, 12, 0), Gap(25, 2, 0))),
]


def check(rules: Any, **values: Any) -> str:
    """The message for these sizes and flags, or an empty text."""
    lines = size_checks(rules, FLAGS, "Net", "{height}x{width}", values.pop("unknown", ""))
    try:
        exec("def check():\n" + ("\n".join(lines) or "    pass") + "\ncheck()", values)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("axis", AXIS, ids=repr)
def test_every_size(axis: AxisSizes) -> None:
    for height, width in ((axis, AxisSizes(4)), (AxisSizes(1), axis), (axis, axis)):
        rules = size_rules(RunningSizes(FREE, (height, width), (height, width)), features=False)
        for size in range(1, 70):
            message = check(rules, height=size, width=size)
            assert bool(message) == (not height.fits(size) or not width.fits(size)), message


@pytest.mark.parametrize("axis", AXIS, ids=repr)
def test_the_message_names_the_nearest_sizes(axis: AxisSizes) -> None:
    rules = size_rules(RunningSizes(FREE, (axis, axis), (axis, axis)), features=False)
    for size in range(1, 70):
        if axis.fits(size):
            continue
        numbers = set(map(int, re.findall(r"\d+", check(rules, height=axis.least, width=size))))
        below = next((n for n in range(size, 0, -1) if axis.fits(n)), None)
        above = next((n for n in range(size, 200) if axis.fits(n)), None)
        assert {n for n in (below, above) if n} <= numbers


def test_rules_depend_on_what_runs() -> None:
    fixed = (AxisSizes(8, 8, fixed=True),) * 2
    heads = (AxisSizes(8, 8, (), fixed=True), AxisSizes(8, 8, (), fixed=True))
    rules = size_rules(RunningSizes((AxisSizes(3),) * 2, fixed, heads), features=True)
    assert [rule.when for rule in rules] == ["", "head"]
    sizes: dict[str, Any] = {"height": 5, "width": 8, "heads": False}
    assert check(rules, **sizes, head=False) == ""
    assert check(rules, **sizes, head=True) == (
        "Net with its head needs 8x8 pixels, got 5x8; compile the spec for this size with --input"
    )
    assert check(rules, height=2, width=8, head=False, heads=False) == (
        "Net needs at least 3x3 pixels, got 2x8"
    )


def test_auxiliary_heads_can_be_left_out() -> None:
    free, larger = (AxisSizes(4),) * 2, (AxisSizes(9),) * 2
    rules = size_rules(RunningSizes(FREE, free, larger), features=False)
    assert [rule.when for rule in rules] == ["", "heads"]
    assert check(rules, height=5, width=9, heads=False) == ""
    assert check(rules, height=5, width=9, heads=True) == (
        "Net with auxiliary heads needs at least 9x9 pixels, got 5x9; set aux_logits=False"
    )


def test_a_size_that_is_not_known_yet() -> None:
    """Only weights for a flattened map need it."""
    for fixed in (False, True):
        sizes = (AxisSizes(4, 9, (), fixed),) * 2
        rules = size_rules(RunningSizes(sizes, sizes, sizes), features=False)
        found = check(rules, height=5, width=5, unknown="True")
        assert bool(found) == fixed


def test_nothing_to_check() -> None:
    assert size_rules(RunningSizes(FREE, FREE, FREE), features=True) == ()
    assert size_rules(RunningSizes((), (), ()), features=True) == ()
    assert AXES[2] == ("height", "width")
