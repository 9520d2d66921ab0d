"""Files of Keras with separable convolutions, as in Xception: outputs are those of Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from frameworks import BACKENDS, running, typed_program
from keras import layers

from inception_dsl.diagnostics.report import Report
from inception_dsl.verify.bounds import FLOAT64, distance
from inception_dsl.weights.published import read

SPEC = """\
network: xception_like
input: {channels: 3, height: 21, width: 18}
classes: 5
defaults: {conv_bn: {use_bias: false}, batch_norm: {epsilon: 0.001, decay: 0.99}}
body:
  - {op: conv_bn, name: conv1, filters: 8, kernel_size: 3, stride: 2, padding: valid}
  - name: block2
    merge: add
    branches:
      shortcut: [{op: conv_bn, filters: 12, kernel_size: 1, stride: 2, activation: none}]
      residual:
        - {op: separable_conv, name: sepconv1, filters: 12, kernel_size: 3, depth_multiplier: 2,
           use_bias: false}
        - {op: batch_norm, name: bn1}
        - {op: activation, function: relu}
        - {op: separable_conv, name: sepconv2, filters: 12, kernel_size: [3, 5]}
        - {op: max_pool, kernel_size: 3, stride: 2}
  - {op: depthwise_conv, name: depthwise, kernel_size: 3}
head: [{op: global_avg_pool}, {op: dense, name: classifier, units: $classes}]
checkpoints:
  own_keras:
    names:
      conv1/conv: block1_conv1
      conv1/bn: block1_conv1_bn
      block2/residual/sepconv1: block2_sepconv1
      block2/residual/bn1: block2_sepconv1_bn
      block2/residual/sepconv2: block2_sepconv2
      depthwise: depthwise
      classifier: predictions
    numbered: {conv: conv2d, bn: batch_normalization}
"""


def network(dtype: str) -> Any:
    """The network as a person writes it in Keras; the shortcut has automatic names."""
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        start = keras.Input((21, 18, 3))
        x = layers.Conv2D(8, 3, strides=2, use_bias=False, name="block1_conv1")(start)
        x = layers.ReLU()(layers.BatchNormalization(name="block1_conv1_bn")(x))
        y = layers.Conv2D(12, 1, strides=2, padding="same", use_bias=False)(x)
        y = layers.BatchNormalization()(y)
        x = layers.SeparableConv2D(
            12, 3, padding="same", depth_multiplier=2, use_bias=False, name="block2_sepconv1"
        )(x)
        x = layers.ReLU()(layers.BatchNormalization(name="block2_sepconv1_bn")(x))
        x = layers.SeparableConv2D(12, (3, 5), padding="same", name="block2_sepconv2")(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(layers.Add()([x, y]))
        x = layers.Dense(5, name="predictions")(layers.GlobalAveragePooling2D()(x))
        return keras.Model(start, x)
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("suffix", [".h5", ".weights.h5", ".keras"])
def test_outputs(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(0)
    original = network("float32")
    for variable in original.variables:
        low = 0.5 if "variance" in variable.path or "gamma" in variable.path else -0.5
        variable.assign(rng.uniform(low, low + 1, variable.shape))
    file = tmp_path / f"a{suffix}"
    (original.save_weights if suffix == ".weights.h5" else original.save)(file)
    (tmp_path / "spec.yaml").write_text(SPEC)
    typed, report = typed_program(tmp_path / "spec.yaml"), Report()
    found = read(file, typed, "own_keras", report)
    assert found is not None, report.render()
    exact, x = network("float64"), rng.normal(size=(2, 21, 18, 3))
    exact.set_weights(original.get_weights())
    wanted = np.asarray(exact(x, training=False))
    assert distance(wanted[0], wanted[1]) > 0.01
    for backend in BACKENDS:
        model = running(backend, typed, "float64")
        model.load(found.weights)
        (y,) = model.forward(x).values()
        assert distance(y, wanted) <= FLOAT64
