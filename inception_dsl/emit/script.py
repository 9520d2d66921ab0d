"""What the training scripts of all frameworks have in common: their data, logs and checkpoints."""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from ..ir.flow import Apply, Merge, flow
from ..ir.recipe import Training
from ..ir.typed import TypedProgram
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

    ``recipe`` names the network and the recipe in checkpoints. ``steps`` is the length of the run,
    ``rate`` the body of ``learning_rate``; with ``fractions`` they need ``Fraction``. ``shares``
    are the columns of the log with accuracies. ``mode`` is Pillow's of an image, and ``pixels``
    what follows height and width in its shape.
    """

    classes: Code
    size: Code
    batch_size: Code
    recipe: Code
    steps: Code
    rate: tuple[Code, ...]
    fractions: bool
    shares: Code
    channels: Code
    mode: Code
    pixels: Code


def script_facts(typed: TypedProgram, training: Training) -> ScriptFacts:
    """Those of a network with a recipe that has all numbers of one."""
    program = typed.program
    steps, rate, gray = run_length(training), rate_lines(training), program.input.channels == 1
    return ScriptFacts(
        literal(program.values["classes"]),
        literal(tuple(program.input.spatial)),
        literal(training.batch_size),
        literal(_identity(typed, training)),
        Code(steps),
        rate,
        any("Fraction(" in line for line in (steps, *rate)),
        literal(("accuracy", *["average"] * bool(training.average))),
        literal(program.input.channels),
        Code("L" if gray else "RGB"),
        Code("" if gray else ", 3"),
    )


def _identity(typed: TypedProgram, training: Training) -> str:
    """Twelve digits that differ between networks, or recipes, that train differently."""
    program = typed.program
    parts: list[object] = [training, program.preprocessing, sorted(program.losses.items())]
    for found in flow(typed).statements:
        if isinstance(found, Apply):
            what: object = found.typed.op.model_copy(update={"deviation": None, "allow": ()})
        else:
            what = found.typed.node.merge if isinstance(found, Merge) else (found.start, found.stop)
        parts.append((found.path, what, found.inputs, found.y))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
