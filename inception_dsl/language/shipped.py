"""The specs that come with the package, by name: ``v4``, ``blocks/reduction_a``.

In a spec, ``inception-dsl:v4`` names one, and so it is called in diagnostics. On the command line
``v4`` is enough, if no file has that name. They are read-only, and the only files outside the root
that a spec can name: a name is looked up in a list, it is never a path.
"""

from __future__ import annotations

import os
import posixpath
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from ..diagnostics.report import SHIPPED
from ..diagnostics.words import nearest

_SUFFIX: Final = ".yaml"
_TITLES: Final = re.compile(r"^(?:network|block|title): (.+)$", re.MULTILINE)


def folder() -> Path:
    """The folder of the shipped specs: in the installed package, else in the repository."""
    package = Path(__file__).parents[1]
    inside = package / "specs"
    return inside if inside.is_dir() else package.parent / "specs"


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """The names of all shipped specs: networks, then those in folders."""
    top = folder()
    found = (path.relative_to(top).as_posix() for path in top.rglob(f"*{_SUFFIX}"))
    return tuple(sorted((n.removesuffix(_SUFFIX) for n in found), key=lambda n: ("/" in n, n)))


def text(name: str) -> bytes:
    """The text of a shipped spec; ``name`` is one of :func:`names`."""
    return (folder() / f"{name}{_SUFFIX}").read_bytes()


def meant(spec: str) -> str | None:
    """The name of the shipped spec that an argument of the command line means.

    ``None`` if it is a path: a file of that name comes first. The name need not exist after
    ``inception-dsl:``.
    """
    if spec.startswith(SHIPPED):
        return spec.removeprefix(SHIPPED)
    return spec if not os.path.isfile(spec) and spec in names() else None


def from_anywhere(spec: str) -> str:
    """An argument that means the same in every folder."""
    name = meant(spec)
    return os.path.abspath(spec) if name is None else f"{SHIPPED}{name}"


def wanted_by(file: str, wanted: str) -> str | None:
    """The name of the shipped spec that ``wanted`` in ``file`` means; ``None`` if it is a path.

    The paths in a shipped spec are relative to its folder, as in other specs.
    """
    if wanted.startswith(SHIPPED):
        return wanted.removeprefix(SHIPPED)
    if not file.startswith(SHIPPED):
        return None
    above = posixpath.dirname(file.removeprefix(SHIPPED))
    return posixpath.normpath(posixpath.join(above, wanted)).removesuffix(_SUFFIX)


def like(name: str) -> str:
    """The shipped spec that is probably meant: by its name, the network's id, or its title."""
    plain = posixpath.basename(name.replace("\\", "/")).removesuffix(_SUFFIX)
    known = {found: found for found in names()}
    known |= {posixpath.basename(found): found for found in reversed(names())}
    known |= {word: found for word, found in _words().items() if word not in known}
    best = nearest(name, known) or nearest(plain.lower(), known)
    return known[best] if best else ""


def unknown(name: str) -> str:
    """The help for the name of no shipped spec."""
    best = like(name)
    listed = "`inception-dsl list` prints the names"
    return f"did you mean `{SHIPPED}{best}`?" if best else listed


@lru_cache(maxsize=1)
def _words() -> dict[str, str]:
    """The shipped specs by their ids and titles, in lower case."""
    return {
        found.lower(): name for name in names() for found in _TITLES.findall(text(name).decode())
    }
