"""Networks with several inputs: what their files offer, and bugs that are seeded into them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from folders import prepared_folder
from frameworks import BACKENDS, running, typed_program
from inception_dsl_keras import BACKEND
from offered_network import case_of, problem, source

from inception_dsl.backend import Report, Request
from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, calibrated, seeded
from inception_dsl.verify.case import Case, expect

STREAMS = """\
network: two_stream
input:
  rgb: {channels: 3, height: 17, width: 15}
  flow: {channels: 2, height: 17, width: 15}
classes: 5
stem:
  - branches:
      flow: [{op: conv_bn, filters: 6, kernel_size: 3, stride: 2, padding: valid}]
      rgb:
        - {op: conv_bn, filters: $in_channels, kernel_size: 3, stride: 2, padding: valid}
        - {op: conv, filters: 6, kernel_size: 1}
    merge: add
body:
  - {op: conv_bn, name: mixed, filters: 8, kernel_size: 3, padding: valid}
aux_heads: {aux: {after: mixed, loss_weight: 0.3, steps: [
  {op: avg_pool, kernel_size: 5, padding: valid}, {op: flatten}, {op: dense, units: $classes}]}}
outputs: {features: mixed}
head: [{op: global_avg_pool}, {op: dropout, rate: 0.4}, {op: dense, name: fc, units: $classes}]
training: {label_smoothing: 0.1}
"""
TABLE = """\
network: image_and_table
input: {image: {channels: 3, height: 9, width: 9}, table: {channels: 7}}
classes: 4
stem:
  - branches:
      image: [{op: conv_bn, filters: 8, kernel_size: 3}, {op: global_avg_pool}]
      table: [{op: dense, units: 6, activation: relu}, {op: batch_norm}]
    merge: concat
head: [{op: dense, name: fc, units: $classes, activation: softmax}]
training: {label_smoothing: 0.0}
"""
SIAMESE = """\
network: siamese
input: {left: {channels: 2, height: 9, width: 8}, right: {channels: 2, height: 9, width: 8}}
classes: 3
blocks: {trunk: {steps: [{op: conv, filters: 4, kernel_size: 3}, STEPS]}}
stem:
  - branches:
      left: [{use: trunk, name: trunk}, {op: activation, function: tanh}]
      right: [{use: trunk, weights: left/trunk}]
    merge: add
head: [{op: dense, units: $classes}]
"""
FIXED = """\
network: sizes
input: {large: {channels: 1, length: 32}, small: {channels: 2, length: 8}, gate: {channels: 3}}
body:
  - branches:
      large: [{op: conv, filters: 3, kernel_size: 4, stride: 4, padding: valid}]
      gate: [{op: activation, function: sigmoid}]
      small: [{op: conv, filters: 3, kernel_size: 3}]
    merge: multiply
head: [{op: global_max_pool}, {op: dense, units: 2}]
"""
SQUARES = """\
network: squares
input: {large: {channels: 3, height: 16, width: 16}, small: {channels: 2, height: 8, width: 8}}
body:
  - branches:
      large: [{op: conv, filters: 3, kernel_size: 3, stride: 2}]
      small: [{op: conv, filters: 3, kernel_size: 3}]
    merge: add
head: [{op: global_avg_pool}, {op: dense, units: 2}]
"""
DIVIDED = """\
network: divided
input: {one: {channels: 1, height: 8, width: 8}, two: {channels: 2, height: 8, width: 8}}
body:
  - branches:
      one: [{op: space_to_depth, block_size: 4}]
      two: [{op: space_to_depth, block_size: 4}]
    merge: concat
