"""Tests the program ``inception_dsl.testing.fuzz`` itself."""

from __future__ import annotations

import subprocess
import sys

WITHOUT_NUMPY = """\
import runpy, sys
sys.modules["numpy"] = None
sys.argv = ["fuzz", "--count", "1"]
runpy.run_module("inception_dsl.testing.fuzz", run_name="__main__")
"""


def test_without_numpy_it_says_what_to_install() -> None:
    command = [sys.executable, "-c", WITHOUT_NUMPY]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot import the package `numpy`")
    assert "pip install 'inception-dsl[weights]'" in done.stderr
    assert "Traceback" not in done.stderr
