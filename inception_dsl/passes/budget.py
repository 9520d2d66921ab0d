"""Limits on the size of a program: layers, weights, and generated source code.

A short spec can expand to any size with repeats and nested uses. :func:`check_layers` counts layers
before shapes are inferred, as inference would take too long. :func:`check_size` counts weights and
source after it. Both report the repeat or use that is the cause.
"""

from __future__ import annotations

import os
from itertools import islice
from typing import Final

from ..analysis.cost import layers
from ..analysis.repeats import MAX_LAYERS
from ..diagnostics.report import Report
from ..ir.program import Chain, ForkNode, Node, OpNode, Program, UseNode
from ..ir.turns import cause
from ..ir.typed import Typed, TypedChain, TypedOp, TypedProgram, TypedUse
from ..ir.walk import inner_chains, steps, written_steps
from ..types.tensor import product

MAX_WEIGHTS: Final = 10**11
MAX_STEPS: Final = 10_000
MAX_SOURCE: Final = 8_000_000
_BYTES: Final = 8
_LINE: Final = 100
"""About the characters of source that one step takes."""


def check_layers(program: Program, report: Report) -> bool:
    """Whether the numbers of steps and layers are within the limits; reports it if not.

    A ``repeat`` that is an expression counts as 1, as its value is not known before inference.
    """
    beyond = next(islice(written_steps(program), MAX_STEPS, None), None)
    if beyond is not None:
        _many_steps(beyond, report)
        return False
    steps = tuple(node for chain in program.chains for node in chain)
    return _Layers(program, report).chain(steps) is not None


def _many_steps(node: Node, report: Report) -> None:
    message = f"the generated code would have more than {MAX_STEPS:,} steps"
    help = "move steps that occur again into a block, which is generated once, and use it"
    report.error("E309", message, cause(node), help=help)


class _Layers:
    def __init__(self, program: Program, report: Report) -> None:
        self.program, self.report = program, report
        self.blocks: dict[str, int | None] = {}

    def chain(self, chain: Chain) -> int | None:
        """The number of layers of a chain; ``None`` if it is too large, which is reported."""
        total = 0
        for node in chain:
            one = self.node(node)
            if one is None:
                return None
            total += one * (node.repeat if isinstance(node.repeat, int) else 1)
            if total > MAX_LAYERS:
                message = f"the spec expands to more than {MAX_LAYERS:,} layers"
                self.report.error("E309", message, cause(node))
                return None
        return total

    def node(self, node: Node) -> int | None:
        if isinstance(node, UseNode):
            if node.block not in self.blocks:
                self.blocks[node.block] = self.chain(self.program.blocks[node.block].chain)
            found = self.blocks[node.block]
            return 1 if found == 0 else found  # nested uses without layers must not be unlimited
        if not isinstance(node, ForkNode):
            return 1
        sizes = [self.chain(branch) for _, branch in node.branches]
        return None if None in sizes else 1 + sum(size or 0 for size in sizes)


def check_size(typed: TypedProgram, report: Report) -> bool:
    """Whether the weights and the generated source are within the limits; reports it if not."""
    before = len(report.diagnostics)
    sizes = _Sizes(typed.program, report)
    for chain in typed.chains:
        sizes.top(chain)
    return len(report.diagnostics) == before


def check_memory(typed: TypedProgram, samples: int, report: Report) -> bool:
    """Whether this machine can hold the weights, and a batch in the largest layer; reports it if
    not.

    Less memory than that is never enough, as NumPy computes in float64.
    """
    found = list(layers(typed))
    largest = max((product(one.x.shape) + product(one.y.shape) for one in found), default=0)
    values = sum(one.parameters for one in found) + samples * largest
    limit = _memory()
    if _BYTES * values <= limit:
        return True
    needed = f"at least {_BYTES * values / 2**30:,.1f} GiB"
    what = f"a batch of {samples:,} samples" if samples else "the weights"
    report.error(
        "E309",
        f"{what} of `{typed.program.id}` would need {needed}; this machine has "
        f"{limit / 2**30:,.1f} GiB",
        typed.program.origin.span(typed.program.kind),
        help="use fewer samples (`--batch`) or a smaller input (`--input`)" if samples else "",
    )
    return False


