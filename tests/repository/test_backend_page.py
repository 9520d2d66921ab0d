"""docs/backends.md: its tables are the classes, its examples are backends that work."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import typing
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from documents import blocks, text_of
from paths import ROOT

from inception_dsl import backend, plugins
from inception_dsl.analysis import cost
from inception_dsl.backend import Backend, Report, Request, TypedProgram, walk_program
from inception_dsl.compiler import compile_spec
from inception_dsl.emit.mark import state
from inception_dsl.ir import program, recipe, sections, typed
from inception_dsl.language.shipped import names
from inception_dsl.testing.cases import all_cases
from inception_dsl.types import tensor, weight, width

PAGE = "docs/backends.md"
MODULES = (typed, program, recipe, sections, tensor, weight, width, cost)
TABLE = re.compile(
    r"^\*\*`(\w+)`\*\*: .*\n\n\| field \| type \| \|\n\|---\|---\|---\|\n((?:\|.*\n)+)",
    re.MULTILINE,
)
ROW = re.compile(r"^\| `(\w+)` \| `(.+?)` \| .*\|$", re.MULTILINE)
TOWER = """\
network: net
input: {channels: 2, length: 8}
blocks:
  tower:
    params: {n: int, growth: int}
    steps:
      - {op: conv, filters: "${in_channels + growth}", kernel_size: 3, repeat: $n}
      - {op: scale, value: 0.5}
body: [{use: tower, n: 3, growth: 4}]
"""


def tables() -> dict[str, dict[str, str]]:
    """The fields and their types in each table of the page."""
    found = {}
    for name, rows in TABLE.findall(text_of(PAGE)):
        pairs = ROW.findall(rows)
        assert len(pairs) == rows.count("\n"), name
        found[name] = {field: kind.replace("\\|", "|") for field, kind in pairs}
    return found


def members(kind: type) -> dict[str, str]:
    """The public fields and properties of a class, with their types as they are written."""
    found = {
        name: value.__forward_arg__ if isinstance(value, typing.ForwardRef) else str(value)
        for name, value in kind.__annotations__.items()
    }
    for name, value in vars(kind).items():
        if isinstance(value, property | cached_property) and not name.startswith("_"):
            function: Any = value.fget if isinstance(value, property) else value.func
            found[name] = function.__annotations__["return"]
    return {name: text.replace('"', "'") for name, text in found.items()}


def named(name: str) -> Any:
    """What the modules call so; ``None`` if they do not."""
    return next((getattr(module, name) for module in MODULES if hasattr(module, name)), None)


@pytest.mark.parametrize("name", sorted(tables()))
def test_a_table_is_the_class(name: str) -> None:
    assert tables()[name] == members(named(name))


START = ("TypedProgram", "TypedOp", "TypedFork", "TypedUse", "OpNode", "ForkNode", "UseNode")
"""The classes of nodes are behind aliases: ``Typed``, ``Node``, ``Chain``."""
ELSEWHERE = {"Document", "Op", "Prose", "Naming"}
"""Classes that a backend does not read field by field, or that the text describes."""


def test_every_class_that_can_be_reached_has_a_table() -> None:
    """From the program and what the functions give, through all types of fields."""
    known, seen = tables(), set[str]()
    pending = [*START, "Layer", "Cost"]
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            words = re.findall(r"\b[A-Z]\w+", " ".join(members(named(name)).values()))
            own = [w for w in {*words} - ELSEWHERE if isinstance(named(w), type)]
            pending += [w for w in own if named(w).__module__.startswith("inception_dsl")]
    assert seen == {*known}


def test_the_signature_of_a_backend() -> None:
    defaults = Backend._field_defaults
    fields = [f"{n}={defaults[n]!r}" if n in defaults else n for n in Backend._fields]
    assert f"`Backend({', '.join(fields)})`".replace("'", '"') in text_of(PAGE)
    assert all(f"`{name}`" in text_of(PAGE) for name in {*Backend._fields} - {"api_version"})


def test_every_function_is_public() -> None:
    part = text_of(PAGE).partition("## The typed program")[2].partition("**`TypedProgram`**")[0]
    called = set(re.findall(r"`(?:\w+\()?(\w+)\(", part)) - {"list"}
    assert len(called) > 8
    assert called <= {*backend.__all__, "emit"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ModuleType]]:
    """The packages of the page's examples."""
    folder = tmp_path_factory.mktemp("packages")
    listed = [b.text for b in blocks("python", PAGE) if "BACKEND = Backend(" in b.text]
    sys.path.insert(0, str(folder))
    found = {}
    for text in listed:
        (name,) = re.findall(r'BACKEND = Backend\(name="(\w+)"', text)
        (folder / f"inception_dsl_{name}.py").write_text(text, encoding="utf-8")
        found[name] = importlib.import_module(f"inception_dsl_{name}")
    yield found
    sys.path.remove(str(folder))
    for name in found:
        del sys.modules[f"inception_dsl_{name}"]


