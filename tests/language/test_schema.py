"""The JSON Schema accepts the same specs as the loader, and describes every field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from inception_dsl.diagnostics.report import Report
from inception_dsl.language.load import validate
from inception_dsl.language.schema import schema
from inception_dsl.language.schema_steps import KEPT_FIELDS
from inception_dsl.ops import CORE_OPS
from inception_dsl.yaml import source

ROOT = Path(__file__).parent.parent.parent
SPECS = sorted((ROOT / "specs").rglob("*.yaml"))
ERRORS = yaml.safe_load((ROOT / "tests/language/errors.yaml").read_text(encoding="utf-8"))
HEAD = "network: n\ninput: {channels: 3, height: 32, width: 32}\n"
MORE = [
    "body: [{op: conv_bn, filters: 8, kernel_size: [1, $k], stride: 2, padding: [1, 2], "
    "batch_norm: {scale: false}}]",
    "body: [{op: conv, filters: '${in_channels // 2}', kernel_size: 3, padding: [[0, 1], [1, "
    "0]], groups: 2}]",
    "body: [{op: conv, filters: 8, kernel_size: [], padding: valid}]",
    "body: [{op: conv, filters: 8, kernel_size: 2000}]",
    "body: [{op: conv, filters: 8, kernel_size: 3, stride: 0}]",
    "body: [{op: conv, filters: 8, kernel_size: 3, padding: [1, [1, 1]]}]",
    "body: [{op: conv, filters: 8, kernel_size: 3, padding: [$k, 1]}]",
    "body: [{op: conv, filters: 8, kernel_size: 3, padding: $k}]",
    "body: [{op: conv, filters: null, kernel_size: 3}]",
    "body: [{op: zero_pad, padding: same}]",
    "body: [{op: zero_pad, padding: [[1, 1]]}]",
    "body: [{op: activation, function: leaky_relu, alpha: 0.2, deviation: [a, 1]}]",
    "body: [{op: activation, function: $f, alpha: null}]",
    "body: [{op: activation}]",
    "body: [{op: identity, name: null}]",
    "body: [{op: identity, name: with}]",
    "body: [{op: identity, name: _a}]",
    "body: [{op: identity, name: 7}]",
    "body: [{op: identity, repeat: $times, deviation: text}]",
    "body: [{op: identity, repeat: 1.5}]",
    "body: [{op: identity, deviation: {a: b}}]",
    "body: [{op: dense, units: $}]",
    "body: [{op: dense, units: '${a'}]",
    "body: [{op: dense, units: '${a!}'}]",
    "body: [{op: dense, units: -5}]",
    "body: [{op: dropout, rate: 0}]",
    "body: [{op: dropout, rate: true}]",
    "body: [{op: local_response_norm, alpha: 0}]",
    "body: [{op: scale, value: -0.5}]",
    "body: [{op: scale, value: big}]",
    "body: [{op: batch_norm, decay: 1.1}]",
    "body: [{op: batch_norm, conv: {}}]",
    "body: [{op: conv_bn, filters: 1, kernel_size: 1, batch_norm: {momentum: 0.9}}]",
    "body: [{op: conv_bn, filters: 1, kernel_size: 1, batch_norm: null}]",
    "body: [{use: a}, {use: b, x: 1, y: true, z: text, w: $v, name: c, repeat: 2}]",
    "body: [{use: a, x: [1]}]",
    "body: [{use: a, x: null}]",
    "body: [{use: a, X: 1}]",
    "body: [{use: a, x: '${'}]",
    "body: [{use: a, branches: {}}]",
    "body: [{use: A}]",
    "body: [{use: [a]}]",
    "body: [{branches: {a: [], b: [{op: identity}]}, merge: multiply, name: x, repeat: 3}]",
    "body: [{branches: {a: [], B: []}, merge: add}]",
    "body: [{branches: {a: null}, merge: add}]",
    "body: [{branches: {a: []}, merge: add, filters: 1}]",
    "params: {a: int, b: {type: float, default: 1}, c: {type: str, default: x, description: y}}",
    "params: {a: {type: float, default: true}}",
    "params: {a: {type: bool, default: 1}}",
    "params: {a: {type: str, default: 1}}",
    "params: {a: {type: int, default: null}}",
    "params: {a: {type: int, defaults: 1}}",
    "params: {a: {type: str, default: $b}}",
    "params: {a: {}}",
    "params: [a]",
    "params: {A: int}",
    "defaults: null",
    "defaults: {conv: {}, batch_norm: {scale: false}, conv_bn: {batch_norm: {center: false}}}",
    "defaults: {conv: null}",
    "defaults: {conv: {op: conv}}",
    "defaults: {conv: {kernel_size: x}}",
    "defaults: {conv: {repeat: 2}}",
    "blocks: {a: {params: {n: int}, steps: [], title: x, paper: {figure: 4}}}",
    "blocks: {a: {params: {n: int}}}",
    "blocks: {a: {steps: [], input: {channels: 1, length: 1}}}",
    "blocks: {a: []}",
    "aux_heads: {a: {after: x, loss_weight: 0.3, steps: []}}",
    "aux_heads: {a: {after: x, steps: []}}",
    "aux_heads: {a: {after: x, loss_weight: heavy, steps: []}}",
    "outputs: {a: b}",
    "outputs: {a: 1}",
    "outputs: [a]",
    "preprocessing: {channel_order: bgr, scale: 1, mean: [1, 2.5, 3], std: 2}",
    "preprocessing: {channel_order: brg}",
    "preprocessing: {mean: []}",
    "preprocessing: {mean: x}",
    "preprocessing: {std: [1, 0, 1]}",
    "training: {label_smoothing: 0.1, optimizer: {name: sgd, rate: 0.1}, note: [a], "
    "initializer: {name: he_normal}}",
    "training: {optimizer: {name: sgd, form: null, rate: null}, groups: {biases: {rate: 2}}, "
    "schedule: {name: warm_up, steps: 5, then: {name: steps, factor: 0.1, at_epochs: [10, 20]}}}",
    "training: {initializer: {name: zeros}}",
    "training: {initializer: {stddev: 1}}",
    "training: null",
    "paper: {title: x, year: 2014, arxiv: '1409.4842', table: 1}",
    "paper: {year: [2014]}",
    "paper: x",
    "title: 7",
    "title: true",
    "deviation: [a, [b]]",
    "deviation: []",
    "import: [a.yaml, b.yaml]",
    "import: [1]",
    "import: null",
    "classes: 10",
    "classes: $n",
    "classes: many",
    "stem: [[{op: identity}]]",
    "steps: []",
    "block: other",
]
WHOLE = [
    "block: a\nsteps: []",
    "block: a\ninput: {channels: 3, length: 5}\nsteps: [{op: identity}]",
    "block: a",
    "block: a\nsteps: []\nclasses: 3",
    "block: a\nsteps: []\nhead: []",
    "block: 7\nsteps: []",
    "network: n",
    "network: n\ninput: {channels: 3, depth: 2, height: 1, width: 1}",
    "network: n\ninput: {channels: 3}",
    "network: n\ninput: {channels: 3, length: 1, width: 1}",
    "network: n\ninput: {channels: 3, length: 65537}",
    "network: n\ninput: {channels: 3, length: true}",
    "network: n\ninput: [3, 5]",
    "{}",
    "[]",
    "text",
]


@pytest.fixture(scope="module")
def validator() -> Draft7Validator:
    found = schema()
    Draft7Validator.check_schema(found)
    return Draft7Validator(found)


def json_data(value: Any) -> Any:
    """The data as in JSON, where keys are strings."""
    if isinstance(value, dict):
        return {str(key): json_data(item) for key, item in value.items()}
    return [json_data(item) for item in value] if isinstance(value, list) else value


def loaded(text: str) -> tuple[Any, bool] | None:
    """The data in a text and whether the loader accepts it; ``None`` if it is not valid YAML."""
    report = Report()
    document = source.parse(text, "spec.yaml", report)
    if document is None or not report.ok:
        return None
    validate(document, report)
    return json_data(document.data), report.ok


@pytest.mark.parametrize("path", SPECS, ids=lambda p: str(p.relative_to(ROOT)))
def test_shipped_specs_are_accepted(path: Path, validator: Draft7Validator) -> None:
    report = Report()
    document = source.parse(path.read_text(encoding="utf-8"), str(path), report)
    assert document is not None
    assert not list(validator.iter_errors(document.data))


TEXTS = [
    *(f"{'' if case.get('whole') else HEAD}{case['text']}" for case in ERRORS),
    *(HEAD + text for text in MORE),
    *WHOLE,
]
CHECKED = [text for text in dict.fromkeys(TEXTS) if "extends:" not in text and loaded(text)]


@pytest.mark.parametrize("text", CHECKED, ids=lambda text: text.removeprefix(HEAD)[:60])
def test_the_schema_and_the_loader_agree(text: str, validator: Draft7Validator) -> None:
    found = loaded(text)
    assert found is not None
    data, accepted = found
    errors = [error.message[:200] for error in validator.iter_errors(data)]
    assert bool(errors) != accepted, errors


def test_many_cases_are_invalid() -> None:
    found = [loaded(text) for text in CHECKED]
    assert sum(not accepted for _, accepted in filter(None, found)) >= 100
    assert sum(accepted for _, accepted in filter(None, found)) >= 30


@pytest.mark.parametrize(
    "text",
    [
        "extends: a.yaml",
        "extends: a.yaml\nnetwork: b\nclasses: 3\ninput: {height: 3}",
        "extends: a.yaml\n"
        "body: {first: {filters: 3}, mixed_5b: null, 2: [{op: identity}], "
        "fork: {branches: {a: {0: null}}}}",
        "extends: a.yaml\nbody: [{op: identity}]\nhead: null\nparams: {a: {default: 3}, b: null}",
        "extends: a.yaml\n"
        "defaults: {conv: {stride: null}, batch_norm: null}\n"
        "blocks: {a: {steps: {x: {units: 3}}}, b: null}",
        "extends: a.yaml\n"
        "aux_heads: {aux: {loss_weight: 0.1}, aux2: null}\n"
        "training: {schedule: null}",
    ],
)
def test_changes_to_another_spec_are_accepted(text: str, validator: Draft7Validator) -> None:
    assert not [e.message for e in validator.iter_errors(json_data(yaml.safe_load(text)))]


@pytest.mark.parametrize(
    "text",
    [
        "extends: 7",
        "extends: ''",
        "extends: a.yaml\nbodi: []",
        "extends: a.yaml\nbody: [{op: con}]",
        "extends: a.yaml\nbody: {first: 3}",
        "extends: a.yaml\nclasses: many",
        "extends: a.yaml\nnetwork: a\nblock: b",
        "extends: a.yaml\nparams: {a: {type: text}}",
        "extends: a.yaml\ndefaults: {conv: {filtres: 1}}",
        "extends: a.yaml\ninput: {heigth: 3}",
    ],
)
def test_invalid_changes_are_rejected(text: str, validator: Draft7Validator) -> None:
    assert list(validator.iter_errors(json_data(yaml.safe_load(text))))


def properties() -> Iterator[tuple[str, Any]]:
    for name, definition in schema()["$defs"].items():
        for field, found in definition.get("properties", {}).items():
            if found is not False and "$ref" not in found:  # that of the op itself
                yield f"{name}.{field}", found


@pytest.mark.parametrize(
    ("name", "found"), list(properties()), ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_field_is_described_with_an_example_or_its_values(name: str, found: Any) -> None:
    options = [found, *found.get("anyOf", [])]
    if name.startswith(("step.", "fields_change.")):  # the schema of the kind has the rest
        assert any(
            {"description", "enumDescriptions", "type"} & option.keys() for option in options
        )
        return
    assert found.get("description", "").strip(), name
    shown = {"examples", "default", "enum", "const", "defaultSnippets"}
    example = any(shown & option.keys() for option in options)
    assert example or "For example" in found["description"] or found == KEPT_FIELDS, name


def test_examples_and_defaults_are_valid() -> None:
    whole = schema()
    for name, found in properties():
        values = [*found.get("examples", []), *([found["default"]] if "default" in found else [])]
        texts = [snippet["bodyText"] for snippet in found.get("defaultSnippets", [])]
        values += [yaml.safe_load(text) for text in texts]
        check = Draft7Validator({**found, "$defs": whole["$defs"]})
        for value in values:
            assert not list(check.iter_errors(value)), (name, value)


def test_every_op_is_a_step() -> None:
    step = schema()["$defs"]["step"]
    names = {
        option["then"]["$ref"].rsplit("/", 1)[-1] for option in step["allOf"] if "then" in option
    }
    assert names == {op.__name__ for op in CORE_OPS} | {"Fork", "Use"}
    assert step["properties"]["op"]["enum"] == [op.kind for op in CORE_OPS]
    assert len(step["properties"]["op"]["enumDescriptions"]) == len(CORE_OPS)


def test_the_schema_uses_draft_7() -> None:
    assert "prefixItems" not in json.dumps(schema())


VALID = [
    """
    extends: inception-dsl:v2
    import: [null, squeeze_excite.yaml]
    allow: [null, W403]
    deviation: [null, x]
    blocks:
      inception_avg: {steps: [..., {use: squeeze_excite}]}
      wide: {extends: inception_b, params: {filters: {default: 3}},
        steps: {0: {branches: {branch_pool: [..., {op: identity}], b: null}}}}
    body: {inception_b: {..., use: wide}, other: [{op: identity}, ...]}
    """,
    f"{HEAD}blocks: {{a: {{steps: []}}, b: {{extends: a, steps: {{0: null}}}}}}",
]
INVALID = [
    f"{HEAD}blocks: {{a: {{extends: 3}}}}",
    f"{HEAD}body: [..., {{op: identity}}]",
    f"{HEAD}allow: [null, W403]",
    "extends: v4.yaml\nbody: {x: {..., use: wide, ..: 3}}",
]


@pytest.mark.parametrize(
    ("text", "valid"), [*((t, True) for t in VALID), *((t, False) for t in INVALID)]
)
def test_overlays(text: str, valid: bool) -> None:
    """What only specs with ``extends`` can say; the loader knows more (test_overlay_lists.py)."""
    errors = list(Draft7Validator(schema()).iter_errors(yaml.safe_load(text)))
    assert (errors == []) == valid
