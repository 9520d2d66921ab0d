"""All errors in all files are reported in one run, without errors that follow from others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report

HEAD = "network: n\ninput: {channels: 3, height: 35, width: 35}\n"
Write = Callable[..., Path]


def found(spec: Path, **settings: str) -> list[str]:
    report = Report()
    assert compile_spec(spec, settings, report) is None
    return [f"{Path(d.span.file).name}:{d.span.line} {d.code}" for d in report]


def test_every_stage_and_every_file(write: Write) -> None:
    write(
        "block: tower\n"
        "params: {n: int}\n"
        "steps:\n"
        "- {op: conv, filtres: 3, kernel_size: 3}\n"
        "- {op: dense, units: $m}\n",
        "t.yaml",
    )
    write("block: broken\nsteps: [\n", "b.yaml")
    base = (
        f"{HEAD}clases: 7\n"
        f"body:\n"
        f"- {{op: conv, name: first, filters: 256, kernel_size: 3}}\n"
        f"- {{use: tower, name: last, n: 3}}\n"
    )
    write(base, "base.yaml")
    spec = write("""\
        extends: base.yaml
        import: [t.yaml, b.yaml]
        blocks:
          residual: {steps: [{merge: add, \
branches: {a: [], b: [{op: conv, filters: 320, kernel_size: 3}]}}]}
        body:
          first:
            - {use: residual, repeat: 5}
            - {use: residual, name: other, k: 1}
          last: {n: x}
        aux_heads:
          aux: {after: nothing, loss_weight: 0.1, steps: [{op: dense, units: "${classes // 0}"}]}
        head: [{op: dense, units: 0}, {op: dense, units: $clases}]
        """)
    assert found(spec) == [
        "b.yaml:3 E103",
        "base.yaml:3 E201",
        "spec.yaml:4 E402",
        "spec.yaml:8 E304",
        "spec.yaml:9 E203",
        "spec.yaml:11 E308",
        "spec.yaml:11 E207",
        "spec.yaml:12 E203",
        "spec.yaml:12 E304",
        "t.yaml:4 E201",
        "t.yaml:5 E304",
    ]


def test_errors_in_all_branches_and_sections(write: Write) -> None:
    pool = "{op: max_pool, kernel_size: 40, padding: valid}"
    spec = write(f"""\
        {HEAD.replace(chr(10), chr(10) + " " * 8)}stem: [{{op: identity, name: s}}, \
{{op: identity, name: t}}]
        body:
          - merge: concat
            branches:
              a: [{pool}]
              b: [{{op: conv, filters: 4, kernel_size: 1, groups: 2}}]
              c: [{{merge: add, branches: {{x: [], \
y: [{{op: conv, filters: 4, kernel_size: 1}}]}}}}]
          - {{op: max_pool, kernel_size: 50, padding: valid}}
        aux_heads: {{h: {{after: s, loss_weight: 1, steps: [{pool}]}}}}
        """)
    assert found(spec) == [
        "spec.yaml:7 E401",
        "spec.yaml:8 E403",
        "spec.yaml:9 E402",
        "spec.yaml:11 E401",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bodi: [{op: conv, name: a, filters: 2, kernel_size: 1}]\noutputs: {x: a}\n", ["E201"]),
        ("import: [nothing.yaml]\nbody: [{use: a}, {use: b}]\n", ["E301"]),
        ("blocks: {a: [], b: {steps: []}}\nbody: [{use: a, n: 3}, {use: b}]\n", ["E203"]),
        (
            "blocks: {a: {params: {n: itn}, steps: [{op: dense, units: $n}]}}\n"
            "body: [{use: a, n: 3}]\n",
            ["E203"],
        ),
        (
            "blocks: {a: {params: {N: int}, steps: [{op: dense, units: $N}]}}\n"
            "body: [{use: a, N: 3}]\n",
            ["E206", "E206"],
        ),
        (
            "blocks: {a: {params: {unist: int}, steps: [{op: dense, units: $units}]}}\n"
            "body: [{use: a, units: 3}]\n",
            ["E304"],
        ),
        (
            "params: {n: {type: int, default: x}}\nbody: [{op: dense, units: '${n + 1}'}]\n",
            ["E203"],
        ),
        (
            "params: {n: int}\n"
            "body: [{op: dense, units: $n}, {op: conv, filters: $n, kernel_size: 1}]\n",
            ["E305"],
        ),
        ("body: [{op: conv, name: A, filters: 2, kernel_size: 1}]\noutputs: {x: a}\n", ["E206"]),
        (
            "body: [{op: conv, filters: 010, kernel_size: 1}, {branches: {a: [], b: []}, "
            "merge: add}]\n",
            ["E107"],
        ),
        (
            "body: [{op: flatten}, {op: max_pool, kernel_size: 3}, {op: conv, filters: 1, "
            "kernel_size: 3}]\n",
            ["E403"],
        ),
        ("body: [{use: a, repeat: 3}, {use: a, name: b}]\nhead: [{use: a}]\n", ["E302"]),
        ("body: [{branches: {a: []}, merge: sum}, {op: dense, units: 5}]\n", ["E203"]),
        ("body: [{branches: {a: [], merge: add}}, {op: dense, units: 5}]\n", ["E201"]),
        ("blocks: {a: {steps: [{use: a}]}}\nbody: [{use: a}, {use: a, name: b}]\n", ["E306"]),
        (
            "aux_heads: {h: {after: a, loss_weight: x, steps: []}}\n"
            "body: [{op: identity, name: a}, {op: identity}]\n",
            ["E203"],
        ),
        (
            "blocks: {a: {params: {n: int}, steps: [{op: dense, units: $n}, {op: dense, "
            "units: $n}]}}\n"
            "body: [{use: a, n: 0}]\n",
            ["E203"],
        ),
        (
            "input: {channels: 3}\nbody: [{op: max_pool, kernel_size: 99, padding: valid}]\n",
            ["E203"],
        ),
    ],
)
def test_what_follows_from_an_error_is_not_reported(
    write: Write, text: str, expected: list[str]
) -> None:
    spec = write((HEAD if "input:" not in text else "network: n\n") + text)
    assert [entry.split()[1] for entry in found(spec)] == expected


def test_an_unknown_setting_may_be_for_a_parameter(write: Write) -> None:
    spec = write(
        f"{HEAD}params: {{width: int}}\nbody: [{{op: dense, units: $width}}, {{op: conw}}]\n"
    )
    assert found(spec, widht="3") == ["--set widht:1 E209", "spec.yaml:4 E204"]


def test_an_error_in_an_argument_is_located_in_the_use(write: Write) -> None:
    spec = write(f"""\
        {HEAD.replace(chr(10), chr(10) + " " * 8)}blocks:
          inner: {{params: {{n: int}}, steps: [{{op: dense, units: $n}}]}}
          outer: {{params: {{m: int}}, steps: [{{use: inner, n: $m}}]}}
        body: [{{use: outer, m: 0}}]
        """)
    report = Report()
    assert compile_spec(spec, {}, report) is None
    (error,) = report
    assert (error.span.line, error.span.column) == (6, 24)
    assert [(span.line, label) for span, label in error.related] == [(4, "used here")]


def test_the_repetition_is_named(write: Write) -> None:
    spec = write(f"""\
        {HEAD.replace(chr(10), chr(10) + " " * 8)}blocks:
          half: {{steps: [{{op: max_pool, kernel_size: 9, stride: 2, padding: valid}}]}}
        body: [{{use: half, repeat: 5}}]
        """)
    report = Report()
    assert compile_spec(spec, {}, report) is None
    (error,) = report
    assert error.notes[0].endswith("use of `half` (3rd of 5)")
    alone = write(
        f"{HEAD}body: [{{op: max_pool, kernel_size: 9, stride: 2, padding: valid, repeat: 5}}]\n"
    )
    report = Report()
    assert compile_spec(alone, {}, report) is None
    assert next(iter(report)).notes == ("in: the 3rd of 5 repetitions",)
