"""Reads published weights: files of torchvision, timm, ``keras.applications`` and other sources.

The spec maps layers to the names of the source (``checkpoints``). The file says which layout the
weights have (:mod:`.layouts`); what the user chose, and what the file needs, is done and said.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..analysis.weights import weight_shapes
from ..diagnostics.report import Report, Span
from ..diagnostics.text import printable
from ..diagnostics.words import suggestion
from ..ir.typed import TypedProgram
from ..language.shipped import names
from ..passes.layer_names import absent_names, layer_names, under
from ..plugins import installed
from .adapt import Wider, adapted, changed_layers, rgb_size, summed
from .files import file_span
from .held import Held, contents, unwrapped
from .initial import initial
from .layouts import layer_of, places
from .offers import Wanted, offered
from .store import differences, listed


class Choices(NamedTuple):
    """What the user chose: options of ``weights import``.

    ``again`` compiles the spec with further settings; ``None`` if it has errors then.
    """

    again: Callable[[Mapping[str, str]], TypedProgram | None] = lambda _: None
    prefix: str | None = None
    drop: tuple[str, ...] = ()
    drop_class: int | None = None
    seed: int = 0


class Imported(NamedTuple):
    """The weights by path in the neutral layout, and lines that say what was done."""

    weights: dict[str, Any]
    said: tuple[str, ...]


class Dropped(NamedTuple):
    """The weights of the spec that start anew, and the layers of the file that are left out."""

    paths: frozenset[str]
    left: tuple[str, ...]


def read(
    path: Path,
    typed: TypedProgram,
    source: str,
    report: Report,
    choices: Choices = Choices(),  # noqa: B008 (it is immutable)
) -> Imported | None:
    """The weights of ``typed`` from a published file; ``None`` with errors in the report.

    Layers that ``checkpoints`` marks as optional, and those that an overlay removed, may be in the
    file without being in the spec.
    """
    if not known(typed, source, report):
        return None
    held = contents(path, typed, source, report)
    if held is None:
        return None
    problems: list[str] = []
    every = places(typed, source, held.kind)
    held = unwrapped(held, [place.key for place in every.values()], choices.prefix, problems)
    if problems:
        message = f"{os.path.normpath(path)} does not fit `{typed.program.id}`: {problems[0]}"
        report.error("E702", message, file_span(path))
        return None
    wider = _wider(typed, source, held, choices, report)
    dropped = _dropped(typed, source, held, choices, report)
    if wider is None or dropped is None:
        return None
    found = {p: place for p, place in every.items() if p not in dropped.paths}
    wanted = Wanted(wider.typed, source, found, wider.settings, dropped.paths)
    if not _fits(path, wanted, held, dropped, choices, report):
        return None
    arrays = {p: place.back(held.arrays[place.key]) for p, place in found.items()}
    weights = {
        **adapted(typed, wider, arrays),
        **initial(typed, dropped.paths, choices.seed),
    }
    ordered = {p: np.ascontiguousarray(weights[p]) for p in weight_shapes(typed)}
    return Imported(
        ordered, (*held.said, *_said(typed, wider, dropped, choices), *_left(wanted, held, dropped))
    )


def known(typed: TypedProgram, source: str, report: Report) -> bool:
    """Whether the spec has names for ``source``; otherwise reports it."""
    found = typed.program.checkpoints
    if source in found:
        return True
    span = Span(f"--from {printable(source)}", 1, 1, 1, len(source) + 1)
    help = _spec_of(source, typed.program.id) or (
        suggestion(source, found, what="known sources")
        if found
        else "the shipped specs `published/...` have them (`inception-dsl list`)"
    )
    report.error(
        "E711",
        f"`{typed.program.id}` has no weight names (`checkpoints`) for `{printable(source)}`",
        span,
        help=help,
    )
    return False


def _spec_of(source: str, network: str) -> str:
    """What to write for a network that is shipped with the names of a source."""
    if source in ("neutral", *(plugin.name for plugin in installed())):
        return f"`weights convert --from {source}` reads the files of generated models"
    maker = source.partition("-")[0]
    made = (n for n in names() if n.startswith(f"published/{maker}_"))
    best = next((n for n in made if network.endswith(n.removeprefix(f"published/{maker}_"))), "")
    return f"use `{best}`, which has them" if best else ""


def _wider(
    typed: TypedProgram, source: str, held: Held, choices: Choices, report: Report
) -> Wider | None:
    """The network that the file fits: with a class more, or with color images."""
    settings: dict[str, str] = {}
    classes, dropped = typed.program.values.get("classes"), choices.drop_class
    if dropped is not None:
        settings["classes"] = str(int(classes or 0) + 1)
        more = choices.again(settings)
        if more is None or not changed_layers(typed, Wider(more)):
            _refused("--drop-class", "no layer depends on the number of classes", report)
            return None
        if dropped > int(classes or 0):
            _refused("--drop-class", f"the last class is {classes}", report)
            return None
    own = choices.again(settings) if settings else typed
    gray = typed.program.input.channels == 1 and not typed.program.several
    if gray and own is not None:
        color = {**settings, "input": rgb_size(typed)}
        rgb = choices.again(color)
        if rgb is not None and summed(own, rgb) and _holds(own, rgb, source, held):
            return Wider(rgb, color, dropped, gray=True)
    return None if own is None else Wider(own, settings, dropped)


def _holds(gray: TypedProgram, rgb: TypedProgram, source: str, held: Held) -> bool:
    """Whether a file has the weights for color images, where they differ."""
    small, shapes = weight_shapes(gray), weight_shapes(rgb)
    found = {p: w for p, w in places(rgb, source, held.kind).items() if shapes[p] != small[p]}
    arrays = ((held.arrays.get(w.key), w.shape(shapes[p])) for p, w in found.items())
    return bool(found) and all(a is not None and a.shape == shape for a, shape in arrays)


def _refused(option: str, reason: str, report: Report, help: str = "") -> None:
    span = Span(option, 1, 1, 1, 2)
    report.error("E712", f"`{option}` cannot be used: {reason}", span, help=help)


def _dropped(
    typed: TypedProgram, source: str, held: Held, choices: Choices, report: Report
) -> Dropped | None:
    """What ``--drop`` names: paths of the spec, or names in the file."""
    paths = {p for p in weight_shapes(typed) if under(p, choices.drop)}
    left = layer_names(typed, source, paths)
    for name in choices.drop:
        one = (name,)
        if not any(under(p, one) for p in paths) and not any(under(k, one) for k in held.arrays):
            layers = [p.rpartition("/")[0] for p in weight_shapes(typed)]
            layers += [layer_of(key, held.kind) for key in held.arrays]
            help = suggestion(name, dict.fromkeys(layers), what="known layers")
            reason = f"no layer `{printable(name)}` in the spec or the file"
            _refused("--drop", reason, report, help)
            return None
    alike = _alike(typed, source, held, frozenset(paths))
    return Dropped(frozenset(paths), (*left, *choices.drop, *alike))


def _alike(typed: TypedProgram, source: str, held: Held, paths: frozenset[str]) -> tuple[str, ...]:
    """Unknown layers of the file that read what a dropped layer reads: its classifier."""
    every, shapes = places(typed, source, held.kind), weight_shapes(typed)
    axis = slice(1, None) if held.kind == "state" else slice(None, -1)
    kernels = {every[p].shape(shapes[p])[axis] for p in paths if p.rpartition("/")[2] == "kernel"}
    taken = {place.key for place in every.values()}
    return tuple(
        layer_of(key, held.kind)
        for key, array in held.arrays.items()
        if key not in taken
        and array is not None
        and array.ndim > 1
        and array.shape[axis] in kernels
    )


def _fits(
    path: Path, wanted: Wanted, held: Held, dropped: Dropped, choices: Choices, report: Report
) -> bool:
    """Whether a file has the weights; one error has all differences, with the names of the file."""
    typed, source = wanted.typed, wanted.source
    optional = (*absent_names(typed, source), *dropped.left)
    shapes = wanted.shapes
    arrays = {k: a for k, a in held.arrays.items() if k in shapes or not under(k, optional)}
    found = differences(shapes, arrays, held.dtypes)
    if not any(found.values()):
        return True
    counts = ", ".join(f"{len(lines):,} {kind}" for kind, lines in found.items() if lines)
    report.error(
        "E702",
        f"{os.path.normpath(path)} does not fit `{typed.program.id}`: {counts}",
        file_span(path),
        notes=[*held.said, *listed(found)],
        help=offered(wanted, held._replace(arrays=arrays), choices.again, choices.drop_class),
    )
    return False


def _left(wanted: Wanted, held: Held, dropped: Dropped) -> tuple[str, ...]:
    """The line about layers of the file that are left out because of ``--drop``."""
    used = {place.key for place in wanted.places.values()}
    keys = (key for key in held.arrays if key not in used and under(key, dropped.left))
    layers = dict.fromkeys(layer_of(key, held.kind) or key for key in keys)
    return (f"left out of the file: {', '.join(layers)}",) if layers else ()


def _said(typed: TypedProgram, wider: Wider, dropped: Dropped, choices: Choices) -> tuple[str, ...]:
    """What was done with the file, in lines."""
    lines = []
    layers = [one for one in changed_layers(typed, wider) if f"{one}/kernel" not in dropped.paths]
    images = [p for p in layers if wider.gray]
    if wider.drop_class is not None:
        lines.append(f"class {wider.drop_class} of the file is left out: {', '.join(layers)}")
    if wider.gray and images:
        lines.append(f"for gray images, kernels are the sum over RGB: {', '.join(images)}")
    if dropped.paths:
        anew = dict.fromkeys(p.rpartition("/")[0] for p in sorted(dropped.paths))
        lines.append(f"new initial values (seed {choices.seed}): {', '.join(anew)}")
    return tuple(lines)
