"""Lets the tests of this folder import what the tests of backends share."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "backends"))
