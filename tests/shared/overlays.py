"""A spec to extend, and the layers of the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from inception_dsl.analysis.cost import layers
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram

BASE = """\
network: base
input: {channels: 3, height: 32, width: 32}
classes: 10
params: {width: {type: int, default: 8}}
defaults: {conv: {use_bias: false}}
body:
  - {op: conv, name: first, filters: $width, kernel_size: 3}
  - {op: max_pool, kernel_size: 2, stride: 2}
  - {use: tower, filters: 4}
blocks:
  tower: {params: {filters: int}, steps: [{op: conv, filters: $filters, kernel_size: 1}]}
head: [{op: global_avg_pool}, {op: dense, units: $classes}]
"""


def ops(typed: TypedProgram) -> list[str]:
    return [f"{layer.op}:{layer.y.channels}" for layer in layers(typed)]


Change = Callable[..., TypedProgram]


def compiled(spec: Path, **settings: str) -> TypedProgram:
    """The typed program of a spec without errors."""
    report = Report()
    typed = compile_spec(spec, settings, report)
    assert typed is not None, report.render()
    return typed


def changing(write: Callable[..., Path], base: str) -> Change:
    """Compiles an overlay, with settings, of a spec."""

    def changed(text: str, **settings: str) -> TypedProgram:
        write(base, "base.yaml")
        return compiled(write(f"extends: base.yaml\n{text}", "over.yaml"), **settings)

    return changed
