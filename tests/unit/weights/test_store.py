"""The neutral format: contents, reading and writing."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from frameworks import typed_program
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from small_network import LIST, SMALL

from inception_dsl.analysis.cost import layers
from inception_dsl.analysis.weights import digest, weight_shapes
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.seeds import seeded
from inception_dsl.weights.files import read_file, writer
from inception_dsl.weights.store import read, write

Run = Callable[..., Result]


def test_metadata_and_contents(small: TypedProgram, tmp_path: Path) -> None:
    """The digest is the SHA-256 of the documented list."""
    with safe_open(tmp_path / "small.safetensors", framework="np") as file:
        assert file.metadata() == {
            "format": "inception-dsl",
            "format_version": "2",
            "spec": "small",
            "digest": hashlib.sha256(LIST.encode()).hexdigest(),
            "flattened": '{"classifier/kernel":"7x6x4"}',
        }
        assert list(file.offset_keys()) == list(weight_shapes(small)), "in the order of the spec"
    found = load_file(tmp_path / "small.safetensors")
    assert {name: array.shape for name, array in found.items()} == weight_shapes(small)
    for name, array in seeded(small, 5).items():
        np.testing.assert_array_equal(found[name], array.astype(np.float32), strict=True)


OPS = """\
network: ops
input: {channels: 4, height: 8, width: 8}
body:
  - {op: conv, filters: 4, kernel_size: 3}
  - {op: depthwise_conv, kernel_size: 3}
  - {op: conv_transpose, filters: 4, kernel_size: 2, stride: 2}
  - {op: batch_norm}
  - {op: layer_norm}
  - {op: group_norm, groups: 2}
