"""The rules of each op: errors and their fields, shapes, weights and cost."""

from __future__ import annotations

from typing import Any

import pytest
from steps import op

from inception_dsl.ops import OPS, expressions
from inception_dsl.ops.base import Sliding, _windows
from inception_dsl.ops.fields.refusal import shown
from inception_dsl.ops.groups import divides, fewer_groups
from inception_dsl.types.expression import Expression
from inception_dsl.types.tensor import ShapeError, TensorType
from inception_dsl.types.traced import Traced


@pytest.mark.parametrize(
    ("text", "x", "field", "words"),
    [
        ("conv, filters: 4, kernel_size: 3", (), "", "spatial 6"),
        ("depthwise_conv, kernel_size: 3", (), "", "spatial 6"),
        ("max_pool, kernel_size: 3", (), "", "spatial 6"),
        ("global_avg_pool", (), "", "spatial 6"),
        ("global_max_pool, over: channels", (), "", "spatial 6"),
        ("adaptive_avg_pool, output_size: 1", (), "", "spatial 6"),
        ("zero_pad, padding: 1", (), "", "spatial 6"),
        ("conv, filters: 4, kernel_size: [3, 3, 3]", (9, 9), "kernel_size", "`kernel_size` 3 2"),
        ("conv, filters: 4, kernel_size: 3, stride: [1]", (9, 9), "stride", "`stride` 1 2"),
        ("conv, filters: 4, kernel_size: 3, dilation: [1]", (9, 9), "dilation", "`dilation` 1 2"),
        ("conv, filters: 4, kernel_size: 3, padding: [1]", (9, 9), "padding", "`padding` 1 2"),
        ("zero_pad, padding: [[1, 1]]", (9, 9), "padding", "`padding` 1 2"),
        ("adaptive_avg_pool, output_size: [1]", (9, 9), "output_size", "`output_size` 1 2"),
        ("conv, filters: 4, kernel_size: 1, groups: 4", (9,), "groups", "4 6 channels"),
        ("conv, filters: 4, kernel_size: 1, groups: 3", (9,), "groups", "3 4 filters"),
        ("group_norm, groups: 4", (9,), "groups", "4 6 channels"),
        ("max_pool, kernel_size: 3, ceil_mode: true", (9,), "ceil_mode", "`padding: same`"),
        ("max_pool, kernel_size: 3, padding: 2", (9,), "padding", "2 3"),
        ("max_pool, kernel_size: 4, padding: [[3, 0]]", (9,), "padding", "3 4"),
        ("max_pool, kernel_size: 4, padding: [[0, 3]]", (9,), "padding", "3 4"),
        ("max_pool, kernel_size: [2, 4], padding: [2, 2]", (9, 9), "padding", "2 2"),
        (
            "max_pool, kernel_size: 4, padding: [[1, 2]], ceil_mode: true",
            (9,),
            "ceil_mode",
            "before after",
        ),
    ],
)
def test_the_errors(text: str, x: tuple[int, ...], field: str, words: str) -> None:
    with pytest.raises(ShapeError) as error:
        op(text).infer(TensorType(x, 6))
    assert (error.value.field, error.value.code) == (field, "E403")
    assert all(word in str(error.value) for word in words.split()), error.value


BEFORE = "put it before the step that removes the spatial axes (`flatten`, global pooling)"


