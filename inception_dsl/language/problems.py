"""Turns pydantic's errors into diagnostics with a code, a location and help."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from ..diagnostics.report import Edit, Report, Span
from ..diagnostics.words import listed, nearest
from ..ops import OPS, BatchNormFields, Op, attribute_names
from ..ops.fields.refusal import Meant, shown
from ..yaml.document import DataPath, Document
from ..yaml.edits import Editor, Edits, flow, inside
from .checkpoints import Naming
from .each import EACH
from .meant import AFTER, undollared
from .models import AuxHead, BlockBody, Output
from .parameters import Parameter
from .sections import Paper, Preprocessing, Resize
from .steps import Fork, Use
from .training import NESTED

_NESTED: Final[dict[Any, type[BaseModel]]] = {
    "paper": Paper,
    "preprocessing": Preprocessing,
    "resize": Resize,
    "batch_norm": BatchNormFields,
    **NESTED,
}
_GROUPS: Final[dict[Any, type[BaseModel]]] = {
    "aux_heads": AuxHead,
    "outputs": Output,
    "blocks": BlockBody,
    "params": Parameter,
    "checkpoints": Naming,
}
_NAMED: Final[dict[Any, str]] = {
    "branches": "give each branch a name: `branches: {branch_1: […], branch_2: […]}`",
    "after": "say which branch begins there: `after: {branch: step}`",
    "aux_heads": "give each head a name: `aux_heads: {aux: {after: …, loss_weight: …, steps: "
    "[…]}}`",
    "outputs": "give each output a name: `outputs: {features: mixed_5b}`",
    "blocks": "give each block a name: `blocks: {tower: {steps: […]}}`",
    "params": "give each parameter a type: `params: {filters: int}`",
}
_EXPECTED: Final = {
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "too_short": "at least one branch",
}

_SET: Final = "It is already set, so remove this field"


def plain(location: DataPath) -> DataPath:
    """The document path of pydantic's location.

    Without parts that the text does not have: arguments of a use are written as its fields.
    """
    found = [p for p in location if p != "[key]"]
    return tuple(p for i, p in enumerate(found) if p != "arguments" or i == len(found) - 1)


def report_problem(kind: type[BaseModel], problem: Any, document: Document, report: Report) -> None:
    """Report one problem of a model of ``kind``, with help unless there are many errors."""
    path = plain(problem["loc"])
    on_key = problem["loc"][-1:] == ("[key]",)
    editor = Editor(document, report.texts)
    span = document.key_span(path) if on_key else document.span(path)
    if problem["type"] == "spec":
        _refused(problem, path, editor, report)
    elif problem["type"] == "missing":
        report_missing(kind, path, editor, report)
    elif problem["type"] == "extra_forbidden":
        _unknown(kind, path, editor, report)
    elif problem["type"] == "invalid_key":
        fix = editor.remove(path) if report.helping else ()
        report.error("E201", f"unknown field `{path[-1]}`", document.key_span(path), fix=fix)
    else:
        _unexpected(kind, problem, path, editor, report, span)


def _refused(problem: Any, path: DataPath, editor: Editor, report: Report) -> None:
    """Report an error that the check of a field raised."""
    context, document = problem["ctx"], editor.document
    meant: Meant = context["meant"]() if report.helping else Meant()
    text = context.get("text") if report.helping else None
    if write := undollared(text, document.data, plain(problem["loc"])):
        meant = Meant(f"write `{write}`", write if text == problem["input"] else "")
    location = (*problem["loc"], *meant.path)
    path, on_key = plain(location), location[-1:] == ("[key]",)
    span = document.key_span(path) if on_key else document.span(path)
    if context["length"]:
        span = inside(span, context["offset"], context["length"], report.texts)
    help, fix = meant.help, _fix(editor, path, meant, on_key)
    if meant.edit == "op" and _is_block(problem["input"], document.data):
        help, fix = f"did you mean `use: {problem['input']}`?", editor.rename(path, "use")
    elif context["length"] and meant.write:
        fix = editor.part(path, context["offset"], context["length"], meant.write)
    renamed = on_key and context["code"] == "E201" and meant.edit == "replace"
    other = document.keys.get((*path[:-1], meant.write)) if renamed else None
    if other is not None and other.file == span.file:
        help, fix = f"{help} {_SET}", editor.remove(path)
    report.error(context["code"], context["message"], span, help=help, fix=fix)


def _fix(editor: Editor, path: DataPath, meant: Meant, on_key: bool) -> Edits:
    """The suggestion of a field's check as edits of the document."""
    if not meant.write:
        return ()
    if meant.edit == "lift":
        return editor.lift(path, f"op: {meant.write}")
    if meant.edit == "beside":
        key, value = editor.document.keys[path], editor.document.spans[path]
        here = key._replace(end_line=value.end_line, end_column=value.end_column)
        return (Edit(here, f"op: {meant.write}"),) if key.in_a_file else ()
    if meant.edit == "unwrap":
        return editor.unwrap(path)
    if meant.edit == "up":
        return (*editor.remove(path), *editor.insert(path[:-2], str(path[-1]), meant.write))
    if meant.edit == "function":
        return (
            *editor.replace(path, "activation"),
            *editor.insert(path[:-1], "function", meant.write),
        )
    return editor.rename(path, meant.write) if on_key else editor.replace(path, meant.write)


