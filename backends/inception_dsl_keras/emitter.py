"""From a typed program to the text of one file."""

from __future__ import annotations

from inception_dsl.backend import Code, Report, TypedProgram, render, signature

from .blocks import TENSOR_TYPE, Function
from .helpers import RESERVED, Helpers, written
from .layers import check_names
from .source import BUILTINS, MODULES, Source, source_of
from .training import initial, loss_view, preprocess
from .views import FunctionView, ModuleView

ABOUT = (
    "Input is channels last. Layers are named after their paths in the spec. The model can be saved"
    " and loaded without custom objects, on TensorFlow, JAX and PyTorch."
)


def emit_source(typed: TypedProgram, report: Report) -> str | None:
    """The source of a program, or ``None`` with the reason in ``report``."""
    source = source_of(typed)
    if not check_names(source, report) or not check_id(typed, report):
        return None
    return render("inception_dsl_keras", "module.py.j2", module=view(source))


def view(source: Source) -> ModuleView:
    """The view of a program."""
    plan, helpers = source.plan, source.helpers
    prepared = (preprocess(plan.preprocessing),) if plan.preprocessing else ()
    started = initial(plan.start) if plan.start else None
    starting = (started,) if started else ()
    trained = (loss_view(plan, plan.loss),) if plan.loss else ()
    operating = helpers.operating or "scaled" in helpers.called or bool(prepared)
    operating = operating or any(view.operating for view in (*trained, *starting))
    functions = (function_view(f, helpers) for f in source.functions.found)
    return ModuleView(
        docstring=plan.module_doc("Keras 3", ABOUT),
        imports=imports(operating=operating),
        constants=trained[0].weights if trained else (),
        helpers=helpers.templated(),
        functions=(*helpers.functions(), *functions),
        network=source.network.view(helpers),
        initial=starting,
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
    """The view of a block's function."""
    heading = signature(function.name, function.heading(), TENSOR_TYPE)
    return FunctionView(heading, function.docstring, written(function.statements, helpers))


def imports(*, operating: bool) -> tuple[Code, ...]:
    """The imports; ``ops`` where something uses operations."""
    more = ", ops" if operating else ""
    return Code("import keras"), Code(f"from keras import layers{more}")
