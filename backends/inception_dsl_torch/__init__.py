"""The PyTorch backend: one standalone file with a class for every block."""

from __future__ import annotations

from inception_dsl.backend import Backend, Files, Report, Request, TypedProgram


def _emit(typed: TypedProgram, request: Request, report: Report) -> Files | None:
    from .views import emit

    text = emit(typed, report)
    return None if text is None else {f"{request.name}.py": text}


BACKEND = Backend(
    name="torch",
    title="PyTorch",
    emit=_emit,
    runner="inception_dsl_torch.runner",
    unbiased_variance=True,
    packages=("numpy", "torch"),
    shares=True,
    several_inputs=True,
)
