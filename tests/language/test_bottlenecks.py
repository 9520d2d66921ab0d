"""W405 in networks with several pools before wider steps."""

from __future__ import annotations

import pytest
from warned import Warned

HEAD = "network: n\ninput: {channels: 3, height: 128, width: 128}\n"


@pytest.mark.parametrize(
    ("count", "more"),
    [
        (1, ""),
        (2, "; so does `p1`"),
        (3, "; so do `p1`, `p2`"),
        (5, "; so do `p1`, `p2`, `p3` and 1 more"),
    ],
)
def test_bottlenecks_are_one_report(count: int, more: str, warned: Warned) -> None:
    """It names the other pools and shows three of them."""
    steps = ", ".join(
        f"{{op: max_pool, name: p{n}, kernel_size: 2, stride: 2}}, "
        f"{{op: conv, name: c{n}, filters: {2 ** (n + 2)}, kernel_size: 3}}"
        for n in range(count)
    )
    stem = "stem: [{op: conv, filters: 2, kernel_size: 3}]\n"
    (found,) = warned(f"{HEAD}{stem}body: [{steps}]")
    assert found.code == "W405"
    assert found.message.partition(": a bottleneck")[2] == more
    assert len(found.related) == 1 + min(count - 1, 3)
