"""Tests one random network of :mod:`.random_symbols`, or one overlay of :mod:`.random_changes`.

The outputs are compared as for all random networks (:mod:`.trial`). In addition, each generated
file must define every block once, with arguments that do not depend on its uses. An overlay must
give the same files as the spec in one file that the generator makes of it.
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
from .random_changes import ChangedSpec, changed_spec
from .random_specs import RandomSpec
from .random_symbols import SymbolSpec, symbol_spec
from .symbol_files import check_files, code, differing
from .trial import Trial, compare_backends

REJECTED: Final = "rejected"
"""The policy of a spec that the compiler rejects: two names clash, or a value is out of range in
one of several uses. It is not compared."""
UNSUPPORTED: Final = "unsupported"
"""The policy of a spec with a name that a backend cannot use (E503). It is not compared."""


class Unsupported(Exception):  # noqa: N818 - an outcome, not an error
    """A backend reports that it cannot express the spec (E503)."""


def attempt_symbols(
    seed: int, backends: Sequence[Backend], *, training: bool = False, folder: Path | None = None
) -> Trial:
    """Test a seed; any exception counts as a disagreement.

    With a ``folder``, it is that of an overlay over a spec there.
    """
    trial = Trial(seed, "", "")
    try:
        found = changed_spec(seed, folder) if folder else symbol_spec(seed)
        spec = found.spec
        trial = trial._replace(policy=spec.policy, dtype=spec.dtype)
        typed = compiled(spec)
        if typed is None:
            return trial._replace(policy=REJECTED)
        trial = trial._replace(trained=training and spec.dtype == "float64")
        sources = {backend.name: source(backend, typed) for backend in backends}
        worst, problem = compare_backends(spec, backends, training=trial.trained)
        problem = (
            problem
            or check_files(typed, sources)
            or (
                compare_flat(found, sources, backends)
                if isinstance(found, ChangedSpec)
                else compare_shorter(found, typed, sources, backends)
            )
        )
    except Unsupported:
        return trial._replace(policy=UNSUPPORTED, trained=False)
    except Exception as error:
        first = (str(error).strip().splitlines() or [""])[0]
        return trial._replace(problem=f"{type(error).__name__}: {first[:300]}")
    return trial._replace(worst=worst, problem=problem)


def compiled(spec: RandomSpec) -> TypedProgram | None:
    """The program of a spec, or ``None`` if it is rejected."""
    with tempfile.TemporaryDirectory(prefix="inception-dsl-") as name:
        return compile_spec(spec.write(Path(name)), {}, Report())


def compare_shorter(
    found: SymbolSpec,
    typed: TypedProgram,
    sources: dict[str, str],
    backends: Sequence[Backend],
) -> str:
    """How the files differ from those of the spec without the last use, apart from that use."""
    shorter = compiled(found.shorter) if found.shorter else None
    if shorter is None:
        return ""
    for backend in backends:
        try:
            less = source(backend, shorter)
        except Unsupported:
            continue
        problem = differing(typed, shorter, sources[backend.name], less)
        if problem:
            return f"{backend.name}: {problem}"
    return ""


def compare_flat(found: ChangedSpec, sources: dict[str, str], backends: Sequence[Backend]) -> str:
    """How the files of an overlay differ from those of the same spec in one file.

    Only the documentation may: that of an overlay names the spec that it changes.
    """
    flat = compiled(found.flat)
    if flat is None:
        return "the same spec in one file is rejected"
    for backend in backends:
        if code(source(backend, flat)) != code(sources[backend.name]):
            return f"{backend.name}: the same spec in one file gives other source"
    return ""


def source(backend: Backend, typed: TypedProgram) -> str:
    """The Python file of a backend; raises :class:`Unsupported` if it cannot express the spec."""
    report = Report()
    files = backend.emit(typed, Request(typed.program.id), report)
    if files is None:
        if {d.code for d in report.diagnostics if d.code.startswith("E")} == {"E503"}:
            raise Unsupported
        raise ValueError(f"{backend.name} rejects the spec: {report.render().splitlines()[0]}")
    text = next(iter(files.values()))
    return text.decode() if isinstance(text, bytes) else text
