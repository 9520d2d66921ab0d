"""The first step of a network with several inputs: a fork with a branch for each of them."""

from __future__ import annotations

from typing import Any

from ..diagnostics.report import Report
from ..diagnostics.words import nearest, suggestion
from ..ir.program import Origin
from ..language.inputs import has_names
from ..language.models import NetworkFile
from ..language.steps import Broken, Fork
from ..yaml.edits import Editor

_CODE = "E407"


def entry(model: NetworkFile, origin: Origin, report: Report) -> Origin | None:
    """The fork of the inputs, if there are several; reports one that does not fit them."""
    names = [*model.input] if has_names(model.input) else []
    found = next((s for s in ("stem", "body", "head") if getattr(model, s)), None)
    if not names or found is None or origin.document.lost(found):
        return None
    step: Any = getattr(model, found)[0]
    here = origin.below(found, 0)
    if isinstance(step, Broken):
        return here
    if not isinstance(step, Fork) or found == "head":
        wanted = ", ".join(f"{name}: […]" for name in names)
        message = f"the network has {len(names)} inputs, so its first step must be a fork"
        help = f"write `{{branches: {{{wanted}}}, merge: …}}`"
        if found == "head" and isinstance(step, Fork):
            message = "several inputs cannot be joined in `head`, which begins with features"
            help = "move the fork to `stem` or `body`"
        report.error(_CODE, message, here.span(), help=help)
        return None
    _fields(step, here, report)
    if not here.document.lost(*here.path, "branches"):
        _branches(names, step, here, report)
    return here


def _fields(fork: Fork, here: Origin, report: Report) -> None:
    """Report fields that a fork of inputs cannot have."""
    editor = Editor(here.document, report.texts)
    for name, given in (("split", fork.split is not None), ("repeat", fork.repeat != 1)):
        if given:
            message = f"`{name}` cannot be set here: each branch gets an input of the network"
            fix = editor.remove((*here.path, name))
            report.error(_CODE, message, here.span(name), help="remove it", fix=fix)


def _branches(names: list[str], fork: Fork, here: Origin, report: Report) -> None:
    """Report branches without an input, and inputs without a branch."""
    editor = Editor(here.document, report.texts)
    missing = [name for name in names if name not in fork.branches]
    for name in fork.branches:
        if name in names:
            continue
        path = (*here.path, "branches", name)
        best = nearest(name, missing)
        fix = editor.rename(path, best) if best else ()
        help = suggestion(name, missing or names, what="inputs without a branch")
        if best:
            missing.remove(best)
        elif not missing:
            help = f"remove the branch, or add an input; inputs: {', '.join(names)}"
        message = f"no input has the name of the branch `{name}`"
        report.error(_CODE, message, here.document.key_span(path), help=help, fix=fix)
    within = (*here.path, "branches")
    lost = any(path[: len(within)] == within for path in here.document.dropped)
    lost = lost or any(d.code == "E104" for d in report.diagnostics)  # of two with one name
    if missing and not lost and fork.branches.keys() <= {*names}:
        listed = ", ".join(f"`{name}`" for name in missing)
        message = f"no branch has the name of the input{'s' * (len(missing) > 1)} {listed}"
        removed = here.document.cause(*((*within, name) for name in missing))
        help = f"add `{missing[0]}: […]`, a branch that may be empty, or remove the input"
        report.error(_CODE, message, removed or here.span("branches"), help=help)
