"""The JSON Schema in an editor: completion, hover and checks of the YAML language server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml_server
from editor import Editor, at
from paths import ROOT

from inception_dsl.language.schema import schema
from inception_dsl.ops import CORE_OPS, OPS, attribute_names

SPECS = sorted((ROOT / "specs").rglob("*.yaml"))
HEAD = "network: n\ninput: {channels: 3, height: 32, width: 32}\n"
OVER = "extends: v4.yaml\n"
BLOCK = "block: b\n"
FIELDS = {
    op.kind: {*attribute_names(op), "name", "repeat", "deviation", "allow", "weights", "each"}
    for op in CORE_OPS
}


def without_choices() -> Any:
    """The schema as it was: alternatives, among which the server guesses."""
    found = schema()
    step = found["$defs"]["step"]
    del step["properties"], found["$defs"]["Conv"]["properties"]["filters"]
    step["anyOf"] = [choice["then"] for choice in step.pop("allOf") if "then" in choice]
    return found


class Specs:
    """Specs in the editor, each in a file of its own."""

    def __init__(self, editor: Editor) -> None:
        self.editor, self.number = editor, 0
        for folder in ("right", "wrong"):  # until it has read the schemas
            self.editor.some_diagnostics(self.opened("wrong: 1\n", folder))

    def opened(self, text: str, folder: str) -> str:
        """The name of a new file."""
        self.number += 1
        name = f"{folder}/{self.number}.yaml"
        self.editor.open(name, text)
        return name

    def problems(self, text: str, folder: str = "right") -> list[str]:
        name = self.opened(text, folder)
        return [found["message"] for found in self.editor.diagnostics(name)]

    def completions(self, marked: str, folder: str = "right") -> dict[str, str]:
        """What is offered, with what it inserts."""
        where = at(marked)
        found = self.editor.completions(self.opened(where.text, folder), where)
        return {item["label"]: item["textEdit"]["newText"] for item in found}

    def hover(self, marked: str) -> str:
        where = at(marked)
        return self.editor.hover(self.opened(where.text, "right"), where).replace("\\", "")


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Specs]:
    folder = tmp_path_factory.mktemp("specs")
    schemas = {}
    for name, found in (("right", schema()), ("wrong", without_choices())):
        schemas[f"{name}/*.yaml"] = path = folder / name / "schema.json"
        path.parent.mkdir()
        path.write_text(json.dumps(found), encoding="utf-8")
    with Editor(yaml_server.command(), folder, yaml_server.settings(schemas)) as editor:
        yield Specs(editor)


@pytest.mark.parametrize("path", SPECS, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_false_alarm(path: Path, specs: Specs) -> None:
    text = path.read_text(encoding="utf-8")
    assert specs.problems(re.sub(r"\$schema=\S*schema.json", "$schema=schema.json", text)) == []


@pytest.mark.parametrize(
    "marked",
    [
        f"{HEAD}body:\n  - op: |\n",
        f"{HEAD}body: [{{op: |}}]\n",
        f"{HEAD}body:\n  - branches:\n      a:\n        - op: |\n",
        f"{OVER}body:\n  first:\n    op: |\n",
        f"{OVER}head:\n  - op: |\n",
        f"{BLOCK}steps:\n  - op: |\n",
    ],
)
def test_an_empty_op_offers_all(marked: str, specs: Specs) -> None:
    found = specs.completions(marked)
    assert set(OPS) == set(found) - {"null"}
    assert all(found[op] == op for op in OPS)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize(
    "head", [f"{HEAD}body:\n  - ", f"{OVER}body:\n  - ", f"{OVER}body:\n  a:\n    "]
)
def test_a_step_offers_the_fields_of_its_op(head: str, op: str, specs: Specs) -> None:
    found = specs.completions(f"{head}op: {op}\n    |\n")
    assert set(found) - {"...", op} == FIELDS[op] - {op}


def test_a_first_letter_in_braces_offers_the_fields_of_the_op(specs: Specs) -> None:
    found = specs.completions(f"{HEAD}body: [{{op: dense, u|}}]\n")
    assert {"units", "use_bias"} <= set(found) <= FIELDS["dense"] | {"dense"}


def test_an_empty_step_offers_whole_ops(specs: Specs) -> None:
    found = specs.completions(f"{HEAD}body:\n  - |\n")
    assert {"op", "branches", "use", *OPS} <= set(found)
    assert found["dense"].startswith("op: dense")  # not `units`, which `each` may have


@pytest.mark.parametrize("text", ["", HEAD, OVER, BLOCK])
def test_fields_of_files(text: str, specs: Specs) -> None:
    found = set(specs.completions(f"{text}|\n"))
    assert {"import", "blocks", "params", "defaults", "title"} <= found
    assert ("extends" in found) == (text != OVER)
    assert ("head" in found) == (text != BLOCK)
    assert ("steps" in found) == (text in (BLOCK, OVER))


PLACES = [
    *(f"{text}|\n" for text in ("", HEAD, OVER, BLOCK)),
    f"{HEAD}body:\n  - |\n",
    f"{HEAD}body:\n  - branches:\n      |\n    merge: add\n",
    f"{HEAD}body: |\n",
    f"{HEAD}blocks:\n  a:\n    |\n",
    f"{HEAD}aux_heads:\n  aux:\n    |\n",
    f"{HEAD}defaults:\n  |\n",
    f"{HEAD}training:\n  |\n",
    f"{HEAD}checkpoints:\n  timm:\n    |\n",
    f"{OVER}body:\n  a:\n    |\n",
    *(f"{HEAD}{key}: |\n" for key in ("import", "params", "defaults", "paper", "allow", "outputs")),
    *(f"{HEAD}body:\n  - op: {op}\n    |\n" for op in OPS),
    f"{HEAD}body:\n  - op: zero_pad\n    padding: |\n",
    f"{HEAD}body:\n  - use: |\n",
]


@pytest.mark.parametrize("marked", PLACES)
def test_what_is_inserted_is_yaml(marked: str, specs: Specs) -> None:
    for label, text in specs.completions(marked).items():
        assert "[object" not in label + text
        assert "[object" not in text
        assert not re.search(r"\[\n|:[^ \n]*\{[a-z]", text), (label, text)


def test_a_use_offers_no_block_that_the_file_does_not_have(specs: Specs) -> None:
    """The ids of blocks are beyond a schema; `inception-dsl lsp` offers them."""
    assert specs.completions(f"{HEAD}body:\n  - use: |\n") == {}


@pytest.mark.parametrize("op", OPS)
def test_hover_is_about_the_field_of_this_op(op: str, specs: Specs) -> None:
    kind = OPS[op]
    assert f"\n{kind.summary}." in specs.hover(f"{HEAD}body: [{{op: {op[:2]}|{op[2:]}}}]\n")
    for name in attribute_names(kind):
        description = str(kind.model_fields[name].description)
        for value in ("1", "$n"):
            text = specs.hover(f"{HEAD}body: [{{op: {op}, {name[0]}|{name[1:]}: {value}}}]\n")
            assert re.match(rf"#### {op}( \|\| {op})*\n\n{re.escape(description)}", text), text


def test_hover_in_an_overlay_names_the_ops(specs: Specs) -> None:
    text = specs.hover(f"{OVER}body: {{a: {{sca|le: true}}}}\n")
    assert "learned factor (gamma). In `batch_norm`, " in text
    assert "fused" not in text


def test_hover_of_other_fields(specs: Specs) -> None:
    assert "Main part of the network" in specs.hover(f"{HEAD}bo|dy: [{{op: identity}}]\n")
    assert "The paper in which" in specs.hover(f"{HEAD}pa|per: {{arxiv: x}}\n")


@pytest.mark.parametrize("head", [f"{HEAD}body: ", f"{OVER}body: ", f"{BLOCK}steps: "])
def test_a_misspelt_op_is_answered_with_all(head: str, specs: Specs) -> None:
    (message,) = specs.problems(f"{head}[{{op: cnov, filters: 64}}]\n")
    assert all(f'"{op}"' in message for op in OPS)


FLAGGED = [
    ("[{op: conv, filtres: 3, filters: 3, kernel_size: 3}]", "filtres"),
    ("[{filters: 3}]", "`op`, `branches` or `use`"),
    ("[{op: conv_bn, filters: -3, kernel_size: 3}]", "minimum"),
    ("[{branches: {a: []}, merge: sum}]", '"concat"'),
    ("[{use: a, branches: {}}]", "branches"),
    ("[{op: conv_bn, filters: 3}]", "kernel_size"),
    ("[{branches: {a: [{op: conf}]}, merge: add}]", '"conv_bn"'),
]


@pytest.mark.parametrize(("steps", "message"), FLAGGED)
@pytest.mark.parametrize("head", [f"{HEAD}body: ", f"{OVER}body: ", f"{BLOCK}steps: "])
def test_errors(head: str, steps: str, message: str, specs: Specs) -> None:
    found = specs.problems(f"{head}{steps}\n")
    assert found
    assert all(message in one for one in found), found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("{a: {op: conv, filtres: 3}}", "Unknown field"),
        ("{a: {op: cnov}}", '"conv_bn"'),
        ("{a: {filters: [x]}}", ""),
        ("{a: {x: [1]}}", ""),
        ("{a: [{op: cnov}]}", '"conv_bn"'),
        ("{a: 3}", "array"),
        ("{a: {branches: {b: {0: {op: cnov}}}}}", '"conv_bn"'),
    ],
)
def test_errors_in_changes(change: str, message: str, specs: Specs) -> None:
    found = specs.problems(f"{OVER}body: {change}\n")
    assert found
    assert any(message in one for one in found), found


def test_a_wrong_schema_is_noticed(specs: Specs) -> None:
    """Each kind of test above fails with a schema that leaves the choice to the server."""
    text = f"{HEAD}body: [{{op: conv, filters: 3, kernel_size: 3}}]\n"
    assert specs.problems(text) == []
    assert specs.problems(text, "wrong")
    assert set(specs.completions(f"{HEAD}body:\n  - op: |\n", "wrong")) != set(OPS)
    (message, *_) = specs.problems(f"{HEAD}body: [{{op: cnov, filters: 64}}]\n", "wrong")
    assert not all(f'"{op}"' in message for op in OPS)