head: [{op: global_max_pool}, {op: dense, units: 2}]
"""
TRUNKS = {  # what must know the size of its map where it is shared
    "flatten": "{op: flatten}, {op: dense, units: 5}",
    "upsample": "{op: upsample, factor: 2, method: linear}, {op: global_avg_pool}",
    "same": "{op: max_pool, kernel_size: 3, stride: 2}, {op: global_max_pool}",
    "adaptive": "{op: adaptive_avg_pool, output_size: 2}, {op: flatten}, {op: dense, units: 5}",
    "same average": "{op: avg_pool, kernel_size: 2, stride: 2}, {op: global_avg_pool}",
    "ceil": "{op: avg_pool, kernel_size: 2, stride: 2, padding: valid, ceil_mode: true}, "
    "{op: global_avg_pool}",
}
SPECS = {
    **{f"siamese, {name}": SIAMESE.replace("STEPS", steps) for name, steps in TRUNKS.items()},
    "streams": STREAMS,
    "table": TABLE,
    "sizes": FIXED,
    "squares": SQUARES,
    "divided": DIVIDED,
}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """One thread: small networks gain nothing from more."""
    torch.set_num_threads(1)


@cache
def prepared(name: str) -> tuple[Path, Case, Any]:
    """The network, its case, the results of the reference."""
    spec = prepared_folder() / f"{name}.yaml"
    spec.write_text(SPECS[name], encoding="utf-8")
    case = case_of(spec)
    return spec, case, expect(case, train=True)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SPECS)
def test_what_is_emitted_is_right(name: str, backend: str) -> None:
    spec, case, expected = prepared(name)
    assert case.x.keys() == case.typed.program.inputs.keys()
    text = source(spec, backend, **case.source_settings)
    assert problem(spec, backend, text, case, expected) == ""


def test_inputs_of_different_squares_are_not_square() -> None:
    """The code has the sizes of the case: with those of the spec, its maps would not meet."""
    case = prepared("squares")[1]
    assert {n: x.spatial for n, x in case.typed.program.inputs.items()} == {
        "large": (16, 18),
        "small": (8, 9),
    }
    assert case.source_settings == case.settings != {}


@pytest.mark.parametrize("backend", BACKENDS)
def test_tied_inputs_of_several_sizes_are_found(backend: str) -> None:
    spec, case, expected = prepared("divided")
    text = source(spec, backend)
    old = {
        "torch": "if two.shape[2:] != one.shape[2:]",
        "keras": "if two_shape[:-1] != one_shape[:-1]",
    }[backend]
    assert old in text
    changed = text.replace(old, "if 1 == 0")
    assert "may have another size" in problem(spec, backend, changed, case, expected)


@pytest.mark.parametrize(
    ("backend", "old", "new"),
    [
        ("torch", "features(rgb, flow, heads=self", "features(rgb, rgb, heads=self"),
        (
            "torch",
            "self, rgb: Tensor, flow: Tensor, heads",
            "self, flow: Tensor, rgb: Tensor, heads",
        ),
        ("torch", "x = flow + rgb", "x = flow + rgb.detach()"),
        ("torch", "x = flow + rgb", "x = flow + flow"),
        ("torch", "if flow.shape[2:] != rgb.shape[2:]", "if flow.dim() == 3"),
        ("torch", "height = rgb.shape[2]", "height = flow.shape[2] + 1"),
        ("torch", "ConvBN(flow_channels,", "ConvBN(2,"),
        ("keras", "([flow, rgb])", "([flow, flow])"),
        ("keras", "([flow, rgb])", "([flow, keras.ops.stop_gradient(rgb)])"),
        ("keras", "if flow_shape[:-1] != rgb_shape[:-1]", "if flow_shape[-1] == 0"),
        ("keras", "rgb_channels = rgb_shape[-1]", "rgb_channels = 3"),
    ],
)
def test_wrong_inputs_are_found(backend: str, old: str, new: str) -> None:
    spec, case, expected = prepared("streams")
    text = source(spec, backend)
    assert old in text
    assert problem(spec, backend, text.replace(old, new), case, expected)


def inputs_of(name: str) -> tuple[Any, dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The program of a network, weights, a batch and the outputs of the reference."""
    typed = prepared(name)[1].typed
    weights, x = seeded(typed), batch(typed)
    return typed, weights, x, interpret(typed, weights, x).outputs


def test_pytorch_takes_tensors_in_the_order_of_the_spec() -> None:
    typed, weights, x, expected = inputs_of("table")
    model = running("torch", typed)
    model.load(weights)
    image, table = torch.from_numpy(np.moveaxis(x["image"], -1, 1)), torch.from_numpy(x["table"])
    found = model.net(image, table)
    np.testing.assert_allclose(found.detach(), expected["probabilities"], atol=1e-10)
    np.testing.assert_allclose(model.net(table=table, image=image).detach(), found.detach())
    for changed in (
        torch.fx.symbolic_trace(model.net),
        torch.export.export(model.net, (image, table)).module(),
    ):
        np.testing.assert_allclose(changed(image, table).detach(), found.detach(), atol=1e-12)
    with pytest.raises(TypeError, match="table"):
        model.net(image)


def test_keras_takes_inputs_in_order_or_by_name(tmp_path: Path) -> None:
    import keras

    typed, weights, x, expected = inputs_of("table")
    model = running("keras", typed)
    model.load(weights)
    image, table = (keras.ops.convert_to_tensor(value) for value in x.values())
    model.model.save(tmp_path / "net.keras")
    loaded = keras.models.load_model(tmp_path / "net.keras", compile=False)
    for net in (model.model, loaded):
        for given in ([image, table], {"table": table, "image": image}):
            found = keras.ops.convert_to_numpy(net(given))
            np.testing.assert_allclose(found, expected["probabilities"], atol=1e-10)
    net = model.model
    net.compile(optimizer="sgd", loss=model.module.loss)
    assert len(net.fit(x, np.array([0, 1]), epochs=2, verbose=0).history["loss"]) == 2


def test_keras_may_need_the_name_of_an_input(tmp_path: Path) -> None:
    sizes = "{channels: 3, length: 8}"
    fork = "{branches: {add: [], other: []}, merge: add}"
    spec, report = tmp_path / "net.yaml", Report()
    text = f"network: n\ninput: {{add: {sizes}, other: {sizes}}}\n"
    text += f"body: [{fork}, {{op: l2_normalize}}]\n"
    spec.write_text(text)
    assert BACKEND.emit(typed_program(spec), Request("n"), report) is None
    (found,) = report.diagnostics
    assert (found.code, found.span.line, found.span.column) == ("E503", 2, 9)
    spec.write_text(text.replace("add:", "plus:"))
    assert BACKEND.emit(typed_program(spec), Request("n"), Report())


@pytest.mark.parametrize("backend", BACKENDS)
def test_recalibrate(backend: str) -> None:
    typed, weights, x, _ = inputs_of("streams")
    model = running(backend, typed)
    model.load(weights)
    if backend == "torch":
        moved = (torch.from_numpy(np.moveaxis(value, -1, 1).copy()) for value in x.values())
        model.module.recalibrate(model.net, [tuple(moved)])
    else:
        model.module.recalibrate(model.model, [x])
    wanted = calibrated(typed, weights, x)
    for path, value in model.weights().items():
        if "moving_" in path:
            np.testing.assert_allclose(value, wanted[path], atol=1e-10)
