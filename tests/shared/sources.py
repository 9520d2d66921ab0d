"""The Python files of the repository: their definitions and imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeAlias

from paths import ROOT

CORE, BACKENDS = ROOT / "inception_dsl", ROOT / "backends"
MODULES = sorted([*CORE.rglob("*.py"), *BACKENDS.rglob("*.py")])
"""The modules of the compiler and of both backends."""

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Definition: TypeAlias = Function | ast.ClassDef


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def ids(path: object) -> str:
    """The path of a file in the repository, as the id of a test."""
    return path.relative_to(ROOT).as_posix() if isinstance(path, Path) else ""


def written_by_hand() -> list[Path]:
    """Every Python file of the repository except those in `generated/`."""
    folders = ("inception_dsl", "backends", "tests", "benchmarks", "docs")
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    """The dotted name of a module; that of a package has no `__init__`."""
    base = BACKENDS if path.is_relative_to(BACKENDS) else ROOT
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module_name(path): path for path in MODULES}


def imported(path: Path) -> Iterator[str]:
    """The modules that a module imports, also in functions and for type checkers."""
    here = module_name(path).split(".")
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in NAMES)
        elif isinstance(node, ast.ImportFrom):
            up = node.level - (path.stem == "__init__") if node.level else len(here)
            base = [*here[: len(here) - up], *filter(None, [node.module])]
            for alias in node.names:
                names = (".".join([*base, alias.name]), ".".join(base))
                yield from [name for name in names if name in NAMES][:1]


def import_graph() -> dict[str, set[str]]:
    """The imports of every module."""
    return {name: {*imported(path)} - {name} for name, path in NAMES.items()}


def definitions(path: Path) -> Iterator[tuple[Definition, ast.ClassDef | None]]:
    """The public functions and classes of a module, and their public methods with their class."""

    def inside(
        body: list[ast.stmt], owner: ast.ClassDef | None
    ) -> Iterator[tuple[Definition, ast.ClassDef | None]]:
        for node in body:
            if isinstance(node, Definition) and not node.name.startswith("_"):
                yield node, owner
                if isinstance(node, ast.ClassDef):
                    yield from inside(node.body, node)

    return inside(tree(path).body, None)
