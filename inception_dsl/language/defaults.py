"""The field ``defaults``: default attributes for each op."""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from ..ops import OPS, Op, Weighted, attribute_names, expressions
from ..ops.fields.refusal import Checked, below, located, refuse, shown


def _partial(kind: type[Op]) -> Callable[[Any], dict[str, Any]]:
    def check(value: Any) -> dict[str, Any]:
        known = attribute_names(kind)
        if not isinstance(value, dict):
            raise refuse(f"expected a mapping of attributes, found {shown(value)}")
        for key in value:
            if key in {*Weighted.model_fields, "weights", "op"}:
                error = refuse(
                    f"unknown attribute `{key}` of `{kind.kind}`",
                    code="E201",
                    help=f"known attributes: {', '.join(known)}",
                )
                raise located(error, (key, "[key]"), value)
        checked = kind.partial(value)
        for key, given in checked.items():
            if expressions(given):
                error = refuse(
                    "expressions are not allowed in `defaults`: each block has other parameters",
                    code="E207",
                )
                raise located(error, (key,), value[key])
        return checked

    return check


def defaults(value: Any) -> dict[str, dict[str, Any]]:
    """Checks default attributes like the fields of their ops; reports all errors at once."""
    if not isinstance(value, dict):
        raise refuse(f"expected a mapping from ops to attributes, found {shown(value)}")
    found: dict[str, dict[str, Any]] = {}
    wrong: list[InitErrorDetails] = []
    for name, attributes in value.items():
        if name not in OPS:
            wrong.append(InitErrorDetails(type="extra_forbidden", loc=(name,), input=attributes))
            continue
        try:
            found[name] = _partial(OPS[name])(attributes)
        except PydanticCustomError as error:
            wrong.append(InitErrorDetails(type=error, loc=(name,), input=attributes))
        except ValidationError as error:
            wrong += [below(problem, name) for problem in error.errors(include_url=False)]
    if wrong:
        raise ValidationError.from_exception_data("defaults", wrong)
    return found


def given_in(data: Any) -> dict[str, set[str]]:
    """The attributes that the ``defaults`` of an unchecked file set, by op."""
    found = data.get("defaults") if isinstance(data, dict) else None
    items = found.items() if isinstance(found, dict) else ()
    return {op: set(attributes) for op, attributes in items if isinstance(attributes, dict)}


def joined(*parts: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """The attributes in any of ``parts``, by op."""
    found: dict[str, set[str]] = {}
    for part in parts:
        for op, attributes in part.items():
            found.setdefault(op, set()).update(attributes)
    return found


DefaultsField = Annotated[
    dict[str, dict[str, Any]], Checked(defaults, {"$ref": "#/$defs/Defaults"})
]
