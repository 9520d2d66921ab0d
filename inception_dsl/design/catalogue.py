"""The shipped specs with their titles, sizes and sources, as ``inception-dsl list`` prints them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ..analysis.cost import cost, layers
from ..analysis.records import about
from ..compiler import compile_spec
from ..diagnostics.report import PLAIN, SHIPPED, Report, Style
from ..diagnostics.text import aligned
from ..emit.about import citation
from ..ir.program import INPUT, input_shapes
from ..language.load import load
from ..language.models import BlockFile, Described
from ..language.shipped import names


class Entry(NamedTuple):
    """A shipped spec. A block without an input of its own has no sizes.

    Several inputs are by name.
    """

    name: str
    kind: str
    id: str
    title: str
    source: str
    arguments: tuple[str, ...]
    input: tuple[int, ...] | dict[str, list[int]] | None = None
    parameters: int | None = None
    macs: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The data of ``inception-dsl list --json``."""
        found = self._asdict()
        return {k: list(v) if isinstance(v, tuple) else v for k, v in found.items()}


def entries() -> list[Entry]:
    """All shipped specs."""
    return [_entry(name) for name in names()]


def _entry(name: str) -> Entry:
    spec = load(f"{SHIPPED}{name}", {}, Report())
    assert spec is not None, "tests compile all shipped specs"
    model = spec.model
    block = isinstance(model, BlockFile)
    found = Entry(
        name,
        "block" if block else "network",
        model.block if isinstance(model, BlockFile) else model.network,
        model.title.plain if model.title else "",
        _source(model),
        tuple(model.params),
    )
    if model.input is None:
        return found
    typed = compile_spec(f"{SHIPPED}{name}", {}, Report())
    assert typed is not None, "tests compile all shipped specs"
    total = cost(list(layers(typed)))
    taken = input_shapes(typed.program)
    shape = taken["inputs"] if typed.program.several else tuple(taken[INPUT])
    return found._replace(input=shape, parameters=total.total, macs=total.macs)


def _source(model: Described) -> str:
    """The paper, in short, and what an overlay modifies."""
    found = about(model)
    numbers = {"arXiv": found.paper.get("arxiv"), "doi": found.paper.get("doi")}
    parts = [f"{kind}:{number.plain}" for kind, number in numbers.items() if number][:1]
    if original := found.modified_from.plain:
        parts.append(f"modified from {original}")
    return ", ".join(parts) or citation(found).plain.rstrip(".")


def render(found: Iterable[Entry], style: Style = PLAIN) -> str:
    """Two tables: what can be built alone, and blocks to import."""
    whole = [e for e in found if e.parameters is not None]
    parts = [e for e in found if e.parameters is None]
    sizes = [
        (
            e.name,
            f"{e.parameters:,}",
            f"{e.macs:,}",
            _sizes(e.input or ()),
            e.title,
            e.source,
        )
        for e in whole
    ]
    blocks = [(e.name, e.title or e.id, e.source, ", ".join(e.arguments)) for e in parts]
    return "\n".join(
        [
            *_table(
                ("name", "parameters", "MACs", "input", "title", "source"), sizes, (1, 2), style
            ),
            "",
            *_table(("block", "title", "source", "parameters to set"), blocks, (), style),
            "",
            "inception-dsl build v4            # summary, verify and check take names, too",
            "inception-dsl new NAME --from v4  # a variant of your own",
            "In a spec: `extends: inception-dsl:v4`, `import: [inception-dsl:blocks/reduction_a]`.",
        ]
    )


def _sizes(shape: Sequence[int] | dict[str, list[int]]) -> str:
    if isinstance(shape, dict):
        return ", ".join(f"{name} {_sizes(own)}" for name, own in shape.items())
    return "x".join(map(str, shape))


def _table(
    head: tuple[str, ...], rows: Sequence[tuple[str, ...]], right: tuple[int, ...], style: Style
) -> list[str]:
    """Aligned columns; the head has the colour of frames, the names are bold."""
    left = set(range(len(head))) - {*right}
    first, *lines = aligned([head, *rows], left)
    names = [row[0] for row in rows]
    return [
        style.frame(first),
        *(style.strong(n) + line[len(n) :] for n, line in zip(names, lines, strict=True)),
    ]
