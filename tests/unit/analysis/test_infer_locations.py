"""Where an error in shapes is reported, with which help and which uses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inception_dsl.diagnostics.report import Report

BLOCK = (
    "blocks: {b: {params: {k: int, r: {type: bool, default: true}}, steps: [%s]}}\n"
    "body: [{use: b, k: %s}]"
)
POOLS = "{op: max_pool, kernel_size: 3, padding: $k}"


@pytest.mark.parametrize(
    ("text", "expected", "words"),
    [
        (
            "body: [{op: identity, repeat: '${in_channels - 4}'}]",
            ["E203 3:31-50"],
            "`repeat` `-1`",
        ),
        (
            "body: [{op: identity, repeat: '${in_channels * 0.5}'}]",
            ["E203 3:31-52"],
            "`repeat` `1.5`",
        ),
        (BLOCK % ("{op: identity, repeat: $r}", 1), ["E203 3:95-96"], "`repeat` `true`"),
        (BLOCK % ("{op: identity, repeat: $k}", 100001), ["E309 3:95-96"], ""),
        (
            "body: [{op: conv, filters: '${in_channels // 0}', kernel_size: 1}]",
            ["E207 3:43-43"],
            "zero",
        ),
        (
            "body: [{op: conv, filters: '${0 - in_channels}', kernel_size: '${0 - 1}'}]",
            ["E203 3:28-47", "E203 3:63-72"],
            "",
        ),
        (
            "body: [{op: conv, filters: 2, kernel_size: [1, '${in_channels - 3}']}]",
            ["E203 3:44-68"],
            "`kernel_size`: `0`",
        ),
        (
            "body: [{op: conv, filters: 2, kernel_size: [1, '${in_channels // 0}']}]",
            ["E207 3:63-63"],
            "zero",
        ),
        (
            "body: [{op: conv_bn, filters: 2, kernel_size: 1, "
            "batch_norm: {epsilon: '${0 - in_channels}'}}]",
            ["E203 3:62-92"],
            "`batch_norm`: `-3`",
        ),
        (
            "body: [{op: conv_bn, filters: 2, kernel_size: 1, "
            "batch_norm: {epsilon: '${in_channels // 0}'}}]",
            ["E207 3:87-87"],
            "zero",
        ),
        (
            BLOCK % ("{op: dense, units: $k}", "'${in_channels // 2 + 0.5}'"),
            ["E203 4:20-46"],
            "`k` int `1.5`",
        ),
        (BLOCK % ("{op: dense, units: $k}", "'${in_channels // 0}'"), ["E207 4:35-35"], "zero"),
        (
            "body: [{op: max_pool, kernel_size: 9, padding: valid}]",
            ["E401 3:36-36"],
            "`max_pool`: 8 9",
        ),
        ("body: [{op: max_pool, kernel_size: 3, padding: 2}]", ["E403 3:48-48"], "2 3"),
        (
            "body: [{op: flatten}, {op: max_pool, kernel_size: 3}]",
            ["E403 3:28-35"],
            "`max_pool` 192",
        ),
        (
            "body: [{merge: add, branches: {x: [{op: max_pool, kernel_size: 2, stride: 2}], "
            "y: [{op: identity}]}}]",
            ["E402 3:80-80"],
            "`add` 4x4 8x8",
        ),
        (
            "body: [{merge: concat, branches: {x: [{op: max_pool, kernel_size: 9, "
            "padding: valid}], "
            "y: [{op: max_pool, kernel_size: 3, padding: 2}], z: [{op: flatten}]}}]",
            ["E401 3:67-67", "E403 3:132-132"],
            "",
        ),
        (
            "body: [{op: identity, name: a}]\naux_heads: {h: {after: a, loss_weight: 1, steps: "
            "[{op: max_pool, kernel_size: 9, padding: valid}]}}",
            ["E401 4:79-79"],
            "",
        ),
        (
            f"blocks: {{b: {{params: {{k: int}}, steps: [{POOLS}]}}}}\n"
            "body: [{merge: add, branches: {x: [{use: b, k: 3}], y: [{use: b, k: 4}]}}]",
            ["E403 3:80-81"],  # once for both uses
            "`max_pool`: padding 3",
        ),
    ],
)
def test_the_location_of_an_error(
    errors: Callable[..., Report], text: str, expected: list[str], words: str
) -> None:
    report = errors(f"network: n\ninput: {{channels: 3, height: 8, width: 8}}\n{text}\n")
    spans = [(d.code, d.span) for d in report]
    assert [f"{code} {s.line}:{s.column}-{s.end_column - 1}" for code, s in spans] == expected
    assert all(word in report.diagnostics[0].message for word in words.split()), report.diagnostics[
        0
    ].message


def test_help_with_a_window_that_does_not_fit(errors: Callable[..., Report]) -> None:
    def help(step: str) -> str:
        (found,) = errors(
            f"network: n\ninput: {{channels: 3, height: 8, width: 8}}\nbody: [{step}]\n"
        )
        return found.help

    assert help("{op: max_pool, kernel_size: 9, padding: valid}").startswith(
        "write `kernel_size: 8`"
    )
    assert help("{op: max_pool, kernel_size: [9, 2], padding: valid}").startswith(
        "write `kernel_size: [8, 2]`"
    )
    dilated = "{op: conv, filters: 2, kernel_size: 3, dilation: 4, padding: valid}"
    assert help(dilated).startswith("write `kernel_size: 2`")
    assert help("{op: max_pool, kernel_size: 5, padding: 3}") == "use a padding of at most 2"
    assert help("{op: conv, filters: 4, kernel_size: 1, groups: 2}") == "write `groups: 1`"


def test_only_the_uses_around_the_error_are_named(
    errors: Callable[..., Report],
) -> None:
    report = errors("""
        network: n
        input: {channels: 3, height: 8, width: 8}
        blocks: {b: {params: {k: int}, \
steps: [{op: conv, filters: 2, kernel_size: $k, padding: valid}]}}
        body:
          - merge: add
            branches:
              x: [{use: b, k: 9}]
              y: [{op: max_pool, kernel_size: 10, padding: valid}]
        """)
    assert [(d.code, [note.rsplit("/", 1)[-1] for note in d.notes]) for d in report] == [
        ("E401", ["spec.yaml:8:17, use of `b`"]),
        ("E401", []),
    ]