@pytest.mark.parametrize(
    ("text", "x", "write", "help"),
    [
        ("conv, filters: 4, kernel_size: 3", (), "", BEFORE),
        ("conv, filters: 4, kernel_size: [3, 3, 3]", (9, 9), "3", ""),
        ("conv, filters: 4, kernel_size: [3, 1, 3]", (9, 9), "", ""),
        ("conv, filters: 4, kernel_size: 3, stride: [2]", (9, 9), "2", ""),
        ("conv, filters: 4, kernel_size: 3, padding: [1]", (9, 9), "1", ""),
        ("conv, filters: 4, kernel_size: 3, padding: [[2, 2], [2, 2], [2, 2]]", (9, 9), "2", ""),
        ("conv, filters: 4, kernel_size: 3, padding: [[1, 2]]", (9, 9), "", ""),
        ("zero_pad, padding: [1, 1, 2]", (9, 9), "", ""),
        ("conv, filters: 4, kernel_size: 1, groups: 4", (9,), "2", ""),
        ("conv, filters: 9, kernel_size: 1, groups: 4", (9,), "3", ""),
        ("conv, filters: 5, kernel_size: 1, groups: 2", (9,), "1", ""),
        ("conv, filters: 4, kernel_size: 1, groups: 3", (9,), "2", ""),
        ("conv, filters: 8, kernel_size: 1, groups: 6", (9,), "2", ""),
        ("group_norm, groups: 4", (9,), "3", ""),
        ("group_norm, groups: 40", (9,), "6", ""),
        ("max_pool, kernel_size: 3, ceil_mode: true", (9,), "false", ""),
        ("max_pool, kernel_size: 3, padding: 2", (9,), "1", "use a padding of at most 1"),
        ("max_pool, kernel_size: 7, padding: 4", (9,), "3", "use a padding of at most 3"),
        ("max_pool, kernel_size: 4, padding: [[3, 0]]", (9,), "", "use a padding of at most 2"),
        ("max_pool, kernel_size: 4, padding: [[1, 2]], ceil_mode: true", (9,), "", ""),
    ],
)
def test_the_suggested_value(text: str, x: tuple[int, ...], write: str, help: str) -> None:
    with pytest.raises(ShapeError) as error:
        op(text).infer(TensorType(x, 6))
    assert (error.value.write, error.value.help) == (write, help)


@pytest.mark.parametrize(
    ("text", "x", "write"),
    [
        ("max_pool, kernel_size: 7, padding: valid", (5, 9), "5"),
        ("max_pool, kernel_size: [7, 7], padding: valid", (5, 9), "[5, 7]"),
        ("max_pool, kernel_size: 9, padding: valid", (8, 6), "6"),
        ("conv, filters: 2, kernel_size: 5, dilation: 3, padding: [[1, 0]]", (8,), "3"),
    ],
)
def test_the_largest_kernel_is_suggested(text: str, x: tuple[int, ...], write: str) -> None:
    with pytest.raises(ShapeError) as error:
        op(text).infer(TensorType(x, 6))
    found = error.value
    assert (found.write, found.field, found.code) == (write, "kernel_size", "E401")
    assert found.help.startswith(f"write `kernel_size: {write}`, the largest that fits")
    assert str(found).startswith("the window spans ")
    kernel = "[7, 7]" if "[7" in text else text.split("kernel_size: ")[1][0]
    op(text.replace(f"kernel_size: {kernel}", f"kernel_size: {write}")).infer(TensorType(x, 6))


def test_the_largest_number_of_groups() -> None:
    for groups in range(1, 30):
        for first in range(1, 30):
            assert fewer_groups(groups, first) == str(
                max(n for n in range(1, groups + 1) if first % n == 0)
            )
    assert fewer_groups(12, 18, 24) == "6"
    assert fewer_groups(12, 5, 24) == "1"
    assert fewer_groups(10**9, 4096 * 3, 4096 * 5) == "4096"
    assert fewer_groups(10**9, 4097) == "241"  # no more than 4,096 are tried


