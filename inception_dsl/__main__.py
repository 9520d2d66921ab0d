"""The program: ``inception-dsl`` and ``python -m inception_dsl``."""

from __future__ import annotations

import gc
import os
import sys


def run() -> None:
    """Run one command in a process of its own."""
    gc.disable()  # it ends before there is anything worth collecting
    # looking for them takes longer than reading a spec
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    if sys.stdout is not None:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # what a terminal cannot show
    from .cli import main

    main(prog_name="inception-dsl")


if __name__ == "__main__":
    run()
