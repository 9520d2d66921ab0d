"""The documentation site: it builds without warnings, and its pages are complete and closed."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest
from paths import ROOT

import inception_dsl
from inception_dsl.language import shipped

PROGRAM = ROOT / "docs" / "site" / "build.py"
NETWORKS = [name for name in shipped.names() if not name.startswith("blocks/")]
IMAGE = re.compile(r'<img [^>]*src="([^"]+\.svg)"')
PAGES = ("index", "README", "docs/tutorial", "gallery/index", "specs/README", "docs/errors")


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The program that builds the site."""
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def text_of(page: str) -> str:
    """The text of a page, without its elements."""
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def figures_of(path: Path, page: str) -> list[str]:
    """The figures of a page; all of them are files, and each exists in light and dark colours."""
    found = [path.parent / name for name in IMAGE.findall(page)]
    assert all(file.is_file() for file in found)
    classes = re.findall(r'<img [^>]*class="([^"]*only-(?:light|dark))', page)
    assert len(found) == len(classes)
    assert sum("only-light" in names for names in classes) * 2 == len(classes)
    return [file.name for file in found]


def test_the_site(tmp_path: Path) -> None:
    """Sphinx makes warnings errors, and the program checks links, anchors and requests."""
    done = call("--out", tmp_path / "site")
    assert done.returncode == 0, done.stdout + done.stderr
    site = tmp_path / "site" / "html"
    assert all((site / f"{name}.html").is_file() for name in PAGES)
    index = (site / "gallery" / "index.html").read_text(encoding="utf-8")
    for name in NETWORKS:
        assert f'href="{name}.html"' in index, name
        path = site / "gallery" / f"{name}.html"
        page = path.read_text(encoding="utf-8")
        assert figures_of(path, page), name
        network, text = inception_dsl.load(ROOT / "specs" / f"{name}.yaml"), text_of(page)
        assert f"{network.parameters:,}" in text, name
        for backend in ("torch", "keras"):
            assert network.source(backend).strip() in text, f"{name} {backend}"
        assert shipped.text(name).decode().strip() in text, name
        assert (site / "explore" / f"{name}.html").is_file()
    tutorial = site / "docs" / "tutorial.html"
    figures = figures_of(tutorial, tutorial.read_text(encoding="utf-8"))
    assert {"naive-inception.svg", "parallel-full.svg", "residual-inception.svg"} <= {*figures}
    assert figures_of(site / "index.html", (site / "index.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("content", ["folder", "file"])
def test_nothing_is_overwritten(content: str, tmp_path: Path) -> None:
    """A folder that is no site, or a file, is left as it is."""
    kept = tmp_path / "html"
    if content == "folder":
        kept.mkdir()
        (kept / "index.html").write_text("mine", encoding="utf-8")
        done = call("--out", tmp_path)
    else:
        kept.write_text("mine", encoding="utf-8")
        done = call("--out", kept)
    assert done.returncode == 2
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr
    assert (kept / "index.html" if content == "folder" else kept).read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ('<a href="missing.html">', "index.html: no such file: missing.html"),
        ('<a href="#missing">', "index.html: no such anchor: #missing"),
        ('<a href="other.html#missing">', "index.html: no such anchor: other.html#missing"),
        ('<img src="missing.svg">', "index.html: no such file: missing.svg"),
        ('<a href="missing/">', "index.html: no such file: missing/"),
        ('<img src="https://a.test/b.png">', "index.html: requests https://a.test/b.png"),
        ('<script src="//a.test/b.js"></script>', "index.html: requests //a.test/b.js"),
        ('<link rel="stylesheet" href="http://a.test/b">', "index.html: requests http://a.test/b"),
        ('<p style="background: url(http://a.test/b)">', "index.html: requests http://a.test/b"),
        ("<style>@import 'http://a.test/b';</style>", "index.html: requests http://a.test/b"),
        ('<img srcset="http://a.test/b 2x">', "index.html: requests http://a.test/b"),
        ("", "site.css: requests http://a.test/font"),
        ('<a href="https://a.test/">, <a href="other.html#here">, <img src="data:,">', ""),
    ],
)
def test_problems_of_pages_are_found(page: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "other.html").write_text('<p id="here">', encoding="utf-8")
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    if not page:
        text = "@font-face { src: url('http://a.test/font') }"
        (tmp_path / "site.css").write_text(text, encoding="utf-8")
    script = (
        "import check, pathlib, sys; print(*check.problems(pathlib.Path(sys.argv[1])), sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=PROGRAM.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == problem
