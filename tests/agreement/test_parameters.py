"""Blocks with parameters in unusual fields and with unusual names.

Each has one definition that matches the reference, with a signature independent of its uses.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from frameworks import BACKENDS, emitted, running, typed_program

from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, seeded
from inception_dsl.verify.bounds import FLOAT64, distance

HEAD = "head: [{op: global_avg_pool}, {op: dense, units: $classes}]\n"
DEPTHWISE = """\
network: depthwise
input: {channels: CHANNELS, height: 8, width: 8}
classes: 4
blocks:
  dw:
    params: {f: int}
    steps:
      - {op: conv_bn, name: depthwise, filters: $in_channels, kernel_size: 3,
         groups: $in_channels}
      - {op: conv_bn, name: pointwise, filters: $f, kernel_size: 1}
body: [{use: dw, f: 8, name: a}, {use: dw, f: 16, name: b}]
"""
BROADCAST = """\
network: broadcast
input: {channels: 3, height: 5, width: 5}
blocks:
  gate:
    params: {p: int}
    steps:
      - branches:
          g: [{op: conv, filters: "${max(in_channels // 4, p)}", kernel_size: 1,
               activation: sigmoid}]
          x: []
        merge: multiply
        name: f
      - {op: conv, filters: 2, kernel_size: 1, name: last}
body: [{use: gate, p: 1}]
"""
FEATURES = """\
network: features
input: {channels: 3, height: 4, width: 4}
blocks: {b: {steps: [{op: flatten}, {op: dense, units: 5}]}}
body:
  - {op: adaptive_avg_pool, output_size: $in_channels}
  - {op: conv, filters: 2, kernel_size: 1, name: c}
  - {use: b}
"""
WIDTHS = """\
network: widths
input: {channels: 8, height: 32, width: 32}
blocks:
  unit:
    params: {width: int}
    steps: [{op: conv, filters: $width, kernel_size: 3, stride: 2, padding: 1}]
body:
  - {use: unit, name: a, width: 16}
  - {use: unit, name: b, width: 32}
  - {use: unit, name: c, width: 64}
"""
NAMES = """\
network: names
input: {channels: 3, height: 6, width: 6}
blocks:
  unit:
    params: {max: int, x: float, self: float, num_classes: int, out_channels: int}
    steps:
      - {op: conv, name: g, filters: "${max(max, out_channels)}", kernel_size: 3}
      - {op: scale, name: u, value: $x}
      - {op: scale, name: x, value: $self}
      - {op: conv, name: max, filters: $num_classes, kernel_size: 1}
body: [{use: unit, name: a, max: 4, x: 4.0, self: 0.5, num_classes: 3, out_channels: 5}]
"""
WINDOWS = """\
network: windows
input: {channels: 3, height: 16, width: 16}
blocks:
  unit:
    params: {f: int, window: int, step: int}
    steps:
      - {op: max_pool, kernel_size: $window, stride: $step}
      - {op: conv, filters: $f, kernel_size: 1}
body:
  - {use: unit, name: a, f: 4, window: 2, step: 2}
  - {use: unit, name: b, f: 5, window: 3, step: 3}
"""
STRIDE = """\
network: stride
input: {channels: 2, height: 3, width: 3}
body: [{op: conv, filters: 2, kernel_size: 3, stride: $in_channels}]
"""
REPEAT = """\
network: repeated
input: {channels: 2, height: 3, width: 3}
classes: 3
body: [{op: conv, filters: 2, kernel_size: 3, repeat: $classes}]
"""
GROWTH = """\
network: grown
input: {channels: 3, height: 5, width: 5}
classes: 3
blocks:
  layer:
    params: {growth: int}
    steps:
      - branches: {x: [], new: [{op: conv_bn, filters: $growth, kernel_size: 3}]}
        merge: concat
  stage:
    params: {growth: int, depth: int}
    steps: [{use: layer, repeat: $depth, growth: $growth}]
body: [{use: stage, name: a, growth: 2, depth: 3}, {use: stage, name: b, growth: 3, depth: 2}]
"""
FIRST = """\
network: first
input: {channels: 3, height: 5, width: 5}
classes: 3
blocks:
  unit:
    params: {f: int, n: int}
    steps: [{op: conv_bn, filters: $f, kernel_size: 3, repeat: $n}]
body:
  - {use: unit, name: a, f: 4, n: 3}
  - {use: unit, name: b, f: 4, n: 2}
  - {use: unit, name: c, f: 5, n: 1}
"""
FORKS = """\
network: forks
input: {channels: 3, height: 5, width: 5}
classes: 3
blocks:
  unit:
    params: {width: int, n: int}
    steps:
      - {op: conv, filters: $width, kernel_size: 3}
      - name: residual
        repeat: $n
        branches: {x: [], y: [{op: conv_bn, filters: $width, kernel_size: 3}]}
        merge: add
      - repeat: "${n - 1}"
        branches: {keep: [], new: [{op: conv, filters: "${in_channels + 1}", kernel_size: 1}]}
        merge: concat
body: [{use: unit, name: a, width: 4, n: 3}, {use: unit, name: b, width: 5, n: 2}]
"""
MODES = """\
network: modes
input: {channels: 3, height: 47, width: 45}
classes: 3
blocks:
  unit:
    params: {mode: str, counted: bool, k: int, d: float, s: int}
    steps:
      - {op: conv, filters: 4, kernel_size: $k, padding: $mode}
      - {op: conv, filters: 4, kernel_size: 3, padding: $mode, stride: 2, activation: relu}
      - {op: conv_bn, filters: 4, kernel_size: $k, batch_norm: {decay: $d}}
      - {op: conv_bn, filters: 4, kernel_size: 2, padding: $mode, stride: $s}
      - {op: avg_pool, kernel_size: 2, stride: 2, padding: $mode, count_include_pad: $counted}
      - {op: avg_pool, kernel_size: 2, stride: 1, padding: [[1, 0], [0, 1]],
         count_include_pad: $counted}
      - {op: max_pool, kernel_size: $k, stride: 1, padding: same}
      - {op: batch_norm, decay: $d}
