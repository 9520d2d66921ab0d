"""What is generated and kept in the repository is what the compiler makes now."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from paths import ROOT

from inception_dsl.build.build import Order, build
from inception_dsl.diagnostics.report import Report
from inception_dsl.plugins import usable

FILES = sorted(p for folder in ("specs", "specs/family") for p in (ROOT / folder).glob("*.yaml"))
SPECS = [path.relative_to(ROOT).as_posix() for path in FILES]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line, as a user calls it in the repository."""
    call = [sys.executable, "-m", "inception_dsl", *arguments]
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)


def test_generated_files_are_up_to_date() -> None:
    """The source and the documents of all backends, and no other files."""
    done = command("build", *SPECS, "--all-backends", "--documents", "--check")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    backends, broken = usable()
    assert not broken
    order = Order([*map(str, FILES)], {}, backends, ROOT / "generated", train=None)
    made = build(order, Report())
    folders = [ROOT / "generated" / backend.name for _, backend in backends]
    found = {p for folder in folders for p in folder.iterdir() if p.name != "__pycache__"}
    assert found == {*(made or {})}


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("specs/schema.json", ["schema"]),
        ("specs/README.md", ["ops", "--markdown"]),
        ("docs/errors.md", ["explain", "--markdown"]),
    ],
)
def test_a_kept_file_is_up_to_date(path: str, arguments: list[str]) -> None:
    kept = (ROOT / path).read_text(encoding="utf-8")
    assert command(*arguments).stdout == kept, f"inception-dsl {' '.join(arguments)} > {path}"


def test_generated_files_have_no_version_date_or_path() -> None:
    for path in (ROOT / "generated").glob("[!._]*/*.*"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b20[2-9]\d-\d\d-\d\d\b|\b0\.1\.0\b|/home/|/tmp/|C:\\", text), path
