"""Compiles a typed program to the text of one file."""

from __future__ import annotations

from inception_dsl.backend import (
    Code,
    Report,
    SplitError,
    TypedProgram,
    refuse_sharing,
    render,
    signature,
)

from .blocks import TENSOR_TYPE, Function
from .enlarging import check_transposed
from .helpers import Helpers, written
from .layers import check_names, kept_layers
from .losses import loss_view
from .preprocessing import preprocess
from .reserved import RESERVED
from .shared_steps import check_shared
from .source import BUILTINS, MODULES, Source, source_of
from .training import initial
from .views import FunctionView, ModuleView

ABOUT = (
    "Input is channels last. Layers are named after their paths in the spec. The model can be saved"
    " and loaded without custom objects, on TensorFlow, JAX and PyTorch."
)
OLD_FORMAT = "Save it as ``.keras``: Keras cannot load its operations from the old format, ``.h5``."


def emit_source(typed: TypedProgram, report: Report) -> str | None:
    """The source of a program, or ``None`` with errors in ``report``."""
    try:
        source = source_of(typed)
    except SplitError as error:
        refuse_sharing(error, typed, report)
        return None
    checks = (
        check_names(source, report),
        check_id(typed, report),
        check_transposed(typed, report),
        check_shared(source, report),
    )
    if not all(checks):
        return None
    return render("inception_dsl_keras", "module.py.j2", module=view(source))


def view(source: Source) -> ModuleView:
    """The view of a program."""
    plan, helpers = source.plan, source.helpers
    prepared = (
        (preprocess(plan.preprocessing, plan.typed.program.input),) if plan.preprocessing else ()
    )
    starting = (initial(plan.start, kept_layers(source)),) if plan.start else ()
    trained = (loss_view(plan, plan.loss),) if plan.loss else ()
    operating = (
        helpers.importing
        or helpers.splitting
        or not helpers.called.isdisjoint({"scaled", "layer_scale"})
        or bool(prepared)
        or bool(trained)
        or plan.recalibrates
    )
    operating = operating or any(view.operating for view in starting)
    functions = (function_view(f, helpers) for f in source.functions.found)
    return ModuleView(
        docstring=plan.module_doc(
            "Keras 3",
            f"{ABOUT} {OLD_FORMAT}" if helpers.operating or helpers.splitting else ABOUT,
        ),
        imports=imports(operating=operating, iterating=plan.recalibrates),
        constants=trained[0].weights if trained else (),
        helpers=helpers.templated(),
        functions=(*helpers.functions(), *functions),
        network=source.network.view(helpers),
        layers=Code("all_layers(model)" if helpers.nesting else "model.layers"),
        nesting=helpers.nesting and bool(starting or plan.recalibrates),
        initial=starting,
        recalibrates=plan.recalibrates,
        several=plan.typed.program.several,
        preprocess=prepared,
        loss=trained,
    )


def check_id(typed: TypedProgram, report: Report) -> bool:
    """Whether the name of the model's function is free in the file; reports an error if not."""
    program = typed.program
    if program.id not in {*RESERVED, *MODULES, *BUILTINS}:
        return True
    message = f"`{program.id}` is a reserved name in Keras code"
    report.error("E503", message, program.origin.span(program.kind), help="choose a different name")
    return False


def function_view(function: Function, helpers: Helpers) -> FunctionView:
    """The view of a block's function."""
    heading = signature(function.name, function.heading(), TENSOR_TYPE)
    return FunctionView(heading, function.docstring, written(function.statements, helpers))


def imports(*, operating: bool, iterating: bool) -> tuple[Code, ...]:
    """The imports; ``ops`` and ``Iterable`` only if the file uses them."""
    first = ("from collections.abc import Iterable", "") if iterating else ()
    more = ", ops" if operating else ""
    return tuple(map(Code, (*first, "import keras", f"from keras import layers{more}")))
