"""Shapes: one rule for every op, run on numbers (a program on its input) or on names (a block by itself)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from .diagnostics import Report, Span
from .expression import Expression, ExpressionError
from .ir.graph import Chain, ForkNode, Node, OpNode, Origin, Program, UseNode
from .ir.typed import Run, Typed, TypedChain, TypedFork, TypedOp, TypedProgram, TypedStep, TypedUse
from .ops import Fields, Op, attribute_names, expressions
from .ops.fields import shown
from .spec.load import inside
from .spec.models import fits
from .symbolic import Symbolic
from .values import ShapeError, TensorType, known

MAX_LAYERS = 100_000


def infer(program: Program, report: Report) -> TypedProgram | None:
    """Every type of ``program`` on its input, or ``None`` with the mistakes in ``report``."""
    before = len(report.diagnostics)
    typed = Inference(program, report).program_types()
    return typed if typed is not None and len(report.diagnostics) == before else None


class Inference:
    """Infers chains of one program; a block that is used again with the same values costs nothing.

    Raises nothing: what does not fit goes into the report, and the chain that holds it has no type (``None``).
    """

    def __init__(self, program: Program, report: Report) -> None:
        self.program, self.report = program, report
        self.memo: dict[Any, TypedChain | None] = {}
        self.uses: list[tuple[Span, str]] = []

    def program_types(self) -> TypedProgram | None:
        program = self.program
        values = {**program.values, "in_channels": program.input.channels}
        x = program.input
        sections: dict[str, TypedChain] = {}
        after: dict[str, TensorType] = {}
        for name, chain in program.sections.items():
            typed = self.chain(chain, x, values)
            if typed is None:
                return None
            for step in typed.steps:
                if step.node.segments:
                    after[step.node.segments[-1]] = step.y
            sections[name], x = typed, typed.y
        outputs = {program.output_name: x}
        heads = []
        for head in program.aux_heads:
            typed = self.chain(head.chain, after[head.after], {**values, "in_channels": after[head.after].channels})
            if typed is None:
                return None
            heads.append((head, typed))
            outputs[head.name] = typed.y
        outputs |= {name: after[step] for name, step in program.outputs.items()}
        self.limit([*sections.values(), *(t for _, t in heads)], program.origin)
        return TypedProgram(program, sections, tuple(heads), outputs)

    def limit(self, chains: list[TypedChain], origin: Origin) -> None:
        layers = sum(chain.size for chain in chains)
        if layers > MAX_LAYERS:
            self.error(
                "E309", f"the spec expands to {layers:,} layers, at most {MAX_LAYERS:,} are allowed", origin.span()
            )

    def error(self, code: str, message: str, span: Span, help: str = "") -> None:
        """Report a mistake with the uses that led to it."""
        notes = [f"in: {place}, use of `{block}`" for place, block in reversed(self.uses)]
        if any(d.code == code and d.span == span for d in self.report.diagnostics):
            return
        self.report.error(code, message, span, help=help, notes=notes)

    def chain(self, chain: Chain, x: TensorType, values: Mapping[str, Any]) -> TypedChain | None:
        first, steps, size = x, [], 0
        for node in chain:
            step = self.step(node, x, values)
            if step is None:
                return None
            steps.append(step)
            size += sum(run.count * _size(run.typed) for run in step.runs)
            x = step.y
        return TypedChain(tuple(steps), first, x, size)

    def step(self, node: Node, x: TensorType, values: Mapping[str, Any]) -> TypedStep | None:
        count = self.repeat(node, values)
        if count is None:
            return None
        runs: list[Run] = []
        while count:
            typed = self.node(node, x, values)
            if typed is None:
                return None
            fixed = count if typed.y == x else 1
            if runs and typed is runs[-1].typed:
                runs[-1] = Run(runs[-1].count + fixed, typed)
            else:
                runs.append(Run(fixed, typed))
            if len(runs) > MAX_LAYERS:
                self.error("E309", f"more than {MAX_LAYERS:,} repetitions", node.origin.span("repeat"))
                return None
            count -= fixed
            x = typed.y
        return TypedStep(node, tuple(runs), node.repeat != 1)

    def repeat(self, node: Node, values: Mapping[str, Any]) -> int | None:
        value = self.evaluate(node.repeat, node.origin.below("repeat"), values)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.error("E203", f"`repeat` is a whole number above 0, found {shown(value)}", node.origin.span("repeat"))
            return None
        if value > MAX_LAYERS:
            span = node.origin.span("repeat")
            self.error("E309", f"`repeat: {value}` expands to more than {MAX_LAYERS:,} layers", span)
            return None
        return value

    def evaluate(self, value: Any, origin: Origin, values: Mapping[str, Any]) -> Any:
        """``value``, computed if it is an expression; ``None`` after an error."""
        if not isinstance(value, Expression):
            return value
        try:
            return value.evaluate(values)
        except ExpressionError as error:
            span = inside(origin.span(), value.text, error.offset, error.length)
            self.error("E207", str(error), span)
            return None

    def node(self, node: Node, x: TensorType, values: Mapping[str, Any]) -> Typed | None:
        if isinstance(node, OpNode):
            return self.op(node, x, values)
        if isinstance(node, ForkNode):
            return self.fork(node, x, values)
        return self.use(node, x, values)

    def op(self, node: OpNode, x: TensorType, values: Mapping[str, Any]) -> TypedOp | None:
        op = self.bind(node, values)
        if op is None:
            return None
        try:
            return TypedOp(node, op, x, op.infer(x))
        except ShapeError as error:
            help = error.help or (self.smaller_help() if error.code == "E401" else "")
            span = node.origin.span(error.field) if error.field else node.origin.span("op")
            self.error(error.code, f"`{op.op}`: {error}", span, help)
            return None

    def smaller_help(self) -> str:
        return "use a larger input, a smaller `kernel_size`, or `padding: same`"

    def bind(self, node: OpNode, values: Mapping[str, Any]) -> Op | None:
        """The op with every expression replaced by its value, checked again where it is a number."""
        op = node.op
        written = {k: getattr(op, k) for k in attribute_names(type(op))}
        found = {k: v for k, v in written.items() if expressions(v)}
        if not found:
            return op
        bound = {}
        for key, value in found.items():
            bound[key] = self.substitute(value, node.origin.below(key), values)
            if bound[key] is None:
                return None
        try:
            return type(op).model_validate({**written, **bound, "op": op.op})
        except ValidationError as error:
            for problem in error.errors(include_url=False):
                field = str(problem["loc"][0])
                message = f"`{field}`: {problem.get('ctx', {}).get('message', problem['msg'])}"
                self.error("E203", message, node.origin.span(field))
            return None

    def substitute(self, value: Any, origin: Origin, values: Mapping[str, Any]) -> Any:
        if isinstance(value, tuple):
            items = [self.substitute(v, origin.below(i), values) for i, v in enumerate(value)]
            return None if None in items else list(items)
        if isinstance(value, Fields):
            fields = {k: self.substitute(getattr(value, k), origin.below(k), values) for k in type(value).model_fields}
            return None if None in fields.values() else fields
        return self.evaluate(value, origin, values)

    def fork(self, node: ForkNode, x: TensorType, values: Mapping[str, Any]) -> TypedFork | None:
        branches = [(name, self.chain(branch, x, values)) for name, branch in node.branches]
        if any(chain is None for _, chain in branches):
            return None
        done = [(name, chain) for name, chain in branches if chain is not None]
        types = [chain.y for _, chain in done]
        y = concatenated(types) if node.merge == "concat" else combined(types)
        if isinstance(y, str):
            sizes = "; ".join(f"`{name}` ends with {chain.y}" for name, chain in done)
            self.error(
                "E402", f"`{node.merge}` cannot join branches whose {y} differ: {sizes}", node.origin.span("merge")
            )
            return None
        return TypedFork(node, tuple(done), x, y)

    def use(self, node: UseNode, x: TensorType, values: Mapping[str, Any]) -> TypedUse | None:
        block = self.program.blocks[node.block]
        arguments: dict[str, Any] = {}
        for name, value in node.arguments.items():
            result = self.evaluate(value, node.origin.below(name), values)
            if result is None:
                return None
            kind = block.parameters[name]
            if not isinstance(result, Symbolic) and not fits(result, kind):
                self.error("E203", f"`{name}` is of type {kind}, found {shown(result)}", node.origin.span(name))
                return None
            arguments[name] = result
        with self.inside_use(node):
            body = self.body(node.block, arguments, x)
        return None if body is None else TypedUse(node, arguments, body, x, body.y)

    def body(self, block: str, arguments: Mapping[str, Any], x: TensorType) -> TypedChain | None:
        """The chain of a block for one input and one set of values."""
        key = (block, tuple(arguments.items()), x)
        if key not in self.memo:
            values = {**arguments, "in_channels": x.channels}
            self.memo[key] = self.chain(self.program.blocks[block].chain, x, values)
        return self.memo[key]

    @contextmanager
    def inside_use(self, node: UseNode) -> Iterator[None]:
        self.uses.append((node.origin.span("use"), node.block))
        yield
        self.uses.pop()


def _size(typed: Typed) -> int:
    if isinstance(typed, TypedFork):
        return 1 + sum(chain.size for _, chain in typed.branches)
    return typed.body.size if isinstance(typed, TypedUse) else 1


def concatenated(types: list[TensorType]) -> TensorType | str:
    """The type of a concat along channels, or the word for what differs."""
    if len({t.rank for t in types}) > 1:
        return "ranks"
    for sizes in zip(*(t.spatial for t in types), strict=True):
        if len({s for s in sizes if known(s)}) > 1:
            return "spatial sizes"
    total: Any = 0
    for t in types:
        total = total + t.channels
    return TensorType(_sharpest([t.spatial for t in types]), total)


def _sharpest(spatial: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(next((s for s in sizes if known(s)), sizes[0]) for sizes in zip(*spatial, strict=True))


def combined(types: list[TensorType]) -> TensorType | str:
    """The type of an add or a multiply: axes of size 1, and vectors, are broadcast."""
    rank = max(t.rank for t in types)
    if any(t.rank not in (0, rank) for t in types):
        return "ranks"
    shapes = [(*((1,) * rank if not t.rank else t.spatial), t.channels) for t in types]
    result: list[Any] = []
    for axis, sizes in enumerate(zip(*shapes, strict=True)):
        larger = [s for s in sizes if s != 1]
        if len({s for s in larger if known(s)}) > 1:
            return "channels" if axis == rank else "spatial sizes"
        result.append(next((s for s in larger if known(s)), larger[0] if larger else 1))
    return TensorType(tuple(result[:-1]), result[-1])
