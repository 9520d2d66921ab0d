"""The entry point of ``inception-dsl`` and ``python -m inception_dsl``."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from types import ModuleType
from typing import Any


class NoPlugins(ModuleType):
    """Takes the place of pydantic's search for plugins, and finds none.

    The search is disabled by pydantic's own variable, but its module imports
    ``importlib.metadata``, which takes a tenth of the time of ``check``. Any other name is looked
    up in pydantic's module.
    """

    @staticmethod
    def get_plugins() -> tuple[()]:
        """What pydantic calls whenever it creates a validator."""
        return ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        sys.modules.pop(self.__name__, None)
        return getattr(importlib.import_module(self.__name__), name)


def without_plugins() -> None:
    """Disable plugins of pydantic, unless the user's environment says something else."""
    if os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__") == "__all__":
        name = "pydantic.plugin._loader"
        sys.modules.setdefault(name, NoPlugins(name))


def run() -> None:
    """Run one command; the process ends with it."""
    gc.disable()  # for speed: the process is short and frees its memory at exit
    without_plugins()
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
