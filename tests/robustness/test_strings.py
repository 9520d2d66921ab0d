"""Random strings for the expression parser, and a check that no text is evaluated."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import strings

from inception_dsl.types import expression

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    p for folder in ("inception_dsl", "backends") for p in (ROOT / folder).rglob("*.py")
)
BUILTINS = {"eval", "exec", "compile", "__import__", "execfile", "breakpoint"}
KNOWN = {
    "inception_dsl/emit/module.py": [
        "exec",
        "compile",
    ],  # runs generated source, to verify it
    "inception_dsl/backend/returned.py": ["compile"],  # the syntax of generated source
    "inception_dsl/backend/arguments.py": ["ast"],  # compares generated source
    "inception_dsl/testing/conformance.py": ["ast"],  # parses generated source
    "inception_dsl/testing/symbol_files.py": ["ast"],
}
EVALUATORS = {
    "ast",
    "pickle",
    "marshal",
    "shelve",
    "code",
    "codeop",
    "simpleeval",
    "asteval",
    "numexpr",
}


def test_random_strings() -> None:
    outcomes, findings, _ = strings.chunk(10_000_000, 15_000)
    assert findings == []
    assert outcomes["not parsed"] > 5_000
    assert outcomes["evaluated"] > 2_000
    assert outcomes["no value"] > 1_000


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("_PRECEDENCE", {"+": 1, "-": 1, "*": 1, "//": 2, "%": 2}),
        ("MAX_SIZE", 2**80),
        ("_OPERATORS", None),
    ],
)
def test_a_wrong_parser_is_found(name: str, code: object, monkeypatch: pytest.MonkeyPatch) -> None:
    if code is None:
        code = {**expression._OPERATORS, "%": lambda a, b: a - a // b * b if b != 7 else 0}
    monkeypatch.setattr(expression, name, code)
    assert strings.chunk(0, 3_000)[1]


def evaluations(tree: ast.AST) -> list[str]:
    """All code that could evaluate text."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in BUILTINS:
            found.append(f"line {node.lineno}: {node.id}")
        if isinstance(node, ast.Attribute) and node.attr in (
            "eval_frame",
            "literal_eval",
            "from_string",
            "load_module",
        ):
            found.append(f"line {node.lineno}: {node.attr}")
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        found += [f"import of {name}" for name in names if name.split(".")[0] in EVALUATORS]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_evaluates_text(path: Path) -> None:
    found = evaluations(ast.parse(path.read_text(encoding="utf-8")))
    assert [problem.split()[-1] for problem in found] == KNOWN.get(
        path.relative_to(ROOT).as_posix(), []
    ), found


@pytest.mark.parametrize(
    "text",
    [
        "eval('1')",
        "f = exec",
        "compile(s, 'f', 'exec')",
        "import ast",
        "from pickle import loads",
        "import code.x",
    ],
)
def test_the_check_finds_evaluations(text: str) -> None:
    assert evaluations(ast.parse(text))
    assert not evaluations(ast.parse("import re\nre.compile('a')\nmodel.eval()"))
