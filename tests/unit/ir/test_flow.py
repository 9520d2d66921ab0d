"""Programs in single assignment form, and the reference on programs that no spec can describe yet:
a value that several statements read, and weights that layers share.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frameworks import SPECS, typed_program

from inception_dsl.analysis.weights import weight_shapes
from inception_dsl.ir.flow import Apply, Flow, Merge, ValueId, WeightId, flow
from inception_dsl.ir.typed import TypedProgram, TypedUse
from inception_dsl.ir.walk import walk_program
from inception_dsl.reference import forward, training
from inception_dsl.reference.operations import REFERENCE
from inception_dsl.reference.seeds import batch, seeded

Compiled = Callable[..., TypedProgram]
EVERYTHING = """network: net
input: {channels: 4, height: 8, width: 8}
classes: 5
blocks:
  inner: {steps: [{op: conv_bn, filters: 4, kernel_size: 3}]}
  outer: {steps: [{use: inner, repeat: 2}, {op: scale, value: 0.5}]}
  nothing: {steps: []}
stem: [{op: conv, name: first, filters: 4, kernel_size: 3, repeat: 3}]
body:
  - {use: outer, repeat: 2}
  - name: mixed
    branches:
      a: []
      b: [{branches: {x: [], y: [{op: identity}, {use: inner}]}, merge: multiply}]
      c: []
    merge: concat
  - {use: nothing}
head: [{op: global_avg_pool}, {op: dense, units: 5}]
outputs: {early: first, late: mixed}
aux_heads:
  aux: {after: mixed, loss_weight: 0.3, steps: [{op: flatten}, {op: dense, units: 5}]}
