"""What `pip install` gives: the compiler and the shipped specs, in an empty folder, without the
repository. The wheel, the source distribution and a git repository are each installed in a new
environment, which sees the packages of this one, but not this one's inception-dsl.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest
from paths import ROOT

OFFLINE = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
WATCH = """\
import os, sys

def watch(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], str | bytes):
        path = os.path.abspath(os.fsdecode(arguments[0]))
        if path.startswith({root!r}) and not path.startswith({allowed!r}):
            os.write(2, ("the repository is used: %s" % path).encode())
            os._exit(99)

sys.addaudithook(watch)
"""
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "INCEPTION", "GIT_"))}


class Installed:
    """A new environment with inception-dsl, and an empty folder."""

    def __init__(self, folder: Path, *source: str) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
        scripts = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
        (self.site,) = (folder / "env").rglob("site-packages")
        paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        (self.site / "packages.pth").write_text("\n".join(sorted(paths)))
        call = [sys.executable, "-m", "pip", "--python", scripts / "python", "install", *OFFLINE]
        call += ["--no-build-isolation", "--ignore-installed", *source]
        subprocess.run(call, check=True, cwd=folder, env=CLEAN)
        watch = WATCH.format(root=f"{ROOT}{os.sep}", allowed=(sys.prefix, str(folder)))
        (self.site / "watch.py").write_text(watch)
        (self.site / "watch.pth").write_text("import watch\n")
        self.program, self.python = scripts / "inception-dsl", scripts / "python"
        self.folder = folder / "empty"
        self.folder.mkdir()

    def run(self, *arguments: str, program: Path | None = None) -> subprocess.CompletedProcess[str]:
        call = [program or self.program, *arguments]
        return subprocess.run(
            call, cwd=self.folder, env=CLEAN, capture_output=True, text=True, check=False
        )

    def __call__(self, *arguments: str, status: int = 0, program: Path | None = None) -> str:
        done = self.run(*arguments, program=program)
        assert done.returncode == status, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `sdist.tar.gz`, `unpacked`, and the wheel that is built from it.

    These are the steps of `python -m build`.
    """
    folder = tmp_path_factory.mktemp("sources")
    call = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder]
    subprocess.run(call, cwd=ROOT, check=True, capture_output=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extraction_filter = getattr(tarfile, "data_filter", None)  # 3.11.4 and later
        file.extractall(folder)
    (unpacked,) = (path for path in folder.iterdir() if path.is_dir())
    call = [sys.executable, "-m", "pip", "wheel", *OFFLINE, "--no-build-isolation"]
    subprocess.run([*call, "-w", folder, unpacked], check=True, env=CLEAN)
    archive.rename(folder / "sdist.tar.gz")
    unpacked.rename(folder / "unpacked")
    return folder


@pytest.fixture(scope="module")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("wheel"), str(next(sources.glob("*.whl"))))


def test_it_is_the_installed_one(wheel: Installed) -> None:
    code = "import inception_dsl, inception_dsl_keras; print(inception_dsl.__file__)"
    found = wheel("-c", code, program=wheel.python)
    assert Path(found.strip()).is_relative_to(wheel.site)
    code = f"open({str(ROOT / 'README.md')!r})"
    assert wheel.run("-c", code, program=wheel.python).returncode == 99, "the test sees it"


def test_the_shipped_networks(wheel: Installed) -> None:
    found = json.loads(wheel("list", "--json"))
    assert {e["name"] for e in found} == {
        p.relative_to(ROOT / "specs").with_suffix("").as_posix()
        for p in (ROOT / "specs").rglob("*.yaml")
    }
    assert all(
        e["parameters"] and e["macs"] and e["title"] for e in found if e["kind"] == "network"
    )
    assert "42,711,400" in wheel("list")
    assert "Inception-v4 of timm" in wheel("summary", "published/timm_inception_v4")
    wheel("build", "v4")
    for backend in ("torch", "keras"):
        text = (wheel.folder / f"generated/{backend}/v4.py").read_bytes()
        assert text == (ROOT / f"generated/{backend}/v4.py").read_bytes(), "on every machine"
    wheel("build", "v4", "--check")
    assert "did you mean the shipped spec `v4`?" in wheel("build", "specs/v4.yaml", status=1)


def test_documents(wheel: Installed) -> None:
    """All figures, tables and pages, with the files of the package that they need."""
    listed = wheel("build", "v4", "--documents").split()
    assert {Path(line).parent.name for line in listed} == {
        "html",
        "latex",
        "mermaid",
        "svg",
        "tikz",
    }
    for line in listed:
        if Path(line).suffix == ".html":  # names the lines of `inception-dsl:v4`, not of a file
            assert "inception-dsl:v4:" in (wheel.folder / line).read_text(encoding="utf-8")
        else:
            assert (wheel.folder / line).read_bytes() == (ROOT / line).read_bytes(), line


