"""From a typed program to the text of one file."""

from __future__ import annotations

from collections.abc import Sequence

from inception_dsl.backend import (
    Code,
    Defined,
    Names,
    Report,
    TypedProgram,
    bullets,
    citation,
    define,
    docstring,
    generated_by,
    headline,
    render,
    signature,
)

from .blocks import TENSOR_TYPE, Function, Functions
from .helpers import RESERVED, Helpers, written
from .layers import check_names
from .network import LOCAL, Network
from .training import initial, loss, preprocess
from .views import FunctionView, HelperView, InitialView, LossView, ModuleView, PreprocessView

MODULES = {"keras", "layers", "ops"}
BUILTINS = {
    "any",
    "dict",
    "float",
    "int",
    "isinstance",
    "len",
    "max",
    "min",
    "range",
    "sum",
    "tuple",
    "zip",
}
LOCALS = {"x", "name", "in_channels"}


def emit_source(typed: TypedProgram, report: Report) -> str | None:
    """The source of a program, or ``None`` with the reason in ``report``."""
    if not check_names(typed, report) or not check_id(typed, report):
        return None
    return render("inception_dsl_keras", "module.py.j2", module=build(typed))


def build(typed: TypedProgram) -> ModuleView:
    """The view of a program."""
    defined = define(typed)
    program = typed.program
    own = {program.id, *RESERVED, *MODULES, *BUILTINS, *LOCALS, "LOSSES", "LOSS_WEIGHTS"}
    names = Names({*own, *LOCAL, *defined.parameters})
    reserved = own | set(program.blocks) | {f"{head.name}_head" for head in program.aux_heads}
    functions = Functions(defined, names, reserved)
    network = Network(defined, functions, reserved)
    statements = [s for f in functions.found for s in f.statements] + network.statements
    helpers = Helpers(statements, functions.found, program.input.rank)
    templated = helpers.templated()
    prepared = (preprocess(program.preprocessing),) if program.preprocessing else ()
    started = (
        initial(program.training.initializer)
        if program.training and program.training.initializer
        else None
    )
    trained = (loss(typed),) if program.training or program.aux_heads else ()
    return ModuleView(
        docstring=documentation(defined),
        imports=imports(templated, [*prepared, *trained, *([started] if started else [])]),
        constants=trained[0].weights if trained else (),
        helpers=templated,
        functions=(*helpers.functions(), *(function_view(f, helpers) for f in functions.found)),
        network=network.view(helpers),
        initial=(started,) if started else (),
        preprocess=prepared,
        loss=trained,
    )


def check_id(typed: TypedProgram, report: Report) -> bool:
    """Whether the function of the whole model is not called as something that the file needs."""
    program = typed.program
    if program.id not in {*RESERVED, *MODULES, *BUILTINS}:
        return True
    message = f"`{program.id}` means something else in Keras code"
    report.error("E503", message, program.origin.span(program.kind), help="give it another name")
    return False


def function_view(function: Function, helpers: Helpers) -> FunctionView:
    lines = written(function.statements, helpers)
    return FunctionView(
        signature(function.name, helpers.heading(function), TENSOR_TYPE), function.docstring, lines
    )


def imports(
    templated: tuple[HelperView, ...], beside: Sequence[PreprocessView | LossView | InitialView]
) -> tuple[Code, ...]:
    """The imports; ``ops`` where something uses it."""
    sized = {
        "helpers/same_padding.py.j2",
        "helpers/ceil_padding.py.j2",
        "helpers/ceil_padding_around.py.j2",
    }
    operating = any(h.template not in sized for h in templated)
    operating = operating or any("ops." in line for view in beside for line in view.lines)
    operating = operating or any(isinstance(view, LossView) and view.weights for view in beside)
    return Code("import keras"), Code(
        "from keras import layers, ops" if operating else "from keras import layers"
    )


def documentation(defined: Defined) -> Code:
    """The docstring of the file."""
    program = defined.program
    about = program.about
    return docstring(
        headline(about, program.id, ", in Keras 3."),
        citation(about),
        about.description,
        bullets("Where the paper leaves a choice or differs from its code:", about.deviations),
        "Images are channels last. Every layer is called by its path in the spec; the model "
        "saves and loads"
        " without custom objects, on TensorFlow, JAX and PyTorch.",
        generated_by(program.id),
    )
