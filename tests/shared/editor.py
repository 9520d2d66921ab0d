"""A small editor: a client of the Language Server Protocol over standard input and output."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self, TypeAlias

Json: TypeAlias = Any
SECONDS = 120  # machines of CI are slow to start


class At(NamedTuple):
    """A text and a position in it, which ``|`` marks."""

    text: str
    line: int
    character: int

    @property
    def position(self) -> Json:
        return {"line": self.line, "character": self.character}


def units(text: str) -> int:
    """The length in UTF-16 code units, of which an emoji has two."""
    return len(text.encode("utf-16-le")) // 2


def at(marked: str) -> At:
    """The text without the last ``|``, and its position."""
    before, _, after = marked.rpartition("|")
    return At(before + after, before.count("\n"), units(before.rpartition("\n")[2]))


class Editor:
    """A server process and the documents that are open in it.

    ``settings`` answers the server's questions about the configuration; ``watching`` offers to
    tell it about files that change on the disk.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        settings: Json = None,
        *,
        watching: bool = False,
    ) -> None:
        self.settings = settings or {}
        self.folder = folder
        self.published: dict[str, list[Json]] = {}
        self.asked: list[Json] = []
        self._answers: dict[int, Json] = {}
        self._next, self._news = 0, queue.Queue[Json]()
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(folder / "server.log").open("wb"),
        )
        threading.Thread(target=self._read, daemon=True).start()
        self.capabilities = self.request(
            "initialize",
            {
                "processId": None,
                "rootUri": folder.as_uri(),
                "workspaceFolders": [{"uri": folder.as_uri(), "name": "specs"}],
                "capabilities": {
                    "workspace": {
                        "configuration": True,
                        "didChangeWatchedFiles": {"dynamicRegistration": watching},
                        "workspaceEdit": {"documentChanges": True},
                    },
                    "general": {"positionEncodings": ["utf-8", "utf-32", "utf-16"]},
                    "textDocument": {
                        "completion": {"completionItem": {"snippetSupport": True}},
                        "hover": {"contentFormat": ["markdown"]},
                        "publishDiagnostics": {"versionSupport": True, "relatedInformation": True},
                        "codeAction": {
                            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}
                        },
                    },
                },
            },
        )["capabilities"]
        self.notify("initialized", {})
        self.notify("workspace/didChangeConfiguration", {"settings": self.settings})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        self.process.kill()
        self.process.wait()

    def close(self) -> int:
        """Shut the server down; its exit status."""
        self.request("shutdown", None)
        self.notify("exit", None)
        return self.process.wait(SECONDS)

    def _send(self, message: Json) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while (message := _message(self.process.stdout)) is not None:
            self._news.put(message)
        self._news.put(None)

    def _take(self) -> None:
        """Wait for one message of the server, and act on it."""
        message = self._news.get(timeout=SECONDS)
        assert message is not None, (self.folder / "server.log").read_text(errors="replace")[-4000:]
        method = message.get("method")
        if method is None:
            self._answers[message["id"]] = message
        elif "id" in message:
            self.asked.append(message)
            items = (message.get("params") or {}).get("items", [])
            known = [self.settings.get(item.get("section")) for item in items]
            answer = known if method == "workspace/configuration" else None
            self._send({"id": message["id"], "result": answer})
        elif method == "textDocument/publishDiagnostics":
            self.published.setdefault(message["params"]["uri"], []).append(message["params"])

    def ask(self, method: str, params: Json) -> int:
        """Send a request without waiting; its number."""
        self._next += 1
        self._send({"id": self._next, "method": method, "params": params})
        return self._next

    def answer(self, number: int) -> Json:
        """The whole answer to a request."""
        while number not in self._answers:
            self._take()
        return self._answers.pop(number)

    def request(self, method: str, params: Json) -> Json:
        """The result of a request."""
        answer = self.answer(self.ask(method, params))
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def notify(self, method: str, params: Json) -> None:
        self._send({"method": method, "params": params})

    def uri(self, name: str) -> str:
        """The URI of a file in the folder."""
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str, version: int = 1, language: str = "yaml") -> None:
        item = {"uri": self.uri(name), "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, name: str, changes: list[Json], version: int) -> None:
        document = {"uri": self.uri(name), "version": version}
        params = {"textDocument": document, "contentChanges": changes}
        self.notify("textDocument/didChange", params)

    def shut(self, name: str) -> None:
        """Close a document."""
        uri = self.uri(name)
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        self.published.pop(uri, None)

    def diagnostics(self, name: str, version: int | None = None) -> list[Json]:
        """The diagnostics of a document, once they are published (for this version)."""
        uri = self.uri(name)
        while True:
            for one in self.published.get(uri, []):
                if version is None or one.get("version") == version:
                    return list(one["diagnostics"])
            self._take()

    def some_diagnostics(self, name: str) -> list[Json]:
        """The diagnostics of a document as soon as there are any."""
        while not (
            found := self.published.get(self.uri(name), [{"diagnostics": []}])[-1]["diagnostics"]
        ):
            self._take()
        return list(found)

    def there(self, name: str, where: At) -> Json:
        """The parameters of a request about a position."""
        return {"textDocument": {"uri": self.uri(name)}, "position": where.position}

    def completions(self, name: str, where: At) -> list[Json]:
        found = self.request("textDocument/completion", self.there(name, where))
        return list((found["items"] if isinstance(found, dict) else found) or [])

    def hover(self, name: str, where: At) -> str:
        found = self.request("textDocument/hover", self.there(name, where))
        return "" if found is None else str(found["contents"]["value"])

    def definition(self, name: str, where: At) -> list[Json]:
        found = self.request("textDocument/definition", self.there(name, where))
        return [found] if isinstance(found, dict) else list(found or [])


def _message(stream: BinaryIO) -> Json | None:
    """The next message; ``None`` at the end."""
    size = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        size = int(value) if name.lower() == b"content-length" else size
    return json.loads(stream.read(size)) if size else None
