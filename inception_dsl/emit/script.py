"""What the training scripts of all frameworks have in common: their data, logs and checkpoints."""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from ..ir.program import Program
from ..ir.recipe import Training
from .pycode import Code, literal
from .schedule import rate_lines, run_length

DATA: Final = (
    "DATA is a folder with images in train/CLASS and val/CLASS, or an .npz file with uint8 images "
    "(N, height, width[, channels]) and class indices: x_train, y_train, x_test, y_test. Run it "
    "again with the same arguments to go on from the last checkpoint."
)
"""The paragraph on data in the docstring of a script."""


class ScriptFacts(NamedTuple):
    """The constants of a script, and its functions of the number of steps.

    ``recipe`` names the recipe in checkpoints. ``steps`` is the length of the run, ``rate`` the
    body of ``learning_rate``; with ``fractions`` they need ``Fraction``. ``columns`` are those of
    the log, in quotes, with commas. ``mode`` is Pillow's of an image, and ``pixels`` what follows
    height and width in its shape.
    """

    classes: Code
    size: Code
    batch_size: Code
    recipe: Code
    steps: Code
    rate: tuple[Code, ...]
    fractions: bool
    columns: Code
    channels: Code
    mode: Code
    pixels: Code


def script_facts(program: Program, training: Training) -> ScriptFacts:
    """Those of a network with a recipe that has all numbers of one."""
    steps, rate, gray = run_length(training), rate_lines(training), program.input.channels == 1
    columns = ("step", "loss", "rate", "accuracy", *["average"] * bool(training.average))
    return ScriptFacts(
        literal(program.values["classes"]),
        literal(tuple(program.input.spatial)),
        literal(training.batch_size),
        literal(hashlib.sha256(repr(training).encode()).hexdigest()[:12]),
        Code(steps),
        rate,
        any("Fraction(" in line for line in (steps, *rate)),
        Code(", ".join(map(literal, columns))),
        literal(program.input.channels),
        Code("L" if gray else "RGB"),
        Code("" if gray else ", 3"),
    )
