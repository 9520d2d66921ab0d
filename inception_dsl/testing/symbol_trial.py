"""One random network of :mod:`.random_symbols` through everything, and what its files look like.

The networks are judged as all random ones are (:mod:`.trial`); beside that, each generated file has
to be written as the design says: once for each block, with arguments that no other use changes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..backend.protocol import Backend, Request
from ..compiler import compile_spec
from ..diagnostics.report import Report
from ..ir.typed import TypedProgram
from .random_specs import MAIN, RandomSpec
from .random_symbols import SymbolSpec, symbol_spec
from .symbol_files import differing, looked_at
from .trial import Trial, judged

REFUSED: Final = "refused"
"""The policy of a spec that is not judged, as the compiler refuses it: two names clash, or a value
is out of range in one of many uses."""
UNSAID: Final = "not expressed"
"""The policy of a spec that is not judged, as a backend has no name for a block or a layer."""


class Unsaid(Exception):  # noqa: N818 - an outcome, not an error
    """A backend cannot express the spec, and says so (E503)."""


def attempt_symbols(seed: int, backends: Sequence[Backend], *, training: bool = False) -> Trial:
    """The trial of a seed; whatever is raised on the way is a disagreement."""
    trial = Trial(seed, "", "")
    try:
        found = symbol_spec(seed)
        spec = found.spec
        trial = trial._replace(policy=spec.policy, dtype=spec.dtype)
        typed = compiled(spec)
        if typed is None:
            return trial._replace(policy=REFUSED)
        trial = trial._replace(trained=training and spec.dtype == "float64")
        sources = {backend.name: source(backend, typed) for backend in backends}
        worst, problem = judged(spec, backends, training=trial.trained)
        problem = problem or looked_at(typed, sources) or with_less(found, typed, sources, backends)
    except Unsaid:
        return trial._replace(policy=UNSAID, trained=False)
    except Exception as error:
        first = (str(error).strip().splitlines() or [""])[0]
        return trial._replace(problem=f"{type(error).__name__}: {first[:300]}")
    return trial._replace(worst=worst, problem=problem)


def compiled(spec: RandomSpec) -> TypedProgram | None:
    """The program of a spec, or nothing where it is refused."""
    with tempfile.TemporaryDirectory(prefix="inception-dsl-") as name:
        for file, text in spec.files.items():
            (Path(name) / file).write_text(text, encoding="utf-8")
        return compile_spec(Path(name) / MAIN, {}, Report())


def with_less(
    found: SymbolSpec,
    typed: TypedProgram,
    sources: dict[str, str],
    backends: Sequence[Backend],
) -> str:
    """How the files differ from those without the last use, beside that use; or nothing."""
    shorter = compiled(found.shorter) if found.shorter else None
    if shorter is None:
        return ""
    for backend in backends:
        try:
            less = source(backend, shorter)
        except Unsaid:
            continue
        problem = differing(typed, shorter, sources[backend.name], less)
        if problem:
            return f"{backend.name}: {problem}"
    return ""


def source(backend: Backend, typed: TypedProgram) -> str:
    """The Python file that a backend writes; raises :class:`Unsaid` where it cannot."""
    report = Report()
    files = backend.emit(typed, Request(typed.program.id), report)
    if files is None:
        if {d.code for d in report.diagnostics if d.code.startswith("E")} == {"E503"}:
            raise Unsaid
        raise ValueError(f"{backend.name} refuses the spec: {report.render().splitlines()[0]}")
    text = next(iter(files.values()))
    return text.decode() if isinstance(text, bytes) else text
