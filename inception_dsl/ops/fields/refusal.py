"""How a field rejects a value, and what it suggests instead."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from ...diagnostics.words import nearest
from ...yaml.edits import flow

_PLAIN: Final = ("true", "false", "null", "~")
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,40}(\.[0-9]{0,40})?([eE][-+]?[0-9]{1,9})?")


class Checked:
    """The check of a field and its JSON schema. ``check`` raises errors made by :func:`refuse`."""

    def __init__(self, check: Callable[[Any], Any], schema: dict[str, Any]) -> None:
        self.check, self.schema = check, schema

    def __get_pydantic_core_schema__(self, _: Any, __: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)


class Meant(NamedTuple):
    """A suggestion: the help, what to write, the kind of edit, and the path below the value."""

    help: str = ""
    write: str = ""
    edit: str = "replace"
    path: tuple[str | int, ...] = ()


def refuse(
    message: str,
    *,
    code: str = "E203",
    help: str = "",
    write: str = "",
    edit: str = "replace",
    at: tuple[int, int] = (0, 0),
    meant: Callable[[], Meant] | None = None,
) -> PydanticCustomError:
    """The error that fields raise; the loader turns it into a diagnostic.

    ``write`` is what to write instead. ``edit`` is the kind of edit, by default one that replaces
    the value (or the key). ``at`` is the offset and length of the wrong part of a text. ``meant``
    computes the suggestion later, as searching for similar words takes time.
    """
    found = meant or (lambda: Meant(help, write, edit))
    context = {"message": message, "code": code, "meant": found, "offset": at[0], "length": at[1]}
    return PydanticCustomError("spec", "{message}", context)


def unmarked(error: PydanticCustomError, text: str) -> PydanticCustomError:
    """``error`` for a ``text`` that may be an expression without its ``$``."""
    return PydanticCustomError("spec", "{message}", {**(error.context or {}), "text": text})


def did_you_mean(word: object, known: Iterable[str], otherwise: str = "") -> Callable[[], Meant]:
    """A suggestion of the most similar known word; if there is none, the help is ``otherwise``."""

    def meant() -> Meant:
        best = nearest(word, known) if isinstance(word, str) else None
        return Meant(f"did you mean `{best}`?", best) if best else Meant(otherwise)

    return meant


def located(
    error: PydanticCustomError, path: tuple[str | int, ...], value: object
) -> ValidationError:
    """``error`` for the value at ``path`` inside the checked field."""
    return ValidationError.from_exception_data(
        "spec", [InitErrorDetails(type=error, loc=path, input=value)]
    )


def below(problem: Any, key: str) -> InitErrorDetails:
    """An error of pydantic for a value, as an error of the mapping with the value under ``key``."""
    kind: Any = problem["type"]
    context = problem.get("ctx", {})
    if kind == "spec":
        return InitErrorDetails(
            type=PydanticCustomError("spec", "{message}", context),
            loc=(key, *problem["loc"]),
            input=problem["input"],
        )
    return InitErrorDetails(
        type=kind, loc=(key, *problem["loc"]), input=problem["input"], ctx=context
    )


def shown(value: object) -> str:
    """The value as a diagnostic quotes it, shortened.

    A string that YAML would read as another type without quotes is called a string.
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"the list `{flow(value, 40)[:40]}`"
    if isinstance(value, str) and (not value or value in _PLAIN or _NUMBER.fullmatch(value)):
        return f'the string `"{value[:40]}"`'
    return f"`{str(value)[:40]}`"
