"""What to type for a published file that does not fit: settings that are tried before."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from ..analysis.weights import weight_shapes
from ..ir.typed import TypedProgram
from ..passes.layer_names import absent_names, under
from ..plugins import usable
from .held import Held
from .layouts import Place, layer_of, places

Again = Callable[[Mapping[str, str]], TypedProgram | None]
FEW: Final = 4
"""How many layers an offer names."""


class Wanted(NamedTuple):
    """The weights that a file should have: their places by path.

    ``base`` are the settings of the network that the file should fit, ``anew`` the weights of the
    spec that are not read.
    """

    typed: TypedProgram
    source: str
    places: Mapping[str, Place]
    base: Mapping[str, str] = MappingProxyType({})
    anew: frozenset[str] = frozenset()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each weight in the file, by key."""
        shapes = weight_shapes(self.typed)
        return {place.key: place.shape(shapes[p]) for p, place in self.places.items()}


def offered(wanted: Wanted, held: Held, again: Again, drop_class: int | None) -> str:
    """The help for a file with differences; what it says to set fits the file."""
    one_less = {k: v for k, v in wanted.base.items() if k != "classes"}
    if drop_class is not None and _fit(wanted, held, again(one_less)):
        return "the file has no class too many; leave out `--drop-class`"
    shapes, arrays = wanted.shapes, held.arrays
    if not arrays.keys() & shapes.keys():
        return (
            "no name in the file is one of the spec; is it of another network or source?"
            f" {_of_generated()}"
        )
    missing = [p for p, place in wanted.places.items() if place.key not in arrays]
    there = [(p, where.key) for p, where in wanted.places.items() if where.key in arrays]
    wrong = [p for p, key in there if getattr(arrays[key], "shape", shapes[key]) != shapes[key]]
    says = _settings(wanted, held, again, missing, wrong, drop_class)
    anew = _layers([*missing, *wrong])
    if anew and len(anew) <= FEW:
        says.append(f"`{_drop(anew)}` imports the rest and gives new initial values to the layer")
    left = _unknown(wanted, held)
    if not says and left and not missing and len(left) <= FEW:
        says.append(f"`{_drop(left)}` leaves out what the spec does not have")
    return "; ".join(says)


def _of_generated() -> str:
    """What to write for a file that a generated model saved."""
    names = [plugin.name for plugin, backend in usable()[0] if backend.runner]
    commands = " or ".join(f"`weights convert --from {name}`" for name in names)
    return f"files of generated models are read by {commands}" if names else ""


def _settings(
    wanted: Wanted,
    held: Held,
    again: Again,
    missing: list[str],
    wrong: list[str],
    drop_class: int | None,
) -> list[str]:
    """Settings that fit the file, and what they do."""
    settings, found = _renamed(wanted, held, missing)
    lacking = [p for p in missing if _layer(p) not in found]
    parts = dict.fromkeys(_parts(wanted.typed, lacking), "null")
    number = _classes(wanted, held, wrong, found)
    own = int(wanted.typed.program.values.get("classes") or 0)
    classes = {"classes": str(number)} if number not in (None, own) else {}
    if not _fit(wanted, held, again({**wanted.base, **settings, **parts, **classes})):
        alone = parts and len(lacking) == len(missing)
        return [f"`{_set(parts)}` removes the missing layers from the spec"] * bool(alone)
    if number is not None and classes and drop_class is not None:
        classes = {"classes": str(number - 1)}
    options = {**settings, **classes, **parts}
    says = [f"`{_set(options)}` fits the file"] if options else []
    if number == own + 1 and drop_class is None:
        rest = " ".join(filter(None, ("--drop-class 0", _set({**settings, **parts}))))
        says.append(f"`{rest}` leaves out its first class (the background, in TensorFlow's files)")
    return says


def _set(settings: Mapping[str, str]) -> str:
    return " ".join(f"--set {shlex.quote(f'{k}={v}')}" for k, v in settings.items())


def _drop(layers: Iterable[str]) -> str:
    return " ".join(f"--drop {shlex.quote(layer)}" for layer in layers)


def _fit(wanted: Wanted, held: Held, typed: TypedProgram | None) -> bool:
    """Whether a file has the weights of ``typed``, by names and shapes."""
    if typed is None:
        return False
    every = places(typed, wanted.source, held.kind)
    read = {path: place for path, place in every.items() if path not in wanted.anew}
    shapes, optional = (
        Wanted(typed, wanted.source, read).shapes,
        absent_names(typed, wanted.source),
    )
    arrays = {k: a for k, a in held.arrays.items() if k in shapes or not under(k, optional)}
    return arrays.keys() == shapes.keys() and all(
        array is not None and array.shape == shapes[key] for key, array in arrays.items()
    )


