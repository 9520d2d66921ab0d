"""Specs that somebody damaged: a seed is a shipped spec with a few changes of one of four kinds.

Bytes, YAML (the text's structure), fields (names, values and types) and meaning (values that fit their fields but not
each other). The same seed is the same mutant as long as the shipped specs stay.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from inception_dsl.language.models import AuxHead, BlockFile, NetworkFile
from inception_dsl.language.parameters import Parameter
from inception_dsl.language.steps import Fork, Use
from inception_dsl.ops import OPS, attribute_names

Rng = random.Random


class Mutant(NamedTuple):
    """``source`` is the shipped spec, ``kind`` one of :data:`KINDS`."""

    seed: int
    source: str
    kind: str
    data: bytes


def shipped(root: Path) -> dict[str, str]:
    """The text of every spec in the repository, by its path below ``specs``."""
    found = sorted((root / "specs").rglob("*.yaml"))
    return {p.relative_to(root / "specs").as_posix(): p.read_text(encoding="utf-8") for p in found}


def mutant(seed: int, texts: Mapping[str, str]) -> Mutant:
    """The mutant of a seed; its kind is the seed modulo four."""
    rng = Rng(seed)
    kind = list(KINDS)[seed % len(KINDS)]
    names = sorted(texts)
    source = rng.choices(names, [1 if name.startswith("published/") else 3 for name in names])[
        0
    ]  # those are slow
    data = KINDS[kind](rng, texts[source], rng.choice([1, 1, 1, 2, 4]))
    return Mutant(seed, source, kind, data)


# bytes

BROKEN: Final = (
    *(
        b"\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\x80",
        b"\xe2\x82",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
    ),
    *(
        b"\x00",
        b"\r",
        b"\x1b[2J",
        b"\x7f",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\xe2\x80\xae",
        b"\xe2\x80\x8b",
        b"\xc2\xa0",
    ),
    *(
        b"\xf0\x9f\x91\xbe",
        b"\xf3\xa0\x80\x81",
        b"\t",
        b"\xef\xbf\xbf",
        b"\xcc\x81",
        b"\xee\x80\x80",
        b"\xc2\xad",
    ),
)
ENCODINGS: Final = (
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "latin-1",
    "cp037",
    "utf-7",
    "utf-8-sig",
    "cp1252",
)


def of_bytes(rng: Rng, text: str, changes: int) -> bytes:
    """Flipped bits, lost and repeated stretches, text cut short, what is no UTF-8, other encodings."""
    if rng.random() < 0.1:
        return text.encode(rng.choice(ENCODINGS), "replace")
    data = bytearray(text.encode())
    for _ in range(changes):
        place, kind = rng.randrange(len(data) + 1), rng.randrange(8)
        if kind == 0 and place < len(data):
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1 and place < len(data):
            data[place] = rng.randrange(256)
        elif kind == 2:
            data[place:place] = rng.choice(BROKEN)
        elif kind == 3:
            del data[place : place + rng.choice([1, 2, 10, 100])]
        elif kind == 4:
            del data[place:]
        elif kind == 5:
            data[place:place] = data[place : place + rng.choice([1, 10, 100])]
        elif kind == 6:
            data[place:place] = rng.randbytes(rng.choice([1, 2, 8, 64]))
        else:
            other = rng.randrange(len(data) + 1)
            data[place:place] = data[other : other + 40]
    return bytes(data)


# YAML

TOKENS: Final = (
    *(
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        "- ",
        "-",
        ",",
        "#",
        " #",
        "|",
        ">",
        "|2-\n",
        ">+9\n",
        "?",
        "? [a]",
        "'",
        '"',
        "\t",
    ),
    *(
        "&a ",
        "*a",
        "&a &b ",
        "*",
        "&",
        "<<: *a\n",
        "<<: {a: 1}\n",
        "!",
        "!!int ",
        "!!python/none {}",
        "!<x> ",
        "!!set ",
    ),
    *(
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "%TAG ! x\n",
        "\n",
        "\r\n",
        "\n\n",
        " ",
        "  ",
        "`",
        "@",
        "%",
        '"\\0"',
        '"\\uD800"',
    ),
    *(
        '"\\u202E"',
        '"\\x1b"',
        '"\\U000E0001"',
        '"\\',
        "null",
        "~",
        "true",
        "no",
        "010",
        "1:30",
        "0x1f",
        ".inf",
        "1e400",
    ),
)


def of_yaml(rng: Rng, text: str, changes: int) -> bytes:
    """Tokens that stand elsewhere, anchors, aliases, tags, nesting, indentation, lines and words that moved."""
    for _ in range(changes):
        text = rng.choice(_YAML)(rng, text) or "a"
    return text.encode()


def _token(rng: Rng, text: str) -> str:
    place = rng.randrange(len(text) + 1)
    return text[:place] + rng.choice(TOKENS) + text[place:]


def _word(rng: Rng, text: str) -> str:
    words = list(re.finditer(r"[A-Za-z0-9_$.]+", text))
    if not words:
        return text
    word = rng.choice(words)
    new = rng.choice(
        [
            rng.choice(TOKENS),
            rng.choice(words).group(),
            f"&x {word.group()}",
            "*x",
            f"!t {word.group()}",
        ]
    )
    return text[: word.start()] + new + text[word.end() :]


def _nest(rng: Rng, text: str) -> str:
    place, depth = rng.randrange(len(text) + 1), rng.choice([1, 2, 10, 47, 48, 49, 100, 3000])
    opening, closing = rng.choice([("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")])
    return text[:place] + opening * depth + closing * rng.choice([depth, 0, 1]) + text[place:]


def _line(rng: Rng, text: str) -> str:
    lines = text.split("\n")
    here, there = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(6)
    if kind == 0:
        del lines[here]
    elif kind == 1:
        lines.insert(there, lines[here])
    elif kind == 2:
        lines[here], lines[there] = lines[there], lines[here]
    elif kind == 3:
        lines[here] = " " * rng.randrange(1, 9) + lines[here]
    elif kind == 4:
        lines[here] = lines[here].lstrip()
    else:
        lines[here:there] = []
    return "\n".join(lines)


def _alias(rng: Rng, text: str) -> str:
    """Anchors on some values, and aliases to them in the place of others."""
    lines = text.split("\n")
    places = [i for i, line in enumerate(lines) if re.search(r": \S", line)]
    for number, index in enumerate(rng.sample(places, min(len(places), rng.choice([2, 3, 8])))):
        key, _, value = lines[index].partition(": ")
        lines[index] = (
            f"{key}: &a{number} {value}"
            if number % 2 == 0
            else f"{key}: *a{rng.randrange(number + 1)}"
        )
    return "\n".join(lines)


def _quote(rng: Rng, text: str) -> str:
    mark = rng.choice(["'", '"', "#", " ", ": "])
    places = [m.start() for m in re.finditer(re.escape(mark), text)] or [0]
    place = rng.choice(places)
    return text[:place] + rng.choice(["", "'", '"', "\\"]) + text[place + len(mark) :]


_YAML: Final = (_token, _token, _word, _word, _nest, _line, _line, _alias, _quote)


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
    """Names that are others, missing, twice or swapped; values of another type; extremes in every number."""
    data = yaml.load(text, yaml.CSafeLoader)
    for _ in range(changes):
        rng.choice(_FIELDS)(rng, data)
    return _written(rng, data, again=rng.random() < 0.05)


def places(data: Any) -> Iterator[Place]:
    """Every place of a value in ``data``."""
    keys = (
        list(data) if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    )
    for key in keys:
        yield data, key
        yield from places(data[key])


def _pick(
    rng: Rng, data: Any, wanted: Callable[[Any, Any], bool] = lambda owner, key: True
) -> Place | None:
    found = [(owner, key) for owner, key in places(data) if wanted(owner, key)]
    return rng.choice(found) if found else None


def _rename(rng: Rng, data: Any) -> None:
    place = _pick(rng, data, lambda owner, key: isinstance(owner, dict))
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
    place = _pick(rng, data)
    if place:
        del place[0][place[1]]


def _swap(rng: Rng, data: Any) -> None:
    one, two = _pick(rng, data), _pick(rng, data)
    if one and two:
        first, second = copy.deepcopy(one[0][one[1]]), copy.deepcopy(two[0][two[1]])
        one[0][one[1]], two[0][two[1]] = second, first


def _retype(rng: Rng, data: Any) -> None:
    place = _pick(rng, data)
    if place:
        value = place[0][place[1]]
        place[0][place[1]] = rng.choice(
            [copy.deepcopy(rng.choice(VALUES)), [value], {"a": value}, str(value)]
        )


def _extreme(rng: Rng, data: Any) -> None:
    place = _pick(rng, data, lambda owner, key: isinstance(owner[key], int | float))
    if place:
        place[0][place[1]] = rng.choice(NUMBERS)


def _add(rng: Rng, data: Any) -> None:
    place = _pick(rng, data, lambda owner, key: isinstance(owner[key], dict))
    owner = place[0][place[1]] if place and rng.random() < 0.8 else data
    owner[rng.choice(NAMES)] = copy.deepcopy(rng.choice([rng.choice(VALUES), rng.choice(NUMBERS)]))


def _order(rng: Rng, data: Any) -> None:
    place = _pick(rng, data, lambda owner, key: isinstance(owner[key], list))
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


def _written(rng: Rng, data: Any, *, again: bool = False) -> bytes:
    """``data`` as YAML in one of three styles; ``again`` says one line twice, which makes duplicate keys."""
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


# meaning


def of_meaning(rng: Rng, text: str, changes: int) -> bytes:
    """Values that their fields allow: arithmetic, repeats, parameters, uses, paths, other files, sizes, forks."""
    data = yaml.load(text, yaml.CSafeLoader)
    for _ in range(changes):
        rng.choice(_MEANING)(rng, data)
    return _written(rng, data)


def _steps(rng: Rng, data: Any) -> Place | None:
    return _pick(
        rng,
        data,
        lambda o, k: isinstance(o[k], dict) and bool({"op", "use", "branches"} & o[k].keys()),
    )


def _expression(rng: Rng, depth: int = 3) -> str:
    kind = rng.randrange(7 if depth else 2)
    if kind == 0:
        return str(rng.choice([0, 1, 2, 3, 7, 64, 1000, 0.5]))
    if kind == 1:
        return rng.choice(["in_channels", "in_channels", "filters", "classes", "n", "pool_filters"])
    if kind == 2:
        return f"-{_expression(rng, 0)}"
    if kind == 3:
        return f"{rng.choice(['min', 'max'])}({_expression(rng, depth - 1)}, {_expression(rng, depth - 1)})"
    return f"({_expression(rng, depth - 1)} {rng.choice(['+', '-', '*', '//', '%'])} {_expression(rng, depth - 1)})"


def _arithmetic(rng: Rng, data: Any) -> None:
    place = _pick(
        rng, data, lambda owner, key: isinstance(owner[key], int) or str(owner[key]).startswith("$")
    )
    if place:
        place[0][place[1]] = "${" + _expression(rng) + "}"


def _number(rng: Rng, data: Any) -> None:
    place = _pick(
        rng,
        data,
        lambda owner, key: isinstance(owner[key], int) and not isinstance(owner[key], bool),
    )
    if place:
        owner, key = place
        value = owner[key]
        owner[key] = rng.choice(
            [value + 1, max(1, value - 1), value * 2, max(1, value // 2), 1, 2, 3, 1000]
        )


def _repeat(rng: Rng, data: Any) -> None:
    place = _steps(rng, data)
    if place:
        wanted = [
            1,
            2,
            3,
            7,
            50,
            1000,
            99_999,
            100_000,
            10**9,
            "$n",
            "${in_channels // 64}",
            "$in_channels",
        ]
        place[0][place[1]]["repeat"] = rng.choice(wanted)


def _attribute(rng: Rng, data: Any) -> None:
    place = _steps(rng, data)
    if place:
        names = [
            "groups",
            "stride",
            "dilation",
            "kernel_size",
            "padding",
            "use_bias",
            "ceil_mode",
            "activation",
            "filters",
        ]
        values = [
            1,
            2,
            3,
            5,
            32,
            1023,
            [1, 7],
            [3, 3, 3],
            [[0, 1], [1, 0]],
            "same",
            "valid",
            True,
            "softmax",
            "$n",
        ]
        place[0][place[1]][rng.choice(names)] = rng.choice(values)


def _parameter(rng: Rng, data: Any) -> None:
    owners = (
        [data, *(b for b in (data.get("blocks") or {}).values())]
        if isinstance(data.get("blocks"), dict)
        else [data]
    )
    owner = rng.choice([o for o in owners if isinstance(o, dict)])
    params = owner.setdefault("params", {})
    if isinstance(params, dict):
        name = rng.choice(["n", "filters", "classes", "in_channels", *map(str, params)])
        params[name] = rng.choice(
            [
                "int",
                "float",
                "str",
                "bool",
                {"type": "int", "default": 3},
                {"type": "str", "default": "same"},
            ]
        )


def _use(rng: Rng, data: Any) -> None:
    """A use in the place of a step, of any block that there is, the step's own one too; or a new block of two uses."""
    blocks = data.get("blocks")
    names = [
        *(blocks if isinstance(blocks, dict) else ()),
        "reduction_a",
        "inception_resnet_a",
        str(data.get("block", "x")),
    ]
    place = _steps(rng, data)
    if place is None:
        return
    if isinstance(blocks, dict) and rng.random() < 0.5:
        step = {"use": rng.choice(names), "repeat": rng.choice([1, 1, 3])}
        blocks[rng.choice(["again", *map(str, blocks)])] = {"steps": [step, {**step, "name": "b"}]}
        names = ["again"]
    place[0][place[1]] = {
        "use": rng.choice(names),
        **rng.choice([{}, {"name": "u"}, {"filters": 3}, {"n": "$n"}]),
    }


