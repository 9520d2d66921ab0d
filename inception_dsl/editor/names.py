"""The blocks and parameters that a text can name: its own, and those of its other files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..diagnostics.report import Report, Span
from ..diagnostics.text import printable
from ..language.link import LinkedBlock, link
from ..language.load import Spec, load
from ..language.models import NetworkFile
from ..language.parameters import Parameter
from ..language.rules import step_name
from ..language.unsaved import unsaved
from ..types.expression import Expression
from ..yaml.document import DataPath


class Names(NamedTuple):
    """What a spec can name. A spec that cannot be read has nothing."""

    spec: Spec | None
    blocks: Mapping[str, LinkedBlock]
    texts: Mapping[str, str]
    """The texts of its files."""

    def parameters(self, path: DataPath) -> dict[str, tuple[str, Span | None]]:
        """The parameters that a value at ``path`` can read: what they are, and where."""
        if self.spec is None:
            return {}
        found: dict[str, tuple[str, Span | None]] = {}
        block = self.blocks.get(str(path[1])) if path[:1] == ("blocks",) and path[1:] else None
        model = block.model if block else self.spec.model
        document, inside = (block.document, block.path) if block else (self.spec.document, ())
        for name, parameter in model.params.items():
            found[name] = _about(parameter), document.key_span((*inside, "params", name))
        if isinstance(model, NetworkFile):
            span = document.keys.get(("classes",))
            found.setdefault("classes", (f"number of classes: {model.classes}", span))
        else:
            found.setdefault("in_channels", ("channels of the block's input", None))
        return found

    def step(self, path: DataPath) -> dict[Any, Any]:
        """The step at ``path``, with what it extends."""
        found = self.at(path)
        return found if isinstance(found, dict) else {}

    def inherited(self, path: DataPath) -> list[str]:
        """The names of what an overlay can change in the mapping at ``path``."""
        if self.spec is None:
            return []
        found = self.at(path)
        if isinstance(found, list):
            found = {step_name(s, i): s for i, s in enumerate(found) if isinstance(s, dict)}
        blocks = self.blocks if path == ("blocks",) else ()
        return [n for n in dict.fromkeys((*(found or ()), *blocks)) if isinstance(n, str)]

    def at(self, path: DataPath) -> Any:
        """What is at ``path``, with what it extends; a change names a step by its name, the block
        that it uses or its position.
        """
        found: Any = self.spec.document.data if self.spec is not None else None
        for part in path:
            if isinstance(found, list):
                steps = {step_name(s, i): s for i, s in enumerate(found) if isinstance(s, dict)}
                known = dict(enumerate(found)) | steps
                found = known.get(part) if isinstance(part, str | int) else None
            else:
                found = found.get(part) if isinstance(found, dict) else None
        return found


def names(path: str, texts: Mapping[str, str]) -> Names:
    """The names in the spec at ``path``, with the ``texts`` that are open."""
    report = Report()
    with unsaved(texts):
        spec = load(path, {}, report)
        return Names(spec, link(spec, report) if spec is not None else {}, report.texts)


def defined(block: LinkedBlock) -> Span:
    """Where a block is defined."""
    if block.path:
        return block.document.key_span(block.path)
    return block.document.span(("block",))


def _about(parameter: Parameter) -> str:
    text: str = parameter.type
    default = parameter.default
    if default is not None:
        text += f", default {default.text if isinstance(default, Expression) else default}"
    about = parameter.description
    return f"{text}: {printable(about.plain)}" if about else text


def described(block: LinkedBlock) -> str:
    """The title and the parameters of a block."""
    listed = ", ".join(f"{n}: {_about(p)}" for n, p in block.parameters.items())
    title = block.model.title
    return ". ".join(filter(None, [printable(title.plain) if title else "", listed]))