def _is_block(name: Any, data: Any) -> bool:
    """Whether a document defines a block ``name``, or imports a file of that name."""
    imports, blocks = data.get("import"), data.get("blocks")
    files = [str(f).rsplit("/", 1)[-1] for f in imports[:100]] if isinstance(imports, list) else []
    return isinstance(name, str) and (
        f"{name}.yaml" in files or (isinstance(blocks, dict) and name in blocks)
    )


def _kind(editor: Editor, path: DataPath) -> str:
    """The op of a step, as it is written."""
    step = _at(editor.document.data, path)
    return f"op: {step['op']}" if isinstance(step, dict) and "op" in step else "…"


def report_missing(kind: type[BaseModel], path: DataPath, editor: Editor, report: Report) -> None:
    """Report that the field at ``path`` is missing, with an example."""
    owner, name = path[:-1], path[-1]
    message, span = f"missing field `{name}`", editor.document.span(owner)
    if not report.helping:
        return report.error("E202", message, span)
    field = _model(kind, editor.document.data, owner).model_fields.get(str(name))
    text = flow(field.examples[0]) if field is not None and field.examples else ""
    text = "concat" if name == "merge" else "[]" if name == "steps" else text
    help = f"add `{name}: {text or '…'}`"
    fix = editor.insert(owner, str(name), text) if text else ()
    if owner and path in editor.document.removed and isinstance(owner[-1], int):
        whole = f"{{..., {_kind(editor, owner)}}}"
        help = f"{help}, or `...` to keep the fields of the old step: `{whole}`"
        fix = ()
    return report.error("E202", message, span, help=help, fix=fix)


def _unknown(kind: type[BaseModel], path: DataPath, editor: Editor, report: Report) -> None:
    document, owner, name = editor.document, path[:-1], path[-1]
    if not report.helping:
        return report.error("E201", f"unknown field `{name}`", document.key_span(path))
    fields = known_fields(kind, document.data, owner)
    of_a_fork = name == "after" and "op" in fields
    best = None if of_a_fork else nearest(str(name), fields)
    help = f"did you mean `{best}`?" if best else f"known fields: {listed(fields)}" * bool(fields)
    help = AFTER if of_a_fork else help
    siblings = _at(document.data, owner)
    taken = isinstance(siblings, dict) and best in siblings
    if taken and document.key_span((*owner, str(best))).file != document.key_span(path).file:
        taken = False  # it is set in the extended spec
    fix = editor.rename(path, best) if best and not taken else ()
    value = siblings.get(name) if isinstance(siblings, dict) else None
    if best and taken:
        help, fix = f"did you mean `{best}`? {_SET}", editor.remove(path)
    elif name == "momentum" and best == "decay":
        text = _kept(value, 0.5)
        written = f"`decay: {text}`" if text else "`decay`"
        help = (
            f"write {written} (Keras `momentum` is the same as `decay`, PyTorch `momentum` is "
            "1 - `decay`)"
        )
        fix = (*fix, *editor.replace(path, text)) if text else ()
    elif best == "rate" and str(name).startswith("keep"):
        text = _kept(value, 1)
        help = f"write `rate: {text or '…'}`, the fraction that is dropped"
        fix = (*fix, *editor.replace(path, text)) if text else ()
    elif (
        "batch_norm" in fields
        and name in (*BatchNormFields.model_fields, "eps")
        and "batch_norm" not in siblings
    ):
        inner = nearest(str(name), BatchNormFields.model_fields)
        help = f"write `batch_norm: {{{inner}: {flow(value)}}}`"
        fix = (*editor.rename(path, f"batch_norm: {{{inner}"), *editor.append(path, "}"))
    elif not best and owner == ("defaults",):
        help, fix = _not_a_default(kind, str(name), value, editor)
    elif (assigned := _assigned(name, fields)) and value is None:
        help, fix = f"write `{assigned}`", editor.rename(path, assigned)
    elif name == "in_channels":
        help, fix = "remove it: the input channels are inferred", editor.remove(path)
    return report.error(
        "E201", f"unknown field `{name}`", document.key_span(path), help=help, fix=fix
    )