def _reference(rng: Rng, data: Any) -> None:
    steps = [s for s in ("stem", "body", "head") if isinstance(data.get(s), list)]
    names = [
        str(s.get("name", s.get("use")))
        for part in steps
        for s in data[part]
        if isinstance(s, dict)
    ]
    after = rng.choice([*names, "nothing"])
    if rng.random() < 0.5:
        data["outputs"] = {rng.choice(["tap", "logits", "aux", *names]): after}
    else:
        head = {
            "after": after,
            "loss_weight": 0.3,
            "steps": [{"op": "flatten"}, {"op": "dense", "units": "$classes"}],
        }
        data["aux_heads"] = {rng.choice(["aux", "extra", *names]): head}


def _files(rng: Rng, data: Any) -> None:
    files = [
        "v1.yaml",
        "v4.yaml",
        "spec.yaml",
        "none.yaml",
        "blocks/reduction_a.yaml",
        "blocks/inception_v3_a.yaml",
        "../x",
    ]
    if rng.random() < 0.5:
        data["extends"] = rng.choice(files)
    else:
        data["import"] = rng.sample(files, rng.randrange(4))


def _defaults(rng: Rng, data: Any) -> None:
    op = rng.choice(sorted(OPS))
    names = attribute_names(OPS[op]) or ("x",)
    values = [
        0,
        1,
        2,
        3,
        0.001,
        True,
        False,
        "same",
        "valid",
        "relu",
        {"epsilon": 0.1},
        {"scale": False},
        "$n",
    ]
    data["defaults"] = {op: {rng.choice(names): rng.choice(values)}}


