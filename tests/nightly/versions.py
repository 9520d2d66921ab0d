"""Tests that the output has the same bytes in every version of Python and in every environment.

    python tests/nightly/versions.py python3.12 python3.13

Creates a virtual environment for each interpreter, produces all output in every variant, and
compares it with that of the current interpreter. Exits with status 1 if a byte differs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CORE = ("click", "jinja2", "pydantic", "pyyaml")
VARIANTS: dict[str, dict[str, str]] = {
    "another hash seed, a Turkish locale": {
        "PYTHONHASHSEED": "1",
        "LC_ALL": "tr_TR.UTF-8",
        "LANGUAGE": "tr",
    },
    "a random hash seed, the C locale": {
        "PYTHONHASHSEED": "random",
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
        "TZ": "Asia/Tokyo",
        "COLUMNS": "40",
        "UMASK": "077",
    },
    "an ASCII terminal": {
        "PYTHONIOENCODING": "ascii",
        "LC_ALL": "POSIX",
        "PYTHONOPTIMIZE": "1",
    },
}


def produced(python: Path, folder: Path, variant: Mapping[str, str]) -> dict[str, bytes]:
    """All output of ``produce.py`` for a copy of the specs in ``folder``, by name."""
    shutil.copytree(ROOT / "specs", folder / "specs")
    out = folder / "out"
    out.mkdir()
    variables = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("LC_", "LANG", "PYTHON", "COLUMNS", "TZ"))
    }
    variables |= {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "backends")]),
        "PYTHONHASHSEED": "0",
    }
    variables |= {k: v for k, v in variant.items() if k != "UMASK"}
    done = subprocess.run(
        [str(python), str(Path(__file__).with_name("produce.py")), str(out)],
        cwd=folder,
        env=variables,
        umask=int(variant.get("UMASK", "022"), 8),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def differences(first: Mapping[str, bytes], other: Mapping[str, bytes]) -> list[str]:
    """The names of outputs that differ."""
    return sorted(
        name for name in first.keys() | other.keys() if first.get(name) != other.get(name)
    )


def environment(python: str, folder: Path) -> Path:
    """The interpreter of a new virtual environment with this project."""
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    pip = [
        str(folder / "bin" / "pip"),
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-c",
        str(ROOT / "constraints.txt"),
    ]
    subprocess.run([*pip, str(ROOT)], check=True)
    return folder / "bin" / "python"


def main(pythons: Sequence[str]) -> int:
    """The number of variants that differ, over all versions."""
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        first = produced(Path(sys.executable), Path(name) / "first", {})
        print(
            f"{len(first)} outputs, {sum(map(len, first.values())):,} bytes, "
            f"Python {sys.version.split()[0]}"
        )
        for number, python in enumerate([sys.executable, *pythons]):
            found = environment(python, Path(name) / f"env{number}") if number else Path(python)
            for variant, variables in {"unchanged environment": {}, **VARIANTS}.items():
                folder = Path(name) / f"{number} {variant}"
                differ = differences(first, produced(found, folder, variables))
                shutil.rmtree(folder)
                failed += bool(differ)
                print(
                    f"{python:40} {variant:40} {'same' if not differ else f'DIFFERS: {differ}'}",
                    flush=True,
                )
    return failed


if __name__ == "__main__":
    raise SystemExit(bool(main(sys.argv[1:])))
