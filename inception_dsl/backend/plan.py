"""The plan of a generated file: what every framework says in the same way, as data.

``plan(typed)`` gives the definitions in the order in which they are printed, what is taken off on
the way, the smallest input, the loss, the initial weights, and every paragraph of documentation. A
backend adds how its framework spells them: a table of ops, templates, layouts of weights, a runner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, TypeVar

from ..analysis.cost import cost, layers
from ..analysis.minimum import minimum_input
from ..emit.about import bullets, citation, deviations, headline, recorded, shapes
from ..emit.mark import generated_by
from ..emit.pycode import Code, docstring
from ..ir.program import AuxHead, Initializer, Preprocessing
from ..ir.typed import TypedProgram
from ..types.prose import Prose
from ..types.tensor import TensorType
from .definitions import Definition, Definitions
from .frames import SplitError
from .outline import outlined
from .scope import Recorder

T = TypeVar("T")
MOST_SHAPES: Final = 10
"""Shapes in the documentation of a block."""


class Tap(NamedTuple):
    """An output of the network beside its end: taken off after the step ``after``.

    ``head`` is the auxiliary head that it goes through, in training only; nothing for an output.
    """

    name: str
    after: str
    head: AuxHead | None


class Smallest(NamedTuple):
    """The smallest input on each axis: in inference, and in training with the auxiliary heads."""

    inference: tuple[int, ...]
    training: tuple[int, ...]

    @property
    def checked(self) -> bool:
        """Whether there are inputs that are too small."""
        return max(self.training) > 1

    @property
    def even(self) -> bool:
        """Whether it is the same on all axes."""
        return len(set(self.inference)) == 1 and len(set(self.training)) == 1


class LossTerm(NamedTuple):
    """The cross-entropy of one output: its share in the loss, its type, what it gives.

    ``probabilities`` says that the output is a softmax, not logits.
    """

    output: str
    weight: float
    y: TensorType
    probabilities: bool

    @property
    def flat(self) -> bool:
        """Whether the output is a map of one position, that the loss has to flatten."""
        return bool(self.y.rank) and self.y.positions() == 1


class Loss(NamedTuple):
    """The loss: that of the end of the network first, then those of the auxiliary heads.

    ``summary`` says it in a sentence, ``notes`` what the paper says of the training.
    """

    smoothing: float
    terms: tuple[LossTerm, ...]
    summary: str
    notes: tuple[Prose, ...]


class Start(NamedTuple):
    """The initial weights, and a sentence that says them."""

    found: Initializer
    summary: str


@dataclass(frozen=True, eq=False)
class ModulePlan:
    """The plan of a file. ``definitions`` are the blocks (inner ones first) and the top."""

    typed: TypedProgram
    definitions: Definitions

    @property
    def printed(self) -> TypedProgram:
        """The program as it is printed: each fork that repeats is a block."""
        return self.definitions.typed

    @cached_property
    def taps(self) -> tuple[Tap, ...]:
        """The auxiliary heads, then the other outputs."""
        program = self.typed.program
        heads = (Tap(head.name, head.after, head) for head in program.aux_heads)
        return (*heads, *(Tap(name, after, None) for name, after in program.outputs.items()))

    @cached_property
    def smallest(self) -> Smallest:
        """The smallest input."""
        return Smallest(minimum_input(self.typed), minimum_input(self.typed, heads=True))

    @cached_property
    def loss(self) -> Loss | None:
        """The loss, where the spec says how the network is trained or has auxiliary heads."""
        typed, program = self.typed, self.typed.program
        found = program.training
        if not found and not program.aux_heads:
            return None
        smoothing = found.label_smoothing if found else 0.0
        terms = [LossTerm(program.output_name, 1.0, typed.y, typed.probabilities)]
        terms += [LossTerm(h.name, h.loss_weight, c.y, False) for h, c in typed.heads]
        what = "probabilities" if typed.probabilities else "logits"
        smooth = f" with label smoothing {smoothing:g}" if smoothing else ""
        heads = ", ".join(f"{t.weight:g} times that of ``{t.output}``" for t in terms[1:])
        extra = f", plus {heads}" if heads else ""
        summary = f"Cross-entropy{smooth} of {what} and class indices{extra}."
        return Loss(smoothing, tuple(terms), summary, tuple(recorded(found) if found else ()))

    @cached_property
    def start(self) -> Start | None:
        """The initial weights, where the spec says them."""
        training = self.typed.program.training
        found = training.initializer if training else None
        if found is None:
            return None
        what = {
            "truncated_normal": f"Truncated normal of standard deviation {found.stddev:g}",
            "glorot_uniform": "Glorot (Xavier) uniform",
            "he_normal": "He normal (fan in)",
        }[found.name]
        return Start(found, f"{what}; biases {found.bias:g}.")

    @property
    def preprocessing(self) -> Preprocessing | None:
        """What is done to pixels before the network, where the spec says it."""
        return self.typed.program.preprocessing

    def module_doc(self, framework: str, *more: str) -> Code:
        """The documentation of a file, in its quotes."""
        program = self.typed.program
        about = program.about
        return docstring(
            headline(about, program.id, f", in {framework}."),
            about.description,
            citation(about),
            bullets(
                "Choices where the paper is unclear or differs from its code:", about.deviations
            ),
            *more,
            generated_by(program.id),
        )

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
            _shapes_doc(pairs),
            indent=4,
        )

    def alone_doc(self) -> Code:
        """The documentation of a block that is built alone; its file has its title and source."""
        program = self.printed.program
        notes = deviations(program.sections["steps"])
        return docstring(
            headline(program.about, program.id),
            bullets("Notes:", notes, indent=4),
            _shapes_doc(((program.input, self.typed.y),)),
            indent=4,
        )

    def head_doc(self, head: AuxHead) -> Code:
        """The documentation of an auxiliary head that is written in place."""
        about = head.about
        if not about.title:
            about = about._replace(title=Prose(f"Auxiliary head {head.name}"))
        typed = next(chain for found, chain in self.typed.heads if found.name == head.name)
        notes = (*about.deviations, *deviations(head.chain))
        return docstring(
            headline(about, head.name),
            citation(about),
            bullets("Notes:", notes, indent=4),
            _shapes_doc(((typed.x, typed.y),)),
            indent=4,
        )

    def network_doc(self, arguments: Sequence[str]) -> Code:
        """The documentation of the network: its cost, and a line for each argument."""
        program = self.typed.program
        listed = "Args:\n" + "\n".join(f"    {a}" for a in arguments)
        title = headline(program.about, program.id)
        return docstring(title, self.counts(), listed if arguments else "", indent=4)

    def counts(self) -> str:
        """What the network costs, in a sentence."""
        found = cost(list(layers(self.typed)))
        heads = f" ({found.auxiliary:,} of them in auxiliary heads)" if found.auxiliary else ""
        moving = f" and {found.non_trainable:,} moving statistics" if found.non_trainable else ""
        smallest = "x".join(map(str, self.smallest.inference))
        return (
            f"{found.trainable:,} trainable parameters{heads}{moving};"
            f" {found.macs:,} multiply-adds for an input of {self.typed.program.input};"
            f" the smallest input is {smallest}."
        )

    def written(
        self, write: Callable[[Definition], T], *recorders: Recorder
    ) -> Iterator[tuple[Definition, T]]:
        """Every definition with what ``write`` makes of it; in parts, where that has to be.

        ``write`` raises :class:`SplitError` for a block that it cannot write once for all uses;
        ``recorders`` forget what it recorded then.
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


def plan(typed: TypedProgram) -> ModulePlan:
    """The plan of the file that a program becomes."""
    return ModulePlan(typed, Definitions(outlined(typed)))


def _shapes_doc(pairs: Sequence[tuple[TensorType, TensorType]]) -> str:
    """The shapes before and after a block at its uses."""
    lines = shapes(pairs)
    if len(lines) == 1:
        axes = " (height x width x channels)" if pairs[0][0].rank == 2 else ""
        return f"Shape: {lines[0]}{axes}."
    more = [f"and {len(lines) - MOST_SHAPES} more"] if len(lines) > MOST_SHAPES else []
    return "Shapes:\n" + "\n".join(f"    {line}" for line in [*lines[:MOST_SHAPES], *more])
