"""Judges the sizes of the input that an emitted file accepts and rejects."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping

from ..analysis.size_conditions import AxisSizes
from ..analysis.sizes import Sizes, running_sizes
from ..analysis.ties import all_tied
from ..types.tensor import MAX_SIZE
from .finding import Finding, Job, resized


def judged_sizes(job: Job) -> Iterator[Finding]:
    """The smallest and the largest input run; sizes beside them and in gaps are rejected, with the
    nearest sizes in the message. A class of a block is a plain module: any error will do.

    Other inputs stay as in the spec, but for those that must have the same size.
    """
    for name in job.emitted.program.inputs:
        sizes = running_sizes(job.emitted, name)
        yield from _judged(job, name, sizes.inference, heads=False)
        if sizes.training != sizes.inference:
            yield from _judged(job, name, sizes.training, heads=True)
    for names, (axis, *_) in all_tied(job.emitted).items():
        for name in names:
            yield from _apart(job, names, name, axis)


def _apart(job: Job, names: tuple[str, ...], name: str, axis: int) -> Iterator[Finding]:
    """Whether another size of one tied input alone is rejected: one that it runs on with others.

    Nothing if it runs on no other size.
    """
    axes = list(job.emitted.program.inputs[name].spatial)
    other = _other(running_sizes(job.emitted, name).inference[axis], axes[axis])
    if other:
        axes[axis] = other
        message = _rejected(job, {name: tuple(axes)}, heads=False)
        text = "" if "need" in message else f"`{name}` may have another size than {names}"
        yield Finding("input sizes", problem=text)


def _other(axis: AxisSizes, own: int) -> int:
    """The size that runs next above ``own``, or else next below; 0 if no other runs."""
    end = axis.most or MAX_SIZE
    candidates = itertools.chain(range(own + 1, end + 1), range(own - 1, axis.least - 1, -1))
    return next((size for size in candidates if axis.fits(size)), 0)


def _judged(job: Job, name: str, sizes: Sizes, *, heads: bool) -> Iterator[Finding]:
    """Findings on sizes of an input, with or without auxiliary heads."""
    least = tuple(axis.least for axis in sizes)
    most = tuple(axis.most or axis.least for axis in sizes)
    for axes in dict.fromkeys((least, most)):
        message = _rejected(job, _together(job, name, axes), heads=heads)
        text = f"an input of {_shown(axes)} is rejected: {message}"
        yield Finding("input sizes", problem=text if message else "")
    for number, axis in enumerate(sizes):
        for size, named in _wrong(axis).items():
            axes = (*most[:number], size, *most[number + 1 :])
            message = _rejected(job, _together(job, name, axes), heads=heads)
            words = re.findall(r"\d+", message)
            said = all(str(n) in words for n in named)
            said = said and re.search("needs|does not run", message) is not None
            if said or (message and job.emitted.program.kind == "block"):
                yield Finding("input sizes")
            else:
                near = " and ".join(map(str, named))
                text = f"an input of {_shown(axes)} must be rejected with the size {near}"
                yield Finding("input sizes", problem=f"{text}, got: {message or 'no error'}")


def _together(job: Job, name: str, axes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """The sizes of an input, and of those that must have the same on some axes."""
    found = {name: axes}
    for names, tied in all_tied(job.emitted).items():
        for other in names if name in names else ():
            own = found.get(other, job.emitted.program.inputs[other].spatial)
            found[other] = tuple(axes[i] if i in tied else n for i, n in enumerate(own))
    return found


def _wrong(axis: AxisSizes) -> dict[int, tuple[int, ...]]:
    """Sizes that do not run, each with the sizes that the message must name."""
    found: dict[int, tuple[int, ...]] = {axis.least - 1: (axis.least,)}
    if axis.most is not None:
        found[axis.most + 1] = (axis.most,)
    for gap in axis.gaps[:1]:
        after = next(n for n in itertools.count(gap.start) if axis.fits(n))
        found |= dict.fromkeys((gap.start, after - 1), (gap.start - 1, after))
    return {size: named for size, named in found.items() if size}


def _rejected(job: Job, axes: Mapping[str, tuple[int, ...]], *, heads: bool) -> str:
    """The message of the file for this size, or of any other error; empty if it runs."""
    try:
        return str(job.runner.rejected(resized(job.emitted, axes), job.files, heads=heads))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _shown(axes: tuple[int, ...]) -> str:
    return "x".join(map(str, axes))
