"""Specs with changed names, values and types of fields."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

import yaml

from inception_dsl.language.models import AuxHead, BlockFile, NetworkFile
from inception_dsl.language.parameters import Parameter
from inception_dsl.language.steps import Fork, Use
from inception_dsl.ops import OPS, attribute_names

Rng = random.Random


# fields

NUMBERS: Final = (
    *(
        0,
        1,
        -1,
        2,
        3,
        7,
        64,
        255,
        1024,
        1025,
        65_536,
        65_537,
        10**6,
        10**6 + 1,
        2**31,
        2**40 + 1,
        10**9,
        10**17,
        -(10**17),
    ),
    *(0.0, -0.0, 0.5, 1.0, 1.5, 1e-9, 1e-300, 1e300, -1e6, 5e-324, 0.999999999, 1e6),
)
VALUES: Final = (
    *(
        None,
        True,
        False,
        "",
        "x",
        "same",
        "valid",
        "relu",
        "concat",
        "add",
        "$classes",
        "${",
        "${1 // 0}",
        "$in_channels",
    ),
    *(
        [],
        {},
        [[]],
        [1, 2],
        [[0, 1], [1, 0]],
        [1, 2, 3, 4],
        {"op": "conv"},
        {"a": {"b": [1]}},
        [{"op": "identity"}],
    ),
    *(
        "é",
        "a" * 300,
        "${" + "1+" * 100 + "1}",
        "lambda",
        "forward",
        "../v4.yaml",
        "blocks/reduction_a.yaml",
        "1e-3",
        "0x1f",
    ),
)
_MODELS: Final = (NetworkFile, BlockFile, AuxHead, Fork, Use, Parameter)
NAMES: Final = sorted(
    {f.alias or n for model in _MODELS for n, f in model.model_fields.items()}
    | {name for op in OPS.values() for name in attribute_names(op)}
    | {
        *OPS,
        "op",
        "length",
        "height",
        "width",
        "depth",
        "channels",
        "epsilon",
        "momentum",
        "filtres",
        "Filters",
        "a.b",
        "",
    }
)
Place = tuple[Any, Any]  # a list or mapping, and an index or a key


def of_fields(rng: Rng, text: str, changes: int) -> bytes:
    """Renamed, missing, duplicate or swapped names; values of another type; extreme numbers."""
    data = yaml.load(text, yaml.CSafeLoader)
    for _ in range(changes):
        rng.choice(_FIELDS)(rng, data)
    return written(rng, data, again=rng.random() < 0.05)


def places(data: Any) -> Iterator[Place]:
    """The location of every value in ``data``."""
    keys = (
        list(data) if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    )
    for key in keys:
        yield data, key
        yield from places(data[key])


def pick(
    rng: Rng, data: Any, wanted: Callable[[Any, Any], bool] = lambda owner, key: True
) -> Place | None:
    found = [(owner, key) for owner, key in places(data) if wanted(owner, key)]
    return rng.choice(found) if found else None


def _rename(rng: Rng, data: Any) -> None:
    place = pick(rng, data, lambda owner, key: isinstance(owner, dict))
    if place:
        owner, key = place
        new = rng.choice(
            [
                rng.choice(NAMES),
                str(key)[1:],
                f"{key}s",
                str(key).upper(),
                rng.choice([1, 1.5, True, None]),
            ]
        )
        items = [(new if k == key else k, v) for k, v in owner.items()]
        owner.clear()
        owner.update(items)


def _delete(rng: Rng, data: Any) -> None:
    place = pick(rng, data)
    if place:
        del place[0][place[1]]


def _swap(rng: Rng, data: Any) -> None:
    one, two = pick(rng, data), pick(rng, data)
    if one and two:
        first, second = copy.deepcopy(one[0][one[1]]), copy.deepcopy(two[0][two[1]])
        one[0][one[1]], two[0][two[1]] = second, first


def _retype(rng: Rng, data: Any) -> None:
    place = pick(rng, data)
    if place:
        value = place[0][place[1]]
        place[0][place[1]] = rng.choice(
            [copy.deepcopy(rng.choice(VALUES)), [value], {"a": value}, str(value)]
        )


def _extreme(rng: Rng, data: Any) -> None:
    place = pick(rng, data, lambda owner, key: isinstance(owner[key], int | float))
    if place:
        place[0][place[1]] = rng.choice(NUMBERS)


def _add(rng: Rng, data: Any) -> None:
    place = pick(rng, data, lambda owner, key: isinstance(owner[key], dict))
    owner = place[0][place[1]] if place and rng.random() < 0.8 else data
    owner[rng.choice(NAMES)] = copy.deepcopy(rng.choice([rng.choice(VALUES), rng.choice(NUMBERS)]))


def _order(rng: Rng, data: Any) -> None:
    place = pick(rng, data, lambda owner, key: isinstance(owner[key], list))
    if place:
        rng.shuffle(place[0][place[1]])


_FIELDS: Final = (
    _rename,
    _rename,
    _delete,
    _delete,
    _swap,
    _retype,
    _retype,
    _extreme,
    _extreme,
    _extreme,
    _add,
    _order,
)


def written(rng: Rng, data: Any, *, again: bool = False) -> bytes:
    """``data`` as YAML in one of three styles; ``again`` writes one line twice, for duplicate
    keys.
    """
    style = rng.randrange(3)
    if style == 0:
        return json.dumps(data, ensure_ascii=False, indent=1, default=str).encode()
    text = yaml.dump(
        data,
        None,
        yaml.CSafeDumper,
        sort_keys=False,
        default_flow_style=None if style == 1 else False,
    )
    if again:
        lines = text.split("\n")
        index = rng.randrange(len(lines))
        lines.insert(index, lines[index])
        text = "\n".join(lines)
    return text.encode()
