"""What a published file holds: its arrays by key, whatever the file is and its names begin with."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..diagnostics.report import Report
from ..diagnostics.text import printable
from ..ir.typed import TypedProgram
from .files import file_span, read_file, readable
from .hdf5 import SIGNATURE, Variables, read_layers
from .layouts import Kind, kind_of, layer_of, places
from .other import other

COUNTERS: Final = frozenset({"num_batches_tracked", "n_averaged", "global_step"})
"""Counters of batch norm, of averaged models and of TensorFlow, which are no weights."""
WRAPPERS: Final = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
"""Segments that PyTorch adds at any place of a name (torch.compile, FSDP, checkpointing)."""
PRINTED: Final = 200
OUTER: Final = 16
"""How many parts of a beginning are looked for alone: names outside of ``model.backbone.``."""
ALIASES: Final = {
    "depthwise_kernel": "kernel",
    "weights": "kernel",
    "biases": "bias",
    "depthwise_weights": "depthwise_kernel",
    "pointwise_weights": "pointwise_kernel",
}
"""Other names of a weight in a layer: Keras 2 has the first, TF-slim the others."""


class Held(NamedTuple):
    """The arrays of a published file by key, and their types.

    An array is ``None`` if NumPy does not have its type.
    """

    kind: Kind
    arrays: dict[str, Any]
    dtypes: dict[str, str]
    said: tuple[str, ...] = ()


def contents(path: Path, typed: TypedProgram, source: str, report: Report) -> Held | None:
    """The contents of a file; ``None`` with errors in the report."""
    index = path.with_name(f"{path.name}.index")
    if not os.path.exists(path) and os.path.isfile(index) and (found := other(index, b"")):
        message = f"{os.path.normpath(path)} {found.message}"
        report.error("E701", message, file_span(path), help=found.help)
        return None
    if not readable(path, report):
        return None
    with open(path, "rb") as file:
        start = file.read(8)
    if start == SIGNATURE or path.suffix in (".keras", ".h5", ".hdf5"):
        layers = read_layers(path, report)
        return None if layers is None else _numbered(path, layers, typed, source, report)
    safe = read_file(path, report)
    if safe is None:
        return None
    tensors = {
        key: tensor
        for key, tensor in safe.tensors.items()
        if re.split("[./]", key)[-1] not in COUNTERS
    }
    kind = kind_of(tensors)
    names = {key: _plain(key, kind) for key in tensors}
    if len(set(names.values())) < len(names):
        names = {key: key for key in tensors}
    added = WRAPPERS & {part for key in tensors for part in key.split(".")}
    return Held(
        kind,
        {names[k]: t.array() for k, t in tensors.items()},
        {names[k]: t.dtype for k, t in tensors.items()},
        tuple(f"the names in the file are read without `{name}`" for name in sorted(added)),
    )


def _plain(key: str, kind: Kind) -> str:
    """A key without the segments that PyTorch adds; of a layer with a slash before the weight."""
    if kind == "state":
        return ".".join(part for part in key.split(".") if part not in WRAPPERS)
    *layer, leaf = key.replace("/", ".").rsplit(".", 1)
    leaf = ALIASES.get(leaf, leaf) if leaf != "depthwise_kernel" else leaf
    return f"{key[: len(layer[0])]}/{leaf}" if layer else leaf


def _numbered(
    path: Path, layers: dict[str, Variables], typed: TypedProgram, source: str, report: Report
) -> Held | None:
    """The variables of layers.

    Layers with automatic names (``conv2d_7``) are matched in the order of their numbers, because
    the first number depends on the session that created the file.
    """
    expected: dict[str, list[str]] = {}
    for place in places(typed, source, "layers").values():
        expected.setdefault(layer_of(place.key, "layers"), []).append(place.key.rpartition("/")[2])
    notes = []
    for word in typed.program.checkpoints[source].numbered.values():
        there, wanted = _ranked(word, layers), _ranked(word, expected)
        if len(there) != len(wanted):
            notes.append(f"{len(there)} layers are named `{word}_NUMBER`, expected {len(wanted)}")
        new = dict(zip(there, wanted, strict=False))
        layers = {new.get(name, name): variables for name, variables in layers.items()}
    if notes:
        message = f"{os.path.normpath(path)} does not fit `{typed.program.id}`"
        report.error("E702", message, file_span(path), notes=notes)
        return None
    arrays = {}
    for layer, variables in layers.items():
        own = expected.get(layer, [])
        for index, (variable, array) in enumerate(variables):
            numbered = variable.isdecimal() and len(own) == len(variables)
            name = own[int(variable)] if numbered else variable
            if name not in own and ALIASES.get(name) in own:
                name = ALIASES[name]
            elif variable.isdecimal() and not own:
                name = _guessed(variables)[index]
            arrays[f"{layer}/{name}"] = array
    return Held("layers", arrays, {})


def _guessed(variables: Variables) -> list[str]:
    """The names of the variables of an unknown layer without names: those of a dense layer."""
    sizes = [array.ndim for _, array in variables]
    return ["kernel", "bias"][: len(sizes)] if sizes in ([2], [2, 1]) else [v for v, _ in variables]


def _ranked(word: str, layers: Mapping[str, Any]) -> list[str]:
    """The layers named ``word`` or ``word_NUMBER``, in the order of their numbers."""
    found = (
        (re.fullmatch(rf"{re.escape(word)}(?:_([0-9]{{1,9}}))?", name), name) for name in layers
    )
    return [
        name for _, name in sorted((int(match[1] or 0), name) for match, name in found if match)
    ]


def prefixes(keys: Iterable[str], expected: Iterable[str]) -> Counter[str]:
    """What stands before the expected keys in a file, each with the number of keys after it."""
    wanted, found = set(expected), Counter[str]()
    lengths = {len(key) for key in wanted}  # not every suffix: a name can be of any length
    for key in keys:
        starts = (len(key) - length for length in lengths if length <= len(key))
        whole = (start for start in starts if start == 0 or key[start - 1] in "./")
        found.update(key[:start] for start in whole if key[start:] in wanted)
    return found


def unwrapped(held: Held, expected: Iterable[str], chosen: str | None, problems: list[str]) -> Held:
    """A file without what its names begin with, such as ``module.`` or ``model.backbone.``.

    ``chosen`` is the beginning that the user names; the rest of the file is left out then.
    ``problems`` gets what makes the beginning unknown.
    """
    wanted = list(expected)
    counts = prefixes(held.arrays, wanted)
    if chosen is not None:
        return _only(held, chosen, counts, problems)
    most = [prefix for prefix, count in counts.items() if 2 * count >= len(wanted)]
    if len(most) > 1:
        several = " or ".join(f"`--prefix {_short(p) or chr(39) * 2}`" for p in sorted(most)[:4])
        problems.append(f"the file has these weights {len(most)} times; choose with {several}")
        return held
    if most in ([], [""]):
        return held
    names = _stripped(held.arrays, most[0])
    return _renamed(held, names, f"the names in the file begin with `{_short(most[0])}`")


def _only(held: Held, prefix: str, counts: Counter[str], problems: list[str]) -> Held:
    """The part of a file whose names begin with ``prefix``."""
    if not prefix:
        names = {key: key for key in held.arrays}
        others = [p for p in counts if p]
        names = {k: k for k in names if not any(k.startswith(p) for p in others)}
    else:
        prefix = prefix if prefix.endswith((".", "/")) else _ended(prefix, held.arrays)
        names = {key: key[len(prefix) :] for key in held.arrays if key.startswith(prefix)}
    if not names:
        known = ", ".join(f"`{_short(p)}`" for p, _ in counts.most_common(3) if p)
        more = f"; known: {known}" if known else ""
        problems.append(f"no name begins with `{_short(prefix)}`{more}")
        return held
    rest = len(held.arrays) - len(names)
    left = f", {rest:,} others are left out" if rest else ""
    return _renamed(held, names, f"{len(names):,} tensors begin with `{_short(prefix)}`{left}")


def _short(prefix: str) -> str:
    """A beginning of names as it is printed."""
    return printable(prefix if len(prefix) <= PRINTED else f"{prefix[:PRINTED]}...")


def _ended(prefix: str, keys: Iterable[str]) -> str:
    """``prefix`` with the separator that follows it in the file."""
    ended = (f"{prefix}{c}" for key in keys for c in "./" if key.startswith(f"{prefix}{c}"))
    return next(ended, prefix)


def _stripped(keys: Iterable[str], prefix: str) -> dict[str, str]:
    """The new name of each key; those outside of ``prefix`` lose as much of it as they have."""
    found, taken = dict[str, str](), set[str]()
    ends = [match.end() for match in islice(re.finditer("[./]", prefix), OUTER)]
    outer = [*(prefix[:end] for end in ends if end < len(prefix)), prefix]
    order = sorted(keys, key=lambda key: not key.startswith(prefix))  # these come first
    for key in order:
        start = next((p for p in reversed(outer) if key.startswith(p)), "")
        name = key[len(start) :]
        found[key] = key if name in taken else name
        taken.add(found[key])
    return found


def _renamed(held: Held, names: Mapping[str, str], said: str) -> Held:
    arrays = {name: held.arrays[key] for key, name in names.items()}
    dtypes = {name: held.dtypes[key] for key, name in names.items() if key in held.dtypes}
    return held._replace(arrays=arrays, dtypes=dtypes, said=(*held.said, said))