def _layer(path: str) -> str:
    return path.rpartition("/")[0]


def _layers(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(map(_layer, paths)))


def _unknown(wanted: Wanted, held: Held) -> list[str]:
    """The layers of the file that the spec does not have."""
    taken = {place.key for place in wanted.places.values()}
    left = (layer_of(key, held.kind) for key in held.arrays if key not in taken)
    return list(dict.fromkeys(left))


def _renamed(
    wanted: Wanted, held: Held, missing: list[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Settings that give missing layers the name of the only layer of the file that fits.

    Also the names by layer.
    """
    settings, found = dict[str, str](), dict[str, str]()
    layers, unknown = _layers(missing), set(_unknown(wanted, held))
    if not 0 < len(layers) <= FEW:
        return settings, found
    source = wanted.typed.program.checkpoints[wanted.source].origin.path[-1]
    groups: dict[str, dict[str, Any]] = {}
    for key, array in held.arrays.items():
        if (name := layer_of(key, held.kind)) in unknown:
            groups.setdefault(name, {})[_leaf(key)] = array
    for layer in layers:
        own = _own(wanted, layer)
        fitting = [name for name, arrays in groups.items() if _takes(wanted, own, arrays)]
        if len(fitting) == 1 and fitting[0] not in found.values():
            found[layer] = fitting[0]
            settings[f"checkpoints.{source}.names.{layer}"] = fitting[0]
    return settings, found


def _own(wanted: Wanted, layer: str) -> dict[str, str]:
    """The paths of a layer's weights by the last part of their keys."""
    return {
        _leaf(place.key): path for path, place in wanted.places.items() if _layer(path) == layer
    }


def _leaf(key: str) -> str:
    """The last part of a key."""
    return key.replace("/", ".").rpartition(".")[2]


def _in_file(held: Held, name: str) -> dict[str, Any]:
    """The arrays of a layer of the file."""
    return {
        _leaf(key): array for key, array in held.arrays.items() if layer_of(key, held.kind) == name
    }


def _takes(wanted: Wanted, own: Mapping[str, str], arrays: Mapping[str, Any]) -> bool:
    """Whether a layer of the file has the weights of one in the spec, but for the classes."""
    if own.keys() != arrays.keys():
        return False
    shapes = weight_shapes(wanted.typed)
    return all(
        array is not None and _but_for_classes(wanted, own[leaf], array, shapes[own[leaf]])
        for leaf, array in arrays.items()
    )


def _but_for_classes(wanted: Wanted, path: str, array: Any, shape: tuple[int, ...]) -> bool:
    place, classes = wanted.places[path], wanted.typed.program.values.get("classes")
    if array.ndim != len(place.shape(shape)):
        return False
    if array.shape == place.shape(shape):
        return True
    back = _back(place, array)
    return back is not None and back[:-1] == shape[:-1] and shape[-1] == classes


def _back(place: Place, array: Any) -> tuple[int, ...] | None:
    """The shape of an array in the neutral layout."""
    try:
        return tuple(place.back(array).shape)
    except ValueError:  # it is of no flattened map
        return None


def _classes(wanted: Wanted, held: Held, wrong: list[str], found: Mapping[str, str]) -> int | None:
    """The number of classes in the file, if only that is wrong."""
    shapes, numbers = weight_shapes(wanted.typed), set[int]()
    arrays = {p: held.arrays[wanted.places[p].key] for p in wrong}
    for layer, name in found.items():
        own = _own(wanted, layer)
        arrays |= {own[leaf]: array for leaf, array in _in_file(held, name).items()}
    for path, array in arrays.items():
        back = _back(wanted.places[path], array)
        if back is None or len(back) != len(shapes[path]) or not back:
            return None
        numbers.add(back[-1])
    return numbers.pop() if len(numbers) == 1 else None


def _parts(typed: TypedProgram, missing: list[str]) -> list[str]:
    """The parts of a spec that hold the missing layers, if these are those of heads."""
    head = typed.sections.get("head")
    parts = {
        "head": {
            step.node.segments[0] for step in (head.steps if head else ()) if step.node.segments
        },
        "aux_heads": {*typed.auxiliary},
        "outputs": {head.name for head, _ in typed.always},
    }
    first = {path.split("/")[0] for path in missing}
    found = [part for part, own in parts.items() if own & first]
    return [] if first - set().union(*parts.values()) else found
