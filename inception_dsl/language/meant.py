"""Errors and suggestions for invalid steps, arguments and inputs."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic_core import PydanticCustomError

from ..diagnostics.absent import absent
from ..diagnostics.words import nearest, same, typing_error
from ..ops import OPS
from ..ops.fields.kinds import FUNCTIONS
from ..ops.fields.refusal import Meant, located, refuse, shown
from ..types.expression import respelled, written
from ..types.merge import MERGES
from ..types.split import REST
from ..types.tensor import AXES
from ..yaml.document import DataPath
from ..yaml.edits import flow

KINDS: Final = ("op", "branches", "use")
KEPT: Final = "..."
"""In a list of an overlay: what was there before."""
NAMED: Final[dict[str, Any]] = {"named": True}
"""Marks a field with the name of something else in the spec: its example is one of another spec."""
AFTER: Final = (
    "a step gets the output of the one before it; in a fork, `after: {branch: step}` lets a branch "
    "begin elsewhere"
)
_ARGUMENTS: Final = frozenset({"with", "args", "arguments", "kwargs", "params", "parameters"})


def not_a_step(value: Any) -> PydanticCustomError:
    """The error for a value that is not exactly one kind of step."""
    if value == KEPT:
        help = "`...` is what was there before; the spec that this extends has nothing here"
        return refuse(f"expected a step, found {shown(value)}", code="E205", help=help)
    if not isinstance(value, dict):
        return refuse(
            f"expected a step, found {shown(value)}", code="E205", meant=lambda: _op_alone(value)
        )
    kinds = [key for key in KINDS if key in value]
    message = (
        "a step needs exactly one of `op`, `branches` and `use`, found "
        f"{' and '.join(f'`{key}`' for key in kinds) or 'none of them'}"
    )
    return refuse(
        message, code="E205", meant=lambda: _one_of(value, kinds) if kinds else _kind(value)
    )


def _one_of(value: dict[Any, Any], kinds: list[str]) -> Meant:
    """The suggestion for a step of several kinds: `op: add` next to branches is `merge: add`."""
    if kinds == ["op", "branches"] and value["op"] in MERGES and "merge" not in value:
        return Meant(f"write `merge: {value['op']}`", "merge", path=("op", "[key]"))
    return Meant()


def _op_alone(value: Any) -> Meant:
    """The suggestion for the name of an op, or of an activation function, instead of a step."""
    if isinstance(value, str) and (text := absent(value)):
        return Meant(text)
    op = nearest(value, OPS) if isinstance(value, str) else None
    function = nearest(value, FUNCTIONS) if isinstance(value, str) and not op else None
    if function:
        write = f"{{op: activation, function: {function}}}"
        return Meant(f"write `{write}`", write if _sure(value, function) else "")
    if op and not any(f.is_required() for n, f in OPS[op].model_fields.items() if n != "op"):
        return Meant(f"write `{{op: {op}}}`", f"{{op: {op}}}" if _sure(value, op) else "")
    return Meant(f"write {{op: {op or '…'}, …}}, {{branches: …}} or {{use: …}}")


def _kind(value: dict[Any, Any]) -> Meant:
    """The suggestion for a step without a kind: a misspelled field, or an op's name as the key."""
    for key, given in list(value.items())[:16]:
        op, kind = nearest(str(key), OPS), nearest(str(key), KINDS)
        if isinstance(given, dict) and (text := absent(str(key))):
            return Meant(text)
        if isinstance(given, dict | None) and op:
            write, edit = op if _sure(str(key), op) else "", "lift" if given else "beside"
            return Meant(f"write `op: {op}` next to its attributes", write, edit, (key, "[key]"))
        if kind and key not in ("name", "repeat", "deviation"):
            return Meant(f"did you mean `{kind}`?", kind, path=(key, "[key]"))
    return Meant()


def _sure(word: str, known: str) -> bool:
    """Whether a program may write ``known``: a similar word may be the name of another layer."""
    return same(word, [known]) is not None or typing_error(word, known)


