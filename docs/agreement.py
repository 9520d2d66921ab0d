"""The table of largest errors, as Markdown.

``python docs/agreement.py agreement.json > docs/agreement.md``.

The file is what this prints::

    inception-dsl verify specs/*.yaml specs/published/*.yaml --train --dtype float64 --dtype float32
    \\
        --backend keras --backend torch --backend keras:jax --backend keras:torch --json >
        agreement.json
"""

from __future__ import annotations

import json
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

HEAD = """# How far the frameworks agree

The largest error of every network, framework and type of numbers, in units of the reference's
largest value: of the outputs (of every block, and of the network, in inference and in training
mode), and of a training step: the loss, the gradients, the updated weights and the moving
statistics. The reference is NumPy in float64. All frameworks are given the same weights and the
same batch of two samples, whose axes differ in length.

In float64 outputs, loss and statistics may lie 1e-10 apart, gradients and updated weights 1e-8. In
float32 it is 1e-5, or four times the rounding of the first framework where that is more: how far
its float32 lies from its own float64 in that network and run. Gradients jump where a value before a
ReLU or in a maximum pool changes sides, and one loss may be lucky: the rounding of a training step
is also taken from steps with weights that are 1e-6 off, which moves outputs about as far as
rounding does. Gradients are in units of the largest in their layer, and at least 1e-4 of that in
the network. Keras on JAX and on PyTorch computes batch norm in float32 inside; it is judged in
float32, and in inference.

In float32, TensorFlow sums the statistics of a large map one value after the other: the variance of
28,000 positive values is 5e-5 off, where PyTorch's is 4e-8 off. Deep networks with batch norm
multiply that, most of all the article's second one, whose batch norms follow their ReLUs.

Made by `inception-dsl verify` and [agreement.py](agreement.py), which says how; with {versions}.

{columns}
{rule}
"""
COLUMNS = (
    *(
        "network",
        "input",
        "framework",
        "numbers",
        "outputs",
        "allowed",
        "loss",
        "gradients",
        "allowed",
    ),
    *("weights after", "statistics", ""),
)


def main(path: Path) -> None:
    """Print the page for what ``verify --json`` has printed into ``path``."""
    packages = ("torch", "keras", "tensorflow-cpu", "jax", "numpy")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    columns = f"| {' | '.join(COLUMNS)} |"
    rule = "|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|---|"
    versions = f"{versions}, Python {platform.python_version()}"
    print(HEAD.format(versions=versions, columns=columns, rule=rule), end="")
    for network in json.loads(path.read_text(encoding="utf-8")):
        for outcome in network["outcomes"]:
            print(f"| {' | '.join(row(network, outcome))} |")


def row(network: dict[str, Any], outcome: dict[str, Any]) -> list[str]:
    """One line of the table."""
    checks = {check["kind"]: check for check in outcome["checks"]}
    kinds = ("outputs", "loss", "gradients", "weights after", "statistics")
    errors = {kind: number(checks[kind]["error"]) if kind in checks else "" for kind in kinds}
    allowed = {kind: number(checks[kind]["allowed"]) if kind in checks else "" for kind in kinds}
    name = network["spec"].removeprefix("specs/").removesuffix(".yaml")
    return [
        *(name, "×".join(map(str, network["input"])), outcome["target"], outcome["dtype"]),
        *(
            errors["outputs"],
            allowed["outputs"],
            errors["loss"],
            errors["gradients"],
            allowed["gradients"],
        ),
        *(errors["weights after"], errors["statistics"], outcome["status"]),
    ]


def number(value: float | None) -> str:
    """Two digits; what is not finite is said so."""
    return "not finite" if value is None else f"{value:.1e}" if value else "0"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
