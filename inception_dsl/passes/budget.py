"""What a program may become, found out before it becomes it: layers, weights, source.

A page of text can repeat and nest its way to any size. The first check needs no shapes and no time;
the second prices what the shapes say. Both point at what repeats.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from ..analysis.infer import MAX_LAYERS
from ..diagnostics.report import Report
from ..ir.program import Chain, ForkNode, Node, OpNode, Program, UseNode, cause
from ..ir.typed import Typed, TypedChain, TypedOp, TypedProgram, TypedUse
from ..ir.walk import inner_chains, nodes

MAX_WEIGHTS: Final = 10**11
MAX_STEPS: Final = 10_000
MAX_SOURCE: Final = 8_000_000
_LINE: Final = 100
"""Characters of source that a step may take, about."""


def check_layers(program: Program, report: Report) -> bool:
    """Whether steps and layers, counted without shapes, are few enough.

    What an expression repeats counts once.
    """
    chains = [*program.sections.values(), *(head.chain for head in program.aux_heads)]
    blocks = [block.chain for block in program.blocks.values()]
    beyond = next(
        islice((node for chain in (*chains, *blocks) for node in nodes(chain)), MAX_STEPS, None),
        None,
    )
    if beyond is not None:
        _many_steps(beyond, report)
        return False
    return (
        _Layers(program, report).chain(tuple(node for chain in chains for node in chain))
        is not None
    )


def _many_steps(node: Node, report: Report) -> None:
    message = f"with this more than {MAX_STEPS:,} steps would be printed"
    report.error(
        "E309", message, cause(node), help="a block is printed once; repeat it, or use it again"
    )


class _Layers:
    def __init__(self, program: Program, report: Report) -> None:
        self.program, self.report = program, report
        self.blocks: dict[str, int | None] = {}

    def chain(self, chain: Chain) -> int | None:
        """The layers of a chain, or ``None`` where they are too many, which is reported."""
        total = 0
        for node in chain:
            one = self.node(node)
            if one is None:
                return None
            total += one * (node.repeat if isinstance(node.repeat, int) else 1)
            if total > MAX_LAYERS:
                self.report.error(
                    "E309", f"with this there are more than {MAX_LAYERS:,} layers", cause(node)
                )
                return None
        return total

    def node(self, node: Node) -> int | None:
        if isinstance(node, UseNode):
            if node.block not in self.blocks:
                self.blocks[node.block] = self.chain(self.program.blocks[node.block].chain)
            found = self.blocks[node.block]
            return 1 if found == 0 else found  # without layers it takes room too
        if not isinstance(node, ForkNode):
            return 1
        sizes = [self.chain(branch) for _, branch in node.branches]
        return None if None in sizes else 1 + sum(size or 0 for size in sizes)


def check_size(typed: TypedProgram, report: Report) -> bool:
    """Whether the weights and the source that will be printed stay within bounds."""
    before = len(report.diagnostics)
    sizes = _Sizes(typed.program, report)
    for chain in (*typed.sections.values(), *(chain for _, chain in typed.heads)):
        sizes.top(chain)
    return len(report.diagnostics) == before


class _Sizes:
    """Weights of each chain, counted once.

    Steps and characters of each definition that may be printed.
    """

    def __init__(self, program: Program, report: Report) -> None:
        self.report, self.blocks = report, program.blocks
        self.defined: set[tuple[str, int]] = set()
        self.weights: dict[int, int] = {}
        self.total = self.steps = self.characters = 0

    def top(self, chain: TypedChain) -> None:
        for node in nodes(tuple(step.node for step in chain.steps)):
            self.step(node, node)
        before = self.total
        self.total += self.chain(chain)
        if self.total > MAX_WEIGHTS and self.report.ok:
            self.blame(chain, MAX_WEIGHTS - before)

    def chain(self, chain: TypedChain) -> int:
        if id(chain) not in self.weights:
            self.weights[id(chain)] = sum(
                run.count * self.node(run.typed) for step in chain.steps for run in step.runs
            )
        return self.weights[id(chain)]

    def node(self, typed: Typed) -> int:
        if isinstance(typed, TypedUse) and id(typed.body) not in self.weights:
            self.printed(typed)
        if isinstance(typed, TypedOp):
            return sum(weight.size for weight in typed.op.weights(typed.x))
        return sum(self.chain(inner) for inner in inner_chains(typed))

    def printed(self, use: TypedUse) -> None:
        """Add the source of one more definition of a block.

        Reports the use with which there is too much.
        """
        block = self.blocks[use.node.block]
        about = block.about
        texts = (about.title, about.description, *about.paper.values(), *about.deviations)
        # its documentation counts for every set of arguments, as a backend may have to split it
        notes = sum(_notes(node) for node in nodes(block.chain))
        self.text(use.node, notes + sum(len(text.plain) for text in texts))
        key = use.node.block, use.x.rank
        if key in self.defined:
            return
        self.defined.add(key)
        self.room(use.node, 0)
        for node in nodes(block.chain):
            self.step(node, use.node)

    def step(self, node: Node, because: Node) -> None:
        self.room(because, _LINE + _notes(node))

    def room(self, because: Node, characters: int) -> None:
        self.steps += 1
        if self.steps == MAX_STEPS + 1:
            _many_steps(because, self.report)
        self.text(because, characters)

    def text(self, because: Node, characters: int) -> None:
        """Add characters to the source; report the node with which they are too many."""
        self.characters, before = self.characters + characters, self.characters
        if before <= MAX_SOURCE < self.characters:
            message = f"with this the source would have more than {MAX_SOURCE:,} characters"
            self.report.error("E309", message, cause(because))

    def blame(self, chain: TypedChain, room: int) -> None:
        """Report the step with which a chain has no room left.

        A repeat, or the layer in it that is too large.
        """
        for step in chain.steps:
            for run in step.runs:
                one = self.node(run.typed)
                if run.count * one <= room:
                    room -= run.count * one
                    continue
                inner = next((c for c in inner_chains(run.typed) if self.chain(c) > room), None)
                if inner is not None and one > room:
                    return self.blame(inner, room)
                message = f"with this there are more than {MAX_WEIGHTS:,} weights"
                return self.report.error("E309", message, cause(step.node))
        return None


def _notes(node: Node) -> int:
    """The characters of what a step says of itself."""
    notes = node.op.deviation or () if isinstance(node, OpNode) else node.deviations
    return sum(len(note.plain) for note in notes)
