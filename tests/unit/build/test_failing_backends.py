"""A backend of another package that fails: its line in the message, its traceback with --debug."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inception_dsl import plugins
from inception_dsl.cli import main

SPEC = "network: net\ninput: {channels: 3, length: 8}\nbody: [{op: identity}]\n"
START = """\
from inception_dsl.backend import Backend, comment, literal, plan


def emit(typed, request, report):
    {}


BACKEND = Backend(name="mine", title="Mine", emit=emit, suffix=".txt")
"""
Failing = Callable[..., Result]


@pytest.fixture
def failing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[..., Path]
) -> Iterator[Failing]:
    """Builds with an installed backend whose ``emit`` has this body; or whose module is this."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def failing(body: str = "", *options: str, module: str = "", spec: str = "") -> Result:
        text = module or START.format(textwrap.indent(body, "    ").lstrip())
        (tmp_path / "the_backend.py").write_text(text)
        point = metadata.EntryPoint("mine", "the_backend:BACKEND", plugins.GROUP)
        plugin = plugins.Plugin("mine", "of-an-author", "1", point.value, point)
        monkeypatch.setattr(plugins, "installed", lambda: (plugin,))
        call = [*options, "build", spec or str(write(SPEC)), "-b", "mine"]
        return CliRunner().invoke(main, call)

    yield failing
    sys.modules.pop("the_backend", None)


@pytest.mark.parametrize(
    ("body", "line", "code"),
    [
        ("return {}[request.name]", 5, "return {}[request.name]"),
        ("found = plan(typed)\nliteral(found)", 6, "literal(found)"),
        ("found = 1\nreturn comment(3, found)", 6, "return comment(3, found)"),
        ("f'{typed.program.about.title}'", 5, "f'{typed.program.about.title}'"),
        ("raise SystemExit('bye')", 5, "raise SystemExit('bye')"),
        ("typed.program.blocks.clear()", 5, "typed.program.blocks.clear()"),
        ("typed.values['n'] = 1", 5, "typed.values['n'] = 1"),
        ("def inner():\n    1 / 0\ninner()", 6, "1 / 0"),
    ],
)
def test_the_line_of_the_author(failing: Failing, body: str, line: int, code: str) -> None:
    """Also where the exception is raised in a function of the compiler that the author calls."""
    result = failing(body)
    assert result.exit_code == 1
    assert result.stderr.startswith("error[E502]: the backend `mine` failed: of-an-author: ")
    assert f"(the_backend, line {line})" in result.stderr
    assert "Traceback" not in result.stderr
    assert "= help: `inception-dsl --debug ...` prints the traceback" in result.stderr
    result = failing(body, "--debug")
    assert result.exit_code == 1
    assert "Traceback (most recent call last):" in result.stderr
    lines = [text.strip() for text in result.stderr.splitlines()]
    place = next(i for i, text in enumerate(lines) if f'the_backend.py", line {line}, in' in text)
    assert lines[place + 1] == code
    assert "error[E502]" in result.stderr


def test_a_package_that_cannot_be_imported(failing: Failing) -> None:
    result = failing(module="x = 1\nimport_of = undefined_name\n")
    assert result.exit_code == 1 and "Traceback" not in result.stderr
    assert "cannot load the backend `mine`: of-an-author: NameError" in result.stderr
    result = failing("", "--debug", module="x = 1\nimport_of = undefined_name\n")
    assert 'the_backend.py", line 2, in <module>' in result.stderr
    assert "import_of = undefined_name" in result.stderr


def test_the_program_is_read_only(failing: Failing) -> None:
    """What a backend could change for the next one: every mapping below the typed program."""
    body = """\
import dataclasses
from inception_dsl.yaml.document import Document

def search(value, path):
    if isinstance(value, (dict, list, set)):
        found.append(path)
    if isinstance(value, Document) or id(value) in seen:
        return
    seen.add(id(value))
    if dataclasses.is_dataclass(value):
        parts = [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)]
    elif hasattr(value, 'items'):
        parts = value.items()
    elif isinstance(value, tuple):
        parts = enumerate(value)
    else:
        parts = ()
    for name, part in parts:
        search(part, f'{path}.{name}')

found, seen = [], set()
search(typed, 'typed')
return {f'{request.name}.txt': ' '.join(found) or 'none'}"""
    for spec in ("v4", "v3", "published/torchvision_googlenet"):
        result = failing(body, spec=spec)
        assert result.exit_code == 0, result.output
        assert Path(f"generated/mine/{Path(spec).name}.txt").read_text() == "none", spec


@pytest.mark.parametrize("text", ["def (:\n", "x = '\\0'\0\n", "\ufffe = 1\n"])
def test_a_file_that_is_not_python(failing: Failing, text: str) -> None:
    module = START.format(f"return {{request.name + '.py': {text!r}}}").replace(".txt", ".py")
    result = failing(module=module)
    assert result.exit_code == 1
    problem = "the backend `mine` returned a file that is not valid Python: spec.py:1: "
    assert f"error[E502]: {problem}" in result.stderr, result.stderr
    assert not Path("generated").exists()


def test_what_is_no_exception_has_no_traceback(failing: Failing) -> None:
    result = failing("return {'other.txt': 'x'}", "--debug")
    assert (result.exit_code, "E502" in result.stderr) == (1, True)
    assert "Traceback" not in result.stderr and "--debug" not in result.stderr
