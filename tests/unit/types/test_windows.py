"""Windows against their definition: every position is counted."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from inception_dsl.types.tensor import ShapeError
from inception_dsl.types.window import Window

KERNELS, STRIDES, DILATIONS, PADS, SIZES = (
    st.integers(*r) for r in ((1, 9), (1, 5), (1, 4), (0, 9), (1, 60))
)


def starts(window: Window, size: int, before: int, after: int) -> list[int]:
    """The start of every window that lies inside the padded axis."""
    return [
        i
        for i in range(0, before + size + after, window.stride)
        if i + window.extent <= before + size + after
    ]


@given(KERNELS, STRIDES, DILATIONS, PADS, PADS, SIZES)
def test_explicit_padding(
    kernel: int, stride: int, dilation: int, before: int, after: int, size: int
) -> None:
    window = Window(kernel, stride, dilation, (before, after))
    assert window.extent == len(range((kernel - 1) * dilation + 1))
    wanted = starts(window, size, before, after)
    if not wanted:
        with pytest.raises(ShapeError) as error:
            window.output(size)
        assert error.value.code == "E401"
        return
    assert window.output(size) == len(wanted)
    assert window.pads(size) == window.constant_pads == (before, after)


@given(KERNELS, STRIDES, DILATIONS, SIZES)
def test_same(kernel: int, stride: int, dilation: int, size: int) -> None:
    """TensorFlow's rule: ``ceil(size / stride)`` outputs, least padding, odd pixel at the end."""
    window = Window(kernel, stride, dilation)
    before, after = window.pads(size)
    assert (
        window.output(size)
        == len(range(0, size, stride))
        == len(starts(window, size, before, after))
    )
    assert after - before in (0, 1)
    if before + after:
        assert len(starts(window, size, 0, before + after - 1)) < window.output(size)
    if window.constant_pads is not None:
        assert window.constant_pads == (before, after)


@given(KERNELS, STRIDES, st.integers(0, 4), SIZES)
def test_ceil_mode(kernel: int, stride: int, pad: int, size: int) -> None:
    """A last window may extend beyond the end, but must start inside the map."""
    assume(pad <= kernel // 2 and size + 2 * pad >= kernel)
    window = Window(kernel, stride, 1, (pad, pad), ceil_mode=True)
    floor = starts(window, size, pad, pad)
    more = floor[-1] + kernel < size + 2 * pad and floor[-1] + stride < pad + size
    assert window.output(size) == len(floor) + more


@given(
    KERNELS,
    STRIDES,
    DILATIONS,
    st.one_of(st.just("same"), st.tuples(PADS, PADS)),
    st.booleans(),
    st.integers(1, 20),
)
def test_the_smallest_axis_with_so_many_outputs(
    kernel: int, stride: int, dilation: int, padding: object, ceil: bool, outputs: int
) -> None:
    ceil = ceil and isinstance(padding, tuple) and padding[0] == padding[1] <= kernel // 2
    window = Window(kernel, stride, dilation, padding, ceil)  # type: ignore[arg-type]
    least = max(window.least, window.pixels.least(outputs))
    assert least >= 1
    assert int(window.output(least)) >= outputs  # type: ignore[arg-type]
    if least > 1:
        with suppress(ShapeError):
            assert int(window.output(least - 1)) < outputs  # type: ignore[arg-type]
