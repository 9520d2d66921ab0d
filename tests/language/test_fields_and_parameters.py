"""Parameters of every type in every field, and defaults that set required fields."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from inception_dsl import plugins
from inception_dsl.analysis.cost import layers
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.ops import CORE_OPS, Op, Step, attribute_names
from inception_dsl.ops.base import required

VALUES: dict[str, tuple[object, ...]] = {
    "int": (0, 2, -1, 10**12),
    "float": (0.5, 1, -2.5, 1e300),
    "bool": (True, False),
    "str": ("same", "relu", "none", "", "zzz", "[1, 2]", "$n", "${1 + 1}"),
}
SAMPLES: dict[str, Any] = {
    "filters": 4,
    "kernel_size": 1,
    "units": 3,
    "function": "relu",
    "rate": 0.5,
    "value": 0.5,
    "padding": 1,
    "output_size": 1,
    "groups": 1,
    "block_size": 1,
    "cropping": 1,
}
INPUT = {"channels": 4, "height": 6, "width": 6}


def sample(kind: type[Op], **fields: object) -> dict[str, Any]:
    return {"op": kind.kind, **{n: SAMPLES[n] for n in required(kind)}, **fields}


def forms(field: str) -> tuple[Any, ...]:
    """What a field may hold that reads the parameter ``n``."""
    if field == "batch_norm":
        return ({"scale": "$n"}, {"epsilon": "$n"})
    return ("$n", "${n + 1}", ["$n", "$n"])


def networks(field: str, kind: type[Op]) -> Iterator[dict[str, Any]]:
    for form, (declared, values) in itertools.product(forms(field), VALUES.items()):
        step = sample(kind, **{field: form})
        for value in values:
            whole = {"type": declared, "default": value}
            yield {"params": {"n": whole}, "body": [step]}
            block = {"params": {"n": declared}, "steps": [step]}
            yield {"blocks": {"b": block}, "body": [{"use": "b", "n": value}]}
            block = {"params": {"n": whole}, "steps": [step]}
            yield {"blocks": {"b": block}, "body": [{"use": "b"}]}


@pytest.mark.parametrize("kind", CORE_OPS, ids=lambda kind: kind.kind)
def test_a_parameter_of_any_type_in_any_field(kind: type[Op], write: Callable[..., Path]) -> None:
    """A network, or an error with its location; an exception fails the test."""
    results = set()
    for field in (*attribute_names(kind), *Step.model_fields):
        for found in networks(field, kind):
            report = Report()
            text = yaml.safe_dump({"network": "net", "input": INPUT, **found}, sort_keys=False)
            typed = compile_spec(write(text), {}, report)
            assert (typed is None) == (not report.ok), text
            assert all(d.span.file.endswith("spec.yaml") for d in report), report.render()
            results.add(typed is not None)
    assert results == {True, False}


@pytest.mark.parametrize("value", ["$classes", "${1 + 1}", "$"])
def test_a_setting_is_not_an_expression(value: str, write: Callable[..., Path]) -> None:
    step = "{op: max_pool, kernel_size: 1, padding: $f}"
    text = f"params: {{f: {{type: str, default: same}}}}\nbody: [{step}]"
    report = Report()
    spec = write(f"network: net\ninput: {INPUT}\n{text}\n".replace("'", ""))
    assert compile_spec(spec, {"f": value}, report) is None
    code = "E305" if value == "$classes" else "E207"  # as a default: a parameter of a network
    assert [(d.code, str(d.span)) for d in report] == [(code, "--set f:1:1")]


# defaults that set required fields


Compiled = Callable[..., TypedProgram]


@pytest.mark.parametrize("kind", [k for k in CORE_OPS if required(k)], ids=lambda k: k.kind)
def test_a_default_sets_a_required_field(kind: type[Op], compiled: Compiled) -> None:
    """The same layers and the same source as with the field in the step, which takes precedence."""
    given = sample(kind)
    other = {**given, "kernel_size": 3} if "kernel_size" in given else given
    defaults = {kind.kind: {key: value for key, value in given.items() if key != "op"}}

    def built(*steps: dict[str, Any], **more: Any) -> TypedProgram:
        return compiled(
            yaml.safe_dump({"network": "net", "input": INPUT, "body": [*steps], **more})
        )

    found = built({"op": kind.kind}, other, defaults=defaults)
    written = built(given, other)
    assert list(layers(found)) == list(layers(written))
    assert sources(found) == sources(written)


def sources(typed: TypedProgram) -> list[dict[str, str | bytes]]:
    report, found = Report(), []
    for plugin, backend in ((p, b) for p, b in plugins.usable()[0] if not b.documents):
        files = plugins.emit(plugin, backend, typed, report)
        assert files is not None, report.render()
        found.append(files)
    return found


BLOCK = "block: t\nsteps: [{op: conv_bn, filters: 8}]\n"
OWN = "block: t\ndefaults: {conv_bn: {kernel_size: 5}}\nsteps: [{op: conv_bn, filters: 8}]\n"
USING = """\
network: net
import: [t.yaml]
input: {channels: 4, height: 6, width: 6}
defaults: {conv_bn: {kernel_size: 3}}
body: [{use: t}]
"""


@pytest.mark.parametrize(
    ("block", "spec", "kernel"),
    [
        (BLOCK, USING, 3),
        (OWN, USING, 5),
        (OWN, "extends: base.yaml\nblocks: {t: {steps: {0: {filters: 9}}}}\n", 5),
        (OWN, "extends: base.yaml\ndefaults: {conv_bn: {kernel_size: null}}\n", 5),
        (BLOCK, "extends: base.yaml\ndefaults: {conv_bn: {kernel_size: 1}}\n", 1),
    ],
)
def test_defaults_reach_imported_blocks(
    block: str, spec: str, kernel: int, write: Callable[..., Path], compiled: Compiled
) -> None:
    write(block, "t.yaml")
    write(USING, "base.yaml")
    (layer,) = layers(compiled(spec))
    assert layer.weights[0].shape[:2] == (kernel, kernel)


@pytest.mark.parametrize(
    ("block", "spec", "location"),
    [
        (BLOCK, "extends: base.yaml\ndefaults: {conv_bn: {kernel_size: null}}\n", "spec.yaml:2:35"),
        (BLOCK, "extends: base.yaml\ndefaults: null\n", "spec.yaml:2:11"),
    ],
)
def test_a_default_that_is_removed(
    block: str, spec: str, location: str, write: Callable[..., Path]
) -> None:
    write(block, "t.yaml")
    write(USING, "base.yaml")
    report = Report()
    assert compile_spec(write(spec, "spec.yaml"), {}, report) is None
    assert [d.code for d in report] == ["E202"]
    assert str(next(iter(report)).span).endswith(location)
