"""The contracts between core, backends, frameworks and templates, and the public API."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes
from paths import ROOT
from sources import BACKENDS, CORE, MODULES, ids, tree

import inception_dsl.backend

TEMPLATES = sorted(BACKENDS.rglob("*.j2"))
FORMS = CORE / "types" / "optimizers.py"  # `form: keras` is a word of the language, no backend
FRAMEWORKS = ("torch", "keras", "tensorflow", "jax", "numpy")


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=ids)
def test_the_core_names_no_backend(path: Path) -> None:
    """Prose may compare frameworks; code may not: no name, no text that could be compared."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Name | ast.Attribute | ast.arg | ast.keyword):
            name = (
                getattr(node, "id", None)
                or getattr(node, "attr", None)
                or getattr(node, "arg", None)
                or ""
            )
            assert not re.fullmatch(r"(?i)(torch|pytorch|keras|tensorflow)\w*", str(name))
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = ("torch", "pytorch", "keras", "tensorflow", "jax")
            assert node.value.lower() not in names or path == FORMS


@pytest.mark.parametrize("command", ["summary", "build", "check", "sweep", "fit"])
def test_compiling_imports_no_framework(command: str, tmp_path: Path) -> None:
    more = {
        "build": ["--all-backends", "--out", str(tmp_path)],
        "sweep": ["--vary", "width=0.5,1", "--plot", str(tmp_path / "plot.svg")],
        "fit": ["--vary", "width=0.5..1:0.1", "--macs", "9G"],
    }
    extra = more.get(command, [])
    code = f"""
import sys
from inception_dsl.cli import main
assert not main({[command, "specs/v4.yaml", *extra]!r}, standalone_mode=False)
found = [m for m in {FRAMEWORKS!r} if m in sys.modules]
assert not found, found
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    if command == "build":
        assert {p.parent.name for p in tmp_path.rglob("v4.py")} >= {"torch", "keras"}


def test_imports_of_frameworks_stand_in_the_runners() -> None:
    for path in MODULES:
        if any(
            path.is_relative_to(CORE / name)
            for name in ("reference", "testing", "verify", "weights")
        ) or path.stem.startswith("runner"):
            continue
        for node in ast.walk(tree(path)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += (
                [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            )
            assert not [n for n in names if n.split(".")[0] in FRAMEWORKS], (
                f"{ids(path)}:{node.lineno}"
            )  # type: ignore[attr-defined]


def test_backends_import_one_module() -> None:
    for path in BACKENDS.rglob("*.py"):
        for node in ast.walk(tree(path)):
            if (
                isinstance(node, ast.ImportFrom)
                and (node.module or "").split(".")[0] == "inception_dsl"
            ):
                assert node.module == "inception_dsl.backend", f"{ids(path)}:{node.lineno}"
                assert {a.name for a in node.names} <= set(inception_dsl.backend.__all__)
            if isinstance(node, ast.Import):
                assert not [a for a in node.names if a.name.split(".")[0] == "inception_dsl"]


ALLOWED = (
    *(
        nodes.Template,
        nodes.Output,
        nodes.TemplateData,
        nodes.Name,
        nodes.Getattr,
        nodes.For,
        nodes.If,
        nodes.Include,
    ),
    *(nodes.Filter, nodes.Const, nodes.Keyword, nodes.Getitem),
)


@pytest.mark.parametrize("path", TEMPLATES, ids=ids)
def test_templates_hold_no_logic(path: Path) -> None:
    tree = jinja2.Environment().parse(path.read_text(encoding="utf-8"))
    for node in walk(tree):
        assert isinstance(node, ALLOWED), f"{type(node).__name__} in line {node.lineno}"
        if isinstance(node, nodes.If):
            assert isinstance(node.test, nodes.Name | nodes.Getattr), (
                f"line {node.lineno}: `if` of a plain name only"
            )
            assert not node.elif_
        if isinstance(node, nodes.Getitem):
            assert isinstance(node.arg, nodes.Const), f"line {node.lineno}"
        if isinstance(node, nodes.For):
            assert node.test is None
            assert not node.recursive
        if isinstance(node, nodes.Filter):
            assert node.name in ("join", "indent"), f"line {node.lineno}: filter {node.name}"


def walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from walk(child)


def test_there_are_templates() -> None:
    assert {p.relative_to(BACKENDS).parts[0] for p in TEMPLATES} == {
        "inception_dsl_torch",
        "inception_dsl_keras",
        "inception_dsl_documents",
    }


PUBLIC = (Path(__file__).parent / "public_api.txt").read_text(encoding="utf-8").split()


def test_the_public_api_is_pinned() -> None:
    """A name more or less here is a change of the interface: raise API_VERSION, or mean it."""
    assert list(inception_dsl.backend.__all__) == PUBLIC
    assert all(hasattr(inception_dsl.backend, name) for name in PUBLIC)
