"""Backends as plugins: installed by pip, listed, used, and harmless where they are broken."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def install(source: Path, target: Path) -> None:
    """What a user does, into a folder instead of an environment."""
    options = [
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--disable-pip-version-check",
        "--no-index",
    ]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(source)],
        check=True,
    )


LIMIT = 3  # seconds for an import, where one hangs
PROGRAM = (
    f"import inception_dsl.plugins as p; p.MAX_SECONDS = {LIMIT}; from inception_dsl.cli "
    f"import main; main()"
)


def runner(folder: Path, *paths: Path) -> Run:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        before = os.environ.get("PYTHONPATH")
        path = os.pathsep.join([*map(str, paths), *([before] if before else [])])
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The command line with the text backend installed."""
    target = tmp_path_factory.mktemp("text")
    source = shutil.copytree(HERE / "text_backend", target / "source")
    install(source, target / "site")
    return runner(target, target / "site")


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The command line with the broken backends installed, and the text backend beside them."""
    target = tmp_path_factory.mktemp("broken")
    source = shutil.copytree(HERE / "broken_backend", target / "source")
    (source / "inception_dsl_broken" / "syntax.py").write_text("def broken(:\n")
    install(source, target / "broken")
    install(shutil.copytree(HERE / "text_backend", target / "text_source"), target / "text")
    return runner(target, target / "broken", target / "text")


def test_an_installed_backend_is_listed(text: Run) -> None:
    done = text("backends", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["text"] == {
        "name": "text",
        "distribution": "inception-dsl-text",
        "version": "1.2.3",
        "title": "Plain text",
        "documents": False,
        "options": [],
        "error": "",
    }
    assert rows["torch"]["distribution"] == rows["keras"]["distribution"] == "inception-dsl"
    assert "inception-dsl-text 1.2.3" in text("backends").stdout


def test_an_installed_backend_builds(text: Run, root: Path, tmp_path: Path) -> None:
    spec = str(root / "specs" / "v4.yaml")
    done = text("build", spec, "--backend", "text", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "text" / "v4.txt").read_text()
    assert written.startswith("network inception_v4 on 299x299x3\n")
    assert "inception_a x4 {} -> 35x35x384" in written
    assert (
        text("build", spec, "--backend", "text", "--out", str(tmp_path), "--check").returncode == 0
    )
    again = text("build", spec, "--backend", "text", "--out", str(tmp_path), "--set", "classes=7")
    assert again.returncode == 0, "the mark says that the file is ours"


def test_what_a_backend_cannot_say_is_an_error_in_the_spec(
    text: Run, root: Path, tmp_path: Path
) -> None:
    done = text(
        "build", str(root / "specs" / "v1.yaml"), "--backend", "text", "--out", str(tmp_path)
    )
    assert done.returncode == 1
    assert "error[E503]: text cannot say `local_response_norm`" in done.stderr
    assert "v1.yaml:" in done.stderr
    assert not list(tmp_path.iterdir())


REASONS = {
    "api": "written for version 1 of the backend API, but this is version 2",
    "attribute": "has no attribute 'MISSING'",
    "Capital": "invalid backend name: expected lower-case letters",
    "ending": "`/../x.py` is not a valid file name suffix",
    "hangs": f"import timed out after {LIMIT} seconds",
    "signals": "ValueError: signal only works in main thread of the main interpreter",
    "uncallable": "`emit` is not callable",
    "exit": "the package exits (`SystemExit`)",
    "import": "ModuleNotFoundError: No module named 'module_that_is_not_there'",
    "raises": "RuntimeError: first line",
    "renamed": "the entry point is named `renamed`, but the backend `another`",
    "syntax": "syntax error in ",
    "torch": "inception-dsl and inception-dsl-broken both provide a backend `torch`; uninstall one",
    "type": "`inception_dsl_broken:TYPE` is not a Backend but of type str",
}


def test_broken_backends_are_listed_with_their_reason(broken: Run) -> None:
    done = broken("backends", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    for name, reason in REASONS.items():
        assert reason in rows[name]["error"], name
        assert "inception-dsl-broken" in rows[name]["error"]
        assert "\n" not in rows[name]["error"]
    assert (
        rows["keras"]["error"]
        == rows["text"]["error"]
        == rows["nothing"]["error"]
        == rows["loud"]["error"]
        == ""
    )
    assert "Traceback" not in done.stderr
    assert "imported, loudly" in done.stderr, "and not on standard output, which is JSON"


@pytest.mark.parametrize("name", sorted(REASONS))
def test_a_broken_backend_given_by_name_is_one_error(
    broken: Run, root: Path, tmp_path: Path, name: str
) -> None:
    done = broken(
        "build", str(root / "specs" / "v0.yaml"), "--backend", name, "--out", str(tmp_path)
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error[E502]: cannot load the backend `{name}`: ")
    assert f"--> --backend {name}:1:1" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("fails", "KeyError: 'a"),
        ("leaves", "exits"),
        ("nothing", "returned no files"),
        ("empty", "returned no files"),
        ("plain_text", "ValueError: dictionary update sequence"),
        ("list", "ValueError: dictionary update sequence"),
        ("number", "returned neither text nor bytes for `v0.py`"),
        ("stem", "returned a file with the invalid name `other.py`"),
        ("first", "returned `v0_more.py` first, expected `v0.py`"),
        ("suffix", "returned `v0.txt` first, expected `v0.py`"),
        ("beside", "returned a file with the invalid name `weights.bin`"),
        ("path", "returned a file with the invalid name `v0/../../x.py`"),
        ("backslash", "returned a file with the invalid name `v0\\x.py`"),
        ("absolute", "returned a file with the invalid name `/tmp/v0.py`"),
        ("control", "returned a file with the invalid name `v0\\x1b[31m\\n`"),
        ("key", "returned a file with the invalid name `7`"),
        ("half", "returned half a surrogate pair in line 2 of `v0.py`, which is no text"),
    ],
)
def test_a_backend_that_fails_is_one_error(
    broken: Run, root: Path, tmp_path: Path, name: str, reason: str
) -> None:
    done = broken(
        "build", str(root / "specs" / "v0.yaml"), "--backend", name, "--out", str(tmp_path)
    )
    assert done.returncode == 1
    assert "error[E502]" in done.stderr
    assert reason in done.stderr
    assert "inception-dsl-broken" in done.stderr
    assert "\x1b" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_backend_may_give_several_files(broken: Run, root: Path, tmp_path: Path) -> None:
    """Texts and bytes as they are; all of them are up to date, or none is written."""
    call = (
        "build",
        str(root / "specs" / "v0.yaml"),
        "--backend",
        "several",
        "--out",
        str(tmp_path),
    )
    done = broken(*call)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "several"
    names = ["v0.py", "v0-a.b.bin", "v0_c"]
    assert done.stdout.split() == [str(folder / name) for name in names]
    assert [(folder / name).read_bytes() for name in names] == [b"x = 1\n", b"\0\xff", b""]
    assert broken(*call, "--check").returncode == 0
    (folder / "v0-a.b.bin").write_bytes(b"\0\xfe")
    changed = broken(*call, "--check")
    assert changed.returncode == 1
    assert "v0-a.b.bin is not up to date" in changed.stderr
    (folder / "v0_c").unlink()
    refused = broken(*call)
    assert refused.returncode == 1
    assert "E603" in refused.stderr and "v0-a.b.bin" in refused.stderr
    assert not (folder / "v0_c").exists()
    assert broken(*call, "--force").returncode == 0
    assert [(folder / name).read_bytes() for name in names] == [b"x = 1\n", b"\0\xff", b""]


def test_the_first_file_may_be_bytes(broken: Run, root: Path, tmp_path: Path) -> None:
    call = ("build", str(root / "specs" / "v0.yaml"), "--backend", "bytes", "--out", str(tmp_path))
    done = broken(*call)
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/bytes/v0.pb\n"), done.stderr
    assert (tmp_path / "bytes" / "v0.pb").read_bytes() == b"\0\xff\r\n"
    assert broken(*call, "--check").returncode == 0


def test_what_a_backend_prints_goes_to_standard_error(
    broken: Run, root: Path, tmp_path: Path
) -> None:
    done = broken(
        "build", str(root / "specs" / "v0.yaml"), "--backend", "loud", "--out", str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path}/loud/v0.py\n"
    assert done.stderr == "imported, loudly\nemitted, loudly\n"


def test_broken_backends_break_no_other(broken: Run, root: Path, tmp_path: Path) -> None:
    spec = str(root / "specs" / "v0.yaml")
    done = broken("build", spec, "--backend", "text", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert [p.name for p in tmp_path.iterdir()] == ["text"]
    assert broken("summary", spec).returncode == 0


def test_all_backends_leaves_out_what_does_not_load(
    text: Run, broken: Run, root: Path, tmp_path: Path
) -> None:
    spec = str(root / "specs" / "v0.yaml")
    done = text("build", spec, "--all-backends", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["keras", "text", "torch"]
    again = broken("build", spec, "--out", str(tmp_path / "other"))
    for name in REASONS:
        assert f"warning: skipped the backend `{name}`: " in again.stderr
