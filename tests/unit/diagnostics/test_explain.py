"""Every explanation: the wrong example reports exactly its code, the right example nothing."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inception_dsl import plugins
from inception_dsl.analysis import infer, steps
from inception_dsl.cli import main
from inception_dsl.diagnostics.codes import CODES
from inception_dsl.diagnostics.explain.explanations import (
    PLAIN,
    Explanation,
    explanations,
    is_command,
)
from inception_dsl.passes import budget
from inception_dsl.yaml import source


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(line: str) -> Result:
    program, *arguments = shlex.split(line)
    assert program == "inception-dsl"
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code != 3, result.output
    return result


def try_out(example: str) -> Result:
    """The result of the last line of an example; all other lines must succeed."""
    if not is_command(example):
        Path("my_net.yaml").write_text(example, encoding="utf-8")
        return run("inception-dsl check my_net.yaml --format json")
    result = None
    for line in example.splitlines():
        assert result is None or result.exit_code == 0
        if line.startswith("inception-dsl "):
            result = run(f"{line} --format json")
    assert result is not None
    return result


def prepare(explanation: Explanation) -> None:
    for name, text in {"my_net.yaml": PLAIN, **explanation.files}.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    for line in explanation.before:
        assert run(line).exit_code == 0


@contextmanager
def broken_backend() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        installed = plugins.installed()
        point = metadata.EntryPoint("broken", "no_such_module:BACKEND", plugins.GROUP)
        more = plugins.Plugin(
            "broken", "inception-dsl-broken", "1", "no_such_module:BACKEND", point
        )
        patch.setattr(plugins, "installed", lambda: (more, *installed))
        yield


@contextmanager
def edited_file() -> Iterator[None]:
    data = Path("my_net.safetensors").read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    digest = header["__metadata__"]["digest"]
    other = data[:8] + data[8:].replace(digest.encode(), digest[::-1].encode())
    Path("edited.safetensors").write_bytes(other)
    yield


@contextmanager
def missing_package() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "safetensors", None)
        yield


@contextmanager
def failing_framework() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        from inception_dsl.weights import convert

        found = convert.importlib.import_module

        def load(name: str, package: str | None = None) -> object:
            if name.startswith("inception_dsl_keras"):
                raise RuntimeError("no device")
            return found(name, package)

        patch.setattr(convert.importlib, "import_module", load)
        yield


SETUPS: dict[str, Callable[[], object]] = {  # errors in the environment, not in the spec
    "E502": broken_backend,
    "E703": edited_file,
    "E705": missing_package,
    "E706": failing_framework,
}


def test_every_code_is_explained_in_order() -> None:
    assert list(explanations()) == list(CODES)


def test_explanations_name_the_actual_limits() -> None:
    text = (source.MAX_NODES, source.MAX_ENTRIES, source.MAX_KEYS, source.MAX_DEPTH)
    size = (infer.MAX_LAYERS, infer.MAX_DIFFERENT, steps.MAX_NESTING)
    printed = (
        f"{budget.MAX_STEPS:,} steps",
        f"{budget.MAX_SOURCE:,} characters",
    )
    for code, limits in (("E106", text), ("E309", (*size, *printed))):
        why = " ".join(explanations()[code].why.split())
        assert [w for w in limits if (w if isinstance(w, str) else f"{w:,}") not in why] == []


@pytest.mark.parametrize("code", CODES)
def test_the_wrong_example_reports_exactly_its_code(code: str) -> None:
    explanation = explanations()[code]
    prepare(explanation)
    setup = SETUPS.get(code)
    if setup is None:
        result = try_out(explanation.wrong)
    else:
        with setup():  # type: ignore[attr-defined]
            result = try_out(explanation.wrong)
    assert result.exit_code == (1 if code.startswith("E") else 0), result.output
    text = result.stderr or result.stdout
    assert {found["code"] for found in json.loads(text)} == {code}, text


@pytest.mark.parametrize("code", CODES)
def test_the_right_example_reports_nothing(code: str) -> None:
    explanation = explanations()[code]
    prepare(explanation)
    result = try_out(explanation.right)
    assert result.exit_code == 0, result.output
    if not is_command(explanation.right):
        assert json.loads(result.stdout) == [], "no warnings either"


@pytest.mark.parametrize("code", CODES)
def test_explain_prints_a_code(code: str) -> None:
    result = CliRunner().invoke(main, ["explain", code.lower()])
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{code}: {CODES[code]}\n\n")
    assert "\nWrong:\n\n    " in result.stdout
    assert "\nRight:\n\n    " in result.stdout
    assert all(line.isprintable() for line in result.stdout.splitlines())
    assert len(explanations()[code].why) <= 300


def test_explain_without_a_code_lists_all_codes() -> None:
    lines = CliRunner().invoke(main, ["explain"]).stdout.splitlines()
    assert lines == [f"{code}  {meaning}" for code, meaning in CODES.items()]


def test_an_unknown_code_gets_a_suggestion() -> None:
    result = CliRunner().invoke(main, ["explain", "E420"])
    assert result.exit_code == 2
    assert "`E420`" in result.stderr
    assert "did you mean `E4" in result.stderr
    assert "\x1b" not in CliRunner().invoke(main, ["explain", "\x1b"]).output
