"""Runs of PyTorch training scripts by several processes."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from script_runs import PLAIN, RECIPE, apart, built, exactly, refused
from scripts import NETWORK, command, digits

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return digits(tmp_path_factory.mktemp("data") / "digits.npz")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, data: Path) -> tuple[Path, Path]:
    """A script without batch norm and dropout, and the folder of its run in one process."""
    folder = tmp_path_factory.mktemp("alone")
    text = PLAIN.replace("  - {op: dropout, rate: 0.25}\n", "")
    script = built(folder, {**RECIPE, "epochs": 3}, text)
    exactly(script, 1, "--data", str(data), "--out", str(folder / "1"))
    return script, folder / "1"


def far(out: Path, other: Path) -> float:
    """The largest difference of weights, slots, averages and of the losses in the log."""
    losses = [
        np.array([float(row.split(",")[1]) for row in (o / "log.csv").read_text().split()[1:]])
        for o in (out, other)
    ]
    return max(apart(out, other), float(np.abs(losses[0] / losses[1] - 1).max()))


def test_two_processes_are_one_with_the_whole_batch(
    alone: tuple[Path, Path], data: Path, tmp_path: Path
) -> None:
    """Without batch norm; the average has gradients of all."""
    script, whole = alone
    exactly(script, 2, "--data", str(data), "--out", str(tmp_path))
    assert far(tmp_path, whole) < 1e-10


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("waits = args.world > 1 and not last", "waits = args.world > 1"),
        ("(part / args.accumulate).backward()", "(part / args.world).backward()"),
        ("DistributedDataParallel(network) if args.world > 1 else network", "network"),
        ("(found / args.world)", "found"),
        ("(part * args.world + args.rank) * size", "(part * args.world) * size"),
    ],
    ids=["no mean", "the mean twice", "no processes", "the sum of losses", "the same images"],
)
def test_a_defect_of_the_mean_over_processes_is_found(
    right: str, wrong: str, alone: tuple[Path, Path], data: Path, tmp_path: Path
) -> None:
    script, whole = alone
    text = script.read_text(encoding="utf-8")
    assert right in text
    shutil.copytree(script.parent, tmp_path / "made")
    changed = tmp_path / "made" / script.name
    changed.write_text(text.replace(right, wrong), encoding="utf-8")
    exactly(changed, 2, "--data", str(data), "--out", str(tmp_path / "2"))
    assert far(tmp_path / "2", whole) > 1e-6


def test_batch_norm_is_that_of_each_part(tmp_path: Path, data: Path) -> None:
    """Two processes normalize by halves of the batch, as one does in two parts."""
    text = NETWORK.replace("  - {op: dropout, rate: 0.25}\n", "")
    script = built(tmp_path, {**RECIPE, "epochs": 3}, text)
    arguments = ("--data", str(data), "--out")
    exactly(script, 2, *arguments, str(tmp_path / "processes"))
    exactly(script, 1, *arguments, str(tmp_path / "parts"), "--accumulate", "2")
    exactly(script, 1, *arguments, str(tmp_path / "one"))
    assert apart(tmp_path / "processes", tmp_path / "parts") < 1e-10
    assert apart(tmp_path / "processes", tmp_path / "one") > 1e-4


def test_a_process_that_is_missing(alone: tuple[Path, Path], data: Path, tmp_path: Path) -> None:
    environment = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
    environment["MASTER_PORT"] = str(random.Random().randrange(20000, 40000))
    call = command(alone[0], "--data", str(data), "--out", str(tmp_path), "--timeout", "3")
    line = refused(call, env=environment)
    assert line == "error: process 1 of 2 has not started"
