"""W406: sizes of ``--input`` that are probably channels first.

``--input 3x224x224`` is an input of 3 x 224 pixels with 224 channels. Fields with names, as in a
spec, cannot be in the wrong order.
"""

from __future__ import annotations

from collections.abc import Iterator

from .survey import Check, Found, Survey, Warn

MOST_CHANNELS = 4  # of an image: grey, RGB, RGBA
_ALIKE = 4  # height and width of an image differ by less than this factor
_LONG = 64  # samples in a sequence of one size


def _find(survey: Survey) -> Iterator[Found]:
    origin, x = survey.typed.program.origin, survey.typed.program.input
    spans = origin.document.spans
    if ("input",) not in spans or ("input", "channels") in spans:
        return
    first, *rest = *x.spatial, x.channels
    pixels = rest[-2:]
    if len(rest) == 1:
        swapped = rest[0] >= _LONG * first
    else:
        swapped = min(rest) > first and max(pixels) <= _ALIKE * min(pixels)
    if first <= MOST_CHANNELS and swapped:
        yield Found(origin.below("input"), survey.top, 0, (first, *rest))


def _describe(_: Survey, found: list[Found]) -> Warn:
    first, *rest = found[0].data
    read = f"{'x'.join(map(str, (first, *rest[:-1])))} with {rest[-1]} channels"
    write = "x".join(map(str, (*rest, first)))
    message = f"sizes are channels last: this input is {read}"
    help = f"write `--input {write}` for an input with {first} channel{'s'[: first > 1]}"
    return Warn(message, found[0].origin.span(), help)


CHECK = Check("W406", _find, _describe)
