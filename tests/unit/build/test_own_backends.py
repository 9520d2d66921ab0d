"""Errors in the backends of this package, and file names that generated files cannot have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from inception_dsl import plugins
from inception_dsl.backend import Backend
from inception_dsl.cli import main

BODY = "input: {channels: 3, height: 8, width: 8}\nbody: [{op: conv, filters: 2, kernel_size: 1}]\n"


@pytest.mark.parametrize("error", [TypeError, KeyError, AttributeError, RecursionError])
@pytest.mark.parametrize("distribution", ["inception-dsl", "inception-dsl-other"])
def test_an_exception_in_a_backend(
    error: type[Exception],
    distribution: str,
    write: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An internal error if the backend is of this package, else E502, which names its package."""

    def emit(*_: object) -> None:
        raise error("x")

    plugin = plugins.Plugin("fake", distribution, "1", "fake:BACKEND", None)
    monkeypatch.setattr(plugins, "usable", lambda: ([(plugin, Backend("fake", "F", emit))], []))
    spec = write(f"network: net\n{BODY}")
    result = CliRunner().invoke(main, ["build", str(spec), "--out", str(spec.parent / "out")])
    own = distribution == "inception-dsl"
    assert result.exit_code == (3 if own else 1)
    assert result.stderr.startswith(
        f"internal error: {error.__name__}: " if own else "error[E502]: the backend `fake` failed"
    )
    assert not (spec.parent / "out").exists()


TAKEN = ["torch", "numpy", "keras", "tensorflow", "jax", "typing", "collections", "random", "types"]


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("kind", ["network", "block"])
def test_a_network_called_like_a_module(
    name: str, kind: str, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = BODY if kind == "network" else BODY.replace("body:", "steps:")
    spec = write(f"{kind}: {name}\n{steps}", f"{name}.yaml")
    monkeypatch.chdir(spec.parent)
    result = CliRunner().invoke(main, ["build", spec.name, "-b", "keras", "--out", "out"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error[E503]: ")
    assert f"  --> {name}.yaml:1:{len(kind) + 3}\n" in result.stderr
    assert not Path("out").exists()


def test_a_spec_file_called_like_a_module(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = write(f"network: net\n{BODY}", "random.yaml")
    monkeypatch.chdir(spec.parent)
    result = CliRunner().invoke(main, ["build", spec.name, "-b", "torch", "--out", "out"])
    assert result.exit_code == 1
    assert "PyTorch file random.py would hide the module `random`" in result.stderr
    assert "give the file of the spec another name" in result.stderr


@pytest.mark.parametrize("name", ["none", "true", "false", "_none", "no_ne"])
@pytest.mark.parametrize("kind", ["network", "block", "used"])
def test_a_name_that_is_a_keyword_in_another_case(
    name: str, kind: str, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The class is `None_`. Names that start with `_` are errors of `check`."""
    use = f', {{use: "{name}"}}]'
    block = f'network: net\nblocks: {{"{name}": {{steps: [{{op: dense, units: 3}}]}}}}\n'
    texts = {
        "network": f'network: "{name}"\n{BODY}',
        "block": f'block: "{name}"\n{BODY.replace("body:", "steps:")}',
        "used": block + BODY.replace("]", use),
    }
    spec = write(texts[kind], "spec.yaml")
    monkeypatch.chdir(spec.parent)
    result = CliRunner().invoke(main, ["build", spec.name, "--out", "out"])
    if name.startswith("_"):
        assert (result.exit_code, "error[E206]" in result.stderr) == (1, True)
        return
    assert result.exit_code == 0, result.stderr
    files = [path.read_text(encoding="utf-8") for path in Path("out").rglob("*.py")]
    assert len(files) == 2
    for text in files:
        compile(text, "generated", "exec")
