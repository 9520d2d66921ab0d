"""The commands: output, files and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import inception_dsl
from inception_dsl.cli import main

Run = Callable[..., Result]
GOOD = (
    "network: good\n"
    "input: {channels: 3, height: 8, width: 8}\n"
    "body: [{op: conv, filters: 4, kernel_size: 3}]\n"
)
BAD = (
    "network: bad\n"
    "input: {channels: 3, height: 8, width: 8}\n"
    "body: [{op: conv, filtres: 4, kernel_size: 3}]\n"
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(main, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit), (
            result.exception
        )
        assert result.exit_code != 3, result.output
        return result

    return run


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_version_and_help(run: Run) -> None:
    assert run("--version").output == f"inception-dsl {inception_dsl.__version__}\n"
    for command in ("build", "check", "summary", "backends", "schema", "ops", "new"):
        assert command in run("--help").output
        assert run(command, "--help").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["build"],
        ["check"],
        ["summary"],
        ["nothing"],
        ["build", "a.yaml", "--nothing"],
        ["build", "a.yaml", "--backend", "torch", "--all-backends"],
        ["summary", "a.yaml", "--set", "classes"],
        ["summary", "a.yaml", "--set", "=1"],
        ["summary", "a.yaml", "--set", "a=1", "--set", "a=2"],
        ["summary", "a.yaml", "b.yaml"],
        ["ops", "convv"],
        ["new"],
        ["new", "Not-a-name"],
        ["new", "class"],
    ],
)
def test_usage_errors_exit_with_2(run: Run, arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_build_writes_a_file_for_each_backend(
    run: Run, write: Callable[..., Path], tmp_path: Path
) -> None:
    write(GOOD, "good.yaml")
    result = run("build", "good.yaml")
    assert result.exit_code == 0, result.output
    assert {"generated/keras/good.py", "generated/torch/good.py"} <= set(files(tmp_path))
    assert (
        "generated/torch/good.py (unchanged)"
        in run("build", "good.yaml", "--backend", "torch").output
    )
    assert not [name for name in files(tmp_path) if name.endswith(".tmp")]


def test_build_is_all_or_nothing(run: Run, write: Callable[..., Path], tmp_path: Path) -> None:
    write(GOOD, "good.yaml")
    write(BAD, "bad.yaml")
    result = run("build", "good.yaml", "bad.yaml", "missing.yaml", "--backend", "torch")
    assert result.exit_code == 1
    assert files(tmp_path) == ["bad.yaml", "good.yaml"]
    assert "bad.yaml:3:19" in result.stderr
    assert "error[E101]: no such file: missing.yaml" in result.stderr
    assert result.stderr.endswith("2 errors\n")
    assert result.stdout == ""


def test_check_option_compares_and_writes_nothing(
    run: Run, write: Callable[..., Path], tmp_path: Path
) -> None:
    write(GOOD, "good.yaml")
    missing = run("build", "good.yaml", "--backend", "torch", "--check")
    assert missing.exit_code == 1
    assert "is missing" in missing.stdout
    assert "error[E602]: generated/torch/good.py is not up to date" in missing.stderr
    assert files(tmp_path) == ["good.yaml"]
    assert run("build", "good.yaml", "--backend", "torch").exit_code == 0
    assert run("build", "good.yaml", "--backend", "torch", "--check").exit_code == 0
    path = tmp_path / "generated/torch/good.py"
    path.write_text(path.read_text() + "# changed\n")
    changed = run("build", "good.yaml", "--backend", "torch", "--check")
    assert changed.exit_code == 1
    assert "-# changed\n" in changed.stdout
    assert "# changed" in path.read_text()


def test_out_and_set(run: Run, write: Callable[..., Path], tmp_path: Path) -> None:
    write(GOOD, "good.yaml")
    result = run(
        "build",
        "good.yaml",
        "--backend",
        "torch",
        "--out",
        "a/b",
        "--set",
        "body.0.filters=7",
        "--input",
        "9x9x2",
    )
    assert result.exit_code == 0, result.output
    assert "a/b/torch/good.py" in files(tmp_path)
    assert "9x9x7" in (tmp_path / "a/b/torch/good.py").read_text()


@pytest.mark.parametrize(
    ("name", "stem"),
    [("good.yaml", "good"), ("a b.yaml", "good"), ("ü.yml", "good"), ("v1.2.yaml", "good")],
)
def test_the_name_of_the_file(
    run: Run, write: Callable[..., Path], tmp_path: Path, name: str, stem: str
) -> None:
    write(GOOD, name)
    assert run("build", name, "--backend", "torch").exit_code == 0
    assert f"generated/torch/{stem}.py" in files(tmp_path)


def test_two_specs_cannot_share_a_file(run: Run, write: Callable[..., Path]) -> None:
    write(GOOD, "a/good.yaml")
    write(GOOD, "b/good.yaml")
    result = run("build", "a/good.yaml", "b/good.yaml", "--backend", "torch")
    assert result.exit_code == 1
    assert "E601" in result.stderr


def test_an_unknown_backend(run: Run, write: Callable[..., Path]) -> None:
    write(GOOD, "good.yaml")
    write(BAD, "bad.yaml")
    result = run("build", "bad.yaml", "good.yaml", "--backend", "tourch")
    assert result.exit_code == 1
    assert "error[E501]: unknown backend `tourch`\n  --> --backend tourch:1:1" in result.stderr
    assert "help: did you mean `torch`?" in result.stderr
    assert "bad.yaml:3:19" in result.stderr, "all errors in one run"


def test_a_file_that_cannot_be_written(
    run: Run, write: Callable[..., Path], tmp_path: Path
) -> None:
    write(GOOD, "good.yaml")
    (tmp_path / "generated").write_text("in the way")
    result = run("build", "good.yaml", "--backend", "torch")
    assert result.exit_code == 1
    assert "error[E601]: generated/torch/good.py cannot be written" in result.stderr


@pytest.mark.parametrize("command", ["check", "summary", "build"])
def test_files_that_cannot_be_read(run: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.yaml").write_bytes("title: \xe9\n".encode("latin-1"))
    (tmp_path / "empty.yaml").write_bytes(b"")
    for name, code in [
        ("none.yaml", "E101"),
        ("folder", "E101"),
        ("latin.yaml", "E102"),
        ("empty.yaml", "E103"),
    ]:
        result = run(command, name)
        assert result.exit_code == 1
        assert f"error[{code}]" in result.stderr


def test_check(run: Run, write: Callable[..., Path]) -> None:
    write(GOOD, "good.yaml")
    write(BAD, "bad.yaml")
    assert run("check", "good.yaml").output == "good.yaml: ok\n"
    result = run("check", "bad.yaml", "good.yaml")
    assert result.exit_code == 1
    assert result.stdout == "good.yaml: ok\n"
    assert "error[E201]: unknown field `filtres`" in result.stderr


def test_summary(run: Run, write: Callable[..., Path]) -> None:
    write(GOOD, "good.yaml")
    assert "smallest input" in run("summary", "good.yaml").output
    found = json.loads(run("summary", "good.yaml", "--json", "--set", "classes=5").stdout)
    assert found["parameters"] == {
        "total": 112,
        "trainable": 112,
        "non_trainable": 0,
        "auxiliary": 0,
    }
    assert found["outputs"] == {"logits": [8, 8, 4]}


def test_backends(run: Run) -> None:
    names = [row["name"] for row in json.loads(run("backends", "--json").stdout)]
    assert {"keras", "torch"} <= set(names)
    assert "PyTorch" in run("backends").output


def test_schema_and_ops(run: Run) -> None:
    assert json.loads(run("schema").stdout)["$schema"].startswith("http://json-schema.org/draft-07")
    assert "local_response_norm" in run("ops").output
    assert "(required)" in run("ops", "conv").output
    assert "did you mean `conv_bn`?" in run("ops", "convbn").output


def test_new_writes_a_spec_that_builds(run: Run, tmp_path: Path) -> None:
    assert run("new", "my_net").exit_code == 0
    assert run("check", "my_net.yaml").output == "my_net.yaml: ok\n"
    assert run("new", "my_net").exit_code == 2, "nothing is overwritten"
    assert run("new", "other", "--out", "folder").exit_code == 0
    assert run("build", "my_net.yaml", "folder/other.yaml").exit_code == 0
    assert "yaml-language-server" in (tmp_path / "my_net.yaml").read_text()


@pytest.mark.parametrize(
    ("words", "expected"),
    [("build --backend t", "torch"), ("ops conv_", "conv_bn"), ("sum", "summary")],
)
def test_shell_completion(words: str, expected: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from inception_dsl.cli import main; main(prog_name='inception-dsl')",
        ],
        env={
            **os.environ,
            "_INCEPTION_DSL_COMPLETE": "bash_complete",
            "COMP_WORDS": f"inception-dsl {words}",
            "COMP_CWORD": str(len(words.split())),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert expected in done.stdout


def test_the_module_runs(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "inception_dsl", "check", "specs/v4.yaml"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "specs/v4.yaml: ok\n"