body:
  - {use: unit, name: a, mode: same, counted: true, k: 2, d: 0.9, s: 1}
  - {use: unit, name: b, mode: valid, counted: false, k: 1, d: 0.99, s: 1}
  - {use: unit, name: c, mode: same, counted: false, k: 3, d: 0.5, s: 2}
"""
SIDES = """\
network: sides
input: {channels: 3, height: 40, width: 37}
classes: 3
blocks:
  unit:
    params: {p: int, q: int}
    steps:
      - {op: conv, filters: 4, kernel_size: 3, padding: [$p, "${p + q}"]}
      - {op: conv_bn, filters: 4, kernel_size: 3, padding: [[$p, 0], [1, $q]], stride: 2}
      - {op: zero_pad, padding: [[$p, $q], [0, 1]]}
      - {op: max_pool, kernel_size: 3, stride: 1, padding: [[$p, 1], [1, $q]]}
      - {op: avg_pool, kernel_size: 3, stride: 1, padding: [$q, 1]}
body:
  - {use: unit, name: a, p: 0, q: 0}
  - {use: unit, name: b, p: 1, q: 0}
  - {use: unit, name: c, p: 1, q: 1}
"""
SPECS = {
    "depthwise-3": DEPTHWISE.replace("CHANNELS", "3") + HEAD,
    "depthwise-5": DEPTHWISE.replace("CHANNELS", "5") + HEAD,
    "broadcast": BROADCAST,
    "features": FEATURES,
    "widths": WIDTHS,
    "names": NAMES,
    "windows": WINDOWS,
    "stride": STRIDE,
    "repeat": REPEAT,
    "growth": GROWTH + HEAD,
    "first": FIRST + HEAD,
    "forks": FORKS + HEAD,
    "modes": MODES + HEAD,
    "sides": SIDES + HEAD,
}
SIGNATURES = {
    ("depthwise-3", "dw"): ["f"],
    ("broadcast", "gate"): ["p"],
    ("features", "b"): [],
    ("widths", "unit"): ["width"],
    ("windows", "unit"): ["f", "window", "step"],
    ("growth", "layer"): ["growth"],
    ("growth", "stage"): ["growth", "depth"],
    ("first", "unit"): ["f", "n"],
    ("forks", "unit"): ["width", "n"],
    ("modes", "unit"): ["mode", "counted", "k", "d", "s"],
    ("sides", "unit"): ["p", "q"],
}
DERIVED = {"torch": {"self", "in_channels", "in_features"}, "keras": {"x", "name"}}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SPECS)
def test_network_matches_the_reference(name: str, backend: str, tmp_path: Path) -> None:
    typed = typed_program(written(SPECS[name], tmp_path))
    weights, x = seeded(typed), batch(typed)
    model = running(backend, typed)
    assert model.weights().keys() == weights.keys()
    model.load(weights)
    found, expected = model.forward(x), interpret(typed, weights, x).outputs
    assert found.keys() == expected.keys()
    for output, wanted in expected.items():
        assert found[output].shape == wanted.shape
        assert distance(found[output], wanted) < FLOAT64


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("name", "block"), SIGNATURES)
def test_one_definition_has_every_parameter_as_argument(
    name: str, block: str, backend: str, tmp_path: Path
) -> None:
    source = emitted(backend, typed_program(written(SPECS[name], tmp_path)))
    (found,) = signatures(source, block)
    given = [p for p in found if p not in DERIVED[backend]]
    assert sorted(given) == sorted(SIGNATURES[name, block])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "name", ["widths", "windows", "first", "growth", "forks", "modes", "sides", "depthwise-3"]
)
def test_signature_does_not_depend_on_the_uses(name: str, backend: str, tmp_path: Path) -> None:
    """Compares with the same spec without the last use in the body."""
    whole = SPECS[name]
    lines = whole.splitlines(keepends=True)
    (body,) = (i for i, line in enumerate(lines) if line.startswith("body:"))
    if lines[body].rstrip() != "body:":
        lines[body] = lines[body].rpartition(", {use:")[0] + "]\n"
    else:
        last = max(i for i in range(body + 1, len(lines)) if lines[i].startswith("  - {use"))
        del lines[last]
    for folder in ("less", "more"):
        (tmp_path / folder).mkdir()
    less = emitted(backend, typed_program(written("".join(lines), tmp_path / "less")))
    more = emitted(backend, typed_program(written(whole, tmp_path / "more")))
    blocks = [block for spec, block in SIGNATURES if spec == name]
    assert [signatures(less, block) for block in blocks] == [
        signatures(more, block) for block in blocks
    ]


def written(text: str, folder: Path) -> Path:
    """Write a spec to a file."""
    path = folder / "spec.yaml"
    path.write_text(text)
    return path


def signatures(source: str, block: str) -> list[list[str]]:
    """The arguments of every class or function of a block, also those with a number."""
    wanted = block.replace("_", "").lower()
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            own = node.name.replace("_", "").lower().rstrip("0123456789")
            if own in (wanted, f"{wanted}block"):
                found.append(_parameters(node))
    return found


def _parameters(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    if isinstance(node, ast.FunctionDef):
        return [a.arg for a in (*node.args.args, *node.args.kwonlyargs)]
    inits = (n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__")
    return next((_parameters(init) for init in inits), ["self"])
