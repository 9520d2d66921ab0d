"""The mutants themselves, and a share of them against the tests (``nightly/mutation.py`` tries
all).
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml
from mutants import Module
from mutation import modules

NIGHTLY = Path(__file__).parents[1] / "nightly"
TEXT = '''\
"""Words of the module."""
LIMIT: int = 3


def bounded(x: int | None, *, least: int = 0) -> int:
    """Words of the function."""
    assert x is not None
    if x < least or not x:
        raise ValueError("too small to be true", "E101")
    total = sum(v for v in range(x)[1:] if v)
    report(x, help="more words", label="label")
    return f"{x} is the sum" and total + LIMIT
'''


def test_mutants(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(TEXT)
    module = Module("m", path)
    found = {(m.function, m.was, m.now, m.late) for m in module.mutants}
    assert found == {
        ("", "LIMIT: int = 3", "LIMIT: int = 4", False),
        ("", "x: int | None, *, least: int=0", "x: int | None, *, least: int=1", False),
        ("bounded", "x < least or not x", "x < least and (not x)", True),
        ("bounded", "x < least or not x", "x <= least or not x", True),
        ("bounded", "x < least or not x", "x < least or x", True),
        ("bounded", "raise ValueError('too small to be true', 'E101')", "pass", True),
        (
            "bounded",
            "ValueError('too small to be true', 'E101')",
            "ValueError('E101', 'too small to be true')",
            True,
        ),
        (
            "bounded",
            "ValueError('too small to be true', 'E101')",
            "ValueError('too small to be true', '')",
            True,
        ),
        ("bounded", "range(x)[1:]", "range(x)[:]", True),
        ("bounded", "range(x)[1:]", "range(x)[2:]", True),
        ("bounded", "for v in range(x)[1:] if v", "for v in range(x)[1:] if not v", True),
        ("bounded", "report(x, help='more words', label='label')", "pass", True),
        (
            "bounded",
            "report(x, help='more words', label='label')",
            "report(x, help='more words')",
            True,
        ),
        ("bounded", "label='label'", "label=''", True),
        ("bounded", "return f'{x} is the sum' and total + LIMIT", "return", True),
        (
            "bounded",
            "f'{x} is the sum' and total + LIMIT",
            "f'{x} is the sum' or total + LIMIT",
            True,
        ),
        ("bounded", "total + LIMIT", "total - LIMIT", True),
    }


def test_a_mutant_is_one_change_and_listing_them_is_none(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(TEXT)
    plain = ast.unparse(ast.parse(TEXT)).splitlines()
    assert ast.unparse(Module("m", path).tree).splitlines() == plain
    for number in range(len(Module("m", path).mutants)):
        module = Module("m", path)
        changed = ast.unparse(module.compiled(module.mutants[number])).splitlines()
        assert len(changed) == len(plain)
        assert sum(a != b for a, b in zip(plain, changed, strict=True)) == 1


def test_every_module_has_mutants_and_every_survivor_a_reason() -> None:
    names = {module.name for _, module in modules() if module.mutants}
    assert {
        "yaml.source",
        "language.load",
        "types.expression",
        "types.terms",
        "types.spelling",
        "types.window",
        "analysis.infer",
        "analysis.clash",
        "ops.base",
        "ops.pool",
    } <= names
    listed = yaml.safe_load((NIGHTLY / "survivors.yaml").read_text(encoding="utf-8"))
    for entry in listed:
        assert set(entry) == {"in", "was", "now", "why"}
        assert entry["in"].split(":")[0] in names
        assert len(entry["why"]) > 10, entry


def test_a_share_of_the_mutants_is_killed() -> None:
    command = [
        sys.executable,
        str(NIGHTLY / "mutation.py"),
        "--jobs",
        "2",
        "--module",
        "types.terms",
    ]
    root = Path(__file__).parents[2]  # mutate the code of this repository, not an installed copy
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root / "backends")])}
    done = subprocess.run(
        [*command, "--share", "0.3"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env=environment,
    )
    found = re.search(r"expressions +(\d+) mutants, +(\d+) killed", done.stdout)
    assert found, done.stdout + done.stderr
    tried, killed = map(int, found.groups())
    assert tried >= 20
    assert killed >= 0.8 * tried, done.stdout
