"""Print the table of largest errors as Markdown.

``python docs/agreement.py agreement.json > docs/agreement.md``, where the input is the output of::

    inception-dsl verify specs/*.yaml specs/published/*.yaml --train --dtype float64 \\
        --dtype float32 --backend keras --backend torch --backend keras:jax \\
        --backend keras:torch --json > agreement.json
"""

from __future__ import annotations

import json
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

HEAD = """# How far the frameworks agree

The table lists the largest error of every network, framework and number type, divided by the
largest value of the reference: of the outputs (of every block, and of the network, in inference and
in training mode), and of a training step: the loss, the gradients, the updated weights and the
moving statistics. The reference is NumPy in float64. All frameworks get the same weights and the
same batch of two samples, whose axes differ in length.

In float64, errors of up to 1e-10 are allowed, and 1e-8 for gradients and updated weights. In
float32, 1e-5 is allowed, or four times the rounding of the first framework if that is more: the
distance of its float32 results from its own float64 results in that network and run. Gradients jump
where a value before a ReLU or in a max pool changes sides, and a single loss may match by chance.
So the rounding of a training step is also measured with weights that are 1e-6 off, which moves
outputs about as far as rounding does. Gradient errors are divided by the largest gradient in their
layer, or by 1e-4 times the largest in the network if that is more. Keras on JAX and on PyTorch
computes batch norm in float32 internally, so it is compared in float32 and in inference only.

In float32, TensorFlow sums the statistics of a large map one value after the other: the variance of
28,000 positive values is 5e-5 off, where PyTorch's is 4e-8 off. Deep networks with batch norm
amplify that error, most of all `v2_article`, which has batch norm after each ReLU.

Made by `inception-dsl verify` and [agreement.py](agreement.py), which has the command, with
{versions}.

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
    """Print the page for the output of ``verify --json`` in ``path``."""
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
    """Two digits, or "not finite"."""
    return "not finite" if value is None else f"{value:.1e}" if value else "0"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
