"""What can be written at the cursor: ops, fields, blocks, parameters and specs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple, get_args

from pydantic import BaseModel

from ..diagnostics.codes import CODES, WARNINGS
from ..diagnostics.report import SHIPPED
from ..language import shipped
from ..language.inputs import FIELDS as INPUT_FIELDS
from ..language.inputs import has_names
from ..language.meant import KINDS
from ..language.models import AuxHead, BlockBody, BlockFile, NetworkFile, Output
from ..language.parameters import PYTHON_TYPES
from ..language.steps import Fork, Use
from ..language.training import NESTED
from ..ops import OPS, attribute_names
from ..ops.fields.kinds import FUNCTIONS
from ..types.merge import MERGES
from ..types.split import EQUAL
from ..yaml.characters import MAX_CHARACTERS
from ..yaml.document import DataPath
from .context import Context, context
from .names import Names, described, names

_PARAMETER: Final = re.compile(r"\$(?:\{[^{}\n\"']*?)?([a-z_0-9]*)\Z")
_NAME: Final = re.compile(r"[a-z_0-9]*")
_VALUE: Final = re.compile(r"[\w./-]*(?::[\w./-]+)?")
_GROUPS: Final = ("blocks", "params", "aux_heads", "outputs", "checkpoints")
_CHAINS: Final = ("stem", "body", "head", "steps")


class Item(NamedTuple):
    """Something to write, which replaces the text from ``start`` to ``end``.

    A value replaces the whole word at the cursor, a field only what is before it.
    """

    label: str
    kind: Literal["op", "field", "block", "parameter", "value", "spec"]
    about: str
    text: str
    start: int
    end: int


def complete(path: str, text: str, offset: int, texts: Mapping[str, str]) -> list[Item]:
    """What can be written at an index of the text of the spec at ``path``."""
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    if len(text) > MAX_CHARACTERS or re.match(r"[ ]*#|.* #", line[-1000:]):
        return []
    found = context(text, offset)
    if found is None:
        return []
    known = names(path, {**texts, path: found.text})
    if started := _PARAMETER.search(line[-300:]):
        start, end = offset - len(started[1]), _end(_NAME, text, offset)
        parameters = known.parameters(found.path).items()
        return [Item(name, "parameter", about, name, start, end) for name, (about, _) in parameters]
    named = found.path[-2:-1] in (("import",), ("allow",))  # entries, which are no mappings
    if found.is_key and not named:
        return [Item(*item, found.start, offset) for item in _keys(found, known)]
    end = _end(_VALUE, text, offset)
    return [Item(*item, found.start, end) for item in _values(found, known)]


def _end(word: re.Pattern[str], text: str, offset: int) -> int:
    """The end of the word at an index of the text."""
    found = word.match(text, offset)
    return found.end() if found else offset


_Found = tuple[str, Any, str, str]


def _values(found: Context, known: Names) -> Iterator[_Found]:
    """The values of the field at the cursor."""
    *above, key = found.path or ("",)
    whole = found.at(tuple(above))
    step = whole if isinstance(whole, dict) else {}
    if key == "op":
        yield from ((op, "op", f"{kind.summary}.", op) for op, kind in OPS.items())
    elif key == "use" or (key == "extends" and above[:1] == ["blocks"]):
        own = above[1] if key == "extends" else None
        yield from (
            (name, "block", described(block), name)
            for name, block in known.blocks.items()
            if name != own
        )
    elif key == "extends" or above[-1:] == ["import"]:
        yield from (
            (f"{SHIPPED}{name}", "spec", "", f"{SHIPPED}{name}")
            for name in shipped.names()
            if ("blocks/" in name) == (key != "extends")
        )
    elif above[-1:] == ["allow"]:
        yield from ((code, "value", CODES[code], code) for code in WARNINGS)
    elif key == "merge":
        yield from _words(MERGES)
    elif key == "split":
        yield from _words((EQUAL,))
    elif key in ("type", "params") or above[-1:] == ["params"]:
        yield from _words(PYTHON_TYPES)
    else:
        recipe = NESTED.get(above[-1]) if above[:1] == ["training"] else None
        yield from _field_values(str(key), recipe or OPS.get(str(step.get("op"))))


def _field_values(key: str, kind: type[BaseModel] | None) -> Iterator[_Found]:
    """The words that are values of a field of an op."""
    field = kind.model_fields.get(key) if kind is not None else None
    if field is None:
        return
    if key in ("activation", "function"):
        yield from _words(FUNCTIONS)
    elif key == "padding":
        yield from _words(("same", "valid"))
    elif field.annotation is bool:
        yield from _words(("true", "false"))
    else:
        options = (field.annotation, *get_args(field.annotation))  # of `Literal[…] | None`
        yield from _words(w for o in options for w in get_args(o) if isinstance(w, str))


def _words(words: Iterable[str]) -> Iterator[_Found]:
    return ((word, "value", "", word) for word in words)


def _keys(found: Context, known: Names) -> Iterator[_Found]:
    """The fields that the mapping at the cursor does not have yet."""
    mapping = found.at(found.path)
    given = mapping if isinstance(mapping, dict) else {}
    for name, about in _fields(found, known, given):
        if name not in given:
            yield name, "field", about, f"{name}: "


def _fields(found: Context, known: Names, given: dict[Any, Any]) -> Iterator[tuple[str, str]]:
    path = found.path
    if not path:
        yield from _of(BlockFile if "block" in given else NetworkFile)
        if not {"network", "block"} & given.keys():
            yield "block", str(BlockFile.model_fields["block"].description)
    elif len(path) == 2 and path[0] == "blocks":
        yield from _of(BlockBody)
    elif len(path) == 2 and path[0] == "aux_heads":
        yield from _of(AuxHead)
    elif len(path) == 2 and path[0] == "outputs":
        yield from _of(Output)
    elif path[0] == "defaults" and len(path) == 2 and path[1] in OPS:
        kind = OPS[str(path[1])]
        yield from _of(kind, attribute_names(kind))
    elif _named(path, found):
        yield from ((name, "Changes what is extended.") for name in known.inherited(path))
    elif path == ("defaults",):
        yield from ((op, f"{kind.summary}.") for op, kind in OPS.items())
    elif path[0] == "input" and len(path) < 3:
        yield from ((name, "") for name in (() if has_names(given) else INPUT_FIELDS))
    elif path[-1] == "branches" and _begins(path, found.at(())):
        given = found.at(("input",))
        yield from ((name, "An input.") for name in (given if has_names(given) else ()))
    elif _is_step(path):
        whole = given if given.keys() & {*KINDS} else {**known.step(path), **given}
        yield from _of_step(whole, known)
    elif path[0] == "training" and path[-1] in NESTED:
        yield from _of(NESTED[path[-1]])
    elif len(path) == 1 and path[0] in NetworkFile.model_fields:
        annotation = NetworkFile.model_fields[str(path[0])].annotation
        models = [m for m in get_args(annotation) if isinstance(m, type)]
        yield from (f for m in models if issubclass(m, BaseModel) for f in _of(m))


def _named(path: DataPath, found: Context) -> bool:
    """Whether the keys of a mapping in an overlay are the names of what is there before."""
    if found.at(("extends",)) is None:
        return False
    if path[-1] in _CHAINS or path[-1] == "branches" or path in {(name,) for name in _GROUPS}:
        return not _begins(path, found.at(()))
    return False


def _begins(path: DataPath, data: Any) -> bool:
    """Whether a path leads into the first step of a network."""
    given = data if isinstance(data, dict) else {}
    first = next((name for name in ("stem", "body") if given.get(name)), "")
    return path[:2] == (first, 0) and len(path) == 3


def _is_step(path: DataPath) -> bool:
    """Whether the value at ``path`` is a step: an entry of a chain, or a change of one."""
    if len(path) < 2:
        return False
    *above, chain, _ = path
    return chain in _CHAINS or (len(above) > 1 and above[-1] == "branches")


def _of_step(given: dict[Any, Any], known: Names) -> Iterator[tuple[str, str]]:
    op = given.get("op")
    if isinstance(op, str) and op in OPS:
        yield from ((n, a) for n, a in _of(OPS[op]) if n != "op")
    elif "branches" in given or "merge" in given:
        yield from _of(Fork)
    elif "use" in given:
        block = known.blocks.get(str(given["use"]))
        if block is not None:
            yield from ((n, p.type) for n, p in block.parameters.items())
        yield from ((n, a) for n, a in _of(Use) if n != "arguments")
    else:
        about = {"op": "A layer.", "branches": "Parallel branches.", "use": "A block."}
        yield from ((kind, about[kind]) for kind in KINDS)
        yield from ((n, a) for n, a in _of(Fork) if n not in KINDS)


def _of(kind: type[BaseModel], names: Iterable[str] | None = None) -> Iterator[tuple[str, str]]:
    """The fields of a model with their descriptions; required ones first."""
    fields = {n: f for n, f in kind.model_fields.items() if names is None or n in names}
    for name, field in sorted(fields.items(), key=lambda item: not item[1].is_required()):
        yield field.alias or name, field.description or ""
