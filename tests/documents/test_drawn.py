"""What the files of figures contain: SVG, TikZ and Mermaid draw the same boxes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner
from inception_dsl_documents import MERMAID, SVG, TIKZ
from inception_dsl_documents.options import DIRECTION, LAYOUT, THEME
from inception_dsl_documents.views import figures
from paths import ROOT
from payloads import TAKEN

from inception_dsl.backend import Backend, Report, Request, TypedProgram, main_text
from inception_dsl.cli import main
from inception_dsl.compiler import compile_spec

WIDER = {"inception_unet"}  # than the text of one column
NS = "{http://www.w3.org/2000/svg}"
SPECS = sorted(p for f in ("", "family") for p in (ROOT / "specs" / f).glob("*.yaml"))
NETWORK = """\
network: net
title: {title}
input: {{channels: 3, height: 8, width: 8}}
classes: 2
body: [{{op: conv, filters: 4, kernel_size: 3}}]
head: [{{op: global_avg_pool}}, {{op: dense, units: $classes}}]
"""


def compiled(path: Path) -> TypedProgram:
    typed = compile_spec(str(path), {}, Report())
    assert typed is not None
    return typed


def files(backend: Backend, typed: TypedProgram, **options: str) -> dict[str, str]:
    found = backend.emit(typed, Request("net", options), Report()) or {}
    return {name: text for name, text in found.items() if isinstance(text, str)}


def drawn(svg: str) -> list[str]:
    """The texts of an SVG file in order."""
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{NS}text")]


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_svg_and_tikz_have_the_texts_of_the_figure(path: Path) -> None:
    typed = compiled(path)
    svg, tikz = files(SVG, typed), files(TIKZ, typed)
    for name, figure in figures(typed).items():
        stem = f"net-{name}" if name else "net"
        lines = [line for box in figure.boxes for line in box.lines]
        texts = [*figure.texts, *(f.title for f in figure.frames)]
        texts += [text for _, _, text in figure.legend]
        wanted = sorted([*lines, *(text.text for text in texts)])
        assert sorted(drawn(svg[f"{stem}.svg"])) == wanted
        nodes = re.findall(r"^\\node.* at \(\S+\) \{(.*)\};$", tikz[f"{stem}.tex"], re.MULTILINE)
        for command, sign in (("times", "×"), ("periodcentered", "·"), ("minus", "−")):
            nodes = [node.replace(rf"\text{command}{{}}", sign) for node in nodes]
        plain = [node.replace("\\", "").replace("{}", "") for node in nodes]
        assert len(plain) == len(wanted)
        assert sorted(p for p in plain if p in wanted) == sorted(w for w in wanted if w in plain)
        assert tikz[f"{stem}.tex"].count(r"\filldraw[box") == len(figure.legend) + sum(
            box.role != "terminal" for box in figure.boxes
        )


def test_svg_is_accessible_and_sized_in_points() -> None:
    text = files(SVG, compiled(ROOT / "specs/v4.yaml"))["net-inception_a.svg"]
    root = ET.fromstring(text)
    assert root.get("role") == "img" and root.get("aria-label") == "inception_a"
    assert (root.get("width") or "").endswith("pt")
    assert root.find(f"{NS}title") is not None
    notes = [node.text for node in root.iter(f"{NS}title")][1:]
    assert "branch_1x1\n35×35×384 → 35×35×96\n37,152 parameters\n45,158,400 MACs" in notes


def test_themes_and_directions() -> None:
    typed = compiled(ROOT / "specs/v0.yaml")
    light, dark = (files(SVG, typed, theme=t)["net.svg"] for t in ("light", "dark"))
    clear = files(SVG, typed, theme="transparent")["net.svg"]
    assert "#ffffff" in light and 'class="page"' in light and "#101214" in dark
    assert 'class="page"' not in clear
    assert drawn(light) == drawn(dark) == drawn(clear)

    def height(text: str, name: str) -> float:
        nodes = {n.text: float(n.get("y") or 0) for n in ET.fromstring(text).iter(f"{NS}text")}
        return nodes[name]

    down = files(SVG, typed, direction="down")["net.svg"]
    assert height(light, "input 28×28×192") > height(light, "concat")
    assert height(down, "input 28×28×192") < height(down, "concat")
    assert "flowchart BT" in main_text(files(MERMAID, typed))
    assert "flowchart TB" in main_text(files(MERMAID, typed, direction="down"))


def test_options_are_those_of_the_command(tmp_path: Path) -> None:
    run = CliRunner().invoke
    arguments = ["build", "v0", "--backend", "svg", "--out", str(tmp_path)]
    good = run(main, [*arguments, "--option", "theme=dark", "--option", "direction=down"])
    assert good.exit_code == 0, good.output
    typed = compiled(ROOT / "specs/v0.yaml")
    wanted = files(SVG, typed, theme="dark", direction="down")["net.svg"]
    written = (tmp_path / "svg/v0.svg").read_text(encoding="utf-8")
    assert drawn(written) == drawn(wanted) and "#101214" in written
    for option, message in [
        ("theme=blue", "invalid value for the option `theme`: `blue`"),
        ("theme", "invalid value for the option `theme`: ``"),
        ("colour=dark", "unknown option `colour` of backends"),
    ]:
        bad = run(main, [*arguments, "--option", option])
        assert bad.exit_code == 2 and message in bad.output
    assert "theme" in run(main, ["build", "v0", "-b", "svg", "--option", "them=dark"]).output
    twice = run(main, [*arguments, "--option", "theme=dark", "--option", "theme=light"])
    assert twice.exit_code == 2 and "more than once" in twice.output
    none = run(main, ["build", "v0", "-b", "torch", "--option", "theme=dark"])
    assert none.exit_code == 2 and "have no options" in none.output
    for value in ("transparent", "auto"):  # of figures, of pages: others keep their default
        documents = ["build", "v0", "--documents", "--out", str(tmp_path / value)]
        assert run(main, [*documents, "--option", f"theme={value}"]).exit_code == 0
        background = 'class="page"' in (tmp_path / value / "svg/v0.svg").read_text("utf-8")
        assert background == (value == "auto")
    for option in (THEME, DIRECTION, LAYOUT):
        assert f"--option {option.name}=" in run(main, ["backends"]).output


def test_documents_are_asked_for(tmp_path: Path) -> None:
    """Without a backend, only source is written; `--check` compares all that was built."""
    run = CliRunner().invoke
    out = ["--out", str(tmp_path)]
    assert run(main, ["build", "v0", *out]).exit_code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["keras", "torch"]
    assert run(main, ["build", "v0", "--documents", *out]).exit_code == 0
    assert {"keras", "torch", "svg", "tikz", "mermaid"} < {p.name for p in tmp_path.iterdir()}
    assert run(main, ["build", "v0", "--check", *out]).exit_code == 0
    figure = tmp_path / "svg/v0.svg"
    figure.write_text(figure.read_text(encoding="utf-8").replace("concat", "add"), encoding="utf-8")
    stale = run(main, ["build", "v0", "--check", *out])
    assert stale.exit_code == 1 and "v0.svg" in stale.output
    kept = run(main, ["build", "v0", "--documents", *out])
    assert kept.exit_code == 1 and "was edited since it was generated" in kept.output
    both = run(main, ["build", "v0", "-b", "torch", "--documents", "--force", *out])
    assert both.exit_code == 0 and "keras" not in both.output


@pytest.mark.parametrize("start", range(4))
def test_titles_are_never_markup(start: int, tmp_path: Path) -> None:
    import json

    allowed = {f"{NS}{tag}" for tag in ("svg", "title", "style", "rect", "path", "g", "text")}
    file = tmp_path / "net.yaml"
    for payload in TAKEN[start::4]:
        file.write_text(
            NETWORK.format(title=json.dumps(payload, ensure_ascii=False)), encoding="utf-8"
        )
        typed = compiled(file)
        text = files(SVG, typed)["net.svg"]
        root = ET.fromstring(text)
        assert {node.tag for node in root.iter()} <= allowed
        title = root.find(f"{NS}title")
        assert title is not None
        given = (c if c.isprintable() else " " for c in typed.program.about.title.plain)
        shown = " ".join("".join(given).split()) or "net"
        assert title.text == root.get("aria-label") == shown
        assert text.count("<style>") == 1 and "canary" not in main_text(files(TIKZ, typed))


def latex_is_missing() -> str:
    """Why the tests of LaTeX are skipped, which they never are in CI."""
    if shutil.which("pdflatex") or os.environ.get("CI") == "true":
        return ""
    return "needs pdflatex"


@pytest.mark.skipif(bool(latex_is_missing()), reason="needs pdflatex")
@pytest.mark.parametrize("columns", ["twocolumn", "onecolumn"])
def test_all_pictures_fit_an_article(columns: str, tmp_path: Path) -> None:
    """The kept files of all shipped specs, as each says to include it, with a caption."""
    kept = sorted((ROOT / "generated/tikz").glob("*.tex"))
    assert len(kept) > 80
    lines, narrow = [], 0
    for path in kept:
        wanted = re.search(r"in the environment (.*)\.$", path.read_text("utf-8"), re.MULTILINE)
        assert wanted is not None
        place, _, one = wanted[1].partition(", or figure with one column")
        assert (place, one) in (("figure", ""), ("figure*", ""))
        if columns == "onecolumn" and wanted[1] == "figure*":
            narrow += 1
            assert "-full" in path.name or path.stem in WIDER  # a figure for a screen
        else:
            place = "figure" if columns == "onecolumn" else place
            lines.append(
                rf"\begin{{{place}}}[p]\centering\input{{{path.as_posix()}}}"
                rf"\caption{{A figure.}}\end{{{place}}}\clearpage"
            )
    assert narrow < 30
    head = [rf"\documentclass[{columns}]{{article}}", r"\usepackage{tikz}", r"\begin{document}"]
    log = latex(tmp_path, "\n".join([*head, *lines, r"\end{document}"]))
    assert "Output written on" in log and f"({len(lines)} pages" in log
    for problem in ("Overfull", "Float too large", "LaTeX Font Warning"):
        assert problem not in log


@pytest.mark.skipif(bool(latex_is_missing()), reason="needs pdflatex")
@pytest.mark.parametrize("name", ["v4", "family/resnet_50", "family/inception_time"])
def test_a_document_has_one_page(name: str, tmp_path: Path) -> None:
    """All figures of a spec; TeX rounds the size of some up: an empty page came before them."""
    for text in files(TIKZ, compiled(ROOT / f"specs/{name}.yaml"), layout="standalone").values():
        log = latex(tmp_path, text)
        assert "(1 page" in log and "Overfull" not in log


STEP = "  - {{op: conv, name: step_{0}, filters: {1}, kernel_size: 3}}"


def long_network(steps: int, branches: int = 0) -> str:
    """Steps none of which is equal to the one before, or so many branches side by side."""
    head = "network: net\ninput: {channels: 3, height: 8, width: 8}\nbody:\n"
    if branches:
        inner = "{op: conv, filters: 4, kernel_size: 3, dilation: [1, 1]}"
        names = "".join(f"      branch_{n}: [{inner}]\n" for n in range(branches))
        return f"{head}  - merge: concat\n    branches:\n{names}"
    return head + "\n".join(STEP.format(n, 4 + n % 2) for n in range(steps)) + "\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (long_network(3000), r"it has [0-9,]+ characters; at most 500,000 fit its memory"),
        (long_network(0, branches=500), r"it is [0-9,]+ pt wide; at most 16,383 are possible"),
    ],
    ids=["long", "wide"],
)
def test_a_picture_that_latex_cannot_typeset(text: str, reason: str, tmp_path: Path) -> None:
    """It is an error that names what can be done; the SVG is written."""
    file, out = tmp_path / "net.yaml", str(tmp_path / "out")
    file.write_text(text, encoding="utf-8")
    run = CliRunner().invoke
    done = run(main, ["build", str(file), "-b", "tikz", "-o", out])
    assert done.exit_code == 1 and not (tmp_path / "out").exists()
    assert re.search(rf"E503.*`net\.tex` is too large for LaTeX: {reason}", done.output)
    assert "net.yaml:1:1" in done.output and "use `--backend svg`" in done.output
    assert run(main, ["build", str(file), "-b", "svg", "-o", out]).exit_code == 0


def test_other_documents_are_written_without_the_pictures(tmp_path: Path) -> None:
    """A chain that TeX cannot typeset: the table, the SVG, the page and Mermaid."""
    file, out = tmp_path / "net.yaml", tmp_path / "out"
    file.write_text(long_network(2500), encoding="utf-8")
    command = ["build", str(file), "--documents", "-o", str(out)]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    assert re.search(r"warning\[W501\]: the figure `net\.tex` is .* it is left out", done.output)
    written = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert written == {"html/net.html", "latex/net.tex", "mermaid/net.mmd", "svg/net.svg"}
    assert CliRunner().invoke(main, [*command, "--check"]).exit_code == 0


def test_a_block_is_drawn_without_its_network(tmp_path: Path) -> None:
    """The main figure is the one that TeX cannot typeset."""
    file, out = tmp_path / "net.yaml", tmp_path / "out"
    block = "blocks: {small: {steps: [{op: conv, filters: 8, kernel_size: 3}]}}\n"
    file.write_text(f"{long_network(2500)}  - {{use: small}}\n{block}", encoding="utf-8")
    done = CliRunner().invoke(main, ["build", str(file), "-b", "tikz", "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert [path.name for path in (out / "tikz").iterdir()] == ["net-small.tex"]


def test_only_the_figures_that_latex_cannot_typeset_are_left_out(tmp_path: Path) -> None:
    """The detailed one here; ``allow`` silences the warning."""
    use = ", ".join(f"{{use: layers, name: {name}}}" for name in "abcdef")
    conv = ", ".join(["*c"] * 299)
    text = (
        "network: net\ninput: {channels: 8, height: 8, width: 8}\n"
        f"blocks: {{layers: {{steps: [&c {{op: conv, filters: 8, kernel_size: 3}}, {conv}]}}}}\n"
        f"body: [{use}]\n"
    )
    file, out = tmp_path / "net.yaml", tmp_path / "out"
    file.write_text(text, encoding="utf-8")
    command = ["build", str(file), "-b", "tikz", "-o", str(out)]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0
    assert re.search(r"warning\[W501\]: the figure `net-full\.tex` is too large", done.output)
    assert {path.name for path in (out / "tikz").iterdir()} == {"net.tex", "net-layers.tex"}
    file.write_text(f"{text}allow: [W501]\n", encoding="utf-8")
    done = CliRunner().invoke(main, [*command, "--force"])
    assert done.exit_code == 0 and "W501" not in done.output


@pytest.mark.skipif(bool(latex_is_missing()), reason="needs pdflatex")
def test_the_largest_picture_compiles(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(long_network(1450), encoding="utf-8")
    (text,) = files(TIKZ, compiled(file), layout="standalone").values()
    assert len(text) > 480_000
    assert "(1 page" in latex(tmp_path, text)
    assert "for a screen, not for print" in main_text(files(TIKZ, compiled(file)))


def latex(folder: Path, text: str) -> str:
    (folder / "figure.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "figure.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-2000:]
    return log