def _input(rng: Rng, data: Any) -> None:
    axes = rng.choice([["length"], ["height", "width"], ["depth", "height", "width"]])
    sizes = [1, 2, 7, 32, 33, 75, 299, 1000, 65_536]
    data["input"] = {
        "channels": rng.choice([1, 3, 64, 1000, 65_536]),
        **{axis: rng.choice(sizes) for axis in axes},
    }


def _fork(rng: Rng, data: Any) -> None:
    place = _steps(rng, data)
    if place:
        owner, key = place
        names = rng.sample(["shortcut", "branch_a", "branch_b", "x", "add", "conv"], 2)
        branches = dict(
            zip(
                names,
                rng.choice(
                    [([owner[key]], []), ([], []), ([owner[key]], [copy.deepcopy(owner[key])])]
                ),
                strict=True,
            )
        )
        owner[key] = {"branches": branches, "merge": rng.choice(["concat", "add", "multiply"])}


def _move(rng: Rng, data: Any) -> None:
    one, two = _steps(rng, data), _steps(rng, data)
    if one and two and isinstance(two[0], list):
        two[0].insert(two[1], copy.deepcopy(one[0][one[1]]))


_MEANING: Final = (
    *(
        _arithmetic,
        _arithmetic,
        _number,
        _number,
        _repeat,
        _attribute,
        _attribute,
        _parameter,
        _use,
        _use,
    ),
    *(_reference, _files, _defaults, _input, _fork, _fork, _move),
)
KINDS: Final[Mapping[str, Callable[[Rng, str, int], bytes]]] = {
    "bytes": of_bytes,
    "yaml": of_yaml,
    "fields": of_fields,
    "meaning": of_meaning,
}
