"""No file outside the root of a spec is read, written or mentioned."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import attacks
import pytest
from attack_names import IDS, OUTSIDE, SECRET, WANTED
from rooted import network, reported

import inception_dsl
from inception_dsl.language import roots

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links, pipes and sockets")
SOURCES = Path(inception_dsl.__file__).parent.parent


def tree(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """All files below a folder: mode, time of change, content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(about.st_mode) else b""
        found[str(path.relative_to(folder))] = (about.st_mode, about.st_mtime_ns, content)
    return found


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The reports of all attacks, run in one process, and the changes to the folders around."""
    outside = Path(os.path.realpath(tmp_path_factory.mktemp("outside")))
    root = attacks.lay(outside)
    (root / "spec.yaml").touch()
    (root / "base.yaml").touch()
    out = outside / "out"
    out.mkdir()
    before = tree(outside)
    done = subprocess.run(
        [sys.executable, attacks.__file__, str(out)],
        cwd=root,
        env={**os.environ, "HOME": str(outside)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    own = re.compile(r"project/(spec|base)\.yaml\Z|project\Z|out(/.*)?\Z")
    changed = {
        name
        for name, value in tree(outside).items()
        if before.get(name) != value and not own.match(name)
    }
    found: dict[str, Any] = json.loads(done.stdout)
    return {
        **found,
        "outside": outside,
        "root": root,
        "changed": changed,
        "written": sorted(out.rglob("*.*")),
    }


def test_all_attacks_are_rejected(tried: dict[str, Any]) -> None:
    assert len(WANTED) >= 60
    assert len(tried["attacks"]) == len(WANTED) * 5
    for attack in tried["attacks"]:
        assert attack["codes"], attack["why"]
        assert set(attack["codes"]) <= {"E102", "E103", "E201", "E203", "E209", "E301"}, attack
        if attack["why"].startswith(("import", "extends and")):
            assert set(attack["codes"]) <= {"E102", "E103", "E203", "E301"}, attack
        assert not attack["written"], attack["why"]


def test_files_inside_the_root_are_read(tried: dict[str, Any]) -> None:
    """The audit hook records the real names of opened files."""
    for attack in tried["inside"]:
        assert attack["codes"] == ["W302"], attack  # imported, and not used
        assert attack["written"] == [
            f"{tried['outside']}/out/{name}/spec.py" for name in ("keras", "torch")
        ]
        name = "sub/block.yaml" if "block" in attack["why"] else "inside.yaml"
        assert f"{tried['root']}/{name}" in attack["opened"] or not os.path.isdir("/proc/self/fd")


def test_nothing_outside_is_opened(tried: dict[str, Any]) -> None:
    """Only the compiler, its packages and the output folder are opened."""
    folders = {
        sys.prefix,
        sys.base_prefix,
        str(SOURCES),
        *filter(None, os.environ.get("PYTHONPATH", "").split(":")),
    }
    allowed = [
        str(tried["root"]),
        str(tried["outside"] / "out"),
        *folders,
        *map(os.path.realpath, folders),
    ]
    for attack in (*tried["attacks"], *tried["inside"], *tried["ids"]):
        for name in attack["opened"]:
            assert any(Path(name).is_relative_to(folder) for folder in allowed), (
                attack["why"],
                name,
            )
        assert not attack["other"], attack
    for attack in tried["attacks"]:
        for name in attack["opened"]:
            assert not Path(name).is_relative_to(tried["outside"] / "out"), attack["why"]
            assert Path(name).name not in ("pipe.yaml", "socket.yaml", "zero"), (
                "opening it can have side effects"
            )


def test_no_report_reveals_what_is_outside(tried: dict[str, Any]) -> None:
    """Neither contents of files nor the path of the root, except for text in the spec itself."""
    for attack in (*tried["attacks"], *tried["ids"]):
        for report in attack["reports"]:
            assert SECRET not in report, attack["why"]
            assert "root:" not in report, attack["why"]
            if "{outside}" not in WANTED.get(attack["why"].partition(": ")[2], ""):
                assert str(tried["outside"]) not in report.replace("\\/", "/"), attack["why"]


def test_nothing_outside_changes(tried: dict[str, Any]) -> None:
    assert tried["changed"] == set()
    assert {str(p.relative_to(tried["outside"] / "out")) for p in tried["written"]} == {
        "keras/spec.py",
        "torch/spec.py",
    }


def test_ids_cannot_name_files(tried: dict[str, Any]) -> None:
    assert len(tried["ids"]) == len(IDS) * 8
    for attack in tried["ids"]:
        assert attack["codes"], attack["why"]
        assert set(attack["codes"]) <= {"E102", "E206", "E209"}, attack
        assert not attack["written"], attack["why"]


def test_existence_of_outside_files_is_not_revealed(tmp_path: Path) -> None:
    """The error is the same whether or not the outside file exists, also through a link."""
    (tmp_path / "there.yaml").write_text(OUTSIDE)
    (tmp_path / "project").mkdir()
    for name in ("there", "other"):
        (tmp_path / f"project/{name}.yaml").symlink_to(f"../{name}.yaml")
        (tmp_path / f"project/in_{name}").symlink_to(f"../{name}.yaml")
    spec = tmp_path / "project/spec.yaml"
    for wanted in (
        "../there.yaml",
        f"{tmp_path}/there.yaml",
        "there.yaml",
        "in_there/x.yaml",
        "../there.yaml/x",
    ):
        texts = []
        for name in ("there", "other"):
            spec.write_text(network(wanted.replace("there", name)))
            texts.append(reported(spec).replace(name, "there"))
        assert texts[0] == texts[1]
        assert "E301" in texts[0]
    spec.write_text(network("there.yaml"))
    assert "is a link, or its path contains one" in reported(spec)


def test_the_root_is_the_folder_of_the_first_spec(project: Path) -> None:
    (project / "sub/net.yaml").write_text(network("../spec.yaml"))
    assert "outside the root" in reported(project / "sub/net.yaml")
    (project / "sub/net.yaml").write_text("extends: ../spec.yaml\nclasses: 3\n")
    assert "outside the root" in reported(project / "sub/net.yaml")


def test_a_marker_widens_the_root(project: Path) -> None:
    spec = project / "sub/net.yaml"
    spec.write_text("extends: ../spec.yaml\nbody: [{use: unit}]\n")
    marker = project / roots.MARKER
    marker.write_text("")
    assert reported(spec) == ""
    spec.write_text(network("../../sub/unit.yaml"))
    assert "outside the root" in reported(spec)
    spec.write_text("extends: ../spec.yaml\n")
    (project / "sub" / roots.MARKER).write_text("")
    assert "outside the root" in reported(spec), "the nearest counts"


def test_markers_that_do_not_count(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = project / "sub/net.yaml"
    spec.write_text("extends: ../spec.yaml\nbody: [{use: unit}]\n")
    marker = project / roots.MARKER
    marker.symlink_to(project / "spec.yaml")
    assert "outside the root" in reported(spec), "a link"
    marker.unlink()
    marker.mkdir()
    assert "outside the root" in reported(spec), "a folder"
    marker.rmdir()
    marker.write_text("")
    monkeypatch.setattr(os, "geteuid", lambda: marker.stat().st_uid + 1)
    if marker.stat().st_uid == 0:
        os.chown(marker, 12345, -1)
        monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert reported(spec) == "", "another's, in a folder that is not everybody's"
    project.chmod(0o1777)
    assert "outside the root" in reported(spec), "another's, where everybody may write"
    monkeypatch.setattr(os, "geteuid", lambda: marker.stat().st_uid)
    assert reported(spec) == "", "the user's own"


def test_a_given_root(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By argument, else by the environment; a narrower one counts too."""
    spec = project / "sub/net.yaml"
    spec.write_text("extends: ../spec.yaml\nbody: [{use: unit}]\n")
    assert reported(spec, project) == ""
    assert inception_dsl.load(spec, root=project).name == "net"
    with pytest.raises(inception_dsl.SpecError, match="outside the root"):
        inception_dsl.load(spec)
    monkeypatch.setenv(roots.VARIABLE, str(project))
    assert reported(spec) == ""
    assert "outside the root" in reported(spec, project / "sub")
    (project / roots.MARKER).write_text("")
    assert "outside the root" in reported(spec, project.parent / "sub")


def test_links_that_the_user_names(project: Path) -> None:
    """The root by a link, and the spec by a link: its files are those beside the link."""
    link = project.parent / "link"
    link.symlink_to(project)
    assert reported(link / "spec.yaml") == ""
    assert reported(project / "spec.yaml", link) == ""
    (project.parent / "elsewhere.yaml").symlink_to(project / "spec.yaml")
    assert SECRET in reported(project.parent / "elsewhere.yaml")
