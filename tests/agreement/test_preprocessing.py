"""The function ``preprocess``: whitening of each image, and resizing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
from frameworks import BACKENDS, emitted
from offered_network import case_of, problem, source
from operators import declare

from inception_dsl.backend import module_from_source
from inception_dsl.ir.sections import Preprocessing, Resize
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.preprocessing import preprocess, resized
from inception_dsl.verify.bounds import FLOAT64, distance
from inception_dsl.verify.case import expect

Compiled = Callable[..., TypedProgram]
SPEC = """\
network: net
input: {{channels: 3, {axes}}}
classes: 2
preprocessing: {{{steps}}}
body: [{{op: conv, filters: 2, kernel_size: 1}}]
head: [{{op: global_avg_pool}}, {{op: dense, units: $classes}}]
"""
AXES = {1: "length: 9", 2: "height: 9, width: 6", 3: "depth: 4, height: 9, width: 6"}
SIZES = [(14, 5), (9, 6), (3, 17), (1, 1), (40, 31)]
STEPS = {
    "whitening": "per_image: true",
    "whitening after a scale": "channel_order: bgr, scale: 0.00392156862745098, per_image: true",
    "linear": "resize: {}, mean: [1, 2, 3], std: 5",
    "nearest": "resize: {method: nearest}, channel_order: bgr",
    "one size": "resize: {size: 7}, scale: 0.5, per_image: true",
    "sizes": "resize: {size: [5, 8], method: nearest}",
    "antialias": "resize: {antialias: true}, per_image: true",
}


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


def called(backend: str, typed: TypedProgram) -> Callable[[Any], Any]:
    """The generated function, channels last."""
    made = module_from_source(emitted(backend, typed), f"net_{backend}").preprocess
    if backend == "keras":
        return lambda x: keras.ops.convert_to_numpy(made(x))
    last = -1 - len(typed.program.input.spatial)

    def channels_last(x: Any) -> Any:
        return made(torch.tensor(np.moveaxis(x, -1, last))).movedim(last, -1).numpy()

    return channels_last


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_files_agree_with_the_reference(backend: str, steps: str, compiled: Compiled) -> None:
    typed = compiled(SPEC.format(axes=AXES[2], steps=steps))
    made, wanted = called(backend, typed), typed.program.preprocessing
    assert wanted is not None
    for size in SIZES:
        x = np.random.default_rng(0).integers(0, 256, (2, *size, 3)) * 1.0
        y = preprocess(wanted, x)
        assert distance(made(x), y) <= FLOAT64, size
        assert distance(made(x[1]), y[1]) <= FLOAT64, size


@pytest.mark.parametrize("steps", ["per_image: true", "resize: {}", "resize: {method: nearest}"])
@pytest.mark.parametrize("rank", [1, 3])
@pytest.mark.parametrize("backend", BACKENDS)
def test_other_numbers_of_axes(backend: str, rank: int, steps: str, compiled: Compiled) -> None:
    typed = compiled(SPEC.format(axes=AXES[rank], steps=steps))
    made, wanted = called(backend, typed), typed.program.preprocessing
    assert wanted is not None
    for size in ((5, 11, 7), (12, 3, 6)):
        x = np.random.default_rng(1).normal(size=(2, *size[:rank], 3)) * 100
        y = preprocess(wanted, x)
        assert distance(made(x), y) <= FLOAT64
        assert distance(made(x[1]), y[1]) <= FLOAT64


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_image_of_one_colour_is_zero(backend: str, compiled: Compiled) -> None:
    """It is divided by 1 / sqrt(n), not by its deviation of 0; the others are not affected."""
    typed = compiled(SPEC.format(axes=AXES[2], steps="per_image: true"))
    x = np.full((2, 9, 6, 3), 128.0)
    x[1, 0] = 0
    y = called(backend, typed)(x)
    assert np.array_equal(y[0], np.zeros((9, 6, 3)))
    assert np.allclose([y[1].mean(), y[1].std()], [0, 1])


def whitened(x: Any) -> Any:
    """FaceNet's ``prewhiten`` of one image, as its authors' code has it."""
    mean, std = np.mean(x), np.std(x)
    std_adj = np.maximum(std, 1.0 / np.sqrt(x.size))
    return np.multiply(np.subtract(x, mean), 1 / std_adj)


@pytest.mark.parametrize("factor", [1.0, 1e-4])
def test_whitening_is_that_of_facenet_and_tensorflow(factor: float) -> None:
    """Also where the deviation is less than 1 / sqrt(n)."""
    import tensorflow as tf

    x = np.random.default_rng(2).integers(0, 256, (3, 5, 4, 3)) * factor
    found = preprocess(Preprocessing("rgb", 1.0, 0.0, 1.0, per_image=True), x)
    assert distance(found, np.stack([whitened(image) for image in x])) <= 1e-12
    assert distance(found, tf.image.per_image_standardization(x.astype("float32")).numpy()) < 1e-6


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_resizing_is_torchvisions_and_tensorflows(size: tuple[int, int], antialias: bool) -> None:
    """TensorFlow and Pillow compute in float32."""
    import tensorflow as tf
    from PIL import Image

    declare()
    from torchvision.transforms.v2.functional import resize_image

    x = np.random.default_rng(3).normal(size=(2, *size, 3))
    found = resized(Resize((9, 6), "linear", antialias), x)
    first = torch.tensor(np.moveaxis(x, -1, 1))
    wanted = resize_image(first, [9, 6], antialias=antialias).movedim(1, -1)
    assert distance(found, wanted.numpy()) <= 1e-12
    given = tf.image.resize(x, (9, 6), antialias=antialias).numpy()
    assert distance(found, given) < 1e-5
    if antialias:
        image = Image.fromarray(x[0, ..., 0].astype("float32")).resize((6, 9), Image.BILINEAR)
        assert distance(found[0, ..., 0], np.asarray(image)) < 1e-5


def test_resizing_by_hand() -> None:
    """To half of the size: each pixel is a mean of two; with antialias 1, 3, 3 and 1 eighths."""
    x = np.array([0.0, 8, 16, 0, 32, 64]).reshape(1, 6, 1)
    assert resized(Resize((3,), "linear", False), x).ravel().tolist() == [4, 8, 48]
    assert resized(Resize((3,), "nearest", False), x).ravel().tolist() == [0, 16, 32]
    wanted = [(3 * 0 + 3 * 8 + 16) / 7, (8 + 3 * 16 + 0 + 32) / 8, (0 + 3 * 32 + 3 * 64) / 7]
    found = resized(Resize((3,), "linear", True), x)
    np.testing.assert_allclose(found.ravel(), wanted, rtol=1e-12)
    assert resized(Resize((2,), "linear", False), x[:, :1]).ravel().tolist() == [0, 0]


def test_images_of_unknown_sizes_in_a_pipeline(compiled: Compiled) -> None:
    import tensorflow as tf

    keras.config.set_floatx("float32")
    typed = compiled(SPEC.format(axes=AXES[2], steps=STEPS["antialias"]))
    made = module_from_source(emitted("keras", typed), "net_pipeline").preprocess
    images = [np.random.default_rng(n).integers(0, 256, (5 + n, 9, 3), np.uint8) for n in (0, 7)]
    kind = tf.TensorSpec((None, None, 3), tf.uint8)
    data = tf.data.Dataset.from_generator(lambda: iter(images), output_signature=kind).map(made)
    steps = typed.program.preprocessing
    assert steps is not None
    for x, y in zip(images, data, strict=True):
        assert distance(y.numpy(), preprocess(steps, x[None] * 1.0)[0]) < 1e-5


DEFECTS = {
    "torch": [
        ("correction=0", "correction=1"),
        ("-3:].numel()", "-2:].numel()"),
        ("x.std((-3, -2, -1)", "x.std((-2, -1)"),
        ("antialias=True", "antialias=False"),
        ("size=(9, 6), mode", "size=(9, 6), align_corners=True, mode"),
    ],
    "keras": [
        ("least = ops.rsqrt(", "least = ops.reciprocal("),
        ("(ops.std(x, axis=(-3, -2, -1)", "(ops.std(x, axis=(-3, -2)"),
        ("+ 0.5) * step - 0.5", ") * step"),
        (" / ops.maximum(step, 1)", ""),
        ("((-3, 9), (-2, 6))", "((-2, 6),)"),
    ],
}


@pytest.mark.parametrize("backend", BACKENDS)
def test_verify_finds_defects(backend: str, tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    steps = "per_image: true, resize: {antialias: true}"
    spec.write_text(SPEC.format(axes=AXES[2], steps=steps))
    case = case_of(spec)
    expected, text = expect(case, train=True), source(spec, backend)
    assert problem(spec, backend, text, case, expected) == ""
    for old, new in DEFECTS[backend]:
        assert old in text, old
        found = problem(spec, backend, text.replace(old, new), case, expected)
        assert "preprocess of" in found, (old, new)
