"""What each code means, why, and a wrong and a right example: for the command line and as a page.

The examples are in the files beside this module, the meaning in
:mod:`inception_dsl.diagnostics.codes`; tests run them all.
"""

from __future__ import annotations

import re
import textwrap
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

import yaml

from ..codes import CODES
from ..text import printable

HEAD: Final = "network: my_net\ninput: {channels: 3, height: 32, width: 32}\n"
PLAIN: Final = f"{HEAD}body: [{{op: conv, name: conv_1, filters: 8, kernel_size: 1}}]\n"
"""The ``my_net.yaml`` of examples that are commands and bring none."""
PAGE: Final = """# Codes of mistakes and warnings

Made by `inception-dsl explain --markdown`, not to be edited. `inception-dsl explain E402` prints
one of them; [docs/diagnostics.md](diagnostics.md) says how they are printed, and how a spec allows
a warning. A code never changes its meaning.
"""


class Explanation(NamedTuple):
    """A code explained.

    An example is commands, or the text of ``my_net.yaml``; ``files`` stand beside it.
    """

    code: str
    why: str
    wrong: str
    right: str
    files: dict[str, str]
    before: tuple[str, ...]

    @property
    def meaning(self) -> str:
        return CODES[self.code]

    def blocks(self) -> list[tuple[str, str]]:
        """The examples as they are shown: a heading and the text below it."""
        beside = [(name, text) for name, text in self.files.items()]
        first = [("First", "\n".join(self.before) + "\n")] if self.before else []
        shown = [*beside, *first, ("Wrong", self.wrong), ("Right", self.right)]
        return [
            (title, "\n".join(printable(line) for line in text.split("\n")))
            for title, text in shown
        ]

    def __str__(self) -> str:
        parts = [f"{self.code}: {self.meaning}", textwrap.fill(self.why, 100)]
        parts += [
            f"{title}:\n\n{textwrap.indent(text.rstrip(), '    ')}" for title, text in self.blocks()
        ]
        return "\n\n".join(parts)

    def markdown(self) -> str:
        """The explanation as a section of docs/errors.md."""
        parts = [
            f"## {self.code}",
            f"{self.meaning[0].upper()}{self.meaning[1:]}.",
            textwrap.fill(self.why, 120),
        ]
        for title, text in self.blocks():
            language = (
                "sh"
                if is_command(text)
                else "yaml"
                if "." not in title or title.endswith("yaml")
                else "python"
            )
            parts.append(
                f"{f'`{title}`' if '.' in title else title}:\n\n```{language}\n{text.rstrip()}\n```"
            )
        return "\n\n".join(parts) + "\n"


def is_command(example: str) -> bool:
    """Whether an example is typed rather than written to a file."""
    return example.startswith(("inception-dsl ", "pip "))


@cache
def explanations() -> dict[str, Explanation]:
    """Every explanation by code, in order."""
    found: dict[str, Explanation] = {}
    for file in sorted(resources.files(__package__).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".yaml"):
            entries = yaml.load(
                file.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            )
            found |= {code: _explanation(code, entry) for code, entry in entries.items()}
    return found


def _explanation(code: str, entry: dict[str, Any]) -> Explanation:
    wrong, right = (
        text
        if entry.get("whole") or is_command(text) or re.match("network:|block:", text)
        else f"{HEAD}{text}"
        for text in (entry["wrong"], entry["right"])
    )
    before = tuple(entry.get("before", ()))
    return Explanation(code, entry["why"], wrong, right, entry.get("files", {}), before)


def page() -> str:
    """All explanations, as Markdown."""
    return "\n".join([PAGE, *(found.markdown() for found in explanations().values())])
