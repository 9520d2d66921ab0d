"""The open documents of an editor, and their analyses.

Analyses run one after the other in a thread, so that the server always answers. The result for a
text that has changed since is not published.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from ..language.file_names import same
from ..language.folders import is_spec
from .analysis import Analysis, analyse
from .positions import Text

PAUSE: Final = 0.2
"""Seconds without a change before a text is analysed."""
_STACK: Final = 64 * 1024 * 1024
_LOG: Final = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass
class Open:
    """A document that is open; ``analysis`` is the result for this text, once there is one."""

    uri: str
    path: str
    version: int
    text: Text
    analysis: Analysis | None = None
    task: asyncio.Task[None] | None = None


class Documents:
    """The open documents and their analyses; ``publish`` sends diagnostics to the editor."""

    def __init__(self, publish: Callable[[Open, Analysis | None], None]) -> None:
        self.open: dict[str, Open] = {}
        self._publish = publish
        before = threading.stack_size(_STACK)
        self._worker = ThreadPoolExecutor(1, "analysis")
        self._worker.submit(int).result()  # the thread starts now, with this stack
        threading.stack_size(before)

    def texts(self) -> dict[str, str]:
        """The texts of all open documents by path."""
        return {one.path: one.text.text for one in self.open.values()}

    def set(self, uri: str, path: str, version: int, text: Text) -> None:
        """A document was opened or changed."""
        old = self.open.get(uri)
        if old is not None and old.task is not None:
            old.task.cancel()
        self.open[uri] = Open(uri, path, version, text)
        self._start(self.open[uri], PAUSE if old is not None else 0)
        self.others(path)

    def close(self, uri: str) -> None:
        """A document was closed: its file counts again."""
        found = self.open.pop(uri, None)
        if found is not None:
            if found.task is not None:
                found.task.cancel()
            self._publish(found, None)
            self.others(found.path)

    def others(self, path: str | None = None) -> None:
        """Analyse the other documents again that read the file at ``path``; without it, all."""
        for one in self.open.values():
            if one.path == path:
                continue
            found, running = one.analysis, one.task is not None and not one.task.done()
            if running or (found is not None and (path is None or found.read(same(path)))):
                one.analysis = None
                self._start(one, PAUSE)

    def _start(self, one: Open, pause: float) -> None:
        if one.task is not None:
            one.task.cancel()
        one.task = asyncio.get_running_loop().create_task(self._analyse(one, pause))

    async def _analyse(self, one: Open, pause: float) -> None:
        await asyncio.sleep(pause)
        if not is_spec(one.text.text, begun=True):
            self._publish(one, None)
            return
        texts = self.texts()
        try:  # a change of the text cancels this
            one.analysis = await self.run(lambda: analyse(one.path, texts))
        except Exception:
            _LOG.exception("internal error in the analysis of %s", one.path)
        self._publish(one, one.analysis)

    async def run(self, work: Callable[[], _T]) -> _T:
        """The result of ``work`` in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    async def analysis(self, uri: str) -> tuple[Open, Analysis] | None:
        """A document and its analysis, when it is finished; ``None`` if it is no spec."""
        one = self.open.get(uri)
        if one is None:
            return None
        if one.task is not None and not one.task.done():
            await asyncio.wait([one.task])
        return (one, one.analysis) if one.analysis is not None else None

    async def analyses(self, uri: str) -> list[Analysis]:
        """The analysis of a document; if it has no shapes, also those of others that read it."""
        own, one = await self.analysis(uri), self.open.get(uri)
        if one is None or own is None or own[1].typed is not None:
            return [own[1]] if own is not None else []
        others = [await self.analysis(other) for other in [*self.open] if other != uri]
        return [found for _, found in filter(None, others) if found.read(same(one.path))]
