"""The processes of `verify`: shared by jobs, replaced after a failure, ended with the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from inception_dsl.diagnostics.report import Report
from inception_dsl.plugins import chosen
from inception_dsl.verify.run import Plan, targets_of, verify
from inception_dsl.verify.workers import Ended, Workers, _Worker

SPEC = """\
network: net
input: {channels: 3, height: 8, width: 9}
body: [{op: conv, filters: FILTERS, kernel_size: 3}]
"""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that were started."""
    found: list[int] = []
    create = _Worker.__init__

    def counted(worker: _Worker, environment: dict[str, str]) -> None:
        create(worker, environment)
        found.append(worker.process.pid)

    monkeypatch.setattr(_Worker, "__init__", counted)
    return found


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def bad_job(folder: Path) -> Path:
    """The folder of a job whose spec is missing."""
    folder.mkdir()
    job = {
        "spec": str(folder / "none.yaml"),
        "settings": {},
        "source_settings": {},
        "backend": "torch",
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return folder


def test_specs_share_one_process_of_each_target(tmp_path: Path, started: list[int]) -> None:
    ((_, backend),) = chosen(["torch"], Report())
    plan = Plan(targets_of(backend), train=True)
    with closing(Workers()) as workers:
        for filters in ("2", "5"):
            spec = tmp_path / f"net{filters}.yaml"
            spec.write_text(SPEC.replace("FILTERS", filters), encoding="utf-8")
            found = verify(spec, {}, plan, Report(), workers=workers)
            assert found is not None
            assert found.ok
        assert len(started) == 1
        assert alive(started[0])
    assert not alive(started[0])


def test_files_of_the_current_folder_are_not_imported(tmp_path: Path) -> None:
    """As in the process that starts them: `python -P`, or the command that pip installs."""
    (tmp_path / "net.yaml").write_text(SPEC.replace("FILTERS", "2"), encoding="utf-8")
    for name in ("json", "random", "torch", "inception_dsl"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong file')\n")
    call = [sys.executable, "-P", "-c", "from inception_dsl.cli import main; main()"]
    call += ["verify", "net.yaml", "-b", "torch"]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "agrees" in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_failed_job_ends_its_process(tmp_path: Path, started: list[int]) -> None:
    with closing(Workers()) as workers:
        for number in range(2):
            job = workers.submit("torch", {}, tmp_path, bad_job(tmp_path / str(number)), 60)
            ended = job.result()
            assert ended.found is None
            assert (ended.status, "none.yaml" in ended.reason) == ("failed", True), ended
        assert len(set(started)) == 2
        assert not alive(started[0])


def test_leaving_ends_what_runs_and_drops_what_waits(tmp_path: Path, started: list[int]) -> None:
    """As an interrupt does: nothing is waited for."""
    with closing(Workers()) as workers:
        folders = [bad_job(tmp_path / str(number)) for number in range(6)]
        for folder in folders:  # a job that never ends: its description is a pipe without a writer
            (folder / "job.json").unlink()
            os.mkfifo(folder / "job.json")
        jobs = [workers.submit("torch", {}, tmp_path, folder, 600) for folder in folders]
        while len(started) < 2:
            time.sleep(0.01)
        left = time.monotonic()
    assert time.monotonic() - left < 10
    assert not any(alive(pid) for pid in started)
    assert len(started) == 2
    assert all(job.cancelled() or job.result().status == "failed" for job in jobs)


def test_a_job_that_hangs_is_stopped(tmp_path: Path, started: list[int]) -> None:
    folder = bad_job(tmp_path / "0")
    (folder / "job.json").unlink()
    os.mkfifo(folder / "job.json")
    with closing(Workers()) as workers:
        ended = workers.submit("torch", {}, tmp_path, folder, 0.5).result()
        assert ended._replace(seconds=0) == Ended(None, "hung", "no result after 0.5 seconds")
        assert not alive(started[0])