head: [{op: global_avg_pool}, {op: dense, units: 3}]
"""


def test_the_documented_names(root: Path, tmp_path: Path) -> None:
    """The table in docs/weights.md lists the weights of every op; row `these four` has biases."""
    rows = {}
    for line in (root / "docs" / "weights.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0] not in ("op", "---"):
            rows |= {
                op.strip(" `"): {name.strip(" `") for name in cells[1].split(",")}
                for op in cells[0].split(",")
            }
    (tmp_path / "ops.yaml").write_text(OPS)
    for layer in layers(typed_program(tmp_path / "ops.yaml")):
        documented = rows.get(layer.op, set()) | (
            rows["these four"] if "bias" in {w.name for w in layer.weights} else set()
        )
        assert {weight.name for weight in layer.weights} == documented, layer.op


def test_the_digest_depends_on_names_and_shapes() -> None:
    shapes: dict[str, tuple[int, ...]] = {"a": (2, 3), "b": (4,), "c": ()}
    assert digest(shapes) == digest(dict(reversed(shapes.items())))
    others = [
        {**shapes, "a": (3, 2)},
        {**shapes, "d": (1,)},
        {"a": (2, 3), "b": (4,)},
        {"a": (2, 3), "B": (4,), "c": ()},
    ]
    assert len({digest(s) for s in [shapes, *others]}) == 5


def test_the_same_seed_gives_the_same_bytes(small: TypedProgram, tmp_path: Path) -> None:
    def init(name: str, *options: str) -> bytes:
        words = [
            sys.executable,
            "-m",
            "inception_dsl",
            "weights",
            "init",
            "small.yaml",
            "--out",
            name,
            *options,
        ]
        seed = str(len(list(tmp_path.iterdir())))
        subprocess.run(
            words,
            cwd=tmp_path,
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        return (tmp_path / name).read_bytes()

    files = [init(f"{i}.safetensors", "--seed", "5") for i in range(3)]
    assert files[0] == files[1] == files[2] == (tmp_path / "small.safetensors").read_bytes()
    assert init("a.safetensors") == init("b.safetensors", "--seed", "0") != files[0]
    double = init("c.safetensors", "--seed", "5", "--dtype", "float64")
    assert len(double) - len(files[0]) > 4 * 1_176 - 64
    assert {a.dtype for a in load_file(tmp_path / "c.safetensors").values()} == {
        np.dtype("float64")
    }


def test_seeded_weights_are_suitable_for_tests(run: Run, root: Path, tmp_path: Path) -> None:
    assert run("weights", "init", root / "specs" / "v3.yaml", "--seed", "3").exit_code == 0
    found = load_file(tmp_path / "v3.safetensors")
    mean = np.concatenate([a for name, a in found.items() if name.endswith("moving_mean")])
    variance = np.concatenate([a for name, a in found.items() if name.endswith("moving_variance")])
    assert np.abs(mean).mean() > 0.3
    assert np.abs(variance - 1).mean() > 0.3
    for name, kernel in found.items():
        if name.endswith("conv/kernel") and kernel.shape[:2] == (3, 3):
            for other in (kernel[::-1], kernel[:, ::-1], kernel.transpose(1, 0, 2, 3)):
                assert np.abs(kernel - other).max() > kernel.std()


def test_half_precision_is_read_without_loss(run: Run, small: TypedProgram, tmp_path: Path) -> None:
    weights = seeded(small, 5)
    header: dict[str, Any] = {}
    data = b""
    for i, (name, array) in enumerate(weights.items()):
        if i % 2:
            raw, dtype = array.astype("<f2").tobytes(), "F16"
        else:
            raw, dtype = (array.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes(), "BF16"
        header[name] = {
            "dtype": dtype,
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    (tmp_path / "half.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    found = read(tmp_path / "half.safetensors", small, Report())
    assert found is not None
    for i, (name, array) in enumerate(weights.items()):
        assert found[name].dtype == np.float32
        kept = (
            array.astype("<f2").astype("<f4")
            if i % 2
            else (array.astype("<f4").view("<u4") >> 16 << 16).view("<f4")
        )
        np.testing.assert_array_equal(found[name], kept, strict=True)
    listed = json.loads(run("weights", "inspect", "half.safetensors", "--json").stdout)
    assert listed["dtypes"] == ["bfloat16", "float16"]


def test_a_matching_file_without_metadata(run: Run, small: TypedProgram, tmp_path: Path) -> None:
    save_file(load_file(tmp_path / "small.safetensors"), tmp_path / "bare.safetensors")
    assert (
        run("weights", "convert", "small.yaml", "bare.safetensors", "new.safetensors").exit_code
        == 0
    )
    assert (tmp_path / "new.safetensors").read_bytes() == (
        tmp_path / "small.safetensors"
    ).read_bytes()


def test_source_and_target_can_be_the_same_file(
    run: Run, small: TypedProgram, tmp_path: Path
) -> None:
    before = (tmp_path / "small.safetensors").read_bytes()
    for options in (
        [],
        ["--dtype", "float64"],
        ["--to", "torch"],
        ["--from", "torch", "--to", "torch"],
        ["--from", "torch"],
    ):
        assert (
            run(
                "weights",
                "convert",
                "small.yaml",
                "small.safetensors",
                "small.safetensors",
                *options,
            ).exit_code
            == 0
        )
    assert (tmp_path / "small.safetensors").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["small.safetensors", "small.yaml"]


@pytest.mark.skipif(os.name == "nt", reason="links and modes")
@pytest.mark.parametrize(
    ("target", "goal"),
    [("n.safetensors", "neutral"), ("n.safetensors", "torch"), ("n.keras", "keras")],
)
def test_links_and_modes_are_kept(
    run: Run, small: TypedProgram, tmp_path: Path, target: str, goal: str
) -> None:
    ending = target.partition(".")[2]
    (tmp_path / f"old.{ending}").write_text("old")
    (tmp_path / f"old.{ending}").chmod(0o640)
    (tmp_path / target).symlink_to(f"old.{ending}")
    before = os.umask(0o027)
    try:
        for name in (target, f"fresh.{ending}"):
            result = run(
                "weights", "convert", "small.yaml", "small.safetensors", name, "--to", goal
            )
            assert result.exit_code == 0, result.output
    finally:
        os.umask(before)
    assert (tmp_path / target).is_symlink()
    for name in ("old", "fresh"):
        assert (tmp_path / f"{name}.{ending}").stat().st_mode & 0o777 == 0o640
        assert (
            run("weights", "check", "small.yaml", f"{name}.{ending}", "--from", goal).exit_code == 0
        )


def test_files_are_not_memory_mapped(run: Run, small: TypedProgram, tmp_path: Path) -> None:
    found = read(tmp_path / "small.safetensors", small, Report())
    assert found is not None
    held = {name: array.copy() for name, array in found.items()}
    (tmp_path / "small.safetensors").write_bytes(b"")  # would change or crash a memory-mapped array
    for name, array in found.items():
        np.testing.assert_array_equal(array, held[name])
    if sys.platform == "linux":
        assert "small.safetensors" not in Path("/proc/self/maps").read_text()


NUMBERS = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda kind: arrays(kind, array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4))
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=30), NUMBERS, max_size=6),
    st.data(),
)
def test_round_trip_of_any_tensors(tensors: dict[str, Any], data: st.DataObject) -> None:
    """All names, shapes and bits are equal, NaN too; also with the reader of the package."""
    tensors.pop("__metadata__", None)
    metadata = data.draw(
        st.dictionaries(st.text(max_size=9), st.text(st.characters(codec="utf-8"), max_size=9))
    )
    metadata = {k: v for k, v in metadata.items() if k.isprintable()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.safetensors"
        writer(tensors, metadata)(path)
        report = Report()
        file = read_file(path, report)
        assert file is not None, report.render()
        assert file.metadata == metadata
        theirs = load_file(path)
    assert set(file.tensors) == set(theirs) == set(tensors)
    for name, array in tensors.items():
        for found in (file.tensors[name].array(), theirs[name]):
            assert (found.dtype, found.shape, found.tobytes()) == (
                array.dtype,
                array.shape,
                array.tobytes(),
            )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 2**32),
    scale=st.floats(1e-30, 1e30),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_round_trip_of_weights(tmp_path: Path, seed: int, scale: float, dtype: Any) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(SMALL)
    typed = typed_program(path)
    weights = {name: array * scale for name, array in seeded(typed, seed).items()}
    report = Report()
    assert write(tmp_path / "a.safetensors", typed, weights, report, dtype), report.render()
    found = read(tmp_path / "a.safetensors", typed, report)
    assert found is not None, report.render()
    assert list(found) == list(weight_shapes(typed))
    for name, array in weights.items():
        assert found[name].tobytes() == array.astype(dtype).tobytes()
