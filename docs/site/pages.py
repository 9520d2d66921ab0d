"""The pages of the site: which Markdown files they are, and their links.

The files are those of the repository, with links for readers of the repository. In the site, a link
to a spec or to generated code leads to its page in the gallery, and a figure has a second version
for dark colours. Other files are copied, so that they can be downloaded.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Final

from figures import image

ROOT: Final = Path(__file__).parents[2]
HOME: Final = "docs/site/index.md"
FILES: Final = "files"
"""The folder of the site with files that are no pages."""
GALLERY: Final = "gallery"
_LINK: Final = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^)\s]+)\)")
_FENCE: Final = re.compile(r"^(```.*?^```)$", re.MULTILINE | re.DOTALL)
_FIGURE: Final = re.compile(r"^Figure: `generated/svg/([\w-]+)\.svg` \((.*)\)$", re.MULTILINE)
"""A line of the tutorial: a figure that a command writes, and what it shows."""


def documents() -> list[str]:
    """The Markdown files that are pages, by their path in the repository."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    found += [ROOT / "specs" / "README.md", ROOT / "tests" / "README.md"]
    return [HOME, *sorted(path.relative_to(ROOT).as_posix() for path in found)]


def address(document: str) -> str:
    """The path of a document in the site."""
    return "index.md" if document == HOME else document


class Pages:
    """Copies documents to ``folder``, the source of the site.

    ``specs`` are the names of specs that have a page in the gallery, and ``blocks`` those in its
    page of blocks.
    """

    def __init__(self, folder: Path, specs: list[str], blocks: list[str]) -> None:
        self.folder, self.specs, self.blocks = folder, specs, blocks
        self.documents = documents()
        self.short = {name.rpartition("/")[2]: name for name in reversed(specs)}

    def write(self) -> None:
        """All documents, and the files that they link to."""
        for document in self.documents:
            text = (ROOT / document).read_text(encoding="utf-8")
            path = self.folder / address(document)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.linked(text, document), encoding="utf-8")

    def linked(self, text: str, document: str) -> str:
        """The text of a document with the links of the site; code is not changed."""

        parts = _FENCE.split(text)  # prose and code alternate
        for i in range(0, len(parts), 2):
            prose = _LINK.sub(lambda found: self.link(found, document), parts[i])
            parts[i] = _FIGURE.sub(lambda found: image(*found.groups()), prose)
        return "".join(parts)

    def link(self, found: re.Match[str], document: str) -> str:
        """A link or an image of a document, as in the site."""
        mark, label, target = found.groups()
        name, hash, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target) or not name:
            return found[0]
        path = os.path.normpath(os.path.join(os.path.dirname(document), name)).replace("\\", "/")
        if mark and path.startswith("generated/svg/"):
            return image(Path(path).stem, label)
        if path in self.documents:
            return f"[{label}]({relative(address(path), address(document))}{hash}{anchor})"
        if page := self.page(path):
            return f"[{label}]({relative(page, address(document))})"
        if (ROOT / path).is_dir():
            return label
        if path.startswith("..") or not (ROOT / path).is_file():
            raise SystemExit(f"error: {document}: no such file in the repository: {target}")
        style = "{.figure}" if mark else ""
        return f"{mark}[{label}]({relative(self.copied(path), address(document))}){style}"

    def page(self, path: str) -> str:
        """The part of the gallery that shows a file or folder of the repository, or nothing."""
        folder, _, name = path.rpartition("/")
        stem = name.partition(".")[0]
        if path == "specs":
            return f"{GALLERY}/index.md"
        if path in ("specs/published", "specs/family"):
            return f"{GALLERY}/index.md#{name}"
        if folder in ("generated/torch", "generated/keras") and stem in self.short:
            return f"{GALLERY}/{self.short[stem]}.md#{'pytorch' if 'torch' in folder else 'keras'}"
        spec = path.removeprefix("specs/").removesuffix(".yaml")
        if path == f"specs/{spec}.yaml" and spec in self.specs:
            return f"{GALLERY}/{spec}.md"
        if path == f"specs/{spec}.yaml" and spec in self.blocks:
            return f"{GALLERY}/blocks.md#{spec.rpartition('/')[2]}"
        return ""

    def copied(self, path: str) -> str:
        """The path in the site of a file that is no page."""
        target = self.folder / FILES / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, target)
        return f"{FILES}/{path}"


def relative(target: str, page: str) -> str:
    """A path of the site as a link in a page."""
    return os.path.relpath(target, os.path.dirname(page) or ".").replace("\\", "/")
