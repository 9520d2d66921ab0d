"""The figures of the tutorial: its commands are run, and the specs that they write are drawn."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from figures import draw
from pages import ROOT

import inception_dsl

TUTORIAL: Final = ROOT / "docs" / "tutorial.md"
_SPEC: Final = re.compile(r"^```yaml\n(network: .*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND: Final = re.compile(r"^inception-dsl (rewrite .* -o (\S+)\.yaml)$", re.MULTILINE)


def write(source: Path) -> None:
    """Write the figures of all steps to the source of the site."""
    text = TUTORIAL.read_text(encoding="utf-8")
    (spec,) = _SPEC.findall(text)
    with TemporaryDirectory() as folder:
        (Path(folder) / "naive.yaml").write_text(spec, encoding="utf-8")
        for command, _ in _COMMAND.findall(text):
            call = [sys.executable, "-m", "inception_dsl", *shlex.split(command)]
            done = subprocess.run(call, cwd=folder, check=False, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{done.stderr}\nerror: docs/tutorial.md: {command} failed")
        for name in ("naive", *(name for _, name in _COMMAND.findall(text))):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", inception_dsl.SpecWarning)
                draw(inception_dsl.load(f"{folder}/{name}.yaml"), name, source)
