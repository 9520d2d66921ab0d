"""The paper of a spec as an entry for BibTeX."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ..ir.program import About
from ..types.prose import Prose
from .latex import latex
from .pycode import Code

_FIELDS: Final = ("year", "doi", "url")


def bibtex(about: About, key: str) -> Code:
    """An entry with a key, or nothing if the spec names no paper.

    The paper of what the spec extends, if it is another one, is the entry ``KEY_original``.
    """
    own, original = _fields(about.paper), _fields(about.original)
    entries = [_entry(own, key)] if own else []
    if original and original != own:
        entries += ["% The paper of the network that this one is modified from:\n"]
        entries += [_entry(original, f"{key}_original")]
    return Code("".join(entries))


def _entry(fields: Mapping[str, str], key: str) -> str:
    lines = [f"  {name} = {{{text}}}," for name, text in fields.items()]
    return "\n".join([f"@misc{{{key},", *lines, "}", ""])


def _fields(given: Mapping[str, Prose]) -> dict[str, str]:
    """The fields of the entry of a paper."""
    paper = {name: " ".join(text.plain.split()) for name, text in given.items()}
    fields: dict[str, str] = {}
    if "title" in paper:
        fields["title"] = f"{{{latex(paper['title'])}}}"  # twice: BibTeX keeps its capitals
    if "authors" in paper:
        fields["author"] = _authors(paper["authors"])
    if "arxiv" in paper:
        fields |= {"eprint": latex(paper["arxiv"]), "archiveprefix": "arXiv"}
        fields["howpublished"] = f"arXiv:{latex(paper['arxiv'])}"
    return fields | {name: latex(paper[name]) for name in _FIELDS if name in paper}


def _authors(text: str) -> str:
    """Names with ``and`` between them; ``et al.`` is ``others``, as BibTeX has it."""
    others = re.sub(r",?\s+et al\.?$", ", others", text)
    names = others.split(" and ") if " and " in others else others.split(",")
    return " and ".join(latex(name.strip()) for name in names if name.strip())
