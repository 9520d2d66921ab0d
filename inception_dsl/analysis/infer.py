"""Infers the shape before and after every step of a program on its input.

``None`` is a type that an error leaves unknown; nothing else that depends on it is reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from ..diagnostics.report import Report, Span
from ..ir.program import BrokenNode, Chain, ForkNode, Node, OpNode, Program, UseNode, repetition
from ..ir.turns import cause
from ..ir.typed import (
    Run,
    Typed,
    TypedChain,
    TypedFork,
    TypedOp,
    TypedProgram,
    TypedStep,
    TypedUse,
    end_of,
    final_name,
)
from ..ir.walk import step_count
from ..language.parameters import fits, typed_as
from ..ops import ROUNDED, Computed
from ..ops.fields.refusal import shown
from ..types.tensor import ShapeError, TensorType
from .clash import Clash
from .evaluate import Values
from .merged import Difference, combined, concatenated
from .repeats import MAX_LAYERS, Repeats
from .sharing import check_sharing
from .widths import TOP, filter_parameters

MAX_DIFFERENT = 1_000  # layers with other shapes that only repeats and uses create


def infer(program: Program, report: Report) -> TypedProgram | None:
    """``program`` with all types on its input, or ``None`` if an error leaves one unknown."""
    return Inference(program, report).program_types()


class Inference(Repeats):
    """Infers the chains of one program.

    A block is inferred once for each input type and set of arguments. Errors are not raised but
    reported, and the type of a chain with an error is ``None``. ``room`` is the number of layers
    that may still be inferred: a limit on time, as each repeat or use may have other shapes.
    ``before`` has the top-level steps before the first one with an error, by section.
    """

    def __init__(self, program: Program, report: Report, room: int | None = None) -> None:
        super().__init__(program.width, report)
        self.program = program
        self.counts = filter_parameters(program)
        self.room = MAX_DIFFERENT + 2 * step_count(program) if room is None else room
        self.entered: list[Node] = []
        self.outputs: list[dict[str, TensorType | None]] = []
        self.memo: dict[Any, TypedChain | None] = {}
        self.before: dict[str, TypedChain] = {}

    def program_types(self) -> TypedProgram | None:
        """The typed program; ``None`` if anything has an error."""
        program = self.program
        x = self.first_input()
        own = self.top_values()
        values = own if program.several else own.inside(x)
        sections: dict[str, TypedChain | None] = {}
        after: dict[str, TensorType] = {}
        absent: set[str] = set()
        for name, chain in program.sections.items():
            steps = list(self.steps(chain, x, values))
            for node, step in zip(chain, steps, strict=True):
                if node.segments and step is not None:
                    after[node.segments[-1]] = step.y
                    absent |= set(node.segments[-1:]) if not step.runs else set()
            sections[name] = typed = _chained(steps, x)
            if part := _chained([*takewhile(bool, steps)], x):
                self.before[name] = part
            x = None if typed is None else typed.y
        heads = []
        for head in program.heads:
            start = after.get(head.after)
            heads.append((head, self.chain(head.chain, start, own.inside(start))))
        chains = [*sections.values(), *(chain for _, chain in heads)]
        spans = [*map(program.origin.span, sections), *(head.origin.span() for head, _ in heads)]
        if self.left_out(absent):
            return None
        layers = 0
        for found, span in zip(chains, spans, strict=True):
            layers += found.size if found else 0
            if self.crowded(layers, span):
                return None
        if any(chain is None for chain in chains) or any(
            step not in after for step in program.outputs.values()
        ):
            return None
        done = {name: chain for name, chain in sections.items() if chain is not None}
        typed_heads = tuple((head, chain) for head, chain in heads if chain is not None)
        y = list(done.values())[-1].y
        final = final_name(program, end_of(done.values()), y)
        if self.taken(final):
            return None
        outputs = {final: y, **{head.name: c.y for head, c in typed_heads}}
        outputs |= {name: after[step] for name, step in program.outputs.items()}
        whole = TypedProgram(program, done, typed_heads, outputs, {**own})
        return whole if check_sharing(whole, self.report) else None

    @property
    def part(self) -> TypedProgram | None:
        """What is before the first error, as a program without heads; none if there is nothing."""
        chains = {name: chain for name, chain in self.before.items() if chain.steps}
        if not chains:
            return None
        program, y = self.program._replace(heads=(), outputs={}), [*chains.values()][-1].y
        return TypedProgram(
            program, chains, (), {final_name(program, end_of(chains.values()), y): y}, {}
        )

    def first_input(self) -> TensorType | None:
        """The input of the first step; ``None`` after an error."""
        program = self.program
        first = next((chain[0] for chain in program.sections.values() if chain), None)
        if program.several and not (isinstance(first, ForkNode) and first.inputs):
            return None
        return program.input if program.input.channels else None

    def top_values(self) -> Values:
        """The parameters of the top level; those that are numbers of filters are scaled."""
        found, fixed = {**self.program.values}, {"classes"}
        for name in self.counts[TOP] & found.keys() - fixed:
            if isinstance(found[name], int):
                found[name] = self.channels(found[name], scaled=True)
                fixed.add(name)
        return Values(found, frozenset(fixed))

    def crowded(self, layers: int, span: Span) -> bool:
        """Whether these are too many layers; reports it at ``span``."""
        if layers > MAX_LAYERS:
            self.error("E309", f"the spec expands to more than {MAX_LAYERS:,} layers", span)
        return layers > MAX_LAYERS

    def full(self, node: Node) -> bool:
        """Whether there is no room for another layer; reports the innermost repeat or use."""
        self.room -= 1
        if self.room == -1:
            again = next(
                (n for n in reversed(self.entered) if n.repeat != 1 or isinstance(n, UseNode)), node
            )
            message = (
                f"repeats and uses create more than {MAX_DIFFERENT:,} layers with different shapes"
            )
            self.error("E309", message, cause(again))
        return self.room < 0

    def chain(self, chain: Chain, x: TensorType | None, values: Values) -> TypedChain | None:
        return _chained(list(self.steps(chain, x, values)), x)

    def steps(
        self, chain: Chain, x: TensorType | None, values: Values
    ) -> Iterator[TypedStep | None]:
        """The typed steps of a chain in order; ``None`` for a step with an error."""
        layers = 0
        outputs: dict[str, TensorType | None] = {}
        for node in chain:
            self.entered.append(node)
            self.outputs.append(outputs)
            step = self.step(node, x, values)
            self.outputs.pop()
            self.entered.pop()
            layers += 0 if step is None else step.size
            if self.crowded(layers, cause(node)):
                step = None
            yield step
            x = None if step is None else step.y
            if step is None or step.runs:
                outputs |= dict.fromkeys(node.segments[-1:], x)

    def step(self, node: Node, x: TensorType | None, values: Values) -> TypedStep | None:
        """A step with the types of its repetitions; ``None`` if it has an error."""
        total = count = self.repeat(node, values)
        start = x
        if x is None or count is None or total is None:
            if total == 0:
                return None
            self.turn = (1, 1)
            for one in node.each or (node,):
                self.node(one, x, values)
            return None
        runs: list[Run] = []
        while count:
            self.turn = (total - count + 1, total)
            one = repetition(node, total - count)
            typed = self.node(one, x, values)
            if typed is None:
                return None
            # if the type stays, it stays in all repetitions
            fixed = count if typed.y == x and one is node else 1
            runs.append(Run(fixed, typed))
            count -= fixed
            x = typed.y
        assert start is not None
        return TypedStep(node, tuple(runs), node.repeat != 1 or bool(node.each), start)

    def node(self, node: Node, x: TensorType | None, values: Values) -> Typed | None:
        """Any step with its types."""
        if isinstance(node, OpNode):
            return self.op(node, x, values)
        if isinstance(node, ForkNode):
            return self.fork(node, x, values)
        return self.use(node, x, values)

    def op(self, node: OpNode, x: TensorType | None, values: Values) -> TypedOp | None:
        """An op with its types."""
        op = None if self.full(node) else self.bind(node, values)
        if op is None or x is None:
            return None
        try:
            return TypedOp(node, op, x, op.infer(x))
        except ShapeError as error:
            self.misfit(node, error)
        return None

    def fork(self, node: ForkNode, x: TensorType | None, values: Values) -> TypedFork | None:
        """A fork with the types of its branches and of their merge."""
        inputs = self.inputs(node, x, values)
        branches = [
            (name, self.chain(branch, start, values.inside(start) if node.inputs else values))
            for (name, branch), start in zip(node.branches, inputs, strict=True)
        ]
        done = [(name, chain) for name, chain in branches if chain is not None]
        if x is None or len(done) < len(branches) or isinstance(node, BrokenNode):
            return None
        types = [chain.y for _, chain in done]
        y = concatenated(types) if node.merge == "concat" else combined(types)
        return self.merged(node, x, done, y, values)

    def merged(
        self,
        node: ForkNode,
        x: TensorType,
        branches: list[tuple[str, TypedChain]],
        y: TensorType | Difference,
        values: Values,
    ) -> TypedFork | None:
        """The fork with the type of its merge; reports a difference that prevents it."""
        if isinstance(y, Difference):
            clash = Clash(node, branches, y, values, self.width, self.report.texts)
            self.error("E402", clash.message, clash.span, **clash.details())
            return None
        return TypedFork(node, tuple(branches), x, y)

    def use(self, node: UseNode, x: TensorType | None, values: Values) -> TypedUse | None:
        """A use of a block with its arguments and the types of the block's steps."""
        block = self.program.blocks[node.block]
        arguments, fixed = dict[str, Any](), set[str]()
        for name, value in node.arguments.items():
            result = self.evaluate(value, node.origin.below(name), values)
            kind = block.parameters[name]
            if result is None:
                continue
            if values.fixes(value):
                fixed.add(name)
            if name in self.counts[node.block] and kind == "int":
                result = self.channels(result, scaled=name not in fixed)
                fixed.add(name)
            elif isinstance(result, Computed) and kind == "int":
                result = result.as_integer()
            if self.fits(result, kind):
                arguments[name] = typed_as(result, kind)
            else:
                self.error(
                    "E203",
                    f"expected type {kind} for `{name}`, found {shown(result)}",
                    node.origin.span(name),
                    help=ROUNDED if isinstance(result, Computed) else "",
                )
        with self.inside_use(node):
            body = self.body(node, Values(arguments, frozenset(fixed)), x)
        if body is None or x is None or len(arguments) < len(block.parameters):
            return None
        return TypedUse(node, arguments, body, x, body.y)

    def body(self, use: UseNode, arguments: Values, x: TensorType | None) -> TypedChain | None:
        """The typed chain of a block for one input type and one set of arguments."""
        key = (use.block, tuple((k, self.key(v)) for k, v in arguments.items()), arguments.fixed, x)
        if key not in self.memo:
            chain = self.program.blocks[use.block].chain
            self.memo[key] = None if self.full(use) else self.chain(chain, x, arguments.inside(x))
        return self.memo[key]

    def fits(self, value: Any, kind: str) -> bool:
        """Whether an argument is valid for a parameter of type ``kind``."""
        return fits(value, kind)

    def key(self, value: Any) -> Any:
        """What is equal for two arguments with which a block has the same types."""
        return value


def _chained(steps: list[TypedStep | None], x: TensorType | None) -> TypedChain | None:
    """The steps as a chain; ``None`` if a step has no type."""
    done = tuple(step for step in steps if step is not None)
    if x is None or len(done) < len(steps):
        return None
    return TypedChain(done, x, done[-1].y if done else x, sum(step.size for step in done))
