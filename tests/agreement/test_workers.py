"""The processes of `verify`: shared by jobs, replaced after a failure, ended with the command."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from inception_dsl.backend import Engine
from inception_dsl.diagnostics.report import Report
from inception_dsl.plugins import chosen
from inception_dsl.verify import workers
from inception_dsl.verify.run import Plan, targets_of, verify, verify_all
from inception_dsl.verify.table import table, to_dict
from inception_dsl.verify.workers import Job, Workers, _Worker

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

    def counted(worker: _Worker, environment: dict[str, str], runner: str) -> None:
        create(worker, environment, runner)
        found.append(worker.process.pid)

    monkeypatch.setattr(_Worker, "__init__", counted)
    return found


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def state_and_group(pid: int) -> tuple[str, int]:
    """The state of a process (``Z``: it has ended) and its group."""
    state, _, found = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:3]
    return state, int(found)


def running(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return state_and_group(pid)[0] != "Z"
    return False


def group(leader: int) -> bool:
    """Whether a process of the group still runs."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit():
                state, found = state_and_group(int(entry.name))
                if found == leader and state != "Z":
                    return True
    return False


def job_in(folder: Path, timeout: float = 60) -> Job:
    return Job("torch", {}, folder.parent, folder, timeout)


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
    with closing(Workers()) as pool:
        for filters in ("2", "5"):
            spec = tmp_path / f"net{filters}.yaml"
            spec.write_text(SPEC.replace("FILTERS", filters), encoding="utf-8")
            found = verify(spec, {}, plan, Report(), workers=pool)
            assert found is not None
            assert found.ok
        assert len(started) == 1
        assert alive(started[0])
    assert not alive(started[0])


def test_a_training_step_that_is_not_compared_is_named(tmp_path: Path) -> None:
    """On an engine that is not exact in float64, and only if a training step was asked for."""
    ((_, backend),) = chosen(["torch"], Report())
    engines = (Engine("first"), Engine("second", exact=False))
    targets = targets_of(backend._replace(engines=engines))
    spec = tmp_path / "net.yaml"
    spec.write_text(SPEC.replace("FILTERS", "2"), encoding="utf-8")
    with closing(Workers()) as pool:
        for train in (True, False):
            plan = Plan(targets, ("float64",), train=train)
            found = verify(spec, {}, plan, Report(), workers=pool)
            assert found is not None
            assert found.ok
            lines = [line for line in table(found).split("\n") if "no training step" in line]
            notes = [outcome["note"] for outcome in to_dict(found)["outcomes"]]
            assert bool(lines) == any(notes) == train
            assert notes[0] == ""
            assert [line.split()[0] for line in lines] == ["torch:second"] * train


def test_the_next_spec_begins_while_the_frameworks_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A spec with errors is left out; its neighbours are not."""
    ((_, backend),) = chosen(["torch"], Report())
    specs = [tmp_path / f"net{number}.yaml" for number in range(4)]
    for number, spec in enumerate(specs):
        spec.write_text(SPEC.replace("FILTERS", "2" if number != 1 else "two"), encoding="utf-8")
    steps: list[str] = []
    report = Report()
    found = verify_all(specs, {}, Plan(targets_of(backend)), report, steps.append)
    agree = [one and one.ok for one in found]
    assert agree == [True, None, True, True]
    assert [d.code for d in report.diagnostics] == ["E203"]
    told = [step.removeprefix(f"{tmp_path}/net").replace(".yaml", "") for step in steps]
    first = ["0: reference", "1: reference", "0: torch float64", "2: reference", "3: reference"]
    assert told == [*first, "2: torch float64", "3: torch float64"]


def test_a_job_of_another_target_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than a second process of a target that runs already."""
    monkeypatch.setattr(workers, "SERVE", "import time; time.sleep(600)")
    with closing(Workers()) as pool:
        jobs = [job_in(bad_job(tmp_path / str(number))) for number in range(3)]
        jobs[2].target = "keras"
        pool._waiting = jobs[:2]
        pool.submit(jobs[2])
        assert [job.worker is not None for job in jobs] == [True, False, True]


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
    with closing(Workers()) as pool:
        for number in range(2):
            ended = pool.result(pool.submit(job_in(bad_job(tmp_path / str(number)))))
            assert ended.found is None
            assert (ended.status, "none.yaml" in ended.reason) == ("failed", True), ended
        assert len(set(started)) == 2
        assert not alive(started[0])


def test_a_process_that_is_ready_gets_the_first_job(tmp_path: Path, started: list[int]) -> None:
    """It has imported its runner; an import that fails is left to the job."""
    with closing(Workers()) as pool:
        for _ in range(2):
            pool.ready("torch", {}, "no_such_runner")
        assert len(started) == 1
        ended = pool.result(pool.submit(job_in(bad_job(tmp_path / "0"))))
        assert (ended.status, "none.yaml" in ended.reason) == ("failed", True), ended
        assert len(started) == 1


