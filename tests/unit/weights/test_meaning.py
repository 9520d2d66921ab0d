"""What gives the numbers of a file a meaning: the network, and the map before a flatten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from refusals import refused
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from inception_dsl.analysis.weights import flattened, weight_shapes
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import seeded
from inception_dsl.weights.store import read, write

Run = Callable[..., Result]
HEAD = "network: n\ninput: {channels: 2, height: 6, width: 4}\n"
DENSE = "{op: dense, units: 3}"
FLAT = "{op: flatten}"
POOL = "{op: global_avg_pool}"
CASES = {
    f"head: [{FLAT}, {DENSE}]": {"head/1/kernel": "6x4x2"},
    f"head: [{POOL}, {DENSE}]": {},
    f"head: [{{op: global_avg_pool, keepdims: true}}, {FLAT}, {DENSE}]": {},
    f"head: [{FLAT}, {DENSE}, {DENSE}]": {"head/1/kernel": "6x4x2"},
    f"head: [{FLAT}, {{op: batch_norm}}, {{op: dropout, rate: 0.5}}, {DENSE}]": {
        **{
            f"head/1/{name}": "6x4x2"
            for name in ("gamma", "beta", "moving_mean", "moving_variance")
        },
        "head/3/kernel": "6x4x2",
    },
    f"body: [{{merge: concat, name: f, branches: {{a: [{FLAT}], b: [{POOL}]}}}}, {DENSE}]": {
        "body/1/kernel": "6x4x2+2"
    },
    f"body: [{FLAT}, {{merge: add, name: f, branches: {{a: [], b: [{{op: dense, units: 48}}]}}}}, "
    f"{DENSE}]": {
        "f/b/kernel": "6x4x2",
        "f/b/bias": "6x4x2",
        "body/2/kernel": "6x4x2",
    },
    f"blocks: {{b: {{steps: [{DENSE}]}}}}\nbody: [{FLAT}, {{use: b, repeat: 2}}]": {
        "b/0/kernel": "6x4x2"
    },
    f"body: [{{op: flatten, name: f}}, {DENSE}]\n"
    f"aux_heads: {{aux: {{after: f, loss_weight: 0.3, steps: [{DENSE}]}}}}": {
        "body/1/kernel": "6x4x2",
        "aux/kernel": "6x4x2",
    },
    f"body: [{{op: max_pool, kernel_size: 2, stride: 2}}, {FLAT}, {FLAT}, {DENSE}]": {
        "body/3/kernel": "3x2x2"
    },
}


@pytest.mark.parametrize("text", CASES)
def test_weights_after_a_flatten(text: str, compiled: Callable[..., TypedProgram]) -> None:
    typed = compiled(HEAD + text)
    assert flattened(typed) == CASES[text]
    assert set(flattened(typed)) <= set(weight_shapes(typed))


@pytest.mark.parametrize("text", [text for text in CASES if CASES[text]])
def test_they_are_those_whose_numbers_depend_on_the_map(
    text: str, compiled: Callable[..., TypedProgram]
) -> None:
    """An input with height and width exchanged gives the same output if exactly these weights are
    put in the order of the exchanged map, one flattened map after the other.
    """
    typed, turned = compiled(HEAD + text), compiled(HEAD + text, input="4x6x2")
    assert weight_shapes(typed) == weight_shapes(turned)
    weights = {path: np.abs(array) for path, array in seeded(typed).items()}
    x = np.random.default_rng(0).normal(size=(2, 6, 4, 2))
    orders = flattened(typed)
    moved = {path: exchanged(array, orders.get(path, "")) for path, array in weights.items()}
    name = typed.output_name
    expected = interpret(typed, weights, x).outputs[name]
    found = interpret(turned, moved, np.swapaxes(x, 1, 2)).outputs[name]
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    plain = interpret(turned, weights, np.swapaxes(x, 1, 2)).outputs[name]
    assert np.abs(plain - expected).max() > 1e-3, "the order matters"


def exchanged(array: Any, order: str) -> Any:
    """A weight whose rows are those of flattened maps, with the spatial axes of these exchanged."""
    parts, start = [], 0
    for part in filter(None, order.split("+")):
        sizes = tuple(map(int, part.split("x")))
        rows = array[start : start + int(np.prod(sizes))]
        start += len(rows)
        axes = (*range(len(sizes) - 1)[::-1], len(sizes) - 1, len(sizes))
        rows = rows.reshape(*sizes, -1)
        parts.append(np.transpose(rows, axes).reshape(-1, *array.shape[1:]))
    found = np.concatenate(parts) if parts else array
    if found.shape == (48, 48):  # added to the flattened map: its columns too
        return np.transpose(found.reshape(48, 6, 4, 2), (0, 2, 1, 3)).reshape(48, 48)
    return found


@pytest.fixture
def flat(run: Run, tmp_path: Path) -> Path:
    """A network with a flatten in ``flat.yaml``, its weights in ``flat.safetensors``."""
    text = "network: flat\ninput: {channels: 2, height: 6, width: 4}\nclasses: 3\n"
    steps = "head: [{op: flatten}, {op: dense, units: $classes, name: classifier}]\n"
    (tmp_path / "flat.yaml").write_text(text + steps)
    (tmp_path / "other.yaml").write_text((text + steps).replace("flat\n", "other\n", 1))
    assert run("weights", "init", "flat.yaml").exit_code == 0
    return tmp_path / "flat.safetensors"


def test_another_input_size(run: Run, flat: Path, tmp_path: Path) -> None:
    size = ("--input", "4x6x2")
    for words in (
        ["check", "flat.yaml", "flat.safetensors", *size],
        ["convert", "flat.yaml", "flat.safetensors", "new.safetensors", "--to", "torch", *size],
    ):
        said = refused(run, tmp_path, *words, code="E707")
        assert "flat.safetensors was written for `flat` with another input size" in said
        assert "classifier/kernel: the order of a flattened 6x4x2, expected 4x6x2" in said
        assert run("weights", *words, "--any-network").exit_code == 0
        (tmp_path / "new.safetensors").unlink(missing_ok=True)


def test_an_input_size_that_changes_no_meaning(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(f"{HEAD}head: [{POOL}, {DENSE}]\n".replace(" n\n", " p\n"))
    assert run("weights", "init", "p.yaml").exit_code == 0
    for size in ("6x4x2", "4x6x2", "8x8x2"):
        assert run("weights", "check", "p.yaml", "p.safetensors", "--input", size).exit_code == 0


def test_another_network(run: Run, flat: Path, tmp_path: Path) -> None:
    said = refused(run, tmp_path, "check", "other.yaml", "flat.safetensors", code="E707")
    assert "flat.safetensors was written for `flat`, not for `other`" in said
    assert "--any-network" in said
    words = ["weights", "convert", "other.yaml", "flat.safetensors", "other.safetensors"]
    assert run(*words).exit_code == 1
    assert run(*words, "--any-network").exit_code == 0
    with safe_open(tmp_path / "other.safetensors", framework="np") as file:
        assert file.metadata()["spec"] == "other", "it is written for the new network"


def rewritten(path: Path, change: Callable[[dict[str, str]], Any]) -> None:
    with safe_open(path, framework="np") as file:
        metadata = dict(file.metadata())
    change(metadata)
    save_file(load_file(path), path, metadata)


def older(metadata: dict[str, str]) -> None:
    del metadata["flattened"]
    metadata["format_version"] = "1"


def test_files_of_version_1(run: Run, flat: Path, tmp_path: Path) -> None:
    """They know their network, and no map before a flatten."""
    rewritten(flat, older)
    assert run("weights", "check", "flat.yaml", "flat.safetensors").exit_code == 0
    words = ["check", "flat.yaml", "flat.safetensors", "--input", "4x6x2"]
    assert run("weights", *words).exit_code == 0
    assert run("weights", "inspect", "flat.safetensors").exit_code == 0
    refused(run, tmp_path, "check", "other.yaml", "flat.safetensors", code="E707")


def test_files_without_metadata(run: Run, flat: Path) -> None:
    rewritten(flat, dict.clear)
    for spec in ("flat.yaml", "other.yaml"):
        assert run("weights", "check", spec, "flat.safetensors").exit_code == 0


@pytest.mark.parametrize("value", ["{}", '{"classifier/kernel":"\\u001b[31m"}', '{"zzz":"6x4x2"}'])
def test_metadata_that_someone_changed(run: Run, flat: Path, tmp_path: Path, value: str) -> None:
    rewritten(flat, lambda metadata: metadata.update(flattened=value))
    said = refused(run, tmp_path, "check", "flat.yaml", "flat.safetensors", code="E707")
    assert "\x1b" not in said


# values


@pytest.mark.parametrize("value", [-1e-9, -3.0, -np.inf])
def test_a_negative_variance(
    run: Run, tmp_path: Path, changed: Callable[..., Path], value: float
) -> None:
    path = changed(lambda w: w["stem/bn/moving_variance"].__setitem__(2, value))
    said = refused(run, tmp_path, "check", "small.yaml", str(path), code="E702")
    line = "negative: stem/bn/moving_variance has 1 value below 0, the first at [2]"
    assert line in said
    path = changed(lambda w: w["stem/bn/moving_mean"].__setitem__(2, -3.0))
    assert run("weights", "check", "small.yaml", path).exit_code == 0


@pytest.mark.parametrize("to", ["neutral", "torch"])
@pytest.mark.parametrize("value", [1e300, -1e39, 3.5e38])
def test_an_overflow_names_the_value(
    run: Run, small: TypedProgram, tmp_path: Path, value: float, to: str
) -> None:
    weights = seeded(small, 5)
    weights["grouped/kernel"][1, 2, 3, 0] = value
    weights["grouped/bias"][:] = np.finfo(np.float32).max  # in range
    report = Report()
    assert write(tmp_path / "wide.safetensors", small, weights, report, "float64")
    target = ("new.safetensors", "--to", to)
    said = refused(run, tmp_path, "convert", "small.yaml", "wide.safetensors", *target, code="E702")
    assert f"too large: grouped/kernel has {value:.6g} at [1, 2, 3, 0]" in said
    assert "grouped/bias" not in said
    assert "--dtype float64" in said
    words = ["weights", "convert", "small.yaml", "wide.safetensors", *target, "--dtype", "float64"]
    assert run(*words).exit_code == 0
    found = read(tmp_path / "wide.safetensors", small, report)
    assert found is not None and found["grouped/kernel"][1, 2, 3, 0] == value
