"""The nine shipped networks, compared with the numbers in the papers, the authors' code and the
article.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from inception_dsl.analysis.cost import cost, layers
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.ir.walk import applications, walk_program
from inception_dsl.language.load import load
from inception_dsl.language.models import BlockFile, NetworkFile

SPECS = Path(__file__).parent.parent.parent / "specs"
FILES = sorted(SPECS.rglob("*.yaml"))

# trainable parameters, those in auxiliary heads, moving statistics, multiply-adds (MACs) without
# auxiliary heads, input, features
NUMBERS: dict[str, tuple[int, int, int, int, str, str]] = {
    "v0": (387_072, 0, 0, 303_464_448, "28x28x192", "28x28x416"),
    "v1": (13_378_280, 6_379_728, 0, 1_582_671_872, "224x224x3", "7x7x1024"),
    "v1_article": (13_413_016, 0, 0, 2_373_674_176, "224x224x3", "7x7x1024"),
    "v2": (11_188_288, 0, 19_904, 1_934_857_216, "224x224x3", "7x7x1024"),
    "v2_article": (13_429_992, 0, 16_976, 2_373_674_176, "224x224x3", "7x7x1024"),
    "v3": (27_143_152, 3_325_800, 36_224, 5_713_216_096, "299x299x3", "8x8x2048"),
    "v4": (42_648_232, 0, 63_168, 12_253_974_624, "299x299x3", "8x8x1536"),
    "inception_resnet_v1": (22_742_808, 0, 27_040, 6_206_361_696, "299x299x3", "8x8x1792"),
    "inception_resnet_v2": (32_417_496, 0, 32_864, 9_257_953_632, "299x299x3", "8x8x2144"),
}

# the shapes of the papers' tables, in order (GoogLeNet: Table 1; BN-Inception: Figure 5;
# Inception-v3: Table 1 as in the authors' code; Inception-v4 and Inception-ResNet: Figures 9
# and 15)
GOOGLENET = ["28x28x256", "28x28x480", "14x14x480"]
GOOGLENET += [
    "14x14x512",
    "14x14x512",
    "14x14x512",
    "14x14x528",
    "14x14x832",
    "7x7x832",
    "7x7x832",
    "7x7x1024",
]
STAGES: dict[str, list[str]] = {
    "v1": ["112x112x64", "56x56x64", "56x56x192", "28x28x192", *GOOGLENET, "1024", "1000"],
    "v2": [
        *(
            "112x112x64",
            "56x56x64",
            "56x56x192",
            "28x28x192",
            "28x28x256",
            "28x28x320",
            "14x14x576",
        ),
        *(
            "14x14x576",
            "14x14x576",
            "14x14x576",
            "14x14x576",
            "7x7x1024",
            "7x7x1024",
            "7x7x1024",
            "1024",
            "1000",
        ),
    ],
    "v1_article": ["112x112x64", "56x56x64", "56x56x192", "28x28x192", *GOOGLENET],
    "v2_article": ["112x112x64", "56x56x64", "56x56x192", "28x28x192", *GOOGLENET],
    "v3": [
        *(
            "149x149x32",
            "147x147x32",
            "147x147x64",
            "73x73x64",
            "73x73x80",
            "71x71x192",
            "35x35x192",
        ),
        *(
            "35x35x256",
            "35x35x288",
            "35x35x288",
            "17x17x768",
            "17x17x768",
            "17x17x768",
            "17x17x768",
            "17x17x768",
        ),
        *("8x8x1280", "8x8x2048", "8x8x2048", "2048", "1000"),
    ],
    "v4": [
        "35x35x384",
        *["35x35x384"] * 4,
        "17x17x1024",
        *["17x17x1024"] * 7,
        "8x8x1536",
        *["8x8x1536"] * 3,
        "1536",
    ],
    "inception_resnet_v1": [
        *(
            "35x35x256",
            *["35x35x256"] * 5,
            "17x17x896",
            *["17x17x896"] * 10,
            "8x8x1792",
            *["8x8x1792"] * 5,
            "1792",
        ),
    ],
    "inception_resnet_v2": [
        *(
            "35x35x384",
            *["35x35x384"] * 5,
            "17x17x1152",
            *["17x17x1152"] * 10,
            "8x8x2144",
            *["8x8x2144"] * 5,
            "2144",
        ),
    ],
}


@cache
def compiled(name: str, **settings: str) -> TypedProgram:
    report = Report()
    typed = compile_spec(SPECS / f"{name}.yaml", settings, report)
    assert typed is not None, report.render()
    return typed


def top(typed: TypedProgram) -> list[str]:
    """The shape after every top-level step, each repetition separately."""
    steps = [step for chain in typed.sections.values() for step in chain.steps]
    return [str(node.y) for step in steps for _, node in applications(step)]


def test_all_shipped_specs_are_tested() -> None:
    assert {path.stem for path in SPECS.glob("*.yaml")} == set(NUMBERS)


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name: str) -> None:
    typed = compiled(name)
    found = cost(list(layers(typed)))
    *numbers, size, features = NUMBERS[name]
    assert [found.trainable, found.auxiliary, found.non_trainable, found.macs] == numbers
    assert str(typed.program.input) == size
    assert features in top(typed)


@pytest.mark.parametrize("name", STAGES)
def test_stages(name: str) -> None:
    shapes = iter(top(compiled(name)))
    for stage in STAGES[name]:  # in this order; the table does not list every step
        assert stage in shapes, f"{stage} is missing in {top(compiled(name))}"


@pytest.mark.parametrize(("name", "classes"), [(n, 10) for n in NUMBERS if n != "v0"])
def test_the_number_of_classes_is_a_setting(name: str, classes: int) -> None:
    assert str(compiled(name, classes=str(classes)).y) in (
        f"{classes}",
        f"1x1x{classes}",
    )


def module_3a(reduced: bool) -> tuple[int, str]:
    """The number of weights (without biases and pool projection) of module 3a on 28x28x192, and
    its output shape.
    """
    if not reduced:
        typed = compiled("v0")
        return cost(list(layers(typed))).trainable, str(typed.y)
    weights = 0
    typed = compiled("v1")
    for path, node in walk_program(typed):
        if path == ("inception_3a",):
            shape = str(node.y)
        elif path[0] == "inception_3a" and "branch_pool" not in path and hasattr(node, "op"):
            # type: ignore[arg-type]
            weights += sum(int(w.size) for w in node.weights if w.name == "kernel")
    return weights, shape


def test_the_arithmetic_of_the_article() -> None:
    assert module_3a(reduced=False) == (387_072, "28x28x416")
    assert 192 * (1 * 1 * 64) + 192 * (3 * 3 * 128) + 192 * (5 * 5 * 32) == 387_072
    assert module_3a(reduced=True) == (157_184, "28x28x256")


def test_googlenet_has_22_layers_with_parameters_on_its_longest_path() -> None:
    typed = compiled("v1")
    stem = sum(layer.parameters > 0 for layer in layers(typed) if layer.path.startswith("conv"))
    modules = [
        name
        for name in {layer.path.split("/")[0] for layer in layers(typed)}
        if name.startswith("inception_")
    ]
    assert stem + 2 * len(modules) + 1 == 22


def test_specs_are_short() -> None:
    """The networks: a recipe, which is as long as the paper says, is not counted."""
    v4, v1 = ((SPECS / f"{name}.yaml").read_text() for name in ("v4", "v1"))
    recipe = re.compile(r"^training:.*\n(?: .*\n)*", re.MULTILINE)
    v4, v1 = (recipe.sub("", text) for text in (v4, v1))
    used = re.findall(r"blocks/\w+\.yaml", v4)
    lines = [v4, *((SPECS / name).read_text() for name in used)]
    assert sum(len(text.splitlines()) for text in lines) <= 116
    assert len(v1.splitlines()) <= 58


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_the_first_line_names_the_schema(path: Path) -> None:
    schema = "schema.json" if path.parent == SPECS else "../schema.json"
    assert path.read_text().splitlines()[0] == f"# yaml-language-server: $schema={schema}"
    assert (path.parent / schema).resolve() == SPECS / "schema.json"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_every_spec_cites_table_or_figure(path: Path) -> None:
    report = Report()
    spec = load(path, {}, report)
    assert spec is not None, report.render()
    assert cited(spec.model) or spec.model.modified_from, path.name
    for name, block in spec.model.blocks.items():
        assert cited(block) or cited(spec.model) or spec.model.modified_from, name
    if isinstance(spec.model, NetworkFile):
        assert spec.model.deviation, "no paper specifies its network completely"
    else:
        assert isinstance(spec.model, BlockFile)


def cited(model: Any) -> bool:
    paper = model.paper
    return (
        paper is not None
        and bool(paper.arxiv or paper.doi or paper.url)
        and bool(paper.table or paper.figure or paper.section)
    )


def test_the_training_settings_of_the_papers_are_recorded() -> None:
    v1, v3 = compiled("v1").program, compiled("v3").program
    assert [head.loss_weight for head in v1.heads] == [0.3, 0.3]
    assert [head.after for head in v1.heads] == ["inception_4a", "inception_4d"]
    assert v3.training is not None
    assert v3.training.label_smoothing == 0.1
    assert len(v3.heads) == 1
    assert not compiled("v4").program.heads


def test_shared_blocks_are_in_shared_files() -> None:
    users: dict[str, int] = {}
    for path in SPECS.glob("*.yaml"):
        for name in re.findall(r"blocks/(\w+)\.yaml", path.read_text()):
            users[name] = users.get(name, 0) + 1
    assert set(users) == {path.stem for path in (SPECS / "blocks").glob("*.yaml")}
    assert sum(count > 1 for count in users.values()) >= 4
