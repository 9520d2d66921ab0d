"""The rest of the data after the parts with errors are removed."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from inception_dsl.language.rest import Rest, copied, drop, is_step

STEP = {"op": "conv", "name": "a", "filters": 0}
FORK = {"name": "f", "branches": {"x": [STEP], "y": []}, "merge": "sum", "repeat": 2}
DATA = {
    "network": "n",
    "input": {"channels": 0},
    "title": "t",
    "import": [7, "a.yaml", 8],
    "paper": {"year": 1, "table": 2},
    "body": [STEP, FORK, {"use": "b", "k": []}, 7],
    "blocks": {"b": {"steps": [STEP], "params": {"k": "itn"}}},
    "aux_heads": {"h": {"after": "a", "loss_weight": -1, "steps": 7}},
    "outputs": {"steps": 7},
}


def changed(path: tuple[str | int, ...], value: Any) -> Any:
    """``DATA`` with another value at ``path``, or without the part at ``path``."""
    data = copy.deepcopy(DATA)
    owner: Any = data
    for part in path[:-1]:
        owner = owner[part]
    if value is None:
        del owner[path[-1]]
    else:
        owner[path[-1]] = value
    return data


def without(data: Any, path: tuple[str | int, ...]) -> Any:
    """A copy of ``data`` without the part at ``path``; ``None`` if nothing is left."""
    found = copied(data)
    return found if drop(found, path) is not None else None


@pytest.mark.parametrize(
    ("path", "at", "left"),
    [
        (("title",), ("title",), None),
        (("paper", "year"), ("paper", "year"), None),
        (("paper", "year", 0, "x"), ("paper", "year"), None),
        (("network",), ("network",), "unnamed"),
        (("import",), ("import",), None),
        (("import", 2), ("import", 2), "unnamed"),
        (("import", 2, 1), ("import", 2), "unnamed"),
        (("input",), ("input",), Rest()),
        (("input", "channels"), ("input", "channels"), None),
        (("body",), ("body",), [Rest()]),
        (("body", 0, "filters"), ("body", 0), {"name": "a"}),
        (("body", 0, "name"), ("body", 0), {}),
        (("body", 0), ("body", 0), {"name": "a"}),
        (("body", 1, "merge"), ("body", 1), {"name": "f", "branches": FORK["branches"]}),
        (("body", 1, "branches"), ("body", 1), {"name": "f"}),
        (("body", 1, "branches", "x"), ("body", 1), {"name": "f", "branches": {"y": []}}),
        (
            ("body", 1, "branches", "x", 0, "filters"),
            ("body", 1, "branches", "x", 0),
            {"name": "a"},
        ),
        (("body", 2, "k"), ("body", 2), {"use": "b"}),
        (("body", 2, "k", 0), ("body", 2), {"use": "b"}),
        (("body", 3), ("body", 3), {}),
        (("blocks", "b", "steps"), ("blocks", "b", "steps"), [Rest()]),
        (("blocks", "b", "steps", 0, "filters"), ("blocks", "b", "steps", 0), {"name": "a"}),
        (("blocks", "b", "params", "k"), ("blocks", "b", "params", "k"), None),
        (("blocks", "b"), ("blocks", "b"), None),
        (("aux_heads", "h", "loss_weight"), ("aux_heads", "h", "loss_weight"), 0.0),
        (("aux_heads", "h", "steps"), ("aux_heads", "h", "steps"), [Rest()]),
        (("outputs", "nothing"), ("outputs",), None),
    ],
    ids=str,
)
def test_the_rest(path: tuple[str | int, ...], at: tuple[str | int, ...], left: Any) -> None:
    before = copy.deepcopy(DATA)
    found = without(DATA, path)
    assert found == changed(at, left)
    assert before == DATA, "the original is not changed"
    for part in at:
        found = found.get(part) if isinstance(found, dict) else found[part]
    assert isinstance(left, Rest | list | str | float | None) or type(found) is Rest


def test_nothing_is_left() -> None:
    assert without(DATA, ()) is None
    assert without({"a": 1}, ("b",)) is None
    assert without({"block": 7}, ("block",)) == {"block": "unnamed"}
    assert without({"x": [5]}, ("x", 1, "y")) == {}
    assert without([7], (0,)) is None
    assert without({"stem": 1}, ("head",)) == {"stem": 1, "head": [Rest()]}
    for path in (("body", 0), ("body", 0, "name")):
        for data in ({"body": 7}, {"body": []}, {"body": {0: {}}}, {"body": "text"}):
            assert without(data, path) == data  # only a chain has steps


def test_the_rest_of_the_first_fork() -> None:
    fork = {"branches": {"x": [{"op": "conv", "name": "a", "filters": 0}]}}
    found = without({"body": [fork]}, ("body", 0, "branches", "x", 0, "filters"))
    assert found == {"body": [{"branches": {"x": [{"name": "a"}]}}]}


def test_the_rest_of_a_rest() -> None:
    once = without(DATA, ("body", 1, "merge"))
    twice = without(once, ("body", 1, "branches", "x", 0, "filters"))
    assert type(twice["body"][1]) is Rest
    assert twice["body"][1] == {"name": "f", "branches": {"x": [{"name": "a"}], "y": []}}
    assert type(twice["body"][1]["branches"]["x"][0]) is Rest


@pytest.mark.parametrize(
    ("path", "index", "step"),
    [
        (("body", 0), 1, True),
        (("stem", 3, "x"), 1, True),
        (("head", 3), 1, True),
        (("blocks", "b", "steps", 0), 3, True),
        (("body", 0, "branches", "x", 1), 4, True),
        (("branches", "x", 1), 2, True),
        (("body", 0, "name"), 2, False),
        (("import", 0), 1, False),
        ((0, 1), 0, False),
        ((0, "body"), 0, False),
        (("body", "x"), 1, False),
        (("x", 0, "branches"), 1, False),
        (("x", "branches", 0), 2, False),
        (("x", 0), 1, False),
    ],
)
def test_which_paths_are_steps(path: tuple[str | int, ...], index: int, step: bool) -> None:
    assert is_step(path, index) == step
