"""The gallery: a page for each shipped network, made from its spec.

Everything on a page is computed or read: figures, tables and sources by the compiler, differences
by ``diff``, errors from docs/agreement.md. Only the relatives that no spec names are listed here.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml
from figures import draw, image
from inception_dsl_documents.table_body import Body, Chosen
from pages import GALLERY, ROOT

import inception_dsl
from inception_dsl.design.tables import Line, Table
from inception_dsl.emit.about import citation
from inception_dsl.language import shipped

GROUPS: Final = {
    "": ("The papers", "Networks as their papers describe them."),
    "published": ("Published", "Networks as libraries implement them, with published weights."),
    "family": ("The family", "Descendants of Inception, and networks that papers compare it with."),
}
"""The folders of specs, each with the title and the text of its part of the gallery."""
RELATIVES: Final = {
    "v0": "",
    "v1": "v0",
    "v1_article": "v1",
    "v2": "v1",
    "v2_article": "v1_article",
    "v3": "v2",
    "v4": "v3",
    "inception_resnet_v1": "v4",
    "inception_resnet_v2": "inception_resnet_v1",
    "family/i3d_rgb": "v1",
    "family/i3d_two_stream": "family/i3d_rgb",
    "family/siamese_googlenet": "v1",
    "family/xception": "v3",
}
"""What a network is compared with, if its spec does not extend another one, in the order of the
gallery; other networks follow by name.
"""
BACKENDS: Final = {"torch": "PyTorch", "keras": "Keras"}
_CARD: Final = 1.2
"""The width of the pictures in the index, divided by their height."""
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|~$!&^])")
_ROW: Final = re.compile(r"^\| (\S+) \|.*\|$", re.MULTILINE)


def networks() -> list[str]:
    """The names of the shipped specs that are built alone, in the order of the gallery."""
    found = [name for name in shipped.names() if not name.startswith("blocks/")]
    folders, first = [*GROUPS], [name for name in RELATIVES if "/" not in name]

    def order(name: str) -> tuple[int, int]:
        known = first.index(name) if name in first else len(first)
        return folders.index(name.rpartition("/")[0]), known

    return sorted(found, key=order)


def blocks() -> list[str]:
    """The names of the shipped specs that are blocks for other specs."""
    return [name for name in shipped.names() if name.startswith("blocks/")]


def escaped(text: str) -> str:
    """A text for Markdown: no character of it is markup."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


