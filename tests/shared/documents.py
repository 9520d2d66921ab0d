"""The documents of the repository: their code blocks, commands and links."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from paths import ROOT

DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / "specs" / "README.md",
        ROOT / "tests" / "README.md",
    )
    if path.name != "errors.md"  # tests/unit/diagnostics/test_explain.py builds its examples
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
INPUT = "input: {channels: 64, height: 32, width: 32}\n"
STEPS = f"network: example\n{INPUT}classes: 10\nbody:\n"
BASES = {"checkpoints": "published/timm_inception_v4.yaml"}
"""Which spec a section changes; all others change ``v4.yaml``."""
VALUES = {"int": 8, "float": 0.5, "bool": True}


class Block(NamedTuple):
    """A fenced code block: its document, its language and its text."""

    document: str
    number: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}-{self.language}-{self.number}"


def text_of(document: str) -> str:
    """The text of a document."""
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(language: str, *documents: str) -> list[Block]:
    """The code blocks in a language, of these documents or of all."""
    return [
        Block(document, number, found[1], found[2])
        for document in documents or DOCUMENTS
        for number, found in enumerate(FENCE.finditer(text_of(document)), 1)
        if found[1] == language
    ]


def commands(document: str) -> list[str]:
    """The commands of a document's ``sh`` blocks, each as one line, without comments."""
    found = []
    for block in blocks("sh", document):
        for line in block.text.replace("\\\n", " ").splitlines():
            line = re.sub(r"(^|\s+)#.*", "", line)
            found += [" ".join(part.split()) for part in line.split(" && ") if part.strip()]
    return [command.removeprefix(".venv/bin/") for command in found]


def inline_commands(document: str) -> Iterator[str]:
    """The commands in a document's running text that are complete: no placeholders."""
    for found in INLINE.finditer(FENCE.sub("", text_of(document))):
        command = " ".join(found[1].split()).removeprefix(".venv/bin/")
        if command.startswith("inception-dsl ") and not re.search(r"[…\[]|\b[A-Z]{3,}\b", command):
            yield command


def completed(text: str) -> str:
    """A spec that can be built: the text, or a small spec around a fragment.

    A step becomes the body of a network, ``steps`` become a block, and other sections change a
    network of the repository. A block without an input gets one.
    """
    data: Any = yaml.safe_load(text)
    if isinstance(data, list) or data.keys() & {"op", "use", "branches"}:
        steps = text if isinstance(data, list) else f"- {text.lstrip()}"
        return STEPS + textwrap.indent(steps, "  ")
    if "network" in data:
        return text
    if "steps" in data:
        start = "" if "block" in data else "block: example\n"
        return start + ("" if "input" in data else INPUT) + text
    base = next((base for key, base in BASES.items() if key in data), "v4.yaml")
    return f"extends: {base}\nnetwork: example\n{text}"


def values(text: str) -> dict[str, Any]:
    """A value for each parameter of a spec that has no default."""
    parameters = (yaml.safe_load(text) or {}).get("params", {})
    return {name: VALUES[given] for name, given in parameters.items() if isinstance(given, str)}


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    titles = HEADING.findall(FENCE.sub("", document.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
