"""A spec that imports a file, and its report."""

from __future__ import annotations

from pathlib import Path

import pytest
from attack_names import BLOCK, INPUT, OUTSIDE

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report


def network(wanted: str) -> str:
    return f"network: net\n{INPUT}import: [{wanted}]\nbody: [{{use: unit}}]\n"


def reported(path: Path, root: Path | None = None) -> str:
    report = Report()
    compile_spec(path, {}, report, root)
    return report.render()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A root with a spec that imports ``sub/unit.yaml``, and a file with this name outside."""
    root = tmp_path / "project"
    for folder in (root / "sub", tmp_path / "sub"):
        folder.mkdir(parents=True)
    (root / "sub/unit.yaml").write_text(BLOCK.format("unit"))
    (tmp_path / "sub/unit.yaml").write_text(OUTSIDE)
    (root / "spec.yaml").write_text(network("sub/unit.yaml"))
    return root
