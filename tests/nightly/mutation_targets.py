"""The modules for mutation testing, and the tests to run for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutants import Module

ROOT = Path(__file__).parent.parent.parent
GROUPS = {
    "loader": (
        "yaml.source",
        "yaml.document",
        "yaml.scalars",
        "language.load",
        "language.reading",
        "language.check",
        "language.rest",
        "language.overlay",
        "language.roots",
    ),
    "expressions": ("types.expression", "types.terms", "types.spelling"),
    "shape rules": (
        "types.prose",
        "types.tensor",
        "types.weight",
        "types.window",
        "analysis.infer",
        "analysis.evaluate",
        "analysis.clash",
        "analysis.merged",
        "ops.*",
    ),
}
NO_SHAPE_RULES = {"ops.__init__"}
TESTS = {  # the tests of a module, and fast tests of related modules
    "yaml": (
        "unit/yaml/test_source.py",
        "unit/yaml/test_parser_errors.py",
        "unit/yaml/test_recovery.py",
        "language/test_errors.py",
    ),
    "language.load": (
        "unit/language/test_load.py",
        "unit/language/test_settings.py",
        "unit/language/test_unreadable.py",
        "unit/language/test_overlay.py",
        "unit/language/test_overlay_imports.py",
        "language/test_errors.py",
    ),
    "language.reading": (
        "unit/language/test_reading.py",
        "unit/language/test_shipped.py",
        "unit/language/test_load.py",
        "unit/language/test_settings.py",
        "unit/language/test_unreadable.py",
        "unit/language/test_overlay.py",
        "unit/language/test_overlay_imports.py",
        "language/test_errors.py",
    ),
    "language.check": (
        "unit/language/test_load.py",
        "unit/language/test_settings.py",
        "unit/language/test_unreadable.py",
        "language/test_errors.py",
    ),
    "language.rest": (
        "unit/language/test_rest.py",
        "unit/language/test_load.py",
        "unit/language/test_settings.py",
        "unit/language/test_unreadable.py",
    ),
    "language.overlay": (
        "unit/language/test_overlay.py",
        "unit/language/test_overlay_imports.py",
    ),
    "language.roots": (
        "unit/language/test_load.py",
        "unit/language/test_settings.py",
        "unit/language/test_unreadable.py",
        "unit/language/test_roots.py",
    ),
    "types.expression": ("unit/types/test_expression.py",),
    "types.terms": (
        "unit/types/test_terms.py",
        "unit/types/test_explained.py",
        "unit/types/test_spelling.py",
    ),
    "types.spelling": ("unit/types/test_spelling.py", "unit/types/test_explained.py"),
    "types": (
        "unit/types/test_values.py",
        "unit/types/test_windows.py",
        "unit/ops/test_rules.py",
        "unit/ops/test_defaults.py",
    ),
    "analysis": (
        "unit/analysis/test_infer.py",
        "unit/analysis/test_infer_locations.py",
        "unit/analysis/test_infer_errors.py",
        "unit/analysis/test_budgets.py",
        "unit/analysis/test_expand.py",
        "language/test_errors.py",
    ),
    "analysis.clash": (
        "unit/analysis/test_clash.py",
        "unit/analysis/test_infer.py",
        "unit/analysis/test_infer_locations.py",
        "language/test_errors.py",
    ),
    "analysis.merged": ("unit/analysis/test_clash.py", "unit/analysis/test_infer.py"),
    "ops": (
        "unit/ops/test_rules.py",
        "unit/ops/test_defaults.py",
        "unit/ops/test_ops.py",
        "unit/analysis/test_cost.py",
    ),
}


def modules() -> Iterator[tuple[str, Module]]:
    """The modules to change, with their groups."""
    for group, names in GROUPS.items():
        for name in names:
            for path in sorted(ROOT.glob(f"inception_dsl/{name.replace('.', '/')}.py")):
                found = ".".join(path.relative_to(ROOT / "inception_dsl").with_suffix("").parts)
                if found not in NO_SHAPE_RULES:
                    yield group, Module(found, path)


def tests(module: str) -> list[str]:
    names = TESTS.get(module) or TESTS[module.partition(".")[0]]
    return [str(path) for path in (ROOT / "tests" / name for name in names) if path.exists()]
