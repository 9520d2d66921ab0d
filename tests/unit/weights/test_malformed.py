"""Files that are not what they should be: one clear error, exit code 1, no traceback, nothing written or left behind."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from safetensors.numpy import save

from inception_dsl import plugins
from inception_dsl.ir.typed import TypedProgram
from inception_dsl.reference.seeds import seeded

Run = Callable[..., Result]
Change = Callable[[Callable[[dict[str, Any]], Any]], Path]
COMMANDS = {
    "check": ("check", "small.yaml", "bad.safetensors"),
    "convert": ("convert", "small.yaml", "bad.safetensors", "new.safetensors"),
    "replace": ("convert", "small.yaml", "bad.safetensors", "small.safetensors"),
    "torch": ("convert", "small.yaml", "bad.safetensors", "new.safetensors", "--from", "torch"),
}


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def refused(run: Run, folder: Path, *arguments: str, code: str = "E701") -> str:
    """What a command says that must fail and leave everything as it was."""
    before = snapshot(folder)
    result = run("weights", *arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert f"error[{code}]" in result.stderr
    assert "Traceback" not in result.stderr
    assert snapshot(folder) == before
    return result.stderr


def raw(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """A file with any header, whatever it says."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype: str, shape: list[Any], start: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


ONE = entry("F32", [2], 0, 8)
TWICE = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}}'
LIES: dict[str, bytes] = {
    "empty": b"",
    "shorter than a length": b"\0" * 7,
    "no header": raw(b""),
    "a header of 2^60 bytes": raw({}, length=2**60),
    "a header of 2^64-1 bytes": raw({}, length=2**64 - 1),
    "a header longer than the file": raw({"a": ONE}, bytes(8), length=500),
    "a header cut short": raw({"a": ONE}, bytes(8), length=20),
    "bytes left over": raw({"a": ONE}, bytes(9)),
    "a byte too few": raw({"a": ONE}, bytes(7)),
    "overlapping": raw({"a": ONE, "b": entry("F32", [2], 4, 12)}, bytes(12)),
    "the same bytes twice": raw({"a": ONE, "b": ONE}, bytes(8)),
    "a hole": raw({"a": ONE, "b": entry("F32", [2], 12, 20)}, bytes(20)),
    "past the end": raw({"a": entry("F32", [2], 0, 800)}, bytes(8)),
    "far past the end": raw({"a": entry("F32", [2], 2**62, 2**62 + 8)}, bytes(8)),
    "backwards": raw({"a": entry("F32", [2], 8, 0)}, bytes(8)),
    "the size of another type": raw({"a": entry("F64", [2], 0, 8)}, bytes(8)),
    "an unknown type": raw({"a": entry("F31", [2], 0, 8)}, bytes(8)),
    "a shape that overflows": raw({"a": entry("F32", [2**62, 2**62], 0, 8)}, bytes(8)),
    "a negative shape": raw({"a": entry("F32", [-2], 0, 8)}, bytes(8)),
    "a fractional shape": raw({"a": entry("F32", [2.5], 0, 8)}, bytes(8)),
    "seventy axes": raw({"a": entry("F32", [1] * 70, 0, 4)}, bytes(4)),
    "endless but empty": raw({"a": entry("F32", [0, 2**62], 0, 0)}),
    "a name twice": raw(TWICE, bytes(8)),
    "no offsets": raw({"a": {"dtype": "F32", "shape": [2]}}, bytes(8)),
    "metadata that are no text": raw({"__metadata__": {"format": 1}}),
    "metadata that are a list": raw({"__metadata__": ["inception-dsl"]}),
    "a list for a header": raw([1, 2, 3]),
    "nested without end": raw(b'{"a":' * 100_000),
    "lists without end": raw(b"[" * 100_000),
    "not UTF-8": raw(b'{"\xe9": 1}'),
    "text": b"network: small\nbody: [{op: conv}]\n" * 20,
    "zeros": bytes(4096),
    "random": np.random.default_rng(0).bytes(4096),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("case", LIES)
def test_a_file_that_is_not_whole_or_lies(
    run: Run, small: TypedProgram, tmp_path: Path, case: str, command: str
) -> None:
    (tmp_path / "bad.safetensors").write_bytes(LIES[case])
    said = refused(run, tmp_path, *COMMANDS[command], code="E702" if command == "torch" else "E701")
    assert "bad.safetensors" in said
    if command != "torch":
        assert "error[E701]: bad.safetensors is not a whole safetensors file" in said
        assert said.endswith("\n1 error\n")


@pytest.mark.parametrize("case", LIES)
def test_inspect_refuses_it_too(run: Run, tmp_path: Path, case: str) -> None:
    (tmp_path / "bad.safetensors").write_bytes(LIES[case])
    assert "is not a whole safetensors file" in refused(
        run, tmp_path, "inspect", "bad.safetensors", "--json"
    )


def test_a_file_cut_anywhere(run: Run, small: TypedProgram, tmp_path: Path) -> None:
    whole = (tmp_path / "small.safetensors").read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    for size in [
        *range(12),
        header // 2,
        header - 1,
        header,
        header + 1,
        *range(header + 2, len(whole), 97),
    ]:
        (tmp_path / "bad.safetensors").write_bytes(whole[:size])
        said = refused(run, tmp_path, *COMMANDS["replace"])
        assert f"({size:,} bytes)" in said
    (tmp_path / "bad.safetensors").write_bytes(whole)
    assert run("weights", *COMMANDS["check"]).exit_code == 0, "the whole file is in order"


def test_any_byte_of_the_header_changed_is_no_traceback(
    run: Run, small: TypedProgram, tmp_path: Path
) -> None:
    whole = (tmp_path / "small.safetensors").read_bytes()
    rng = np.random.default_rng(7)
    for at in rng.integers(0, 8 + int.from_bytes(whole[:8], "little"), 200):
        data = bytearray(whole)
        data[at] ^= int(rng.integers(1, 256))
        (tmp_path / "bad.safetensors").write_bytes(data)
        assert run("weights", "check", "small.yaml", "bad.safetensors").exit_code in (0, 1)


class Trap:
    """Writes a file when it is unpickled."""

    def __reduce__(self) -> Any:
        return open, ("opened", "w")


def archive(members: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return held.getvalue()


def array(value: Any) -> bytes:
    held = io.BytesIO()
    np.save(held, value, allow_pickle=True)
    return held.getvalue()


TRAP = pickle.dumps(Trap())
PICKLES: dict[str, bytes] = {
    "model.pth": archive({"archive/data.pkl": TRAP}),
    "model.pt": TRAP,
    "old.pt": pickle.dumps(Trap(), protocol=0),
    "model.bin": archive({"archive/data.pkl": TRAP}),
    "model.pkl": pickle.dumps(Trap(), protocol=5),
    "disguised.safetensors": TRAP,
    "archive.safetensors": archive({"archive/data.pkl": TRAP}),
    "model.npz": archive({"a.npy": array(np.array([Trap()], object))}),
    "model.npy": array(np.array([Trap()], object)),
}


@pytest.mark.parametrize("origin", ["neutral", "torch", "keras"])
@pytest.mark.parametrize("name", PICKLES)
def test_no_pickle_is_opened(
    run: Run, small: TypedProgram, tmp_path: Path, name: str, origin: str
) -> None:
    (tmp_path / name).write_bytes(PICKLES[name])
    code = "E702" if origin == "torch" and name.endswith(".safetensors") else "E701"
    said = refused(
        run, tmp_path, "convert", "small.yaml", name, "new.safetensors", "--from", origin, code=code
    )
    assert "help: a pickle can run any program when it is opened" in said
    assert "save them with safetensors" in said
    assert not (tmp_path / "opened").exists()


def test_the_trap_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pickle.loads(TRAP).close()
    assert (tmp_path / "opened").exists()


@pytest.mark.parametrize("origin", ["neutral", "torch", "keras"])
@pytest.mark.parametrize(
    "what", ["missing", "folder", "device", "link to nothing", "link in a circle"]
)
def test_what_is_not_a_file(
    run: Run, small: TypedProgram, tmp_path: Path, what: str, origin: str
) -> None:
    path = tmp_path / "bad.safetensors"
    if what == "folder":
        path.mkdir()
    elif what == "device":
        path.symlink_to("/dev/zero")
    elif what == "link to nothing":
        path.symlink_to("nothing")
    elif what == "link in a circle":
        path.symlink_to("bad.safetensors")
    said = refused(run, tmp_path, "check", "small.yaml", "bad.safetensors", "--from", origin)
    assert "is not a file" in said or "does not exist" in said


def test_a_framework_s_file_is_named(run: Run, tmp_path: Path, small: TypedProgram) -> None:
    assert (
        run(
            "weights", "convert", "small.yaml", "small.safetensors", "a.weights.h5", "--to", "keras"
        ).exit_code
        == 0
    )
    assert (
        run(
            "weights", "convert", "small.yaml", "small.safetensors", "a.keras", "--to", "keras"
        ).exit_code
        == 0
    )
    for name in ("a.weights.h5", "a.keras"):
        said = refused(run, tmp_path, "check", "small.yaml", name)
        assert "is not a safetensors file but one of a framework" in said
        assert "--from NAME" in said
    assert (
        run(
            "weights",
            "convert",
            "small.yaml",
            "small.safetensors",
            "t.safetensors",
            "--to",
            "torch",
        ).exit_code
        == 0
    )
    assert "say which: `--from NAME`" in refused(
        run, tmp_path, "check", "small.yaml", "t.safetensors", code="E702"
    )


def test_one_error_lists_everything(run: Run, tmp_path: Path, changed: Change) -> None:
    def change(w: dict[str, Any]) -> None:
        del w["stem/bn/beta"], w["aux/out/bias"]
        w["stem/bn/delta"] = w["zeta"] = np.zeros((2, 3), np.float32)
        w["depthwise/kernel"] = w["depthwise/kernel"].reshape(9, 12)
        w["grouped/bias"] = w["grouped/bias"][:-1].copy()
        w["grouped/kernel"] = w["grouped/kernel"].astype(np.int32)
        w["classifier/bias"] = w["classifier/bias"].astype(np.int64)
        w["stem/conv/kernel"][2, 1, 0, 5] = np.nan
        w["classifier/kernel"][:3, 2] = np.inf

    path = changed(change)
    said = refused(
        run, tmp_path, "convert", "small.yaml", str(path), "new.safetensors", code="E702"
    )
    for line in (
        "error[E702]: changed.safetensors does not fit `small`: "
        "2 missing, 2 unknown, 2 of another shape, 2 of another type, 2 not finite",
        "  --> changed.safetensors:1:1",
        "  = missing: stem/bn/beta (6)",
        "  = missing: aux/out/bias (4)",
        "  = unknown: stem/bn/delta (2x3)",
        "  = unknown: zeta (2x3)",
        "  = of another shape: depthwise/kernel is 9x12, expected 3x3x6x2",
        "  = of another shape: grouped/bias is 3, expected 4",
        "  = of another type: grouped/kernel holds I32, expected F64 or F32 or F16 or BF16",
        "  = of another type: classifier/bias holds I64, expected F64 or F32 or F16 or BF16",
        "  = not finite: stem/conv/kernel has 1 such number, the first at [2, 1, 0, 5]",
        "  = not finite: classifier/kernel has 3 such numbers, the first at [0, 2]",
        "1 error",
    ):
        assert line in said.splitlines(), line


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_not_finite(run: Run, tmp_path: Path, changed: Change, value: float, dtype: Any) -> None:
    path = changed(lambda w: w.update({"aux/out/bias": np.array([0, 1, value, 2], dtype)}))
    said = refused(run, tmp_path, "check", "small.yaml", str(path), code="E702")
    assert "not finite: aux/out/bias has 1 such number, the first at [2]" in said


def test_too_large_for_float32(run: Run, tmp_path: Path, changed: Change) -> None:
    path = changed(lambda w: w.update({"aux/out/bias": np.array([0, 1, 1e300, 2])}))
    assert run("weights", "check", "small.yaml", path).exit_code == 0
    for more in ([], ["--to", "torch"]):
        said = refused(
            run, tmp_path, "convert", "small.yaml", str(path), "new.safetensors", *more, code="E702"
        )
        assert "not finite: aux/out/bias" in said
    assert (
        run(
            "weights", "convert", "small.yaml", path, "new.safetensors", "--dtype", "float64"
        ).exit_code
        == 0
    )


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"digest": "0" * 64}, "does not hold the weights that it says: its digest is `000"),
        ({"digest": ""}, "does not hold the weights that it says: its digest is ``"),
        ({"format_version": "2"}, "has version `2` of the format; this reads version 1"),
        ({"format_version": "9" * 5000}, "of the format; this reads version 1"),
        ({"format_version": "one\x1b[2J"}, "has version `one\\x1b[2J` of the format"),
    ],
)
def test_metadata_that_do_not_hold(
    run: Run, small: TypedProgram, tmp_path: Path, metadata: dict[str, str], expected: str
) -> None:
    from inception_dsl.diagnostics.report import Report
    from inception_dsl.weights.store import read_file

    file = read_file(tmp_path / "small.safetensors", Report())
    assert file is not None
    arrays = {name: tensor.array() for name, tensor in file.tensors.items()}
    (tmp_path / "bad.safetensors").write_bytes(save(arrays, {**file.metadata, **metadata}))
    for arguments in (COMMANDS["convert"], ("inspect", "bad.safetensors")):
        assert expected in refused(run, tmp_path, *arguments, code="E703")


