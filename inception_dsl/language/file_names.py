"""The names of files in diagnostics, and which existing file a missing one may mean."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path

from ..diagnostics.report import SHIPPED
from ..diagnostics.words import nearest
from . import shipped
from .roots import names_inside


def no_file(spec: str, path: Path) -> tuple[str, str]:
    """Why ``path`` is no file, and what may be meant."""
    if spec == "-":
        return "standard input cannot be read here", "save the spec as a file"
    if path.is_dir():
        return (
            "not a file but a folder",
            f"name the specs in it, for example `{file_name(path)}/*.yaml`",
        )
    if path.exists():
        return "not a regular file", ""
    if path.is_symlink():
        return f"a link to `{os.readlink(path)}`, which does not exist", ""
    problem = "no such file" if path.suffix else "no such file or shipped spec"
    if other := with_suffix(path):
        return problem, f"did you mean `{file_name(other)}`?"
    beside = os.listdir(path.parent) if path.suffix and path.parent.is_dir() else []
    local = _closest(path.name, [n for n in beside if n.endswith((".yaml", ".yml"))])
    if local:
        return problem, f"did you mean `{file_name(path.with_name(local))}`?"
    if best := shipped.like(spec):
        return problem, f"did you mean the shipped spec `{best}`?"
    return problem, "" if path.suffix else shipped.unknown(spec)


def with_suffix(path: Path) -> Path | None:
    """The file at the path with ``.yaml`` or ``.yml`` added, if there is one."""
    found = (path.with_name(f"{path.name}{suffix}") for suffix in (".yaml", ".yml"))
    return next((other for other in found if other.is_file()), None)


def _closest(name: str, files: list[str]) -> str | None:
    """The file whose name, without its suffix, is nearest."""
    stems = {posixpath.splitext(file)[0]: file for file in files}
    best = nearest(posixpath.splitext(name)[0], stems)
    return stems[best] if best else None


def meant(folder: Path, wanted: str, root: Path) -> str:
    """The spec that is probably meant by a missing one: a shipped one of this name, one beside."""
    like = shipped.like(wanted)
    exact = posixpath.basename(wanted).removesuffix(".yaml") == posixpath.basename(like)
    local = "" if exact else _beside(folder, wanted, root)
    return local or (f"{SHIPPED}{like}" if like else "")


def _beside(folder: Path, wanted: str, root: Path) -> str:
    """The existing spec inside the root that is probably meant by a missing one."""
    above, _, name = wanted.rpartition("/")
    found = [n for n in names_inside(folder, above, root) if n.endswith((".yaml", ".yml"))]
    best = _closest(name, found)
    return f"{above}/{best}" if best and above else best or ""


def file_name(path: Path) -> str:
    """The name of a file in diagnostics; it is never like that of a shipped spec."""
    name = os.path.normpath(path)
    return f".{os.sep}{name}" if name.startswith(SHIPPED) else name


def named(wanted: str, file: str) -> str:
    """The name in diagnostics of the file that ``wanted`` in ``file`` means."""
    name = shipped.wanted_by(file, wanted)
    return file_name(Path(file).parent / wanted) if name is None else f"{SHIPPED}{name}"


def named_by_user(given: str | os.PathLike[str]) -> str:
    """The name in diagnostics of the file or shipped spec that the user names."""
    name = shipped.meant(os.fspath(given))
    return file_name(Path(given)) if name is None else f"{SHIPPED}{name}"


def same(file: str) -> str:
    """A text that is equal for two names of one file."""
    return file if file.startswith(SHIPPED) else os.path.abspath(file)
