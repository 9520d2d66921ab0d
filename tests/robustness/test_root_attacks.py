"""Nothing outside of a spec's root is read, written or told of."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attacks
import pytest

import inception_dsl
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.language import roots

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links, pipes and sockets")
SOURCES = Path(inception_dsl.__file__).parent.parent


def network(wanted: str) -> str:
    return f"network: net\n{attacks.INPUT}import: [{wanted}]\nbody: [{{use: unit}}]\n"


def tree(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything below a folder: kind and mode, time of change, content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(about.st_mode) else b""
        found[str(path.relative_to(folder))] = (about.st_mode, about.st_mtime_ns, content)
    return found


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process says that has tried everything, and what it did to the folders around."""
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


def test_every_attack_is_refused(tried: dict[str, Any]) -> None:
    assert len(attacks.WANTED) >= 60
    assert len(tried["attacks"]) == len(attacks.WANTED) * 5
    for attack in tried["attacks"]:
        assert attack["codes"], attack["why"]
        assert set(attack["codes"]) <= {"E102", "E103", "E201", "E203", "E209", "E301"}, attack
        if attack["why"].startswith(("import", "extends and")):
            assert set(attack["codes"]) <= {"E102", "E103", "E203", "E301"}, attack
        assert not attack["written"], attack["why"]


def test_what_stands_inside_is_read(tried: dict[str, Any]) -> None:
    """The watch sees what is opened, under the name that it has."""
    for attack in tried["inside"]:
        assert attack["codes"] == ["W302"], attack  # imported, and not used
        assert attack["written"] == [
            f"{tried['outside']}/out/{name}/spec.py" for name in ("keras", "torch")
        ]
        name = "sub/block.yaml" if "block" in attack["why"] else "inside.yaml"
        assert f"{tried['root']}/{name}" in attack["opened"] or not os.path.isdir("/proc/self/fd")


def test_nothing_outside_is_opened(tried: dict[str, Any]) -> None:
    """But the compiler itself, the packages it needs, and the folder for output."""
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
                "opening may already do something"
            )


def test_no_report_tells_what_is_outside(tried: dict[str, Any]) -> None:
    """Neither what stands in a file, nor where the root is, beyond what the spec says itself."""
    for attack in (*tried["attacks"], *tried["ids"]):
        for report in attack["reports"]:
            assert attacks.SECRET not in report, attack["why"]
            assert "root:" not in report, attack["why"]
            if "{outside}" not in attacks.WANTED.get(attack["why"].partition(": ")[2], ""):
                assert str(tried["outside"]) not in report.replace("\\/", "/"), attack["why"]


def test_nothing_around_changes(tried: dict[str, Any]) -> None:
    assert tried["changed"] == set()
    assert {str(p.relative_to(tried["outside"] / "out")) for p in tried["written"]} == {
        "keras/spec.py",
        "torch/spec.py",
    }


def test_ids_name_no_files(tried: dict[str, Any]) -> None:
    assert len(tried["ids"]) == len(attacks.IDS) * 8
    for attack in tried["ids"]:
        assert attack["codes"], attack["why"]
        assert set(attack["codes"]) <= {"E102", "E206", "E209"}, attack
        assert not attack["written"], attack["why"]


def reported(path: Path, root: Path | None = None) -> str:
    report = Report()
    compile_spec(path, {}, report, root)
    return report.render()


