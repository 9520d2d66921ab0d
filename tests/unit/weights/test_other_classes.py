"""Published files with other classes, another classifier, or color images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from published_files import TIMM, Run, layered, state, write_new, write_old
from safetensors.numpy import load_file, save_file

HEAD = {"fc.weight": (7, 90), "fc.bias": (7,)}
AUX = {"AuxLogits.out.weight": (7, 6), "AuxLogits.out.bias": (7,)}


def saved(arrays: dict[str, Any], path: Path) -> Path:
    save_file(arrays, path)
    return path


def fixes(stderr: str) -> list[list[str]]:
    """The options that the help of an error offers, in backticks."""
    help = next(line for line in stderr.splitlines() if "= help: " in line)
    return [part.split() for part in help.split("`")[1::2] if part.startswith("--")]


def test_the_number_of_classes_is_found(imported: Run, tmp_path: Path) -> None:
    file = saved(state({**TIMM, **HEAD, **AUX}), tmp_path / "a.safetensors")
    result = imported(file)
    assert fixes(result.stderr)[0] == ["--set", "classes=7"]
    assert imported(file, "timm", *fixes(result.stderr)[0]).exit_code == 0


def test_a_class_is_dropped_everywhere(imported: Run, tmp_path: Path) -> None:
    """Also from auxiliary heads, and after a flatten, where columns are reordered too."""
    more = {k: (5, *shape[1:]) for k, shape in {**HEAD, **AUX}.items()}
    held = state({**TIMM, **more})
    file = saved(held, tmp_path / "a.safetensors")
    result = imported(file)
    assert ["--drop-class", "0"] in fixes(result.stderr)
    for dropped in (0, 2, 4):
        result = imported(file, "timm", "--drop-class", str(dropped))
        assert f"class {dropped} of the file is left out: classifier, aux/out" in result.stdout
        found = load_file(tmp_path / "out.safetensors")
        kept = [i for i in range(5) if i != dropped]
        wanted = held["AuxLogits.out.weight"][kept].T
        np.testing.assert_array_equal(found["aux/out/kernel"], wanted)
        np.testing.assert_array_equal(found["classifier/bias"], held["fc.bias"][kept])
        np.testing.assert_array_equal(found["classifier/kernel"][1], held["fc.weight"][kept][:, 9])
        (tmp_path / "out.safetensors").unlink()


def test_a_class_that_cannot_be_dropped(
    imported: Run, tmp_path: Path, published_spec: Path
) -> None:
    file = saved(state(TIMM), tmp_path / "a.safetensors")
    assert "leave out `--drop-class`" in imported(file, "timm", "--drop-class", "0").stderr
    assert "the last class is 4" in imported(file, "timm", "--drop-class", "5").stderr
    text = published_spec.read_text().replace("units: $classes", "units: 4")
    published_spec.write_text(text)
    assert "no layer depends on" in imported(file, "timm", "--drop-class", "0").stderr


@pytest.mark.parametrize("name", ["last_linear", "fc.1", "head.fc", "a/b.c"])
@pytest.mark.parametrize("classes", [4, 7])
def test_another_name_of_the_classifier(
    imported: Run, tmp_path: Path, name: str, classes: int
) -> None:
    held = state({**TIMM, "fc.weight": (classes, 90), "fc.bias": (classes,)})
    held = {k.replace("fc.", f"{name}."): array for k, array in held.items() if k[:3] != "Aux"}
    file = saved(held, tmp_path / "a.safetensors")
    result = imported(file, "timm", "--set", "aux_heads=null")
    found = fixes(result.stderr)[0]
    wanted = ["--set", f"checkpoints.timm.names.classifier={name}"]
    assert found == [*wanted, *(["--set", f"classes={classes}"] if classes != 4 else [])]
    result = imported(file, "timm", "--set", "aux_heads=null", *found)
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize(
    "more",
    [
        ["--input", "6x5x1"],
        ["--drop", "tower"],
        ["--drop-class", "2", "--set", "classes=6"],
        ["--prefix", "net", "--input", "6x5x1", "--drop", "depthwise"],
    ],
)
def test_a_name_is_offered_with_other_options(
    imported: Run, tmp_path: Path, more: list[str]
) -> None:
    """What is offered is added to the options, and is right then."""
    held = {f"net.{k}": array for k, array in state({**TIMM, **HEAD}).items() if k[:3] != "Aux"}
    held = {k.replace("fc.", "head.fc."): array for k, array in held.items()}
    file = saved(held, tmp_path / "a.safetensors")
    more = [*more, "--set", "aux_heads=null"]
    found = fixes(imported(file, "timm", *more).stderr)[0]
    assert found[:2] == ["--set", "checkpoints.timm.names.classifier=head.fc"]
    result = imported(file, "timm", *more, *found)
    assert result.exit_code == 0, result.stderr


def test_no_name_is_offered_where_two_fit(imported: Run, tmp_path: Path) -> None:
    held = state({**TIMM, "a.weight": (4, 90), "a.bias": (4,), "b.weight": (4, 90), "b.bias": (4,)})
    held = {k: array for k, array in held.items() if not k.startswith("fc.")}
    stderr = imported(saved(held, tmp_path / "a.safetensors")).stderr
    assert "names.classifier" not in stderr


@pytest.mark.parametrize("new", [False, True])
def test_an_own_dense_layer_of_keras(
    imported: Run, published_spec: Path, tmp_path: Path, new: bool
) -> None:
    found = layered(published_spec)
    found["dense_3"] = {"kernel": np.ones((90, 9), "f4"), "bias": np.ones(9, "f4")}
    del found["predictions"], found["aux"]
    file = tmp_path / ("a.weights.h5" if new else "a.h5")
    (write_new if new else write_old)(file, found)
    more = ("--set", "aux_heads=null")
    stderr = imported(file, "keras-applications", *more).stderr
    wanted = ["--set", "checkpoints.keras-applications.names.classifier=dense_3"]
    assert fixes(stderr)[0] == [*wanted, "--set", "classes=9"]
    result = imported(file, "keras-applications", *more, *fixes(stderr)[0])
    assert result.exit_code == 0, result.stderr


def test_a_model_inside_of_the_model(imported: Run, published_spec: Path, tmp_path: Path) -> None:
    """Keras writes all weights of an inner model below it."""
    import h5py

    found = layered(published_spec)
    classifier = found.pop("predictions")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = np.array([b"base", b"predictions"])
        parts = {"base": found, "predictions": {"predictions": classifier}}
        for outer, layers in parts.items():
            names = [f"{layer}/{leaf}" for layer, own in layers.items() for leaf in own]
            group = file.create_group(outer)
            group.attrs["weight_names"] = np.array([name.encode() for name in names])
            for layer, own in layers.items():
                for leaf, array in own.items():
                    group[f"{layer}/{leaf}"] = array
    result = imported(tmp_path / "a.h5", "keras-applications")
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("above", ["predictions_1/", "sequential/predictions_1/", ""])
def test_the_layer_is_that_of_the_list(
    imported: Run, published_spec: Path, tmp_path: Path, above: str
) -> None:
    """Keras on TensorFlow 1 gives a weight another number than its layer."""
    import h5py

    write_old(tmp_path / "a.h5", layered(published_spec))
    with h5py.File(tmp_path / "a.h5", "a") as file:
        group = file["predictions"]
        for leaf in ("kernel", "bias"):
            group[f"{above}{leaf}:1"] = group[f"predictions/{leaf}:0"][()]
        group.attrs["weight_names"] = np.array([f"{above}kernel:1", f"{above}bias:1"], "S")
    result = imported(tmp_path / "a.h5", "keras-applications")
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("in_file", [True, False])
def test_a_layer_that_starts_anew(imported: Run, tmp_path: Path, in_file: bool) -> None:
    held = state({**TIMM, **HEAD})
    held = held if in_file else {k: a for k, a in held.items() if not k.startswith("fc.")}
    file = saved(held, tmp_path / "a.safetensors")
    stderr = imported(file).stderr
    assert ["--drop", "classifier"] in fixes(stderr)
    kernels = []
    for seed in ("3", "3", "4"):
        result = imported(file, "timm", "--drop", "classifier", "--seed", seed)
        assert f"  new initial values (seed {seed}): classifier" in result.stdout
        found = load_file(tmp_path / "out.safetensors")
        kernels.append(found["classifier/kernel"].tobytes())
        assert not found["classifier/bias"].any()
        np.testing.assert_array_equal(found["aux/out/bias"], held["AuxLogits.out.bias"])
        (tmp_path / "out.safetensors").unlink()
    assert kernels[0] == kernels[1] != kernels[2]


def test_a_dropped_classifier_of_another_name(imported: Run, tmp_path: Path) -> None:
    """What reads the same features is left out; other layers are not."""
    held = state({**TIMM, "own.weight": (2, 90), "own.bias": (2,), "more.weight": (3, 5)})
    held = {k: a for k, a in held.items() if not k.startswith("fc.")}
    file = saved(held, tmp_path / "a.safetensors")
    stderr = imported(file, "timm", "--drop", "classifier").stderr
    assert "own" not in stderr.split("-->")[1].split("help")[0].replace("unknown", "")
    assert fixes(stderr) == [["--drop", "more"]]
    result = imported(file, "timm", "--drop", "classifier", "--drop", "more")
    assert "  left out of the file: more, own" in result.stdout
    (tmp_path / "out.safetensors").unlink()
    assert "did you mean `classifier`?" in imported(file, "timm", "--drop", "clasifier").stderr


@pytest.mark.parametrize("size", [("--input", "6x5x1"), ("--set", "input.channels=1")])
def test_gray_images(imported: Run, tmp_path: Path, size: tuple[str, str]) -> None:
    held = state(TIMM)
    file = saved(held, tmp_path / "a.safetensors")
    result = imported(file, "timm", *size, "--dtype", "float64")
    assert "for gray images, kernels are the sum over RGB: stem/conv" in result.stdout
    found = load_file(tmp_path / "out.safetensors")["stem/conv/kernel"]
    wanted = np.moveaxis(held["conv1.conv.weight"].astype("f8"), (0, 1), (-1, -2)).sum(-2)
    np.testing.assert_array_equal(found[:, :, 0], wanted)


@pytest.mark.parametrize(
    "step",
    [
        "{op: layer_norm, scale: false, center: false}",
        "{op: activation, function: softmax}",
        "{op: local_response_norm}",
    ],
)
def test_gray_images_after_a_norm_over_channels(
    imported: Run, tmp_path: Path, published_spec: Path, step: str
) -> None:
    """Three equal channels do not give what one channel gives there."""
    text = published_spec.read_text()
    published_spec.write_text(text.replace("body:\n", f"body:\n  - {step}\n"))
    file = saved(state(TIMM), tmp_path / "a.safetensors")
    assert imported(file).exit_code == 0
    (tmp_path / "out.safetensors").unlink()
    assert "is 6x3x3x2, expected 6x1x3x2" in imported(file, "timm", "--input", "6x5x1").stderr
