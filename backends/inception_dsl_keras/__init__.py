"""The Keras 3 backend of inception-dsl: functions over tensors that build a functional model.

Importing this package imports neither the framework nor the template engine.
"""

from __future__ import annotations

from inception_dsl.backend import Backend, Report, TypedProgram


def emit(typed: TypedProgram, report: Report) -> str | None:
    """The text of one Python file, or ``None`` with what Keras cannot say in the report."""
    from .emitter import emit_source

    return emit_source(typed, report)


BACKEND = Backend(name="keras", title="Keras 3", emit=emit, suffix=".py", runner="inception_dsl_keras.runner")

__all__ = ["BACKEND", "emit"]
