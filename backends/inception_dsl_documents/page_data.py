"""The data of the page: the tree with the widths of its texts, and the facts of its boxes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple

from inception_dsl.backend import (
    TypedProgram,
    citation,
    cost,
    field_text,
    flow,
    last_map,
    layers,
    receptive_fields,
)

from . import spacing
from .facts import PageTrees
from .figure import ARROW, BASELINE, FONT, LINE, ROUND, SMALL, Role
from .fonts import text_width
from .heat import LIMITS
from .labels import ROLES, Label
from .lanes import lanes_of
from .layout import branch_chain
from .sizes import times
from .tree import Chain, Fork, Group, Head, Item, Leaf
from .views import legend_names, styles

_LENGTHS: Final = (
    "PAD", "GAP", "LABEL_GAP", "SPACE", "BUS", "DROP", "BAR", "LANE", "INSET", "TITLE",
    "NEAR", "LEAVE",
)  # fmt: skip


def page_data(typed: TypedProgram, *, up: bool) -> dict[str, Any]:
    """All that the script of the page reads, as plain data. ``up``: the input is at the bottom.

    Lengths are in points.
    """
    trees, about = PageTrees.of(typed), typed.program.about
    style, _ = styles(typed, up=up)
    sums = cost(list(layers(typed)))
    roles: Mapping[Role, str] = {r: text for r, (text, _) in ROLES.items()}
    attributes: dict[tuple[str, str], int] = {}
    chain = _Writer(trees, attributes).network(trees.network(), typed.auxiliary)
    return {
        "title": about.title.plain or typed.program.id,
        "citation": citation(about).plain,
        "description": about.description.plain,
        "summary": _summary(typed, sums.total, sums.macs),
        "totals": {"parameters": sums.total, "macs": sums.macs},
        "up": up,
        "style": {k: v for k, v in style._asdict().items() if k != "gaps"},
        "lengths": {"LINE": LINE, **{name: getattr(spacing, name) for name in _LENGTHS}},
        "fonts": {"box": FONT, "small": SMALL, "baseline": BASELINE},
        "lines": {"round": ROUND, "arrow": ARROW},
        "heat": LIMITS,
        "roles": {**roles, **legend_names(typed.chains)},
        "attributes": list(attributes),
        "chain": chain,
    }


def _summary(typed: TypedProgram, parameters: int, macs: int) -> dict[str, str]:
    """The facts below the title, each with its name."""
    network = flow(typed)
    last = last_map(typed, network, receptive_fields(network))
    without = " without auxiliary heads" if typed.auxiliary else ""
    found = {
        "inputs" if typed.program.several else "input": times(typed.program.taken),
        "parameters": f"{parameters:,}",
        "MACs": f"{macs:,}{without}",
    }
    if last:
        found["receptive field"] = f"{times(field_text(last[1]))} of {last[0]}"
    return found


class _Writer(NamedTuple):
    """Writes items as plain data.

    ``attributes`` numbers all pairs of a name and a value, which many layers have in common.
    ``training``: items run in training only. ``shared``: they have the weights of other layers.
    """

    trees: PageTrees
    attributes: dict[tuple[str, str], int]
    training: bool = False
    shared: bool = False

    def network(self, chain: Chain, auxiliary: Collection[str]) -> dict[str, Any]:
        """The chain of the network, with its heads."""
        heads = [
            self._replace(training=head.output.id.removeprefix("output ") in auxiliary).head(head)
            for head in chain.heads
        ]
        return {**self.chain(chain, heads=[head.after for head in chain.heads]), "heads": heads}

    def head(self, head: Head) -> dict[str, Any]:
        """A head, with the box of its output at its end."""
        chain = Chain((*head.chain.items, head.output))
        return {"after": head.after, "chain": self.chain(chain)}

    def chain(
        self, chain: Chain, *, joins: bool = False, heads: Collection[int] = ()
    ) -> dict[str, Any]:
        """A chain; ``joins`` and ``heads`` as in the layout."""
        last = len(chain.items) - 1
        axes = {n: (0.0,) * len(f.branches) for n, f in _forks(chain)}
        items = [self.item(i, joins=joins and n == last) for n, i in enumerate(chain.items)]
        lanes = lanes_of(chain.items, axes, heads=heads)
        return {"items": items} | ({"lanes": [lane._asdict() for lane in lanes]} if lanes else {})

    def item(self, item: Item, *, joins: bool) -> dict[str, Any]:
        """An item with its shape, cost and facts; what is empty is left out."""
        own = self.trees.cost(item, shared=self.shared)
        facts = self.trees.facts(item.id)
        pairs = facts.pop("attributes", {}).items()
        found = {
            "id": item.id,
            "shape": _measured(item.y) if item.y else "",
            "parameters": own.parameters,
            "macs": own.macs,
            "training": self.training,
            "attributes": [self.attributes.setdefault(p, len(self.attributes)) for p in pairs],
            **facts,
            **self._own(item, joins=joins),
        }
        return {name: value for name, value in found.items() if value not in ("", 0, [], {})}

    def _own(self, item: Item, *, joins: bool) -> dict[str, Any]:
        if isinstance(item, Group):
            inside = self.chain(item.chain)
            return {"kind": "group", "title": _measured(item.title), "inside": inside}
        if isinstance(item, Leaf):
            inner = self._replace(shared=self.shared or self.trees.shares(item))
            contents = inner.chain(item.inside) if item.inside else {}
            return {
                "kind": "box",
                "role": item.role,
                "text": item.label.lines,
                "widths": _widths(item.label, item.role),
                "inside": contents,
                "title": _measured(": ".join(item.label.lines)) if contents else "",
            }
        joins_last = item.merge == "concat"
        branches = [
            {
                "name": branch.name,
                "after": branch.after,
                "note": _measured(branch.note) if branch.note else None,
                "chain": self.chain(branch_chain(item, branch), joins=joins_last),
            }
            for branch in item.branches
        ]
        return {
            "kind": "fork",
            "role": "merge",
            "text": [item.merge],
            "widths": _measured(item.merge)[1:],
            "branches": [{k: v for k, v in b.items() if v is not None} for b in branches],
            "entry": item.entry,
            "flat": joins and joins_last,
        }


def _forks(chain: Chain) -> Iterator[tuple[int, Fork]]:
    return ((n, item) for n, item in enumerate(chain.items) if isinstance(item, Fork))


def _measured(text: str) -> tuple[str, float]:
    """A text in the small size, and its width."""
    return text, round(text_width(text, SMALL), 4)


def _widths(label: Label, role: Role) -> list[float]:
    """The widths of a label in one line, and in two."""
    line = " ".join(label.lines) if role == "terminal" else label.line
    widest = max(text_width(text, FONT) for text in label.lines)
    return [round(text_width(line, FONT), 4), round(widest, 4)]
