"""The typed views that the templates print: the classes of a file and their contents."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, NamedTuple

from inception_dsl.backend import (
    IN_CHANNELS,
    INPUT,
    PLAIN,
    Code,
    Names,
    Records,
    Report,
    SplitError,
    TypedProgram,
    class_name,
    plan,
    refuse_sharing,
    render,
)

from .activations import last_form
from .blocks import ClassView, alone, write_blocks
from .helper_view import HelperView
from .helpers import Helpers
from .modules import Shared
from .network import Network
from .network_view import NetworkView
from .places import Key, Place, Ref, references
from .reserved import BUILTINS


class ModuleView(NamedTuple):
    """A whole file."""

    doc: Code
    imports: tuple[Code, ...]
    helpers: tuple[HelperView, ...]
    classes: tuple[ClassView, ...]
    network: NetworkView | None


class Emitted(NamedTuple):
    """A file, and what its ``model`` class holds.

    ``arguments`` are the values of the parameters of the spec that are arguments of this class,
    ``channels`` its arguments for the channels of each input, ``heads`` the key prefixes of
    auxiliary heads.
    """

    view: ModuleView
    model: str
    arguments: dict[str, Any]
    channels: Mapping[str, str]
    printed: TypedProgram
    records: Records[Place]
    heads: dict[str, Key]

    def refs(self) -> tuple[Ref, ...]:
        """The keys of all weights and blocks of the spec."""
        return tuple(references(self.printed, self.records, self.heads))


def emit(typed: TypedProgram, report: Report) -> str | None:
    """The source of a program, or ``None`` with errors in ``report``."""
    try:
        module = build(typed).view
    except SplitError as error:
        refuse_sharing(error, typed, report)
        return None
    if not classes_fit(typed, module, report):
        return None
    return render("inception_dsl_torch", "module.py.j2", module=module)


def classes_fit(typed: TypedProgram, module: ModuleView, report: Report) -> bool:
    """Whether no class of the spec has the name of an import or a helper; reports errors."""
    program = typed.program
    taken = {*IMPORTED, *BUILTINS, *(str(helper.name) for helper in module.helpers)}
    wrong = taken & {class_name(program.id), *(str(view.name) for view in module.classes)}
    for name in sorted(wrong):
        blocks = [(block.id, block.origin.span()) for block in program.blocks.values()]
        found, span = next(
            (b for b in blocks if class_name(b[0]) == name),
            (program.id, program.origin.span(program.kind)),
        )
        message = f"`{found}` becomes the class `{name}` in PyTorch code, where that name is taken"
        report.error("E503", message, span, help="choose a different name")
    return not wrong


def build(typed: TypedProgram) -> Emitted:
    """Build the views of a program."""
    shared = Shared(plan(typed, by_logits=True), Helpers(last_form(typed)))
    names = Names({class_name(typed.program.id), *RESERVED})
    drafts = write_blocks(shared, names)
    if typed.program.kind == "block":
        drafts.append(alone(shared))
        network, keys = None, dict[str, Key]()
        records = Records({"steps": drafts[-1].record}, {}, shared.records())
    else:
        network = Network(shared, names)
        drafts += network.classes
        keys = network.head_keys
        records = Records(network.records, network.head_records, shared.records())
    classes = tuple(draft.view() for draft in drafts)
    view = network.view() if network else None
    helpers = shared.helpers.views()
    module = ModuleView(
        shared.plan.module_doc("PyTorch"), imports(shared.helpers.needed), helpers, classes, view
    )
    given = network.parameters if network else drafts[-1].arguments
    arguments = {str(a.name): a.values[0] for a in given if a.form is PLAIN and a.symbol}
    model, printed = class_name(typed.program.id), shared.plan.printed
    channels = network.inputs.channels if network else {INPUT: IN_CHANNELS}
    return Emitted(module, model, arguments, channels, printed, records, keys)


IMPORTED = {
    "Any",
    "Callable",
    "F",
    "Iterable",
    "NamedTuple",
    "Tensor",
    "TorchFunctionMode",
    "partial",
}
RESERVED = {
    "ConvBN",
    "SeparableConv",
    "Scale",
    "FlattenChannelsLast",
    "ChannelLayerNorm",
    "ChannelAvgPool",
    "LayerScale",
    "DropPath",
    "L2Normalize",
    *(f"Pixel{way}{rank}d" for way in ("Shuffle", "Unshuffle") for rank in (1, 3)),
    "ChannelMaxPool",
    *IMPORTED,
    *BUILTINS,
}


MODULES = {
    "collections.abc": ("Callable", "Iterable"),
    "contextlib": ("nullcontext",),
    "functools": ("partial",),
    "typing": ("Any", "NamedTuple"),
    "torch": ("Tensor", "nn"),
    "torch.overrides": ("TorchFunctionMode",),
}
"""What is imported from where, in the order of import lines; the standard library comes first."""


def imports(needed: Container[str]) -> tuple[Code, ...]:
    """The import lines; ``needed`` are the names that the file uses."""
    found = {m: [n for n in names if n in needed] for m, names in MODULES.items()}
    lines = {m: f"from {m} import {', '.join(names)}" for m, names in found.items() if names}
    standard = [line for m, line in lines.items() if not m.startswith("torch")]
    torch = ["import torch"] if "torch" in needed else []
    torch += [lines["torch"]] if "torch" in lines else []
    torch += ["from torch.nn import functional as F"] if "F" in needed else []
    torch += [lines["torch.overrides"]] if "torch.overrides" in lines else []
    return tuple(map(Code, [*standard, *([""] if standard else []), *torch]))
