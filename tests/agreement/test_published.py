"""The seven published specs against the original implementations: names, counts, outputs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from frameworks import BACKENDS, ROOT, running, typed_program
from originals import NETWORKS, Layers, Network, State, original
from safetensors.numpy import save_file

from inception_dsl.analysis.cost import cost, layers
from inception_dsl.analysis.weights import weight_shapes
from inception_dsl.cli import main
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.ir.walk import applications
from inception_dsl.reference.forward import interpret
from inception_dsl.verify.bounds import FLOAT64, allowed, distance
from inception_dsl.weights import store
from inception_dsl.weights.layouts import places, published
from inception_dsl.weights.published import read

SPECS = ROOT / "specs" / "published"

# parameters: trainable, auxiliary (a part of these), moving statistics; MACs without auxiliary
# heads; input; features
NUMBERS = {
    "torchvision_googlenet": (
        13_004_888,
        6_379_984,
        15_072,
        1_498_376_192,
        "224x224x3",
        "7x7x1024",
    ),
    "torchvision_inception_v3": (
        27_161_264,
        3_326_696,
        36_224,
        5_713_216_096,
        "299x299x3",
        "8x8x2048",
    ),
    "timm_inception_v3": (23_834_568, 0, 34_432, 5_713_216_096, "299x299x3", "8x8x2048"),
    "timm_inception_v4": (42_679_816, 0, 63_168, 12_253_974_624, "299x299x3", "8x8x1536"),
    "timm_inception_resnet_v2": (55_843_464, 0, 60_544, 13_155_794_016, "299x299x3", "8x8x1536"),
    "keras_inception_v3": (23_817_352, 0, 34_432, 5_713_216_096, "299x299x3", "8x8x2048"),
    "keras_inception_resnet_v2": (55_813_192, 0, 60_544, 13_155_794_016, "299x299x3", "8x8x1536"),
}


class Compared(NamedTuple):
    """A published network, its spec, its files, and the weights imported from them."""

    network: Network
    real: State | Layers
    typed: TypedProgram
    files: list[Path]
    weights: dict[str, Any]


@pytest.fixture(scope="module", params=NETWORKS, ids=lambda n: n.spec)
def compared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Compared]:
    network: Network = request.param
    real = original(network)
    typed = typed_program(
        SPECS / f"{network.spec}.yaml", input=f"{network.size[0]}x{network.size[1]}x3"
    )
    files = real.save(tmp_path_factory.mktemp(network.spec))
    report = Report()
    imported = read(files[0], typed, network.source, report)
    assert imported is not None, report.render()
    yield Compared(network, real, typed, files, imported.weights)
    for file in files:
        file.unlink()


def model(backend: str, typed: TypedProgram, weights: dict[str, Any], dtype: str) -> Any:
    """A generated network with these weights."""
    found = running(backend, typed, dtype)
    found.load(weights)
    return found


def farthest(found: dict[str, Any], wanted: dict[str, Any]) -> float:
    assert found.keys() == wanted.keys()
    return max(distance(found[name], wanted[name]) for name in wanted)


def informative(outputs: dict[str, Any]) -> bool:
    """Whether the outputs can reveal a bug: few values are near zero, and the samples differ."""
    small = [np.mean(np.abs(y) < 1e-6 * np.abs(y).max()) for y in outputs.values()]
    return max(small) < 0.01 and all(distance(y[0], y[1]) > 0.01 for y in outputs.values())


def test_every_network_has_a_spec() -> None:
    assert (
        {path.stem for path in SPECS.glob("*.yaml")}
        == {network.spec for network in NETWORKS}
        == set(NUMBERS)
    )


@pytest.mark.parametrize("name", NUMBERS)
def test_counts_and_shapes(name: str) -> None:
    typed = typed_program(SPECS / f"{name}.yaml")
    found = cost(list(layers(typed)))
    *numbers, size, features = NUMBERS[name]
    assert [found.trainable, found.auxiliary, found.non_trainable, found.macs] == numbers
    assert str(typed.program.input) == size
    steps = [step for chain in typed.sections.values() for step in chain.steps]
    assert features in [str(node.y) for step in steps for _, node in applications(step)]


def test_documentation_has_these_counts() -> None:
    text = (SPECS.parents[1] / "docs" / "published.md").read_text()
    rows = [
        line.split(" | ")
        for line in text.splitlines()
        if "specs/published/" in line and line.startswith("| [")
    ]
    for name, (trainable, auxiliary, _, macs, *_) in NUMBERS.items():
        row = next(row for row in rows if f"[{name}]" in row[0])
        assert row[2] == (f"{trainable:,} ({auxiliary:,})" if auxiliary else f"{trainable:,}")
        assert row[3] == f"{macs:,}"


def test_parameter_count_matches_the_original(compared: Compared) -> None:
    assert compared.real.parameters() == NUMBERS[compared.network.spec][0]


def test_import_and_export_are_lossless(compared: Compared) -> None:
    """Imported and exported again, every tensor has the same bits; each is mapped once."""
    found = places(compared.typed, compared.network.source, compared.real.kind)
    assert list(found) == list(weight_shapes(compared.typed))
    real = compared.real.weights()
    assert sorted(place.key for place in found.values()) == sorted(real)
    again = published(compared.typed, compared.network.source, compared.real.kind, compared.weights)
    for key, array in real.items():
        assert again[key].dtype == array.dtype == np.float32
        assert again[key].shape == array.shape
        assert again[key].tobytes() == np.ascontiguousarray(array).tobytes(), key


def test_every_file_format_gives_the_same_weights(compared: Compared) -> None:
    for file in compared.files[1:]:
        report = Report()
        found = read(file, compared.typed, compared.network.source, report)
        assert found is not None, report.render()
        assert all(
            found.weights[path].tobytes() == array.tobytes()
            for path, array in compared.weights.items()
        ), file.name


@pytest.mark.parametrize("part", ["head", "aux_heads"])
def test_a_spec_without_a_part_reads_files_with_and_without_it(
    compared: Compared, part: str, tmp_path: Path
) -> None:
    """`notop` files of keras.applications, and checkpoints without auxiliary heads."""
    network, real = compared.network, compared.real
    size = f"{network.size[0]}x{network.size[1]}x3"
    typed = typed_program(SPECS / f"{network.spec}.yaml", input=size, **{part: "null"})
    if isinstance(real, Layers):
        features = real.model.get_layer("predictions").input
        model = keras.Model(real.model.input, features if part == "head" else real.model.output)
        without = tmp_path / "without.weights.h5"
        model.save_weights(without)
    else:
        wanted = {place.key for place in places(typed, network.source, real.kind).values()}
        held = {key: np.ascontiguousarray(v) for key, v in real.weights().items() if key in wanted}
        without = tmp_path / "without.safetensors"
        save_file(held, without)
    for file in (*compared.files, without):
        report = Report()
        found = read(file, typed, network.source, report)
        assert found is not None, report.render()
        own = found.weights
        assert all(own[p].tobytes() == compared.weights[p].tobytes() for p in own)
        assert list(own) == list(weight_shapes(typed))
    if len(weight_shapes(typed)) < len(compared.weights):
        report = Report()
        assert read(without, compared.typed, network.source, report) is None
        assert f"--set {part}=null" in report.render()


def test_outputs_match_the_original(compared: Compared) -> None:
    """NumPy and both frameworks in float64; in float32 the bound is the original's own rounding.
    Also compares the parameter counts of the frameworks.
    """
    trainable, _, statistics, *_ = NUMBERS[compared.network.spec]
    wanted = compared.real.forward("float64")
    assert informative(wanted)
    rounding = farthest(compared.real.forward("float32"), wanted)
    x = compared.network.batch
    errors = {"numpy": farthest(interpret(compared.typed, compared.weights, x).outputs, wanted)}
    for backend in BACKENDS:
        in_double = model(backend, compared.typed, compared.weights, "float64")
        errors[backend] = farthest(in_double.forward(x.astype(np.float64)), wanted)
        in_single = model(backend, compared.typed, compared.weights, "float32")
        assert in_single.parameters() == (trainable, statistics)
        error = farthest(in_single.forward(x), wanted)
        assert error <= allowed(rounding), (
            f"{backend}: {error:.1e}, the original's rounding error: {rounding:.1e}"
        )
    print(
        compared.network.spec, {k: f"{e:.1e}" for k, e in errors.items()}, f"float32 {rounding:.1e}"
    )
    assert max(errors.values()) <= FLOAT64, errors


@pytest.mark.parametrize(
    "compared", [n for n in NETWORKS if n.heads], ids=lambda n: n.spec, indirect=True
)
def test_training_outputs_match_the_original(compared: Compared) -> None:
    """Every output in training mode, with batch statistics and without dropout."""
    wanted = compared.real.forward("float64", training=True)
    assert informative(wanted)
    x = compared.network.batch.astype(np.float64)
    found = {"numpy": interpret(compared.typed, compared.weights, x, training=True).outputs}
    for backend in BACKENDS:
        found[backend] = model(backend, compared.typed, compared.weights, "float64").forward(
            x, training=True
        )
    errors = {who: farthest(outputs, wanted) for who, outputs in found.items()}
    print(compared.network.spec, {k: f"{e:.1e}" for k, e in errors.items()})
    assert max(errors.values()) <= FLOAT64, errors


def test_import_command(compared: Compared, tmp_path: Path) -> None:
    spec, out = SPECS / f"{compared.network.spec}.yaml", tmp_path / "out.safetensors"
    command = [
        "weights",
        "import",
        spec,
        "--from",
        compared.network.source,
        compared.files[0],
        "--out",
        out,
    ]
    result = CliRunner().invoke(main, list(map(str, command)))
    assert result.exit_code == 0, result.stderr
    report = Report()
    found = store.read(out, compared.typed, report)
    assert found is not None, report.render()
    assert all(found[path].tobytes() == array.tobytes() for path, array in compared.weights.items())
