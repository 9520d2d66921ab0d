"""Sources of any name: separators, single weights, layers that hold several of ours, variants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from published_files import Run, state, write_new, write_old
from safetensors.numpy import load_file, save_file

from inception_dsl.cli import main
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.weights.layouts import kind_of

HEAD = "network: small\ninput: {channels: 3, height: 6, width: 5}\nclasses: 4\n"
XCEPTION = f"""{HEAD}
body:
  - {{op: separable_conv, name: sepconv_1, filters: 5, kernel_size: 3, depth_multiplier: 2}}
  - {{op: separable_conv, name: sepconv_2, filters: 6, kernel_size: 3, use_bias: false}}
  - {{op: conv_bn, name: conv, filters: 7, kernel_size: 1}}
  - {{op: depthwise_conv, name: depthwise, kernel_size: 3}}
head: [{{op: global_avg_pool}}, {{op: dense, name: classifier, units: $classes}}]
checkpoints:
  my-Keras_2:
    names:
      {{sepconv_1: block2_sepconv1, sepconv_2: block2_sepconv2, depthwise: dw,
        classifier: predictions}}
    numbered: {{conv: conv2d, bn: batch_normalization}}
  numbers:
    names: {{classifier: predictions, depthwise: dw}}
    numbered:
      {{sepconv_1: separable_conv2d, sepconv_2: separable_conv2d, conv: conv2d,
        bn: batch_normalization}}
"""
NORM = ("gamma", "beta", "moving_mean", "moving_variance")
LAYERS: dict[str, dict[str, tuple[int, ...]]] = {
    "block2_sepconv1": {
        "depthwise_kernel": (3, 3, 3, 2),
        "pointwise_kernel": (1, 1, 6, 5),
        "bias": (5,),
    },
    "block2_sepconv2": {"depthwise_kernel": (3, 3, 5, 1), "pointwise_kernel": (1, 1, 5, 6)},
    "conv2d_4": {"kernel": (1, 1, 6, 7)},
    "batch_normalization_4": dict.fromkeys(
        ("gamma", "beta", "moving_mean", "moving_variance"), (7,)
    ),
    "dw": {"depthwise_kernel": (3, 3, 7, 1), "bias": (7,)},
    "predictions": {"kernel": (7, 4), "bias": (4,)},
}


def errors(path: Path, text: str) -> str:
    """The errors of a spec whose names must fit, rendered; it must have some."""
    path.write_text(text)
    report = Report()
    assert compile_spec(path, {}, report, named=True) is None
    return report.render()


@pytest.mark.parametrize("source", ["my-Keras_2", "numbers"])
@pytest.mark.parametrize("new", [True, False])
def test_separable_convolutions_of_keras(
    imported: Run, published_spec: Path, tmp_path: Path, source: str, new: bool
) -> None:
    """One layer of Keras holds the depthwise and the pointwise convolution."""
    published_spec.write_text(XCEPTION)
    held = {layer: state(shapes) for layer, shapes in LAYERS.items()}
    if source == "numbers":
        held = {k.replace("block2_sepconv", "separable_conv2d_"): own for k, own in held.items()}
    file = tmp_path / ("a.weights.h5" if new else "a.h5")
    (write_new if new else write_old)(file, held)
    result = imported(file, source)
    assert result.exit_code == 0, result.stderr
    found = load_file(tmp_path / "out.safetensors")
    first, second = (own for layer, own in held.items() if "sep" in layer)
    np.testing.assert_array_equal(found["sepconv_1/depthwise/kernel"], first["depthwise_kernel"])
    np.testing.assert_array_equal(found["sepconv_1/pointwise/kernel"], first["pointwise_kernel"])
    np.testing.assert_array_equal(found["sepconv_1/pointwise/bias"], first["bias"])
    np.testing.assert_array_equal(found["sepconv_2/pointwise/kernel"], second["pointwise_kernel"])
    np.testing.assert_array_equal(found["depthwise/kernel"], held["dw"]["depthwise_kernel"])


def test_one_source_has_files_of_both_kinds(
    imported: Run, published_spec: Path, tmp_path: Path
) -> None:
    """The content decides the layout, not the name of the source."""
    text = XCEPTION.replace("numbered: {conv: conv2d, bn: batch_normalization}", "").replace(
        "{sepconv_1: block2", "{conv/conv: c, conv/bn: b, sepconv_1: block2"
    )
    published_spec.write_text(text)
    names = {"conv2d_4": "c", "batch_normalization_4": "b"}
    layers = {names.get(layer, layer): state(shapes) for layer, shapes in LAYERS.items()}
    write_old(tmp_path / "a.h5", layers)
    arrays: dict[str, Any] = {}
    leaves = {"gamma": "weight", "beta": "bias", "bias": "bias", "kernel": "weight"}
    leaves |= {"moving_mean": "running_mean", "moving_variance": "running_var"}
    for layer, own in layers.items():
        for leaf, array in own.items():
            name, _, last = leaf.rpartition("_")
            inner = f".{name}" if last == "kernel" and layer[:5] == "block" else ""
            inner = ".pointwise" if layer[:5] == "block" and leaf == "bias" else inner
            key = f"{layer}{inner}.{leaves.get(leaf, 'weight')}"
            if array.ndim == 2:
                array = array.T
            elif "depthwise" in leaf:
                array = np.moveaxis(array, (-2, -1), (0, 1)).reshape(-1, 1, 3, 3)
            elif array.ndim == 4:
                array = np.moveaxis(array, (-1, -2), (0, 1))
            arrays[key] = np.ascontiguousarray(array)
    save_file(arrays, tmp_path / "a.safetensors")
    found = []
    for name in ("a.h5", "a.safetensors"):
        result = imported(tmp_path / name, "my-Keras_2")
        assert result.exit_code == 0, result.stderr
        weights = load_file(tmp_path / "out.safetensors")
        found.append({path: array.tobytes() for path, array in weights.items()})
        (tmp_path / "out.safetensors").unlink()
    assert found[0] == found[1]


FACENET = f"""{HEAD}
blocks:
  tower: {{steps: [{{op: conv_bn, name: conv, filters: 5, kernel_size: 1}}]}}
