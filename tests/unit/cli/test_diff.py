"""Tests the command ``diff``: formats, exit codes, git revisions, the diff driver of git."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inception_dsl.cli import main

NET = """
network: net
input: {channels: 3, height: 32, width: 32}
import: [parts/unit.yaml]
body: [{use: unit, name: first}, {use: unit, name: second}]
"""
UNIT = "block: unit\nsteps: [{op: conv_bn, filters: 8, kernel_size: 3}]\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["diff", *arguments])


def git(*arguments: str) -> str:
    settings = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    done = subprocess.run(
        ("git", *settings, *arguments), capture_output=True, check=True, text=True
    )
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose last commit has the specs, with another block in the work tree."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs/parts").mkdir(parents=True)
    (tmp_path / "specs/net.yaml").write_text(NET)
    (tmp_path / "specs/parts/unit.yaml").write_text(UNIT)
    git("init", "-q", ".")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    (tmp_path / "specs/parts/unit.yaml").write_text(
        UNIT.replace("kernel_size: 3", "kernel_size: 5")
    )
    return tmp_path


def test_the_status_says_whether_networks_differ() -> None:
    assert run("v1", "v1").exit_code == 0
    assert "The networks are the same." in run("v1", "v1").stdout
    assert run("v1", "v3").exit_code == 1
    missing = run("v1", "v1x")
    assert missing.exit_code == 2
    assert "did you mean the shipped spec `v1`?" in missing.stderr


def test_the_settings_are_those_of_both() -> None:
    result = run("v3", "published/timm_inception_v3", "--set", "classes=10", "--json")
    assert json.loads(result.stdout)["totals"]["outputs"]["old"] == "logits 10, aux 10"
    assert json.loads(result.stdout)["totals"]["outputs"]["new"] == "logits 10"


def test_json_has_every_place() -> None:
    found = json.loads(run("v4", "published/timm_inception_v4", "--json").stdout)
    assert (found["old"], found["new"]) == ("inception_v4", "timm_inception_v4")
    by_field = {one["field"]: one for one in found["changes"]}
    places = by_field["batch_norm.scale"]["places"]
    assert sum(place["uses"] for place in places) == 149
    gamma = found["totals"]["parameters"]["new"] - found["totals"]["parameters"]["old"]
    assert sum(place["parameters"] for place in places) == gamma == 31_584
    assert by_field["dropout, rate 0.2"] == {
        "kind": "removed",
        "field": "dropout, rate 0.2",
        "old": "",
        "new": "",
        "places": [{"path": "head/1", "uses": 1, "parameters": 0, "macs": 0}],
    }
    assert found["steps"][0]["path"] == "stem"
    assert found["steps"][0]["parameters"] == {"old": 606_592, "new": 607_456}


@pytest.mark.parametrize("form", ["markdown", "latex"])
def test_tables_for_documents(form: str) -> None:
    text = run("v1", "published/torchvision_googlenet", "-f", form).stdout
    for sign in (r"\allowbreak ", r"{\raggedright ", r"\par}"):
        text = text.replace(sign, "")
    row = r"inception/branch\_5x5/1 & 9 & -378,672 & -84,295,680 \\"
    assert (row if form == "latex" else row.replace(" &", " |").replace(r"\\", "|")) in text


@pytest.mark.parametrize("path", ["specs/net.yaml", "./specs/net.yaml"])
def test_a_revision_has_its_own_blocks(repository: Path, path: str) -> None:
    result = run(f"HEAD:{path}", "specs/net.yaml")
    assert result.exit_code == 1, result.stderr
    assert [line.split()[:5] for line in result.stdout.splitlines() if "kernel_size" in line] == [
        ["kernel_size:", "3", "->", "5", "unit"]
    ]
    assert run("HEAD:specs/net.yaml", "HEAD:specs/net.yaml").exit_code == 0


def test_a_path_from_here_begins_with_a_dot(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "specs")
    assert run("HEAD:./net.yaml", "net.yaml").exit_code == 1
    assert run("HEAD:specs/net.yaml", "net.yaml").exit_code == 1
    assert run("HEAD:net.yaml", "net.yaml").exit_code == 2


@pytest.mark.parametrize("stage", [":", ":0:"])
def test_what_is_staged(repository: Path, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index is neither the last commit nor the work tree, from any folder."""
    block = repository / "specs/parts/unit.yaml"
    block.write_text(UNIT.replace("kernel_size: 3", "kernel_size: 7"))
    git("add", "specs")
    block.write_text(UNIT)
    for folder in (repository, repository / "specs"):
        monkeypatch.chdir(folder)
        result = run("HEAD:specs/net.yaml", f"{stage}specs/net.yaml")
        assert result.exit_code == 1, result.stderr
        assert "kernel_size: 3 -> 7" in result.stdout
    monkeypatch.chdir(repository)
    block.write_text(UNIT.replace("filters", "filtres"))
    git("add", "specs")
    assert f"--> {stage}specs/parts/unit.yaml:2:23" in run(f"{stage}specs/net.yaml", "v1").stderr