class Entry:
    """A shipped network and its page.

    ``shapes`` has its figures once they are drawn: the width of each divided by the height.
    """

    def __init__(self, name: str) -> None:
        self.name, self.folder = name, name.rpartition("/")[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", inception_dsl.SpecWarning)
            self.network = inception_dsl.load(ROOT / "specs" / f"{name}.yaml")
        self.about = self.network.typed.program.about
        self.text = shipped.text(name).decode()
        self.shapes: dict[str, float] = {}

    @property
    def stem(self) -> str:
        """The beginning of the names of its figures: those that ``build`` writes in `generated/`,
        but ``published-`` is before those of a published network.
        """
        return (
            self.name.replace("/", "-") if self.folder == "published" else self.name.split("/")[-1]
        )

    @property
    def thumbnail(self) -> str:
        """The figure that fits best to the card of the network."""
        return min(self.shapes, key=lambda name: abs(math.log(self.shapes[name] / _CARD)))

    @property
    def explored(self) -> str:
        """The address of its interactive page, which is no page of Sphinx."""
        return f"explore/{self.name}.html"

    @property
    def title(self) -> str:
        return " ".join(self.about.title.plain.split()) or self.network.name

    @property
    def link(self) -> str:
        """A link to its page."""
        return f"[{escaped(self.title)}](/{GALLERY}/{self.name}.md)"

    @property
    def relative(self) -> str:
        """The network that it is compared with: what its spec extends, or an older relative."""
        extended: str = yaml.safe_load(self.text).get("extends", "")
        if not extended:
            return RELATIVES.get(self.name, "")
        path = (ROOT / "specs" / self.folder / extended).resolve()
        return path.relative_to(ROOT / "specs").with_suffix("").as_posix()


def architecture(network: inception_dsl.Network) -> str:
    """The table of the LaTeX backend, as Markdown."""
    body = Body(network.typed, Chosen())
    columns = [column[:2] for column in body.columns]
    names = [" ".join(part for part in column if part).replace("/ ", "/") for column in columns]
    rows = [[text.replace("\xa0", " ") for text in row] for part in body.parts for row in part]
    lines = [Line(row + [""] * (len(names) - len(row)), 0, len(row) == 1) for row in rows]
    return Table(names, lines, 3).markdown()


class Gallery:
    """All pages of the gallery, in a folder of the source of the site."""

    def __init__(self, source: Path) -> None:
        self.source, self.folder = source, source / GALLERY
        self.entries = {name: Entry(name) for name in networks()}
        text = (ROOT / "docs" / "agreement.md").read_text(encoding="utf-8")
        self.agreement = text[text.index("| network |") :].splitlines()

    def write(self) -> None:
        """The pages, and the figures of all networks."""
        for name, entry in self.entries.items():
            entry.shapes = draw(entry.network, entry.stem, self.source)
            explored = self.source / "extra" / entry.explored
            explored.parent.mkdir(parents=True, exist_ok=True)
            explored.write_text(entry.network.source("html"), encoding="utf-8")
            page = self.folder / f"{name}.md"
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text("\n\n".join(self.page(entry)) + "\n", encoding="utf-8")
        (self.folder / "index.md").write_text("\n\n".join(self.index()) + "\n", encoding="utf-8")
        (self.folder / "blocks.md").write_text("\n\n".join(self.blocks()) + "\n", encoding="utf-8")

    def page(self, entry: Entry) -> Iterator[str]:
        """The parts of a page."""
        yield f"# {escaped(entry.title)}"
        yield from self.about(entry)
        yield from self.drawn(entry)
        yield "## Layers"
        yield architecture(entry.network)
        yield (
            f"`inception-dsl build {entry.name} --documents` writes this table for LaTeX, and the "
            "figures as SVG, TikZ and Mermaid."
        )
        yield from self.cost(entry)
        yield from self.difference(entry)
        yield "## Spec"
        yield "{.source}\n" + fenced("yaml", entry.text)
        for backend, title in BACKENDS.items():
            yield f"## {title}"
            yield f"`inception-dsl build {entry.name} --backend {backend}` writes this file:"
            yield "{.source}\n" + fenced("python", entry.network.source(backend))
        yield from self.agreed(entry)

    def about(self, entry: Entry) -> Iterator[str]:
        """What the spec says of the network."""
        about = entry.about
        yield f"The shipped spec `{entry.name}`. {linked(citation(about).plain)}"
        if about.description:
            yield escaped(about.description.plain)
        if about.deviations:
            yield "Where it differs from its source:"
            yield "\n".join(f"- {escaped(text.plain)}" for text in about.deviations)
        derived = [other for other in self.entries.values() if other.relative == entry.name]
        if derived:
            yield f"Compared with it: {', '.join(other.link for other in derived)}."

    def drawn(self, entry: Entry) -> Iterator[str]:
        """The figures; that of all layers comes last, as it is large."""
        full = f"{entry.stem}-full"
        yield "## Figures"
        up = "../" * (1 + entry.name.count("/"))
        yield f'<a href="{up}{entry.explored}">Explore the network</a>: zoom, search, every layer.'
        blocks = {name: name.removeprefix(f"{entry.stem}-") for name in entry.shapes}
        captions = {name: f"Block `{block}`" for name, block in blocks.items()}
        captions |= {entry.stem: "The network", full: "All layers"}
        yield "{.figures}\n" + "\n".join(
            figure(name, captions[name], entry.title) for name in entry.shapes if name != full
        )
        if full in entry.shapes:
            yield "{.figures .large}\n" + figure(full, captions[full], entry.title)

    def cost(self, entry: Entry) -> Iterator[str]:
        """The totals of the summary."""
        facts = entry.network.summary().facts()
        lines = [
            Line((name.lstrip(), value), len(name) - len(name.lstrip())) for name, value in facts
        ]
        yield "## Cost"
        yield Table(("", entry.name), lines, 1).markdown()

    def difference(self, entry: Entry) -> Iterator[str]:
        """What ``diff`` prints of the network and its relative."""
        if not entry.relative:
            return
        old = self.entries[entry.relative]
        yield f"## Compared with {escaped(old.title)}"
        yield f"`inception-dsl diff {entry.relative} {entry.name}` compares it with {old.link}:"
        for table in old.network.diff(entry.network).tables():
            yield table.markdown()

    def agreed(self, entry: Entry) -> Iterator[str]:
        """The largest errors that were measured, or what tests compare."""
        head, rule, *rows = self.agreement
        own = [row for row in rows if (found := _ROW.match(row)) and found[1] == entry.name]
        yield "## Agreement"
        if own:
            yield (
                "The largest errors of both frameworks, as "
                "[measured against a NumPy reference](/docs/agreement.md):"
            )
            yield "\n".join([head, rule, *own])
        else:
            compared = "/docs/family.md#what-they-were-compared-with"
            yield f"[What tests compare this network with]({compared})."

    def index(self) -> Iterator[str]:
        """All networks with a figure each, and the blocks."""
        yield "# Gallery"
        yield (
            "Every network that comes with inception-dsl: figures, layers, cost, how it differs "
            "from its relatives, the spec, and the generated PyTorch and Keras source. These pages "
            "are made from the specs. [Blocks](blocks.md) that they share have a page of their own."
        )
        for folder, (title, text) in GROUPS.items():
            entries = [entry for entry in self.entries.values() if entry.folder == folder]
            yield f"({folder or 'papers'})=\n## {title}"
            yield text
            yield "{.cards}\n" + "\n".join(card(entry) for entry in entries)
        names = "\n".join(self.entries)
        yield f"```{{toctree}}\n:hidden:\n\n{names}\nblocks\n```"

    def blocks(self) -> Iterator[str]:
        """The blocks: their specs, and the networks that use them."""
        yield "# Blocks"
        yield "What specs of networks import, also your own: `import: [inception-dsl:NAME]`."
        for name in blocks():
            text = shipped.text(name).decode()
            file = name.rpartition("/")[2]
            yield f"## {file}"
            users = [entry.link for entry in self.users(file)]
            yield f"`{name}`" + (f", in {', '.join(users)}." if users else ".")
            yield fenced("yaml", text)

    def users(self, file: str) -> list[Entry]:
        """The networks whose own spec imports a block."""
        wanted = f"blocks/{file}.yaml"
        return [entry for entry in self.entries.values() if wanted in entry.text]


def card(entry: Entry) -> str:
    """An entry of the index."""
    title, network = escaped(entry.title), entry.network
    cost = f"{network.parameters:,} parameters, {network.macs:,} MACs"
    target = f"/{GALLERY}/{entry.name}.md"
    return (
        f"- [{image(entry.thumbnail, title)}]({target})\n\n"
        f"  [**{title}**]({target})\n\n"
        f"  `{entry.name}`: {cost}\n"
    )


def figure(name: str, caption: str, title: str) -> str:
    """An item of a list of figures."""
    return f"- {caption}\n\n  {image(name, escaped(f'{title}: {caption}'.replace('`', '')))}\n"


def linked(text: str) -> str:
    """A citation, with links to the papers."""
    text = escaped(text)
    text = re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", text)
    return re.sub(r"\b(10\.\d{4,}/[\w./-]*\w)", r"[doi:\1](https://doi.org/\1)", text)


def fenced(language: str, text: str) -> str:
    """A block of code, also of text with fences."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
