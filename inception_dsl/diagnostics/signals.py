"""Signals that end the process leave nothing behind: no temporary files, no half of a build."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """On SIGTERM and SIGHUP, exit as on Ctrl-C, so that what is done is undone or finished.

    Signals that follow are ignored until this is done. In the main thread only; a handler of the
    caller for SIGTERM or SIGHUP stays.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
    before = {number: signal.getsignal(number) for number in numbers}  # Windows has no SIGHUP
    ours = {n: h for n, h in before.items() if n == signal.SIGINT or h is signal.SIG_DFL}

    def stop(number: int, frame: FrameType | None) -> None:
        for other in ours:  # with SIG_IGN, Python reports those that it has already noted
            signal.signal(other, lambda *_: None)
        known = before[number]
        if callable(known):
            known(number, frame)
        elif known is signal.SIG_DFL:
            sys.exit(128 + number)

    for number, handler in ours.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
