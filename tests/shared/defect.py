"""A bug seeded on purpose into the running compiler or a backend."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from jinja2 import ChoiceLoader, DictLoader

from inception_dsl.emit import render

CORE, TORCH, KERAS = "inception_dsl", "inception_dsl_torch", "inception_dsl_keras"


class Defect(NamedTuple):
    """In ``package``, replaces ``old`` in ``file`` (a module or a template) by ``new``."""

    name: str
    package: str
    file: str
    old: str
    new: str
    training: bool = False

    @property
    def backend(self) -> str:
        """The backend to test with; a defect of the compiler affects all of them."""
        return "keras" if self.package == KERAS else "torch"

    @contextmanager
    def seeded(self) -> Iterator[None]:
        """The defect is active in this context."""
        with _template(self) if self.file.endswith(".j2") else _module(self):
            yield


def _changed(defect: Defect, text: str) -> str:
    found = text.count(defect.old)
    if found != 1:
        raise LookupError(f"`{defect.old}` occurs {found} times in {defect.package} {defect.file}")
    return text.replace(defect.old, defect.new)


@contextmanager
def _template(defect: Defect) -> Iterator[None]:
    environment = render._environment(defect.package)
    plain, name = environment.loader, defect.file
    changed = _changed(defect, plain.get_source(environment, name)[0])
    environment.loader = ChoiceLoader([DictLoader({name: changed}), plain])
    environment.cache.clear()
    try:
        yield
    finally:
        environment.loader = plain
        environment.cache.clear()


@contextmanager
def _module(defect: Defect) -> Iterator[None]:
    """Replace the code of every function that the change affects."""
    module = importlib.import_module(f"{defect.package}.{defect.file}")
    path = str(module.__file__)
    text = Path(path).read_text(encoding="utf-8")
    before, after = (_codes(compile(t, path, "exec")) for t in (text, _changed(defect, text)))
    assert before.keys() == after.keys()
    names = [name for name, code in before.items() if code != after[name] and "<" not in name]
    changed = {name: found for name in names if (found := _function(module, name))}
    assert changed, f"{defect.name}: the change affects no function"
    plain = {name: function.__code__ for name, function in changed.items()}
    for name, function in changed.items():
        function.__code__ = after[name]
    try:
        yield
    finally:
        for name, function in changed.items():
            function.__code__ = plain[name]


def _codes(code: CodeType) -> Mapping[str, CodeType]:
    """The code of every function by its qualified name."""
    found = {}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found[constant.co_qualname] = constant
            found.update(_codes(constant))
    return found


def _function(module: ModuleType, name: str) -> Any:
    """The function with this qualified name, or ``None`` for a class."""
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part)
    found = getattr(found, "fget", found)
    return None if isinstance(found, type) else getattr(found, "__func__", found)
