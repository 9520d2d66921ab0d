"""A session of the page beside the editor, seen as the page sees it, without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from served import SECONDS, Json

from inception_dsl.editor.page.session import Session


class Page:
    """A session that runs, seen as the page sees it."""

    def __init__(self, session: Session) -> None:
        self.session, self.states = session, session.states()

    async def until(self, wanted: Callable[[Json], bool]) -> Json:
        """The first state that is ``wanted``."""
        async with asyncio.timeout(SECONDS):
            async for text in self.states:
                if wanted(found := json.loads(text)):
                    return found
        raise AssertionError("the session has ended")

    async def spec(self, wanted: Callable[[Json], bool], index: int = 0) -> Json:
        """The first state of a spec that is ``wanted`` and complete."""

        def complete(found: Json) -> bool:
            one = found["specs"][index]
            return bool(found["backends"]) and not one["busy"] and wanted(one)

        return (await self.until(complete))["specs"][index]


@asynccontextmanager
async def opened(*specs: str, baseline: str | None = None, **settings: str) -> AsyncIterator[Page]:
    session = Session(specs or ("net.yaml",), baseline, settings)
    following = asyncio.create_task(session.run())
    try:
        yield Page(session)
        assert not following.done(), following.exception()
    finally:
        following.cancel()
        session.close()


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def codes(one: Json) -> list[str]:
    return [d["code"] for d in one["diagnostics"]]
