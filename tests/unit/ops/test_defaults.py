"""The defaults of ops, and the parts of composite ops."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pytest
from pydantic import ValidationError
from steps import op

from inception_dsl.ops import OPS, Composite, ConvBn, Op, attribute_names
from inception_dsl.types.expression import parse
from inception_dsl.types.tensor import TensorType

CONVOLUTION = {
    "stride": 1,
    "padding": "same",
    "dilation": 1,
    "use_bias": True,
    "activation": "none",
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "conv": {**CONVOLUTION, "groups": 1},
    "conv_bn": {**CONVOLUTION, "groups": 1, "use_bias": False, "activation": "relu"},
    "separable_conv": {**CONVOLUTION, "depth_multiplier": 1},
    "depthwise_conv": {**CONVOLUTION, "depth_multiplier": 1},
    "conv_transpose": {**CONVOLUTION, "groups": 1, "output_padding": 0},
    "upsample": {"factor": None, "size": None, "method": "nearest", "align_corners": False},
    "space_to_depth": {"order": "channels_last"},
    "depth_to_space": {"order": "channels_last"},
    "max_pool": {"stride": 1, "padding": "same", "ceil_mode": False},
    "avg_pool": {"stride": 1, "padding": "same", "ceil_mode": False, "count_include_pad": False},
    "global_avg_pool": {"over": "positions", "keepdims": False},
    "global_max_pool": {"over": "positions", "keepdims": False},
    "adaptive_avg_pool": {},
    "dense": {"use_bias": True, "activation": "none"},
    "batch_norm": {"epsilon": 0.001, "decay": 0.99, "scale": True, "center": True},
    "layer_norm": {"epsilon": 0.00001, "scale": True, "center": True},
    "group_norm": {"epsilon": 0.00001, "scale": True, "center": True},
    "local_response_norm": {"size": 5, "alpha": 0.0001, "beta": 0.75, "k": 1.0},
    "activation": {"alpha": None, "approximate": False, "parts": None},
    "l2_normalize": {"epsilon": 1e-10},
    "dropout": {"per": "element"},
    "channel_shuffle": {},
    "flatten": {},
    "zero_pad": {},
    "crop": {},
    "scale": {"learned": False, "per": "channel"},
    "identity": {},
}


@pytest.mark.parametrize("kind", OPS)
def test_the_defaults_of_an_op(kind: str) -> None:
    required = {
        k: parse("$x")
        for k in attribute_names(OPS[kind])
        if OPS[kind].model_fields[k].is_required()
    }
    found = OPS[kind].model_validate({"op": kind, **required})
    later = {*required, "batch_norm", "initializer"}
    attributes = {k: v for k, v in found.attributes().items() if k not in later}
    assert getattr(found, "initializer", None) is None
    assert attributes == DEFAULTS[kind]
    assert (found.name, found.repeat, found.deviation) == (None, 1, None)


def test_the_default_batch_norm_of_a_conv_bn() -> None:
    found = op("conv_bn, filters: 2, kernel_size: 1")
    assert isinstance(found, ConvBn)
    norm = found.batch_norm
    assert {k: getattr(norm, k) for k in DEFAULTS["batch_norm"]} == DEFAULTS["batch_norm"]
    assert norm.model_fields_set == set()


WHOLE = (
    "filters: 8, kernel_size: [1, 3], stride: [2, 1], padding: [[1, 0], [0, 1]], "
    "dilation: [1, 2], use_bias: true"
)
SEPARABLE = "separable_conv, filters: 2, kernel_size: 3"
SHARED = {
    "kernel_size": (1, 3),
    "stride": (2, 1),
    "padding": ((1, 0), (0, 1)),
    "dilation": (1, 2),
}


def parts(step: str) -> dict[str, dict[str, Any]]:
    whole = op(step)
    assert isinstance(whole, Composite)
    found = {name: {"op": p.op, **p.attributes()} for name, p in whole.parts}
    for attributes in found.values():
        assert attributes.pop("initializer", None) is None, "the whole has the initial values"
    return found


def test_the_parts_of_a_conv_bn_have_its_attributes() -> None:
    norm = "batch_norm: {epsilon: 0.5, decay: 0.25, center: false}"
    assert parts(f"conv_bn, {WHOLE}, groups: 2, activation: tanh, {norm}") == {
        "conv": {
            "op": "conv",
            **SHARED,
            "filters": 8,
            "groups": 2,
            "use_bias": True,
            "activation": "none",
        },
        "bn": {"op": "batch_norm", "epsilon": 0.5, "decay": 0.25, "scale": True, "center": False},
        "activation": {"op": "activation", "function": "tanh", **DEFAULTS["activation"]},
    }


def test_the_parts_of_a_separable_conv_have_its_attributes() -> None:
    assert parts(f"separable_conv, {WHOLE}, depth_multiplier: 4, activation: relu") == {
        "depthwise": {
            "op": "depthwise_conv",
            **SHARED,
            "depth_multiplier": 4,
            "use_bias": False,
            "activation": "none",
        },
        "pointwise": {
            "op": "conv",
            "filters": 8,
            "kernel_size": 1,
            "stride": 1,
            "padding": "same",
            "dilation": 1,
            "groups": 1,
            "use_bias": True,
            "activation": "relu",
        },
    }


def test_a_composite_defines_its_parts() -> None:
    with pytest.raises(TypeError, match="Nothing does not define `parts`"):
        _ = type("Nothing", (Composite,), {}).model_construct().parts


@pytest.mark.parametrize("step", ["conv_bn, filters: 2, kernel_size: 3", SEPARABLE])
def test_a_composite_creates_its_parts_once_and_a_copy_creates_its_own(step: str) -> None:
    whole, unread = op(step), op(step)
    assert isinstance(whole, Composite)
    parts, x = whole.parts, TensorType((5, 5), 3)
    assert whole.infer(x).channels == 2
    assert whole.parts is parts
    assert (whole == unread, hash(whole) == hash(unread)) == (True, True)
    copied = whole.model_copy(update={"filters": 7})
    assert (whole.parts, copied.infer(x).channels) == (parts, 7)


def test_defaults_fill_fields_that_a_step_does_not_set() -> None:
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
        "initializer": None,
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


def test_a_composite_has_the_shapes_weights_and_cost_of_its_parts() -> None:
    class Twice(Composite):
        op: str

        @cached_property
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
    found = [twice.sizes(axis, 2) for axis in (0, 1)]
    assert [(least, pixels.at(9)) for least, pixels in found] == [(1, 9), (5, 3)]
