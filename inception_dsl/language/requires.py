"""The field ``requires``: the versions of this package that can read a spec.

It is checked as soon as the text is read, before unknown fields of a newer language are reported.
The packages that compare versions are no dependencies, and of PEP 440 this needs the release only.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, TypeAlias

from ..diagnostics.report import Report
from ..ops.fields.refusal import Checked, refuse, shown
from ..version import __version__
from ..yaml.document import Document

NAME: Final = "inception-dsl"
_RELEASE: Final = r"[0-9]{1,6}(?:\.[0-9]{1,6}){0,3}"
_SERIES: Final = r"[0-9]{1,6}(?:\.[0-9]{1,6}){1,3}"
_ONE: Final = rf" *(?:[<>]=? *{_RELEASE}|[=!]= *{_RELEASE}(?:\.\*)?|~= *{_SERIES}) *"
_ALL: Final = rf"{NAME}{_ONE}(?:,{_ONE}){{0,7}}"
_VERSION: Final = re.compile(r"([0-9.]+?)(?:\.?(?P<early>a|b|c|rc|dev)|\.(?P<late>post)|\+|\Z)")
_CONDITION: Final = re.compile(r"([<>=!~]=|[<>]) *([0-9.]*[0-9])(\.\*)?")

Release: TypeAlias = tuple[int, ...]


def requirement(value: Any) -> str:
    """Check a requirement: ``inception-dsl >= 0.2``."""
    if not isinstance(value, str) or not re.fullmatch(_ALL, value):
        raise refuse(
            f"expected the name and its versions, found {shown(value)}",
            help=f"for example `{NAME} >= 0.2`, `{NAME} ~= 1.0, != 1.0.3`",
        )
    return value


Requirement = Annotated[str, Checked(requirement, {"type": "string", "pattern": f"^{_ALL}$"})]


def satisfied(document: Document, report: Report) -> bool:
    """Whether this version can read the document; otherwise reports it.

    An invalid value is reported when the fields are validated.
    """
    wanted, version = document.data["requires"], __version__
    if not isinstance(wanted, str) or not re.fullmatch(_ALL, wanted) or meets(version, wanted):
        return True
    versions = wanted.removeprefix(NAME).replace(" ", "")
    report.error(
        "E315",
        f"requires {wanted}, and this is {version}",
        document.span(("requires",)),
        help=f"pip install '{NAME}{versions}'",
    )
    return False


def meets(version: str, wanted: str) -> bool:
    """Whether ``version`` meets all conditions in ``wanted``, a valid requirement."""
    found = _VERSION.match(version)
    own = _numbers(found[1]) if found else ()
    early, late = (bool(found and found[which]) for which in ("early", "late"))
    for sign, release, series in _CONDITION.findall(wanted):
        given = _numbers(release)
        size = len(given) if series else len(given) - 1
        within = _padded(own, size)[:size] == given[:size]
        order = _compare(own, given)
        equal = within if series else order == 0 and not early and not late
        if not {
            "==": equal,
            "!=": not equal,
            # a version before (0.2rc1) or after (0.2.post1) its own release is not that release
            ">=": order > 0 or (order == 0 and not early),
            "~=": within and (order > 0 or (order == 0 and not early)),
            "<=": order < 0 or (order == 0 and not late),
            ">": order > 0,
            "<": order < 0,
        }[sign]:
            return False
    return True


def _numbers(text: str) -> Release:
    return tuple(int(part) for part in text.split(".") if part)


def _padded(release: Release, size: int) -> Release:
    return release + (0,) * (size - len(release))


def _compare(a: Release, b: Release) -> int:
    size = max(len(a), len(b))
    a, b = _padded(a, size), _padded(b, size)
    return (a > b) - (a < b)
