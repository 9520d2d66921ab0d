"""Windows against brute force (every position counted), tensor types, weights, free text."""

from __future__ import annotations

import functools
import itertools
import random

import pytest

from inception_dsl.types.prose import Prose
from inception_dsl.types.tensor import ShapeError, TensorType
from inception_dsl.types.terms import Symbol, of
from inception_dsl.types.traced import Traced, term_of
from inception_dsl.types.weight import Weight
from inception_dsl.types.window import Pixels, Window

KERNELS, STRIDES, DILATIONS = (1, 2, 3, 5, 7), (1, 2, 3), (1, 2)


EVERY = list(itertools.product(KERNELS, STRIDES, DILATIONS))


@pytest.mark.parametrize(("kernel", "stride", "dilation"), EVERY)
def test_explicit_padding_counts_the_windows_that_fit(
    kernel: int, stride: int, dilation: int
) -> None:
    for size, before, after in itertools.product(range(1, 20), range(3), range(3)):
        window = Window(kernel, stride, dilation, (before, after))
        padded = before + size + after
        fitting = [s for s in range(0, padded, stride) if s + (kernel - 1) * dilation < padded]
        if not fitting:
            with pytest.raises(ShapeError):
                window.output(size)
        else:
            assert window.output(size) == len(fitting)