def test_links_and_submodules_of_a_revision(repository: Path) -> None:
    (repository / "specs/link.yaml").symlink_to("net.yaml")
    (repository / "linked").symlink_to("specs")
    (repository / "away.yaml").symlink_to("/etc/passwd")
    git("add", "-A")
    head = git("rev-parse", "HEAD").strip()
    git("update-index", "--add", "--cacheinfo", f"160000,{head},vendor/lib")
    git("commit", "-q", "-m", "links")
    for revision, where in (("HEAD:", "the revision HEAD"), (":", "the index")):
        for path, message, help in (
            ("specs/link.yaml", "`specs/link.yaml` is a symbolic link in", "specs/net.yaml`"),
            ("linked/net.yaml", "`linked` is a symbolic link in", "specs/net.yaml`"),
            ("away.yaml", "`away.yaml` is a symbolic link in", "give a file"),
            ("vendor/lib/a.yaml", "is in the submodule `vendor/lib` of", head[:12]),
        ):
            result = run(f"{revision}{path}", "specs/net.yaml")
            assert result.exit_code == 2
            assert f"{message} {where}" in result.stderr
            assert help in result.stderr
    assert run("HEAD:specs/net.yaml", ":specs/net.yaml").exit_code == 0


BAD = {
    ":specs/nett.yaml": ("no spec `specs/nett.yaml` in the index", "`specs/net.yaml`"),
    ":0:net.yaml": ("no spec `net.yaml` in the index", "did you mean `specs/net.yaml`?"),
    "nope:specs/net.yaml": ("no revision `nope` in this repository", "`HEAD~1:specs/net.yaml`"),
    "HEAD:specs/nett.yaml": ("no spec `specs/nett.yaml` in the revision HEAD", "`specs/net.yaml`"),
    "HEAD:net.yaml": ("no spec `net.yaml` in the revision HEAD", "did you mean `specs/net.yaml`?"),
    "HEAD:../../x.yaml": ("no spec `../../x.yaml` in the revision HEAD", "from the top"),
    "--help:x.yaml": ("", ""),
}


@pytest.mark.parametrize("spec", BAD)
def test_wrong_revisions(repository: Path, spec: str) -> None:
    message, help = BAD[spec]
    result = run("--", spec, "specs/net.yaml")
    assert result.exit_code == 2
    assert message in result.stderr
    assert help in result.stderr
    assert "Traceback" not in result.output


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    result = run("HEAD:net.yaml", "v1")
    assert result.exit_code == 2
    assert "HEAD:net.yaml cannot be read: not a git repository" in result.stderr
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed" in run("HEAD:net.yaml", "v1").stderr


def test_errors_of_a_revision_name_it(repository: Path) -> None:
    (repository / "specs/parts/unit.yaml").write_text(UNIT.replace("filters", "filtres"))
    git("commit", "-q", "-a", "-m", "second")
    (repository / "specs/parts/unit.yaml").write_text(UNIT)
    result = run("HEAD:specs/net.yaml", "specs/net.yaml")
    assert result.exit_code == 2
    assert "--> HEAD:specs/parts/unit.yaml:2:23" in result.stderr
    assert "filtres" in result.stderr
    assert "/tmp" not in result.stderr


def test_git_diff_shows_the_difference(
    repository: Path, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    git("checkout", "-q", ".")
    git("config", "diff.spec.command", f"{sys.executable} -m inception_dsl diff --driver")
    (repository / ".gitattributes").write_text("*.yaml diff=spec\n")
    (repository / "specs/net.yaml").write_text(NET.replace(", {use: unit, name: second}", ""))
    text = git("diff", "--ext-diff")
    assert text.startswith("specs/net.yaml:\n")
    assert "removed block unit" in text
    git("add", "specs/net.yaml")
    git("rm", "-q", "--cached", "specs/parts/unit.yaml")
    assert "specs/parts/unit.yaml: deleted" in git("diff", "--cached", "--ext-diff")
    (repository / "specs/net.yaml").write_text("network: [")
    assert git("diff", "--ext-diff").endswith("\n+network: [")


def test_git_diff_shows_the_lines_of_other_files(repository: Path) -> None:
    git("config", "diff.spec.command", f"{sys.executable} -m inception_dsl diff --driver")
    (repository / ".gitattributes").write_text("*.yaml diff=spec\n")
    text = git("diff", "--ext-diff")
    assert "-steps: [{op: conv_bn, filters: 8, kernel_size: 3}]" in text
    assert "+steps: [{op: conv_bn, filters: 8, kernel_size: 5}]" in text


def test_networks_of_one_name_are_called_as_they_were_given(repository: Path) -> None:
    lines = run("HEAD:specs/net.yaml", "specs/net.yaml").stdout.splitlines()
    assert lines[0] == "net (HEAD:specs/net.yaml) -> net (specs/net.yaml)"
    assert lines[2].split() == ["HEAD:specs/net.yaml", "specs/net.yaml", "difference"]


@pytest.mark.parametrize("arguments", [["v1"], ["v1", "v2", "v3"], ["--driver", "v1", "v2"]])
def test_wrong_usage(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2
