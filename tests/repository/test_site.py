"""The documentation site: it builds without warnings, and its pages are complete and closed."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest
from browser import chromium
from paths import ROOT

import inception_dsl
from inception_dsl.language import shipped

PROGRAM = ROOT / "docs" / "site" / "build.py"
BLOCKS = [name for name in shipped.names() if name.startswith("blocks/")]
NETWORKS = [name for name in shipped.names() if name not in BLOCKS]
IMAGE = re.compile(r'<img [^>]*src="([^"]+\.svg)"')
PAGES = (
    *("index", "README", "docs/tutorial", "specs/README", "docs/errors", "docs/agreement"),
    *("docs/architecture", "gallery/index", "gallery/v3", "gallery/family/i3d_two_stream"),
)


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The program that builds the site."""
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def text_of(path: Path) -> str:
    """The text of a page, without its elements."""
    return html.unescape(re.sub(r"<[^>]+>", "", path.read_text(encoding="utf-8")))


def figures_of(path: Path) -> list[str]:
    """The figures of a page; all of them are files, and each exists in light and dark colours."""
    page = path.read_text(encoding="utf-8")
    found = [path.parent / name for name in IMAGE.findall(page)]
    assert all(file.is_file() for file in found)
    classes = re.findall(r'<img [^>]*class="([^"]*only-(?:light|dark))', page)
    assert len(found) == len(classes)
    assert sum("only-light" in names for names in classes) * 2 == len(classes)
    return [file.name for file in found]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site: warnings of Sphinx, broken links and requests are errors."""
    folder = tmp_path_factory.mktemp("site") / "site"
    done = call("--out", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


def test_all_pages_are_there(site: Path) -> None:
    assert [name for name in PAGES if not (site / f"{name}.html").is_file()] == []
    assert figures_of(site / "index.html")
    names = {"naive-inception.svg", "parallel-full.svg", "residual-inception.svg"}
    assert names <= {*figures_of(site / "docs" / "tutorial.html")}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_in_the_gallery(name: str, site: Path) -> None:
    """With figures, its parameters, its spec and both sources."""
    index = (site / "gallery" / "index.html").read_text(encoding="utf-8")
    assert f'href="{name}.html"' in index
    path = site / "gallery" / f"{name}.html"
    assert figures_of(path)
    network, text = inception_dsl.load(ROOT / "specs" / f"{name}.yaml"), text_of(path)
    assert f"{network.parameters:,}" in text
    assert shipped.text(name).decode().strip() in text
    for backend in ("torch", "keras"):
        assert network.source(backend).strip() in text
    assert (site / "explore" / f"{name}.html").is_file()


@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_is_in_the_gallery(name: str, site: Path) -> None:
    assert shipped.text(name).decode().strip() in text_of(site / "gallery" / "blocks.html")


def test_a_spec_is_compared_with_the_one_that_it_extends(site: Path) -> None:
    text = text_of(site / "gallery" / "published" / "timm_inception_v3.html")
    assert (
        "inception-dsl diff published/torchvision_inception_v3 published/timm_inception_v3" in text
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_in_a_browser(scheme: str, site: Path) -> None:
    """No request leaves the site, no page is wider than its window, and each figure is there once.

    The widths are those of a telephone, and around those where the theme changes the layout.
    """
    with chromium() as browser:
        page = browser.new_context(color_scheme=scheme).new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: problems.append(request.url))
        for name in PAGES:
            page.goto((site / f"{name}.html").as_uri())
            for width in (400, 1000, 1320, 1390, 1400, 1900):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            shown = [image for image in page.locator("img.figure").all() if image.is_visible()]
            assert len(shown) * 2 == page.locator("img.figure").count(), name
            assert all(f"only-{scheme}" in str(image.get_attribute("class")) for image in shown)
        outside = site.as_uri()
        assert [url for url in problems if not url.startswith((outside, "data:"))] == []


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


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = call("--out", tmp_path / "file" / "site")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def linked(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Prints a text of docs/design.md with the links of the site."""
    script = (
        "import pages, pathlib, sys\n"
        "from gallery import blocks, networks\n"
        "made = pages.Pages(pathlib.Path(sys.argv[1]), networks(), blocks())\n"
        "print(made.linked(sys.argv[2], 'docs/design.md'))"
    )
    call = [sys.executable, "-c", script, str(folder), text]
    return subprocess.run(call, cwd=PROGRAM.parent, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("target", "page"),
    [
        ("../specs/v4.yaml", "../gallery/v4.md"),
        ("../specs/family/xception.yaml", "../gallery/family/xception.md"),
        ("../specs/blocks/reduction_a.yaml", "../gallery/blocks.md#reduction_a"),
        ("../specs/family", "../gallery/index.md#family"),
        ("../generated/keras/v4.py", "../gallery/v4.md#keras"),
        ("../generated/torch/xception.py", "../gallery/family/xception.md#pytorch"),
        ("../README.md#install", "../README.md#install"),
        ("weights.md", "weights.md"),
        ("agreement.py", "../files/docs/agreement.py"),
        ("https://a.test/specs/v4.yaml", "https://a.test/specs/v4.yaml"),
        ("#summary", "#summary"),
        ("missing.py", ""),
        ("../../outside", ""),
    ],
)
def test_links_of_the_repository_become_those_of_the_site(
    target: str, page: str, tmp_path: Path
) -> None:
    """A link to nothing, or out of the repository, is an error; one in code stays."""
    code = f"```\n[code]({target})\n```"
    done = linked(f"{code}\n\n[a [b]\nc]({target})", tmp_path)
    if page:
        assert done.stdout == f"{code}\n\n[a [b]\nc]({page})\n"
    else:
        error = f"error: docs/design.md: no such file in the repository: {target}\n"
        assert (done.returncode, done.stderr) == (1, error)


def test_figures_that_are_not_of_networks_are_copied(tmp_path: Path) -> None:
    done = linked("![a b](site/static/site.css)", tmp_path)
    assert done.stdout == "![a b](../files/docs/site/static/site.css){.figure}\n"
    assert (tmp_path / "files" / "docs" / "site" / "static" / "site.css").is_file()
    done = linked("![a b](missing.svg)", tmp_path)
    assert done.stderr == "error: docs/design.md: no such file in the repository: missing.svg\n"


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