IMPORTING = """
import sys
from inception_dsl.verify.worker import serve
serve(sys.argv[1])
print("json.tool" in sys.modules)
sys.exit("over")
"""


def test_a_process_imports_its_runner_before_its_first_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "SERVE", IMPORTING)
    worker = _Worker({"PYTHONPATH": os.pathsep.join(sys.path)}, "json.tool")
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    assert worker.ending() == "exited with status 1: over"
    worker.log.seek(0)
    assert b"True" in worker.log.read()
    worker.end()


def test_an_invalid_spec_starts_no_process(tmp_path: Path, started: list[int]) -> None:
    ((_, backend),) = chosen(["torch"], Report())
    report = Report()
    assert verify(tmp_path / "none.yaml", {}, Plan(targets_of(backend)), report) is None
    assert not report.ok
    assert not started


def test_the_reference_leaves_cores_to_the_frameworks(tmp_path: Path) -> None:
    """NumPy reads the limit when it is imported; a limit of the user stays."""
    code = (
        "import os, sys; from inception_dsl.cli import main\n"
        "try: main(['verify', 'none.yaml'])\n"
        "finally: print('numpy' in sys.modules, os.environ['OPENBLAS_NUM_THREADS'])"
    )
    most = str(max(1, (os.cpu_count() or 1) // workers.AT_ONCE))
    for given, limit in (({}, most), ({"OPENBLAS_NUM_THREADS": "7"}, "7")):
        kept = {k: v for k, v in os.environ.items() if k not in workers.threads()}
        call = [sys.executable, "-c", code]
        kept |= given | {"PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            call, env=kept, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.stdout.split() == ["True", limit], done.stderr


def test_closing_ends_what_runs_and_drops_what_waits(
    tmp_path: Path, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "SERVE", "import time; time.sleep(600)")
    with closing(Workers()) as pool:
        for number in range(6):
            pool.submit(job_in(bad_job(tmp_path / str(number))))
        left = time.monotonic()
    assert time.monotonic() - left < 10
    assert len(started) == workers.AT_ONCE
    assert not any(alive(pid) for pid in started)


ANSWER = """
import json, os, sys, time
def answer():
    folder = json.loads(sys.stdin.readline())[1]
    with open(folder + "/written", "w") as file:
        file.write('{"status": "ok"}')
    os.replace(folder + "/written", folder + "/result.json")
"""


@pytest.mark.parametrize(
    ("serve", "status", "reason"),
    [
        ("time.sleep(600)", "hung", "no result after 1 seconds"),
        ("os.close(0); os.close(1); os.close(2); time.sleep(600)", "hung", "no result"),
        ("os.fork() or time.sleep(600)", "failed", "exited with status 0: no output"),
        ("os.fork() and time.sleep(600)", "hung", "no result"),
        ("sys.exit('why')", "failed", "exited with status 1: why"),
        ("os._exit(0)", "failed", "exited with status 0"),
        ("os.kill(os.getpid(), 11)", "failed", "terminated by signal SIGSEGV"),
        ("os.kill(os.getpid(), 37)", "failed", "terminated by signal 37"),
        ("print('x' * 10**6, file=sys.stderr); print('done'); sys.exit('why')", "failed", ": why"),
        ("print('done'); answer(); answer()", "", ""),
    ],
)
def test_processes_that_behave_badly(
    serve: str,
    status: str,
    reason: str,
    tmp_path: Path,
    started: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every job ends in time, and the next has a process; what a process started ends with it."""
    monkeypatch.setattr(workers, "SERVE", ANSWER + serve)
    with closing(Workers()) as pool:
        for number in range(2):
            ended = pool.result(pool.submit(job_in(bad_job(tmp_path / str(number)), 1)))
            assert (ended.status, reason in ended.reason) == (status, True), ended
            assert ended.seconds < 5
            assert (ended.found is None) == bool(status)
    assert len(started) == (2 if status else 1)
    assert not any(group(pid) for pid in started)


def test_a_process_that_died_after_its_job(
    tmp_path: Path, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "SERVE", ANSWER + "answer()")
    with closing(Workers()) as pool:
        for number in range(2):
            assert pool.result(pool.submit(job_in(bad_job(tmp_path / str(number))))).found
            while running(started[-1]):
                time.sleep(0.01)
    assert len(started) == 2


def test_a_spec_that_a_backend_cannot_emit(tmp_path: Path) -> None:
    """The reason has the location and the help, in one line."""
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "network: torch\ninput: {channels: 3, height: 8, width: 8}\n"
        "body: [{op: conv, filters: 4, kernel_size: 1}]\n"
    )
    plan = Plan([t for _, b in chosen(["torch"], Report()) for t in targets_of(b)])
    ((outcome,),) = [one.outcomes for one in [verify(spec, {}, plan, Report())] if one]
    assert outcome.status == "failed" and outcome.reason.startswith("error[E503]: ")
    assert f"({spec}:1:10); give the network another name" in outcome.reason
