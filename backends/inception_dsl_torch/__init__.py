"""The PyTorch backend: one standalone file with a class for every block."""

from __future__ import annotations

from inception_dsl.backend import Backend, Files, Report, Request, TypedProgram


def _emit(typed: TypedProgram, request: Request, report: Report) -> Files | None:
    from .views import emit

    text = emit(typed, report)
    if text is None:
        return None
    files = {f"{request.name}.py": text}
    if request.train:
        from .script import script

        files[f"{request.script}.py"] = script(typed, request)
    return files


BACKEND = Backend(
    name="torch",
    title="PyTorch",
    emit=_emit,
    runner="inception_dsl_torch.runner",
    unbiased_variance=True,
    packages=("numpy", "torch"),
    shares=True,
    several_inputs=True,
    trains=True,
    splits=True,
    processes=True,
)
