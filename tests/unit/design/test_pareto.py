"""Tests the Pareto front against the definition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inception_dsl.design.pareto import Front

Point = tuple[int, int]
points = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40)


def beats(one: Point, other: Point) -> bool:
    return one != other and one[0] <= other[0] and one[1] >= other[1]


@given(points)
def test_no_point_beats_those_on_the_front(found: list[Point]) -> None:
    front = Front()
    for point in found:
        front.add(*point)
    wanted = {one for one in found if not any(beats(other, one) for other in found)}
    assert front.points == sorted(wanted)
    assert {one for one in {*found, (3, 4)} if one in front} == wanted
