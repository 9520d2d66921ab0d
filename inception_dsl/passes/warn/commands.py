"""The command that makes the change which a warning advises.

It names all steps that have to change together, and has the options with which the spec was read.
There is none where ``rewrite`` would refuse a step: it is repeated, or not written in one place.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ...diagnostics.report import SHIPPED
from ...language.given import StandardInput
from ...language.load import Spec
from ...language.roots import own_root
from .survey import Case, Survey

_POSITION: Final = re.compile(r"\.\d+(\.|\Z)")


def command(survey: Survey, rule: str, case: Case) -> str:
    """The end of a help text: the command that makes the change, if one can."""
    spec, steps = survey.spec, together(survey, case)
    paths = dict.fromkeys("/".join(step.path) for step in steps)
    if not all(paths) or not _read_from_file(spec) or not all(map(_editable, steps)):
        return ""
    at = [word for path in paths for word in ("--at", path)]
    words = ["inception-dsl", "rewrite", spec.document.file, rule, *at, *_options(spec)]
    return f"; to do so, run `{shlex.join(words)}`"


def together(survey: Survey, case: Case) -> list[Case]:
    """The cases of a step, and those of all that share weights with it."""
    group = survey.shared.get(id(case.node), {id(case.node)})
    return [one for one in survey.cases if id(one.node) in group]


def _read_from_file(spec: Spec) -> bool:
    """Whether the spec can be read again, and no setting names a step by its position."""
    positions = any(map(_POSITION.search, spec.settings))
    return spec.document.file != os.fspath(StandardInput(b"")) and not positions


def _options(spec: Spec) -> Iterator[str]:
    """The options with which the spec was read."""
    for name, value in spec.settings.items():
        yield from ("--set", f"{name}={value}")
    file = Path(spec.document.file)
    if not spec.document.file.startswith(SHIPPED) and spec.root != own_root(file):
        yield from ("--root", str(spec.root) if file.is_absolute() else os.path.relpath(spec.root))


def _editable(case: Case) -> bool:
    """Whether a step is written as a whole at one place of a file, and has no `repeat`."""
    node, owner = case.node, case.context.uses[-1].block if case.context.uses else ""
    document, path = node.origin.document, node.origin.path
    size, origins = len(path), document.origins
    spans = (span for key, span in document.spans.items() if key[:size] == path)
    apart = any(span.file != document.file for span in spans)
    removed = any(key[:size] == path for key in document.removed)
    extended = owner in origins or owner in origins.values()
    return not (apart or removed or extended) and (node.repeat == 1 or bool(node.each))