def test_that_a_file_is_there_is_not_told(tmp_path: Path) -> None:
    """What is said of a file outside is the same whether there is one, also behind a link."""
    (tmp_path / "there.yaml").write_text(attacks.OUTSIDE)
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
    assert "is a link, or is behind one" in reported(spec)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A root with a spec that imports ``sub/unit.yaml``, and a file outside that is called the same."""
    root = tmp_path / "project"
    for folder in (root / "sub", tmp_path / "sub"):
        folder.mkdir(parents=True)
    (root / "sub/unit.yaml").write_text(attacks.BLOCK.format("unit"))
    (tmp_path / "sub/unit.yaml").write_text(attacks.OUTSIDE)
    (root / "spec.yaml").write_text(network("sub/unit.yaml"))
    return root


def swap(path: Path, target: Path) -> None:
    """A link to ``target`` in the place of ``path``."""
    path.rename(path.with_name("away"))
    path.symlink_to(target)


@pytest.mark.parametrize("at", ["sub", "sub/unit.yaml"])
@pytest.mark.parametrize("call", ["stat", "open"])
def test_a_link_that_appears_meanwhile(
    project: Path, monkeypatch: pytest.MonkeyPatch, at: str, call: str
) -> None:
    """After every look at a part of the way, and before and after every opening."""
    real: Callable[..., Any] = getattr(os, call)
    for turn in range(1, 8):
        calls = iter(range(1, 1000))

        def swapping(*arguments: Any, **more: Any) -> Any:
            relative = "dir_fd" in more or str(arguments[0]) == os.path.realpath(project)
            number = next(calls) if relative else 0  # noqa: B023
            if number == turn and call == "open":  # noqa: B023
                swap(project / at, project.parent / at)
            found = real(*arguments, **more)
            if number == turn and call == "stat":  # noqa: B023
                swap(project / at, project.parent / at)
            return found

        if call == "open":
            monkeypatch.setattr(os, "supports_dir_fd", {*os.supports_dir_fd, swapping})
        monkeypatch.setattr(os, call, swapping)
        text = reported(project / "spec.yaml")
        monkeypatch.undo()
        assert attacks.SECRET not in text
        assert text == "" or "E301" in text
        if (project / at).is_symlink():
            (project / at).unlink()
            (project / at).with_name("away").rename(project / at)
    assert reported(project / "spec.yaml") == ""


def test_a_pipe_that_appears_meanwhile(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is neither waited for nor taken for an empty file."""
    real = os.open

    def swapping(*arguments: Any, **more: Any) -> int:
        if arguments[0] == "unit.yaml":
            (project / "sub/unit.yaml").unlink()
            os.mkfifo(project / "sub/unit.yaml")
        return real(*arguments, **more)

    monkeypatch.setattr(os, "supports_dir_fd", {*os.supports_dir_fd, swapping})
    monkeypatch.setattr(os, "open", swapping)
    assert "sub/unit.yaml is not a file" in reported(project / "spec.yaml")


