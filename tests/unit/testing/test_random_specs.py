"""The generator of random specs: deterministic, valid, and with every feature of the language."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inception_dsl.backend import Report, TypedFork, TypedOp, TypedProgram, TypedUse
from inception_dsl.compiler import compile_spec
from inception_dsl.ir.walk import walk_program
from inception_dsl.ops import OPS, Activation, Blocks, ChannelShuffle, Crop
from inception_dsl.testing.random_policies import POLICIES
from inception_dsl.testing.random_shapes import Misfit, Shape
from inception_dsl.testing.random_sizes import Book
from inception_dsl.testing.random_specs import MAIN, RandomSpec, random_spec

SEEDS = range(900)


def compiled(spec: RandomSpec) -> tuple[TypedProgram | None, Report]:
    report = Report()
    with TemporaryDirectory() as folder:
        for name, text in spec.files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        return compile_spec(Path(folder) / MAIN, {}, report), report


@cache
def programs() -> list[TypedProgram]:
    found = []
    for seed in SEEDS:
        typed, report = compiled(random_spec(seed))
        assert typed is not None, f"seed {seed}: {report.render()}"
        found.append(typed)
    return found


def nodes() -> list[Any]:
    return [node for typed in programs() for _, node in walk_program(typed)]


@given(st.integers(0, 2**63))
@settings(max_examples=200, deadline=None)
def test_every_seed_is_a_valid_spec(seed: int) -> None:
    spec = random_spec(seed)
    typed, report = compiled(spec)
    assert typed is not None, f"{spec.text}\n{report.render()}"
    assert report.ok  # warnings are allowed
    assert min(min(x.shape) for x in typed.program.inputs.values()) >= 1


def test_spec_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "from inception_dsl.testing.random_specs import random_spec; print([random_spec(s) "
        "for s in range(40)])"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(texts) == 1
    assert len({random_spec(seed).text for seed in SEEDS}) == len(SEEDS)


def test_every_policy_occurs() -> None:
    drawn = Counter(random_spec(seed).policy for seed in SEEDS)
    assert drawn.keys() == {policy.name for policy in POLICIES}


def test_every_op_and_merge_occurs() -> None:
    found = Counter(node.op.op for node in nodes() if isinstance(node, TypedOp))
    assert found.keys() == OPS.keys()
    merges = Counter(node.node.merge for node in nodes() if isinstance(node, TypedFork))
    assert merges.keys() == {"concat", "add", "multiply"}
    assert min(merges.values()) > 50


def test_every_way_to_move_values_occurs() -> None:
    """Each with a number that does something."""
    found = Counter[tuple[object, ...]]()
    for node in nodes():
        op = node.op if isinstance(node, TypedOp) else None
        if isinstance(op, Blocks) and op.block_size > 1:
            found[op.op, op.order] += 1
            found[op.op, node.x.rank] += 1
        elif isinstance(op, ChannelShuffle) and 1 < op.groups < node.x.channels:
            found["shuffle", node.x.rank] += 1
        elif isinstance(op, Crop) and any(map(any, op.cuts(node.x.rank))):
            found["crop", node.x.rank] += 1
        elif isinstance(op, Activation) and op.parts is not None:
            found["parts", node.x.rank > 0] += 1
    kinds = ("space_to_depth", "depth_to_space")
    wanted = [(kind, order) for kind in kinds for order in ("channels_last", "channels_first")]
    wanted += [(kind, rank) for kind in (*kinds, "shuffle", "crop") for rank in (1, 2)]
    wanted += [("parts", True)]
    assert {kind: found[kind] for kind in wanted if found[kind] < 3} == {}


def corners(node: TypedOp) -> dict[str, bool]:
    """The edge cases that the windows of an op have, by name."""
    op, windows = node.op, node.op.windows(node.x.rank)  # type: ignore[attr-defined]
    sized = list(zip(windows, map(int, node.x.spatial), strict=True))  # type: ignore[arg-type]
    return {
        "asymmetric kernel": len({w.kernel for w in windows}) > 1,
        "even kernel": any(w.kernel % 2 == 0 for w in windows),
        "strides that differ": len({w.stride for w in windows}) > 1,
        "stride 2 on an even size": any(w.stride == 2 and not n % 2 for w, n in sized),
        "stride 2 on an odd size": any(w.stride == 2 and n % 2 for w, n in sized),
        "stride larger than the kernel": any(w.stride > w.kernel for w in windows),
        "same": op.padding == "same",
        "valid": op.padding == "valid",
        "pixels": isinstance(op.padding, int) and op.padding > 0,
        "asymmetric padding": any(
            w.padding != "same" and w.padding[0] != w.padding[1] for w in windows
        ),
        "kernel larger than the map": any(w.extent > n for w, n in sized),
        "one pixel": all(n == 1 for _, n in sized),
    }


def corners_of_convolutions(node: TypedOp) -> dict[str, bool]:
    op, windows = node.op, node.op.windows(node.x.rank)  # type: ignore[attr-defined]
    grouped = getattr(op, "groups", 1) > 1
    return {
        "dilation": any(w.dilation > 1 for w in windows),
        "dilation with a stride": any(w.dilation > 1 and w.stride > 1 for w in windows),
        "groups": grouped,
        "depth multiplier": getattr(op, "depth_multiplier", 1) > 1,
        "groups and other filters": grouped and op.filters != node.x.channels,
    }


def corners_of_pools(node: TypedOp) -> dict[str, bool]:
    op = node.op
    return {
        "ceil_mode": op.ceil_mode,
        "counted padding": getattr(op, "count_include_pad", False) and op.padding != "valid",
        "padding not counted": op.op == "avg_pool" and not op.count_include_pad,
    }


def test_every_edge_case_of_windows_occurs() -> None:
    seen = Counter[str]()
    for node in nodes():
        if not isinstance(node, TypedOp) or not hasattr(node.op, "windows"):
            continue
        pool = node.op.op.endswith("pool")
        kind = "pool" if pool else "conv"
        more = corners_of_pools(node) if pool else corners_of_convolutions(node)
        found = {**corners(node), **more}
        seen[f"{kind} of {node.x.rank} axes"] += 1
        seen.update(f"{kind}: {corner}" for corner, there in found.items() if there)
        for corner in found:
            seen.setdefault(f"{kind}: {corner}", 0)
    for rank in (1, 2, 3):
        assert seen[f"conv of {rank} axes"] > 50
        assert seen[f"pool of {rank} axes"] > 10
    assert {corner: n for corner, n in seen.items() if n < 3} == {}


def features(spec: RandomSpec, typed: TypedProgram) -> dict[str, bool]:
    """The features of the language that a spec uses, by name."""
    program, found = typed.program, [node for _, node in walk_program(typed)]
    forks = [n for n in found if isinstance(n, TypedFork)]
    branches = [(f, b) for f in forks for _, b in f.branches]
    inner = [s.runs[0].typed for _, b in branches for s in b.steps if s.runs]
    return {
        "network": program.kind == "network",
        "block": program.kind == "block",
        "axes that differ": len(set(program.input.spatial)) > 1,
        "a pixel": program.input.positions() == 1,
        "nested fork": any(isinstance(m, TypedFork) for m in inner),
        "residual with scale": any(isinstance(m, TypedOp) and m.op.op == "scale" for m in inner),
        "empty branch": any(not b.steps for _, b in branches),
        "earlier output": any(f.node.after for f in forks),
        "left out": any(not s.runs for _, b in branches for s in b.steps),
        "other values in repetitions": "each: {" in spec.text,
        "repeat": "repeat:" in spec.text,
        "parameter": bool(program.values),
        "arguments": any(isinstance(n, TypedUse) and n.arguments for n in found),
        "expression": "${" in spec.text,
        "defaults": "\ndefaults:" in spec.text,
        "import": "import:" in spec.text,
        "extends": "extends:" in spec.text,
        "auxiliary head": bool(program.heads),
        "two heads": len(program.heads) > 1,
        "further output": bool(program.outputs),
        "label smoothing": bool(program.training and program.training.label_smoothing),
        "shared layer": any(isinstance(n, TypedOp) and n.node.shares for n in found),
        "shared use": any(isinstance(n, TypedUse) and n.node.shares for n in found),
        "shared in a fork": any(m.node.shares for m in inner if not isinstance(m, TypedFork)),
        "shared in a chain": bool(re.search(r"weights: \w+,? ?[}r]", spec.text)),
        "shared and repeated": any(
            isinstance(n, TypedOp | TypedUse) and n.node.shares and n.node.repeat != 1
            for n in found
        ),
        "several inputs": program.several,
        "vector as an input": program.several and min(x.rank for x in program.inputs.values()) == 0,
        "vector in a fork": any(not b.y.rank and f.y.rank for f, b in branches),
    }


def test_every_feature_of_the_language_occurs() -> None:
    seen = Counter[str]()
    for seed, typed in zip(SEEDS, programs(), strict=True):
        for name, there in features(random_spec(seed), typed).items():
            seen[name] += there
    assert len(seen) == 29
    assert min(seen.values()) >= 3, seen


@pytest.mark.parametrize(
    ("size", "kernel", "drawn"),
    [(4, 4, True), (4, 5, False), (4, 6, True), (5, 7, False), (5, 8, True), (3, 4, True)],
)
def test_no_average_pool_has_a_gradient_that_tensorflow_gets_wrong(
    size: int, kernel: int, drawn: bool
) -> None:
    """Its window is larger than the map, and the first one does not cover all of it."""
    step = {"op": "avg_pool", "kernel_size": kernel, "padding": "same"}
    for shape in (Shape((size,), 2), Shape((size, 9), 2), Shape((9, size), 2)):
        with contextlib.nullcontext() if drawn else pytest.raises(Misfit):
            Book({}, {}).after(step, shape, {})


def test_inputs_of_different_sizes_come_without_shared_weights() -> None:
    """Keras code has one size for some shared layers, and refuses others."""
    found = 0
    for seed, typed in zip(SEEDS, programs(), strict=True):
        maps = {x.spatial for x in typed.program.inputs.values() if x.rank}
        if len(maps) > 1:
            found += 1
            assert "weights:" not in random_spec(seed).text
    assert found > 10
