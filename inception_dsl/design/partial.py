"""The variants of a sweep in a file, as they are found: an interrupted sweep goes on from it.

The first line has the key of the sweep, and each further line the next variant, as JSON. A last
line that is not whole is dropped.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from ..version import __version__
from .measured import Measured, Spec, Variant
from .sweep import Limits
from .variations import Variations

SUFFIX: Final = ".partial"


class OtherSweepError(Exception):
    """The file is not that of this sweep: the spec, a setting, a value or a limit differs."""


def key(
    spec: Spec,
    variations: Variations,
    texts: Mapping[str, str],
    limits: Limits,
    axes: Sequence[str],
) -> str:
    """What makes sweeps the same: all that decides what is in their CSV files.

    These are the texts of all files that are read, the settings, the values, the limits, and the
    ``axes`` of the front.
    """
    given = [
        __version__,
        sorted(texts.items()),
        list(spec.settings.items()),
        variations.varied,
        limits,
        axes,
    ]
    return hashlib.sha256(json.dumps(given).encode()).hexdigest()


class Partial:
    """The variants so far, in order; iterate over it as often as needed."""

    def __init__(self, file: IO[bytes], variations: Variations, key: str) -> None:
        self.file, self.variations = file, variations
        self.head = json.dumps({"sweep": key}).encode() + b"\n"
        self.count = 0

    @classmethod
    def unnamed(cls, variations: Variations) -> Partial:
        """A file without a name, which is gone when it is closed."""
        file = tempfile.TemporaryFile(prefix="inception-dsl-")  # noqa: SIM115 - `close` closes it
        found = cls(file, variations, "")
        found.begin()
        return found

    @classmethod
    def at(cls, path: Path, variations: Variations, key: str, *, force: bool) -> Partial:
        """The file at ``path`` with the variants of an earlier run, or a new one.

        The file of another sweep is replaced with ``force``, else raises :class:`OtherSweepError`.
        Raises ``OSError`` if it cannot be written, or another process is writing it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
        found = cls(file, variations, key)
        try:
            _lock(file)
            file.seek(0)
            first = file.readline()
            if first == found.head:
                found.resume()
            elif force or (found.head.startswith(first) and not first.endswith(b"\n")):
                found.begin()
            else:
                raise OtherSweepError
        except BaseException:
            file.close()
            raise
        return found

    def begin(self) -> None:
        """Drop everything, and write the first line."""
        self.file.truncate(0)
        self.file.write(self.head)
        self.file.flush()

    def resume(self) -> None:
        """Count the variants that are there, and drop what is after the last whole one."""
        end = self.file.tell()
        for line in self.file:
            if _read(line) is None or self.count == self.variations.count:
                break
            self.count, end = self.count + 1, end + len(line)
        self.file.truncate(end)

    def add(self, variants: Iterable[Variant]) -> None:
        """Write the next variants, so that nothing is lost if this process ends."""
        for one in variants:
            data = one.measured or (one.code, one.message)
            self.file.write(json.dumps(data).encode() + b"\n")
            self.count += 1
        self.file.flush()

    def close(self) -> None:
        self.file.close()

    def __iter__(self) -> Iterator[Variant]:
        self.file.seek(len(self.head))
        for index in range(self.count):
            found = _read(self.file.readline())
            assert found is not None
            yield found._replace(values=self.variations.values(index))


def _read(line: bytes) -> Variant | None:
    """The variant in a line; ``None`` if the line is damaged."""
    if not line.endswith(b"\n"):
        return None
    with contextlib.suppress(ValueError, TypeError):
        data = json.loads(line)
        if len(data) == len(Measured._fields):
            return Variant((), Measured(*data))
        code, message = data
        return Variant((), None, str(code), str(message))
    return None


def _lock(file: IO[bytes]) -> None:
    """Keep other processes from writing the file; where the system has such locks."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError(0, "another sweep is writing it") from None
