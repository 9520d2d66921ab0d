"""Tables for LaTeX in PDF: all fit, and texts of specs are shown as they are."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner
from frameworks import ROOT, shipped
from latex_tables import SPECS, files, table
from payloads import SPEC, TAKEN, written
from tex import document, pages, too_wide, tool, typeset

from inception_dsl.analysis.cost import cost, layers
from inception_dsl.cli import main
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.emit.bibtex import bibtex
from inception_dsl.ir.program import About
from inception_dsl.testing.random_specs import MAIN, random_spec
from inception_dsl.types.prose import Prose


def test_shipped_tables_fit(tmp_path: Path) -> None:
    """Into a column and a page; with sizes of inputs and the other counts, too."""
    found = []
    for number, path in enumerate(SPECS):
        for width in ("column", "page"):
            more = {} if number % 2 else {"size": "input", "counts": "googlenet"}
            found += [table(shipped(path), f"{path.stem}_{width}", width=width)]
            found += [table(shipped(path), f"{path.stem}_{width}_2", width=width, **more)]
    report = typeset(document(found), tmp_path)
    assert too_wide(report) == []
    text = pages(tmp_path)
    assert len(text) == len(found)
    for page, path in zip(text[::4], SPECS, strict=True):
        title = shipped(path).program.about.title.plain or shipped(path).program.id
        assert title.split()[0] in page


@pytest.mark.parametrize("width", ["column", "page"])
@pytest.mark.parametrize("layout", ["table", "tabular", "standalone"])
def test_layouts(layout: str, width: str, tmp_path: Path) -> None:
    text = table(shipped(ROOT / "specs/v4.yaml"), "v4", layout=layout, width=width)
    star = "*" * (width == "page")
    assert (f"\\begin{{table{star}}}" in text) == (layout != "tabular")
    assert (r"\label{tab:v4}" in text) == (layout != "tabular")
    assert text.count(r"\begin{tabular}") == text.count(r"\toprule") == 1
    if layout == "tabular":
        size = re.findall(r"in (\\\w+) with a (\\\w+) of ([\d.]+pt)\.", text)[0]
        settings = "{}\\setlength{{{}}}{{{}}}\n".format(*size)
        text = f"\\begin{{table{star}}}\n{settings}{text}\\end{{table{star}}}\n"
    report = typeset(text if layout == "standalone" else document([text]), tmp_path)
    assert too_wide(report) == []
    assert "42.7M" in pages(tmp_path)[0]


@pytest.mark.parametrize(
    "command",
    [
        ["summary", "v4"],
        ["summary", "inception_resnet_v2", "inception_resnet_v1", "v4", "family/resnet_50"],
        ["diff", "v1", "published/torchvision_googlenet"],
        ["diff", "v4", "inception_resnet_v2"],
        ["sweep", "v4", "--vary", "width=0.5,1", "--vary", "input=224,299"],
        ["sweep", "v4", "--vary", "width=0.5,1", "--vary", "input=9,299"],
        [
            *("sweep", "v4", "--vary", "width=0.5,1", "--vary", "input=299,331"),
            *("--vary", "body.inception_a.repeat=1,2", "--vary", "body.inception_b.repeat=1,2"),
            *("--vary", "body.inception_c.repeat=1,2"),
        ],
        ["fit", "v4", "--macs", "600M", "--vary", "width=0.2..0.3"],
    ],
    ids=" ".join,
)
def test_tables_of_commands_fit_a_page(command: list[str], tmp_path: Path) -> None:
    """Long texts are broken into lines: where a change is, the error of a variant."""
    done = CliRunner().invoke(main, [*command, "-f", "latex"])
    tables = done.stdout.split("\n\n")
    assert len(tables) == (3 if command[0] == "diff" else 1)
    found = [f"\\begin{{table*}}\n{table}\n\\end{{table*}}\n" for table in tables]
    report = typeset(document(found), tmp_path)
    assert "Overfull" not in report  # one of a long diff may be too high


def test_random_networks(tmp_path: Path) -> None:
    """Each with all rows; those of every fourth seed become a PDF."""
    found = []
    for seed in range(200):
        folder = tmp_path / str(seed)
        folder.mkdir()
        for name, text in random_spec(seed).files.items():
            (folder / name).write_text(text, encoding="utf-8")
        typed = compile_spec(folder / MAIN, {}, Report())
        assert typed is not None
        total = cost(list(layers(typed)))
        for width in ("column", "page"):
            text = table(typed, f"n{seed}", width=width)
            assert f"% {total.total:,} parameters, {total.macs:,} multiply-adds." in text
            found += [text] * (seed % 4 == 0)
    typeset(document(found), tmp_path)
    assert len(pages(tmp_path)) >= len(found)


def seen(text: str) -> str:
    """A text without what typesetting changes: spaces, hyphens, the form of quotes;
    underscores are lines (OT1)."""
    plain = unicodedata.normalize("NFKD", text).translate(QUOTES)
    return re.sub(r"[\s_\u00b4\u0300-\u036f-]", "", plain)


QUOTES = str.maketrans("\u2018\u2019\u201c\u201d`'\u2212\u2044", "'" * 4 + "''-/")
QUOTES[ord('"')] = QUOTES[ord("\u201c")] = QUOTES[ord("\u201d")] = "''"


def expected(payload: str) -> str:
    """The payload as it is shown: codes for what pdflatex cannot typeset."""
    text = re.sub(r"(?<![A-Za-z])\u0301", "[U+0301]", " ".join(payload.split()))
    return re.sub("[\U0001f600\u0663]", lambda m: f"[U+{ord(m[0]):04X}]", text)


def test_texts_stay_texts(tmp_path: Path) -> None:
    """Each payload as every text of the caption: pdflatex typesets it, and the page shows it."""
    fields = [*SPEC["paper"], "title", "modified_from"]
    found = []
    for number, payload in enumerate(TAKEN):
        paper = dict.fromkeys(SPEC["paper"], payload)
        spec = {**SPEC, "title": payload, "modified_from": payload, "paper": paper}
        path = tmp_path / f"spec_{number}.yaml"
        path.write_text(written(spec), encoding="ascii")
        report = Report()
        typed = compile_spec(path, {}, report)
        assert typed is not None, report.render()
        text = table(typed, f"n{number}")
        assert text.isascii()
        found.append(text)
    typeset(document(found), tmp_path)
    text = pages(tmp_path)
    assert len(text) == len(TAKEN) > 100
    for page, payload in zip(text, TAKEN, strict=True):
        assert seen(page).count(seen(expected(payload)).strip(".")) >= len(fields), payload


def test_a_long_title_stays_in_the_column(tmp_path: Path) -> None:
    typed = shipped(ROOT / "specs/v4.yaml")
    report, path = Report(), tmp_path / "long.yaml"
    text = (ROOT / "specs/v0.yaml").read_text(encoding="utf-8")
    path.write_text(re.sub("title: The.*", f"title: {'x' * 300}", text, count=1), encoding="utf-8")
    typed = compile_spec(path, {}, report)
    assert typed is not None, report.render()
    assert too_wide(typeset(document([table(typed)]), tmp_path)) == []


def test_every_paper_is_an_entry_for_bibtex(tmp_path: Path) -> None:
    """BibTeX reads all of them without a warning: each has its authors, title and year."""
    entries = []
    published = sorted((ROOT / "specs/published").glob("*.yaml"))
    for path in (*SPECS, *published):
        entries += [str(files(shipped(path), path.stem)[f"{path.stem}.bib"])]
        own = f"@misc{{{path.stem}," in entries[-1]
        assert own == (path in SPECS) and (own or f"@misc{{{path.stem}_original," in entries[-1])
    (tmp_path / "all.bib").write_text("\n".join(entries), encoding="utf-8")
    (tmp_path / "x.aux").write_text("\\citation{*}\n\\bibdata{all}\n\\bibstyle{plain}\n")
    call = [tool("bibtex"), "x"]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Warning" not in done.stdout, done.stdout
    parts = re.findall(r"^@misc.*?^}$", "\n".join(entries), re.MULTILINE | re.DOTALL)
    assert len(parts) == "".join(entries).count("@misc") > len(entries) > 30
    for entry in parts:
        for name in ("author", "title", "year"):
            assert re.search(rf"^  {name} = \{{.+\}},$", entry, re.MULTILINE), entry
    listed = (tmp_path / "x.bbl").read_text(encoding="utf-8")
    assert listed.count(r"\bibitem") == len(parts)
    assert "Ismail Fawaz, Lucas" in listed
    assert "He, Zhang, Ren, and Sun" in listed


def test_et_al_is_others() -> None:
    for authors in ("Fawaz et al.", "Fawaz, et al"):
        assert "author = {Fawaz and others}," in bibtex(
            About(paper={"authors": Prose(authors)}), "a"
        )


def test_hostile_papers_are_entries_for_bibtex(tmp_path: Path) -> None:
    entries = []
    for number, payload in enumerate(TAKEN):
        paper = dict.fromkeys(SPEC["paper"], payload)
        path = tmp_path / "spec.yaml"
        path.write_text(written({**SPEC, "paper": paper}), encoding="ascii")
        typed = compile_spec(path, {}, Report())
        assert typed is not None
        entries.append(str(files(typed, f"n{number}")[f"n{number}.bib"]))
    (tmp_path / "all.bib").write_text("\n".join(entries), encoding="utf-8")
    (tmp_path / "x.aux").write_text("\\citation{*}\n\\bibdata{all}\n\\bibstyle{plain}\n")
    done = subprocess.run([tool("bibtex"), "x"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    listed = (tmp_path / "x.bbl").read_text(encoding="utf-8")
    assert listed.count(r"\bibitem") == len(TAKEN)
    typeset(document([listed]), tmp_path)
