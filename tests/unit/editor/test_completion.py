"""What is offered at the cursor, also in texts that are no valid YAML yet."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from paths import ROOT

from inception_dsl.editor.completion import complete
from inception_dsl.ops import OPS, attribute_names

HEAD = """network: n
input: {channels: 3, height: 32, width: 32}
import: [tower.yaml]
params: {width: {type: int, default: 8}}
blocks:
  mix: {params: {filters: int}, steps: [{op: conv, filters: $filters, kernel_size: 3}]}
  wide: {extends: mix}
"""
OVER = "extends: base.yaml\n"


@pytest.fixture
def offered(tmp_path: Path) -> Callable[[str], list[str]]:
    (tmp_path / "base.yaml").write_text(HEAD + "body: [{use: mix, filters: 3}]\n")
    tower = "block: tower\nparams: {n: int}\nsteps: [{op: identity, repeat: $n}]\n"
    (tmp_path / "tower.yaml").write_text(tower)

    def offered(marked: str) -> list[str]:
        before, _, after = marked.rpartition("|")
        path = str(tmp_path / "net.yaml")
        return [
            i.label for i in complete(path, before + after, len(before), {path: before + after})
        ]

    return offered


FIELDS = {*attribute_names(OPS["conv"]), "name", "repeat", "deviation", "allow", "weights"}


@pytest.mark.parametrize("head", [HEAD, OVER])
@pytest.mark.parametrize(
    "rest", ["\nhead: [{op: flatten}]\n", "\nhead: [{op: \n", "", "\n  - {: [}\n"]
)
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("- {op: |}", {*OPS}),
        ("- {op: |", {*OPS}),
        ("- op: |", {*OPS}),
        ("- op: con|", {*OPS}),
        ("- {op: conv, |}", FIELDS),
        ("- {op: conv, f|", FIELDS),
        ("- op: conv\n    |", FIELDS),
        ("- op: conv\n    fil|", FIELDS),
        ("- {use: |}", {"mix", "wide", "tower"}),
        ("- use: t|", {"mix", "wide", "tower"}),
        ("- {use: tower, |}", {"n", "name", "repeat", "deviation", "allow", "weights"}),
        ("- {op: conv, filters: $|}", {"width", "classes"}),
        ('- {op: conv, filters: "${2 * wi|"}', {"width", "classes"}),
        ("- {branches: {a: [{op: |}]}, merge: add}", {*OPS}),
        ("- {branches: {a: []}, merge: |}", {"concat", "add", "multiply"}),
        ("- {op: conv, padding: |}", {"same", "valid"}),
        ("- {op: conv, use_bias: |}", {"true", "false"}),
        ("- {op: conv} # |", set()),
    ],
)
def test_steps(
    head: str, rest: str, step: str, expected: set[str], offered: Callable[[str], list[str]]
) -> None:
    found = offered(f"{head}body:\n  {step}{rest}")
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    ("marked", "some", "none"),
    [
        ("|", {"network", "block", "extends", "body"}, {"steps"}),
        (f"{HEAD}|\n", {"stem", "body", "training"}, {"network", "blocks", "steps"}),
        ("block: b\n|\n", {"steps", "params"}, {"body", "network"}),
        (f"{HEAD}defaults: {{|}}\n", {"conv", "batch_norm"}, {"filters"}),
        (f"{HEAD}defaults: {{conv: {{|}}}}\n", {"filters"}, {"name", "op"}),
        (f"{HEAD}training: {{|}}\n", {"label_smoothing", "optimizer"}, set()),
        (f"{HEAD}training: {{optimizer: {{|}}}}\n", {"rate", "form"}, {"factor"}),
        (f"{HEAD}training: {{optimizer: {{name: |}}}}\n", {"sgd", "rmsprop"}, {"cosine"}),
        (f"{HEAD}training: {{optimizer: {{form: |}}}}\n", {"torch", "caffe"}, set()),
        (f"{HEAD}training:\n  schedule:\n    name: warm_up\n    then: {{|}}\n", {"factor"}, set()),
        (f"{HEAD}training: {{groups: {{biases: {{|}}}}}}\n", {"rate", "decay"}, set()),
        (f"{HEAD}training: {{optimizer: {{nesterov: |}}}}\n", {"true", "false"}, set()),
        (f"{HEAD}aux_heads: {{a: {{|}}}}\n", {"after", "loss_weight", "steps"}, set()),
        ("network: n\nblocks: {a: {|}}\n", {"steps", "params", "extends"}, {"body"}),
        ("network: n\nblocks: {a: {steps: []}, b: {extends: |}}\n", {"a"}, {"b"}),
        (f"{HEAD}body: [{{op: activation, function: |}}]\n", {"relu", "softmax"}, set()),
        (f"{OVER}body: {{new: {{|}}}}\n", {"op", "use", "branches"}, set()),
        (f"{OVER}body: {{mix: {{|}}}}\n", {"name", "repeat"}, {"units"}),
        (f"{OVER}blocks: {{mix: {{steps: {{0: {{|}}}}}}}}\n", {"kernel_size", "stride"}, {"units"}),
        (f"{OVER}blocks:\n  mix:\n    steps:\n      0:\n        |\n", {"stride"}, {"branches"}),
        (f"{OVER}body: {{mix: {{op: dense, |}}}}\n", {"units"}, {"filters"}),
        ("extends: |\n", {"inception-dsl:v4"}, {"inception-dsl:blocks/reduction_a"}),
        ("network: n\nimport: [|]\n", {"inception-dsl:blocks/reduction_a"}, {"inception-dsl:v4"}),
        (
            "block: b\nparams: {n: int}\nsteps: [{op: conv, filters: $|}]\n",
            {"n", "in_channels"},
            {"classes"},
        ),
        (f"{HEAD}allow: [|]\n", {"W401"}, {"E101"}),
        ("block: b\nparams: {n: |}\nsteps: []\n", {"int", "float", "bool", "str"}, set()),
        (f"{OVER}body: {{|}}\n", {"mix"}, {"op", "branches"}),
        (f"{OVER}body:\n  |\n", {"mix"}, {"op", "branches"}),
        (f"{OVER}blocks: {{|}}\n", {"mix", "wide", "tower"}, {"steps"}),
        (f"{OVER}params:\n  w|\n", {"width"}, {"type"}),
        ("extends: inception-dsl:v1\naux_heads: {|}\n", {"aux1", "aux2"}, {"after"}),
        (
            "extends: inception-dsl:family/i3d_two_stream\nbody: {streams: {branches: {|}}}\n",
            {"rgb", "flow"},
            {"op"},
        ),
        ("extends: nosuch.yaml\nbody: {|}\n", set(), {"op"}),
        (f"{HEAD}body: {{|}}\n", set(), {"mix"}),
        ("network: n\nimport: [tower.yaml]\nblocks: {|}\n", set(), {"tower"}),
    ],
)
def test_other_places(
    marked: str, some: set[str], none: set[str], offered: Callable[[str], list[str]]
) -> None:
    found = set(offered(marked))
    assert some <= found
    assert not none & found


def test_a_parameter_of_a_block_is_offered_in_the_block(
    offered: Callable[[str], list[str]],
) -> None:
    text = HEAD.replace("filters: $filters", "filters: $f|")
    assert set(offered(f"{text}body: []\n")) == {"filters", "in_channels"}


@pytest.mark.parametrize(
    "marked", ["a: 'x|", "[[[{|", "- - - |", "\t|", "{a: }}|", "'|", "&a |", "*|", "|" * 9]
)
def test_hostile_texts(marked: str, offered: Callable[[str], list[str]]) -> None:
    assert isinstance(offered(f"network: n\n{marked}"), list)


def test_every_use_in_the_shipped_specs_offers_its_block(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    tried = 0
    for path in sorted((tmp_path / "specs").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        for use in [*re.finditer(r"\{use: (\w+)", text)][:6]:
            found = complete(str(path), text, use.start(1), {})
            assert use[1] in [item.label for item in found], (path.name, use)
            tried += 1
    assert tried > 20
