"""Payloads that would run if a text of a spec became source, and a spec with every text field."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from inception_dsl.yaml.characters import hidden_in

CODE = "__import__('builtins').canary.append(1)"
BREAKS = (
    *(
        '"',
        "'",
        '"""',
        "'''",
        "\\",
        '\\"',
        '\\"""',
        "\\\\",
        '\\\\"',
        "''''",
        '""""',
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\t",
    ),
    *(
        "\x0b",
        "\x0c",
        "\x1c",
        "\x85",
        "\u2028",
        "\u2029",
        "\x00",
        "\x1b[2J",
        "\x7f",
        "\xa0",
        "\ud800",
        "\udfff",
    ),
    *(
        "\u202e",
        "\u2066",
        "\u200b",
        "\ufeff",
        "\ufb01",
        "\U000e0001",
        "\N{COMBINING ACUTE ACCENT}",
        "\U0001f600",
        "\xbd",
        "\u0663",
    ),
    *(
        "{{",
        "{%",
        "{#",
        "#}",
        "%}",
        "{",
        "}",
        "{x}",
        "{0}",
        "${",
        "$x",
        "%s",
        "%(x)s",
        "\\N{DIGIT ONE}",
        "\\x22",
        "\\u0022",
    ),
    *(
        "*/",
        "-->",
        "#",
        ")",
        "]",
        ";",
        ",",
        ":",
        "`",
        "<script>",
        "\\N{",
        "\\x",
        "\\u",
        "\\777",
        "coding: utf-7",
    ),
)
WRAPS = ("{0}{1}{0}", "{0}\n{1}\n{0}", "text{0}")
PAYLOADS = tuple(
    dict.fromkeys(w.replace("{0}", b).replace("{1}", CODE) for b in BREAKS for w in WRAPS)
)
REFUSED = {p for p in PAYLOADS if hidden_in(p.replace("\n", " "))}
TAKEN = tuple(p for p in PAYLOADS if p not in REFUSED)

CONV = {"op": "conv_bn", "filters": "$n", "kernel_size": 1}
TEXTS = ["title", "description", "modified_from", "deviation"]
PAPER = ["title", "authors", "year", "arxiv", "doi", "url", "table", "figure", "section"]


def described(**more: Any) -> dict[str, Any]:
    return {**dict.fromkeys(TEXTS, "benign"), "paper": dict.fromkeys(PAPER, "benign"), **more}


SPEC: dict[str, Any] = described(
    network="net",
    input={"channels": 3, "height": 9, "width": 9},
    classes=4,
    preprocessing={"scale": 0.5},
    params={"kind": {"type": "str", "default": "benign", "description": "benign"}},
    blocks={
        "unit": described(
            params={
                "n": {"type": "int", "description": "benign"},
                "word": {"type": "str", "default": "benign"},
            },
            steps=[
                {
                    "branches": {"left": [{**CONV, "deviation": "benign"}], "right": [CONV]},
                    "merge": "concat",
                    "deviation": "benign",
                },
                {"op": "batch_norm", "deviation": ["benign", "benign"]},
            ],
        )
    },
    stem=[{"op": "conv", "name": "first", "filters": 4, "kernel_size": 3, "deviation": "benign"}],
    body=[
        {
            "use": "unit",
            "name": "a",
            "n": 4,
            "word": "benign, and not the default",
            "deviation": "benign",
        },
        {"use": "unit", "name": "b", "n": 6, "word": "benign", "repeat": 2},
        {
            "branches": {"left": [{"op": "conv", "filters": 4, "kernel_size": 1}], "right": []},
            "merge": "concat",
            "name": "c",
        },
    ],
    aux_heads={
        "side": described(
            after="a",
            loss_weight=0.3,
            steps=[{"op": "global_avg_pool"}, {"op": "dense", "units": 4}],
        )
    },
    outputs={"features": "b"},
    head=[
        {"op": "global_avg_pool"},
        {"op": "dense", "name": "out", "units": 4, "deviation": "benign"},
    ],
    training={
        "initializer": {"name": "he_normal", "note": "benign"},
        "label_smoothing": 0.1,
        "optimizer": {"name": "sgd", "rate": 0.1, "form": "torch", "note": "benign"},
        "schedule": {"name": "warm_up", "steps": 5, "then": {"name": "cosine", "note": "benign"}},
        "weight_decay": {"rate": 0.1, "note": "benign"},
        "gradient_clip": {"norm": 1.0, "note": "benign"},
        "average": {"decay": 0.9, "note": "benign"},
        "augmentation": {"flip": True, "note": "benign"},
        "deviation": "benign",
        "note": ["benign", "benign"],
    },
)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every string: values, and keys (whose path ends in ``True``)."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key, True)
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    elif isinstance(value, str):
        yield path


def replaced(spec: Any, path: tuple[Any, ...], payload: str) -> Any:
    """A copy with ``payload`` as the value (or the key) at ``path``."""
    found = copy.deepcopy(spec)
    *owner, last = path[:-1] if path[-1] is True else path
    place = found
    for part in owner:
        place = place[part]
    if path[-1] is True:
        items = [(payload if key == last else key, value) for key, value in place.items()]
        place.clear()
        place.update(items)
    else:
        place[last] = payload
    return found


def at(path: tuple[Any, ...]) -> Any:
    value: Any = SPEC
    for part in path:
        value = value[part]
    return value


FREE = [path for path in leaves(SPEC) if path[-1] is not True and at(path).startswith("benign")]
STRICT = [path for path in leaves(SPEC) if path not in FREE]


def written(spec: Any) -> str:
    """The spec in ASCII; other characters are YAML escapes."""
    pair = re.compile(r"(?<!\\)(?:\\\\)*\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})")
    return pair.sub(
        lambda m: f"\\U{0x10000 + (int(m[1], 16) - 0xD800) * 0x400 + int(m[2], 16) - 0xDC00:08x}",
        json.dumps(spec),
    )
