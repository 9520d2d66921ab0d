"""What the page shows, and its changes: specs are compiled again when their files change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final

from ... import plugins
from ...backend.protocol import Backend
from ...diagnostics.text import printable
from ...plugins import Plugin
from . import panes
from .files import State
from .panes import Json
from .results import Emitted, Followed, Version, guarded
from .worker import Worker

POLL: Final = 0.05
"""Seconds from one look at the files to the next."""
_UNSETTLED: Final = 10
"""As many looks at most wait for files to stay as they are."""


class Session:
    """The specs on the page, and the ``baseline`` that the first differs from."""

    def __init__(
        self, specs: Sequence[str], baseline: str | None, settings: Mapping[str, str]
    ) -> None:
        self.specs = [Followed(spec, settings) for spec in dict.fromkeys(specs)]
        self.baseline = Followed(baseline, settings) if baseline is not None else None
        self.page = ""
        self.backends: dict[str, tuple[Plugin, Backend]] = {}
        self.broken: list[str] = []
        self._compiler, self._drawer = Worker(), Worker()  # what is slow to draw delays no save
        self._news, self._closed = asyncio.Event(), False

    @property
    def _all(self) -> list[Followed]:
        return [*self.specs, *([self.baseline] if self.baseline else [])]

    async def run(self) -> None:
        """Compile everything, then follow the files; never returns."""
        for one in self._all:
            await self._compile(one, {})
        found, self.broken = await self._compiler.run(plugins.usable)
        self.backends = {backend.name: (plugin, backend) for plugin, backend in found}
        self._publish()
        while True:
            await asyncio.sleep(POLL)
            for one in self._all:
                if one.changed() is not None:
                    await self._compile(one, await self._settled(one))

    async def _settled(self, one: Followed) -> dict[str, State]:
        """The states of changed files once they are complete: an editor may still write them."""
        before = one.changed()
        for _ in range(_UNSETTLED):
            await asyncio.sleep(POLL)
            now = one.changed()
            if now == before:
                break
            before = now
        return before or {}

    async def _compile(self, one: Followed, before: Mapping[str, State]) -> None:
        one.busy = True
        self._publish()
        await self._compiler.run(lambda: one.compile(before))
        one.busy = False
        self._publish()

    def _publish(self) -> None:
        old, self._news = self._news, asyncio.Event()
        old.set()

    def close(self) -> None:
        """End all streams of states, so that the server can end."""
        self._closed = True
        self._publish()

    async def states(self) -> AsyncIterator[str]:
        """The state now and after every change, as JSON."""
        sent = ""
        while not self._closed:
            news, text = self._news, json.dumps(self._state())
            if text != sent:
                yield text
                sent = text
            await news.wait()

    def _state(self) -> Json:
        return {
            "page": self.page,
            "specs": [panes.followed(one) for one in self.specs],
            "baseline": panes.followed(self.baseline) if self.baseline else None,
            "backends": [
                {"name": name, "title": printable(backend.title), "kind": panes.kind_of(backend)}
                for name, (_, backend) in self.backends.items()
            ],
            "broken": [printable(line) for line in self.broken],
        }

    async def _made(self, work: Callable[[], Json], version: Version | None = None) -> Json:
        """The result of work for a version; ``None`` if there is a newer one by then."""

        def current() -> Json:
            outdated = version and all(one.good is not version for one in self.specs)
            return None if outdated else guarded(work)

        return await self._drawer.run(current)

    def good(self, index: int) -> Version | None:
        """The last version without errors of a spec; ``None`` if there is none."""
        return self.specs[index].good if 0 <= index < len(self.specs) else None

    async def summary(self, version: Version) -> Json:
        """The pane with the table of layers."""
        return await self._made(lambda: panes.summary(version.typed), version)

    async def difference(self, version: Version) -> Json:
        """The pane with what differs from the baseline."""
        old = self.baseline.good if self.baseline else None
        return old and await self._made(lambda: panes.difference(old, version), version)

    async def compared(self) -> Json:
        """The pane with all networks, a line for each."""
        versions = [one.good for one in self.specs if one.good]
        return await self._made(lambda: panes.compared(versions))

    async def emitted(self, version: Version, name: str, theme: str) -> Json:
        """What the backend ``name`` writes, as data."""
        backend = self.backends[name][1]

        def work() -> Any:
            return panes.emitted(self._emit(version, name, theme), backend)

        return await self._made(work, version)

    async def file(self, version: Version, name: str, theme: str, file: str) -> str | None:
        """The text of a figure or page that the backend ``name`` writes."""

        def work() -> Any:
            return self._emit(version, name, theme).files.get(file)

        found = await self._made(work, version)
        return found if isinstance(found, str) else None

    def _emit(self, version: Version, name: str, theme: str) -> Emitted:
        plugin, backend = self.backends[name]
        known = {option.name: option.choices for option in backend.options}
        options = {"theme": theme} if theme in known.get("theme", ()) else {}
        return version.emitted(plugin, backend, options)
