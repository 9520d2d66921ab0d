"""The PyTorch backend: one standalone file with a class for every block."""

from __future__ import annotations

from inception_dsl.backend import Backend, Report, TypedProgram


def _emit(typed: TypedProgram, report: Report) -> str | None:
    from .views import emit

    return emit(typed, report)


BACKEND = Backend(
    name="torch",
    title="PyTorch",
    emit=_emit,
    runner="inception_dsl_torch.runner",
    unbiased_variance=True,
)
