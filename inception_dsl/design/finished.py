"""The CSV file of a finished sweep: whether another sweep has the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from .measured import Variant
from .sweep import Limits, csv_head, csv_row


class Finished:
    """The rows of a CSV file, compared with those of a sweep as these are found.

    A sweep that may not replace the file ends at the first row that differs. Without a ``path``,
    all rows are the same.
    """

    def __init__(self, path: Path | None, names: Sequence[str], limits: Limits) -> None:
        self.file, self.limits = path.open("rb") if path else None, limits
        self.same = self.file is None or self.file.readline() == csv_head(names).encode()

    def compare(self, variants: Iterable[Variant]) -> bool:
        """Whether these variants are the next rows, and all before were the same.

        The front is not compared, as it is not known yet.
        """
        if (file := self.file) is None:
            return True
        for one in variants:
            if self.same and (one.measured is None or self.limits.allow(one.measured)):
                line = file.readline()
                self.same = line in (csv_row(one, front).encode() for front in (True, False))
        return self.same

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
