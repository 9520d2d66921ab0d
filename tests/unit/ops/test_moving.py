"""The rules of ops that move values, and of the softmax over parts, for 6 channels."""

from __future__ import annotations

import pytest
from steps import op

from inception_dsl.types.tensor import ShapeError, TensorType


@pytest.mark.parametrize(
    ("text", "x", "field", "words"),
    [
        ("crop, cropping: 1", (), "", "spatial 6"),
        ("crop, cropping: [1]", (9, 9), "cropping", "`cropping` 1 2"),
        ("crop, cropping: [[4, 5]]", (9,), "cropping", "9 pixels"),
        ("crop, cropping: [1, 2]", (9, 4), "cropping", "4 pixels only 4"),
        ("space_to_depth, block_size: 2", (), "", "spatial 6"),
        ("space_to_depth, block_size: 2", (8, 9), "block_size", "9 pixels 2"),
        ("depth_to_space, block_size: 2", (), "", "spatial 6"),
        ("depth_to_space, block_size: 2", (8, 9), "block_size", "6 4 2x2"),
        ("channel_shuffle, groups: 4", (), "groups", "4 6 channels"),
        ("activation, function: softmax, parts: 4", (9,), "parts", "6 4 parts"),
        ("activation, function: relu, parts: 2", (9,), "parts", "`function: softmax`"),
    ],
)
def test_the_errors(text: str, x: tuple[int, ...], field: str, words: str) -> None:
    with pytest.raises(ShapeError) as error:
        op(text).infer(TensorType(x, 6))
    assert (error.value.field, error.value.code) == (field, "E403")
    assert all(word in str(error.value) for word in words.split()), error.value


@pytest.mark.parametrize(
    ("text", "x", "write", "help"),
    [
        ("channel_shuffle, groups: 5", (9,), "3", ""),
        ("activation, function: softmax, parts: 4", (9,), "3", ""),
        ("activation, function: relu, parts: 2", (9,), "", "remove `parts`"),
        ("crop, cropping: 5", (9,), "", "cut off less, or use a larger input"),
        ("space_to_depth, block_size: 4", (9, 6), "3", ""),
        ("space_to_depth, block_size: 3", (8, 9), "", "put a `zero_pad` or a `crop` before it"),
        ("depth_to_space, block_size: 4", (9,), "3", ""),
        ("depth_to_space, block_size: 2", (9, 9), "", "use a multiple of 4 channels"),
    ],
)
def test_the_help(text: str, x: tuple[int, ...], write: str, help: str) -> None:
    """A value that is suggested fits."""
    step = op(text)
    with pytest.raises(ShapeError) as error:
        step.infer(TensorType(x, 6))
    assert (error.value.write, error.value.help) == (write, help)
    if write:
        step.model_copy(update={error.value.field: int(write)}).infer(TensorType(x, 6))


@pytest.mark.parametrize(
    ("text", "least", "outputs"),
    [
        ("crop, cropping: [[1, 1], [1, 2]]", 4, 6),
        ("space_to_depth, block_size: 3", 3, 3),
        ("depth_to_space, block_size: 3", 1, 27),
    ],
)
def test_the_sizes_of_an_axis(text: str, least: int, outputs: int) -> None:
    """For the second of two axes, with nine pixels."""
    found, pixels = op(text).sizes(1, 2)
    assert (found, pixels.at(9)) == (least, outputs)
