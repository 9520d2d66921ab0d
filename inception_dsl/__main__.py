"""The entry point of ``inception-dsl`` and ``python -m inception_dsl``."""

from __future__ import annotations

import gc
import os
import sys


def run() -> None:
    """Run one command; the process ends with it."""
    gc.disable()  # for speed: the process is short and frees its memory at exit
    # for speed: searching for plugins takes longer than reading a spec
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell (`>&-`)
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # for terminals without Unicode
    from .cli import main

    try:
        main(prog_name="inception-dsl")
    finally:
        # for speed: else the interpreter searches all objects for cycles once more when it ends;
        # exit handlers run and streams are flushed as always
        gc.freeze()


if __name__ == "__main__":
    run()
