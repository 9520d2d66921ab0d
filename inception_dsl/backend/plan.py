"""The plan of a generated file: everything that all backends have in common, as data.

``plan(typed)`` gives the definitions in print order, the taps (intermediate outputs), the sizes
that run, the loss, the initial weights and all documentation. A backend adds its framework's
syntax: a table of ops, templates, weight layouts, a runner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeVar

from ..analysis.cost import cost, layers
from ..analysis.logits import Trained, trained_program
from ..analysis.size_words import all_sizes
from ..analysis.sizes import RunningSizes, running_sizes
from ..analysis.ties import all_tied, with_own_sizes
from ..emit.about import (
    bullets,
    citation,
    deviations,
    headline,
    shapes_doc,
    slow_decay,
)
from ..emit.mark import generated_by
from ..emit.pycode import Code, docstring
from ..emit.recipe import recorded
from ..ir.program import Head
from ..ir.sections import Preprocessing
from ..ir.typed import TypedOp, TypedProgram
from ..ir.walk import layers_of, visit_program
from ..ops import BatchNormFields
from ..types.prose import Prose
from ..types.tensor import TensorType
from ..types.terms import Symbol
from .definitions import Definition, Definitions
from .frames import SplitError
from .loss import Loss, LossTerm, summarised
from .outline import outlined
from .scope import Recorder
from .start import Start, start

T = TypeVar("T")


class Tap(NamedTuple):
    """An intermediate output of the network: the output of the step ``after``.

    ``head`` is the head that it feeds; ``None`` for a plain output.
    """

    name: str
    after: str
    head: Head | None

    @property
    def auxiliary(self) -> bool:
        """Whether it is the output of an auxiliary head, in training only."""
        return self.head is not None and self.head.auxiliary


@dataclass(frozen=True, eq=False)
class ModulePlan:
    """The plan of a file. ``definitions`` are the blocks (inner ones first) and the top level.

    ``by_logits`` are the outputs whose softmax is not part of ``printed``: the network is trained
    by its logits, and applies it at the end.
    """

    typed: TypedProgram
    definitions: Definitions
    by_logits: frozenset[str] = frozenset()

    @property
    def printed(self) -> TypedProgram:
        """The program as it is printed: repeated forks are blocks."""
        return self.definitions.typed

    @cached_property
    def taps(self) -> tuple[Tap, ...]:
        """The heads, then the other outputs."""
        program = self.typed.program
        heads = (Tap(head.name, head.after, head) for head in program.heads)
        return (*heads, *(Tap(name, after, None) for name, after in program.outputs.items()))

    @property
    def inputs(self) -> Mapping[str, TensorType]:
        """The types of the inputs by name; a single one is called ``input``."""
        return self.typed.program.inputs

    @property
    def sizes(self) -> RunningSizes:
        """The sizes of the input that run, or of the first of several."""
        return running_sizes(self.typed)

    @property
    def all_sizes(self) -> dict[str, RunningSizes]:
        """The sizes that run, by input; not of inputs that have all sizes of another."""
        return {name: running_sizes(self.typed, name) for name in with_own_sizes(self.typed)}

    @property
    def tied(self) -> dict[tuple[str, ...], tuple[int, ...]]:
        """The groups of inputs that must keep one size, each with the axes on which they must."""
        return all_tied(self.typed)

    @cached_property
    def loss(self) -> Loss | None:
        """The loss, if the network has one."""
        typed, found = self.typed, self.typed.program.training
        smoothing = found.label_smoothing if found else 0.0
        terms = [
            LossTerm(c.output, c.weight, c.y, c.end == "probabilities", c.output in self.by_logits)
            for c in typed.classifiers
        ]
        terms += [
            LossTerm(name, own.weight, typed.outputs[name], kind=own.kind, own=True)
            for name, own in typed.program.losses.items()
        ]
        if not terms:
            return None
        notes = tuple(recorded(found) if found else ())
        return Loss(smoothing, tuple(terms), summarised(terms, smoothing), notes)

    @cached_property
    def start(self) -> Start | None:
        """The initial weights, if the spec sets them."""
        return start(self.typed)

    @cached_property
    def decays(self) -> tuple[float, ...]:
        """The decays of all batch norms, in order; none without batch norm."""
        ops = (node.op for chain in self.typed.chains for node in layers_of(chain))
        norms = (getattr(op, "batch_norm", op) for op in ops)
        return tuple(sorted({n.decay for n in norms if isinstance(n, BatchNormFields)}))

    @property
    def recalibrates(self) -> bool:
        """Whether the file has a function that recomputes moving statistics: not if several layers
        share them.
        """
        shared = (
            isinstance(getattr(node.op, "batch_norm", node.op), BatchNormFields)
            for path, node, own in visit_program(self.typed)
            if isinstance(node, TypedOp) and path != own
        )
        return bool(self.decays) and self.typed.program.kind == "network" and not any(shared)

    @property
    def preprocessing(self) -> Preprocessing | None:
        """The preprocessing of pixels, if the spec has any."""
        return self.typed.program.preprocessing

    def module_doc(self, framework: str, *more: str) -> Code:
        """The docstring of a file, with its quotes."""
        program = self.typed.program
        about = program.about
        return docstring(
            headline(about, program.id, f", in {framework}."),
            about.description,
            citation(about),
            bullets(
                "Choices where the paper is unclear or differs from its code:", about.deviations
            ),
            program.width.note if program.width.factor is not None else "",
            slow_decay(self.decays[-1]) if self.recalibrates else "",
            *more,
            generated_by(program.id),
        )

    def parameter_doc(self, symbol: Symbol | None) -> str:
        """The line of an argument of the model in its ``Args``."""
        typed, found = self.printed, self.definitions.top.symbols.items()
        name = next((name for name, own in found if own is symbol), "")
        value = typed.program.values.get(name)
        scaled = f", scaled by the width: {value} in the spec" * (typed.values.get(name) != value)
        return f"Parameter of the {typed.program.kind}{scaled}."

    def block_doc(self, definition: Definition) -> Code:
        """The documentation of a block: title, source, notes, the shapes of its uses."""
        about = definition.block.about
        notes = (*about.deviations, *deviations(definition.block.chain))
        pairs = tuple(dict.fromkeys((use.x, use.y) for use in definition.instances))
        return docstring(
            headline(about, definition.block.id),
            about.description,
            citation(about),
            bullets("Notes:", notes, indent=4),
            shapes_doc(pairs),
            indent=4,
        )

    def alone_doc(self) -> Code:
        """The documentation of a block that is built alone; the file's docstring has the rest."""
        program = self.printed.program
        notes = deviations(program.sections["steps"])
        return docstring(
            headline(program.about, program.id),
            bullets("Notes:", notes, indent=4),
            shapes_doc(((program.input, self.typed.y),)),
            indent=4,
        )

    def head_doc(self, head: Head) -> Code:
        """The documentation of an inline head."""
        about = head.about
        if not about.title:
            kind = "Auxiliary head" if head.auxiliary else "Output"
            about = about._replace(title=Prose(f"{kind} {head.name}"))
        typed = next(chain for found, chain in self.typed.heads if found.name == head.name)
        notes = (*about.deviations, *deviations(head.chain))
        return docstring(
            headline(about, head.name),
            citation(about),
            bullets("Notes:", notes, indent=4),
            shapes_doc(((typed.x, typed.y),)),
            indent=4,
        )

    def network_doc(self, arguments: Sequence[str], note: str = "") -> Code:
        """The documentation of the network: its cost, a note, and a line for each argument."""
        program = self.typed.program
        listed = "Args:\n" + "\n".join(f"    {a}" for a in arguments)
        title = headline(program.about, program.id)
        return docstring(title, self.counts(), note, listed if arguments else "", indent=4)

    def counts(self) -> str:
        """A sentence with the network's parameters, multiply-adds and input sizes."""
        found, program = cost(list(layers(self.typed))), self.typed.program
        heads = f" ({found.auxiliary:,} of them in auxiliary heads)" if found.auxiliary else ""
        moving = f" and {found.non_trainable:,} moving statistics" if found.non_trainable else ""
        sizes = f"; {all_sizes(self.typed)}" if program.rank else ""
        what = "inputs of" if program.several else "an input of"
        return (
            f"{found.trainable:,} trainable parameters{heads}{moving};"
            f" {found.macs:,} multiply-adds for {what} {program.taken}{sizes}."
        )

    def written(
        self, write: Callable[[Definition], T], *recorders: Recorder
    ) -> Iterator[tuple[Definition, T]]:
        """Yield every definition with the result of ``write``; definitions are split if needed.

        ``write`` raises :class:`SplitError` for a block that it cannot write once for all uses;
        ``recorders`` are then restored.
        """
        waiting = list(reversed([*self.definitions]))
        while waiting:
            definition = waiting.pop()
            states = [recorder.state() for recorder in recorders]
            try:
                made = write(definition)
            except SplitError as error:
                if len(definition.instances) == 1 and not definition.parameters:
                    raise  # there is nothing left to split
                for recorder, state in zip(recorders, states, strict=True):
                    recorder.restore(state)
                waiting += reversed(definition.split(error.groups))
                continue
            yield definition, made


def plan(typed: TypedProgram, *, by_logits: bool = False) -> ModulePlan:
    """The plan of a program's file.

    With ``by_logits``, the softmax of an output that is trained is left to the backend: see
    :class:`ModulePlan`.
    """
    trained = trained_program(typed) if by_logits else Trained(typed)
    return ModulePlan(typed, Definitions(outlined(trained.typed)), trained.outputs)
