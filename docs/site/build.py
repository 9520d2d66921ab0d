"""Build the documentation as a web site.

``python docs/site/build.py`` writes ``build/site/html/index.html``. It exits with status 1 if
Sphinx has a warning or a page has a broken link, and with 2 if it is called in a wrong way.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import rewrites
from check import problems
from gallery import Gallery, blocks, networks
from pages import ROOT, Pages

import inception_dsl

SETTINGS: Final = Path(__file__).parent
NEEDED: Final = ("sphinx", "myst_parser", "furo")
MARK: Final = ".inception-dsl-site"
"""A file in every folder that this program wrote, and may empty."""


def build(folder: Path) -> int:
    """Write the site to ``folder``, whose content it replaces; the exit status."""
    from sphinx.cmd.build import build_main

    if folder.exists():
        shutil.rmtree(folder)
    source, html = folder / "source", folder / "html"
    source.mkdir(parents=True)
    (folder / MARK).touch()
    Gallery(source).write()
    rewrites.write(source)
    Pages(source, networks(), blocks()).write()
    extra = f"html_extra_path={source / 'extra'}"  # the interactive pages
    options = ["-W", "--keep-going", "-n", "-q", "-c", str(SETTINGS), "-d", str(folder / "cache")]
    if build_main([*options, "-D", extra, str(source), str(html)]):
        return 1
    found = [*problems(html)]
    print("\n".join(found) or html / "index.html")
    return int(bool(found))


def main() -> int:
    """Check the call, and build."""
    parser = argparse.ArgumentParser(description="Build the documentation as a web site.")
    default = ROOT / "build" / "site"
    parser.add_argument("--out", type=Path, default=default, help="folder (default: build/site)")
    folder = parser.parse_args().out.resolve()
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        parser.error(f"{missing[0]} is not installed; run `pip install '.[docs]'`")
    if folder.exists() and not folder.is_dir():
        parser.error(f"{folder} is a file")
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        parser.error(f"{folder} is not empty and not a site; nothing was written")
    try:
        return build(folder)
    except inception_dsl.SpecError as error:
        raise SystemExit(str(error)) from None
    except OSError as error:
        raise SystemExit(f"error: {error}") from None
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