def test_another_spec_s_file(run: Run, small: TypedProgram, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(
        (tmp_path / "small.yaml").read_text().replace("network: small", "network: other")
    )
    assert run("weights", "check", "other.yaml", "small.safetensors").exit_code == 0, (
        "the same list of weights"
    )
    said = refused(
        run, tmp_path, "check", "other.yaml", "small.safetensors", "--set", "classes=5", code="E702"
    )
    assert "`other`: 4 of another shape" in said
    assert "help: it was written for `small`" in said
    said = refused(
        run,
        tmp_path,
        "check",
        "small.yaml",
        "small.safetensors",
        "--set",
        "aux_heads=null",
        code="E702",
    )
    assert "= unknown: aux/out/kernel (6x4)" in said
    assert "another variant of `small`; give the same `--set` and `--input` as then" in said


def test_names_that_steer_terminals(run: Run, tmp_path: Path, changed: Change) -> None:
    path = changed(lambda w: w.update({"a\x1b[31m\nb": np.zeros(1, np.float32)}))
    assert "unknown: a\\x1b[31m\\nb (1)" in refused(
        run, tmp_path, "check", "small.yaml", str(path), code="E702"
    )
    assert "a\\x1b[31m\\nb" in run("weights", "inspect", path).stdout


@pytest.mark.parametrize(
    ("target", "code", "expected"),
    [
        ("folder.safetensors", "E601", "it is a directory"),
        ("small.yaml/new.safetensors", "E601", "cannot be written"),
        ("new.h5", "E704", "does not end in `.safetensors`"),
        ("new", "E704", "call it new.safetensors"),
        (f"{'n' * 300}.safetensors", "E601", "File name too long"),
    ],
)
def test_a_target_that_cannot_be_written(
    run: Run, small: TypedProgram, tmp_path: Path, target: str, code: str, expected: str
) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    assert expected in refused(
        run, tmp_path, "convert", "small.yaml", "small.safetensors", target, code=code
    )
    assert expected in refused(run, tmp_path, "init", "small.yaml", "--out", target, code=code)


@pytest.mark.parametrize(
    ("target", "goal", "expected"),
    [
        ("new.weights", "keras", "has no ending of Keras 3's files"),
        ("new.h5", "keras", "they end in .keras or .weights.h5"),
        ("new.pth", "torch", "they end in .safetensors"),
    ],
)
def test_an_ending_that_a_framework_lacks(
    run: Run, small: TypedProgram, tmp_path: Path, target: str, goal: str, expected: str
) -> None:
    said = refused(
        run,
        tmp_path,
        "convert",
        "small.yaml",
        "small.safetensors",
        target,
        "--to",
        goal,
        code="E704",
    )
    assert expected in said


@pytest.mark.parametrize(
    ("target", "goal"),
    [("new.safetensors", "torch"), ("new.keras", "keras"), ("new.weights.h5", "keras")],
)
def test_a_disk_that_fills_up(
    run: Run,
    small: TypedProgram,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    goal: str,
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / target).write_bytes(b"old")
    monkeypatch.setattr(os, "replace", full)
    said = refused(
        run,
        tmp_path,
        "convert",
        "small.yaml",
        "small.safetensors",
        target,
        "--to",
        goal,
        code="E601",
    )
    assert "No space left on device" in said
    assert (tmp_path / target).read_bytes() == b"old"


@pytest.fixture
def closed(
    run: Run, small: TypedProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A folder that another user owns: nobody may write there, nor read ``secret.safetensors``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in ("small.yaml", "small.safetensors"):
            (folder / file).write_bytes((tmp_path / file).read_bytes())
            (folder / file).chmod(0o644)
        (folder / "secret.safetensors").write_bytes(b"")
        (folder / "secret.safetensors").chmod(0)
        folder.chmod(0o555)
        for goal, suffix in (
            ("torch", ".safetensors"),
            ("keras", ".keras"),
        ):  # another user may not read the packages
            file = f"{goal}{suffix}"
            assert (
                run(
                    "weights", "convert", "small.yaml", "small.safetensors", file, "--to", goal
                ).exit_code
                == 0
            )
        backends = plugins.installed()
        monkeypatch.setattr(plugins, "installed", lambda: backends)
        user = os.geteuid()
        if not user:
            os.seteuid(65534)  # the superuser may write anywhere
        try:
            yield folder
        finally:
            os.seteuid(user)
            folder.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="modes of files")
@pytest.mark.parametrize(
    ("target", "goal"),
    [("n.safetensors", "neutral"), ("n.safetensors", "torch"), ("n.keras", "keras")],
)
def test_a_folder_that_is_read_only(
    run: Run, closed: Path, monkeypatch: pytest.MonkeyPatch, target: str, goal: str
) -> None:
    monkeypatch.chdir(closed)
    result = run("weights", "convert", "small.yaml", "small.safetensors", target, "--to", goal)
    assert result.exit_code == 1, result.output
    assert f"error[E601]: {target} cannot be written: Permission denied" in result.stderr
    assert sorted(p.name for p in closed.iterdir()) == [
        "secret.safetensors",
        "small.safetensors",
        "small.yaml",
    ]


@pytest.mark.skipif(os.name == "nt", reason="modes of files")
@pytest.mark.parametrize("origin", ["neutral", "torch"])
def test_a_file_that_may_not_be_read(
    run: Run, closed: Path, monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    monkeypatch.chdir(closed)
    result = run("weights", "check", "small.yaml", "secret.safetensors", "--from", origin)
    assert result.exit_code == 1, result.output
    assert "error[E701]: secret.safetensors cannot be read: Permission denied" in result.stderr


FOREIGN = {"torch": ("a.safetensors", "grouped.bias"), "keras": ("a.weights.h5", "grouped/bias")}


@pytest.mark.parametrize("backend", FOREIGN)
@pytest.mark.parametrize("size", [0, 4, 100, 2000, -1])
def test_a_framework_s_file_that_is_cut(
    run: Run, small: TypedProgram, tmp_path: Path, backend: str, size: int
) -> None:
    name, _ = FOREIGN[backend]
    assert (
        run(
            "weights", "convert", "small.yaml", "small.safetensors", name, "--to", backend
        ).exit_code
        == 0
    )
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:size])
    refused(
        run,
        tmp_path,
        "convert",
        "small.yaml",
        name,
        "small.safetensors",
        "--from",
        backend,
        code="E702",
    )


@pytest.mark.parametrize("backend", FOREIGN)
def test_a_framework_s_file_of_another_network(
    run: Run, small: TypedProgram, tmp_path: Path, backend: str
) -> None:
    name, wrong = FOREIGN[backend]
    text = (tmp_path / "small.yaml").read_text().replace("filters: 4", "filters: 8")
    (tmp_path / "wide.yaml").write_text(text)
    weights = seeded(small, 1)
    assert weights["grouped/bias"].shape == (4,)
    assert run("weights", "init", "wide.yaml").exit_code == 0
    assert (
        run("weights", "convert", "wide.yaml", "wide.safetensors", name, "--to", backend).exit_code
        == 0
    )
    said = refused(
        run,
        tmp_path,
        "convert",
        "small.yaml",
        name,
        "new.safetensors",
        "--from",
        backend,
        code="E702",
    )
    assert f"= {wrong} has (8,), expected (4,)" in said
    assert "does not fit `small` in" in said
