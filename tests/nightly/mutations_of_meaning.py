"""Specs with values that are valid for their fields but not together."""

from __future__ import annotations

import copy
import random
from typing import Any, Final

import yaml
from mutations_of_fields import Place, pick, written

from inception_dsl.ops import OPS, attribute_names

Rng = random.Random


# meaning


def of_meaning(rng: Rng, text: str, changes: int) -> bytes:
    """Random valid values: arithmetic, repeats, parameters, uses, paths, files, sizes, forks."""
    data = yaml.load(text, yaml.CSafeLoader)
    for _ in range(changes):
        rng.choice(_MEANING)(rng, data)
    return written(rng, data)


def _steps(rng: Rng, data: Any) -> Place | None:
    return pick(
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
        return (
            f"{rng.choice(['min', 'max'])}({_expression(rng, depth - 1)}, "
            f"{_expression(rng, depth - 1)})"
        )
    return (
        f"({_expression(rng, depth - 1)} {rng.choice(['+', '-', '*', '//', '%'])} "
        f"{_expression(rng, depth - 1)})"
    )


def _arithmetic(rng: Rng, data: Any) -> None:
    place = pick(
        rng, data, lambda owner, key: isinstance(owner[key], int) or str(owner[key]).startswith("$")
    )
    if place:
        place[0][place[1]] = "${" + _expression(rng) + "}"


def _number(rng: Rng, data: Any) -> None:
    place = pick(
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
    """Replace a step by a use of any block, also the enclosing one; or add a block of two uses."""
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
