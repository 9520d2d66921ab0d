"""Text from a spec never becomes code: all string fields, 200 payloads, both backends."""

from __future__ import annotations

import ast
import builtins
import copy
import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from frameworks import BACKENDS, emitted
from payloads import (
    CODE,
    FREE,
    PAYLOADS,
    REFUSED,
    SPEC,
    STRICT,
    TAKEN,
    replaced,
    written,
)
from pydantic import BaseModel

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.emit.module import module_from_source
from inception_dsl.language import models, optimizer, parameters, recipe, sections, training
from inception_dsl.language import steps as step_models
from inception_dsl.language.load import load
from inception_dsl.ops import OPS
from inception_dsl.ops.fields.kinds import text, texts
from inception_dsl.ops.fields.refusal import Checked


def sources(spec: Any, folder: Path) -> dict[str, str] | None:
    """The source of both backends, or ``None`` if the spec has errors, all with a location."""
    path = folder / "spec.yaml"
    path.write_text(written(spec), encoding="ascii")
    report = Report()
    typed = compile_spec(path, {}, report)
    if typed is not None:
        return {backend: emitted(backend, typed) for backend in BACKENDS}
    assert not report.ok
    for error in report:
        assert error.span.file == str(path)
        assert error.span.line >= 1
        assert error.span.column >= 1
    assert all(line.isprintable() for line in report.render().split("\n"))
    return None


def injected(shift: int) -> dict[str, Any]:
    """The spec with each free text replaced by a different payload."""
    spec = copy.deepcopy(SPEC)
    for index, path in enumerate(FREE):
        holder: Any = spec
        for part in path[:-1]:
            holder = holder[part]
        payload = TAKEN[(index + shift) % len(TAKEN)]
        holder[path[-1]] = (
            payload.lstrip("$") if path[-1] in ("word", "default") else payload
        )  # arithmetic, if it starts with `$`
    return spec


def shape(source: str) -> str:
    """The syntax tree with empty strings."""
    source.encode("utf-8")
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
        for field in ("id", "name"):
            identifier = str(getattr(node, field, ""))
            assert identifier.isascii()
            assert len(identifier) <= 120
    return ast.dump(tree)


def shapes(folder: Path) -> dict[str, str]:
    found = sources(SPEC, folder)
    assert found is not None
    return {backend: shape(source) for backend, source in found.items()}


def declared(kind: type[BaseModel], name: str) -> str:
    """``Class.field``, with the class that declares the field."""
    owner = next(c for c in kind.__mro__ if name in inspect.get_annotations(c))
    return f"{owner.__name__}.{name}"


def holding(value: Any, place: str = "") -> Iterator[str]:
    """The fields with a text that payloads replace."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from holding(getattr(value, name), declared(type(value), name))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from holding(inner, place)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from holding(inner, place)
    elif str(getattr(value, "plain", value)).startswith("benign"):
        yield place


def test_payloads_cover_all_text_fields(tmp_path: Path) -> None:
    """A new text field in the language must be added to the payload spec."""
    assert len(PAYLOADS) >= 200
    (tmp_path / "spec.yaml").write_text(written(SPEC), encoding="ascii")
    spec = load(tmp_path / "spec.yaml", {}, Report())
    assert spec is not None
    covered = set(holding(spec.model))
    kinds = [
        v
        for m in (models, parameters, sections, training, optimizer, recipe, step_models)
        for v in vars(m).values()
        if isinstance(v, type) and issubclass(v, BaseModel)
    ]
    found = set()
    for kind in (*kinds, *OPS.values()):
        for name, field in kind.model_fields.items():
            metadata = [
                *field.metadata,
                *(m for a in get_args(field.annotation) for m in getattr(a, "__metadata__", ())),
            ]
            if any(
                isinstance(m, Checked) and m.check in (text, texts, parameters.argument)
                for m in metadata
            ):
                found.add(declared(kind, name))
    assert len(found) >= 18
    assert found <= covered, found - covered


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr(builtins, "canary", found, raising=False)
    return found


@pytest.mark.parametrize("part", range(4))
def test_texts_stay_texts(part: int, tmp_path: Path) -> None:
    """Each field gets each payload: all fields at once, with different payloads in each round."""
    benign = shapes(tmp_path)
    for shift in range(part, len(TAKEN), 4):
        found = sources(injected(shift), tmp_path)
        assert found is not None, shift
        for backend, source in found.items():
            assert shape(source) == benign[backend], (shift, backend)


@pytest.mark.parametrize("payload", sorted(REFUSED))
def test_texts_that_files_cannot_store_are_rejected(payload: str, tmp_path: Path) -> None:
    for path in FREE:
        assert sources(replaced(SPEC, path, payload), tmp_path) is None


def test_importing_the_source_runs_no_payload(tmp_path: Path, canary: list[int]) -> None:
    for shift in range(0, len(TAKEN), 5):
        found = sources(injected(shift), tmp_path)
        assert found is not None
        for backend, source in found.items():
            module = module_from_source(source, "injected")
            assert callable(module.Net if backend == "torch" else module.net)
            assert not canary, (shift, backend)
    exec(CODE)
    assert canary, "the payload works"


@pytest.mark.parametrize("part", range(4))
def test_invalid_names_and_words_have_a_location(part: int, tmp_path: Path) -> None:
    """Ids, keys, paths and choices; each field is tested with an eighth of the payloads."""
    every = int(os.environ.get("EVERY", "8"))
    for index, path in enumerate(STRICT):
        for payload in PAYLOADS[index % every :: every] if index % 4 == part else ():
            assert sources(replaced(SPEC, path, payload), tmp_path) is None, (path, payload)
