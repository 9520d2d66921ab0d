"""The function ``preprocess``: pixels to the input of the network."""

from __future__ import annotations

from inception_dsl.backend import (
    AXES,
    Code,
    Group,
    Preprocessing,
    Resize,
    TensorType,
    docstring,
    flat,
    layout,
    literal,
)
from inception_dsl.backend import call as call_of

from .enlarging import MODES


def preprocess(found: Preprocessing, taken: TensorType) -> tuple[tuple[Code, ...], Code]:
    """The body of ``preprocess``; ``taken`` is the type of an image."""
    rank = taken.rank
    sizes = ", ".join(AXES[rank])
    numbers = [n for n in (found.mean, found.std) if isinstance(n, tuple)]
    fixed = bool(numbers) or found.channel_order == "bgr"
    channels = str(taken.channels) if fixed else "channels"
    shapes = f"([N,] {channels}, {sizes})"
    wrong = f"images.dim() not in ({rank + 1}, {rank + 2})"
    wrong += f" or images.shape[-{rank + 1}] != {channels}" if fixed else ""
    lines = [
        Code(f"    if {wrong}:"),
        layout("raise ", _error(f"expected {shapes}, got {{tuple(images.shape)}}"), indent=8),
        Code("    if images.dtype != torch.uint8 and not images.is_floating_point():"),
        layout("raise ", _error("expected uint8 or floats, got {images.dtype}"), indent=8),
        Code("    x = images.to(torch.promote_types(images.dtype, torch.float32))"),
    ]
    lines += resized(found.resize) if found.resize else []
    value = "x"
    if found.channel_order == "bgr":
        value = f"x.flip(-{rank + 1})"
    if found.scale != 1.0:
        value += f" * {literal(found.scale)}"
    if found.per_image:
        lines += [Code(f"    x = {value}")] if value != "x" else []
        lines += standardised(rank)
        value = "(x - mean) / std"
    for values, sign, neutral in ((found.mean, "-", 0.0), (found.std, "/", 1.0)):
        if values == neutral:
            continue
        text: str = literal(values)
        if isinstance(values, tuple):
            text = "mean" if sign == "-" else "std"
            shape = [literal(-1), *[literal(1)] * rank]
            tensor = call_of("x.new_tensor", literal(list(values)))
            lines.append(layout(f"{text} = ", tensor, indent=4))
            text = flat(call_of(f"{text}.view", *shape))
        value = f"({value}) / {text}" if sign == "/" and value != "x" else f"{value} {sign} {text}"
    lines.append(Code(f"    return {value}"))
    shown = f"one image ({channels}, {sizes}) or a batch"
    doc = docstring(f"Convert RGB pixels from 0 to 255, {shown}, to network input.", indent=4)
    return tuple(lines), doc


def resized(resize: Resize) -> list[Code]:
    """The lines that resize ``x``. PyTorch's `nearest` computes places in float32."""
    rank = len(resize.size)
    if resize.method == "nearest":
        axes = ", ".join(f"({axis - rank}, {size})" for axis, size in enumerate(resize.size))
        return [
            Code(f"    for axis, size in ({axes}{',' * (rank == 1)}):"),
            Code("        index = torch.arange(size, device=x.device) * x.shape[axis] // size"),
            Code("        x = x.index_select(axis, index)"),
        ]
    options = {"size": literal(resize.size), "mode": literal(MODES[rank])}
    options |= {"antialias": literal(True)} if resize.antialias else {}
    batch = f"x.reshape(-1, *x.shape[-{rank + 1}:])"
    sizes = [literal(size) for size in resize.size]
    back = call_of("x.reshape", f"*images.shape[:-{rank}]", *sizes)
    return [
        layout("x = ", call_of("F.interpolate", batch, **options), indent=4),
        layout("x = ", back, indent=4),
    ]


def standardised(rank: int) -> list[Code]:
    """The lines that compute the mean and the standard deviation of each image."""
    axes = literal(tuple(range(-rank - 1, 0)))
    return [
        Code(f"    mean = x.mean({axes}, keepdim=True)"),
        Code(f"    std = x.std({axes}, correction=0, keepdim=True)"),
        Code(f"    std = std.clamp(min=x.shape[-{rank + 1}:].numel() ** -0.5)"),
    ]


def _error(message: str) -> Group:
    return call_of("ValueError", Code(f'f"{message}"'))
