"""The specs of `specs/family`: their numbers, and the original implementations."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from by_hand import alexnet, channel_attention, inception_time, multires_unet
from click.testing import CliRunner
from family_originals import NETWORKS, SETTINGS
from frameworks import BACKENDS, ROOT, emitted, running, shipped, typed_program
from originals import Layers, Network, State, original

from inception_dsl.analysis.cost import cost, layers
from inception_dsl.cli import main
from inception_dsl.compiler import check_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.forward import interpret
from inception_dsl.reference.seeds import batch, enough, seeded
from inception_dsl.verify.bounds import FLOAT64, distance
from inception_dsl.weights import store
from inception_dsl.weights.layouts import places
from inception_dsl.weights.published import read

SPECS = ROOT / "specs" / "family"
FILES = sorted(SPECS.glob("*.yaml"))

# trainable parameters, moving statistics, MACs, input: of keras.applications (Xception), timm
# (InceptionNeXt), torchvision (VGG, ResNet, AlexNet of one tower), Caffe's model (AlexNet), the
# I3D in PyTorch without gamma, the authors' code in Keras (InceptionTime), the paper (MultiResUNet)
NUMBERS = {
    "alexnet": (60_965_224, 0, 724_406_816, "227x227x3"),
    "alexnet_one_tower": (61_100_840, 0, 714_188_480, "224x224x3"),
    "i3d_flow": (12_668_032, 14_560, 102_341_435_392, "64x224x224x2"),
    "i3d_rgb": (12_689_984, 14_560, 111_153_143_808, "64x224x224x3"),
    # the sum of both streams
    "i3d_two_stream": (
        *(25_358_016, 29_120, 213_494_579_200),
        "rgb 64x224x224x3 and flow 64x224x224x2",
    ),
    "inception_next_tiny": (28_055_680, 14_784, 4_188_634_272, "224x224x3"),
    "inception_time": (420_450, 2_048, 53_522_688, "128x1"),
    "inception_time_multivariate": (490_306, 2_048, 62_464_256, "128x3"),
    "inception_unet": (7_238_228, 24_522, 15_674_153_472, "256x256x3"),
    "nasnet_a_cell": (186_824, 3_232, 26_825_728, "32x32x3"),  # of Keras's cells: test_after.py
    "resnet_50": (25_557_032, 53_120, 4_089_184_256, "224x224x3"),
    # GoogLeNet without its classifier of 1,025,000 parameters, and a dense layer of 1,025
    "siamese_googlenet": (
        *(6_998_552 - 1_025_000 + 1_025, 0, 2 * (1_582_671_872 - 1_024_000) + 1_024),
        "first 224x224x3 and second 224x224x3",
    ),
    "v3_multitask": (21_776_548, 34_432, 23_952_764_512, "587x587x3"),
    "v4_cbam": (44_539_716, 63_168, 12_258_423_830, "299x299x3"),
    "vgg_16": (138_357_544, 0, 15_470_264_320, "224x224x3"),
    "vgg_19": (143_667_240, 0, 19_632_062_464, "224x224x3"),
    "xception": (22_855_952, 54_528, 8_357_403_496, "299x299x3"),
}


class Compared(NamedTuple):
    network: Network
    real: State | Layers
    typed: TypedProgram
    weights: dict[str, Any]


def ids(network: Network) -> str:
    return f"{network.spec}-{network.source}"


@pytest.fixture(scope="module", params=NETWORKS, ids=ids)
def compared(request: pytest.FixtureRequest) -> Compared:
    network: Network = request.param
    real = original(network)
    settings = dict(SETTINGS.get(network.source, {}).get(network.spec, {}))
    size = "x".join(map(str, (*network.size, 3)))
    typed = typed_program(SPECS / f"{network.spec}.yaml", input=size, **settings)
    held = real.weights()
    found = places(typed, network.source, real.kind)
    weights = {p: np.ascontiguousarray(place.back(held[place.key])) for p, place in found.items()}
    return Compared(network, real, typed, weights)


def test_every_spec_is_tested() -> None:
    assert [path.stem for path in FILES] == list(NUMBERS)


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name: str) -> None:
    typed = shipped(SPECS / f"{name}.yaml")
    found = cost(list(layers(typed)))
    *numbers, size = NUMBERS[name]
    assert [found.trainable, found.non_trainable, found.macs] == numbers
    assert found.auxiliary == 0
    assert typed.program.taken == size
    report = Report()
    check_spec(f"inception-dsl:family/{name}", {}, report)
    assert not report.warnings, report.render()


def test_numbers_of_other_sizes() -> None:
    """The I3D of 16 frames, and v3 with two classes and two numbers at the size of the paper."""
    i3d = typed_program(SPECS / "i3d_rgb.yaml", input="16x224x224x3")
    assert cost(list(layers(i3d))).macs == 27_787_978_752
    tasks = typed_program(SPECS / "v3_multitask.yaml", input="299x299x3")
    assert cost(list(layers(tasks))).macs == 5_713_216_096 - 2048 * (1000 - 2 - 1 - 1)
    v4, cbam = (
        cost(list(layers(shipped(p)))) for p in (SPECS.parent / "v4.yaml", SPECS / "v4_cbam.yaml")
    )
    added = [(384, 4), (1024, 7), (1536, 3)]
    assert cbam.trainable - v4.trainable == sum(
        times * (2 * c * (c // 16) + c // 16 + c + 2 * 49) for c, times in added
    )


def test_documentation_has_these_numbers() -> None:
    text = (ROOT / "docs" / "family.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| [")]
    found = {row[0].strip("| []").partition("]")[0]: (row[2], row[3]) for row in rows}
    assert found == {n: (f"{k[0]:,}", f"{k[2]:,}") for n, k in NUMBERS.items()}


def test_documentation_has_these_ratios() -> None:
    text = (ROOT / "docs" / "family.md").read_text(encoding="utf-8").replace("\n", " ")
    files = {n: SPECS / f"{n}.yaml" for n in NUMBERS} | {
        n: SPECS.parent / f"{n}.yaml" for n in ("v1", "v3")
    }
    found = {name: cost(list(layers(shipped(path)))) for name, path in files.items()}
    own = {name: (k.trainable - k.auxiliary, k.macs) for name, k in found.items()}
    for words, over, under, index in (
        ("| {:.2f} |", "alexnet", "v1", 0),
        ("| {:.2f} (VGG-16)", "vgg_16", "alexnet", 0),
        ("{:.2f} (VGG-19) |", "vgg_19", "alexnet", 0),
        ("GoogLeNet | 1512.00567 | {:.2f} |", "v3", "v1", 1),
        ("1610.02357 | {:.2f} |", "xception", "v3", 0),
        ("a twentieth ({:.3f}) of the parameters", "v1", "vgg_16", 0),
        ("a tenth ({:.3f}) of the multiply-adds", "v1", "vgg_16", 1),
        ("fewer multiply-adds, {:.2f} times as many", "alexnet", "v1", 1),
        ("Inception-v3 needs {:.2f} times", "v3", "vgg_16", 1),
    ):
        assert words.format(own[over][index] / own[under][index]) in text, words
    assert f"| {own['v1'][0]:,} |" in text
    assert f"| {own['v3'][0]:,} |" in text


def test_names_are_those_of_the_original(compared: Compared) -> None:
    """Every tensor of the original is that of one path, with the same shape."""
    found = places(compared.typed, compared.network.source, compared.real.kind)
    held = compared.real.weights()
    assert sorted(place.key for place in found.values()) == sorted(held)
    for path, place in found.items():
        assert place.shape(compared.weights[path].shape) == held[place.key].shape, path


def test_outputs_are_those_of_the_original(compared: Compared) -> None:
    (wanted,) = compared.real.forward("float64").values()
    assert distance(wanted[0], wanted[1]) > 0.01
    for backend in BACKENDS:
        model = running(backend, compared.typed)
        model.load(compared.weights)
        (y,) = model.forward(compared.network.batch).values()
        assert distance(y, wanted) <= FLOAT64, backend


@pytest.mark.parametrize(
    "compared", [n for n in NETWORKS if n.spec in ("xception", "resnet_50", "inception_next_tiny")],
    ids=ids, indirect=True,
)  # fmt: skip
def test_files_are_imported(compared: Compared, tmp_path: Path) -> None:
    """What the packages save: HDF5 and archives of Keras, and state dicts."""
    first, *others = compared.real.save(tmp_path)
    spec, out = f"inception-dsl:family/{compared.network.spec}", tmp_path / "out.safetensors"
    command = ["weights", "import", spec, str(first), "--from", compared.network.source]
    result = CliRunner().invoke(main, [*command, "--out", str(out)])
    assert result.exit_code == 0, result.stderr
    report = Report()
    found = [store.read(out, compared.typed, report)]
    for file in others:
        imported = read(file, compared.typed, compared.network.source, report)
        found.append(imported and imported.weights)
    for weights in found:
        assert weights is not None, report.render()
        assert all(weights[p].tobytes() == a.tobytes() for p, a in compared.weights.items())


@pytest.mark.parametrize(
    ("name", "settings", "by_hand", "output"),
    [
        ("alexnet", {}, alexnet, "logits"),
        ("inception_time", {}, inception_time, "logits"),
        ("inception_time_multivariate", {"input": "45x5"}, inception_time, "logits"),
        ("inception_unet", {"input": "32x48x3"}, multires_unet, "mask_logits"),
    ],
)
def test_networks_by_hand(name: str, settings: Any, by_hand: Any, output: str) -> None:
    typed = typed_program(SPECS / f"{name}.yaml", **settings)
    weights, x = seeded(typed), batch(typed)
    wanted = by_hand(weights, x)
    for backend in BACKENDS:
        model = running(backend, typed)
        model.load(weights)
        assert distance(model.forward(x)[output], wanted) <= FLOAT64, backend


def test_channel_attention_shares_its_perceptron() -> None:
    code: dict[str, Any] = {"__name__": "v4_cbam"}
    exec(emitted("torch", shipped(SPECS / "v4_cbam.yaml")), code)
    block = code["ChannelAttention"](32, reduction=8).double()
    x = np.random.default_rng(2).normal(size=(2, 5, 4, 32))
    y = block(torch.from_numpy(x).movedim(-1, 1)).detach().movedim(1, -1).numpy()
    pairs = [(m.weight.flatten(1).T, m.bias) for m in block.modules() if hasattr(m, "weight")]
    first, last = [[part.detach().numpy() for part in pair] for pair in pairs]
    assert distance(y, channel_attention(x, first, last)) <= FLOAT64


def test_dropout_after_many_batch_norms_of_few_values() -> None:
    """`verify` compares the input of dropout in training, where Xception has 1x1 maps: of two
    samples its batch norms would magnify rounding errors beyond the bound.
    """
    typed = typed_program(SPECS / "xception.yaml", input="7x15x3", width="0.25")
    weights, x = seeded(typed), batch(typed, 3, enough(typed))
    wanted = interpret(typed, weights, x, training=True).outputs
    model = running("torch", typed)
    model.load(weights)
    assert distance(model.forward(x, training=True)["logits"], wanted["logits"]) <= FLOAT64


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("inception_time", []),
        ("inception_unet", ["width=0.25", "input.height=16", "input.width=32"]),
    ],
)
def test_verify(name: str, settings: list[str]) -> None:
    """Outputs, gradients and a training step, in both frameworks."""
    more = [word for setting in settings for word in ("--set", setting)]
    command = ["verify", f"inception-dsl:family/{name}", "--dtype", "float64", "--train", *more]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert result.output.count("  agrees") == len(BACKENDS)
