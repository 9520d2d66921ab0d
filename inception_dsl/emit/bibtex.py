"""The paper of a spec as an entry for BibTeX."""

from __future__ import annotations

import re
from typing import Final

from ..ir.program import About
from .latex import latex
from .pycode import Code

_FIELDS: Final = ("year", "doi", "url")


def bibtex(about: About, key: str) -> Code:
    """An entry with a key, or nothing if the spec names no paper."""
    paper = {name: " ".join(text.plain.split()) for name, text in about.paper.items()}
    fields = {}
    if "title" in paper:
        fields["title"] = f"{{{latex(paper['title'])}}}"  # twice: BibTeX keeps its capitals
    if "authors" in paper:
        fields["author"] = _authors(paper["authors"])
    if "arxiv" in paper:
        fields |= {"eprint": latex(paper["arxiv"]), "archiveprefix": "arXiv"}
        fields["howpublished"] = f"arXiv:{latex(paper['arxiv'])}"
    fields |= {name: latex(paper[name]) for name in _FIELDS if name in paper}
    if not fields:
        return Code("")
    lines = [f"  {name} = {{{text}}}," for name, text in fields.items()]
    return Code("\n".join([f"@misc{{{key},", *lines, "}", ""]))


def _authors(text: str) -> str:
    """Names with ``and`` between them; ``et al.`` is ``others``, as BibTeX has it."""
    others = re.sub(r",?\s+et al\.?$", ", others", text)
    names = others.split(" and ") if " and " in others else others.split(",")
    return " and ".join(latex(name.strip()) for name in names if name.strip())
