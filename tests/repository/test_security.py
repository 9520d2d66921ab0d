"""SECURITY.md is true: the limits are those of the code, the packages those that are installed."""

from __future__ import annotations

import ast
import importlib
import re
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent.parent
CORE = ROOT / "inception_dsl"
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    return TEXT.split(f"\n## {name}\n")[1].split("\n## ")[0]


def constants() -> dict[str, str]:
    """Every limit of the compiler, ``MAX_…`` at the top of a module, as the table writes it."""
    found = {}
    for path in sorted(CORE.rglob("*.py")):
        module = ".".join(path.relative_to(CORE).with_suffix("").parts)
        if module.startswith(("reference.", "testing.", "verify.")):
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = (
                node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            )
            for name in (
                t.id for t in targets if isinstance(t, ast.Name) and t.id.startswith("MAX_")
            ):
                value = getattr(importlib.import_module(f"inception_dsl.{module}"), name)
                found[f"{module}.{name}"] = f"{value:,.0f}"
    return found


def test_the_limits_are_those_of_the_code() -> None:
    """A limit that is added or changed is changed in SECURITY.md too."""
    rows = re.findall(
        r"^\| [^|]+ \| ([0-9,]+) \| `([a-z_.0-9]+\.MAX_[A-Z]+)` \|$",
        section("Limits"),
        re.MULTILINE,
    )
    assert {where: number for number, where in rows} == constants()


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(name: str, seen: set[str]) -> set[str]:
    """The package called ``name`` and all that it needs here, without extras."""
    if normalised(name) not in seen:
        seen.add(normalised(name))
        for line in metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                needed(requirement.name, seen)
    return seen


def test_the_packages_are_those_that_are_installed() -> None:
    listed = re.findall(r"^\| ([A-Za-z0-9-]+) \| \S", section("Packages"), re.MULTILINE)
    found = needed("inception-dsl", set()) - {
        "inception-dsl",
        "colorama",
    }  # colorama: on Windows, by click
    assert {normalised(name) for name in listed} - {"package"} == found
