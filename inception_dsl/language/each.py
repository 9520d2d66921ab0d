"""Steps with `each`: repetitions that differ in some fields.

Before a document is checked, such a step becomes an :class:`Every`: a mapping with one step for
each repetition. Their parts have the locations of what is written, so that errors and edits are
those of the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ..diagnostics.report import Report
from ..types.tensor import many
from ..yaml.document import DataPath, Document
from .rest import Every, Rest, is_step

EACH: Final = "each"
ABOUT: Final = (
    "Repeats the step with other values: a list for each field, with a value for each time. For "
    "example: `{filters: [64, 96, 128]}`."
)
MAX_EACH: Final = 1_000
_STEP: Final = frozenset({"name", "deviation", "allow"})
"""Fields that are those of the step, not of its repetitions."""
_ONCE: Final = frozenset({*_STEP, "op", "use", "branches", "repeat", EACH})


def spread(document: Document, report: Report) -> Document:
    """The document with the steps with ``each`` replaced; reports those that are wrong."""
    if not any(path[-1:] == (EACH,) for path in document.spans):
        return document
    return replace(document, data=_Spread(document, report).whole())


def repetitions(step: Mapping[Any, Any]) -> list[dict[Any, Any]]:
    """The fields of each repetition of a step with ``each``."""
    count = min(map(len, step[EACH].values()))
    same = {key: value for key, value in step.items() if key not in _STEP and key != EACH}
    return [{**same, **{k: v[n] for k, v in step[EACH].items()}} for n in range(count)]


class _Spread:
    def __init__(self, document: Document, report: Report) -> None:
        self.document, self.report = document, report
        self.found: dict[DataPath, int] = {}

    def whole(self) -> Any:
        """The new data; the locations of its parts are added to those of the document."""
        document = self.document
        data = self.part(document.data, ())
        for spans, keys in ((document.spans, False), (document.keys, True)):
            old = [*spans.items()]
            spans |= {new: span for path, span in old for new in self.new(path, keys)}
        return data

    def part(self, data: Any, path: DataPath) -> Any:
        """A copy of a part with its steps replaced."""
        if isinstance(data, list):
            return [self.part(value, (*path, index)) for index, value in enumerate(data)]
        if not isinstance(data, dict):
            return data
        if EACH in data and {"op", "use"} & data.keys():
            return self.step(data, path)
        if {EACH, "branches"} <= data.keys() and is_step(path, len(path) - 1):
            return self.fork(data, path)
        copy = {key: self.part(value, (*path, key)) for key, value in data.items()}
        return type(data)(copy)

    def fork(self, fork: dict[Any, Any], path: DataPath) -> dict[Any, Any]:
        """What is left of a fork with ``each``, which is an error."""
        message = f"a fork cannot have `{EACH}`: its repetitions are equal"
        help = f"make it a block, and write `{EACH}` in the step that uses it"
        self.report.error("E201", message, self.document.key_span((*path, EACH)), help=help)
        self.document.dropped.add(path)
        kept = ("name", "branches")
        return Rest({key: self.part(fork[key], (*path, key)) for key in kept if key in fork})

    def step(self, step: dict[Any, Any], path: DataPath) -> dict[Any, Any]:
        """A step with ``each``."""
        lists, count = step[EACH], self.count(step, path)
        if not count:
            self.document.dropped.add(path)
            return Rest({key: step[key] for key in ("name", "use") if key in step})
        self.found[path] = count
        own = {key: value for key, value in step.items() if key in _STEP}
        return Every(
            {**own, EACH: repetitions(step), "lengths": {k: len(v) for k, v in lists.items()}}
        )

    def count(self, step: dict[Any, Any], path: DataPath) -> int:
        """The number of repetitions; 0 after an error, which is reported."""
        lists = step[EACH]
        if not isinstance(lists, dict) or not lists:
            help = "for example `each: {filters: [64, 96, 128]}`"
            return self.wrong("expected a field with a list of values", (*path, EACH), help)
        for key, values in lists.items():
            here = (*path, EACH, key)
            if key in _ONCE:
                return self.wrong(f"`{key}` cannot differ between repetitions", here)
            if key in step:
                help = "remove one of them"
                return self.wrong(f"`{key}` is set here and in the step itself", here, help)
            if not isinstance(values, list) or not values:
                help = f"write `{key}: […]`"
                return self.wrong("expected a list with a value for each repetition", here, help)
        count = min(map(len, lists.values()))
        if count + sum(self.found.values()) > MAX_EACH:
            message = f"more than {MAX_EACH:,} repetitions by `{EACH}` in this file"
            return self.wrong(message, (*path, EACH), code="E309")
        if "repeat" in step:
            help = f"remove it: the lists of `{EACH}` are for {many(count, 'repetition')}"
            return self.wrong(f"`repeat` cannot be used with `{EACH}`", (*path, "repeat"), help)
        return count

    def wrong(self, message: str, path: DataPath, help: str = "", code: str = "E203") -> int:
        self.report.error(code, message, self.document.span(path), help=help)
        return 0

    def new(self, path: DataPath, keys: bool) -> list[DataPath]:
        """The paths that a part, or its key, gets in the repetitions of its step."""
        found: list[DataPath] = []
        for size in range(1, len(path)):
            step, rest = path[:size], path[size:]
            count = self.found.get(step)
            if count is None:
                continue
            if rest[0] != EACH:
                found += [(*step, EACH, n, *rest) for n in range(count)]
            elif len(rest) > 2 and isinstance(rest[2], int):
                found.append((*step, EACH, rest[2], rest[1], *rest[3:]))
            elif keys and len(rest) == 2:
                found += [(*step, EACH, n, rest[1]) for n in range(count)]
        return found
