"""The rules of the house, as far as a machine can check them."""

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

import inception_dsl.backend

ROOT = Path(__file__).parent.parent.parent
CORE = ROOT / "inception_dsl"
BACKENDS = ROOT / "backends"
MODULES = sorted([*CORE.rglob("*.py"), *BACKENDS.rglob("*.py")])
TEMPLATES = sorted(BACKENDS.rglob("*.j2"))
FRAMEWORKS = ("torch", "keras", "tensorflow", "jax", "numpy")
MAX_MODULE, MAX_FUNCTION = 320, 45


def ids(path: object) -> str:
    return str(path.relative_to(ROOT)) if isinstance(path, Path) else ""


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_no_module_and_no_function_is_long(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.body[0].lineno + 1
            assert lines <= MAX_FUNCTION, f"{node.name} has {lines} lines"


def test_no_module_is_called_utils() -> None:
    assert not [
        p
        for p in MODULES
        if p.stem in ("utils", "util", "helpers", "misc", "common") and p.is_relative_to(CORE)
    ]


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_every_module_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=ids)
def test_the_core_names_no_backend(path: Path) -> None:
    """Prose may compare frameworks; code may not: no name, no text that could be compared."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute | ast.arg | ast.keyword):
            name = (
                getattr(node, "id", None)
                or getattr(node, "attr", None)
                or getattr(node, "arg", None)
                or ""
            )
            assert not re.fullmatch(r"(?i)(torch|pytorch|keras|tensorflow)\w*", str(name))
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert node.value.lower() not in ("torch", "pytorch", "keras", "tensorflow", "jax")


@pytest.mark.parametrize("command", ["summary", "build", "check"])
def test_compiling_imports_no_framework(command: str, tmp_path: Path) -> None:
    extra = ["--all-backends", "--out", str(tmp_path)] if command == "build" else []
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
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += (
                [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            )
            assert not [n for n in names if n.split(".")[0] in FRAMEWORKS], (
                f"{ids(path)}:{node.lineno}"
            )  # type: ignore[attr-defined]


def test_backends_import_one_module() -> None:
    for path in BACKENDS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
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
    }


PUBLIC = (Path(__file__).parent / "public_api.txt").read_text(encoding="utf-8").split()


def test_the_public_api_is_pinned() -> None:
    """A name more or less here is a change of the interface: raise API_VERSION, or mean it."""
    assert list(inception_dsl.backend.__all__) == PUBLIC
    assert all(hasattr(inception_dsl.backend, name) for name in PUBLIC)


def test_generated_code_is_up_to_date() -> None:
    specs = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "specs").glob("*.yaml"))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "inception_dsl",
            "build",
            *specs,
            "--backend",
            "torch",
            "--backend",
            "keras",
            "--check",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    names = {p.stem for p in (ROOT / "specs").glob("*.yaml")}
    for backend in ("torch", "keras"):
        assert {p.stem for p in (ROOT / "generated" / backend).glob("*.py")} == names


def test_generated_code_has_no_version_date_or_path() -> None:
    for path in (ROOT / "generated").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b20[2-9]\d-\d\d-\d\d\b|\b0\.1\.0\b|/home/|/tmp/|C:\\", text), path


def test_building_twice_gives_the_same_text(tmp_path: Path) -> None:
    texts = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        subprocess.run(
            [sys.executable, "-m", "inception_dsl", "build", "specs/v3.yaml", "--out", str(out)],
            cwd=ROOT,
            env={**__import__("os").environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        texts.append({p.relative_to(out): p.read_text() for p in out.rglob("*.py")})
    assert texts[0] == texts[1]
