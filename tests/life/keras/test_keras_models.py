"""Models of generated Keras files: options, checks, saving, training, preprocessing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from inception_dsl_keras.layers import model_layers
from inception_dsl_keras.source import source_of
from keras_specs import EVERYTHING, SMALL

from inception_dsl.backend import TypedProgram, cost, layers

Make = Callable[[str], Any]


def outputs(model: Any, x: Any) -> dict[str, Any]:
    found = model.predict(x, verbose=0)
    return found if isinstance(found, dict) else {"logits": found}


def test_saves_and_loads_without_custom_objects(module_of: Make, tmp_path: Path) -> None:
    """With features that the shipped networks of ``test_keras_life.py`` do not have."""
    model = module_of(EVERYTHING).everything(aux_logits=True)
    x = np.random.default_rng(0).normal(size=(1, *model.input_shape[1:]))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    expected, found = outputs(model, x), outputs(again, x)
    assert expected.keys() == found.keys()
    assert all(np.array_equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize(
    "spec", ["v0", "v1", "v2", "v4", EVERYTHING], ids=["v0", "v1", "v2", "v4", "everything"]
)
def test_layers_and_shapes_match_the_spec(spec: str, module_of: Make, typed_of: Make) -> None:
    typed: TypedProgram = typed_of(spec)
    options = {"aux_logits": True} if typed.heads else {}
    model = getattr(module_of(spec), typed.program.id)(**options)
    named = {layer.name for layer in model.layers}
    stated = {layer.name: layer for layer in model_layers(source_of(typed))}
    assert {name for name, layer in stated.items() if not layer.optional} <= named
    assert model.count_params() == cost(list(layers(typed))).total
    last = {layer.path: layer for layer in stated.values()}
    for path, layer in last.items():
        assert model.get_layer(layer.name).output.shape[1:] == layer.node.y.shape, path


def test_arguments_of_the_network(module_of: Make) -> None:
    module = module_of("v1")
    features = module.googlenet(include_top=False)
    assert features.output_shape == (None, 7, 7, 1024)
    assert module.googlenet(num_classes=10, input_shape=(192, 320, 1)).output_shape == (None, 10)
    heads = module.googlenet(num_classes=10, aux_logits=True).output
    assert {name: y.shape for name, y in heads.items()} == dict.fromkeys(
        ("logits", "aux1", "aux2"), (None, 10)
    )
    assert not [layer for layer in module.googlenet().layers if layer.name.startswith("aux")]


def test_input_size_can_be_none_if_no_layer_needs_it(module_of: Make) -> None:
    model = module_of("v4").inception_v4(input_shape=(None, None, 3), include_top=False)
    assert model.output_shape == (None, None, None, 1536)
    with pytest.raises(ValueError, match="needs a fixed input size"):
        module_of("v1").googlenet(input_shape=(None, None, 3))


def test_too_small_input_is_an_error(module_of: Make) -> None:
    module = module_of("v3")
    with pytest.raises(ValueError, match="inception_v3 needs at least 75x75 pixels, got"):
        module.inception_v3(input_shape=(74, 299, 3))
    with pytest.raises(ValueError, match="auxiliary heads needs 299x299 to 346x346 pixels"):
        module.inception_v3(input_shape=(298, 299, 3), aux_logits=True)
    assert module.inception_v3(input_shape=(75, 75, 3)).output_shape == (None, 1000)


def test_auxiliary_heads_need_the_size_of_the_spec(module_of: Make) -> None:
    """They flatten: other and unknown sizes are an error that says what to do."""
    build = module_of("v3").inception_v3
    for shape in ((347, 299, 3), (None, None, 3), (299, None, 3)):
        with pytest.raises(ValueError, match=r"needs 299x299 to 346x346 pixels, got .*; set aux_"):
            build(input_shape=shape, aux_logits=True)
    assert build(input_shape=(None, None, 3)).output_shape == (None, 1000)


def test_sizes_where_branches_do_not_fit_together(module_of: Make) -> None:
    build = module_of("v2").inception_v2
    with pytest.raises(
        ValueError, match="on 80 pixels; the nearest sizes that it runs on are 70 and 95"
    ):
        build(input_shape=(63, 80, 3))
    assert build(input_shape=(70, 95, 3)).output_shape == (None, 1000)


def test_channels_first_is_an_error(module_of: Make) -> None:
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match="channels_last"):
            module_of("v0").inception_naive()
    finally:
        keras.config.set_image_data_format("channels_last")


def test_block_model_has_the_parameters_as_arguments(module_of: Make) -> None:
    model = module_of("v0").inception_naive(filters_1x1=1, filters_3x3=2, filters_5x5=3)
    assert model.output_shape == (None, 28, 28, 198)


def smoothed(logits: Any, classes: Any) -> Any:
    target = np.full(logits.shape, 0.1 / logits.shape[-1])
    target[np.arange(len(classes)), classes] += 0.9
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return (
        -(target * (shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))))
        .sum(axis=-1)
        .mean()
    )


def test_loss_is_the_weighted_sum_of_the_heads(module_of: Make) -> None:
    module, rng = module_of(SMALL), np.random.default_rng(0)
    found = {name: rng.normal(size=(5, 4)).astype("float32") for name in ("logits", "side")}
    classes = np.array([0, 3, 1, 2, 2])
    expected = smoothed(found["logits"], classes) + 0.3 * smoothed(found["side"], classes)
    assert float(module.loss(classes, found)) == pytest.approx(expected, rel=1e-5)
    assert float(module.loss(classes, found["logits"])) == pytest.approx(
        smoothed(found["logits"], classes), rel=1e-5
    )


def test_training_as_documented(module_of: Make) -> None:
    module, rng = module_of(SMALL), np.random.default_rng(1)
    keras.utils.set_random_seed(0)
    model = module.small(aux_logits=True)
    x, y = rng.normal(size=(32, 9, 9, 3)).astype("float32"), rng.integers(0, 4, 32)
    loss = dict.fromkeys(module.LOSS_WEIGHTS, module.cross_entropy)
    model.compile(keras.optimizers.Adam(0.01), loss=loss, loss_weights=module.LOSS_WEIGHTS)
    history = model.fit(
        x, dict.fromkeys(module.LOSS_WEIGHTS, y), epochs=5, batch_size=32, verbose=0
    ).history["loss"]
    assert history[-1] < history[0]
    plain = module.small()
    plain.compile("sgd", loss=module.cross_entropy)
    plain.fit(x, y, verbose=0)


def test_preprocess_matches_the_spec(module_of: Make) -> None:
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 4, 4, 4)).astype("float32")
    expected = (pixels[..., ::-1] * 0.5 - np.array([1, 2, 3, 4])) / 2
    found = keras.ops.convert_to_numpy(module_of(EVERYTHING).preprocess(pixels))
    assert np.allclose(found, expected, rtol=1e-6)


def test_preprocess_takes_one_image_or_a_batch_of_pixels(module_of: Make) -> None:
    """And names what it cannot take, as in PyTorch."""
    preprocess = module_of(EVERYTHING).preprocess
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 6, 4)).astype("uint8")
    batch = keras.ops.convert_to_numpy(preprocess(pixels))
    assert np.array_equal(keras.ops.convert_to_numpy(preprocess(pixels[1])), batch[1])
    for dtype in ("float16", "float32", "float64"):
        found = keras.ops.convert_to_numpy(preprocess(pixels.astype(dtype)))
        assert np.array_equal(found, batch)
    assert preprocess(keras.ops.convert_to_tensor(pixels)).shape == (2, 5, 6, 4)
    assert preprocess(keras.KerasTensor((None, None, None, 4), "uint8")).shape[-1] == 4
    assert preprocess(keras.KerasTensor((None, None, None), "uint8")).ndim == 3
    with pytest.raises(ValueError, match=r"expected uint8 or floats, got int64"):
        preprocess(pixels.astype("int64"))
    with pytest.raises(ValueError, match=r"expected \(\[N,\] height, width, 4\), got \(5, 6\)"):
        preprocess(pixels[0, :, :, 0])
    with pytest.raises(ValueError, match=r"height, width, 4\), got \(2, 4, 5, 6\)"):
        preprocess(pixels.transpose(0, 3, 1, 2))


def test_preprocess_in_a_pipeline(module_of: Make) -> None:
    """Sizes that vary are unknown there."""
    tensorflow = pytest.importorskip("tensorflow")
    images = [np.full((size, 6, 4), 7, "uint8") for size in (3, 5)]
    signature = tensorflow.TensorSpec((None, None, None), "uint8")
    pipeline = tensorflow.data.Dataset.from_generator(lambda: images, output_signature=signature)
    found = [x.shape for x in pipeline.map(module_of(EVERYTHING).preprocess)]
    assert found == [(3, 6, 4), (5, 6, 4)]


def test_init_weights_matches_the_spec(module_of: Make) -> None:
    module = module_of(
        SMALL.replace(
            "{label_smoothing: 0.1}",
            "{initializer: {name: truncated_normal, stddev: 0.5, bias: 0.2}}",
        )
    )
    keras.utils.set_random_seed(0)
    model = module.small()
    module.init_weights(model)
    kernels = [v.numpy() for v in model.trainable_variables if v.name == "kernel"]
    assert all(np.abs(k).max() <= 1.0 for k in kernels)
    assert np.concatenate([k.ravel() for k in kernels]).std() == pytest.approx(0.44, abs=0.02)
    assert all(np.allclose(v, 0.2) for v in model.trainable_variables if v.name == "bias")
