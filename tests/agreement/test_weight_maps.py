"""Conversion of weights is lossless between the neutral file, PyTorch and both formats of Keras,
for all nine networks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
from click.testing import Result
from frameworks import SPECS, emitted, running, shipped, typed_program
from initial import undrawn
from safetensors.torch import load_file

from inception_dsl.analysis.weights import weight_shapes
from inception_dsl.backend import module_from_source
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.seeds import seeded
from inception_dsl.weights.convert import convert
from inception_dsl.weights.store import read, write

Run = Callable[..., Result]
ENDINGS = {"torch": ("safetensors",), "keras": ("weights.h5", "keras")}
PAIRS = [(backend, ending) for backend, endings in ENDINGS.items() for ending in endings]


def model_of(typed: TypedProgram, backend: str) -> Any:
    """The generated model, created as a user would."""
    module = module_from_source(emitted(backend, typed), "maps")
    if backend == "keras":
        return getattr(module, typed.program.id)(**({"aux_logits": True} if typed.heads else {}))
    from inception_dsl_torch.views import build

    return getattr(module, build(typed).model)()


def values(model: Any) -> list[Any]:
    """Every variable of a model."""
    if isinstance(model, torch.nn.Module):
        return [value.numpy() for value in model.state_dict().values()]
    return list(model.get_weights())


def expected(typed: TypedProgram, backend: str, weights: Any) -> list[Any]:
    """The variables after the runner has loaded ``weights``."""
    held = running(backend, typed, "float32")
    held.load(weights)
    return values(getattr(held, "net", None) or held.model)


def equal(a: Any, b: Any) -> bool:
    """Whether two arrays have the same type, shape and bytes."""
    return bool(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())


def converted(
    typed: TypedProgram, source: tuple[Path, str], target: tuple[Path, str], **more: Any
) -> None:
    report = Report()
    assert convert(typed, source, target, report, **more) is not None, report.render()


@pytest.mark.parametrize("backend", ENDINGS)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
def test_round_trip(spec: Path, backend: str, tmp_path: Path) -> None:
    typed = shipped(spec)
    start, report = tmp_path / "start.safetensors", Report()
    assert write(start, typed, different(spec), report)
    weights = read(start, typed, report)
    assert weights is not None
    assert list(weights) == list(weight_shapes(typed))
    wanted = expected(typed, backend, weights)
    for ending in ENDINGS[backend]:
        file, back = tmp_path / f"file.{ending}", tmp_path / "back.safetensors"
        with undrawn(backend):
            converted(typed, (start, "neutral"), (file, backend))
            converted(typed, (file, backend), (back, "neutral"))
            assert back.read_bytes() == start.read_bytes()
            loaded = plainly_loaded(typed, file)
        assert len(loaded) == len(wanted)
        assert all(equal(a, b) for a, b in zip(loaded, wanted, strict=True))
        file.unlink()
    keras.backend.clear_session()


@lru_cache(maxsize=1)
def different(spec: Path) -> dict[str, Any]:
    """Weights that are all different, also after rounding to float32."""
    weights = seeded(shipped(spec), 11)
    single = {array.astype(np.float32).tobytes() for array in weights.values()}
    assert len(single) == len(weights)
    return weights


def plainly_loaded(typed: TypedProgram, file: Path) -> list[Any]:
    """The variables of the generated model after its framework has loaded a file."""
    if file.suffix == ".keras":
        return values(keras.models.load_model(file, safe_mode=True))
    if file.suffix == ".h5":
        model = model_of(typed, "keras")
        model.load_weights(file)
        return values(model)
    model = model_of(typed, "torch")
    found = model.load_state_dict(load_file(file), strict=True)
    assert not found.missing_keys
    assert not found.unexpected_keys
    return values(model)


@pytest.mark.parametrize("to", PAIRS, ids=".".join)
@pytest.mark.parametrize("origin", PAIRS, ids=".".join)
def test_convert_command_for_every_pair_of_formats(
    run: Run, small: TypedProgram, tmp_path: Path, origin: tuple[str, str], to: tuple[str, str]
) -> None:
    def convert_file(a: str, b: str, *options: str) -> None:
        result = run("weights", "convert", "small.yaml", a, b, *options)
        assert result.exit_code == 0, result.output
        assert result.stdout == f"{b}: 13 weights, 1,176 parameters, float32\n"
        assert result.stderr == ""

    convert_file("small.safetensors", f"a.{origin[1]}", "--to", origin[0])
    convert_file(f"a.{origin[1]}", f"b.{to[1]}", "--from", origin[0], "--to", to[0])
    convert_file(f"b.{to[1]}", "c.safetensors", "--from", to[0])
    assert (tmp_path / "c.safetensors").read_bytes() == (
        tmp_path / "small.safetensors"
    ).read_bytes()
    result = run("weights", "check", "small.yaml", f"b.{to[1]}", "--from", to[0])
    assert result.stdout == f"b.{to[1]}: 13 weights, 1,176 parameters, ok\n"


@pytest.mark.parametrize(("backend", "ending"), PAIRS)
def test_round_trip_without_auxiliary_heads(
    run: Run, small: TypedProgram, tmp_path: Path, backend: str, ending: str
) -> None:
    options = ("--set", "aux_heads=null")
    assert run(
        "weights", "init", "small.yaml", "--out", "n.safetensors", *options
    ).stdout.startswith("n.safetensors: 11 weights")
    there = run(
        "weights",
        "convert",
        "small.yaml",
        "n.safetensors",
        f"a.{ending}",
        "--to",
        backend,
        *options,
    )
    back = run(
        "weights",
        "convert",
        "small.yaml",
        f"a.{ending}",
        "b.safetensors",
        "--from",
        backend,
        *options,
    )
    assert (there.exit_code, back.exit_code) == (0, 0), there.output + back.output
    assert (tmp_path / "n.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert run("weights", "check", "small.yaml", f"a.{ending}", "--from", backend).exit_code == 1
    typed = typed_program(tmp_path / "small.yaml", aux_heads="null")
    weights = read(tmp_path / "n.safetensors", typed, Report())
    loaded = plainly_loaded(typed, tmp_path / f"a.{ending}")
    assert all(equal(a, b) for a, b in zip(loaded, expected(typed, backend, weights), strict=True))


@pytest.mark.parametrize(("backend", "ending"), PAIRS)
def test_round_trip_in_float64(
    run: Run, small: TypedProgram, tmp_path: Path, backend: str, ending: str
) -> None:
    weights = seeded(small, 2)
    start, file, back = (
        tmp_path / "a.safetensors",
        tmp_path / f"b.{ending}",
        tmp_path / "c.safetensors",
    )
    assert write(start, small, weights, Report(), "float64")
    converted(small, (start, "neutral"), (file, backend), dtype="float64")
    converted(small, (file, backend), (back, "neutral"), dtype="float64")
    assert back.read_bytes() == start.read_bytes()
    found = read(back, small, Report())
    assert found is not None
    assert all(equal(found[name], weights[name]) for name in weights)


@pytest.mark.parametrize(("backend", "ending"), PAIRS)
def test_round_trip_with_another_input_size(
    run: Run, small: TypedProgram, tmp_path: Path, backend: str, ending: str
) -> None:
    options = ("--input", "9x8x3")
    assert run("weights", "init", "small.yaml", "--out", "a.safetensors", *options).exit_code == 0
    there = run(
        "weights",
        "convert",
        "small.yaml",
        "a.safetensors",
        f"b.{ending}",
        "--to",
        backend,
        *options,
    )
    back = run(
        "weights",
        "convert",
        "small.yaml",
        f"b.{ending}",
        "c.safetensors",
        "--from",
        backend,
        *options,
    )
    assert (there.exit_code, back.exit_code) == (0, 0), there.output + back.output
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "c.safetensors").read_bytes()
    assert run("weights", "check", "small.yaml", "a.safetensors").exit_code == 1, (
        "the dense layer has another number of inputs"
    )


def test_keras_model_without_heads_from_weights_with_heads(
    run: Run, small: TypedProgram, tmp_path: Path
) -> None:
    """As in docs/weights.md: build with the heads, load, keep the main output."""
    assert (
        run(
            "weights", "convert", "small.yaml", "small.safetensors", "a.weights.h5", "--to", "keras"
        ).exit_code
        == 0
    )
    model = model_of(small, "keras")
    model.load_weights(tmp_path / "a.weights.h5")
    plain = keras.Model(model.input, model.output["logits"])
    weights = read(tmp_path / "small.safetensors", small, Report())
    assert weights is not None
    kept = {array.tobytes() for name, array in weights.items() if not name.startswith("aux/")}
    assert {np.reshape(a, -1).tobytes() for a in plain.get_weights()} == kept
