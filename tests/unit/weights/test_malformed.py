"""Malformed files: one clear error, exit status 1, no traceback, no files written or left."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from refusals import COMMANDS, Change, Run, refused

from inception_dsl.ir.typed import TypedProgram


def raw(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """A file with any header, valid or not."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype: str, shape: list[Any], start: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


ONE = entry("F32", [2], 0, 8)
TWICE = (
    b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
    b'"a":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}}'
)
MALFORMED: dict[str, bytes] = {
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
@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_files_are_rejected(
    run: Run, small: TypedProgram, tmp_path: Path, case: str, command: str
) -> None:
    (tmp_path / "bad.safetensors").write_bytes(MALFORMED[case])
    said = refused(run, tmp_path, *COMMANDS[command], code="E702" if command == "torch" else "E701")
    assert "bad.safetensors" in said
    if command != "torch":
        assert "error[E701]: bad.safetensors is not a valid safetensors file" in said
        assert said.endswith("\n1 error\n")


@pytest.mark.parametrize("case", MALFORMED)
def test_inspect_rejects_them_too(run: Run, tmp_path: Path, case: str) -> None:
    (tmp_path / "bad.safetensors").write_bytes(MALFORMED[case])
    assert "is not a valid safetensors file" in refused(
        run, tmp_path, "inspect", "bad.safetensors", "--json"
    )


def test_truncated_files_are_rejected(run: Run, small: TypedProgram, tmp_path: Path) -> None:
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
    assert run("weights", *COMMANDS["check"]).exit_code == 0, "the complete file is valid"


def test_a_changed_header_byte_gives_no_traceback(
    run: Run, small: TypedProgram, tmp_path: Path
) -> None:
    whole = (tmp_path / "small.safetensors").read_bytes()
    rng = np.random.default_rng(7)
    for at in rng.integers(0, 8 + int.from_bytes(whole[:8], "little"), 200):
        data = bytearray(whole)
        data[at] ^= int(rng.integers(1, 256))
        (tmp_path / "bad.safetensors").write_bytes(data)
        assert run("weights", "check", "small.yaml", "bad.safetensors").exit_code in (0, 1)


@pytest.mark.parametrize("origin", ["neutral", "torch", "keras"])
@pytest.mark.parametrize(
    "what", ["missing", "folder", "device", "link to nothing", "link to itself"]
)
def test_paths_that_are_not_regular_files(
    run: Run, small: TypedProgram, tmp_path: Path, what: str, origin: str
) -> None:
    path = tmp_path / "bad.safetensors"
    if what == "folder":
        path.mkdir()
    elif what == "device":
        path.symlink_to("/dev/zero")
    elif what == "link to nothing":
        path.symlink_to("nothing")
    elif what == "link to itself":
        path.symlink_to("bad.safetensors")
    said = refused(run, tmp_path, "check", "small.yaml", "bad.safetensors", "--from", origin)
    assert "is not a regular file" in said or "no such file: bad.safetensors" in said


def test_control_characters_in_names_are_escaped(run: Run, tmp_path: Path, changed: Change) -> None:
    path = changed(lambda w: w.update({"a\x1b[31m\nb": np.zeros(1, np.float32)}))
    assert "unknown: a\\x1b[31m\\nb (1)" in refused(
        run, tmp_path, "check", "small.yaml", str(path), code="E702"
    )
    assert "a\\x1b[31m\\nb" in run("weights", "inspect", path).stdout
