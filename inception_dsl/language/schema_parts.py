"""Parts of the JSON Schema, and how they change in specs with ``extends``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

from ..ops import OPS, Fields, Op, attribute_names
from ..ops.fields.allow import CODES_SCHEMA
from ..ops.fields.kinds import EXPRESSION_SCHEMA, ID_SCHEMA
from ..ops.fields.refusal import Checked
from ..types.expression import is_expression
from ..yaml.edits import flow
from .meant import NAMED

Schema = dict[str, Any]
NULL: Final[Schema] = {"type": "null"}
STEP_REF: Final[Schema] = {"$ref": "#/$defs/step"}
EXPRESSION_REF: Final[Schema] = {"$ref": "#/$defs/expression"}
SHARED: Final = ((EXPRESSION_SCHEMA, "expression"), (ID_SCHEMA, "id"), (CODES_SCHEMA, "warnings"))
WARNINGS_REF: Final[Schema] = {"$ref": "#/$defs/warnings"}


def text(kind: type[BaseModel]) -> str:
    """The description of a model."""
    return " ".join((kind.__doc__ or "").replace("``", "`").split())


def about(annotation: Any) -> str:
    """The description of the values of a mapping, which have no field of their own."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return text(annotation)
    for extra in getattr(annotation, "__metadata__", ()):
        if isinstance(extra, FieldInfo) and extra.description:
            return extra.description
    origin = getattr(annotation, "__origin__", None)
    return about(origin) if origin is not None and origin is not annotation else ""


def reference(name: str) -> Schema:
    """A reference to a definition."""
    return {"$ref": f"#/$defs/{name}"}


def if_has(key: str, then: Schema, otherwise: Schema | None = None) -> Schema:
    """A choice between two schemas by whether a mapping has ``key``."""
    found = {"if": {"required": [key]}, "then": then}
    return found if otherwise is None else {**found, "else": otherwise}


def documented(field: FieldInfo, found: Schema) -> Schema:
    """The description, default and examples of a field with the schema ``found``.

    Editors write a list in several lines, which are wrong inside of braces, and some cannot write
    a mapping: a list in place of a scalar is a snippet, anything else is only described. So is the
    name of something that this file does not have.
    """
    about: Schema = {"description": field.description} if field.description else {}
    default = field.default if not field.is_required() and field.default_factory is None else None
    if default not in (None, (), [], {}):
        about["default"] = list(default) if isinstance(default, tuple) else default
    told = field.json_schema_extra == NAMED
    if simple := [e for e in field.examples or () if not told and not isinstance(e, dict | list)]:
        about["examples"] = simple
    nested = [flow(e) for e in field.examples or () if told or isinstance(e, dict | list)]
    lists = [flow(e) for e in field.examples or () if isinstance(e, list) and _plain(e)]
    if lists and "anyOf" in found:
        about["defaultSnippets"] = [{"label": text, "bodyText": text} for text in lists]
    if nested:
        about["description"] += f" For example `{'` or `'.join(nested)}`."
    return about


def _plain(example: list[Any]) -> bool:
    """Whether a list has only numbers, also nested."""
    return all(_plain(e) if isinstance(e, list) else isinstance(e, int) for e in example)


def undocumented(found: Schema) -> Schema:
    """A schema that many fields share: what editors show of a value is what the field says.

    The description is empty, not missing: else some editors take the alternatives for the same.
    """
    rest = {key: value for key, value in found.items() if key != "examples"}
    return {"$comment": found["description"], **rest, "description": ""}


def nullable(found: Schema) -> Schema:
    """The schema of a value that may be ``null``."""
    if found == NULL or NULL in found.get("anyOf", ()):
        return found
    return {"anyOf": [found, NULL]}


def without_expressions(found: Any) -> Any:
    """``found`` without expressions, which `defaults` cannot have."""
    if isinstance(found, dict):
        return {
            key: written(value) if key == "examples" else without_expressions(value)
            for key, value in found.items()
        }
    return (
        [without_expressions(v) for v in found if v != EXPRESSION_REF]
        if isinstance(found, list)
        else found
    )


def written(examples: list[Any]) -> list[Any]:
    """The examples without expressions."""
    return [e for e in examples if not is_expression(e)]


def with_shared(found: Any) -> Any:
    """``found`` with references to the schemas that are used everywhere."""
    for shared, name in SHARED:
        if found == shared:
            return {"$ref": f"#/$defs/{name}"}
    if isinstance(found, Mapping):
        return {key: with_shared(value) for key, value in found.items()}
    return [with_shared(value) for value in found] if isinstance(found, list) else found


def default(kind: type[Op]) -> dict[str, Any]:
    """An example: the first attribute with a scalar default."""
    plain = {
        n: f.default
        for n, f in kind.model_fields.items()
        if n in attribute_names(kind) and not f.is_required()
    }
    return (
        dict(
            [
                next(
                    (i for i in plain.items() if isinstance(i[1], bool | int | float | str)),
                    ("", None),
                )
            ]
        )
        if plain
        else {}
    )


def defaults() -> type[BaseModel]:
    """The model of `defaults`, for the schema only."""
    fields: dict[str, Any] = {
        name: (
            Annotated[Any, Checked(dict, {"$ref": f"#/$defs/{name}_attributes"})],
            Field(None, description=f"Defaults of `{name}`.", examples=[default(kind)]),
        )
        for name, kind in OPS.items()
    }
    about = "Default attributes for each op; a step can override them."
    return create_model("Defaults", __base__=Fields, __doc__=about, **fields)


def changed(found: Schema) -> Schema:
    """The variant of a field's schema for specs with ``extends``."""
    if found.get("$ref", "").endswith(("_attributes", "/Defaults")):
        return {"$ref": f"{found['$ref']}_change"}
    if found == WARNINGS_REF:
        codes = undocumented(CODES_SCHEMA)
        return {**codes, "items": nullable(codes["items"])}
    if found.get("type") == "array" and "string" in found["items"].get("type", ()):
        return {**found, "items": nullable(found["items"])}  # names or notes: `null` clears
    options = found.get("anyOf", [])
    if options and any(option.get("type") == "array" for option in options):
        return {**found, "anyOf": [changed(option) for option in options]}
    if options and options[-1].get("$ref") in ("#/$defs/Parameter", "#/$defs/Naming"):
        return {"anyOf": [*options[:-1], {"$ref": f"{options[-1]['$ref']}_change"}]}
    if options and all(o.get("type") == "object" for o in options):
        fields = [field for o in options for field in o.get("properties", {}).items()]
        every = {name: nullable(value) for name, value in fields}
        named = [n for o in options if (more := o["additionalProperties"]) for n in more["anyOf"]]
        others = nullable(changed({"anyOf": named})) if named else False
        return {"type": "object", "properties": every, "additionalProperties": others}
    return found
