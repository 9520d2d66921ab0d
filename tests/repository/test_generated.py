"""What is generated and kept in the repository is what the compiler makes now."""

from __future__ import annotations

import re
import subprocess
import sys

from paths import ROOT


def test_generated_code_is_up_to_date() -> None:
    specs = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "specs").glob("*.yaml"))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "inception_dsl",
            "build",
            *specs,
            "--backend",
            "torch",
            "--backend",
            "keras",
            "--check",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    names = {p.stem for p in (ROOT / "specs").glob("*.yaml")}
    for backend in ("torch", "keras"):
        assert {p.stem for p in (ROOT / "generated" / backend).glob("*.py")} == names


def test_generated_code_has_no_version_date_or_path() -> None:
    for path in (ROOT / "generated").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b20[2-9]\d-\d\d-\d\d\b|\b0\.1\.0\b|/home/|/tmp/|C:\\", text), path
