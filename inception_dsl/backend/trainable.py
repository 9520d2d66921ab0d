"""Networks and recipes of which a training script can be written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..diagnostics.report import Report
from ..ir.program import Program
from ..ir.recipe import Training
from ..ir.typed import TypedProgram
from .protocol import Backend

CHANNELS: Final = (1, 3)
"""The numbers of channels of images that are read from files: gray, RGB."""


def trainable(backend: Backend, typed: TypedProgram, report: Report) -> bool:
    """Whether a backend can write a script for the network and its recipe; reports why not.

    What the recipe lacks is one error with all fields: the compiler does not guess a number.
    """
    program = typed.program
    span = program.origin.document.key_span(("training",))
    if not backend.trains:
        message = f"the backend `{backend.name}` writes no training scripts"
        report.error("E503", message, span, help="leave out `--train`, or choose another backend")
        return False
    if problem := next(_unsupported(typed), ""):
        message = f"a training script cannot be written: {problem}"
        report.error("E503", message, program.origin.span(program.kind))
        return False
    recipe = program.training or Training(0.0, ())
    # an epoch is one pass over the data that the script is given
    missing = [name for name in recipe.missing() if name != "samples"]
    if not missing:
        return True
    listed = ", ".join(f"`training.{name}`" for name in missing)
    settings = " ".join(f"--set training.{name}=..." for name in missing)
    message = f"a training script needs {listed}, which the recipe does not give"
    report.error("E211", message, span, help=f"add to the spec, or to the command: {settings}")
    return False


def _unsupported(typed: TypedProgram) -> Iterator[str]:
    """Why no script can train a network, if none can."""
    program, recipe = typed.program, typed.program.training
    if program.kind != "network":
        yield "a block has no loss"
    if not typed.classifiers:
        yield "the network has no classifier, so no loss"
    if program.several or program.input.rank != 2 or program.input.channels not in CHANNELS:
        yield "scripts read images, one with 1 or 3 channels for each sample"
    if program.outputs or not all(head.auxiliary for head in program.heads):
        yield "scripts train by one class for each image, and the network has `outputs`"
    if size := resized(program):
        given, wanted = ("x".join(map(str, axes)) for axes in (size, program.input.spatial))
        yield f"`preprocessing` resizes images to {given}, and the input is {wanted}"
    schedule = recipe.schedule if recipe else None
    if schedule and any(part.name == "plateau" for part in schedule.parts()):
        yield "`plateau` depends on the loss; `steps` has the rates of such a run"


def resized(program: Program) -> tuple[int, ...]:
    """The size that ``preprocessing`` gives images, if it is not that of the input; else empty."""
    resize = program.preprocessing.resize if program.preprocessing else None
    return resize.size if resize and resize.size != program.input.spatial else ()