def _memory() -> int:
    """The memory of the machine in bytes; 16 GiB if the system does not say it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 2**34


class _Sizes:
    """Counts the weights of chains, and the steps and characters of definitions to generate."""

    def __init__(self, program: Program, report: Report) -> None:
        self.report, self.blocks = report, program.blocks
        self.defined: set[tuple[str, int]] = set()
        self.weights: dict[int, int] = {}
        self.total = self.steps = self.characters = 0

    def top(self, chain: TypedChain) -> None:
        for node in steps(tuple(step.node for step in chain.steps)):
            self.step(node, node)
        before = self.total
        self.total += self.chain(chain)
        if self.total > MAX_WEIGHTS and self.report.ok:
            self.blame(chain, MAX_WEIGHTS - before)

    def chain(self, chain: TypedChain) -> int:
        if id(chain) not in self.weights:
            self.weights[id(chain)] = sum(
                run.count * self.node(run.typed)
                for step in chain.steps
                for run in step.runs
                if step.node.shares is None
            )
        return self.weights[id(chain)]

    def node(self, typed: Typed) -> int:
        if isinstance(typed, TypedUse) and id(typed.body) not in self.weights:
            self.printed(typed)
        if isinstance(typed, TypedOp):
            return sum(weight.size for weight in typed.weights)
        return sum(self.chain(inner) for inner in inner_chains(typed))

    def printed(self, use: TypedUse) -> None:
        """Add the source of a definition of a block, unless it is already counted.

        Reports the use that exceeds a limit.
        """
        block = self.blocks[use.node.block]
        about = block.about
        texts = (
            about.title,
            about.description,
            about.modified_from,
            *about.paper.values(),
            *about.deviations,
        )
        # documentation counts for every set of arguments: a backend may generate the block for each
        notes = sum(_notes(node) for node in steps(block.chain))
        self.text(use.node, notes + sum(len(text.plain) for text in texts))
        key = use.node.block, use.x.rank
        if key in self.defined:
            return
        self.defined.add(key)
        self.room(use.node, 0)
        for node in steps(block.chain):
            self.step(node, use.node)

    def step(self, node: Node, because: Node) -> None:
        self.text(because, _notes(node))
        for _ in node.each or (node,):
            self.room(because, _LINE)

    def room(self, because: Node, characters: int) -> None:
        self.steps += 1
        if self.steps == MAX_STEPS + 1:
            _many_steps(because, self.report)
        self.text(because, characters)

    def text(self, because: Node, characters: int) -> None:
        """Add characters to the source; report the node that exceeds the limit."""
        self.characters, before = self.characters + characters, self.characters
        if before <= MAX_SOURCE < self.characters:
            message = f"the generated code would have more than {MAX_SOURCE:,} characters"
            self.report.error("E309", message, cause(because))

    def blame(self, chain: TypedChain, room: int) -> None:
        """Report the step of a chain that exceeds ``room`` weights: a repeat, or a large layer."""
        for step in chain.steps:
            for run in step.runs:
                one = self.node(run.typed)
                if run.count * one <= room:
                    room -= run.count * one
                    continue
                inner = next((c for c in inner_chains(run.typed) if self.chain(c) > room), None)
                if inner is not None and one > room:
                    return self.blame(inner, room)
                message = f"the network has more than {MAX_WEIGHTS:,} weights"
                return self.report.error("E309", message, cause(step.node))
        return None


def _notes(node: Node) -> int:
    """The number of characters in the deviations of a step, which become comments."""
    notes = node.op.deviation or () if isinstance(node, OpNode) else node.deviations
    return sum(len(note.plain) for note in notes)
