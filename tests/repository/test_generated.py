"""What is generated and kept in the repository is what the compiler makes now."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from paths import ROOT

FILES = sorted(p for folder in ("specs", "specs/family") for p in (ROOT / folder).glob("*.yaml"))
KEPT = {"torch": ".py", "keras": ".py", "latex": ".tex"}
"""The backends whose files are kept, with the suffix of their main files."""
SPECS = [path.relative_to(ROOT).as_posix() for path in FILES]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line, as a user calls it in the repository."""
    call = [sys.executable, "-m", "inception_dsl", *arguments]
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)


def test_generated_code_is_up_to_date() -> None:
    chosen = [part for name in KEPT for part in ("--backend", name)]
    done = command("build", *SPECS, *chosen, "--check")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    names = {path.stem for path in FILES}
    for backend, suffix in KEPT.items():
        files = [*(ROOT / "generated" / backend).iterdir()]
        assert {p.stem for p in files if p.suffix == suffix} == names
        assert {p.stem for p in files} <= {*names, "__pycache__"}


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


def test_generated_code_has_no_version_date_or_path() -> None:
    folders = (ROOT / "generated" / backend for backend in KEPT)
    for path in (p for folder in folders for p in folder.iterdir() if p.is_file()):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b20[2-9]\d-\d\d-\d\d\b|\b0\.1\.0\b|/home/|/tmp/|C:\\", text), path
