"""The rules of each op by itself: what it refuses and where, what it needs, what it is unless said."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from inception_dsl.diagnostics.report import Report
from inception_dsl.ops import OPS, Composite, ConvBn, Op, attribute_names, expressions
from inception_dsl.ops.base import divides, fewer_groups
from inception_dsl.types.expression import Expression, parse
from inception_dsl.types.symbolic import Symbolic
from inception_dsl.types.tensor import ShapeError, TensorType
from inception_dsl.yaml import source

N = Symbolic.name("n")


def op(text: str) -> Op:
    """The op of a step."""
    document = source.parse(f"{{op: {text}}}", "step", Report())
    assert document is not None
    return OPS[document.data["op"]].model_validate(document.data)


@pytest.mark.parametrize(
    ("text", "x", "field", "words"),
    [
        ("conv, filters: 4, kernel_size: 3", (), "", "`conv` 6"),
        ("depthwise_conv, kernel_size: 3", (), "", "`depthwise_conv` 6"),
        ("max_pool, kernel_size: 3", (), "", "`max_pool` 6"),
        ("global_avg_pool", (), "", "`global_avg_pool` 6"),
        ("adaptive_avg_pool, output_size: 1", (), "", "`adaptive_avg_pool` 6"),
        ("zero_pad, padding: 1", (), "", "`zero_pad` 6"),
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
def test_what_does_not_fit(text: str, x: tuple[int, ...], field: str, words: str) -> None:
    with pytest.raises(ShapeError) as error:
        op(text).infer(TensorType(x, 6))
    assert (error.value.field, error.value.code) == (field, "E403")
    assert all(word in str(error.value) for word in words.split()), error.value


@pytest.mark.parametrize(
    ("text", "x", "write", "help"),
    [
        ("conv, filters: 4, kernel_size: 3", (), "", ""),
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
        ("max_pool, kernel_size: 3, padding: 2", (9,), "1", "pad at most 1"),
        ("max_pool, kernel_size: 7, padding: 4", (9,), "3", "pad at most 3"),
        ("max_pool, kernel_size: 4, padding: [[3, 0]]", (9,), "", "pad at most 2"),
        ("max_pool, kernel_size: 4, padding: [[1, 2]], ceil_mode: true", (9,), "", ""),
    ],
)
def test_what_would_fit(text: str, x: tuple[int, ...], write: str, help: str) -> None:
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
def test_the_largest_kernel_is_written(text: str, x: tuple[int, ...], write: str) -> None:
    with pytest.raises(ShapeError) as error:
        op(text).infer(TensorType(x, 6))
    found = error.value
    assert (found.write, found.field, found.code) == (write, "kernel_size", "E401")
    assert found.help.startswith(f"write `kernel_size: {write}`, the largest that fits")
    assert str(found).startswith("the input has ")
    kernel = "[7, 7]" if "[7" in text else text.split("kernel_size: ")[1][0]
    op(text.replace(f"kernel_size: {kernel}", f"kernel_size: {write}")).infer(TensorType(x, 6))


def test_the_largest_number_of_groups() -> None:
    for groups in range(1, 30):
        for first in range(1, 30):
            assert fewer_groups(groups, first) == str(
                max(n for n in range(1, groups + 1) if first % n == 0)
            )
    assert fewer_groups(12, 18, 24) == "6"
    assert fewer_groups(12, N, 24) == "12"
    assert fewer_groups(N, 24) == ""
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
        ("conv, filters: 8, kernel_size: [1, 7], groups: 2", {"kernel": (1, 7, 3, 8), "bias": (8,)}),
        ("conv_bn, filters: 8, kernel_size: 3, groups: 2", {"conv/kernel": (3, 3, 3, 8), **dict.fromkeys(("bn/gamma", "bn/beta", "bn/moving_mean", "bn/moving_variance"), (8,))}),
        ("separable_conv, filters: 8, kernel_size: 3, use_bias: false", {"depthwise/kernel": (3, 3, 6, 1), "pointwise/kernel": (1, 1, 6, 8)}),
        ("depthwise_conv, kernel_size: 3, depth_multiplier: 3, use_bias: false", {"kernel": (3, 3, 6, 3)}),
        ("depthwise_conv, kernel_size: 3, depth_multiplier: 3", {"kernel": (3, 3, 6, 3), "bias": (18,)}),
        ("group_norm, groups: 2, scale: false", {"beta": (6,)}),
        ("group_norm, groups: 2, center: false", {"gamma": (6,)}),
        ("layer_norm, center: false", {"gamma": (6,)}),
        ("batch_norm, center: false", {"gamma": (6,), "moving_mean": (6,), "moving_variance": (6,)}),
        ("batch_norm, scale: false", {"beta": (6,), "moving_mean": (6,), "moving_variance": (6,)}),
        ("dense, units: 5", {"kernel": (6, 5), "bias": (5,)}),
        ("max_pool, kernel_size: 3", {}),
    ],
)  # fmt: skip
def test_weights(text: str, weights: dict[str, tuple[int, ...]]) -> None:
    found = op(text).weights(TensorType((9, 9), 6))
    assert {w.name: w.shape for w in found} == weights
    assert {w.name for w in found if not w.trainable} == {n for n in weights if "moving" in n}


@pytest.mark.parametrize(
    ("text", "outputs", "size"),
    [
        ("identity", 5, 5),
        ("activation, function: relu", 5, 5),
        ("flatten", 5, 1),
        ("global_max_pool", 5, 1),
        ("adaptive_avg_pool, output_size: 5", 5, 1),
        ("zero_pad, padding: [[1, 1], [1, 2]]", 5, 2),
        ("zero_pad, padding: 3", 5, 1),
        ("conv, filters: 1, kernel_size: [1, 3], padding: valid", 5, 7),
        ("conv, filters: 1, kernel_size: 3, stride: [1, 2], padding: valid", 5, 11),
        ("conv_bn, filters: 1, kernel_size: 3, dilation: 2, padding: valid", 5, 9),
        ("separable_conv, filters: 1, kernel_size: 3, stride: 2, padding: valid", 5, 11),
        ("max_pool, kernel_size: 3, stride: 2", 5, 9),
    ],
)
def test_the_smallest_axis_before(text: str, outputs: int, size: int) -> None:
    """Of the second of two axes."""
    assert op(text).needed(1, 2, outputs) == size


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


DEFAULTS: dict[str, dict[str, Any]] = {
    "conv": {"stride": 1, "padding": "same", "dilation": 1, "groups": 1, "use_bias": True, "activation": "none"},
    "conv_bn": {"stride": 1, "padding": "same", "dilation": 1, "groups": 1, "use_bias": False, "activation": "relu"},
    "separable_conv": {"stride": 1, "padding": "same", "dilation": 1, "depth_multiplier": 1, "use_bias": True, "activation": "none"},
    "depthwise_conv": {"stride": 1, "padding": "same", "dilation": 1, "depth_multiplier": 1, "use_bias": True, "activation": "none"},
    "max_pool": {"stride": 1, "padding": "same", "ceil_mode": False},
    "avg_pool": {"stride": 1, "padding": "same", "ceil_mode": False, "count_include_pad": False},
    "global_avg_pool": {"keepdims": False},
    "global_max_pool": {"keepdims": False},
    "adaptive_avg_pool": {},
    "dense": {"use_bias": True, "activation": "none"},
    "batch_norm": {"epsilon": 0.001, "decay": 0.99, "scale": True, "center": True},
    "layer_norm": {"epsilon": 0.00001, "scale": True, "center": True},
    "group_norm": {"epsilon": 0.00001, "scale": True, "center": True},
    "local_response_norm": {"size": 5, "alpha": 0.0001, "beta": 0.75, "k": 1.0},
    "activation": {"alpha": None, "approximate": False},
    "dropout": {},
    "flatten": {},
    "zero_pad": {},
    "scale": {},
    "identity": {},
}  # fmt: skip
FREE = {"conv": "filters", "conv_bn": "filters", "separable_conv": "filters", "dense": "units", "dropout": "rate", "scale": "value"}  # fmt: skip


@pytest.mark.parametrize("kind", OPS)
def test_what_an_op_is_unless_said(kind: str) -> None:
    required = {
        k: parse("$x")
        for k in attribute_names(OPS[kind])
        if OPS[kind].model_fields[k].is_required()
    }
    found = OPS[kind].model_validate({"op": kind, **required})
    attributes = {k: v for k, v in found.attributes().items() if k not in {*required, "batch_norm"}}
    assert attributes == DEFAULTS[kind]
    assert (found.name, found.repeat, found.deviation) == (None, 1, None)
    assert OPS[kind].free == ({FREE[kind]} if kind in FREE else set())


def test_the_batch_norm_of_a_conv_bn_unless_said() -> None:
    found = op("conv_bn, filters: 2, kernel_size: 1")
    assert isinstance(found, ConvBn)
    norm = found.batch_norm
    assert {k: getattr(norm, k) for k in DEFAULTS["batch_norm"]} == DEFAULTS["batch_norm"]
    assert norm.model_fields_set == set()


def test_the_parts_have_what_the_whole_has() -> None:
    text = "filters: 8, kernel_size: [1, 3], stride: [2, 1], padding: [[1, 0], [0, 1]], dilation: [1, 2], use_bias: true"
    shared = {
        "kernel_size": (1, 3),
        "stride": (2, 1),
        "padding": ((1, 0), (0, 1)),
        "dilation": (1, 2),
    }

    def parts(step: str) -> dict[str, dict[str, Any]]:
        whole = op(step)
        assert isinstance(whole, Composite)
        return {name: {"op": p.op, **p.attributes()} for name, p in whole.parts()}

    assert parts(f"conv_bn, {text}, groups: 2, activation: tanh, batch_norm: {{epsilon: 0.5, decay: 0.25, center: false}}") == {
        "conv": {"op": "conv", **shared, "filters": 8, "groups": 2, "use_bias": True, "activation": "none"},
        "bn": {"op": "batch_norm", "epsilon": 0.5, "decay": 0.25, "scale": True, "center": False},
        "activation": {"op": "activation", "function": "tanh", "alpha": None, "approximate": False},
    }  # fmt: skip
    assert parts(f"separable_conv, {text}, depth_multiplier: 4, activation: relu") == {
        "depthwise": {"op": "depthwise_conv", **shared, "depth_multiplier": 4, "use_bias": False, "activation": "none"},
        "pointwise": {"op": "conv", "filters": 8, "kernel_size": 1, "stride": 1, "padding": "same", "dilation": 1, "groups": 1, "use_bias": True, "activation": "relu"},
    }  # fmt: skip
    with pytest.raises(TypeError, match="Nothing does not state its parts"):
        type("Nothing", (Composite,), {}).model_construct().parts()


def test_defaults_fill_what_a_step_does_not_say() -> None:
    step = op("conv_bn, filters: 2, kernel_size: 1, stride: 1, batch_norm: {decay: 0.5}")
    defaults = {
        "conv": {"dilation": 7},
        "conv_bn": {"stride": 2, "padding": "valid"},
        "batch_norm": {"decay": 0.9, "scale": False},
    }
    filled = step.filled(defaults)
    assert isinstance(filled, ConvBn)
    assert (filled.stride, filled.padding, filled.dilation) == (1, "valid", 1)
    assert (filled.batch_norm.decay, filled.batch_norm.scale, filled.batch_norm.center) == (
        0.5,
        False,
        True,
    )
    assert step.filled({}) == step
    assert step.filled({"dense": {"use_bias": False}, "batch_norm": {"decay": 0.1}}) == step
    assert op("dense, units: 2").filled(
        {"dense": {"use_bias": False, "units": 3}}
    ).attributes() == {
        "units": 2,
        "use_bias": False,
        "activation": "none",
    }


def test_some_attributes_of_an_op() -> None:
    conv = OPS["conv"]
    assert conv.partial({"use_bias": False, "kernel_size": [1, 7]}) == {
        "use_bias": False,
        "kernel_size": (1, 7),
    }
    assert conv.partial({}) == conv.partial(None) == {}
    for wrong in ({"use_bias": 1}, {"kernel_size": 0}, {"nothing": 1}):
        with pytest.raises(ValidationError):
            conv.partial(wrong)


def test_expressions_are_found_wherever_they_stand() -> None:
    step = op("conv_bn, filters: $a, kernel_size: [1, $b], batch_norm: {epsilon: $c}")
    found = [e.text for value in step.attributes().values() for e in expressions(value)]
    assert sorted(found) == ["$a", "$b", "$c"]
    assert expressions(7) == expressions("same") == expressions(((0, 1), (2, 3))) == []
    assert expressions([Expression("$a", ())]) == [Expression("$a", ())]


def test_what_divides() -> None:
    assert [divides(*pair) for pair in ((6, 3), (6, 4), (N, 4), (6, N))] == [
        True,
        False,
        True,
        True,
    ]


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


def test_everything_of_a_composite_follows_from_its_parts() -> None:
    class Twice(Composite):
        op: str

        def parts(self) -> tuple[tuple[str, Op], ...]:
            first = op("conv, filters: 4, kernel_size: [1, 3], padding: valid, use_bias: false")
            return ("first", first), (
                "second",
                op("max_pool, kernel_size: [1, 3], stride: [1, 2], padding: valid"),
            )

    x, y = TensorType((5, 9), 2), TensorType((5, 3), 4)
    twice = Twice(op="twice")
    assert twice.infer(x) == y
    assert [(w.name, w.shape) for w in twice.weights(x)] == [("first/kernel", (1, 3, 2, 4))]
    assert twice.macs(x, y) == 5 * 7 * 3 * 2 * 4
    assert [twice.needed(axis, 2, 3) for axis in (0, 1)] == [3, 9]
