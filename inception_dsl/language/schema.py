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
from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from ..ops import OPS, Op, Step, Weighted, attribute_names
from ..ops.fields.refusal import Checked
from . import schema_parts as parts
from . import schema_steps as steps
from .checkpoints import Naming
from .meant import KEPT, KINDS
from .models import BlockBody, BlockFile, NetworkFile
from .parameters import OF_NETWORK, Parameter
from .schema_parts import Schema
from .steps import Argument, Fork, Use

_VALUES: Final = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}


def schema() -> Schema:
    """The whole schema, ready for ``json.dumps``."""
    builder = _Builder()
    whole = parts.if_has("block", builder.model(BlockFile, ""), builder.model(NetworkFile, ""))
    kinds = {
        name: builder.field(kind.model_fields[name], "")
        for name, kind in (("network", NetworkFile), ("block", BlockFile))
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "inception-dsl spec",
        "description": "A network, a block, or changes to another spec (`extends`).",
        "type": "object",
        "properties": {**kinds, "extends": builder.extends(NetworkFile)},
        **parts.if_has("extends", builder.changes(), whole),
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
            return parts.if_has("extends", self.variant(), parts.reference(name))
        return parts.reference(name)

    def variant(self) -> Schema:
        """A reference to the schema of a block that extends another one."""
        if "Variant" not in self.definitions:
            self.definitions["Variant"] = {}
            found = self.object(BlockBody, "_change")
            found["properties"]["extends"] = self.extends(BlockBody)
            self.definitions["Variant"] = {**found, "required": ["extends"]}
        return parts.reference("Variant")

    def extends(self, kind: type[BaseModel]) -> Schema:
        """The schema of ``extends`` where it is there, and so not ``null``."""
        found = self.field(kind.model_fields["extends"], "")
        return {**found, **found.pop("anyOf")[0]}

    def object(self, kind: type[BaseModel], change: str) -> Schema:
        """The schema of a model. That of a field says nothing about it: the field does."""
        properties: dict[str, Any] = {
            f.alias or n: self.field(f, change) for n, f in kind.model_fields.items()
        }
        found: Schema = {"type": "object", "properties": properties}
        if issubclass(kind, Op):
            properties["op"] |= {"description": f"{kind.summary}."}
            found = {"title": kind.kind, "description": parts.text(kind), **found}
        elif issubclass(kind, Fork):
            found = {"title": "branches", "description": parts.text(kind), **found}
        found["additionalProperties"] = False
        required = [f.alias or n for n, f in kind.model_fields.items() if f.is_required()]
        if "extends" in properties and not change:
            properties["extends"] = False  # files with `extends` have a schema of their own
        if issubclass(kind, Op):
            names = attribute_names(kind)
            properties["each"] = steps.each({n: properties[n] for n in names}, change)
            if not change:
                found |= steps.required_or_each(names, required)
                required = ["op"]
        if required and not change:
            found["required"] = required
        if (rules := getattr(kind, "rules", None)) and not change:
            found["allOf"] = rules()
        return steps.partial(found) if change and issubclass(kind, Step) else found

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
        return {**parts.documented(field, found), **found}

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
            key, value = arguments
            return self.mapping(key, value, change)
        if origin in (list, tuple):
            return self.array(arguments[0], change)
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            raise TypeError(f"no schema for {annotation}")
        return self.model(annotation, change)

    def mapping(self, key: Any, value: Any, change: str) -> Schema:
        """The schema of a mapping from names, each of which is what its value is."""
        values = self.annotation(value, change)
        if change:
            values = parts.nullable(values)
        if about := parts.about(value):
            values = {"description": about, "allOf": [values]}
        names = self.annotation(key, change)
        return {"type": "object", "propertyNames": names, "additionalProperties": values}

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
            if isinstance(extra, BeforeValidator):  # of a short form
                return self.annotation(extra.json_schema_input_type, change)
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
        properties["extends"] = self.extends(NetworkFile)
        self.definitions["changes"] = {
            "type": "object",
            "description": "Changes to another spec. `null` removes a field; a mapping in place of "
            "a chain selects steps by name.",
            "properties": properties,
            "required": ["extends"],
            "not": {"required": ["network", "block"]},
            "additionalProperties": False,
        }
        return parts.reference("changes")

    def all_definitions(self) -> dict[str, Schema]:
        """All definitions by name."""
        for change in ("", "_change"):
            self.model(Fork, change)
            self.model(parts.defaults(), change)
            for kind in OPS.values():
                self.model(kind, change)
                self.definitions[f"{kind.kind}_attributes{change}"] = self.attributes(kind, change)
        use = self.use()
        self.definitions |= {
            "Use": use,
            "Use_change": steps.partial(use),
            "Parameter": self.parameter(),
            "Parameter_change": self.object(Parameter, "_change"),
            "Naming": self.object(Naming, ""),
            "Naming_change": self.object(Naming, "_change"),
            "step": steps.step(),
            "step_change": steps.step_change(),
            "fields_change": steps.fields_change(),
            "any_step_change": self.any_step_change(),
            **steps.chains(),
            **{name: parts.undocumented(shared) for shared, name in parts.SHARED},
        }
        return dict(sorted(self.definitions.items()))

    def attributes(self, kind: type[Op], change: str) -> Schema:
        """The schema of the default attributes of an op."""
        fields = {
            name: self.field(kind.model_fields[name], change) for name in attribute_names(kind)
        }
        return {
            "type": "object",
            "properties": {name: parts.without_expressions(f) for name, f in fields.items()},
            "additionalProperties": False,
        }

    def use(self) -> Schema:
        """The schema of a use: any other key is an argument."""
        fields = {f.alias or n: f for n, f in Use.model_fields.items() if n != "arguments"}
        return {
            "title": "use",
            "description": parts.text(Use),
            "type": "object",
            "properties": {
                **{n: self.field(f, "") for n, f in fields.items()},
                "each": steps.each({}, ""),
                "op": False,
                "branches": False,
            },
            "required": ["use"],
            "allOf": [steps.once(())],
            **steps.arguments([*fields, "each", "op", "branches"], self.annotation(Argument, "")),
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

    def any_step_change(self) -> Schema:
        """The schema for changes to a step of any kind, which only the extended spec knows."""
        argument = parts.nullable(self.annotation(Argument, ""))
        common = {f.alias or n: self.field(f, "_change") for n, f in Weighted.model_fields.items()}
        for name in ("merge", "split", "after"):
            common[name] = self.field(Fork.model_fields[name], "_change")
        common["each"] = steps.each({}, "_change")
        fields: dict[str, dict[str, tuple[FieldInfo, Schema]]] = {}
        for kind in OPS.values():
            for name in attribute_names(kind):
                field = kind.model_fields[name]
                found = self.field(field, "_change")
                fields.setdefault(name, {})[kind.kind] = field, found
        properties = {**common, **steps.of_any_kind(fields, argument)}
        kinds = {
            key: self.field(k.model_fields[key], "")
            for key, k in (("branches", Fork), ("use", Use))
        }
        return {
            "type": "object",
            "properties": {**properties, **kinds, KEPT: steps.KEPT_FIELDS},
            **steps.arguments([*properties, *KINDS], argument),
        }
