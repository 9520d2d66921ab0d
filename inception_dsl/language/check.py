"""Validates plain data as a model. Parts with errors are reported once and left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from ..diagnostics.report import Report
from ..diagnostics.words import nearest
from ..yaml.document import BROKEN, DataPath, Document
from .defaults import given_in, joined
from .each import spread
from .rest import copied, drop

ROUNDS, LARGE = 12, 10_000
"""Validation rounds; only two for documents with ``LARGE`` values or more."""
_SOUGHT: Final = 100
M = TypeVar("M", bound=BaseModel)


def check(
    kind: type[M],
    document: Document,
    report: Report,
    defaults: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> M | None:
    """The document as a model, or ``None`` if nothing valid is left.

    ``defaults`` has the attributes by op that the network's defaults set; with those of the
    document they may be missing in steps. All errors are reported. The parts with errors are left
    out and listed in ``document.dropped``, so that later stages do not report what follows from
    them.
    """
    before = len(report.diagnostics)
    document = spread(document, report)
    data = document.data
    given = joined(given_in(data), document.given, defaults)
    for attempt in range(ROUNDS if len(document.spans) < LARGE else 2):
        try:
            return kind.model_validate(data, context=given)
        except ValidationError as error:
            problems = error.errors(include_url=False)
        from .problems import plain, report_problem  # only errors need it

        data = data if attempt else copied(data)
        unknown = [p for p in problems if p["type"] == "extra_forbidden"][:_SOUGHT]
        meant = {_meant(kind, problem, document) for problem in unknown}
        known = _Known(document.dropped)
        for problem in problems:
            if report.crowded(before):
                return None
            path = plain(problem["loc"])
            follows = path in meant if problem["type"] == "missing" else problem["input"] is BROKEN
            if not follows and not known.touches(path):
                report_problem(kind, problem, document, report)
            taken = drop(data, path)
            if taken is None:
                return None
            document.dropped |= {path, taken}
        for path in meant:
            document.dropped.add(path)
            if _is_chain_at_top(path, data):
                drop(data, path)
    return None


class _Known:
    """Paths that were left out before: problems at or above them follow from that."""

    def __init__(self, dropped: set[DataPath]) -> None:
        self.dropped = set(dropped)
        self.above = {path[:size] for path in dropped for size in range(len(path))}

    def touches(self, path: DataPath) -> bool:
        return path in self.dropped or path in self.above


def _is_chain_at_top(path: DataPath, data: Any) -> bool:
    """Whether ``path`` is a missing section of the network, whose key is misspelled."""
    return len(path) == 1 and path[0] in ("stem", "body", "head") and path[0] not in data


def _meant(kind: type[BaseModel], problem: Any, document: Document) -> DataPath:
    """The path of the field that is probably meant by an unknown one."""
    from .problems import known_fields, plain

    *owner, name = plain(problem["loc"])
    best = nearest(str(name), known_fields(kind, document.data, tuple(owner)))
    return (*owner, best or "")
