"""W406: sizes of ``--input`` that are probably channels first, or without channels.

``--input 3x224x224`` is an input of 3 x 224 pixels with 224 channels, and ``--input 64x64`` one of
64 pixels on one axis. Fields with names, as in a spec, cannot be in the wrong order.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...types.tensor import many
from .survey import Check, Found, Survey, Warn

MOST_CHANNELS = 4  # of an image: grey, RGB, RGBA
_ALIKE = 4  # height and width of an image differ by less than this factor
_LONG = 64  # samples in a sequence of one size


def _find(survey: Survey) -> Iterator[Found]:
    program = survey.typed.program
    document = program.origin.document
    for name, x in program.inputs.items():
        path = ("input", name) if program.several else ("input",)
        if path not in document.spans or (*path, "channels") in document.spans:
            continue
        sizes, here = (*x.spatial, x.channels), program.origin.below(*path)
        value, given = document.replaced.get("input"), f"{name}=" * program.several
        own = value if isinstance(value, dict) else {}
        if len(own) not in (0, len(sizes)) and own.get("channels") != x.channels:
            whole = (*sizes, own["channels"]) if len(own) == len(sizes) + 1 else ()
            yield Found(here, survey.top, 0, (sizes, whole, len(own) - 1, given))
        elif _channels_first(sizes):
            yield Found(here, survey.top, 0, (sizes, (*sizes[1:], sizes[0]), 0, given))


def _channels_first(sizes: tuple[int, ...]) -> bool:
    first, *rest = sizes
    if not rest:
        return False
    pixels = rest[-2:]
    if len(rest) == 1:
        swapped = rest[0] >= _LONG * first
    else:
        swapped = min(rest) > first and max(pixels) <= _ALIKE * min(pixels)
    return first <= MOST_CHANNELS and swapped


def _describe(_: Survey, found: list[Found]) -> Warn:
    (*axes, channels), write, own, name = found[0].data
    read = f"{'x'.join(map(str, axes))} with {many(channels, 'channel')}"
    message = f"sizes are channels last: this input is {read}"
    if own:
        message += f", but that of the spec has {many(own, 'spatial axis', 'spatial axes')}"
    sizes = "x".join(map(str, write))
    last = many(write[-1], "channel") if write else ""
    help = f"write `--input {name}{sizes}` for an input with {last}" if write else ""
    return Warn(message, found[0].origin.span(), help)


CHECK = Check("W406", _find, _describe)
