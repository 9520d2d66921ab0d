"""A thread that compiles, so that the server always answers."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Final, TypeVar, cast

_STACK: Final = 64 * 1024 * 1024
_T = TypeVar("_T")


class Worker:
    """Runs one piece of work after the other.

    The process can end while it runs one, as nothing waits for the thread.
    """

    def __init__(self) -> None:
        self._jobs = queue.SimpleQueue[Callable[[], None]]()
        before = threading.stack_size(_STACK)
        threading.Thread(target=self._run, name="compiler", daemon=True).start()
        threading.stack_size(before)

    def _run(self) -> None:
        while True:
            self._jobs.get()()

    async def run(self, work: Callable[[], _T]) -> _T:
        """The result of ``work``; raises what it raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()

        def answer(value: _T | None, error: BaseException | None) -> None:
            if future.done():
                return  # nobody waits any more
            if error is None:
                future.set_result(cast(_T, value))
            else:
                future.set_exception(error)

        def job() -> None:
            if future.cancelled():
                return
            value, failed = None, None
            try:
                value = work()
            except BaseException as error:
                failed = error
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server has ended
                loop.call_soon_threadsafe(answer, value, failed)

        self._jobs.put(job)
        return await future
