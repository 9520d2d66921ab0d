"""Files that are not what they should be, and small networks whose names and layouts differ: all without a framework."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from safetensors.numpy import save_file

from inception_dsl.cli import main
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.seeds import seeded
from inception_dsl.weights.published import keys, published, read

SPEC = """\
network: small
input: {channels: 3, height: 6, width: 5}
classes: 4
body:
  - {op: conv_bn, name: stem, filters: 6, kernel_size: [3, 2], stride: 2}
  - {use: tower, repeat: 2}
  - {op: depthwise_conv, name: depthwise, kernel_size: [1, 2], depth_multiplier: 2, use_bias: false}
blocks:
  tower: {steps: [{op: conv, name: conv, filters: 5, kernel_size: 1, use_bias: false}, {op: activation, function: relu}]}
head: [{op: flatten}, {op: dropout, rate: 0.5}, {op: dense, name: classifier, units: $classes}]
aux_heads:
  aux: {after: stem, loss_weight: 0.3, steps: [{op: global_avg_pool}, {op: dense, name: out, units: $classes}]}
checkpoints:
  timm:
    names: {stem: conv1, tower/*: "layers.{1..2}", depthwise: dw, classifier: fc, aux: AuxLogits}
    blocks: {tower: {conv: conv}}
    optional: [AuxLogits]
  torchvision: timm
  keras-applications:
    names: {classifier: predictions, aux/out: aux, depthwise: depthwise}
    numbered: {conv: conv2d, bn: batch_normalization}
    optional: [aux]
"""
TIMM = {
    "conv1.conv.weight": (6, 3, 3, 2),
    **{f"conv1.bn.{name}": (6,) for name in ("weight", "bias", "running_mean", "running_var")},
    **{f"layers.{i}.conv.weight": (5, 6 if i == 1 else 5, 1, 1) for i in (1, 2)},
    "dw.weight": (10, 1, 1, 2),
    "fc.weight": (4, 90),
    "fc.bias": (4,),
    "AuxLogits.out.weight": (4, 6),
    "AuxLogits.out.bias": (4,),
}
Run = Callable[..., Result]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SPEC)
    return path


def typed_program(spec: Path, **settings: str) -> TypedProgram:
    report = Report()
    typed = compile_spec(spec, settings, report)
    assert typed is not None, report.render()
    return typed


@pytest.fixture
def run(spec: Path) -> Run:
    """Imports a file for the small network; anything but an exit fails the test."""

    def run(file: Path, source: str = "timm", *more: str) -> Result:
        out = str(spec.with_name("out.safetensors"))
        command = ["weights", "import", str(spec), str(file), "--from", source, "--out", out, *more]
        result = CliRunner().invoke(main, command)
        assert result.exception is None or isinstance(result.exception, SystemExit), (
            result.exception
        )
        assert (result.exit_code == 0) == Path(out).exists()
        return result

    return run


def state(shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {k: rng.uniform(0.5, 1.5, shape).astype(np.float32) for k, shape in shapes.items()}


def test_names_and_layouts(spec: Path, tmp_path: Path, run: Run) -> None:
    """A kernel behind a flattened map has its rows in another order there: channels first."""
    typed = typed_program(spec)
    held = state(TIMM)
    save_file(
        {**held, "conv1.bn.num_batches_tracked": np.zeros((), np.int64)}, tmp_path / "a.safetensors"
    )
    report = Report()
    found = read(tmp_path / "a.safetensors", typed, "timm", report)
    assert found is not None, report.render()
    for h, w, c in np.ndindex(3, 3, 10):
        flat = (h * 3 + w) * 10 + c
        np.testing.assert_array_equal(
            found["classifier/kernel"][flat], held["fc.weight"][:, c * 9 + h * 3 + w]
        )
    np.testing.assert_array_equal(
        found["stem/conv/kernel"][2, 1, 0], held["conv1.conv.weight"][:, 0, 2, 1]
    )
    np.testing.assert_array_equal(
        found["tower/1/conv/kernel"][0, 0], held["layers.2.conv.weight"][:, :, 0, 0].T
    )
    np.testing.assert_array_equal(
        found["depthwise/kernel"][0, 1].reshape(-1), held["dw.weight"][:, 0, 0, 1]
    )
    np.testing.assert_array_equal(found["aux/out/kernel"], held["AuxLogits.out.weight"].T)
    again = published(typed, "timm", found)
    assert {k: a.tobytes() for k, a in again.items()} == {k: a.tobytes() for k, a in held.items()}
    assert run(tmp_path / "a.safetensors", "torchvision").exit_code == 0


def test_all_differences_are_listed(tmp_path: Path, run: Run) -> None:
    held = state({**TIMM, "fc.bias": (5,), "more.weight": (2,)})
    del held["dw.weight"]
    held["conv1.bn.running_var"][3] = np.nan
    held["layers.1.conv.weight"] = held["layers.1.conv.weight"].astype(np.int32)
    save_file(held, tmp_path / "a.safetensors")
    result = run(tmp_path / "a.safetensors")
    assert "E702" in result.stderr
    for line in (
        "missing: dw.weight (10x1x1x2)",
        "unknown: more.weight (2)",
        "of another shape: fc.bias is 5, expected 4",
        "not finite: conv1.bn.running_var has 1 such number, the first at [3]",
        "of another type: layers.1.conv.weight holds I32",
    ):
        assert line in result.stderr, result.stderr


def test_a_head_may_be_left_out_on_either_side(tmp_path: Path, run: Run, spec: Path) -> None:
    held = state(TIMM)
    save_file(held, tmp_path / "all.safetensors")
    save_file(
        {k: a for k, a in held.items() if not k.startswith("Aux")}, tmp_path / "without.safetensors"
    )
    result = run(tmp_path / "without.safetensors")
    assert "missing: AuxLogits.out.bias" in result.stderr
    assert "--set aux_heads=null" in result.stderr
    assert run(tmp_path / "without.safetensors", "timm", "--set", "aux_heads=null").exit_code == 0
    assert run(tmp_path / "all.safetensors", "timm", "--set", "aux_heads=null").exit_code == 0


def test_a_pickle_is_never_opened(tmp_path: Path, run: Run) -> None:
    for name, start in (
        ("a.pth", b"PK\x03\x04"),
        ("b.safetensors", b"\x80\x02cos\nsystem\n"),
        ("c.h5", b"\x80\x04x"),
    ):
        (tmp_path / name).write_bytes(start + bytes(64))
        source = "keras-applications" if name.endswith("h5") else "timm"
        result = run(tmp_path / name, source)
        assert "pickle" in result.stderr
        assert "safetensors" in result.stderr


def test_a_source_that_the_spec_does_not_know(tmp_path: Path, run: Run, spec: Path) -> None:
    result = run(tmp_path / "a.safetensors", "tim")
    assert "E711" in result.stderr
    assert "did you mean `timm`?" in result.stderr
    spec.write_text(spec.read_text().split("checkpoints:")[0])
    assert "specs/published" in run(tmp_path / "a.safetensors").stderr


def layered(spec: Path, first: int = 0) -> dict[str, dict[str, Any]]:
    """The small network's weights as layers, numbers from ``first`` on."""
    typed = typed_program(spec)
    weights = {p: a.astype(np.float32) for p, a in seeded(typed).items()}
    found: dict[str, dict[str, Any]] = {}
    for key, array in published(typed, "keras-applications", weights).items():
        layer, leaf = key.split("/")
        word, _, number = layer.rpartition("_") if layer[-1].isdecimal() else (layer, "", "0")
        if word in ("conv2d", "batch_normalization") and first:
            layer = f"{word}_{int(number) + first}"
        found.setdefault(layer.removesuffix("_0"), {})[leaf] = array
    return found


def write_old(
    path: Path, found: dict[str, dict[str, Any]], *, suffix: str = ":0", chunks: bool = False
) -> None:
    """The old format, layers in another order than they were made in."""
    with h5py.File(path, "w") as file:
        names = [*reversed(found), "activation"]
        if chunks:
            file.attrs["layer_names0"] = np.array([n.encode() for n in names[:2]])
            file.attrs["layer_names1"] = np.array([n.encode() for n in names[2:]])
        else:
            file.attrs["layer_names"] = np.array([n.encode() for n in names])
        for layer in names:
            group = file.create_group(layer)
            own = found.get(layer, {})
            group.attrs["weight_names"] = np.array([f"{layer}/{n}{suffix}".encode() for n in own])
            for name, array in own.items():
                group[f"{layer}/{name}{suffix}"] = array


def write_new(
    path: Path | io.BytesIO, found: dict[str, dict[str, Any]], *, named: bool = True
) -> None:
    with h5py.File(path, "w") as file:
        for index, (layer, own) in enumerate(found.items()):
            group = file.create_group(f"layers/layer_{index}/vars")
            if named:
                group.attrs["name"] = layer
            for number, array in enumerate(own.values()):
                group[str(number)] = array
        file["optimizer/vars/0"] = np.zeros(3)


@pytest.mark.parametrize("first", [0, 1, 9])
def test_layers_by_rank_in_every_format(spec: Path, tmp_path: Path, first: int) -> None:
    typed = typed_program(spec)
    assert keys(typed, "keras-applications")["tower/1/conv/kernel"].key == "conv2d_2/kernel"
    found = layered(spec, first)
    write_old(tmp_path / "a.h5", found)
    write_old(tmp_path / "b.h5", found, suffix="", chunks=True)
    write_new(tmp_path / "c.weights.h5", found)
    inner = io.BytesIO()
    write_new(inner, found)
    with zipfile.ZipFile(tmp_path / "d.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", inner.getvalue())
    wanted = {p: a.astype(np.float32) for p, a in seeded(typed).items()}
    for name in ("a.h5", "b.h5", "c.weights.h5", "d.keras"):
        report = Report()
        read_back = read(tmp_path / name, typed, "keras-applications", report)
        assert read_back is not None, report.render()
        assert {p: a.tobytes() for p, a in read_back.items()} == {
            p: a.tobytes() for p, a in wanted.items()
        }, name


def test_another_number_of_layers(spec: Path, tmp_path: Path, run: Run) -> None:
    found = layered(spec)
    found["conv2d_9"] = {"kernel": np.zeros((1, 1, 5, 5), np.float32)}
    write_old(tmp_path / "a.h5", found)
    assert (
        "4 layers are called `conv2d` and a number, expected 3"
        in run(tmp_path / "a.h5", "keras-applications").stderr
    )


def test_files_that_reach_elsewhere_or_are_damaged(spec: Path, tmp_path: Path, run: Run) -> None:
    found = layered(spec)
    write_old(tmp_path / "other.h5", found)

    def spoilt(name: str, spoil: Callable[[Any], None]) -> str:
        path = tmp_path / f"{name}.h5"
        write_old(path, found)
        with h5py.File(path, "a") as file:
            spoil(file)
        result = run(path, "keras-applications")
        assert "error[E701]" in result.stderr
        return str(result.stderr)

    def linked(link: Any) -> Callable[[Any], None]:
        def spoil(file: Any) -> None:
            del file["predictions"]
            file["predictions"] = link

        return spoil

    def replaced(make: Callable[[Any], None]) -> Callable[[Any], None]:
        def spoil(file: Any) -> None:
            del file["predictions/predictions/bias:0"]
            make(file["predictions/predictions"])

        return spoil

    (tmp_path / "raw").write_bytes(bytes(16))
    assert "link to elsewhere" in spoilt(
        "external", linked(h5py.ExternalLink("other.h5", "/predictions"))
    )
    assert "link to elsewhere" in spoilt("soft", linked(h5py.SoftLink("/depthwise")))
    raw = [(str(tmp_path / "raw"), 0, 16)]
    assert "in another file" in spoilt(
        "raw", replaced(lambda g: g.create_dataset("bias:0", (4,), "f4", external=raw))
    )
    layout = h5py.VirtualLayout((4,), "f4")
    assert "in another file" in spoilt(
        "virtual", replaced(lambda g: g.create_virtual_dataset("bias:0", layout))
    )
    huge = replaced(lambda g: g.create_dataset("bias:0", (1 << 40,), "f4", chunks=(1024,)))
    assert "far more than it holds" in spoilt("huge", huge)
    text = replaced(lambda g: g.create_dataset("bias:0", data=np.array([b"a"] * 4)))
    assert "not an array of floating-point numbers" in spoilt("text", text)
    assert "`bias:0` is missing" in spoilt("missing", replaced(lambda g: None))
    write_new(tmp_path / "nameless.weights.h5", found, named=False)
    assert (
        "newer version of Keras"
        in run(tmp_path / "nameless.weights.h5", "keras-applications").stderr
    )
    whole = (tmp_path / "other.h5").read_bytes()
    for size in (0, 4, 100, len(whole) // 2):
        (tmp_path / "cut.h5").write_bytes(whole[:size])
        assert "E701" in run(tmp_path / "cut.h5", "keras-applications").stderr
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(10_000_000))
    assert "far more than it holds" in run(tmp_path / "bomb.keras", "keras-applications").stderr
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    assert "E701" in run(tmp_path / "empty.keras", "keras-applications").stderr
    with h5py.File(tmp_path / "none.h5", "w"):
        pass
    assert "it holds no layers" in run(tmp_path / "none.h5", "keras-applications").stderr
