"""Reads the weight files of Keras 3: ``.weights.h5``, and the same file inside of ``.keras``.

No model is built from a file. Keras writes a group for every layer, with the layer's name as an
attribute and the layer's variables by number. Keras loads layers by their order; this module loads
them by name, but for a single layer with another name.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import h5py
import numpy as np

SUFFIXES: Final = (".keras", ".weights.h5")
WEIGHTS: Final = "model.weights.h5"


class Slot(NamedTuple):
    """A variable that a file must hold: its path in the spec, its shape in Keras."""

    path: str
    shape: tuple[int, ...]


def read(path: Path, slots: Mapping[str, Slot], dtype: str) -> dict[str, Any]:
    """A value for every slot by its key ``layer/number``.

    Raises ``ValueError`` that lists all problems.
    """
    with _opened(path) as file:
        held, problems = _datasets(file)
        held = _renamed(held, slots)
        problems += [f"missing {slot.path}" for key, slot in slots.items() if key not in held]
        problems += [f"unknown {key}" for key in held.keys() - slots.keys()]
        values = {}
        for key in slots.keys() & held.keys():
            slot, dataset = slots[key], held[key]
            if dataset.shape != slot.shape:
                problems.append(f"{slot.path} has shape {dataset.shape}, expected {slot.shape}")
            elif dataset.dtype.kind != "f" and not _bfloat16(dataset):
                problems.append(f"{slot.path} has type {dataset.dtype}, expected a float type")
            else:
                stored = _floats(dataset)
                with np.errstate(over="ignore"):
                    values[key] = stored.astype(dtype)
                if problem := _not_finite(stored, values[key]):
                    problems.append(f"{slot.path} has {problem}")
    if problems:
        raise ValueError(f"{path}: {'; '.join(sorted(problems))}")
    return values


def _renamed(held: dict[str, Any], slots: Mapping[str, Slot]) -> dict[str, Any]:
    """The variables of a file, those of its only unknown layer under the name of the only missing
    one, if all others fit: in Keras, a new classifier often gets a name of its own.
    """
    layers = {key.rpartition("/")[0] for key in held}
    wanted = {key.rpartition("/")[0] for key in slots}
    if len(layers - wanted) != 1 or len(wanted - layers) != 1:
        return held
    (found,), (name,) = layers - wanted, wanted - layers
    renamed = {
        f"{name}/{key.rpartition('/')[2]}" if key.rpartition("/")[0] == found else key: variable
        for key, variable in held.items()
    }
    return renamed if renamed.keys() == slots.keys() else held


def _bfloat16(dataset: Any) -> bool:
    """Whether Keras wrote bfloat16, which HDF5 does not have: two bytes of no type."""
    return (
        dataset.dtype.kind == "V"
        and dataset.dtype.itemsize == 2
        and _text(dataset, "dtype") == "bfloat16"
    )


def _floats(dataset: Any) -> Any:
    """The numbers of a dataset; bfloat16 is the upper half of a float32."""
    values = dataset[()]
    if values.dtype.kind == "V":
        return (values.view("<u2").astype("<u4") << 16).view("<f4")
    return values


def _not_finite(stored: Any, converted: Any) -> str:
    """The first value that is not finite, or too large for the type; empty if there is none."""
    wrong = np.argwhere(~np.isfinite(converted))
    if not len(wrong):
        return ""
    at = tuple(int(n) for n in wrong[0])
    why = f"too large for {converted.dtype}" if np.isfinite(stored[at]) else "which is not finite"
    return f"{stored[at]:.6g} at {list(at)}, {why}"


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The HDF5 file, or the one inside of an archive; ``ValueError`` if it cannot be read."""
    try:
        if path.name.endswith(".keras"):
            with zipfile.ZipFile(path) as archive:
                member = archive.getinfo(WEIGHTS)
                if member.compress_type != zipfile.ZIP_STORED:
                    # Keras never compresses it; a compressed one could be a decompression bomb
                    raise ValueError(f"{path}: {WEIGHTS} is compressed, expected uncompressed data")
                source: Any = io.BytesIO(archive.read(member))
        else:
            source = path
        with h5py.File(source, "r") as file:
            yield file
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except (
        OSError,
        EOFError,
        KeyError,
        RuntimeError,
        NotImplementedError,
        UnicodeError,
        zipfile.BadZipFile,
    ) as error:
        raise ValueError(f"{path}: not a Keras 3 weight file, or damaged ({error})") from error


def _datasets(file: Any) -> tuple[dict[str, Any], list[str]]:
    """All valid variables below ``layers`` by ``layer/number``, and the problems of the others.

    An inner model is a group with ``layers``, and without variables of its own.
    """
    found: dict[str, Any] = {}
    problems: list[str] = []
    seen: set[int] = set()
    groups = [("layers", _own(file, "layers"))]
    if not isinstance(groups[0][1], h5py.Group):
        return found, ["no group `layers`: not written by Keras 3"]
    while groups:
        above, layers = groups.pop()
        for entry in layers:
            place, held = f"{above}/{entry}", _own(layers, entry)
            variables: Any = _own(held, "vars") if isinstance(held, h5py.Group) else None
            inner = _own(held, "layers") if isinstance(held, h5py.Group) else None
            if any(_again(group, seen) for group in (held, variables, inner)):
                return found, [f"{place} is linked more than once"]
            holds = isinstance(variables, h5py.Group)
            model = holds and isinstance(inner, h5py.Group) and not len(variables)
            if model:
                groups.append((f"{place}/layers", inner))
            if not holds or len(held) > 1 + model:
                problems.append(f"{place} is not a layer with its own variables")
            elif repeated := _variables(variables, place, found, problems, seen):
                return found, [repeated]
    return found, problems


def _variables(
    variables: Any, place: str, found: dict[str, Any], problems: list[str], seen: set[int]
) -> str:
    """Add the variables of a layer, or problems; a text if one is linked more than once."""
    name = _text(variables, "name")
    if len(variables) and not name:
        problems.append(f"{place} has no layer name")
    for number in variables:
        dataset = _own(variables, number)
        if _again(dataset, seen):
            return f"{place}/vars/{number} is linked more than once"
        if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
            problems.append(f"{place}/vars/{number} is not stored in this file")
        elif dataset.id.get_create_plist().get_nfilters():  # a few bytes can hold billions
            problems.append(f"{place}/vars/{number} is compressed, which Keras does not write")
        elif f"{name}/{number}" in found:
            problems.append(f"duplicate variable {name}/{number}")
        else:
            found[f"{name}/{number}"] = dataset
    return ""


def _again(found: Any, seen: set[int]) -> bool:
    """Whether a group or a dataset was seen before: Keras links each once, so that a file of some
    kilobytes cannot hold millions.
    """
    if found is None:
        return False
    address = h5py.h5o.get_info(found.id).addr
    again = address in seen
    seen.add(address)
    return again


def _own(group: Any, name: str) -> Any:
    """A member of a group; ``None`` for a soft or external link."""
    return group.get(name) if isinstance(group.get(name, getlink=True), h5py.HardLink) else None


def _text(group: Any, name: str) -> str:
    """An attribute that is a string; anything else is not read and returned as empty."""
    if name not in group.attrs:
        return ""
    attribute = group.attrs.get_id(name)
    if attribute.shape != () or h5py.check_string_dtype(attribute.dtype) is None:
        return ""
    found = group.attrs[name]
    # layers may share a long text, which would then be kept for each
    return found if isinstance(found, str) and len(found) <= 1024 else ""