@pytest.mark.parametrize(
    ("text", "x", "y"),
    [
        ("max_pool, kernel_size: 3, padding: 1", (9,), (9,)),
        ("max_pool, kernel_size: 4, padding: [[2, 1]]", (9,), (9,)),
        ("max_pool, kernel_size: 4, stride: 2, padding: 2, ceil_mode: true", (9,), (6,)),
        ("max_pool, kernel_size: 3, stride: [2, 1], padding: valid", (9, 9), (4, 7)),
        ("conv, filters: 6, kernel_size: 3, padding: [1, 0]", (9, 9), (9, 7)),
        ("conv, filters: 6, kernel_size: 3, padding: [[1, 0], [0, 3]]", (9, 9), (8, 10)),
        ("conv, filters: 6, kernel_size: 5, padding: 0", (9,), (5,)),
        ("conv, filters: 6, kernel_size: 3, groups: 6", (9,), (9,)),
        (
            "conv_bn, filters: 6, kernel_size: 3, stride: 2, dilation: 2, padding: [[1, 0]]",
            (9,),
            (3,),
        ),
        ("conv_bn, filters: 6, kernel_size: 3, groups: 2", (9,), (9,)),
        (
            "separable_conv, filters: 6, kernel_size: 3, stride: 2, dilation: 2, padding: valid",
            (9,),
            (3,),
        ),
        ("depthwise_conv, kernel_size: [3, 1], dilation: [2, 1], padding: valid", (9, 9), (5, 9)),
        ("zero_pad, padding: [[1, 2], [0, 4]]", (9, 9), (12, 13)),
        ("global_avg_pool, keepdims: true", (9, 4), (1, 1)),
        ("adaptive_avg_pool, output_size: [3, 2]", (9, 4), (3, 2)),
        ("group_norm, groups: 3", (), ()),
        ("layer_norm", (), ()),
    ],
)
def test_shapes(text: str, x: tuple[int, ...], y: tuple[int, ...]) -> None:
    assert op(text).infer(TensorType(x, 6)) == TensorType(y, 6)


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        (
            "conv, filters: 8, kernel_size: [1, 7], groups: 2",
            {"kernel": (1, 7, 3, 8), "bias": (8,)},
        ),
        (
            "conv_bn, filters: 8, kernel_size: 3, groups: 2",
            {
                "conv/kernel": (3, 3, 3, 8),
                **dict.fromkeys(
                    ("bn/gamma", "bn/beta", "bn/moving_mean", "bn/moving_variance"), (8,)
                ),
            },
        ),
        (
            "separable_conv, filters: 8, kernel_size: 3, use_bias: false",
            {"depthwise/kernel": (3, 3, 6, 1), "pointwise/kernel": (1, 1, 6, 8)},
        ),
        (
            "depthwise_conv, kernel_size: 3, depth_multiplier: 3, use_bias: false",
            {"kernel": (3, 3, 6, 3)},
        ),
        (
            "depthwise_conv, kernel_size: 3, depth_multiplier: 3",
            {"kernel": (3, 3, 6, 3), "bias": (18,)},
        ),
        ("group_norm, groups: 2, scale: false", {"beta": (6,)}),
        ("group_norm, groups: 2, center: false", {"gamma": (6,)}),
        ("layer_norm, center: false", {"gamma": (6,)}),
        (
            "batch_norm, center: false",
            {"gamma": (6,), "moving_mean": (6,), "moving_variance": (6,)},
        ),
        ("batch_norm, scale: false", {"beta": (6,), "moving_mean": (6,), "moving_variance": (6,)}),
        ("dense, units: 5", {"kernel": (6, 5), "bias": (5,)}),
        ("max_pool, kernel_size: 3", {}),
    ],
)
def test_weights(text: str, weights: dict[str, tuple[int, ...]]) -> None:
    found = op(text).weights(TensorType((9, 9), 6))
    assert {w.name: w.shape for w in found} == weights
    assert {w.name for w in found if not w.trainable} == {n for n in weights if "moving" in n}


@pytest.mark.parametrize(
    ("text", "least", "outputs"),
    [
        ("identity", 1, 9),
        ("activation, function: relu", 1, 9),
        ("global_max_pool", 1, 1),
        ("global_max_pool, over: channels", 1, 9),
        ("adaptive_avg_pool, output_size: 5", 1, 5),
        ("zero_pad, padding: [[1, 1], [1, 2]]", 1, 12),
        ("conv, filters: 1, kernel_size: [1, 3], padding: valid", 3, 7),
        ("conv, filters: 1, kernel_size: 3, stride: [1, 2], padding: valid", 3, 4),
        ("conv_bn, filters: 1, kernel_size: 3, dilation: 2, padding: valid", 5, 5),
        ("separable_conv, filters: 1, kernel_size: 3, stride: 2, padding: valid", 3, 4),
        ("max_pool, kernel_size: 3, stride: 2", 1, 5),
    ],
)
def test_the_sizes_of_an_axis(text: str, least: int, outputs: int) -> None:
    """For the second of two axes, with nine pixels."""
    found, pixels = op(text).sizes(1, 2)
    assert (found, pixels.at(9)) == (least, outputs)


