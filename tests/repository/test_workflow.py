"""The workflow for GitHub Actions in docs/diagnostics.md: its commands run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from documents import blocks
from paths import ROOT


def workflow() -> dict[Any, Any]:
    """The one workflow of the documents. YAML reads the key ``on`` as ``True``."""
    (block,) = (block for block in blocks("yml") if "runs-on:" in block.text)
    found: dict[Any, Any] = yaml.safe_load(block.text)
    return found


def steps() -> list[dict[str, Any]]:
    (job,) = workflow()["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with specs and generated files."""
    for name in ("specs", "generated"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def run(folder: Path) -> dict[str, tuple[int, str]]:
    """The status and the output of each command but the installation, as the runner calls them."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = {}
    for command in (step["run"] for step in steps() if "run" in step):
        if not command.startswith("pip install "):
            done = subprocess.run(
                ["bash", "-e", "-c", command],
                cwd=folder,
                env={**os.environ, "PATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
            found[command] = done.returncode, done.stdout + done.stderr
    return found


def test_it_is_a_workflow() -> None:
    found = workflow()
    assert found[True] == ["push", "pull_request"]
    for job in found["jobs"].values():
        assert job["runs-on"]
    for step in steps():
        assert len(step.keys() & {"run", "uses"}) == 1
        assert re.fullmatch(r"[\w-]+(/[\w-]+)+@v\d+", step.get("uses", "a/b@v1"))
        assert step.keys() <= {"run", "uses", "with", "if"}
    assert found["permissions"]["security-events"] == "write", "to upload alerts"


def test_its_commands_pass(checkout: Path) -> None:
    for command, (status, output) in run(checkout).items():
        assert status == 0, f"{command}: {output}"
    (uploaded,) = (
        step["with"]["sarif_file"] for step in steps() if "sarif" in str(step.get("with"))
    )
    assert json.loads((checkout / uploaded).read_text())["runs"][0]["results"] == []


def test_its_commands_find_errors(checkout: Path) -> None:
    spec = checkout / "specs" / "blocks" / "reduction_a.yaml"
    spec.write_text(spec.read_text().replace("filters:", "filtres:", 1))
    github, build, sarif = run(checkout).values()
    assert github[0] == 1 and "::error file=specs/blocks/reduction_a.yaml,line=" in github[1]
    assert build[0] == 1 and "reduction_a.yaml" in build[1]
    assert sarif[0] == 1
    results = json.loads((checkout / "specs.sarif").read_text())["runs"][0]["results"]
    assert {result["ruleId"] for result in results} >= {"E201"}


def test_the_configuration_of_pre_commit_names_our_hooks() -> None:
    (block,) = (block for block in blocks("yml") if "repos:" in block.text)
    (repository,) = yaml.safe_load(block.text)["repos"]
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in repository["hooks"]] == [hook["id"] for hook in hooks]
