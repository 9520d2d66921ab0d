"""``python -m inception_dsl``."""

from __future__ import annotations

from .cli import main

main(prog_name="inception-dsl")
