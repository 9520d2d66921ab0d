"""The Python API."""

from __future__ import annotations

import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import inception_dsl
from inception_dsl import plugins
from inception_dsl.backend import Backend, Files, Report, Request, TypedProgram

TEXT = (
    "network: net\n"
    "input: {channels: 3, height: 8, width: 8}\n"
    "body: [{op: conv, filters: 4, kernel_size: 3}]\n"
)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a backend that returns a main file and further files."""

    def fake(text: str | bytes, suffix: str = ".py", **more: str | bytes) -> None:
        def emit(typed: TypedProgram, request: Request, report: Report) -> Files:
            beside = {f"{request.name}_{name}": content for name, content in more.items()}
            return {f"{request.name}{suffix}": text, **beside}

        plugin = plugins.Plugin("fake", "fake-dist", "1", "fake:BACKEND", None)
        backend = Backend(name="fake", title="Fake", emit=emit, suffix=suffix)
        monkeypatch.setattr(plugins, "installed", lambda: (plugin,))
        monkeypatch.setattr(plugins, "load", lambda *_: backend)

    return fake


def test_load(write: Callable[..., Path]) -> None:
    network = inception_dsl.load(write(TEXT), classes=7, **{"body.0.filters": 9})
    assert network.name == "net"
    assert repr(network) == "<Network net on 8x8x3>"
    assert network.summary().to_dict()["outputs"] == {"output": [8, 8, 9]}
    assert "multiply-adds" in str(network.summary())
    assert inception_dsl.load(write(TEXT), input="16x16x3").typed.program.input.shape == (16, 16, 3)
    assert inception_dsl.load(str(write(TEXT)), input={"height": 9}).typed.program.input.shape == (
        9,
        8,
        3,
    )


def test_errors_are_one_exception(write: Callable[..., Path]) -> None:
    with pytest.raises(
        inception_dsl.SpecError, match=r"error\[E201\]: unknown field `filtres`"
    ) as error:
        inception_dsl.load(write(TEXT.replace("filters", "filtres")))
    assert [d.code for d in error.value.diagnostics] == ["E201"]
    with pytest.raises(inception_dsl.SpecError, match="E203"):
        inception_dsl.load(write(TEXT), classes="7")
    with pytest.raises(inception_dsl.SpecError, match="E101"):
        inception_dsl.load("not there.yaml")
    with pytest.raises(inception_dsl.SpecError, match="E501"):
        inception_dsl.load(write(TEXT)).source("nothing")


def test_source(write: Callable[..., Path]) -> None:
    assert "class" in inception_dsl.load(write(TEXT)).source("torch")
    assert "keras" in inception_dsl.load(write(TEXT)).source("keras")


def test_files(write: Callable[..., Path], fake: Callable[..., None]) -> None:
    """All files of a backend, the main file first."""
    fake("x = 1\n", weights=b"\0\1", about="what it is\n")
    network = inception_dsl.load(write(TEXT))
    files = network.files("fake")
    assert list(files.items()) == [
        ("net.py", "x = 1\n"),
        ("net_weights", b"\0\1"),
        ("net_about", "what it is\n"),
    ]
    assert network.source("fake") == "x = 1\n"
    assert network.module("fake").x == 1
    with pytest.raises(inception_dsl.SpecError, match="E501"):
        network.files("nothing")


def test_binary_files_are_not_source(write: Callable[..., Path], fake: Callable[..., None]) -> None:
    fake(b"\0graph", suffix=".bin")
    network = inception_dsl.load(write(TEXT))
    assert network.files("fake") == {"net.bin": b"\0graph"}
    for take in (network.source, network.module):
        with pytest.raises(ValueError, match=r"net\.bin is not a text file"):
            take("fake")


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_the_shipped_backends_give_one_file(write: Callable[..., Path], backend: str) -> None:
    network = inception_dsl.load(write(TEXT))
    assert network.files(backend) == {"net.py": network.source(backend)}


def test_module(write: Callable[..., Path], fake: Callable[..., None]) -> None:
    fake(
        "import dataclasses\n"
        "\n"
        "@dataclasses.dataclass\n"
        "class Thing:\n"
        "    x: int\n"
        "\n"
        "def fail():\n"
        "    raise OSError('here')\n"
    )
    network = inception_dsl.load(write(TEXT))
    first: Any = network.module("fake")
    second: Any = network.module("fake")
    assert isinstance(first, ModuleType)
    assert first.Thing(1).x == 1
    assert first is not second
    assert sys.modules[first.__name__] is first
    with pytest.raises(OSError, match="here") as error:
        first.fail()
    assert "raise OSError('here')" in "".join(traceback.format_exception(error.value)), (
        "tracebacks show the source"
    )


def test_a_module_that_fails_is_removed(
    write: Callable[..., Path], fake: Callable[..., None]
) -> None:
    fake("raise OSError('at import')\n")
    before = set(sys.modules)
    with pytest.raises(OSError, match="at import"):
        inception_dsl.load(write(TEXT)).module("fake")
    assert set(sys.modules) == before


def test_importing_the_package_is_cheap() -> None:
    code = (
        "import inception_dsl, "
        "sys; print(sorted(m for m in sys.modules if m.partition('.')[0] in ('pydantic', "
        "'yaml', 'click', 'jinja2')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert {"load", "Network", "SpecError", "__version__"} <= set(dir(inception_dsl))
    with pytest.raises(AttributeError):
        _ = inception_dsl.nothing
