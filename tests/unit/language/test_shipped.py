"""Shipped specs by name: what a name means, and what it can never mean."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.analysis.cost import cost, layers
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.formats import FORMATS
from inception_dsl.diagnostics.report import Diagnostic, Report, Span
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.language import shipped
from inception_dsl.language.shipped import folder, from_anywhere, like, meant, names, wanted_by
from inception_dsl.version import __version__

SMALL = "network: n\ninput: {channels: 3, height: 9, width: 9}\nbody: [{op: identity}]\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def compiled(spec: str | Path, **settings: str) -> TypedProgram:
    report = Report()
    typed = compile_spec(spec, settings, report)
    assert typed is not None, report.render()
    return typed


def refused(spec: str | Path) -> Diagnostic:
    report = Report()
    assert compile_spec(spec, {}, report) is None
    (found,) = report
    return found


def parameters(typed: TypedProgram) -> int:
    return cost(list(layers(typed))).total


def test_all_specs_have_names() -> None:
    root = Path(__file__).parents[3] / "specs"
    files = {p.relative_to(root).with_suffix("").as_posix(): p for p in root.rglob("*.yaml")}
    assert set(names()) == set(files)
    assert all(shipped.text(name) == path.read_bytes() for name, path in files.items())
    assert names()[0] == "inception_resnet_v1" and names()[-1].startswith("published/")


@pytest.mark.parametrize("name", names())
def test_a_name_is_the_spec(name: str) -> None:
    report = Report()
    typed = compile_spec(name, {}, report)
    if name.startswith("blocks/"):
        assert typed is None and {d.code for d in report} <= {"E305", "E404"}, report.render()
        assert all(d.span.file == f"inception-dsl:{name}" for d in report)
        return
    assert typed is not None, report.render()
    assert parameters(typed) == parameters(compiled(folder() / f"{name}.yaml"))
    assert typed.program.origin.document.file == f"inception-dsl:{name}"
    assert parameters(compiled(f"inception-dsl:{name}")) == parameters(typed)


def test_a_file_comes_first(here: Path, write: Callable[..., Path]) -> None:
    assert meant("v4") == "v4"
    write("", "v4/x.yaml")
    assert meant("v4") == "v4", "a folder is no spec"
    write(SMALL, "v3")
    assert (meant("v3"), compiled("v3").program.id) == (None, "n")
    assert compiled("inception-dsl:v3").program.id == "inception_v3"
    assert from_anywhere("v3") == str(Path.cwd() / "v3")
    assert from_anywhere("v4") == from_anywhere("inception-dsl:v4") == "inception-dsl:v4"


@pytest.mark.parametrize("file", ["v4.yaml", "v4.yml"])
def test_a_file_with_the_suffix_is_ambiguous(write: Callable[..., Path], file: str) -> None:
    """Otherwise `new v4`, an edit and `build v4` would build the shipped network in silence."""
    write(SMALL, file)
    found = refused("v4")
    assert (found.code, found.message) == (
        "E101",
        f"`v4` may mean the shipped spec or the file {file}",
    )
    assert found.help == f"write `inception-dsl:v4`, or `{file}`"
    assert compiled(file).program.id == "n"
    assert compiled("inception-dsl:v4").program.id == "inception_v4"


@pytest.mark.parametrize(
    ("spec", "help"),
    [
        ("v4.yaml", "did you mean the shipped spec `v4`?"),
        ("specs/v4.yaml", "did you mean the shipped spec `v4`?"),
        ("specs/published/timm_inception_v4.yaml", "`published/timm_inception_v4`?"),
        ("timm_inception_v4", "`published/timm_inception_v4`?"),
        ("inception_v4", "the shipped spec `v4`?"),
        ("Inception-v4", "the shipped spec `v4`?"),
        ("googlenet", "the shipped spec `v1`?"),
        ("inception-dsl:V4", "did you mean `inception-dsl:v4`?"),
        ("inception-dsl:v4.yaml", "did you mean `inception-dsl:v4`?"),
        ("inception-dsl:", "`inception-dsl list`"),
        ("qqqq", "`inception-dsl list`"),
    ],
)
def test_did_you_mean(spec: str, help: str) -> None:
    found = refused(spec)
    assert found.code == "E101"
    assert help in found.help


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "../v4",
            "./v4",
            "/v4",
            "v4/",
            "blocks/../v4",
            "../../etc/passwd",
            "/etc/passwd",
            "v4.yaml",
        ),
        *("specs/v4", "~/v4", "v4\\", "V4", " v4", "v4 ", "inception-dsl:v4", ".", "..", "blocks"),
        *("schema", "README", "a\0b", "../pyproject", "*", "v?"),
    ],
)
def test_a_name_is_never_a_path(name: str, here: Path, write: Callable[..., Path]) -> None:
    write(SMALL, "v4.yaml")
    assert refused(f"inception-dsl:{name}").code == "E101"
    report, spec = Report(), write("")
    spec.write_text(f"extends: {f'inception-dsl:{name}'!a}\n", encoding="utf-8")
    assert compile_spec(spec, {}, report) is None
    assert {d.code for d in report} <= {"E301", "E102", "E103"}


def test_a_file_that_is_probably_meant(write: Callable[..., Path]) -> None:
    write(SMALL, "sub/inception_v4_small.yaml")
    help = refused("sub/inception_v4_smal.yaml").help
    assert help == f"did you mean `{os.path.join('sub', 'inception_v4_small.yaml')}`?"
    assert refused("zzzzzz.yaml").help == ""


def test_a_file_that_is_named_like_a_shipped_spec(write: Callable[..., Path]) -> None:
    """It is reached by a path, and its paths are its own."""
    write("block: tower\nsteps: [{op: identity}]\n", "blocks/tower.yaml")
    text = f"{SMALL}import: [blocks/tower.yaml]\nhead: [{{use: tower}}, {{use: no}}]\n"
    write(text, "inception-dsl:v4")
    assert compiled("inception-dsl:v4").program.id == "inception_v4"
    found = refused("./inception-dsl:v4")
    assert (found.code, str(found.span)) == ("E302", f".{os.sep}inception-dsl:v4:5:28")


def test_extends_and_import(write: Callable[..., Path]) -> None:
    text = (
        f"requires: inception-dsl >= {__version__}\n"
        "extends: inception-dsl:v4\n"
        "network: mine\n"
        "import: [tower.yaml, inception-dsl:blocks/inception_resnet_a]\n"
        "body:\n"
        "  inception_a: [{use: tower}, {use: inception_a}]\n"
    )
    write("block: tower\nsteps: [{op: identity}]\n", "tower.yaml")
    report = Report()
    typed = compile_spec(write(text), {}, report)
    assert typed is not None, report.render()
    assert {"tower", "inception_a", "reduction_a", "inception_v4_stem"} <= set(typed.program.blocks)
    (unused,) = report.warnings
    assert (unused.code, unused.span.line) == ("W302", 4), "of the file's own imports only"
    same = compiled(write("extends: inception-dsl:published/timm_inception_v4\n"))
    assert parameters(same) == parameters(compiled("published/timm_inception_v4"))


def test_settings(write: Callable[..., Path]) -> None:
    small = compiled("v4", classes="10", input="331x331x3")
    assert str(small.program.input) == "331x331x3"
    assert compiled("v4", **{"blocks.reduction_a.steps": "[{op: identity}]"})
    report = Report()
    assert compile_spec("v4", {"requires": "x"}, report) is None
    assert [d.code for d in report] == ["E209"]


def test_an_error_in_a_shipped_spec_is_no_edit_of_it(write: Callable[..., Path]) -> None:
    """It is read-only: its location is shown with its text, and no format offers an edit."""
    spec = write("extends: inception-dsl:v4\ninput: {height: 20}\n")
    report = Report()
    assert compile_spec(spec, {}, report) is None
    (found,) = report
    assert (found.code, found.span.file) == ("E401", str(spec))
    assert not found.fix
    text = report.render()
    assert "::: inception-dsl:blocks/inception_v4_stem:22:61" in text
    assert "kernel_size: 3, stride: 2" in text
    assert "in: inception-dsl:v4:" in text
    assert str(folder()) not in "".join(form(report, "1") for form in FORMATS.values())
    uris = re.findall('"uri": "([^"]*)"', FORMATS["sarif"](report, "1"))
    assert {Path(uri).name for uri in uris} == {spec.name}
    assert "file=inception-dsl" not in FORMATS["github"](report, "1")


def test_the_fix_of_a_name(write: Callable[..., Path]) -> None:
    spec = write("extends: inception-dsl:v44\n")
    (fix,) = refused(spec).fix
    assert (fix.text, fix.span) == ("inception-dsl:v4", Span(str(spec), 1, 10, 1, 27))


def test_an_unknown_block_that_is_shipped(write: Callable[..., Path]) -> None:
    found = refused(write(f"{SMALL}head: [{{use: reduction_a}}]\n"))
    assert (found.code, found.help) == ("E302", "add `import: [inception-dsl:blocks/reduction_a]`")
    assert [edit.text.strip() for edit in found.fix] == [
        "import: [inception-dsl:blocks/reduction_a]"
    ]


def test_cycles_and_limits(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "text", lambda name: b"extends: inception-dsl:v3\n")
    found = refused(write("extends: inception-dsl:v3\n"))
    assert (found.code, str(found.span)) == ("E301", "inception-dsl:v3:1:10")
    assert "extends itself" in found.message


def test_paths_in_shipped_specs() -> None:
    assert wanted_by("inception-dsl:v4", "blocks/reduction_a.yaml") == "blocks/reduction_a"
    assert wanted_by("inception-dsl:published/timm_inception_v4", "../v4.yaml") == "v4"
    assert wanted_by("inception-dsl:v4", "../../etc/x.yaml") not in names()
    assert wanted_by("a.yaml", "inception-dsl:v4") == "v4"
    assert wanted_by("a.yaml", "v4.yaml") is None


def test_links_to_the_package_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installers share the files of packages by hard links (uv, conda) or symbolic links."""
    top = tmp_path / "site/specs"
    for name in ("v4", *(n for n in names() if n.startswith("blocks/"))):
        path = top / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        original = tmp_path / f"cache_{path.name}"
        original.write_bytes(shipped.text(name))
        os.link(original, path) if name == "v4" else path.symlink_to(original)
    monkeypatch.setattr(shipped, "folder", lambda: top)
    assert compiled("v4").program.id == "inception_v4"


def test_like() -> None:
    assert like("v4") == "v4"
    assert like("reduction_a") == "blocks/reduction_a"
    assert like("zzz") == ""
