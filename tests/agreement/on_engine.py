"""Runs networks and samples of every op in float32 and prints the errors to the reference as JSON.

``python on_engine.py BACKEND FOLDER [SPEC=INPUT ...]``. The samples are the specs in the folder.
One process runs everything for an engine, as starting the engine is slow.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from inception_dsl.analysis.logits import trained_program
from inception_dsl.backend import Report, Request, TypedProgram
from inception_dsl.compiler import compile_spec
from inception_dsl.reference.arrays import each
from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.verify.bounds import distance


def main(backend: str, folder: str, *networks: str) -> None:
    found: dict[str, Any] = {"networks": {}, "samples": {}}
    if backend == "keras":
        import keras

        keras.initializers.VarianceScaling.__call__ = nothing
        found |= {
            "engine": keras.config.backend(),
            "layers": {f.__name__: f(keras) for f in LAYERS},
        }
    for network in networks:
        spec, size = network.split("=")
        found["networks"][Path(spec).stem] = whole(backend, compiled(Path(spec), {"input": size}))
    for spec in sorted(Path(folder).glob("*.yaml")):
        found["samples"][spec.stem] = sample(backend, compiled(spec, {}))
    print(json.dumps(found))


def nothing(_: Any, shape: tuple[int, ...], dtype: str | None = None) -> Any:
    """Zeros as initial values: weights are loaded later, and JAX is slow to draw random values."""
    return np.zeros(shape, dtype)


def average_pool(keras: Any) -> float:
    """Error of Keras's own average pool, where ``same`` pads only one side."""
    x = np.arange(1.0, 17.0, dtype="float32").reshape(1, 4, 4, 1)
    found = keras.layers.AveragePooling2D(3, strides=2, padding="same")(x)
    means = [[x[0, i : i + 3, j : j + 3].mean() for j in (0, 2)] for i in (0, 2)]
    return distance(keras.ops.convert_to_numpy(found)[0, :, :, 0], means)


def narrow_convolution(keras: Any) -> float:
    """Error of a one-channel convolution to a map one pixel wide, with strides 1 and 3."""
    x = np.arange(1.0, 21.0, dtype="float32").reshape(2, 5, 2, 1)
    kernel = np.arange(1.0, 5.0, dtype="float32").reshape(2, 2, 1, 1)
    found = keras.ops.conv(x, kernel, strides=(1, 3), padding="valid")
    sums = [[[(x[n, i : i + 2] * kernel[..., 0]).sum()] for i in range(4)] for n in range(2)]
    return distance(keras.ops.convert_to_numpy(found)[..., 0], sums)


def solid_convolution(keras: Any) -> float:
    """Error of a 1x1x1 convolution with ``same`` and a stride; it should only select pixels."""
    x = np.arange(1.0, 13.0).reshape(1, 3, 2, 2, 1)
    found = keras.ops.conv(x, np.ones((1, 1, 1, 1, 1)), strides=(3, 1, 1), padding="same")
    return distance(keras.ops.convert_to_numpy(found), x[:, ::3])


def solid_pool(keras: Any) -> float:
    """Error of a pool of three axes in float64; infinite if the framework raises an error."""
    x = keras.ops.convert_to_tensor(np.arange(8.0).reshape(1, 2, 2, 2, 1), "float64")
    try:
        return distance(
            keras.ops.convert_to_numpy(keras.ops.max_pool(x, (2, 2, 2), (2, 2, 2)))[0, 0, 0, 0],
            [7.0],
        )
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return float("inf")


def wide_average_pool(keras: Any) -> float:
    """Error of the gradient of an average pool whose window is larger than the map."""
    scale = np.arange(1.0, 5.0).reshape(1, 1, 4, 1)
    found = gradient(
        keras.config.backend(),
        lambda x: keras.ops.average_pool(x, (1, 5), strides=1, padding="same"),
        scale,
    )
    windows = [(0, 3), (0, 4), (0, 4), (1, 4)]
    wanted = [
        sum(
            dy / (end - start)
            for dy, (start, end) in zip(scale.flat, windows, strict=True)
            if start <= i < end
        )
        for i in range(4)
    ]
    return distance(found.reshape(4), wanted)