"""


@pytest.fixture(params=["everything", *(spec.stem for spec in SPECS)])
def typed(request: pytest.FixtureRequest, compiled: Compiled, root: Path) -> TypedProgram:
    if request.param == "everything":
        return compiled(EVERYTHING)
    return typed_program(root / "specs" / f"{request.param}.yaml")


@pytest.mark.parametrize("heads", [True, False])
def test_statements_are_the_nodes_in_order_each_after_its_inputs(
    typed: TypedProgram, heads: bool
) -> None:
    found = flow(typed, heads=heads)
    walked = walk_program(typed, heads=heads)
    assert [(s.path, s.typed) for s in found.statements] == [
        (path, node) for path, node in walked if not isinstance(node, TypedUse)
    ]
    assigned = [found.input]
    for statement in found.statements:
        assert set(statement.inputs) <= set(assigned)
        assert [found.types[value] for value in statement.inputs] == (
            [statement.typed.x]
            if isinstance(statement, Apply)
            else [branch.y for _, branch in statement.typed.branches]
        )
        assert found.types[statement.y] == statement.typed.y
        assigned.append(statement.y)
    assert assigned == [*found.types]
    assert len({*assigned}) == len(assigned)
    read = {value for statement in found.statements for value in statement.inputs}
    assert {*assigned} == read | {*found.outputs.values()}
    assert {*found.blocks.values()} <= {*assigned}


def test_weights_have_the_names_of_weight_files(typed: TypedProgram) -> None:
    layers = [s for s in flow(typed).statements if isinstance(s, Apply)]
    weights = [weight for layer in layers for weight in layer.weights.values()]
    assert [weight.path for weight in weights] == [*weight_shapes(typed)]
    assert all(w == WeightId(s.path, n) for s in layers for n, w in s.weights.items())
    assert len({*weights}) == len(weights)


def test_outputs_and_boundaries(compiled: Compiled) -> None:
    typed = compiled(EVERYTHING)
    found = flow(typed)
    last = {"/".join(statement.path): statement.y for statement in found.statements}
    blocks = found.blocks
    assert found.outputs == {
        typed.output_name: last["head/1"],
        "early": last["first/2"],
        "late": last["mixed"],
        "aux": last["aux/1"],
    }
    assert list(found.outputs) == [typed.output_name, "early", "late", "aux"]
    assert {name: found.types[value] for name, value in found.outputs.items()} == typed.outputs
    assert blocks["first/0"] == last["first/0"]
    assert blocks["outer/1/inner/0"] == last["outer/1/inner/0"]
    assert blocks["outer/1"] == last["outer/1/1"]
    assert blocks["nothing"] == blocks["mixed"] == last["mixed"]
    assert blocks["aux/0"] == last["aux/0"]
    less = flow(typed, heads=False)
    assert less.outputs == {name: v for name, v in found.outputs.items() if name != "aux"}
    assert less.blocks == {path: v for path, v in blocks.items() if not path.startswith("aux")}
    assert less.statements[-1].y == less.outputs[typed.output_name]


def test_an_empty_branch_outputs_the_input_of_the_fork(compiled: Compiled) -> None:
    merges = {s.path: s for s in flow(compiled(EVERYTHING)).statements if isinstance(s, Merge)}
    outer, inner = merges[("mixed",)], merges[("mixed", "b")]
    assert outer.inputs == (inner.inputs[0], inner.y, inner.inputs[0])


@pytest.fixture
def bridge(body: Compiled) -> Flow:
    """A graph that forks cannot make: ``a`` is an output, and is read by a layer, by one merge, and
    twice by another. Both layers have the weights of the first.
    """
    layer = "{op: conv, filters: 3, kernel_size: 3, activation: tanh}"
    merge = "{branches: {x: [], y: [], z: []}, merge: multiply, repeat: 2, name: merge}"
    series = flow(body(f"{layer}, {layer}, {merge}", "channels: 3, height: 4, width: 3"))
    one, two, product, last = series.statements
    assert isinstance(one, Apply) and isinstance(two, Apply)
    assert isinstance(product, Merge) and isinstance(last, Merge)
    x, a, b, c, d = map(ValueId, range(5))
    statements = (
        replace(one, x=x, y=a),
        replace(two, x=a, y=b, weights=one.weights),
        replace(product, inputs=(x, a, b), y=c),
        replace(last, inputs=(a, c, a), y=d),
    )
    return Flow(x, series.types, statements, {"end": d, "tap": a, "again": a}, {})


def slopes(loss: Callable[[Any], float], at: Any, h: float = 1e-3) -> Any:
    """The gradient by sixth-order central differences, for each element."""
    found = np.zeros(at.shape)
    for index in np.ndindex(*at.shape):
        step = np.zeros(at.shape)
        step[index] = h
        near, far, further = (loss(at + k * step) - loss(at - k * step) for k in (1, 2, 3))
        found[index] = (45 * near - 9 * far + further) / (60 * h)
    return found


def test_gradients_of_shared_values_and_weights_equal_finite_differences(bridge: Flow) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, 4, 3, 3))
    layer = bridge.statements[0]
    assert isinstance(layer, Apply)
    sizes = {"kernel": (3, 3, 3, 3), "bias": (3,)}
    weights = {w.path: rng.normal(0.0, 0.4, sizes[name]) for name, w in layer.weights.items()}
    assert len(weights) == 2
    cotangents = {name: rng.normal(size=x.shape) for name in bridge.outputs}

    def loss(given: Mapping[str, Any], x: Any) -> float:
        outputs = forward.run(bridge, given, x).outputs
        return float(sum((outputs[name] * dy).sum() for name, dy in cotangents.items()))

    tape = forward.Tape()
    forward.run(bridge, weights, x, tape=tape)
    back = training.Backward(tape)
    found = {"x": back.program(bridge, cotangents)}
    found |= {weight.path: gradient for weight, gradient in back.gradients.items()}
    assert found.keys() == {"x", *weights}
    expected = {"x": slopes(lambda moved: loss(weights, moved), x)}
    for path, value in weights.items():
        expected[path] = slopes(lambda moved, p=path: loss({**weights, p: moved}, x), value)
    for name, gradient in found.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-6, atol=1e-9)
    assert not (tape.layers or tape.merges or back.uses)


def test_unnamed_forks_share_a_path_but_no_value(body: Compiled) -> None:
    """The network computes y = 3 x, then y * 3 y = 27 x ** 2."""
    typed = body(
        "{branches: {x: [], y: [{op: scale, value: 2}]}, merge: add}, "
        "{branches: {z: [], w: [{op: scale, value: 3}]}, merge: multiply}"
    )
    assert [s.path for s in flow(typed).statements] == [("y",), (), ("w",), ()]
    x = batch(typed)
    found = training.step(typed, {}, x, {"output": np.ones(x.shape)}, rate=0.1)
    np.testing.assert_allclose(found.outputs["output"], 27 * x**2, rtol=1e-12)
    np.testing.assert_allclose(found.input_gradient, 54 * x, rtol=1e-12)


def test_two_layers_move_a_statistic_that_they_share(body: Compiled) -> None:
    """In the order of computation; the second one gets what the first one has normalised."""
    typed = body("{op: batch_norm}, {op: batch_norm}")
    series = flow(typed)
    one, two = series.statements
    assert isinstance(one, Apply) and isinstance(two, Apply)
    shared = replace(series, statements=(one, replace(two, weights=one.weights)))
    weights, x = seeded(typed), batch(typed)
    assert forward.run(shared, weights, x).statistics == {}
    found = forward.run(shared, weights, x, training=True).statistics
    assert found.keys() == {"body/0/moving_mean", "body/0/moving_variance"}
    first, second = found["body/0/moving_mean"]
    np.testing.assert_allclose(first, x.mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(second, weights["body/0/beta"], rtol=1e-12)


def test_values_are_released_after_their_last_use(
    body: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = body(
        "{branches: {a: [], b: [{op: scale, value: 2.0, repeat: 9}]}, merge: add, name: joined}"
    )
    made: list[weakref.ref[Any]] = []
    alive: list[int] = []

    def scale(op: Any, x: Any, weights: Any) -> Any:
        alive.append(sum(one() is not None for one in made))
        y = op.value * x
        made.append(weakref.ref(y))
        return y

    monkeypatch.setitem(REFERENCE, "scale", scale)
    x = batch(typed)
    forward.interpret(typed, {}, x)
    assert alive == [0, *[1] * 8]
    assert not any(one() is not None for one in made)
    alive.clear()
    tape = forward.Tape()
    forward.interpret(typed, {}, x, tape=tape)
    assert alive == [*range(9)]