def test_designing(wheel: Installed) -> None:
    """Sweeps start processes that import the installed package, too."""
    one, two = (
        wheel("sweep", "v3", "--vary", "width=0.2..0.7:0.01", "--jobs", jobs, "-f", "csv")
        for jobs in ("1", "2")
    )
    assert one == two and one.count("\n0.") == 51
    assert "width" in wheel("fit", "v3", "--macs", "1G", "--vary", "width")
    assert "(-11.2%)" in wheel("rewrite", "v3", "asymmetric")
    assert wheel.run("diff", "v1", "published/torchvision_googlenet").returncode == 1


def test_verify(wheel: Installed) -> None:
    assert wheel("verify", "v3").count("agrees") == 2
    lines = wheel("build", "v3", "--train", "-o", "scripts").splitlines()
    assert sum(line.endswith("train_v3.py") for line in lines) == 2
    assert wheel("verify", "v3", "--recipe").count("agrees") == 4  # updates and whole steps


def test_a_variant(wheel: Installed) -> None:
    lines = wheel("new", "my_v4", "--from", "v4").splitlines()
    assert lines[:2] == ["my_v4.yaml", "schema.json"]
    for line in lines[2:4]:
        assert line.startswith("next: inception-dsl ")
        wheel(*line.split()[2:])
    assert "Modified from Inception-v4 (Szegedy et al., 2016)" in wheel("summary", "my_v4.yaml")
    text = (wheel.folder / "generated/torch/my_v4.py").read_text(encoding="utf-8")
    assert "Modified from Inception-v4 (Szegedy et al., 2016)." in text
    assert "figure 9" not in text
    wheel("new", "copied", "--from", "v4", "--copy")
    wheel("build", "copied.yaml")
    assert len(list(wheel.folder.rglob("schema.json"))) == 1


def test_a_spec_of_ones_own(wheel: Installed) -> None:
    text = (
        "requires: inception-dsl >= {version}\nextends: inception-dsl:v4\nnetwork: mine\n"
        "import: [inception-dsl:blocks/inception_resnet_a]\nclasses: 10\n"
        "body: {{inception_c: null}}\n"
    )
    spec = wheel.folder / "mine.yaml"
    spec.write_text(text.format(version="0.1"))
    assert "mine.yaml: ok" in wheel("check", "mine.yaml")
    spec.write_text(text.format(version="900"))
    found = wheel("check", "mine.yaml", "-f", "concise", status=1)
    assert found.startswith("mine.yaml:1:11: error[E315]: requires inception-dsl >= 900, and")
    assert len(found.splitlines()) == 1


def test_in_python(wheel: Installed) -> None:
    code = "import inception_dsl; print(inception_dsl.load('v4', classes=10).summary())"
    assert "Inception-v4" in wheel("-c", code, program=wheel.python)


def test_nothing_that_is_printed_names_a_file_of_the_repository(wheel: Installed) -> None:
    """It would be missing where only the package is installed."""
    program = (
        "from click.testing import CliRunner\n"
        "from inception_dsl.cli import COMMANDS, main\n"
        "from inception_dsl.diagnostics.codes import CODES\n"
        "from inception_dsl.ops import OPS\n"
        "calls = [[], *([name] for name in COMMANDS), ['weights', 'import']]\n"
        "calls = [[*call, '--help'] for call in calls]\n"
        "calls += [['explain', code] for code in CODES] + [['ops', op] for op in OPS]\n"
        "calls += [['explain', '--markdown'], ['ops', '--markdown'], ['schema'], ['list']]\n"
        "for call in calls:\n"
        "    found = CliRunner().invoke(main, call)\n"
        "    assert found.exit_code == 0, call\n"
        "    print(found.output)\n"
    )
    printed = wheel("-c", program, program=wheel.python)
    assert len(printed) > 100_000
    found = re.findall(r".*(?:\bdocs/|\bspecs/\w|tests/|\w\.md\b|\]\(\w).*", printed)
    own = ("Written by `inception-dsl ops", "writes specs/my_net.yaml")
    assert not [line for line in found if not any(text in line for text in own)]


@pytest.mark.parametrize("kind", ["sdist", "git"])
def test_other_ways_to_install(kind: str, sources: Path, tmp_path: Path) -> None:
    source = str(sources / "sdist.tar.gz")
    if kind == "git":
        project = shutil.copytree(sources / "unpacked", tmp_path / "project")
        author = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        for words in (("init",), ("add", "-A"), (*author, "commit", "-m", "x")):
            subprocess.run(["git", *words], cwd=project, check=True, capture_output=True, env=CLEAN)
        source = f"git+file://{project}"
    installed = Installed(tmp_path, source)
    assert "42,711,400" in installed("list")
    installed("build", "v4", "-b", "torch")
    text = (installed.folder / "generated/torch/v4.py").read_bytes()
    assert text == (ROOT / "generated/torch/v4.py").read_bytes()


def test_an_editable_install(sources: Path, tmp_path: Path) -> None:
    """The specs are those of the repository that is edited."""
    project = shutil.copytree(sources / "unpacked", tmp_path / "project")
    installed = Installed(tmp_path, "--editable", str(project))
    code = "import inception_dsl.language.shipped as s; print(s.folder())"
    assert Path(installed("-c", code, program=installed.python).strip()) == project / "specs"
    (project / "specs/v4.yaml").rename(project / "specs/v5.yaml")
    assert "v5: ok" in installed("check", "v5")
