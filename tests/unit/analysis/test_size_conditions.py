"""Conditions on sizes, compared with the definition of each condition for every size."""

from __future__ import annotations

import math
import random

import pytest

from inception_dsl.analysis.size_conditions import AxisSizes, Conditions, Gap, Piece, axis_sizes
from inception_dsl.types.tensor import MAX_SIZE
from inception_dsl.types.window import Pixels


@pytest.mark.parametrize("seed", range(200))
@pytest.mark.parametrize(("longest", "above"), [(12, 400), (3_000, 9_000)], ids=["short", "long"])
def test_random_conditions(seed: int, longest: int, above: int) -> None:
    rng = random.Random(seed)
    conditions, pairs, exact = Conditions(), [], []
    for _ in range(rng.randint(0, 3)):
        stride = rng.randint(1, longest)
        one = Pixels(rng.randint(-30, 60), stride)
        other = stride if rng.random() < 0.7 else rng.randint(1, longest)
        pairs.append((one, Pixels(one.offset + rng.randint(-stride, stride), other)))
        conditions.equal(*pairs[-1])
        for pixels in pairs[-1]:
            conditions.at_least(pixels, 1)
    if rng.random() < 0.3:
        exact = [(Pixels(rng.randint(0, 30), rng.randint(1, 40)), rng.randint(1, 9))]
        conditions.exactly(*exact)
    low, least = rng.randint(2, 50), rng.randint(1, 60)
    wanted = {
        n
        for n in range(low, above)
        if all(one.at(n) == other.at(n) >= 1 for one, other in pairs)
        and all(pixels.at(n) == many for pixels, many in exact)
    }
    wanted |= set(range(least, low))
    if wanted:
        pieces = [Piece(low, math.inf, conditions), Piece(1, low - 1, Conditions(least=least))]
        found = axis_sizes(pieces)
        assert {n for n in range(1, above) if found.fits(n)} == wanted, (pairs, exact, found)


def conditions(*pairs: tuple[Pixels, Pixels], **limits: int) -> AxisSizes:
    found = Conditions(**limits)
    for pair in pairs:
        found.equal(*pair)
    return axis_sizes([Piece(1, math.inf, found)])


def test_gaps_of_several_periods() -> None:
    four, six = ((Pixels(0, s), Pixels(1, s)) for s in (4, 6))
    assert conditions(four) == AxisSizes(1, None, (Gap(3, 1, 4),))
    assert conditions(four, six) == AxisSizes(1, None, (Gap(3, 1, 4), Gap(5, 1, 6)))
    two = Pixels(0, 2), Pixels(1, 2)
    assert conditions(two, four) == AxisSizes(2, None, (Gap(3, 1, 2),))


def test_periods_whose_sizes_are_far_apart_end() -> None:
    """A search for the nearest size must end: above the largest that a spec can have, there may be
    none for as long as all periods together.
    """
    multiples = [(Pixels(0, s), Pixels(s - 1, s)) for s in (97, 101)]
    found = conditions(*multiples)
    assert (found.least, found.most) == (97 * 101, 6 * 97 * 101)
    assert [n for n in range(1, MAX_SIZE) if found.fits(n)] == list(range(9797, MAX_SIZE, 9797))
    rare = [(Pixels(0, s), Pixels(1, s)) for s in (1009, 1013)]
    found = conditions(*rare)
    assert found.most == MAX_SIZE
    assert set(found.gaps) == {Gap(1008, 1, 1009), Gap(1012, 1, 1013)}
