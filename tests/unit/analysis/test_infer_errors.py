"""Reports of errors in shapes: the uses and repetitions that led to them, locations, edits."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.analysis.expand import expand
from inception_dsl.analysis.infer import infer
from inception_dsl.diagnostics.report import Diagnostic, Report
from inception_dsl.ir.turns import nth
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.language.link import link
from inception_dsl.language.load import load
from inception_dsl.yaml.edits import apply

HEAD = "network: n\ninput: {channels: 3, height: 8, width: 8}\n"
ErrorsIn = Callable[..., Report]


def locations(report: Report) -> list[str]:
    return [f"{d.code} {d.span.line}:{d.span.column}" for d in report]


def notes(found: Diagnostic) -> list[str]:
    """The notes of a diagnostic, without the folder of the test."""
    return [note.replace(str(Path(found.span.file).parent), ".") for note in found.notes]


def test_ordinals() -> None:
    found = [
        nth(n)
        for n in (1, 2, 3, 4, 10, 11, 12, 13, 14, 20, 21, 22, 23, 101, 111, 112, 113, 1002, 1011)
    ]
    assert " ".join(found) == (
        "1st 2nd 3rd 4th 10th 11th 12th 13th 14th 20th 21st 22nd 23rd 101st 111th 112th 113th "
        "1,002nd 1,011th"
    )


LAST = "{op: max_pool, kernel_size: 9, padding: valid}"


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (0, []),
        (1, ["in: ./spec.yaml:4:14, use of `b0`"]),
        (
            3,
            [
                "in: ./spec.yaml:3:29, use of `b0`",
                "in: ./spec.yaml:3:55, use of `b1`",
                "in: ./spec.yaml:4:14, use of `b2`",
            ],
        ),
        (
            4,
            [
                "in: ./spec.yaml:3:29, use of `b0`",
                "in: 2 more uses",
                "in: ./spec.yaml:4:14, use of `b3`",
            ],
        ),
        (
            6,
            [
                "in: ./spec.yaml:3:29, use of `b0`",
                "in: 4 more uses",
                "in: ./spec.yaml:4:14, use of `b5`",
            ],
        ),
    ],
)
def test_the_uses_that_led_to_an_error(errors: ErrorsIn, depth: int, expected: list[str]) -> None:
    """Up to three uses; of more, the innermost and the outermost."""
    blocks = ", ".join(
        [
            *(f"b{i}: {{steps: [{{use: b{i - 1}}}]}}" for i in range(1, depth)),
            f"b0: {{steps: [{LAST}]}}",
        ]
    )
    text = (
        f"blocks: {{{blocks}}}\nbody: [{{use: b{depth - 1}}}]\n" if depth else f"body: [{LAST}]\n"
    )
    (found,) = errors(HEAD + text)
    assert (notes(found), found.label) == (expected, "")


PARAMETER = "blocks: {b: {params: {k: int}, steps: [{op: dense, units: '${k // 0}'}]}}\n"
SHRINKS = "{op: max_pool, kernel_size: 3, stride: 2, padding: valid"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"body: [{SHRINKS}, repeat: 2}}]\ninput: {{channels: 3, height: 4, width: 4}}",
            ["in: the 2nd of 2 repetitions"],
        ),
        (f"body: [{SHRINKS}, repeat: 4}}]", ["in: the 3rd of 4 repetitions"]),
        (f"body: [{SHRINKS}, repeat: '${{in_channels}}'}}]", ["in: the 3rd of 3 repetitions"]),
        (
            "body: [{op: max_pool, kernel_size: 9, padding: valid, repeat: 4}]",
            ["in: the 1st of 4 repetitions"],
        ),
        ("body: [{op: max_pool, kernel_size: 9, padding: valid, repeat: 1}]", []),
        (
            f"blocks: {{b: {{steps: [{SHRINKS}}}]}}}}\nbody: [{{use: b, repeat: 4}}]",
            ["in: ./spec.yaml:4:14, use of `b` (3rd of 4)"],
        ),
        (
            f"blocks: {{b: {{steps: [{SHRINKS}, repeat: 2}}]}}}}\nbody: [{{use: b, repeat: 4}}]",
            ["in: ./spec.yaml:4:14, use of `b` (2nd of 4)", "in: the 1st of 2 repetitions"],
        ),
        (
            f"blocks: {{b: {{steps: [{{op: identity, repeat: 3}}, {{use: c}}]}}, "
            f"c: {{steps: [{SHRINKS}}}]}}}}\n"
            "body: [{use: b, repeat: 2000}]",
            ["in: ./spec.yaml:3:55, use of `c`", "in: ./spec.yaml:4:14, use of `b` (3rd of 2,000)"],
        ),
        (
            f"body: [{{merge: add, branches: {{a: [{SHRINKS}}}]}}, repeat: 4}}]",
            [],
        ),
    ],
)
def test_the_repetition_with_the_error(errors: ErrorsIn, text: str, expected: list[str]) -> None:
    head = HEAD if "input" not in text else "network: n\n"
    (found,) = errors(f"{head}{text}\n")
    assert notes(found) == expected


def test_after_an_error_no_repetition_is_counted(errors: ErrorsIn) -> None:
    """Steps after a step with an error are checked once, whichever repetition failed."""
    report = errors(
        f"{HEAD}{PARAMETER}body: [{SHRINKS}, repeat: 5}}, {{use: b, k: 1, repeat: 3}}]\n"
    )
    assert [(d.code, notes(d)) for d in report] == [
        ("E207", ["in: ./spec.yaml:4:84, use of `b`"]),
        ("E401", ["in: the 3rd of 5 repetitions"]),
    ]


def test_without_an_input_the_rest_is_checked(errors: ErrorsIn) -> None:
    report = errors(
        f"network: n\n"
        f"input: {{channels: x, height: 8, width: 8}}\n"
        f"{PARAMETER}body: [{{use: b, k: 1}}]\n"
    )
    assert locations(report) == ["E203 2:19", "E207 3:64"]


def test_a_clash_has_its_label_and_both_locations(errors: ErrorsIn) -> None:
    pools = "{op: max_pool, kernel_size: 2, stride: 2}"
    (found,) = errors(
        f"{HEAD}body: [{{merge: add, branches: {{a: [{pools}], b: [{{op: conv, filters: 3, "
        f"kernel_size: 3}}]}}}}]\n"
    )
    assert found.label == "`b` outputs 8x8; `a` outputs 4x4"
    assert [(span.line, span.column, text) for span, text in found.related] == [
        (3, 75, "`a` outputs 4x4")
    ]


def test_the_edit_of_an_op_that_rejects_its_input(
    errors: ErrorsIn, compiled: Callable[..., TypedProgram]
) -> None:
    def fixed(text: str) -> str:
        (found,) = errors(HEAD + text)
        new = apply(HEAD + text, found.fix)
        compiled(new)
        return new.removeprefix(HEAD)

    step = "body: [{op: max_pool, kernel_size: %s, padding: valid}]\n"
    assert fixed(step % 9) == step % 8
    conv = "defaults: {conv: {groups: 2}}\nbody:\n- {op: conv, %sfilters: 4, kernel_size: 1}\n"
    assert fixed(conv % "") == conv % "groups: 1, "


def test_help_without_a_value_to_write(errors: ErrorsIn) -> None:
    (found,) = errors(f"{HEAD}body: [{{op: flatten}}, {{op: max_pool, kernel_size: 3}}]\n")
    assert found.help.startswith("put it before the step that removes the spatial axes")
    assert found.fix == ()


ARGUMENT = (
    "blocks: {b: {params: {k: int}, steps: [{op: conv, filters: %s, kernel_size: 1}]}}\n"
    "body: [{use: b, k: %s}]\n"
)


@pytest.mark.parametrize(
    ("text", "location", "related"),
    [
        (ARGUMENT % ("$k", 0), "E203 4:20", ["3:60"]),
        (ARGUMENT % ("'${k}'", 0), "E203 4:20", ["3:60"]),
        (ARGUMENT % ("$k", "'${in_channels - 3}'"), "E203 4:20", ["3:60"]),
        (ARGUMENT % ("'${k - 1}'", 1), "E203 3:60", []),
        (ARGUMENT % ("'${in_channels - 3}'", 1), "E203 3:60", []),
        (ARGUMENT % ("'${-k}'", 1), "E203 3:60", []),
        (
            "blocks: {b: {params: {x: int}, steps: [{op: dense, units: '${x - 1}'}]}}\n"
            "body: [{use: b, x: 1}]\n",
            "E203 3:59",
            [],
        ),
        (
            "blocks:\n  a: {params: {k: int}, steps: [{use: b}]}\n"
            "  b: {params: {k: {type: int, default: 0}}, steps: [{op: dense, units: $k}]}\n"
            "body: [{use: a, k: 3}]\n",
            "E203 5:72",
            [],
        ),
        (
            "blocks: {b: {params: {k: {type: int, default: 0}}, steps: [{op: dense, "
            "units: $k}]}}\n"
            "body: [{use: b}]\n",
            "E203 3:79",
            [],
        ),
        (
            "blocks:\n  a: {params: {j: int}, steps: [{use: b, k: $j}]}\n"
            "  b: {params: {k: int}, steps: [{op: dense, units: $k}]}\nbody: [{use: a, j: 0}]\n",
            "E203 6:20",
            ["5:52"],
        ),
        (
            "blocks:\n  a: {params: {j: int}, steps: [{use: b, k: '${j - 1}'}]}\n"
            "  b: {params: {k: int}, steps: [{op: dense, units: $k}]}\nbody: [{use: a, j: 1}]\n",
            "E203 4:45",
            ["5:52"],
        ),
        (
            "blocks:\n  a: {params: {j: {type: int, default: 0}}, steps: [{use: b, k: $j}]}\n"
            "  b: {params: {k: int}, steps: [{op: dense, units: $k}]}\nbody: [{use: a}]\n",
            "E203 4:65",
            ["5:52"],
        ),
    ],
)
def test_an_invalid_argument_is_reported_at_its_use(
    errors: ErrorsIn, text: str, location: str, related: list[str]
) -> None:
    report = errors(HEAD + text)
    (found,) = report
    assert locations(report) == [location]
    assert [f"{s.line}:{s.column}" for s, _ in found.related] == related
    assert [text for _, text in found.related] == ["used here"] * len(related)
    assert re.fullmatch(
        r"`(filters|units)`: expected an integer from 1 to [0-9]+, found `(0|-1)`",
        found.message,
    )


def test_every_argument_is_checked(errors: ErrorsIn) -> None:
    report = errors(f"""{HEAD}
blocks: {{b: {{params: {{j: int, k: int}}, steps: [{{op: dense, units: 3}}]}}}}
body: [{{use: b, j: '${{1 // 0}}', k: '${{in_channels * 0.5}}'}}]
""")
    assert locations(report) == ["E207 5:25", "E203 5:36"]


def test_an_error_in_a_repeat_is_located_inside_it(errors: ErrorsIn) -> None:
    assert locations(errors(f"{HEAD}body: [{{op: identity, repeat: '${{1 // 0}}'}}]\n")) == [
        "E207 3:36"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "body: [{op: identity, name: a}, {op: max_pool, kernel_size: 9, padding: valid}]\n"
        "outputs: {x: a}\n",
        "body: [{op: identity, name: a}]\noutputs: {x: b}\n",
    ],
)
def test_a_program_with_an_error_has_no_types(write: Callable[..., Path], text: str) -> None:
    report = Report()
    spec = load(write(HEAD + text), {}, report)
    assert spec is not None
    assert infer(expand(spec, link(spec, report), report), report) is None
