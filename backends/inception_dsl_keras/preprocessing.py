"""The function ``preprocess``: pixels to the input of the model."""

from __future__ import annotations

from inception_dsl.backend import (
    AXES,
    Code,
    Group,
    Preprocessing,
    Resize,
    TensorType,
    call,
    docstring,
    layout,
    literal,
)

from .views import PreprocessView


def preprocess(found: Preprocessing, taken: TensorType) -> PreprocessView:
    """``preprocess``, one step per line; ``taken`` is the type of an image."""
    rank, fixed = taken.rank, any(isinstance(n, tuple) for n in (found.mean, found.std))
    fixed = fixed or found.channel_order == "bgr"
    shown = ", ".join((*AXES[rank], str(taken.channels) if fixed else "channels"))
    wrong = f"len(images.shape) not in ({rank + 1}, {rank + 2})"
    wrong += f" or images.shape[-1] not in ({taken.channels}, None)" if fixed else ""
    checks = (
        Code(f"    if {wrong}:"),
        layout("raise ", _error(f"expected ([N,] {shown}), got {{tuple(images.shape)}}"), indent=8),
        Code("    dtype = keras.backend.standardize_dtype(images.dtype)"),
        Code('    if dtype != "uint8" and not keras.backend.is_float_dtype(dtype):'),
        layout("raise ", _error("expected uint8 or floats, got {dtype}"), indent=8),
    )
    steps = ["ops.cast(images, keras.config.floatx())"]
    if found.channel_order == "bgr":
        steps.append("ops.flip(x, axis=-1)")
    if found.scale != 1:
        steps.append(f"x * {literal(found.scale)}")
    for sign, numbers, neutral in (("-", found.mean, 0.0), ("/", found.std, 1.0)):
        if isinstance(numbers, tuple):
            steps.append(f"x {sign} ops.convert_to_tensor({literal(list(numbers))}, x.dtype)")
        elif numbers != neutral:
            steps.append(f"x {sign} {literal(numbers)}")
    first, *others = (Code(f"    x = {step}") for step in steps)
    lines = [*checks, first, *(resized(found.resize) if found.resize else []), *others]
    lines += standardised(rank) if found.per_image else []
    value = "x"
    if lines[-1].startswith("    x = "):  # not in a loop
        value = lines.pop().removeprefix("    x = ")
    lines.append(Code(f"    return {value}"))
    summary = f"Convert RGB pixels from 0 to 255, one image ({shown}) or a batch, to model input."
    return PreprocessView(docstring(summary, indent=4), tuple(lines))


def resized(resize: Resize) -> list[Code]:
    """The lines that resize ``x``. TensorFlow's own functions round to float32."""
    rank = len(resize.size)
    axes = ", ".join(f"({axis - rank - 1}, {size})" for axis, size in enumerate(resize.size))
    lines = [f"    for axis, size in ({axes}{',' * (rank == 1)}):"]
    if resize.method == "nearest":
        lines.append("        index = ops.arange(size) * ops.shape(x)[axis] // size")
        lines.append("        x = ops.take(x, index, axis=axis)")
        return [*map(Code, lines)]
    lines += [
        "        pixels = ops.arange(ops.shape(x)[axis], dtype=x.dtype)",
        "        step = ops.cast(ops.shape(x)[axis], x.dtype) / size",
        "        places = (ops.arange(size, dtype=x.dtype) + 0.5) * step - 0.5",
        "        distance = ops.abs(ops.expand_dims(places, 1) - pixels)",
        f"        share = ops.relu(1 - distance{' / ops.maximum(step, 1)' * resize.antialias})",
        "        share = share / ops.sum(share, axis=1, keepdims=True)",
        "        x = ops.moveaxis(ops.tensordot(x, share, [[axis], [1]]), -1, axis)",
    ]
    return [*map(Code, lines)]


def standardised(rank: int) -> list[Code]:
    """The lines that subtract the mean of each image and divide by its standard deviation."""
    axes = literal(tuple(range(-rank - 1, 0)))
    reduced = f"axis={axes}, keepdims=True"
    return [
        Code(f"    least = ops.rsqrt(ops.sum(ops.ones_like(x), {reduced}))"),
        Code(f"    std = ops.maximum(ops.std(x, {reduced}), least)"),
        Code(f"    x = (x - ops.mean(x, {reduced})) / std"),
    ]


def _error(message: str) -> Group:
    return call("ValueError", Code(f'f"{message}"'))
