"""A bomb: a small spec that expands to a huge network, or a huge file, and the expected error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

HEAD: Final = "network: bomb\ninput: {channels: 8, height: 32, width: 32}\n"
CONV: Final = "{op: conv, filters: 8, kernel_size: 3}"
Files = dict[str, str | bytes]


class Bomb(NamedTuple):
    """``files`` has ``spec.yaml`` and the files that it reads; ``code`` is the expected error,
    empty if the spec is valid.
    """

    name: str
    code: str
    files: Callable[[], Files]
    settings: tuple[str, ...] = ()


class Bombs(dict[str, Bomb]):
    """Bombs by name."""

    def add(
        self, name: str, code: str, *settings: str
    ) -> Callable[[Callable[[], str | bytes | Files]], None]:
        """Decorator: add a bomb; the function returns the text of the spec, or all files."""

        def add(make: Callable[[], str | bytes | Files]) -> None:
            def files() -> Files:
                made = make()
                return made if isinstance(made, dict) else {"spec.yaml": made}

            self[name] = Bomb(name, code, files, settings)

        return add


def body(text: str) -> str:
    return f"{HEAD}body:\n{text}"