def broadcast_sum(keras: Any) -> float:
    """Error of the sum of a map and one of one position, with as many samples as rows."""
    x, y = np.arange(150.0).reshape(5, 5, 6, 1) % 7, np.arange(5.0).reshape(5, 1, 1, 1)
    found = keras.layers.Add()([keras.ops.convert_to_tensor(a, "float32") for a in (x, y)])
    return distance(keras.ops.convert_to_numpy(found), x + y)


def gradient(engine: str, layer: Any, scale: Any) -> Any:
    """The gradient of the sum of ``layer(x) * scale`` in float64, or as exact as the engine is."""
    framework = importlib.import_module(engine)
    if engine == "jax":
        return np.asarray(framework.grad(lambda x: (layer(x) * scale).sum())(np.ones(scale.shape)))
    if engine == "torch":
        x = framework.ones(scale.shape, dtype=framework.float64, requires_grad=True)
        (layer(x) * framework.tensor(scale)).sum().backward()
        return x.grad.numpy()
    x = framework.ones(scale.shape, dtype="float64")
    with framework.GradientTape() as tape:
        tape.watch(x)
        y = framework.reduce_sum(layer(x) * scale)
    return tape.gradient(y, x).numpy()


LAYERS = (
    *(average_pool, broadcast_sum, narrow_convolution, solid_convolution, solid_pool),
    wide_average_pool,
)


def compiled(spec: Path, settings: dict[str, str]) -> TypedProgram:
    report = Report()
    typed = compile_spec(spec, settings, report)
    assert typed is not None, report.render()
    return typed


def running(backend: str, typed: TypedProgram) -> Any:
    package = importlib.import_module(f"inception_dsl_{backend}").BACKEND
    report = Report()
    files = package.emit(typed, Request("test"), report)
    assert files is not None, report.render()
    return importlib.import_module(package.runner).create(typed, files, "float32")


def single(value: Any) -> Any:
    """Rounded to float32, so that float32 and float64 start from the same values."""
    return value.astype("float32").astype("float64")


def whole(backend: str, typed: TypedProgram) -> float:
    """The largest error of any block or top-level step of a network, in inference.

    A block of one step has no intermediate outputs, so its own output is compared.
    """
    model, x = running(backend, typed), single(batch(typed, size=1))
    weights = {path: single(value) for path, value in seeded(typed).items()}
    model.load(weights)
    expected = interpret(typed, weights, x)
    outputs, blocks = model.inference(x)
    emitted = interpret(trained_program(typed).typed, weights, x)  # what blocks are emitted as
    wanted, found = {**emitted.blocks, **expected.outputs}, blocks or outputs
    assert found.keys() <= wanted.keys()
    return max(distance(y, wanted[name]) for name, y in found.items())


def sample(backend: str, typed: TypedProgram) -> float:
    """The largest error of any output, also in training if that differs; infinite if the framework
    raises an error.
    """
    model, errors = running(backend, typed), list[float]()
    x = each(lambda given: single(3.0 * given), batch(typed, seed=2))
    weights = {path: single(value) for path, value in seeded(typed, seed=1).items()}
    model.load(weights)
    modes = (False, True) if any("moving_" in path for path in weights) else (False,)
    for training in modes:
        expected = interpret(typed, weights, x, training=training).outputs
        try:
            found = model.forward(x, training=training)
        except (NotImplementedError, RuntimeError, ValueError) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return float("inf")
        assert found.keys() == expected.keys()
        errors += [distance(found[name], value) for name, value in expected.items()]
    return max(errors)


if __name__ == "__main__":
    main(*sys.argv[1:])