body: [{{use: tower, name: towers, repeat: 2}}]
head: [{{op: global_avg_pool}}, {{op: dense, name: classifier, units: $classes}}]
checkpoints:
  facenet:
    separator: _
    names: {{towers/*: "Block35_{{1..2}}", classifier/kernel: bottleneck, classifier/bias: shift}}
    blocks: {{tower: {{conv: Conv2d_1x1}}, conv_bn: {{conv: "", bn: BatchNorm}}}}
"""
FACES = {
    **{f"Block35_{i}_Conv2d_1x1.weight": (5, 3 if i == 1 else 5, 1, 1) for i in (1, 2)},
    **{
        f"Block35_{i}_Conv2d_1x1_BatchNorm.{n}": (5,)
        for n in ("weight", "bias", "running_mean", "running_var")
        for i in (1, 2)
    },
    "bottleneck": (4, 5),
    "shift": (4,),
}


def test_separators_and_single_weights(imported: Run, published_spec: Path, tmp_path: Path) -> None:
    published_spec.write_text(FACENET)
    held = state(FACES)
    save_file(held, tmp_path / "a.safetensors")
    result = imported(tmp_path / "a.safetensors", "facenet")
    assert result.exit_code == 0, result.stderr
    found = load_file(tmp_path / "out.safetensors")
    np.testing.assert_array_equal(found["classifier/kernel"], held["bottleneck"].T)
    np.testing.assert_array_equal(
        found["towers/1/conv/bn/moving_mean"],
        held["Block35_2_Conv2d_1x1_BatchNorm.running_mean"],
    )


WIDER = """\
extends: small.yaml
network: wider
blocks: {wide: {extends: tower, steps: {conv: {filters: 9}}}}
body: {towers: {use: wide, repeat: 2}}
"""


def test_a_block_has_the_names_of_what_it_extends(
    imported: Run, published_spec: Path, tmp_path: Path
) -> None:
    published_spec.write_text(FACENET)
    held = state({k: tuple(9 if n == 5 else n for n in s) for k, s in FACES.items()})
    save_file(held, tmp_path / "a.safetensors")
    published_spec.with_name("base.yaml").write_text(FACENET)
    published_spec.write_text(WIDER.replace("small.yaml", "base.yaml"))
    result = imported(tmp_path / "a.safetensors", "facenet")
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (  # a block with its own layers in place of one with names
            "blocks: {own: {steps: [{op: conv, name: c, filters: 5, kernel_size: 1}]}}\n"
            "body: {towers: {use: own, repeat: 2}}\n",
            ["E313", "base.yaml:12:", "no published names for the block `own`, which `towers/0`"],
        ),
        (  # a layer more than the names have
            "blocks: {wide: {extends: tower, steps: [..., {op: conv, name: more, filters: 5, "
            "kernel_size: 1}]}}\nbody: {towers: {use: wide, repeat: 2}}\n",
            ["E313", "base.yaml:13:", "no published name for `towers/0/more/kernel`"],
        ),
        (  # a layer that no use has any more
            "blocks: {wide: {extends: tower, steps: [{op: conv_bn, name: other, filters: 5, "
            "kernel_size: 1}]}}\nbody: {towers: {use: wide, repeat: 2}}\n",
            ["E311", "base.yaml:13:", "no weights at path `conv`"],
        ),
    ],
)
def test_names_that_no_longer_fit(tmp_path: Path, change: str, expected: list[str]) -> None:
    """A warning with what is wrong; an error at the line of the names if they are needed."""
    (tmp_path / "base.yaml").write_text(FACENET)
    text = f"extends: base.yaml\nnetwork: changed\n{change}"
    found = errors(tmp_path / "changed.yaml", text)
    assert [part for part in expected if part not in found] == [], found
    report = Report()
    assert compile_spec(tmp_path / "changed.yaml", {}, report) is not None
    (warning,) = report.warnings
    assert (warning.code, expected[2] in warning.message) == ("W304", True)
    report = Report()
    compile_spec(tmp_path / "changed.yaml", {"checkpoints": "null"}, report)
    assert not [*report]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"body.towers.repeat": "3"}, "W304"),
        ({"body.towers.repeat": "1"}, "W304"),
        ({"body.towers.name": "other"}, "W304"),
        ({"input": "9x9x3"}, ""),
        ({"classes": "9"}, ""),
        ({"checkpoints.facenet.names.classifier/bias": "null"}, "E313"),
        ({"checkpoints.facenet.names.more": "more", "classes": "9"}, "E311"),
        ({"checkpoints.facenet.names.more": "more", "body.towers.repeat": "3"}, "E311"),
    ],
)
def test_settings_and_names(tmp_path: Path, settings: dict[str, str], code: str) -> None:
    """Names that are wrong themselves stay errors, and so do all for `weights import`."""
    spec, report = tmp_path / "net.yaml", Report()
    spec.write_text(FACENET)
    typed = compile_spec(spec, settings, report)
    assert {one.code for one in report} >= ({code} - {""}) and (code[:1] == "E") is (typed is None)
    needed = compile_spec(spec, settings, Report(), named=True)
    assert (needed is None) is (code != "")
    spec.write_text(FACENET.replace("classifier/bias: shift", "classifer: shift"))
    assert compile_spec(spec, {}, Report()) is None
    assert compile_spec(spec, {"input": "9x9x3"}, Report()) is None


def test_an_overlay_with_wrong_names_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(FACENET)
    names = "checkpoints: {facenet: {names: {classifer: shift}}}\n"
    found = errors(tmp_path / "changed.yaml", f"extends: base.yaml\n{names}")
    assert compile_spec(tmp_path / "changed.yaml", {}, Report()) is None
    assert "no weights at path `classifer`" in found


def test_import_needs_names_that_fit(imported: Run, published_spec: Path, tmp_path: Path) -> None:
    published_spec.with_name("base.yaml").write_text(FACENET)
    published_spec.write_text("extends: base.yaml\nbody: {towers: {repeat: 3}}\n")
    save_file(state(FACES), tmp_path / "a.safetensors")
    result = imported(tmp_path / "a.safetensors", "facenet")
    assert (result.exit_code, "E314" in result.stderr) == (1, True)
    assert "found 2 numbers for 3 repetitions" in result.stderr


def test_a_state_dict_with_a_parameter_called_gamma() -> None:
    """Layer scale of timm; other files with such names are of layers."""
    assert kind_of(["blocks.0.gamma", "blocks.0.conv.weight"]) == "state"
    assert kind_of(["conv/weights", "conv/BatchNorm/gamma"]) == "layers"
    assert kind_of(["conv.kernel", "conv.bias"]) == "layers"
    assert kind_of(["bias"]) == "state"


def test_a_layer_that_no_file_has(imported: Run, published_spec: Path, tmp_path: Path) -> None:
    """It is named, and gets new initial values by ``--drop``."""
    published_spec.with_name("base.yaml").write_text(FACENET)
    more = "body: [..., {op: conv_bn, name: more, filters: 5, kernel_size: 1}]\n"
    start = f"extends: base.yaml\nnetwork: changed\n{more}"
    assert "`weights import --drop`" in errors(tmp_path / "changed.yaml", start)
    published_spec.write_text(f"{start}checkpoints: {{facenet: {{names: {{more: more}}}}}}\n")
    save_file(state(FACES), tmp_path / "a.safetensors")
    assert (
        "--drop more/conv --drop more/bn" in imported(tmp_path / "a.safetensors", "facenet").stderr
    )
    result = imported(tmp_path / "a.safetensors", "facenet", "--drop", "more")
    assert "new initial values (seed 0): more/bn, more/conv" in result.stdout, result.stderr


@pytest.mark.parametrize(
    ("spec", "source", "help"),
    [
        ("v4", "timm", "use `published/timm_inception_v4`, which has them"),
        (
            "published/timm_inception_v3",
            "keras-applications",
            "use `published/keras_inception_v3`, which has them",
        ),
        ("v2", "timm", "the shipped specs `published/...` have them (`inception-dsl list`)"),
        ("v4", "torch", "`weights convert --from torch` reads the files of generated models"),
    ],
)
def test_a_spec_without_names_of_the_source(
    spec: str, source: str, help: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.safetensors"
    result = CliRunner().invoke(main, ["weights", "import", spec, str(file), "--from", source])
    assert result.exit_code == 1
    assert "error[E711]" in result.stderr and f"help: {help}" in result.stderr
