"""What is generated and kept in the repository is what the compiler makes now."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from frameworks import BACKENDS
from paths import ROOT

FILES = sorted(p for folder in ("specs", "specs/family") for p in (ROOT / folder).glob("*.yaml"))
SPECS = [path.relative_to(ROOT).as_posix() for path in FILES]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line, as a user calls it in the repository."""
    call = [sys.executable, "-m", "inception_dsl", *arguments]
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)


def test_generated_code_is_up_to_date() -> None:
    chosen = [part for name in BACKENDS for part in ("--backend", name)]
    done = command("build", *SPECS, *chosen, "--check")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    names = {path.stem for path in FILES}
    for backend in BACKENDS:
        assert {p.stem for p in (ROOT / "generated" / backend).glob("*.py")} == names


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
    for path in (ROOT / "generated").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b20[2-9]\d-\d\d-\d\d\b|\b0\.1\.0\b|/home/|/tmp/|C:\\", text), path