def test_what_stands_beside_a_missing_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a suggestion, of names inside of the root only, and of none where the folder cannot be read."""
    spec = project / "spec.yaml"
    spec.write_text(network("sub/unitt.yaml"))
    assert "did you mean `sub/unit.yaml`?" in reported(spec)
    (project / "linked").symlink_to(project.parent / "sub")
    (project.parent / "specc.yaml").write_text("")
    for wanted in (
        "linked/unitt.yaml",
        "linked/../../specc.yam",
        "missing/unitt.yaml",
        "spec.yaml/unitt.yaml",
    ):
        spec.write_text(network(wanted))
        assert "E301" in reported(spec)
        assert "unit.yaml`" not in reported(spec), wanted
        assert "specc.yaml" not in reported(spec)
    spec.write_text(network("sub/unitt.yaml"))
    real = os.listdir

    def swapping(at: Any) -> list[str]:
        if isinstance(at, int):
            raise PermissionError(13, "Permission denied")
        return real(at)

    monkeypatch.setattr(os, "listdir", swapping)
    assert "sub/unitt.yaml is not a file" in reported(spec)
    assert "did you mean" not in reported(spec)


def test_the_file_of_an_unknown_block(project: Path) -> None:
    """One that is called so is suggested, unless it is behind a link: what is there is not looked for."""
    (project / "spec.yaml").write_text(f"network: net\n{attacks.INPUT}body: [{{use: unit}}]\n")
    (project / "blocks").symlink_to(project.parent / "sub")
    assert "import" not in reported(project / "spec.yaml").replace("import its file", "")
    (project / "blocks").unlink()
    (project / "sub").rename(project / "blocks")
    assert "add `import: [blocks/unit.yaml]`" in reported(project / "spec.yaml")


def test_links_that_come_and_go(project: Path) -> None:
    """A thread that flips a file and a folder, while a spec is read again and again."""
    (project / "away").symlink_to(project.parent / "sub")
    (project / "link").symlink_to(project.parent / "sub/unit.yaml")
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            (project / "sub").rename(project / "kept")
            (project / "away").rename(project / "sub")
            (project / "sub").rename(project / "away")
            (project / "kept").rename(project / "sub")
            (project / "link").rename(project / "sub/unit.yaml")
            os.symlink(project.parent / "sub/unit.yaml", project / "link")
            (project / "new").write_text(attacks.BLOCK.format("unit"))
            (project / "new").rename(project / "sub/unit.yaml")

    thread = threading.Thread(target=flip)
    thread.start()
    try:
        texts = {
            reported(project / "spec.yaml") for _ in range(int(os.environ.get("FLIPS", "300")))
        }
    finally:
        stop.set()
        thread.join()
    assert not [text for text in texts if attacks.SECRET in text]
    assert all(text == "" or "E301" in text for text in texts)


def test_the_root_is_the_folder_of_the_first_spec(project: Path) -> None:
    (project / "sub/net.yaml").write_text(network("../spec.yaml"))
    assert "leads out" in reported(project / "sub/net.yaml")
    (project / "sub/net.yaml").write_text("extends: ../spec.yaml\nclasses: 3\n")
    assert "leads out" in reported(project / "sub/net.yaml")


def test_a_marker_widens_the_root(project: Path) -> None:
    spec = project / "sub/net.yaml"
    spec.write_text("extends: ../spec.yaml\nbody: [{use: unit}]\n")
    marker = project / roots.MARKER
    marker.write_text("")
    assert reported(spec) == ""
    spec.write_text(network("../../sub/unit.yaml"))
    assert "leads out" in reported(spec)
    spec.write_text("extends: ../spec.yaml\n")
    (project / "sub" / roots.MARKER).write_text("")
    assert "leads out" in reported(spec), "the nearest counts"


def test_markers_that_do_not_count(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = project / "sub/net.yaml"
    spec.write_text("extends: ../spec.yaml\nbody: [{use: unit}]\n")
    marker = project / roots.MARKER
    marker.symlink_to(project / "spec.yaml")
    assert "leads out" in reported(spec), "a link"
    marker.unlink()
    marker.mkdir()
    assert "leads out" in reported(spec), "a folder"
    marker.rmdir()
    marker.write_text("")
    monkeypatch.setattr(os, "geteuid", lambda: marker.stat().st_uid + 1)
    if marker.stat().st_uid == 0:
        os.chown(marker, 12345, -1)
        monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert reported(spec) == "", "another's, in a folder that is not everybody's"
    project.chmod(0o1777)
    assert "leads out" in reported(spec), "another's, where everybody may write"
    monkeypatch.setattr(os, "geteuid", lambda: marker.stat().st_uid)
    assert reported(spec) == "", "the user's own"


def test_a_given_root(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By argument, else by the environment; a narrower one counts too."""
    spec = project / "sub/net.yaml"
    spec.write_text("extends: ../spec.yaml\nbody: [{use: unit}]\n")
    assert reported(spec, project) == ""
    assert inception_dsl.load(spec, root=project).name == "net"
    with pytest.raises(inception_dsl.SpecError, match="leads out"):
        inception_dsl.load(spec)
    monkeypatch.setenv(roots.VARIABLE, str(project))
    assert reported(spec) == ""
    assert "leads out" in reported(spec, project / "sub")
    (project / roots.MARKER).write_text("")
    assert "leads out" in reported(spec, project.parent / "sub")


def test_links_that_the_user_names(project: Path) -> None:
    """The root by a link, and the spec by a link: its files are those beside the link."""
    link = project.parent / "link"
    link.symlink_to(project)
    assert reported(link / "spec.yaml") == ""
    assert reported(project / "spec.yaml", link) == ""
    (project.parent / "elsewhere.yaml").symlink_to(project / "spec.yaml")
    assert attacks.SECRET in reported(project.parent / "elsewhere.yaml")
