"""The Keras 3 backend of inception-dsl: functions over tensors that build a functional model.

Importing this package imports neither the framework nor the template engine.
"""

from __future__ import annotations

from inception_dsl.backend import Backend, Engine, Files, Report, Request, TypedProgram

# run on the CPU, as GPUs may compute float32 convolutions in lower precision (TF32)
ON_CPU = (("CUDA_VISIBLE_DEVICES", "-1"), ("TF_CPP_MIN_LOG_LEVEL", "3"))
ENGINES = (
    Engine("tensorflow", (("KERAS_BACKEND", "tensorflow"), *ON_CPU)),
    Engine("jax", (("KERAS_BACKEND", "jax"), ("JAX_PLATFORMS", "cpu"), *ON_CPU), exact=False),
    Engine("torch", (("KERAS_BACKEND", "torch"), *ON_CPU), exact=False),
)


def _emit(typed: TypedProgram, request: Request, report: Report) -> Files | None:
    from .emitter import emit_source

    text = emit_source(typed, report)
    if text is None:
        return None
    files: dict[str, str | bytes] = {f"{request.name}.py": text}
    if request.train:
        from .script import script

        files[f"{request.script}.py"] = script(typed, request)
    return files


BACKEND = Backend(
    name="keras",
    title="Keras 3",
    emit=_emit,
    suffix=".py",
    runner="inception_dsl_keras.runner",
    engines=ENGINES,
    packages=("PIL", "h5py", "jax", "keras", "ml_dtypes", "numpy", "tensorflow", "torch"),
    shares=True,
    several_inputs=True,
    trains=True,
    splits=True,
)

__all__ = ["BACKEND"]
