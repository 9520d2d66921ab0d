"""The JSON Schema (draft 07) of specs, generated from the models that the loader uses.

It is less strict than the loader in two ways. JSON has one number type, so ``64.0`` passes where
the loader requires ``64``. And a spec with ``extends`` only has changes, so no field is required,
``null`` removes a field, and a chain can be a mapping from steps to changes; only the loader can
check the result. It is stricter in one way: a required attribute has to be in the step, even if
``defaults`` sets it, as a schema cannot look it up there (or in another file).
"""

from __future__ import annotations

import types
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from annotated_types import MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..ops import OPS, Op, Step, attribute_names
from ..ops.fields.refusal import Checked
from . import schema_parts as parts
from .checkpoints import Naming
from .meant import KEPT
from .models import BlockBody, BlockFile, NetworkFile
from .parameters import OF_NETWORK, Parameter
from .schema_parts import Schema
from .steps import Argument, Fork, Use

_VALUES: Final = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}


def schema() -> Schema:
    """The whole schema, ready for ``json.dumps``."""
    builder = _Builder()
    network, block = builder.model(NetworkFile, ""), builder.model(BlockFile, "")
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "inception-dsl spec",
        "description": "A network, a block, or changes to another spec (`extends`).",
        "anyOf": [network, block, builder.changes()],
        "$defs": builder.all_definitions(),
    }


