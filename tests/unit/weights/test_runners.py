"""Errors of frameworks that are unknown, broken or not installed; their output is not shown."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import fake_backends
import pytest
from click.testing import CliRunner, Result

from inception_dsl import plugins
from inception_dsl.cli import main
from inception_dsl.ir.typed import TypedProgram

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installs the fake backends in addition to the real ones."""
    names = ["plain", "lacking", "crashing", "raising", "noisy", "half", "full", "old", "absent"]
    points = [EntryPoint(name, f"fake_backends:{name.upper()}", plugins.GROUP) for name in names]
    found = [plugins.Plugin(point.name, "fakes", "1", point.value, point) for point in points]
    real = plugins.installed()
    monkeypatch.setattr(plugins, "installed", lambda: (*real, *found))


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("tourch", "E501", "unknown format `tourch`\n  --> --from tourch:1:1"),
        ("tourch", "E501", "help: did you mean `torch`?"),
        ("neutrall", "E501", "help: did you mean `neutral`?"),
        ("Keras", "E501", "help: did you mean `keras`?"),
        ("", "E501", "unknown format ``"),
        (
            "plain",
            "E704",
            "the backend `plain` has no weight files, because it cannot run models",
        ),
        (
            "lacking",
            "E705",
            "cannot import Lacking: ModuleNotFoundError: No module named "
            "'a_framework_that_nobody_has'",
        ),
        ("lacking", "E705", "help: install Lacking"),
        ("crashing", "E706", "cannot import Crashing: RuntimeError: no such device"),
        ("old", "E502", "cannot load the backend `old`: fakes: written for version 0"),
        ("absent", "E502", "cannot load the backend `absent`: fakes: AttributeError"),
        ("raising", "E706", "Raising failed: RuntimeError: no accelerator\n"),
    ],
)
def test_a_backend_that_fails_to_load_or_run(
    run: Run,
    small: TypedProgram,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    code: str,
    expected: str,
) -> None:
    monkeypatch.setattr(fake_backends, "behaviour", name)
    (tmp_path / "a.fake").write_text("")
    before = sorted(tmp_path.iterdir())
    for option in ("--from", "--to"):
        source, target = (
            ("a.fake", "b.safetensors") if option == "--from" else ("small.safetensors", "b.fake")
        )
        result = run("weights", "convert", "small.yaml", source, target, option, name)
        assert result.exit_code == 1
        assert f"error[{code}]" in result.stderr
        assert expected.replace("--from", option) in result.stderr
        assert result.stderr.endswith("\n1 error\n")
        assert result.stdout == ""
        assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "half",
            "error[E601]: b.fake cannot be written: Half: RuntimeError: the format has no "
            "such layer",
        ),
        ("full", "error[E601]: b.fake cannot be written: No space left on device"),
    ],
)
def test_a_framework_that_fails_while_it_writes(
    run: Run,
    small: TypedProgram,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    expected: str,
) -> None:
    monkeypatch.setattr(fake_backends, "behaviour", name)
    (tmp_path / "b.fake").write_text("old")
    before = sorted(tmp_path.iterdir())
    result = run("weights", "convert", "small.yaml", "small.safetensors", "b.fake", "--to", name)
    assert result.exit_code == 1
    assert expected in result.stderr
    assert (tmp_path / "b.fake").read_text() == "old"
    assert sorted(tmp_path.iterdir()) == before


def test_the_output_of_a_framework_is_discarded(
    run: Run,
    small: TypedProgram,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(fake_backends, "behaviour", "noisy")
    result = run("weights", "convert", "small.yaml", "small.safetensors", "b.fake", "--to", "noisy")
    assert result.output == "b.fake: 13 weights, 1,176 parameters, float32\n"
    assert run("weights", "check", "small.yaml", "b.fake", "--from", "noisy").output.endswith(
        "ok\n"
    )
    assert capfd.readouterr() == ("", "")
    print("after")
    assert capfd.readouterr().out == "after\n"


@pytest.mark.parametrize("error", [TypeError, KeyError, AttributeError])
@pytest.mark.parametrize("own", [True, False])
def test_an_exception_in_a_runner(
    error: type[Exception],
    own: bool,
    run: Run,
    small: TypedProgram,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An internal error if it is raised in the runner of this package, else the framework's."""
    from inception_dsl_torch import runner

    source = "def fail(*_):\n    raise fault('x')\n"
    made: dict[str, object] = {"__name__": runner.__name__ if own else "torch.nn", "fault": error}
    exec(source, made)
    monkeypatch.setattr(runner, "create", made["fail"])
    words = ["convert", "small.yaml", "small.safetensors", "new.safetensors", "--to", "torch"]
    result = CliRunner().invoke(main, ["weights", *words])
    assert result.exit_code == (3 if own else 1)
    assert result.stderr.startswith(
        f"internal error: {error.__name__}" if own else "error[E706]: PyTorch failed: "
    )
    assert not Path("new.safetensors").exists()


def test_differences_that_a_framework_reports(
    run: Run, small: TypedProgram, tmp_path: Path
) -> None:
    (tmp_path / "a.fake").write_text("bad")
    result = run("weights", "check", "small.yaml", "a.fake", "--from", "noisy")
    assert result.exit_code == 1
    assert "error[E702]: a.fake does not fit `small` in Noisy: 2 differences\n" in result.stderr
    assert "  = a is missing\n  = b is unknown\n" in result.stderr


def test_real_frameworks_in_one_process_print_nothing(
    root: Path, small: TypedProgram, tmp_path: Path
) -> None:
    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        words = [
            sys.executable,
            "-m",
            "inception_dsl",
            "weights",
            "convert",
            "small.yaml",
            *arguments,
        ]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)

    first = command("small.safetensors", "a.weights.h5", "--to", "keras")
    assert (first.returncode, first.stderr) == (0, "")
    done = command("a.weights.h5", "b.safetensors", "--from", "keras", "--to", "torch")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "b.safetensors: 13 weights, 1,176 parameters, float32\n"


@pytest.mark.parametrize("package", ["numpy", "safetensors"])
def test_a_missing_package(tmp_path: Path, small: TypedProgram, package: str) -> None:
    for words in (
        ["init", "small.yaml"],
        ["inspect", "x"],
        ["check", "small.yaml", "x"],
        ["convert", "small.yaml", "x", "y"],
    ):
        code = f"""
import sys
sys.modules[{package!r}] = None
from inception_dsl.cli import main
main({["weights", *words]!r}, prog_name="inception-dsl")
"""
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert f"error[E705]: cannot import the package `{package}`" in done.stderr
        assert "help: pip install 'inception-dsl[weights]'" in done.stderr
        assert "Traceback" not in done.stderr


def test_other_commands_work_without_numpy(root: Path) -> None:
    code = """
import sys
sys.modules["numpy"] = sys.modules["safetensors"] = None
from inception_dsl.cli import main
assert not main(["summary", "specs/v0.yaml"], standalone_mode=False)
main(["weights", "--help"], standalone_mode=False)
"""
    subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True)
