"""Loads generated source as a module."""

from __future__ import annotations

import itertools
import linecache
import sys
from types import ModuleType

_numbers = itertools.count()


def module_from_source(source: str, name: str) -> ModuleType:
    """Execute generated source as a new module; tracebacks show its lines.

    The source does not inherit the ``__future__`` imports of this module.
    """
    unique = f"_inception_dsl_{name}_{next(_numbers)}"
    file = f"<{unique}>"
    module = ModuleType(unique)
    module.__file__ = file
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    sys.modules[unique] = module
    try:
        exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)
    except BaseException:
        del sys.modules[unique]
        raise
    return module


def script_from_source(source: str, name: str, beside: ModuleType) -> ModuleType:
    """Execute a generated script as a new module, which is not the main one; it imports ``beside``
    as ``name``.
    """
    known = sys.modules.get(name)
    sys.modules[name] = beside
    try:
        return module_from_source(source, f"{name}_script")
    finally:
        if known is None:
            del sys.modules[name]
        else:
            sys.modules[name] = known
