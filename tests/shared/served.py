"""A server of the page beside the editor, in a process of its own, and a client of it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeAlias

Json: TypeAlias = Any
SECONDS: Final = 60
NET: Final = """network: net
title: A small net
input: {channels: 3, height: 32, width: 32}
stem:
  - {op: conv_bn, filters: 16, kernel_size: 3, stride: 2}
body:
  - name: mixed
    branches:
      left: [{op: conv_bn, filters: 8, kernel_size: 1}]
      right: [{op: conv_bn, filters: 8, kernel_size: 3}]
    merge: concat
head: [{op: global_avg_pool}, {op: dense, name: logits, units: 10}]
"""


class Answer(NamedTuple):
    """The answer to a request, with its headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        return json.loads(self.body)


class Served:
    """A server that follows specs in ``folder``; it keeps its token there, too.

    ``browser`` is a command that takes the address, ``%s``.
    """

    def __init__(self, folder: Path, *arguments: str, port: int = 0, browser: str = "") -> None:
        self.folder = folder
        call = [sys.executable, "-m", "inception_dsl", "serve"]
        call += [] if browser else ["--no-browser"]
        window = {"BROWSER": browser, "DISPLAY": ":0"} if browser else {}
        home = {"XDG_CONFIG_HOME": str(folder / "config"), "HOME": str(folder)}
        self.process = subprocess.Popen(
            [*call, "--port", str(port), *arguments],
            cwd=folder,
            env={**os.environ, **home, **window},
            stdout=subprocess.PIPE,
            stderr=(folder / "errors.txt").open("wb"),
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "http" in line, (folder / "errors.txt").read_text()
        self.url = line.rpartition(" ")[2].strip()
        _, _, host, self.token, _ = self.url.split("/")
        self.host, self.port = host, int(host.partition(":")[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            status = self.stop()
            assert kind is not None or status == 0, self.errors
        assert kind is not None or self.errors == ""

    @property
    def errors(self) -> str:
        """What it printed to standard error."""
        return (self.folder / "errors.txt").read_text(encoding="utf-8")

    def stop(self) -> int:
        """End it with Ctrl-C; its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(SECONDS)

    def ask(self, path: str, method: str = "GET", **headers: str | list[str]) -> Answer:
        """The answer to a request; ``path`` is below the token, or from the top with ``/``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        target = path if path.startswith("/") else f"/{self.token}/{path}"
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        given: Mapping[str, str | list[str]] = {"Host": self.host, **headers}
        for name, value in given.items():
            for one in [value] if isinstance(value, str) else value:
                connection.putheader(name.replace("_", "-"), one)
        connection.endheaders()
        got = connection.getresponse()
        body = got.read()
        connection.close()
        return Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, body)

    def states(self) -> Iterator[Json]:
        """The states that the server sends, from now on."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        connection.request("GET", f"/{self.token}/events")
        with connection.getresponse() as stream:
            while line := stream.readline():
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])
        connection.close()

    def ready(self) -> Json:
        """The state once all specs are compiled and the backends are known."""
        for state in self.states():
            if state["backends"] and not any(one["busy"] for one in state["specs"]):
                return state
        raise AssertionError("the server has ended")


def written(file: Path, text: str) -> None:
    """Save a file as editors do: another one takes its place."""
    new = file.with_name(f".{file.name}.{time.monotonic_ns()}")
    new.write_text(text, encoding="utf-8")
    os.replace(new, file)