def unknown_op(value: Any) -> PydanticCustomError:
    """The error for an unknown ``op``."""

    def meant() -> Meant:
        word, listed = str(value), f"known ops: {', '.join(OPS)}"
        if not isinstance(value, str):
            return Meant(listed)
        if word.startswith("$"):
            return Meant(f"`op` takes no parameter: write the name of an op; {listed}")
        if text := absent(word):
            return Meant(text, edit="op")
        for find in (same, nearest):  # first what means the same, whatever it is
            op, function, merge = (find(word, known) for known in (OPS, FUNCTIONS, MERGES))
            if op:
                return Meant(f"did you mean `{op}`?", op if _sure(word, op) else "", "op")
            if function:
                help = f"write `op: activation, function: {function}`"
                return Meant(help, function if _sure(word, function) else "", "function")
            if merge:
                return Meant(f"to merge branches, write `{{branches: {{…}}, merge: {merge}}}`")
        return Meant(listed, edit="op")

    separator = " " if isinstance(value, str) else ": "
    return refuse(f"unknown op{separator}{shown(value)}", code="E204", meant=meant)


def misplaced(value: dict[str, Any]) -> Exception | None:
    """The error for a fork whose ``merge``, ``split`` or ``after`` is inside ``branches``."""
    branches = value["branches"] if isinstance(value["branches"], dict) else {}
    for key in ("merge", "split", "after"):
        given = branches.get(key) if key not in value else None
        sizes = key == "split" and isinstance(given, list) and REST in given
        steps = key == "after" and isinstance(given, dict) and not given.keys() - branches.keys()
        if not isinstance(given, str) and not sizes and not steps:
            continue
        write = flow(given)
        help = f"write `{key}: {write}` next to `branches`"
        message = f"unexpected `{key}` inside `branches`"
        error = refuse(message, code="E201", help=help, write=write, edit="up")
        return located(error, ("branches", key, "[key]"), value)
    return None


def default_alone(value: Any) -> Meant | None:
    """The suggestion for a number or a boolean as a parameter: declare it as the default."""
    kind = {bool: "bool", int: "int", float: "float"}.get(type(value))
    if kind is None:
        return None
    write = flow({"type": kind, "default": value})
    return Meant(f"write `{write}`", write)


def wrapped_arguments(value: dict[str, Any]) -> Exception | None:
    """The error for a use whose arguments are in a mapping of their own."""
    key = next(
        (key for key, given in value.items() if key in _ARGUMENTS and isinstance(given, dict)), None
    )
    if key is None:
        return None
    text = flow(value[key], 60)[1:-1]
    help = f"write `{text if len(text) < 60 else '…'}` without `{key}`" if text else "remove it"
    message = f"unknown field `{key}`: write arguments next to `use`"
    return located(
        refuse(message, code="E201", help=help, write=key, edit="unwrap"), (key, "[key]"), value
    )


def undollared(text: Any, data: Any, path: DataPath) -> str:
    """The expression that a text at ``path`` may mean, as YAML: ``$filters`` for ``filters``.

    Empty if it is none, or if it reads names that are no parameters there.
    """
    found = respelled(text) if isinstance(text, str) else None
    if found is None or not isinstance(data, dict) or {"params", "defaults"} & {*path[:3]}:
        return ""
    inside = path[:1] == ("blocks",)
    for part in path[:2] if inside else ():
        data = data.get(part) if isinstance(data, dict) else None
    params = data.get("params") if isinstance(data, dict) else None
    known = {"in_channels", *(params if isinstance(params, dict) else ())}
    if not inside and "network" in data:
        known.add("classes")
    return written(found) if {name for name, _ in found.names} <= known else ""


def not_an_input(value: Any) -> PydanticCustomError:
    """The error for an ``input`` that is not a mapping."""
    sizes = value if isinstance(value, list) else []
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,5}(x[0-9]{1,5}){1,3}", value):
        sizes = [int(n) for n in value.split("x")]
    write = ""
    if 2 <= len(sizes) <= 4 and all(isinstance(n, int) and not isinstance(n, bool) for n in sizes):
        first = sizes[0] < sizes[-1]  # channels first: usually fewer than pixels
        axes = sizes[1:] if first else sizes[:-1]
        names = AXES[len(axes)]
        write = flow({"channels": sizes[0 if first else -1], **dict(zip(names, axes, strict=True))})
    help = f"write `{write}`; " if write else ""
    help += "the command line also accepts `224x224x3`"
    return refuse(
        f"expected {{channels: …, height: …, width: …}}, found {shown(value)}",
        help=help,
        write=write,
    )


def unknown_axis(value: dict[Any, Any], known: tuple[str, ...]) -> Exception | None:
    """The error for an ``input`` with a misspelled field, if any."""
    for key in value:
        free = [name for name in known if name not in value]
        if key not in known and (best := nearest(str(key), free) or nearest(str(key), known)):
            error = refuse(
                f"unknown field `{key}`", code="E201", help=f"did you mean `{best}`?", write=best
            )
            return located(error, (key, "[key]"), value)
    return None
