"""Limits on what a reader must hold in mind: sizes, import layers, cycles, docstrings."""

from __future__ import annotations

import ast
import graphlib
import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
from paths import ROOT
from sources import (
    CORE,
    MODULES,
    Definition,
    Function,
    definitions,
    ids,
    import_graph,
    tree,
    written_by_hand,
)

from inception_dsl.ops import OPS

MAX_MODULE, MAX_FUNCTION, MAX_LINE, MAX_ROOMS, MAX_LAYERS = 320, 45, 100, 22, 11
FILES = written_by_hand()
PRAGMA = re.compile(r"\s*# (type: ignore|noqa)\b.*")
PROPERTIES = {"property", "cached_property", "functools.cached_property"}
"""What had no docstring when the rule was made; nothing is added."""


def too_long(line: str) -> bool:
    """As ruff counts: without a comment for tools; one long word is none."""
    return len(PRAGMA.sub("", line)) > MAX_LINE and len(line.split()) > 1


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_sizes(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    assert len(lines) - 1 <= MAX_MODULE
    assert [i for i, line in enumerate(lines, 1) if too_long(line)] == []
    for node in ast.walk(tree(path)):
        if isinstance(node, Function):
            count = (node.end_lineno or 0) - node.body[0].lineno + 1
            assert count <= MAX_FUNCTION, f"{node.name} has {count} lines"


def test_no_module_imports_itself_through_others() -> None:
    """Includes imports in functions and for type checkers, which import-linter does not check."""
    graph = import_graph()
    assert graph["inception_dsl.compiler"] >= {"inception_dsl.language.load"}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_there_are_few_rooms_and_few_layers() -> None:
    rooms = [p for p in CORE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()]
    assert len([room for room in rooms if not room.stem.startswith("__")]) <= MAX_ROOMS
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers, *_ = settings["tool"]["importlinter"]["contracts"]
    assert layers["type"] == "layers"
    assert layers["exhaustive"]
    assert len(layers["layers"]) <= MAX_LAYERS


def test_no_module_is_called_utils() -> None:
    vague = ("utils", "util", "helpers", "misc", "common")
    assert not [p for p in MODULES if p.stem in vague and p.is_relative_to(CORE)]


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_every_module_has_a_docstring(path: Path) -> None:
    assert not path.read_text(encoding="utf-8").strip() or ast.get_docstring(tree(path))


def documented_methods() -> dict[str, set[str]]:
    """The methods with a docstring of every class, and those of all protocols as of ``Protocol``.

    What implements a protocol need not name it.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for path in MODULES:
        for node, owner in definitions(path):
            if owner is None or isinstance(node, ast.ClassDef):
                continue
            if ast.get_docstring(node):
                found[owner.name].add(node.name)
            if "Protocol" in map(ast.unparse, owner.bases):
                found["Protocol"].add(node.name)
    return found


def inherited(owner: ast.ClassDef | None, methods: dict[str, set[str]]) -> set[str]:
    """The names of methods that bases of a class document."""
    if owner is None:
        return set()
    found, pending = {*methods["Protocol"]}, [owner]
    classes = {
        node.name: node
        for path in MODULES
        for node, _ in definitions(path)
        if isinstance(node, ast.ClassDef)
    }
    while pending:
        for base in pending.pop().bases:
            name = ast.unparse(base).partition("[")[0].rpartition(".")[2]
            found |= methods[name]
            pending += [classes[name]] if name in classes else []
    return found


def needs_none(node: Definition) -> bool:
    """A function whose name or whose one statement says it all.

    These are entries of tables by op, properties, tests, and functions of one statement.
    """
    if isinstance(node, ast.ClassDef):
        return False
    one = len(node.body) == 1 or PROPERTIES & {ast.unparse(d) for d in node.decorator_list}
    return bool(one) or node.name in OPS or node.name.startswith("test_")


def test_public_functions_and_classes_have_docstrings() -> None:
    methods, missing = documented_methods(), set()
    for path in MODULES:
        for node, owner in definitions(path):
            if (
                ast.get_docstring(node)
                or needs_none(node)
                or node.name in inherited(owner, methods)
            ):
                continue
            missing.add(f"{ids(path)} {owner.name + '.' if owner else ''}{node.name}")
    assert missing == set()
