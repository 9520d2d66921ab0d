"""Distributions whose metadata is broken, laid out by hand as no tool would make them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from inception_dsl import plugins
from inception_dsl.diagnostics.report import Report

METADATA = "Metadata-Version: 2.1\nName: {0}\nVersion: 1.0\n"
GROUP = f"[{plugins.GROUP}]\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def distribution(site: Path, name: str, points: bytes, metadata: str | None = METADATA) -> None:
    folder = site / f"{name}-1.0.dist-info"
    folder.mkdir()
    (folder / "entry_points.txt").write_bytes(points)
    if metadata is not None:
        (folder / "METADATA").write_text(metadata.format(name))


def problems(expected: str) -> str:
    """What is said of the one backend of which ``expected`` is the name; all others load."""
    found = plugins.installed()
    good, broken = plugins.usable()
    assert {"torch", "keras"} <= {plugin.name for plugin, _ in good}
    [line] = broken
    assert expected in [plugin.name for plugin in found]
    assert "\n" not in line
    return line


def test_no_metadata(site: Path) -> None:
    distribution(site, "ill", (GROUP + "ill = nothing_here:BACKEND\n").encode(), None)
    line = problems("ill")
    assert line.startswith("skipped the backend `ill`: ill-1.0.dist-info: ModuleNotFoundError")


def test_metadata_without_name(site: Path) -> None:
    distribution(
        site, "ill", (GROUP + "ill = nothing_here:BACKEND\n").encode(), "Metadata-Version: 2.1\n"
    )
    assert "ill-1.0.dist-info: ModuleNotFoundError" in problems("ill")


@pytest.mark.parametrize(
    "target", ["no target", "a-b:c", "module", "module:", "os; import sys:path", "a:b c"]
)
def test_targets_that_are_none(site: Path, target: str) -> None:
    distribution(site, "ill", f"{GROUP}ill = {target}\n".encode())
    assert (
        problems("ill") == f"skipped the backend `ill`: ill: `{target}` is not `module:attribute`"
    )


@pytest.mark.parametrize(
    "text",
    [b"no equals sign\n", b"\xff\xfe = a:b\n", b"good = a:b\n[other]\nno equals sign\n"],
    ids=["line", "bytes", "other"],
)
def test_entry_points_that_cannot_be_read(site: Path, text: bytes) -> None:
    """They spoil what Python says of all distributions, and not what is said here."""
    distribution(site, "ill", GROUP.encode() + text)
    distribution(site, "well", (GROUP + "well = nothing_here:BACKEND\n").encode())
    assert "well" in [plugin.name for plugin in plugins.installed()]
    _, broken = plugins.usable()
    assert [line for line in broken if "ill: its entry points cannot be read: " in line]
    assert [line for line in broken if "`well`: well: ModuleNotFoundError" in line]
    report = Report()
    assert [plugin.name for plugin, _ in plugins.chosen(["torch"], report)] == ["torch"]
    assert plugins.chosen(["?"], report) == []
    assert [d.code for d in report] == ["E501"]


def test_names_that_steer_a_terminal(site: Path) -> None:
    distribution(site, "ill", (GROUP + "\x1b[31m = nothing_here:BACKEND\n").encode())
    _, broken = plugins.usable()
    assert broken == [line for line in broken if line.isprintable()]
    assert [line for line in broken if "`\\x1b[31m`: " in line]


def test_a_name_twice_in_one_distribution(site: Path) -> None:
    distribution(site, "ill", (GROUP + "ill = a:b\nill = a:c\n").encode())
    assert problems("ill").endswith("ill and ill both provide a backend `ill`; uninstall one")
