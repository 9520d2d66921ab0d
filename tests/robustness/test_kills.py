"""Builds that are killed at random moments, and eight parallel builds."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builds import SPEC, build, contents

KILLS = 12  # more with the environment variable KILLS=200


def run(*arguments: str, **more: str) -> subprocess.Popen[bytes]:
    call = [sys.executable, "-c", "from inception_dsl.cli import main; main()", "build", *arguments]
    env = {**os.environ, **more, "PYTHONHASHSEED": "0"}
    return subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)


def texts(folder: Path, specs: list[str], filters: str) -> dict[str, bytes]:
    """The files of a build with ``filters``, in a separate folder."""
    out = folder / f"expected_{filters}"
    assert build(*specs, "--set", f"body.0.filters={filters}", "--out", str(out)).exit_code == 0
    return contents(out)


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_builds_that_are_killed(folder: Path, number: int) -> None:
    """Each file is complete, in its old or new version, whenever the build is killed."""
    specs = []
    for name in ("net", "a", "b", "c"):
        (folder / f"{name}.yaml").write_text(SPEC.format(name=name, n=4))
        specs.append(f"{name}.yaml")
    versions = [texts(folder, specs, "5"), texts(folder, specs, "6")]
    assert build(*specs, "--set", "body.0.filters=5").exit_code == 0
    out, rng = folder / "generated", random.Random(number)
    started = time.monotonic()
    assert run(*specs, "--set", "body.0.filters=6").wait() == 0
    whole = time.monotonic() - started
    for turn in range(int(os.environ.get("KILLS", KILLS))):
        process = run(*specs, "--set", f"body.0.filters={5 + turn % 2}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(whole * rng.uniform(0.5, 1.1))
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        found = {n: t for n, t in contents(out).items() if "/.tmp-" not in n}
        assert found.keys() == versions[0].keys(), "no file is missing"
        assert all(
            text in (versions[0][name], versions[1][name]) for name, text in found.items()
        ), "every file is complete"
        if number != signal.SIGKILL and process.returncode > 0:
            assert contents(out).keys() == found.keys(), "an interrupt leaves no temporary file"
            assert b"Error" not in errors, errors
    assert build(*specs, "--set", "body.0.filters=6").exit_code == 0
    assert contents(out) == versions[1], "no temporary file is left"


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_eight_parallel_builds_that_are_killed(folder: Path) -> None:
    specs = ["net.yaml", "a.yaml"]
    (folder / "a.yaml").write_text(SPEC.format(name="a", n=4))
    versions = [texts(folder, specs, str(n)) for n in (5, 6)]
    assert build(*specs, "--set", "body.0.filters=5").exit_code == 0
    out, rng = folder / "generated", random.Random(8)
    started = time.monotonic()
    for process in [run(*specs, "--set", f"body.0.filters={5 + i % 2}") for i in range(8)]:
        process.communicate(timeout=120)
    whole = time.monotonic() - started
    for _ in range(max(1, int(os.environ.get("KILLS", KILLS)) // 8)):
        processes = [run(*specs, "--set", f"body.0.filters={5 + i % 2}") for i in range(8)]
        started = time.monotonic()
        for moment, process in sorted(
            ((whole * rng.uniform(0.3, 1.0), p) for p in processes), key=lambda pair: pair[0]
        ):
            time.sleep(max(0.0, moment - (time.monotonic() - started)))
            process.kill()
        for process in processes:
            process.communicate(timeout=120)
        found = {n: t for n, t in contents(out).items() if "/.tmp-" not in n}
        assert found.keys() == versions[0].keys(), "no file is missing"
        assert all(
            text in (versions[0][name], versions[1][name]) for name, text in found.items()
        ), "every file is complete"
    assert build(*specs, "--set", "body.0.filters=6").exit_code == 0
    assert contents(out) == versions[1], "no temporary file is left"


def test_eight_parallel_builds(folder: Path) -> None:
    specs = ["net.yaml"]
    versions = [texts(folder, specs, str(n)) for n in (5, 6)]
    processes = [run(*specs, "--set", f"body.0.filters={5 + i % 2}") for i in range(8)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
    found = contents(folder / "generated")
    assert found.keys() == versions[0].keys()
    assert all(text in (versions[0][name], versions[1][name]) for name, text in found.items())
