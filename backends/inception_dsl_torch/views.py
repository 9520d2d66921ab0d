"""The typed views that the templates print: which classes a file has and what stands in them."""

from __future__ import annotations

import re
from typing import NamedTuple

from inception_dsl.backend import (
    Code,
    Defined,
    Names,
    Report,
    TypedProgram,
    bullets,
    citation,
    class_name,
    define,
    docstring,
    generated_by,
    headline,
    own_layers,
    render,
)

from .blocks import ClassView, alone, block_class
from .helper_view import HelperView
from .helpers import ConvBnUse, Helpers
from .modules import Ref, Shared
from .network import NetworkView, network
from .reserved import READ_BY_INIT
from .windows import convolution


class ModuleView(NamedTuple):
    """A whole file."""

    doc: Code
    imports: tuple[Code, ...]
    helpers: tuple[HelperView, ...]
    classes: tuple[ClassView, ...]
    network: NetworkView | None


class Emitted(NamedTuple):
    """A file and where every weight and block of the spec stands in its model."""

    view: ModuleView
    refs: tuple[Ref, ...]
    model: str


def emit(typed: TypedProgram, report: Report) -> str | None:
    """The source of a program."""
    if not parameters_fit(typed, report):
        return None
    module = build(typed).view
    if not classes_fit(typed, module, report):
        return None
    return render("inception_dsl_torch", "module.py.j2", module=module)


def parameters_fit(typed: TypedProgram, report: Report) -> bool:
    """Whether no parameter of a block has a name that ``__init__`` reads."""
    program = typed.program
    found = [(block.origin, name) for block in program.blocks.values() for name in block.parameters]
    found += [(program.origin, name) for name in program.values if program.kind == "block"]
    wrong = [(origin, name) for origin, name in found if name in READ_BY_INIT]
    for origin, name in wrong:
        span = origin.document.key_span((*origin.path, "params", name))
        report.error(
            "E503",
            f"`{name}` cannot be a parameter in PyTorch code",
            span,
            help="give it another name",
        )
    return not wrong


def classes_fit(typed: TypedProgram, module: ModuleView, report: Report) -> bool:
    """Whether no class of the spec is called as one that the file needs."""
    program = typed.program
    taken = {*IMPORTED, *(str(helper.name) for helper in module.helpers)}
    wrong = taken & {class_name(program.id), *(str(view.name) for view in module.classes)}
    for name in sorted(wrong):
        blocks = [(block.id, block.origin.span()) for block in program.blocks.values()]
        found, span = next(
            (b for b in blocks if class_name(b[0]) == name),
            (program.id, program.origin.span(program.kind)),
        )
        message = f"`{found}` would be `{name}` in PyTorch code, which means something else there"
        report.error("E503", message, span, help="give it another name")
    return not wrong


def build(typed: TypedProgram) -> Emitted:
    """The views of a program."""
    defined = define(typed)
    helpers = Helpers(conv_bns(defined))
    names = Names({class_name(typed.program.id), *RESERVED})
    classes: dict[object, tuple[str, tuple[str, ...], bool]] = {}
    shared = Shared(defined, helpers, classes)
    views = []
    for definition in defined.definitions:
        fixed = "_".join(f"{k}_{v}" for k, v in definition.fixed.items())
        identifier = re.sub(r"\W+", "_", f"{definition.block.id}_{fixed}", flags=re.ASCII)[
            :MAX_NAME
        ]
        name = names.unique(class_name(definition.block.id), class_name(identifier))
        view, refs, parameters, channels = block_class(name, definition, shared)
        classes[definition.key] = (name, parameters, channels)
        shared.refs[definition.key] = refs
        views.append(view)
    if typed.program.kind == "block":
        view, refs = alone(shared)
        module = ModuleView(module_doc(typed), (), (), (*views, view), None)
    else:
        top, refs, extra = network(shared, names)
        views += extra
        module = ModuleView(module_doc(typed), (), (), tuple(views), top)
    module = finished(module, helpers.views())
    return Emitted(module, refs, class_name(typed.program.id))


MAX_NAME = 100  # the text of an argument may be any
IMPORTED = {"Callable", "F", "NamedTuple", "Tensor"}
RESERVED = {"ConvBN", "Scale", "FlattenChannelsLast", "ChannelLayerNorm", *IMPORTED}


def finished(module: ModuleView, helpers: tuple[HelperView, ...]) -> ModuleView:
    """The module with the helpers and the imports that its text needs."""
    text = code_of(module._replace(helpers=helpers))
    kept: tuple[HelperView, ...] = ()
    while helpers != kept:
        kept = helpers
        helpers = tuple(h for h in kept if len(re.findall(rf"\b{h.name}\b", text)) > 1)
        text = code_of(module._replace(helpers=helpers))
    imports = []
    if "Callable[" in text:
        imports.append("from collections.abc import Callable")
    if "NamedTuple" in text:
        imports.append("from typing import NamedTuple")
    imports += [""] if imports else []
    imports += ["import torch"] if re.search(r"\btorch\.", text) else []
    names = [name for name in ("Tensor", "nn") if re.search(rf"\b{name}\b", text)]
    imports += [f"from torch import {', '.join(names)}"] if names else []
    imports += ["from torch.nn import functional as F"] if re.search(r"\bF\.", text) else []
    return module._replace(imports=tuple(Code(i) for i in imports), helpers=helpers)


def code_of(module: ModuleView) -> str:
    """The file without its docstrings."""
    return re.sub(
        r'"""[\s\S]*?"""', "", render("inception_dsl_torch", "module.py.j2", module=module)
    )


def conv_bns(defined: Defined) -> list[ConvBnUse]:
    """Every ``conv_bn`` that is printed, with the keywords of its call."""
    chains = [d.chain for d in defined.definitions]
    chains += [*defined.sections.values(), *(chain for _, chain in defined.heads)]
    found = []
    for chain in chains:
        for layer in own_layers(chain):
            if layer.op.op == "conv_bn":
                windows = layer.op.windows(layer.x.rank)  # type: ignore[attr-defined]
                _, keywords, dynamic = convolution(layer.op, windows)
                written = tuple((k, str(v)) for k, v in keywords.items())
                found.append(ConvBnUse(layer.op, written, layer.x.rank, dynamic))  # type: ignore[arg-type]
    return found


def module_doc(typed: TypedProgram) -> Code:
    program = typed.program
    return docstring(
        headline(program.about, program.id, ", in PyTorch."),
        program.about.description,
        citation(program.about),
        bullets(
            "Where the paper leaves a choice or differs from its code:", program.about.deviations
        ),
        generated_by(program.id),
    )
