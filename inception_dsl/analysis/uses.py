"""Checks the uses of blocks: whether the block exists and accepts the arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ..diagnostics.report import SHIPPED, Report
from ..diagnostics.words import nearest, suggestion
from ..ir.program import Origin
from ..language.link import Linked, LinkedBlock
from ..language.meant import AFTER, undollared
from ..language.parameters import fits
from ..language.roots import names_inside
from ..language.shipped import names
from ..language.steps import Use
from ..ops import OPS
from ..ops.fields.refusal import shown
from ..types.expression import Expression
from ..yaml.edits import Editor, Edits, flow
from .network_parameters import NetworkParameters

_MANY: Final = 20  # unknown arguments up to which similar names are searched, as that takes time
_SAMPLES: Final = {"int": "64", "float": "0.5", "bool": "true", "str": "relu"}


class Uses:
    """Checks the uses of blocks in one program."""

    def __init__(self, linked: Linked, root: Path, report: Report) -> None:
        self.linked, self.root, self.report = linked, root, report
        self.network = NetworkParameters()
        self.unknown: set[str] = set()
        self.undeclared: set[tuple[str, str]] = set()
        """Pairs of a block and an undeclared parameter that it reads, already reported there."""

    def unknown_block(self, step: Use, here: Origin) -> None:
        """Report the first use of an unknown block, unless an error elsewhere may hide it."""
        if (
            not self.linked.complete
            or here.document.lost("blocks", step.use)
            or step.use in self.unknown
        ):
            return None
        self.unknown.add(step.use)
        message = f"unknown block `{step.use}`"
        removed = here.document.cause(("blocks", step.use), ("blocks",), ("import",))
        if removed is not None:
            related = [(here.span("use"), "used here")]
            message = f"this removes the block `{step.use}`, which a step uses"
            help = "keep it, or replace the step that uses it"
            return self.report.error("E302", message, removed, related=related, help=help)
        if not self.report.helping:
            return self.report.error("E302", message, here.span("use"))
        editor, path = Editor(here.document, self.report.texts), (*here.path, "use")
        help, fix = "", Edits()
        best, file = nearest(step.use, self.linked), self.file_of(step.use, here)
        if file:
            help, fix = f"add `import: [{file}]`", self.importing(file, here)
        elif best:
            help, fix = f"did you mean `{best}`?", editor.replace(path, best)
        elif nearest(step.use, OPS):
            op = str(nearest(step.use, OPS))
            help, fix = (
                f"did you mean `op: {op}`?",
                (*editor.rename(path, "op"), *editor.replace(path, op)),
            )
        help = help or suggestion(step.use, self.linked, what="known blocks")
        help = help or "define it under `blocks`, or import its file"
        return self.report.error("E302", message, here.span("use"), help=help, fix=fix)

    def file_of(self, block: str, here: Origin) -> str:
        """A file named after the block, beside the spec or in its folder ``blocks``; or shipped."""
        folder, name = Path(here.span("use").file).parent, f"{block}.yaml"
        if not here.span("use").in_a_file or not here.document.span(()).in_a_file:
            return ""
        for below in ("blocks/", ""):
            if name in names_inside(folder, below, self.root):
                return below + name
        return f"{SHIPPED}blocks/{block}" if f"blocks/{block}" in names() else ""

    def importing(self, file: str, here: Origin) -> Edits:
        """The edits that add an import to the file of a step."""
        editor, document = Editor(here.document, self.report.texts), here.document
        if ("import",) not in document.spans:
            return editor.insert((), "import", flow([file]))
        last = max((p for p in document.spans if len(p) == 2 and p[0] == "import"), default=None)
        if last is None or editor.at(document.spans["import",]) != "[":
            return ()
        return editor.append(last, f", {flow(file)}")

    def arguments(self, step: Use, block: LinkedBlock, here: Origin) -> dict[str, Any]:
        """The value of each parameter; without those that have errors, which are reported."""
        arguments: dict[str, Any] = {}
        editor, extra = Editor(here.document, self.report.texts), self.extra(step, block)
        for name, parameter in block.parameters.items():
            if name in step.arguments:
                value = step.arguments[name]
                if isinstance(value, Expression) or fits(value, parameter.type):
                    arguments[name] = value
                else:
                    message = (
                        f"expected type {parameter.type} for `{name}` of `{step.use}`, found "
                        f"{shown(value)}"
                    )
                    write = undollared(value, here.document.data, here.path)
                    write = write or _as_type(value, parameter.type)
                    fix = editor.replace((*here.path, name), write) if write else ()
                    help = f"write `{write}`" if write else ""
                    self.report.error("E203", message, here.span(name), help=help, fix=fix)
            elif isinstance(parameter.default, Expression):
                wanted = parameter.default.code[0][1]
                if wanted in self.network.types:
                    arguments[name] = self.network.read(wanted)
                else:
                    self.no_parameter(name, wanted, block)
            elif parameter.default is not None:
                arguments[name] = parameter.default
            elif not (
                here.document.lost(*here.path, name)
                or block.document.lost(*block.path, "params", name, "default")
                or self.misspelt(name, extra)
            ):
                message, sample = (
                    f"missing argument `{name}` of block `{step.use}`",
                    _SAMPLES[parameter.type],
                )
                fix = editor.insert(here.path, name, sample) if self.report.helping else ()
                self.report.error(
                    "E305", message, here.span("use"), help=f"add `{name}: {sample}`", fix=fix
                )
        for name in extra:
            if (block.id, name) not in self.undeclared and not block.document.lost(
                *block.path, "params", name
            ):
                self.unknown_argument(name, step, block, here)
        return arguments | self.network.passed(block.id)

    def no_parameter(self, name: str, wanted: str, block: LinkedBlock) -> None:
        """Report a default that is a parameter which the network does not have, once."""
        if (block.id, name) in self.undeclared:
            return
        self.undeclared.add((block.id, name))
        span = block.document.span((*block.path, "params", name, "default"))
        message = f"the network has no parameter `{wanted}`"
        best = nearest(wanted, self.network.types)
        help = (
            f"did you mean `${best}`?"
            if best
            else f"add it to the network's `params`, or pass `{name}` in each use of `{block.id}`"
        )
        self.report.error("E305", message, span, help=help)

    def extra(self, step: Use, block: LinkedBlock) -> list[str]:
        """Arguments without a parameter of the block."""
        return [n for n in step.arguments if n not in block.parameters]

    def misspelt(self, name: str, extra: list[str]) -> bool:
        """Whether one of the unknown arguments is probably a misspelt ``name``."""
        return len(extra) < _MANY and nearest(name, extra) is not None

    def unknown_argument(self, name: str, step: Use, block: LinkedBlock, here: Origin) -> None:
        """Report an argument without a parameter of the block."""
        editor, path = Editor(here.document, self.report.texts), (*here.path, name)
        message = f"unknown argument `{name}`: block `{step.use}` has no such parameter"
        span = here.document.key_span(path)
        known, keys = (*block.parameters, "name", "repeat"), here.document.keys
        free = [p for p in known if (*here.path, p) not in keys]
        over = [p for p in known if p not in free and keys[(*here.path, p)].file != span.file]
        if not self.report.helping:
            return self.report.error("E304", message, span)
        best = nearest(name, free) or nearest(name, over)
        if best == "name":
            here.document.dropped.add((*here.path, "name"))
        help = f"did you mean `{best}`?" if best else "remove it: the block has no parameters"
        if not best and block.parameters:
            help = suggestion(name, block.parameters, what=f"parameters of `{step.use}`")
        fix = editor.rename(path, best) if best else editor.remove(path)
        if name == "after" and not best:
            help, fix = AFTER, Edits()
        return self.report.error("E304", message, span, help=help, fix=fix)


def _as_type(value: object, kind: str) -> str:
    """``value`` converted to type ``kind``, as YAML; empty if that is not possible."""
    text = str(value)
    if kind == "str":
        return flow(text)
    if kind == "bool":
        return text.lower() if text.lower() in ("true", "false") else ""
    number = text if text.isascii() and text.isdecimal() and len(text) < 10 else ""
    return (
        str(int(value))
        if kind == "int" and isinstance(value, float) and value == value // 1
        else number
    )