@pytest.mark.parametrize(("kernel", "stride"), list(itertools.product(KERNELS, STRIDES)))
def test_ceil_mode_counts_windows_that_start_inside(kernel: int, stride: int) -> None:
    for size, pad in itertools.product(range(1, 20), range((kernel + 1) // 2)):
        if size + 2 * pad < kernel:
            continue
        window = Window(kernel, stride, padding=(pad, pad), ceil_mode=True)
        starts = [0]
        while starts[-1] + kernel < size + 2 * pad:  # Caffe: until the end is covered ...
            starts.append(starts[-1] + stride)
        if starts[-1] >= size + pad:  # ... but no window starts in the padding at the end
            starts.pop()
        if stride <= kernel:
            assert window.output(size) == len(starts), (size, pad)


@pytest.mark.parametrize(("kernel", "stride", "dilation"), EVERY)
def test_same_is_the_rule_of_tensorflow(kernel: int, stride: int, dilation: int) -> None:
    for size in range(1, 40):
        window = Window(kernel, stride, dilation)
        outputs = -(-size // stride)
        before, after = window.pads(size)
        assert window.output(size) == outputs
        assert after - before in (0, 1)
        assert Window(kernel, stride, dilation, (before, after)).output(size) == outputs
        if before + after:  # no pixel too many
            assert before + after == (outputs - 1) * stride + (kernel - 1) * dilation + 1 - size


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pads"),
    [(224, 7, 2, (2, 3)), (112, 3, 2, (0, 1)), (299, 3, 2, (1, 1)), (28, 5, 1, (2, 2))],
)
def test_known_paddings(size: int, kernel: int, stride: int, pads: tuple[int, int]) -> None:
    assert Window(kernel, stride).pads(size) == pads


def all_windows() -> list[Window]:
    same = [Window(k, s, d) for k, s, d in itertools.product(KERNELS, STRIDES, DILATIONS)]
    plain = [
        Window(k, s, d, p, c)
        for k, s, d, p, c in itertools.product(
            KERNELS, STRIDES, DILATIONS, ((0, 0), (0, 1), (1, 0), (1, 1)), (False, True)
        )
    ]
    return same + [w for w in plain if not w.ceil_mode or w.padding == (0, 0) or w.kernel > 1]


@pytest.mark.parametrize("window", all_windows(), ids=str)
def test_pixels_are_the_outputs_of_every_size_that_fits(window: Window) -> None:
    for size in range(1, 60):
        try:
            outputs = window.output(size)
        except ShapeError:
            assert size < window.least
        else:
            assert size >= window.least
            assert window.pixels.at(size) == outputs


@pytest.mark.parametrize("first", all_windows()[::7], ids=str)
def test_windows_in_a_row_are_one_function(first: Window) -> None:
    for second in all_windows()[::11]:
        both = first.pixels.then(second.pixels)
        for size in range(first.pixels.least(second.least), 70):
            if size >= first.least:
                assert both.at(size) == second.output(first.output(size))
        for wanted in (1, 2, 5):
            least = both.least(wanted)
            assert both.at(least) >= wanted
            assert least == 1 or both.at(least - 1) < wanted


def test_a_constant_number_of_pixels() -> None:
    four = Pixels(4, 0)
    assert (four.at(9), Pixels(1, 2).then(four)) == (4, four)
    assert four.then(Pixels(1, 2)) == Pixels(2, 0)


@pytest.mark.parametrize("seed", range(300))
def test_layers_that_enlarge_a_map_are_functions_too(seed: int) -> None:
    rng = random.Random(seed)
    layers = [
        Pixels(rng.randint(-4, 4), rng.choice((1, 1, 2, 3, 4, 6)), rng.choice((1, 1, 2, 3, 4)))
        for _ in range(rng.randint(1, 6))
    ]
    both = functools.reduce(Pixels.then, layers)
    other = layers[0].then(functools.reduce(Pixels.then, layers[1:], Pixels()))
    inputs, outputs = both.cycle
    for size in range(1, 80):
        pixels = functools.reduce(lambda n, layer: layer.at(n), layers, size)
        assert both.at(size) == other.at(size) == pixels
        assert both.at(size + inputs) == pixels + outputs
    for wanted in range(1, 12):
        least = both.least(wanted)
        assert both.at(least) >= wanted
        assert least == 1 or both.at(least - 1) < wanted


def test_the_form_of_a_function_is_short() -> None:
    half, double = Pixels(0, 2), Pixels(0, 1, 2)
    assert double.then(half) == Pixels()
    assert half.then(double) == Pixels(0, 1, 2, half)
    assert half.then(double).then(half) == half
    assert half.then(half).then(double).then(double) == Pixels(0, 1, 4, Pixels(0, 4))
    assert half.then(double).depth == 2
    assert double.then(Pixels(1, 0)) == Pixels(1, 0)
    assert Pixels(5, 0).then(double) == Pixels(10, 0)


@pytest.mark.parametrize("window", all_windows(), ids=str)
def test_constant_padding_is_the_padding_of_every_size(window: Window) -> None:
    every = {window.pads(size) for size in range(window.extent, 60)}
    if window.constant_pads is not None:
        assert every == {window.constant_pads}
    else:
        assert len(every) > 1


N = Symbol("n")


@pytest.mark.parametrize("window", all_windows(), ids=str)
def test_a_traced_size_gives_the_same_outputs_as_a_plain_one(window: Window) -> None:
    """Its term also has the value for all other sizes, unless `ceil_mode` is set."""
    for size in range(window.extent, 40):
        found = window.output(Traced(size, of(N)))
        assert found == window.output(size)
        term = term_of(found)
        assert term is not None and term.evaluate({N: size}) == found
        if not window.ceil_mode:
            others = [window.output(other) for other in range(window.extent, 40)]
            assert [term.evaluate({N: n}) for n in range(window.extent, 40)] == others


def test_tensor_types() -> None:
    x = TensorType((28, 14), 192)
    assert (x.rank, x.shape, x.positions(), str(x)) == (2, (28, 14, 192), 392, "28x14x192")
    assert TensorType((), 5).positions() == 1
    assert (str(TensorType((), 5)), TensorType((), 5).rank) == ("5", 0)


def test_the_defaults_of_a_window() -> None:
    assert Window(3) == Window(3, 1, 1, "same", False)
    assert Window(3).output(9) == 9


def test_the_error_of_a_window_that_is_too_large() -> None:
    with pytest.raises(
        ShapeError, match=r"spans 9 pixels .*, but the input has only 5 \+ 3 of padding"
    ) as error:
        Window(5, 1, 2, (1, 2)).output(5)
    assert (error.value.field, error.value.code, error.value.help) == ("kernel_size", "E401", "")


@pytest.mark.parametrize(
    ("dilation", "dilated"),
    [
        (1, ""),
        (2, " (kernel size 5, dilation 2)"),
        (3, " (kernel size 5, dilation 3)"),
    ],
)
def test_the_error_of_a_dilated_window_names_the_dilation(dilation: int, dilated: str) -> None:
    window = Window(5, 1, dilation, (0, 0))
    with pytest.raises(ShapeError) as error:
        window.output(3)
    spans = f"the window spans {window.extent} pixels{dilated}"
    assert str(error.value) == f"{spans}, but the input has only 3"


def test_the_defaults_of_a_shape_error() -> None:
    error = ShapeError("it does not fit")
    assert (str(error), error.field, error.code, error.help) == ("it does not fit", "", "E403", "")
    assert (error.write, ShapeError("it does not", write="3").write) == ("", "3")


def test_free_text_cannot_be_formatted_into_a_string() -> None:
    assert (bool(Prose("x")), bool(Prose("")), bool(Prose()), Prose().plain) == (
        True,
        False,
        False,
        "",
    )
    for use in (str, "{}".format, "{:>9}".format, lambda text: f"{text!s}"):
        with pytest.raises(TypeError, match="free text of a spec must be emitted as a literal"):
            use(Prose("x"))


def test_the_size_of_a_weight() -> None:
    assert Weight("kernel", (3, 3, 4, 8)).size == 288
    assert Weight("scalar", ()).size == 1
    assert Weight("moving_mean", (8,)).trainable


@pytest.mark.parametrize(
    ("kernel", "dilation", "padding"),
    [(7, 1, (0, 0)), (7, 2, (1, 0)), (5, 3, (2, 2)), (3, 1, (9, 9))],
)
def test_the_largest_kernel_that_fits(kernel: int, dilation: int, padding: tuple[int, int]) -> None:
    for size in range(1, 25):
        fitting = [k for k in range(1, kernel + 1) if (k - 1) * dilation + 1 <= size + sum(padding)]
        assert Window(kernel, 1, dilation, padding).fitting(size) == max(fitting)
    assert Window(kernel, 1, dilation).fitting(1) == kernel
