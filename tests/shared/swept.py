"""A network and its block, in files, for the tests of `sweep`."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from inception_dsl.cli import main

NET = """
network: net
input: {channels: 3, height: 32, width: 32}
classes: 10
params: {n: {type: int, default: 8}}
import: [unit.yaml]
body:
  - {op: conv, name: first, filters: $n, kernel_size: 3}
  - {use: unit, n: $n, repeat: 1}
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
"""
UNIT = """
block: unit
params: {n: int}
steps: [{op: conv, name: last, filters: $n, kernel_size: 3, padding: valid}]
"""


def run(*arguments: str, spec: str = "net.yaml") -> Result:
    return CliRunner().invoke(main, ["sweep", spec, *arguments])


def save(folder: Path) -> None:
    """Write the network and its block."""
    (folder / "net.yaml").write_text(NET)
    (folder / "unit.yaml").write_text(UNIT)