def _not_a_default(
    kind: type[BaseModel], name: str, value: Any, editor: Editor
) -> tuple[str, Edits]:
    """The help for a field in ``defaults`` that is one of the spec, or of ops."""
    path: DataPath = ("defaults", name)
    ops = [op for op in OPS if name in attribute_names(OPS[op])]
    if name in known_fields(kind, editor.document.data, ()):
        fix = Edits()
        if (name,) not in editor.document.spans and not isinstance(value, dict | list):
            fix = (*editor.remove(path), *editor.insert((), name, flow(value)))
        return f"write `{name}` outside of `defaults`, which has fields of ops", fix
    if ops:
        text = f"{{{name}: {flow(value, 40)}}}"
        fix = (*editor.rename(path, f"{ops[0]}: {{{name}"), *editor.append(path, "}"))
        return f"write it for each op that has it, such as `{ops[0]}: {text}`", fix
    return "write the fields of ops by the name of the op: `conv: {use_bias: false}`", ()


def _assigned(name: Any, fields: list[str]) -> str:
    """A key like ``kernel_size=3`` as a field of YAML, or an empty text."""
    field, equals, value = str(name).partition("=")
    known = field.strip() in fields and equals and value.strip()
    return f"{field.strip()}: {value.strip()}" if known else ""


def _kept(value: Any, below: float) -> str:
    """``value`` as text; ``1 - value`` if it is smaller than ``below`` or ``below`` is 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return ""
    return f"{round(1 - value, 9) if value < below or below == 1 else value:g}"


def _unexpected(
    kind: type[BaseModel], problem: Any, path: DataPath, editor: Editor, report: Report, span: Span
) -> None:
    """Report a value of the wrong type."""
    expected, help, fix = _EXPECTED.get(problem["type"], "a value of another type"), "", Edits()
    found = problem["input"]
    if problem["type"] == "literal_error":
        words = problem["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        expected = f"one of {problem['ctx']['expected']}".replace("'", "`")
        best = nearest(found, words) if isinstance(found, str) and report.helping else None
        help = f"did you mean `{best}`?" if best else ""
        fix = editor.replace(path, best) if best else ()
    elif problem["type"] == "list_type" and isinstance(found, dict) and "after" in found:
        help = f"write its steps as a list, and `after: {{{path[-1]}: …}}` next to `branches`"
    elif problem["type"] == "list_type" and found is None and path[-2:-1] == ("branches",):
        help = f"write `{path[-1]}: []` for a branch without steps, such as a shortcut"
        fix = editor.replace(path, "[]" if editor.tight(path) else " []")
    elif problem["type"] == "list_type" and isinstance(found, dict | str) and report.helping:
        fix = editor.wrap(path, "[", "]") or editor.item(path)
        help = "make it a list: write `[…]` around it, or `- ` before it" if fix else ""
    elif problem["type"] == "dict_type" and isinstance(found, list | str):
        help = _NAMED.get(path[-1], "")
    elif problem["type"] == "model_type" and isinstance(found, str | int | float):
        fields = _model(kind, editor.document.data, path).model_fields.items()
        needed = [field.alias or name for name, field in fields if field.is_required()]
        if len(needed) == 1 and report.helping:  # what the mapping is for
            text = f"{{{needed[0]}: {flow(found)}}}"
            help, fix = f"write `{path[-1]}: {text}`", editor.replace(path, text)
    report.error("E203", f"expected {expected}, found {shown(found)}", span, help=help, fix=fix)


def known_fields(kind: type[BaseModel], data: Any, path: DataPath) -> list[str]:
    """The valid fields of the mapping at ``path`` of a document."""
    if len(path) > 1 and path[-2] == "defaults" and path[-1] in OPS:
        return list(attribute_names(OPS[str(path[-1])]))
    if path and path[-1] == "defaults":
        return list(OPS)
    model = _model(kind, data, path)
    found = [
        f.alias or n for n, f in model.model_fields.items() if (model, n) != (Use, "arguments")
    ]
    if issubclass(model, Op):
        found.insert(found.index("repeat") + 1, EACH)
    return found


def _model(kind: type[BaseModel], data: Any, path: DataPath) -> type[BaseModel]:
    """The model of the mapping at ``path``; a model without fields if it is unknown."""
    if not path:
        return kind
    found = _at(data, path)
    op = found.get("op") if isinstance(found, dict) else None
    if isinstance(op, str) and op in OPS:
        return OPS[op]
    if isinstance(found, dict) and "branches" in found:
        return Fork
    named = _GROUPS.get(path[-2]) if len(path) > 1 else None
    return named or _NESTED.get(path[-1]) or BaseModel


def _at(data: Any, path: DataPath) -> Any:
    for part in path:
        if isinstance(data, list) and isinstance(part, int):
            data = data[part] if part < len(data) else None
        else:
            data = data.get(part) if isinstance(data, dict) else None
    return data