def emitted(made: Backend, program: TypedProgram) -> str:
    """The file of a backend, through the checks of the compiler."""
    plugin = plugins.Plugin(made.name, "of-the-page", "1", "x:BACKEND", None)
    report = Report()
    files = plugins.emit(plugin, made, program, report, "net")
    assert files is not None, report.render()
    (content,) = files.values()
    assert isinstance(content, str)
    return content


def compiled(spec: str | Path) -> TypedProgram:
    report = Report()
    found = compile_spec(spec, {}, report)
    assert found is not None, report.render()
    return found


NETWORKS = [name for name in names() if not name.startswith("blocks/")]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_table_backend(packages: dict[str, ModuleType], name: str) -> None:
    program = compiled(name)
    text = emitted(packages["table"].BACKEND, program)
    assert state(text) == "sealed"
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(list(cost.layers(program)))
    assert f"{cost.cost(list(cost.layers(program))).total:,} parameters" in text
    shown = next(b.text for b in blocks("markdown", PAGE))
    assert (shown in text) == (name == "v0")


def test_the_table_backend_writes_every_op(packages: dict[str, ModuleType], tmp_path: Path) -> None:
    for sample in all_cases()[::7]:
        path = tmp_path / "spec.yaml"
        text = f"network: n\ninput: {sample.input}\nbody: [{sample.steps}]\n"
        path.write_text(text, encoding="utf-8")
        assert emitted(packages["table"].BACKEND, compiled(path))


def test_the_table_backend_escapes(packages: dict[str, ModuleType], tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(f"title: '*a* | <b> -->'\n{TOWER}", encoding="utf-8")
    text = emitted(packages["table"].BACKEND, compiled(path))
    assert r"# \*a\* \| \<b\> --\>" in text


def test_the_outline_backend(packages: dict[str, ModuleType], tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(TOWER.replace("body:", "stem:"), encoding="utf-8")
    text = emitted(packages["outline"].BACKEND, compiled(path))
    shown = next(b.text for b in blocks("", PAGE) if b.text.startswith("tower("))
    definition, _, use = shown.partition("steps:\n")
    assert definition in text and use in text


def test_the_call_without_an_installation(
    packages: dict[str, ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    (text,) = (b.text for b in blocks("python", PAGE) if "from inception_dsl.compiler" in b.text)
    exec(compile(text, PAGE, "exec"), {})
    assert "42,711,400 parameters" in capsys.readouterr().out
    assert packages["table"].BACKEND.emit(compiled("v0"), Request("v0"), Report()).keys() == {
        "v0.md"
    }


def test_the_packages_of_the_page() -> None:
    """Each example has a ``pyproject.toml`` that announces it."""
    announced = [
        re.findall(r'^(\w+) = "(\w+):BACKEND"$', b.text, re.MULTILINE) for b in blocks("toml", PAGE)
    ]
    assert announced == [[(n, f"inception_dsl_{n}")] for n in ("table", "outline")]
    assert (ROOT / PAGE).stat().st_size < 60_000


def test_the_forms_of_padding(tmp_path: Path) -> None:
    """Each row of the table is what a backend sees."""
    rows = re.findall(
        r"^\| (.*)`(.+?)`.* \| `(.+?)` \| (.+?) \| .* \|$", text_of(PAGE), re.MULTILINE
    )
    rows = [row for row in rows if row[3].startswith(('`"same"`', "`("))]
    assert len(rows) == 5
    for _, written, seen, windows in rows:
        step = f"{{op: conv, filters: 2, kernel_size: 3, padding: {written}}}"
        (tmp_path / "net.yaml").write_text(
            f"network: net\ninput: {{channels: 2, height: 8, width: 8}}\nbody: [{step}]\n"
        )
        compiled = compile_spec(tmp_path / "net.yaml", {}, Report())
        assert compiled is not None
        ((_, node),) = walk_program(compiled)
        assert node.op.padding == ast.literal_eval(seen)
        wanted = [ast.literal_eval(text) for text in re.findall("`(.+?)`", windows)]
        assert [window.padding for window in node.op.windows(2)] == (wanted * 2)[:2]