@pytest.mark.parametrize(
    ("text", "x", "macs"),
    [
        ("conv, filters: 8, kernel_size: 3", (4, 5), 20 * 9 * 6 * 8),
        ("conv_bn, filters: 8, kernel_size: 3, stride: 2", (4, 4), 4 * 9 * 6 * 8),
        ("separable_conv, filters: 8, kernel_size: 3", (4, 5), 20 * 9 * 6 + 20 * 6 * 8),
        ("depthwise_conv, kernel_size: 3, depth_multiplier: 2", (4, 5), 20 * 9 * 6 * 2),
        ("dense, units: 5", (4, 5), 20 * 6 * 5),
        ("batch_norm", (4, 5), 0),
        ("max_pool, kernel_size: 3", (4, 5), 0),
    ],
)
def test_multiply_adds(text: str, x: tuple[int, ...], macs: int) -> None:
    step, before = op(text), TensorType(x, 6)
    assert step.macs(before, step.infer(before)) == macs


def test_expressions_are_found_at_any_depth() -> None:
    step = op("conv_bn, filters: $a, kernel_size: [1, $b], batch_norm: {epsilon: $c}")
    found = [e.text for value in step.attributes().values() for e in expressions(value)]
    assert sorted(found) == ["$a", "$b", "$c"]
    assert expressions(7) == expressions("same") == expressions(((0, 1), (2, 3))) == []
    assert expressions([Expression("$a", ())]) == [Expression("$a", ())]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "`true`"),
        (8, "`8`"),
        ("same", "`same`"),
        ("$n", "`$n`"),
        ("1x7", "`1x7`"),
        ("8", 'the string `"8"`'),
        ("-0.5", 'the string `"-0.5"`'),
        ("1e-3", 'the string `"1e-3"`'),
        ("true", 'the string `"true"`'),
        ("", 'the string `""`'),
        ([1, "a"], "the list `[1, a]`"),
        ({"a": 1}, "a mapping"),
        ("x" * 50, f"`{'x' * 40}`"),
        ("7" * 50, f"`{'7' * 40}`"),
    ],
)
def test_values_in_messages(value: object, text: str) -> None:
    assert shown(value) == text


def test_divisibility() -> None:
    for value in range(1, 40):
        for divisor in range(1, 40):
            assert divides(value, divisor) == (value in range(0, value + 1, divisor))


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("relu", 0.0),
        ("leaky_relu", 0.01),
        ("elu", 1.0),
        ("leaky_relu, alpha: 0.3", 0.3),
        ("elu, alpha: 0", 0.0),
    ],
)
def test_slopes(text: str, slope: float) -> None:
    assert op(f"activation, function: {text}").slope == slope  # type: ignore[attr-defined]


@pytest.mark.parametrize("kernel", [3, (3, 5)])
def test_a_number_with_a_term_does_not_become_the_window_of_others(kernel: Any) -> None:
    """It is equal to the plain number, so a cache of windows would confuse them."""
    op = OPS["conv"].model_validate({"op": "conv", "filters": 4, "kernel_size": 3})
    sizes = kernel if isinstance(kernel, tuple) else (kernel,) * 2
    traced = tuple(Traced(size, None) for size in sizes)
    other = op.model_copy(update={"kernel_size": traced if len({*sizes}) > 1 else traced[0]})
    _windows.cache_clear()
    assert isinstance(other, Sliding)
    assert [type(window.kernel) for window in other.windows(2)] == [Traced, Traced]
    plain = op.model_copy(update={"kernel_size": kernel})
    assert isinstance(plain, Sliding)
    assert [type(window.kernel) for window in plain.windows(2)] == [int, int]
