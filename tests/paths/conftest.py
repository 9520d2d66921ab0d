"""The attacks stand in a module of their own, which a child process runs too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
