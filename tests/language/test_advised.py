"""The commands that warnings name."""

from __future__ import annotations

import re
from itertools import product

import pytest
from click.testing import CliRunner
from warned import HEAD, Warned

from inception_dsl.cli import main

CONV = "{op: conv, filters: 64, kernel_size: 5"
ADVISED = {  # the body, and the number of warnings with a command
    f"{CONV}}}, {CONV}, padding: 2}}": 2,
    f"{CONV}, padding: [[1, 2], [2, 2]]}}, {CONV}, repeat: 2}}": 0,
    f"{{op: conv, filters: 64, kernel_size: 1}}, {CONV}, name: a}}, {CONV}, weights: a}}": 2,
    "{use: c, n: 8, k: 5}, {use: c, name: d, n: 9, k: 5}": 1,
    "{use: c, n: 8, k: 5}, {use: c, name: d, n: 9, k: 3}": 0,
    "{op: conv, kernel_size: 5, each: {filters: [64, 65]}}": 1,
    "{use: p, n: 2}, {use: p, name: q, n: 1}": 1,
    "{op: max_pool, kernel_size: 2, stride: 2, repeat: $n}, {op: conv, filters: 32, "
    "kernel_size: 1}": 0,
    "{op: conv, filters: 4, kernel_size: 1}, {use: p, n: 8}": 0,
}


@pytest.mark.parametrize("body", ADVISED)
def test_a_command_that_is_advised_works(warned: Warned, body: str) -> None:
    blocks = """blocks:
  c: {params: {n: int, k: int}, steps: [{op: conv, filters: $n, kernel_size: $k}]}
  p:
    params: {n: int}
    steps:
      - {op: max_pool, kernel_size: 2, stride: 2}
      - {op: conv, filters: "${in_channels * n}", kernel_size: 1}"""
    params = "params: {n: {type: int, default: 1}}"
    stem = "stem: [{op: conv, filters: 16, kernel_size: 1}]"
    found = warned(f"{HEAD}{params}\n{blocks}\n{stem}\nbody: [{body}]\nallow: [W301, W302, W303]\n")
    assert {one.code for one in found} <= {"W403", "W405"} and found
    told = [re.search(r"run `inception-dsl (.+)`", one.help) for one in found]
    commands = [one[1].split() for one in told if one]
    assert len(commands) == ADVISED[body]
    for command in commands:
        run = CliRunner().invoke(main, command)
        assert run.exit_code == 0, run.output


SIZES = (7, 8, 9, 10, 11, 12, 14, 16, 17, 55)


@pytest.mark.parametrize(
    "window", ["3, padding: valid", "3, padding: 1", "2, padding: valid", "3, padding: [0, 1]"]
)
def test_a_command_for_a_pool_that_rounds_up_works(warned: Warned, window: str) -> None:
    """With `ceil_mode` a convolution needs other paddings for other sizes."""
    paddings = set()
    for size, stride in product(SIZES, (2, 3)):
        pool = f"{{op: max_pool, kernel_size: {window}, stride: {stride}, ceil_mode: true}}"
        (found,) = warned(
            f"network: n\ninput: {{channels: 3, height: {size}, width: {size + 1}}}\n"
            f"stem: [{{op: conv, filters: 8, kernel_size: 1}}]\n"
            f"body: [{pool}, {{op: conv, filters: 16, kernel_size: 1}}]\nallow: [W401, W303]\n"
        )
        command = found.help.partition("run `inception-dsl ")[2].rstrip("`").split()
        run = CliRunner().invoke(main, command)
        assert run.exit_code == 0, run.output
        conv = found.help.partition("op: conv_bn, filters: 8, ")[2].partition("}")[0]
        assert conv in run.output
        paddings.add(conv)
    assert len(paddings) > 2
