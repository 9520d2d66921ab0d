"""How a field rejects a value, and what it suggests instead."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from ...diagnostics.words import nearest
from ...yaml.edits import flow


class Checked:
    """How a field is checked (``check`` raises what :func:`refuse` makes), and what a JSON Schema
    says of it.
    """

    def __init__(self, check: Callable[[Any], Any], schema: dict[str, Any]) -> None:
        self.check, self.schema = check, schema

    def __get_pydantic_core_schema__(self, _: Any, __: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)


class Meant(NamedTuple):
    """What was probably meant: the help, what to write and how, and where below the value."""

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
    """The one kind of error that fields raise; the loader turns it into a diagnostic.

    ``write`` is what to write instead, and ``edit`` how, where that is not in the place of the
    value (or of the key). ``at`` is the part of a text that is wrong: where it starts, and its
    length. ``meant`` is asked where the help takes a search.
    """
    found = meant or (lambda: Meant(help, write, edit))
    context = {"message": message, "code": code, "meant": found, "offset": at[0], "length": at[1]}
    return PydanticCustomError("spec", "{message}", context)


def did_you_mean(word: object, known: Iterable[str], otherwise: str = "") -> Callable[[], Meant]:
    """Asks for the nearest of the known words; where there is none, the help is ``otherwise``."""

    def meant() -> Meant:
        best = nearest(word, known) if isinstance(word, str) else None
        return Meant(f"did you mean `{best}`?", best) if best else Meant(otherwise)

    return meant


def located(
    error: PydanticCustomError, path: tuple[str | int, ...], value: object
) -> ValidationError:
    """``error`` about what stands at ``path`` inside the field that is checked."""
    return ValidationError.from_exception_data(
        "spec", [InitErrorDetails(type=error, loc=path, input=value)]
    )


def below(problem: Any, key: str) -> InitErrorDetails:
    """A problem that pydantic lists, as one of the mapping that holds the checked value under
    ``key``.
    """
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
    """A short quotation of what was written."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"the list `{flow(value, 40)[:40]}`"
    return f"`{str(value)[:40]}`"