class _Builder:
    """Translates models into definitions.

    ``change`` is ``"_change"`` for the variants in specs with ``extends``, else empty.
    """

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def model(self, kind: type[BaseModel], change: str) -> Schema:
        """A reference to the definition of a model."""
        name = kind.__name__ + change
        if name not in self.definitions:
            self.definitions[name] = {}  # a model can contain itself
            self.definitions[name] = self.object(kind, change)
        if kind is BlockBody and not change:
            return {"anyOf": [{"$ref": f"#/$defs/{name}"}, self.variant()]}
        return {"$ref": f"#/$defs/{name}"}

    def variant(self) -> Schema:
        """A reference to the schema of a block that extends another one."""
        if "Variant" not in self.definitions:
            self.definitions["Variant"] = {}
            found = self.object(BlockBody, "_change")
            extends = found["properties"]["extends"]
            found["properties"]["extends"] = {**extends, **extends.pop("anyOf")[0]}
            found["description"] = "A block that changes another one."
            self.definitions["Variant"] = {**found, "required": ["extends"]}
        return {"$ref": "#/$defs/Variant"}

    def object(self, kind: type[BaseModel], change: str) -> Schema:
        properties: dict[str, Any] = {
            f.alias or n: self.field(f, change) for n, f in kind.model_fields.items()
        }
        if issubclass(kind, Op):
            properties["op"] |= {"description": f"{kind.summary}.", "examples": [kind.kind]}
        found: Schema = {
            "type": "object",
            "description": parts.text(kind),
            "properties": properties,
        }
        found["additionalProperties"] = False
        required = [f.alias or n for n, f in kind.model_fields.items() if f.is_required()]
        if "extends" in properties and not change:
            properties["extends"] = False  # files with `extends` have a schema of their own
        if required and not change:
            found["required"] = required
        return found

    def field(self, field: FieldInfo, change: str) -> Schema:
        """The schema of a field with its description, default and examples."""
        found = self.annotation(
            Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation,
            change,
        )
        if change:
            found = parts.nullable(found)
        if "$ref" in found:
            found = {"allOf": [found]}  # draft 07 ignores keys next to `$ref`
        described: Schema = {"description": field.description} if field.description else {}
        if field.default_factory is None and not field.is_required() and field.default is not None:
            described["default"] = (
                list(field.default) if isinstance(field.default, tuple) else field.default
            )
        if field.examples:
            described["examples"] = field.examples
        return {**described, **found}

    def annotation(self, annotation: Any, change: str) -> Schema:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self.annotated(arguments, change)
        if origin is Literal:
            return {"enum": list(arguments)} if len(arguments) > 1 else {"const": arguments[0]}
        if origin in (Union, types.UnionType):
            options = [self.annotation(a, change) for a in arguments if a is not types.NoneType]
            return parts.nullable(options[0] if len(options) == 1 else {"anyOf": options})
        if origin is dict:
            values = self.annotation(arguments[1], change)
            names = self.annotation(arguments[0], change)
            return {
                "type": "object",
                "propertyNames": names,
                "additionalProperties": parts.nullable(values) if change else values,
            }
        if origin in (list, tuple):
            return self.array(arguments[0], change)
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            raise TypeError(f"no schema for {annotation}")
        return self.model(annotation, change)

    def array(self, item: Any, change: str) -> Schema:
        items = self.annotation(item, "")
        if items == parts.STEP_REF:
            return {"$ref": f"#/$defs/chain{change}"}
        found = {"type": "array", "items": items}
        return parts.changed(found) if change else found

    def annotated(self, arguments: tuple[Any, ...], change: str) -> Schema:
        found: Schema | None = None
        for extra in arguments[1:]:
            if isinstance(extra, Checked):
                found = parts.with_shared(extra.schema)
        if found is not None:
            return parts.changed(found) if change else found
        found = self.annotation(arguments[0], change)
        for extra in arguments[1:]:
            inner = extra.metadata if isinstance(extra, FieldInfo) else [extra]
            if any(isinstance(m, MinLen) for m in inner) and not change:
                found["minProperties"] = 1
        return found

    def changes(self) -> Schema:
        """A file with ``extends``: any field of a network or a block, none of them required."""
        network, block = self.object(NetworkFile, "_change"), self.object(BlockFile, "_change")
        properties = {**block["properties"], **network["properties"]}
        extends = self.field(NetworkFile.model_fields["extends"], "")
        properties["extends"] = {**extends, **extends.pop("anyOf")[0]}
        self.definitions["changes"] = {
            "type": "object",
            "description": "Changes to another spec. `null` removes a field; a mapping in place of "
            "a chain selects steps by name.",
            "properties": properties,
            "required": ["extends"],
            "not": {"required": ["network", "block"]},
            "additionalProperties": False,
        }
        return {"$ref": "#/$defs/changes"}

    def all_definitions(self) -> dict[str, Schema]:
        """All definitions by name."""
        self.model(Fork, "")
        self.model(parts.defaults(), "")
        self.model(parts.defaults(), "_change")
        for kind in OPS.values():
            self.model(kind, "")
            self.definitions[f"{kind.kind}_attributes"] = self.attributes(kind, "")
            self.definitions[f"{kind.kind}_attributes_change"] = self.attributes(kind, "_change")
        steps: list[type[Step]] = [*OPS.values(), Fork, Use]
        step = [{"$ref": f"#/$defs/{kind.__name__}"} for kind in steps]
        chain = {"type": "array", "items": parts.STEP_REF, "description": "Steps, run in order."}
        kept = {"const": KEPT, "description": "What was there before."}
        changed = {**chain, "items": {"anyOf": [parts.STEP_REF, kept]}}
        self.definitions |= {
            "Use": self.use(),
            "Parameter": self.parameter(),
            "Parameter_change": self.object(Parameter, "_change"),
            "Naming": self.object(Naming, ""),
            "Naming_change": self.object(Naming, "_change"),
            "step": {"anyOf": step, "description": "An op, a fork or a use of a block."},
            "step_change": self.step_change(),
            "chain": chain,
            "chain_change": {
                "anyOf": [
                    changed,
                    {"type": "object", "additionalProperties": {"$ref": "#/$defs/step_change"}},
                ],
                "description": "A new chain, in which `...` is the old one; or a mapping from "
                "steps (name, block or position) to changed fields, replacing steps, or null.",
            },
            "steps_change": changed,
            **{name: dict(shared) for shared, name in parts.SHARED},
        }
        return dict(sorted(self.definitions.items()))

    def attributes(self, kind: type[Op], change: str) -> Schema:
        fields = {name: kind.model_fields[name] for name in attribute_names(kind)}
        return {
            "type": "object",
            "description": f"Default attributes of `{kind.kind}`.",
            "properties": {
                name: parts.without_expressions(self.field(field, change))
                for name, field in fields.items()
            },
            "additionalProperties": False,
        }

    def use(self) -> Schema:
        """The schema of a use: any other key is an argument."""
        fields = {name: f for name, f in Use.model_fields.items() if name != "arguments"}
        return {
            "type": "object",
            "description": parts.text(Use),
            "properties": {
                **{n: self.field(f, "") for n, f in fields.items()},
                "op": False,
                "branches": False,
            },
            "propertyNames": {"$ref": "#/$defs/id"},
            "additionalProperties": self.annotation(Argument, ""),
            "required": ["use"],
        }

    def parameter(self) -> Schema:
        """The schema of a parameter, whose default has its type, or is one of the network's."""
        whole = self.object(Parameter, "")
        named = {"type": "string", "pattern": OF_NETWORK}
        defaults = [
            {"type": {"const": name}, "default": {"anyOf": [{"type": [kind, "null"]}, named]}}
            for name, kind in _VALUES.items()
        ]
        return {**whole, "anyOf": [{"properties": default} for default in defaults]}

    def step_change(self) -> Schema:
        """The schema for changes to any step: its kind is only known from the extended spec."""
        known = {**Fork.model_fields, **Step.model_fields}
        partial = {n: self.field(f, "_change") for n, f in known.items()}
        partial[KEPT] = {**parts.NULL, "description": "All fields of the old step."}
        names = {"anyOf": [{"$ref": "#/$defs/id"}, {"const": KEPT}]}
        change = {"type": "object", "properties": partial, "propertyNames": names}
        return {"anyOf": [change, {"$ref": "#/$defs/steps_change"}, parts.NULL]}
