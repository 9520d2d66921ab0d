"""`check` reports layers, weights or steps that have the same path."""

from __future__ import annotations

from pathlib import Path

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report

HEAD = "network: n\ninput: {channels: 2, height: 5, width: 5}\n"
BLOCK = "{steps: [{op: conv, filters: 2, kernel_size: 1}, {op: conv, filters: 2, kernel_size: 1}]}"
FORK = """\
branches:
      a: [{op: conv, filters: 1, kernel_size: 1}]
      b: [{op: conv, filters: 1, kernel_size: 1}]
    merge: concat
"""
CLASHES = {
    "a step in a use and one without a name": (
        f"blocks: {{body: {BLOCK}}}\n"
        "body:\n"
        "  - {use: body, name: body}\n"
        "  - {op: conv, filters: 3, kernel_size: 1}\n",
        ("layers", "body/1", 6),
    ),
    "a repeated fork and a step without a name": (
        "stem: [{op: conv, filters: 2, kernel_size: 1}, {op: activation, function: relu}]\n"
        f"body:\n  - name: stem\n    repeat: 2\n    {FORK}",
        ("steps", "stem/0", 5),
    ),
    "the kernel of a convolution in a branch and of one in a composite": (
        """\
blocks:
  b:
    steps:
      - {op: conv_bn, filters: 2, kernel_size: 1}
      - branches:
          conv: [{op: conv, filters: 2, kernel_size: 1, use_bias: false}]
          x: []
        merge: add
        repeat: 2
body: [{use: b}, {op: conv, filters: 3, kernel_size: 1}]
""",
        ("weights", "b/0/conv/kernel", 8),
    ),
}
FINE = {
    "two uses of one block": f"blocks: {{u: {BLOCK}}}\nbody: [{{use: u, name: a}}, {{use: u}}]\n",
    "a use whose block is one step without a name": (
        "blocks: {u: {steps: [{op: conv, filters: 2, kernel_size: 1}]}}\n"
        "body: [{use: u, name: a, repeat: 2}]\n"
    ),
    "a fork without a name as all that a block is": (
        f"blocks:\n  u:\n    steps:\n  - {FORK}".replace("\n  - ", "\n      - ")
        .replace("\n      a:", "\n          a:")
        .replace("\n      b:", "\n          b:")
        .replace("\n    merge", "\n        merge")
        + "body: [{use: u, repeat: 2}]\n"
    ),
}


def compiled(text: str, folder: Path) -> tuple[bool, Report]:
    spec, report = folder / "spec.yaml", Report()
    spec.write_text(HEAD + text)
    return compile_spec(spec, {}, report) is not None, report


@pytest.mark.parametrize("name", CLASHES)
def test_a_duplicate_path_is_reported_once(name: str, tmp_path: Path) -> None:
    text, (what, path, line) = CLASHES[name]
    done, report = compiled(text, tmp_path)
    assert not done
    (found,) = report
    assert (found.code, found.span.line) == ("E307", line)
    assert found.message == f"two {what} have the same path `{path}`"
    assert found.related


@pytest.mark.parametrize("name", FINE)
def test_a_use_or_fork_may_share_the_path_of_its_only_step(name: str, tmp_path: Path) -> None:
    done, report = compiled(FINE[name], tmp_path)
    assert done, report.render()
