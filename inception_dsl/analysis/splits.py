"""The inputs of the branches of a fork, which may divide the channels of its input."""

from __future__ import annotations

from typing import Any

from pydantic_core import PydanticCustomError

from ..ir.program import BrokenNode, ForkNode, Origin, Program
from ..ops.fields.kinds import MAX_COUNT
from ..ops.fields.numbers import integer
from ..types.split import EQUAL, REST
from ..types.tensor import TensorType, many
from ..types.unknown import differ, is_unknown, known
from ..yaml.edits import Editor, flow
from .evaluate import Evaluation, Values


class Splits(Evaluation):
    """Gives the branches of forks their inputs.

    ``outputs`` has a mapping for each chain that is being inferred: from the names of its steps so
    far to the types of their outputs.
    """

    outputs: list[dict[str, TensorType | None]]

    program: Program

    def inputs(
        self, node: ForkNode, x: TensorType | None, values: Values
    ) -> list[TensorType | None]:
        """The type of the input of each branch; ``None`` for all after an error.

        A branch that begins after an earlier step of the chain gets what that one outputs.
        """
        if node.inputs:
            return [None if x is None else self.program.inputs.get(n) for n, _ in node.branches]
        if node.split is None:
            return [
                self.earlier(node, name) if name in node.after else x for name, _ in node.branches
            ]
        sizes = [self.size(node, index, values) for index in range(len(node.sizes))]
        nothing: list[TensorType | None] = [None] * len(node.branches)
        if x is None or any(size is None for size in sizes):
            return nothing
        parts = self.parts(node, x.channels, sizes)
        return nothing if parts is None else [x._replace(channels=part) for part in parts]

    def earlier(self, node: ForkNode, branch: str) -> TensorType | None:
        """The output of the step that a branch begins after; reports one that is left out."""
        step = node.after[branch]
        if step not in self.outputs[-1] and not isinstance(node, BrokenNode):
            self.no_output(step, node.origin.below("after", branch))
        return self.outputs[-1].get(step)

    def no_output(self, step: str, origin: Origin) -> None:
        """Report the name of a step that ``repeat`` leaves out."""
        message = f"`{step}` has no output here: its `repeat` is 0"
        self.error("E308", message, origin.span(), help="name another step, or repeat it once")

    def size(self, node: ForkNode, index: int, values: Values) -> Any:
        """One size, or ``rest``; ``None`` after an error."""
        written, here = node.sizes[index], node.origin.below("split", index)
        if written == REST:
            return REST
        found = self.evaluate(written, here, values)
        if found is None:
            return None
        found = self.channels(found, scaled=not values.fixes(written))
        try:
            return self.counted(found)
        except PydanticCustomError as error:
            span = self.argument(written)
            related = () if span is None else ((here.span(), "used here"),)
            message = f"`split`: {error.message()}"
            self.error("E203", message, span or here.span(), related=related)
        return None

    def counted(self, value: Any) -> int:
        """A size; raises the error of a field if it is none."""
        return integer(1, MAX_COUNT)(value)

    def parts(self, node: ForkNode, channels: int, sizes: list[Any]) -> list[int] | None:
        """The channels of each branch; reports sizes that do not give those of the input."""
        count, of = len(node.branches), many(channels, "channel")
        scaled = self.width.factor is not None  # sizes are written before the width scales them
        after = ", after the width scales them" * scaled
        if node.split == EQUAL:
            if not channels % count:
                return [known(channels // count)] * count
            one = channels // count
            write = flow([*[one] * (count - 1), REST]) if one and not scaled else ""
            help = f"write `split: {write}`" if write else f"at most {channels} branches fit"
            if one and scaled:
                help = f"use an input whose channels are a multiple of {count}; `divisor: {count}` "
                help += "rounds what the width scales to such numbers"
            self.uneven(node, f"{of} cannot be divided into {count} equal parts", help, (), write)
            return None
        given = known(sum(size for size in sizes if size != REST))
        total = f"{given} in all, but the input has {of}"
        if REST in sizes:
            left = known(channels - given)
            if is_unknown(left) or left > 0:
                return [left if size == REST else size for size in sizes]
            help = f"the other sizes must be less than {channels} in all{after}"
            self.uneven(node, f"nothing is left for `{REST}`: the other sizes are {total}", help)
        elif differ(given, channels):
            left = known(channels - given + sizes[-1])
            last = is_unknown(left) or left > 0
            help = f"write `{REST}` for the last size, or sizes" if last else "write sizes"
            help += f" of {channels} in all{after}"
            place = (len(sizes) - 1,)
            self.uneven(node, f"the sizes are {total}", help, place, REST if last else "")
        else:
            return sizes
        return None

    def uneven(
        self, node: ForkNode, message: str, help: str, place: tuple[int, ...] = (), write: str = ""
    ) -> None:
        """Report a split that does not fit; ``write`` fits at ``place`` in it."""
        editor = Editor(node.origin.document, self.report.texts)
        fix = editor.replace((*node.origin.path, "split", *place), write) if write else ()
        span, notes = node.origin.span("split"), self.repetition()
        self.error("E403", f"`split`: {message}", span, help=help, notes=notes, fix=fix)
