"""Generated Keras source: formatted, without lint, without unused code."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from checks import checked
from keras_specs import EVERYTHING

from inception_dsl.backend import Report, TypedProgram

ROOT = Path(__file__).parents[2]
SPECS = sorted(path.stem for path in (ROOT / "specs").glob("*.yaml"))


@pytest.mark.parametrize("spec", [*SPECS, EVERYTHING], ids=[*SPECS, "everything"])
def test_source_passes_ruff(spec: str, source_of: Callable[[str], str], tmp_path: Path) -> None:
    assert not checked(source_of(spec), tmp_path)


@pytest.mark.parametrize("spec", [*SPECS, EVERYTHING], ids=[*SPECS, "everything"])
def test_no_argument_or_function_is_unused(spec: str, source_of: Callable[[str], str]) -> None:
    tree = ast.parse(source_of(spec))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for function in functions:
        read = {
            n.id
            for n in ast.walk(function)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
        }
        arguments = {a.arg for a in [*function.args.args, *function.args.kwonlyargs]}
        assert arguments <= read, function.name
    called = {
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    }
    network = next(f.name for f in functions if ast.unparse(f.returns or f) == "keras.Model")
    assert {f.name for f in functions} - called <= {
        network,
        "init_weights",
        "loss",
        "preprocess",
        "recalibrate",
    }


def test_source_imports_only_keras(source_of: Callable[[str], str]) -> None:
    tree = ast.parse(source_of(EVERYTHING))
    names = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    assert names == ["keras"]
    modules = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert modules == {"collections.abc", "keras"}


def test_one_function_for_all_kernel_sizes(source_of: Callable[[str], str]) -> None:
    source = source_of(
        "network: sizes\ninput: {channels: 3, height: 8, width: 8}\n"
        "blocks: {conv_relu_bn: {params: {filters: int, kernel_size: int, stride: {type: int, "
        "default: 1}}, steps: ["
        "{op: conv, name: conv, filters: $filters, kernel_size: $kernel_size, stride: $stride, "
        "activation: relu},"
        " {op: batch_norm, name: bn}]}}\n"
        "body: [{use: conv_relu_bn, name: a, filters: 4, kernel_size: 3, stride: 2},"
        " {use: conv_relu_bn, name: b, filters: 4, kernel_size: 1}, {use: conv_relu_bn, name: c, "
        "filters: 5,"
        " kernel_size: 5}]\n"
    )
    assert source.count("def conv_relu_bn") == 1
    assert "x: keras.KerasTensor, filters: int, kernel_size: int, stride: int," in source


def test_one_function_for_all_activations(source_of: Callable[[str], str]) -> None:
    source = source_of(
        "network: kinds\ninput: {channels: 3, height: 8, width: 8}\n"
        "blocks: {unit: {params: {function: str}, steps: [{op: conv_bn, filters: 4, kernel_size: 1,"
        " activation: $function}]}}\n"
        "body: [{use: unit, name: a, function: relu}, {use: unit, name: b, function: tanh}]\n"
    )
    assert source.count("def unit") == source.count("def conv_bn") == 1
    assert "def unit(x: keras.KerasTensor, function: str, *, name: str)" in source


def test_block_with_different_output_ranks_has_two_functions(
    source_of: Callable[[str], str],
) -> None:
    source = source_of(
        "network: ranks\ninput: {channels: 3, height: 8, width: 8}\n"
        "blocks: {unit: {params: {map: bool}, steps: [{op: global_avg_pool, keepdims: $map}]}}\n"
        "body: [{name: c, merge: multiply, branches: {a: [], b: [{use: unit, map: true}]}},"
        " {name: d, merge: multiply, branches: {a: [], b: [{use: unit, map: false}]}}]\n"
    )
    assert "def unit(x: keras.KerasTensor, map: bool, *, name: str)" in source
    assert "def unit_2(x: keras.KerasTensor, map: bool, *, name: str)" in source


def test_repeat_is_a_loop(source_of: Callable[[str], str]) -> None:
    assert (
        'for index in range(7):\n        x = inception_b(x, name=f"inception_b_{index}")'
        in source_of("v4")
    )


def test_parameters_and_branches_can_have_any_name(module_of: Callable[[str], object]) -> None:
    module = module_of(
        "network: names\ninput: {channels: 3, height: 8, width: 8}\n"
        "blocks:\n  conv_bn:\n    params: {x: int, layers: int, max: int}\n    steps:\n"
        "      - {branches: {x: [{op: conv_bn, filters: $x, kernel_size: 1}], ops: [{op: conv, "
        "filters: $layers,"
        " kernel_size: 1}], keras: [{op: conv, filters: '${max(max, 2)}', kernel_size: 1}]}, "
        "merge: concat}\n"
        "body: [{use: conv_bn, name: inputs, x: 2, layers: 3, max: 4}]\n"
    )
    assert module.names().output_shape == (None, 8, 8, 9)  # type: ignore[attr-defined]


def test_two_paths_with_the_same_layer_name_are_an_error(
    typed_of: Callable[[str], TypedProgram],
) -> None:
    from inception_dsl_keras.emitter import emit_source

    text = (
        "network: twins\ninput: {channels: 3, height: 8, width: 8}\n"
        "body:\n- {op: conv, name: a_b_c, filters: 3, kernel_size: 1}\n"
        "- {name: a, merge: concat, branches: {b_c: [{op: conv, filters: 3, kernel_size: 1}]}}\n"
    )
    report = Report()
    assert emit_source(typed_of(text), report) is None
    (found,) = list(report)
    assert (found.code, found.span.line) == ("E503", 5)
    assert "`a_b_c` and `a/b_c`" in found.message


def test_step_named_input_is_an_error(typed_of: Callable[[str], TypedProgram]) -> None:
    from inception_dsl_keras.emitter import emit_source

    report = Report()
    text = (
        "network: n\n"
        "input: {channels: 3, length: 8}\n"
        "body: [{op: conv, name: input, filters: 3, kernel_size: 1}]\n"
    )
    assert emit_source(typed_of(text), report) is None
    assert [d.code for d in report] == ["E503"]


def test_importing_the_package_does_not_import_a_framework() -> None:
    code = (
        "import sys, inception_dsl_keras as k; assert not {'keras', 'tensorflow', 'numpy', "
        "'jinja2'} & {*sys.modules}"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        ("length: 8", "(N, L) or (N, L, 1)"),
        ("height: 8, width: 8", "(N, H, W) or (N, H, W, 1)"),
        ("depth: 8, height: 8, width: 8", "(N, D, H, W) or (N, D, H, W, 1)"),
    ],
)
def test_cross_entropy_says_the_shape_of_targets(
    axes: str, shape: str, source_of: Callable[[str], str]
) -> None:
    spec = (
        f"network: maps\ninput: {{channels: 3, {axes}}}\nbody: [{{op: conv, name: last,"
        " filters: 4, kernel_size: 1}]\nhead: [{op: global_avg_pool}]\n"
        "outputs: {labels: {after: last, loss: cross_entropy, steps: "
        "[{op: conv, filters: 4, kernel_size: 1}]}}\n"
    )
    text = " ".join(source_of(spec).split())
    assert f"Targets are class indices of any integer type, {shape}. One" in text
    assert "for each position" in text and "(N,)" not in text
