"""The Pareto front: the points with the least of x for the most of y."""

from __future__ import annotations

from bisect import bisect_left, bisect_right


class Front:
    """The points that no other point beats, of those that were added.

    A point beats another if it has no more of x and no less of y, and is not the same point. No
    other points are kept.
    """

    def __init__(self) -> None:  # in both lists the numbers increase
        self._xs: list[int] = []
        self._ys: list[int] = []

    def add(self, x: int, y: int) -> None:
        """Add a point; the points that it beats are dropped."""
        after = bisect_right(self._xs, x)
        if after and self._ys[after - 1] >= y:
            return
        start = bisect_left(self._xs, x)
        end = max(start, bisect_right(self._ys, y))
        self._xs[start:end], self._ys[start:end] = [x], [y]

    def __contains__(self, point: tuple[int, int]) -> bool:
        index = bisect_left(self._xs, point[0])
        return (*self._xs[index : index + 1], *self._ys[index : index + 1]) == point

    @property
    def points(self) -> list[tuple[int, int]]:
        """The front, by x."""
        return list(zip(self._xs, self._ys, strict=True))
