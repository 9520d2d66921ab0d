"""Check the pages of a built site: links, anchors, and requests to other origins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

_URL: Final = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")
_LOADS: Final = frozenset({"src", "data", "poster", "action", "xlink:href"})
"""Attributes whose address a browser requests to show the page."""


class Page(HTMLParser):
    """The anchors of a page, what it links to, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.in_style = tag == "style"
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.ids.add(value or "")
            elif name == "href":
                (self.links if tag == "a" else self.loads).append(value or "")
            elif name == "srcset":
                self.loads += [one.split()[0] for one in (value or "").split(",") if one.strip()]
            elif name in _LOADS:
                self.loads.append(value or "")
            elif name == "style":
                self.loads += addresses(value or "")

    def handle_data(self, data: str) -> None:
        if self.in_style:
            self.loads += addresses(data)

    def handle_endtag(self, tag: str) -> None:
        self.in_style = False


def addresses(styles: str) -> list[str]:
    """The addresses that a style sheet loads."""
    return [a or b for a, b in _URL.findall(re.sub(r"/\*.*?\*/", "", styles, flags=re.DOTALL))]


def problems(site: Path) -> Iterator[str]:
    """Every link without a target, and every request to another origin, with its page."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        for link in page.links:
            if not urlsplit(link).scheme and (problem := broken(link, path, pages)):
                yield f"{name}: {problem}"
        for link in page.loads:
            if problem := foreign(link) or broken(link, path, pages):
                yield f"{name}: {problem}"
    for path in (*site.rglob("*.css"), *site.rglob("*.svg")):
        for link in addresses(path.read_text(encoding="utf-8")):
            if problem := foreign(link):
                yield f"{path.relative_to(site).as_posix()}: {problem}"


def foreign(link: str) -> str:
    """Whether a browser would ask another origin."""
    url = urlsplit(link)
    other = url.netloc or url.scheme not in ("", "data")
    return f"requests {link}" if other else ""


def broken(link: str, path: Path, pages: dict[Path, Page]) -> str:
    """Why a link of a page leads nowhere, or nothing."""
    url = urlsplit(link)
    if url.scheme or url.netloc:
        return ""
    target = (path.parent / unquote(url.path)).resolve() if url.path else path
    if url.path.endswith("/"):
        target /= "index.html"
    if not target.is_file():
        return f"no such file: {link}"
    anchor = unquote(url.fragment)
    if anchor and target in pages and anchor not in pages[target].ids:
        return f"no such anchor: {link}"
    return ""
