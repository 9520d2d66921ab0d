"""The limits on layers: their values, what counts, and the error beyond them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inception_dsl.analysis import infer
from inception_dsl.analysis.infer import Inference
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram

HEAD = "network: n\ninput: {channels: 3, height: 8, width: 8}\n"
Body = Callable[..., TypedProgram]
ErrorsIn = Callable[..., Report]


def locations(report: Report) -> list[str]:
    return [f"{d.code} {d.span.line}:{d.span.column}" for d in report]


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most four layers."""
    monkeypatch.setattr(infer, "MAX_LAYERS", 4)


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for twice the steps in the spec."""
    monkeypatch.setattr(infer, "MAX_DIFFERENT", 0)


def test_the_limits(body: Body, errors: ErrorsIn) -> None:
    assert body("{op: identity, repeat: 10000}").sections["body"].size == 10_000
    assert locations(errors(f"{HEAD}body: [{{op: identity, repeat: 10001}}]\n")) == ["E309 3:31"]
    typed = body("{op: identity}, {op: identity}, {op: identity}")
    assert Inference(typed.program, Report()).room == 1_000 + 2 * 3
    assert Inference(typed.program, Report(), 7).room == 7


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("body: [{op: identity, repeat: 5}]", ["E309 3:31"]),
        ("body: [{op: identity, repeat: 2}, {op: identity, repeat: 3}]", ["E309 3:58"]),
        ("body: [{op: identity, repeat: 4}, {op: identity}]", ["E309 3:35"]),
        (
            "body: [{merge: add, branches: {a: [{op: identity}], b: [{op: identity}]}, repeat: 2}]",
            ["E309 3:83"],
        ),
        (
            "blocks: {b: {steps: [{op: identity, repeat: 3}]}}\nbody: [{use: b, repeat: 2}]",
            ["E309 4:25"],
        ),
        (
            "blocks: {b: {steps: [{op: identity, repeat: 3}]}}\n"
            "body: [{use: b}, {use: b, name: c}]",
            ["E309 4:24"],
        ),
        ("stem: [{op: identity, repeat: 2}]\nbody: [{op: identity, repeat: 3}]", ["E309 4:7"]),
        ("stem: [{op: identity, repeat: 4}]\nbody: [{op: identity}]", ["E309 4:7"]),
        (
            "body: [{op: identity, repeat: 4, name: a}]\n"
            "aux_heads: {h: {after: a, loss_weight: 1, steps: [{op: identity}]}}",
            ["E309 4:16"],
        ),
        (
            "stem: [{op: identity, repeat: 4, name: a}, {op: identity, repeat: 4, name: b}]\n"
            "body: [{op: identity}]",
            ["E309 3:67"],  # reported once, and nothing after it
        ),
    ],
)
def test_one_layer_too_many(errors: ErrorsIn, text: str, expected: list[str]) -> None:
    assert locations(errors(f"{HEAD}{text}\n")) == expected


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    "text",
    [
        "body: [{op: identity, repeat: 4}]",
        "stem: [{op: identity, repeat: 2}]\nbody: [{op: identity, repeat: 2}]",
        "blocks: {b: {steps: [{op: identity, repeat: 2}]}}\nbody: [{use: b, repeat: 2}]",
        "blocks: {b: {steps: [{op: identity, repeat: 2}]}}\nbody: [{use: b}, {use: b, name: c}]",
        "body: [{op: zero_pad, padding: 1, repeat: 4}]",
        "body: [{op: identity, repeat: 3, name: a}]\n"
        "aux_heads: {h: {after: a, loss_weight: 1, steps: [{op: identity}]}}",
    ],
)
def test_layers_up_to_the_limit(compiled: Callable[..., TypedProgram], text: str) -> None:
    compiled(f"{HEAD}{text}\n")


@pytest.mark.usefixtures("four")
def test_steps_without_a_type_do_not_count(errors: ErrorsIn) -> None:
    """A section, head or step with an error gives one report, and none about the layer limit."""
    broken = "{op: max_pool, kernel_size: 9, padding: valid}"
    text = (
        f"body: [{{op: identity, repeat: 4, name: a}}]\n"
        f"aux_heads: {{h: {{after: a, loss_weight: 1, steps: [{broken}]}}}}"
    )
    assert locations(errors(f"{HEAD}{text}\n")) == ["E401 4:79"]
    assert locations(errors(f"{HEAD}body: [{{op: identity, repeat: 4}}, {broken}]\n")) == [
        "E401 3:63"
    ]


PADS = "{op: zero_pad, padding: 1, repeat: %d}"
PAD = "{steps: [{op: zero_pad, padding: 1}]}"


@pytest.mark.usefixtures("no_room")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"body: [{PADS % 3}]", ["E309 3:43"]),
        (f"body: [{{op: identity}}, {PADS % 4}]", ["E309 3:59"]),
        (
            f"body: [{{op: identity, repeat: 9}}, {PADS % 4}]",
            ["E309 3:70"],
        ),  # all of one shape
        (f"body: [{PADS % 1}, {PADS % 4}]", ["E309 3:82"]),
        (f"body: [{{merge: add, branches: {{a: [{PADS % 2}], b: [{PADS % 5}]}}}}]", ["E309 3:115"]),
        (
            f"body: [{{merge: add, branches: {{a: [{{op: identity}}, {PADS % 1}], "
            f"b: [{PADS % 1}]}}, repeat: 5}}]",
            ["E309 3:145"],
        ),
        (f"blocks: {{b: {{steps: [{PADS % 5}]}}}}\nbody: [{{use: b}}]", ["E309 3:57"]),
        (f"blocks: {{b: {PAD}}}\nbody: [{{use: b, repeat: 3}}]", ["E309 4:25"]),
        (
            f"blocks: {{b: {{steps: [{PADS % 2}, {{op: identity}}, {{op: identity}}]}}}}\n"
            f"body: [{{use: b, repeat: 3}}]",
            ["E309 4:25"],  # the repeat around the step, not the one that ended before it
        ),
        (
            f"blocks: {{a: {{steps: [{{use: b, repeat: 2}}]}}, b: {{steps: [{{use: c}}, {{use: c, "
            f"name: d}}]}}, c: {PAD}}}\n"
            "body: [{use: a, repeat: 2}]",
            ["E309 3:73"],
        ),
    ],
)
def test_no_room_for_layers_with_different_shapes(
    errors: ErrorsIn, text: str, expected: list[str]
) -> None:
    report = errors(f"{HEAD}{text}\n")
    assert locations(report) == expected
    assert "layers with different shapes" in report.diagnostics[0].message
    assert report.diagnostics[0].help == ""


@pytest.mark.usefixtures("no_room")
@pytest.mark.parametrize(
    "text",
    [
        f"body: [{PADS % 2}]",
        f"body: [{PADS % 3}, {{op: identity}}]",
        f"blocks: {{b: {PAD}}}\nbody: [{{use: b, repeat: 2}}]",
        f"blocks: {{b: {PAD}}}\n"
        f"body: [{{use: b}}, {{use: b, name: c}}, {{use: b, name: d}}, {{use: b, name: e}}]",
    ],
)
def test_room_for_twice_the_steps(compiled: Callable[..., TypedProgram], text: str) -> None:
    compiled(f"{HEAD}{text}\n")


def test_nothing_is_inferred_without_room(body: Body) -> None:
    program, report = body(PADS % 100).program, Report()
    inference = Inference(program, report, 10)
    assert inference.program_types() is None
    assert (inference.room, locations(report)) == (-1, ["E309 4:43"])
    program, report = body("{op: identity}, {op: identity}").program, Report()
    assert Inference(program, report, 1).program_types() is None
    assert locations(report) == ["E309 4:24"]  # no repeat and no use: the step itself
