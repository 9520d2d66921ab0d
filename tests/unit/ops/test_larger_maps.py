"""The rules of ``upsample`` and ``conv_transpose``: errors, shapes, sizes, weights, cost."""

from __future__ import annotations

import pytest
from steps import op

from inception_dsl.ops import OPS, ConvTranspose, Upsample
from inception_dsl.types.tensor import ShapeError, TensorType
from inception_dsl.types.window import Window

CONV = "conv_transpose, filters: 6, kernel_size"


@pytest.mark.parametrize(
    ("text", "x", "field", "words", "write"),
    [
        (f"{CONV}: 2", (), "", "spatial 6", ""),
        ("upsample, factor: 2", (), "", "spatial 6", ""),
        ("upsample, factor: [2]", (9, 9), "factor", "`factor` 1 2", "2"),
        ("upsample, size: [2, 2]", (9,), "size", "`size` 2 1", "2"),
        ("upsample, size: 4, factor: 2", (9,), "size", "both", ""),
        (
            "upsample, factor: 2, align_corners: true",
            (9,),
            "align_corners",
            "`method: linear`",
            "false",
        ),
        (f"{CONV}: 3, groups: 4", (9,), "groups", "4 6 channels", "3"),
        ("conv_transpose, filters: 4, kernel_size: 3, groups: 3", (9,), "groups", "3 filters", "2"),
        (
            f"{CONV}: 3, stride: 2, output_padding: 1",
            (9,),
            "output_padding",
            "`padding: same`",
            "0",
        ),
        (
            f"{CONV}: 3, stride: 2, padding: 1, output_padding: 2",
            (9,),
            "output_padding",
            "2 stride 2",
            "1",
        ),
        (
            f"{CONV}: 3, dilation: 3, padding: 1, output_padding: 3",
            (9,),
            "output_padding",
            "3 dilation 3",
            "2",
        ),
        (
            f"{CONV}: 3, padding: 1, output_padding: [0, 0, 0]",
            (2, 2),
            "output_padding",
            "`output_padding` 3 2",
            "0",
        ),
        (f"{CONV}: 3, padding: 2", (2,), "padding", "4 4", ""),
        (f"{CONV}: 3, padding: [[3, 3]]", (1,), "padding", "6 3", ""),
    ],
)
def test_the_errors(text: str, x: tuple[int, ...], field: str, words: str, write: str) -> None:
    with pytest.raises(ShapeError) as error:
        op(text).infer(TensorType(x, 6))
    found = error.value
    assert (found.field, found.code, found.write) == (field, "E403", write)
    assert all(word in str(found) for word in words.split()), found


def test_upsample_needs_a_factor_or_a_size() -> None:
    with pytest.raises(ShapeError, match="needs a `factor` or a `size`") as error:
        op("upsample").infer(TensorType((9, 9), 6))
    assert (error.value.code, error.value.help) == ("E202", "write `factor: 2`")


def test_a_default_factor_does_not_exclude_a_size() -> None:
    defaults = {"upsample": {"factor": 2, "method": "linear"}}
    one, other = (op(f"upsample{text}").filled(defaults) for text in (", size: 5", ""))
    assert isinstance(one, Upsample)
    assert isinstance(other, Upsample)
    assert (one.factor, one.size, one.method) == (None, 5, "linear")
    assert (other.factor, other.size) == (2, None)


@pytest.mark.parametrize(
    ("text", "x", "y"),
    [
        (f"{CONV}: 2, stride: 2", (9, 4), (18, 8)),
        (f"{CONV}: 1, stride: 3", (9,), (27,)),
        (f"{CONV}: 1, stride: 3, padding: valid", (9,), (25,)),
        (f"{CONV}: 5, stride: 2, padding: valid", (9,), (21,)),
        (
            f"{CONV}: 3, stride: [2, 3], padding: [[1, 0], [1, 1]], output_padding: [1, 2]",
            (9, 4),
            (19, 12),
        ),
        (f"{CONV}: 3, dilation: 2, padding: 1", (4,), (6,)),
        ("upsample, factor: [1, 3]", (9, 4), (9, 12)),
        ("upsample, size: [4, 5], method: linear, align_corners: true", (9, 4), (4, 5)),
    ],
)
def test_shapes(text: str, x: tuple[int, ...], y: tuple[int, ...]) -> None:
    assert op(text).infer(TensorType(x, 6)) == TensorType(y, 6)


@pytest.mark.parametrize(
    ("text", "least", "outputs"),
    [
        ("upsample, factor: [1, 3]", 1, 27),
        ("upsample, size: 4", 1, 4),
        (f"{CONV}: 3, stride: 2", 1, 18),
        (f"{CONV}: 3, stride: 2, padding: 3", 3, 13),
        (f"{CONV}: 2, stride: 2, padding: valid", 1, 18),
    ],
)
def test_the_sizes_of_an_axis(text: str, least: int, outputs: int) -> None:
    """For the second of two axes, with nine pixels."""
    found, pixels = op(text).sizes(1, 2)
    assert (found, pixels.at(9)) == (least, outputs)


def test_same_is_the_transpose_of_a_convolution_with_same() -> None:
    """It cuts off what the convolution pads on a map of the output's size."""
    for kernel in range(1, 8):
        for stride in range(1, 5):
            window = Window(kernel, stride)
            before, after = window.crops
            assert window.transposed(9) == 9 * stride
            assert window.output(9 * stride) == 9
            assert (before, max(after, 0)) == window.pads(9 * stride)


def test_weights_and_multiply_adds() -> None:
    step = op("conv_transpose, filters: 8, kernel_size: [3, 2], stride: 2, groups: 2")
    x = TensorType((4, 5), 6)
    assert isinstance(step, ConvTranspose)
    assert {w.name: w.shape for w in step.weights(x)} == {"kernel": (3, 2, 4, 6), "bias": (8,)}
    assert step.macs(x, step.infer(x)) == 20 * 6 * 4 * 6
    assert not OPS["upsample"].channels_field
