"""The JSON Schema of steps, whose fields depend on their kind.

Editors complete, explain and check by the schema that applies to a value. `if` and `then` leave no
doubt about it, unlike `anyOf`, of which an editor shows what it guesses. A condition on `op` is a
pattern, as some editors take an unfinished word for a constant that begins with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pydantic.fields import FieldInfo

from ..ops import OPS
from ..ops.fields.kinds import ID_SCHEMA
from . import schema_parts as parts
from .each import ABOUT
from .meant import KEPT, KINDS
from .schema_parts import Schema
from .steps import Fork, Use

_REMOVED: Final[Schema] = {
    "type": "null",
    "errorMessage": "Unknown field of this step; only `null`, which removes it, is allowed.",
}
"""A field that the step does not have: `...` may have kept it."""
KEPT_FIELDS: Final[Schema] = {**parts.NULL, "description": "All fields of the old step."}
_KEPT_STEPS: Final[Schema] = {"const": KEPT, "description": "What was there before."}


def chosen(change: str) -> list[Schema]:
    """The conditions that choose the schema of a step by its op, or another kind."""
    found = []
    for name, kind in OPS.items():
        word = {"properties": {"op": {"type": "string", "pattern": f"^{name}$"}}}
        then = parts.reference(kind.__name__ + change)
        found.append({"if": {**word, "required": ["op"]}, "then": then})
    for key, other, others in (("branches", Fork, ("op", "use")), ("use", Use, ("op",))):
        alone = {"required": [key], "properties": dict.fromkeys(others, False)}
        found.append({"if": alone, "then": parts.reference(other.__name__ + change)})
    return found


def step() -> Schema:
    """A step: an op, a fork or a use."""
    return {
        "type": "object",
        "description": "An op, a fork or a use of a block.",
        "properties": {"op": _OP},
        "allOf": [_OTHER, *chosen("")],
        "anyOf": _one_kind(),
    }


_OP: Final[Schema] = {
    "enum": list(OPS),
    "enumDescriptions": [f"{kind.summary}." for kind in OPS.values()],
}
_OTHER: Final[Schema] = {
    "if": {"required": ["op"]},
    "else": {
        "properties": {
            key: {"description": kind.model_fields[key].description, "type": name}
            for key, kind, name in (("branches", Fork, "object"), ("use", Use, "string"))
        }
    },
}
"""What a step without `op` can begin with; the chosen schema has all fields."""


def _one_kind() -> list[Schema]:
    message = "A step needs `op`, `branches` or `use`."
    return [{"required": [key], "errorMessage": message} for key in KINDS]


def step_change() -> Schema:
    """What an overlay says about one step: changes, other steps in its place, or ``null``."""
    return {
        "type": ["object", "array", "null"],
        "allOf": [
            {"if": {"type": "array"}, "then": parts.reference("steps_change")},
            {"if": {"type": "object"}, "then": parts.reference("fields_change")},
        ],
    }


def fields_change() -> Schema:
    """Changes to the fields of a step; without `op`, `branches` or `use`, of a step of any kind."""
    return {
        "type": "object",
        "description": "Changes to a step.",
        "properties": {"op": parts.nullable(_OP)},
        "if": {"anyOf": _one_kind()},
        "then": {"allOf": chosen("_change")},
        "else": parts.reference("any_step_change"),
    }


def each(fields: Mapping[str, Schema], change: str) -> Schema:
    """The schema of ``each``, for an op with these ``fields``, or for any arguments of a block."""
    any_values: Schema = {"type": "array", "minItems": 1}
    values = {n: any_values | {"items": _body(field)} for n, field in fields.items()}
    if change:
        values = {n: parts.nullable(any_values) for n in values}
    found: Schema = {
        "type": "object",
        "properties": values,
        "additionalProperties": False if fields else any_values,
        "minProperties": 1,
    }
    return {"description": ABOUT, **(parts.nullable(found) if change else found)}


def required_or_each(fields: Iterable[str], required: list[str]) -> Schema:
    """The required fields of an op, some of which ``each`` may have."""
    return {
        "if": {"required": ["each"]},
        "then": {"allOf": [once(fields), *map(somewhere, required[1:])]},
        "else": {"required": required},
    }


def once(fields: Iterable[str]) -> Schema:
    """A step with ``each`` has no ``repeat``, and sets none of its ``fields`` twice."""
    twice = [{"required": [n, "each"], "properties": {"each": {"required": [n]}}} for n in fields]
    return {"not": {"anyOf": [{"required": ["repeat", "each"]}, *twice]}}


def somewhere(field: str) -> Schema:
    """A required field is set by the step or by its ``each``."""
    inside = {"required": ["each"], "properties": {"each": {"required": [field]}}}
    return {"anyOf": [{"required": [field]}, inside]}


def partial(found: Schema) -> Schema:
    """The schema of changes to a step of a known kind, from that of its fields."""
    properties = {**found["properties"], KEPT: KEPT_FIELDS}
    return {**found, "properties": properties, "additionalProperties": _REMOVED}


def arguments(known: list[str], argument: Schema) -> Schema:
    """The keys besides the ``known`` ones, which are arguments of a block."""
    pattern = str(ID_SCHEMA["pattern"]).replace("^", f"^(?!(?:{'|'.join(known)})$)", 1)
    return {"patternProperties": {pattern: argument}, "additionalProperties": False}


def of_any_kind(
    fields: dict[str, dict[str, tuple[FieldInfo, Schema]]], argument: Schema
) -> dict[str, Schema]:
    """The fields of all ops, of which only the spec that is extended knows which one it is.

    ``fields`` has every field by op; a use may have an argument of the same name.
    """
    found: dict[str, Schema] = {}
    for name, by_op in fields.items():
        about: dict[str | None, list[str]] = {}
        for op, (field, _) in by_op.items():
            about.setdefault(field.description, []).append(f"`{op}`")
        schemas = [schema for _, schema in by_op.values()]
        first = next(iter(about)) or ""
        texts = [f"{text} In {', '.join(ops)}." for text, ops in about.items()]
        found[name] = {
            **schemas[0],
            "description": " ".join(texts) + schemas[0]["description"].removeprefix(first),
            "anyOf": _distinct([*map(_body, schemas), argument, parts.NULL]),
        }
    return found


def _body(field: Schema) -> Schema:
    """The schema of a field without its documentation."""
    notes = ("description", "default", "examples", "defaultSnippets")
    return {key: value for key, value in field.items() if key not in notes}


def _distinct(options: list[Schema]) -> list[Schema]:
    return [option for index, option in enumerate(options) if option not in options[:index]]


def chains() -> dict[str, Schema]:
    """The schemas of chains, in specs and in overlays."""
    chain: Schema = {"type": "array", "items": parts.STEP_REF}
    entry = {"if": {"type": "string"}, "then": _KEPT_STEPS, "else": parts.STEP_REF}
    about = (
        "A new chain, in which `...` is the old one; or a mapping from steps (name, block or "
        "position) to changed fields, replacing steps, or null."
    )
    return {
        "chain": chain,
        "steps_change": {**chain, "items": entry, "description": about},
        "chain_change": {
            "type": ["array", "object"],
            "if": {"type": "array"},
            "then": parts.reference("steps_change"),
            "else": {"additionalProperties": parts.reference("step_change")},
        },
    }
