"""The language server: requests of the editor in, answers of the other modules out."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from ..language.folders import is_spec
from ..version import __version__
from .analysis import Analysis
from .completion import complete
from .definition import definition
from .documents import Documents, Open
from .hover import hover
from .messages import Messages, item_of, path_of, range_of
from .positions import Position, Text

_TRIGGERS: Final = [" ", "$", "{", ",", ":", "["]
_WATCHED: Final = lsp.RegistrationParams(
    [
        lsp.Registration(
            "specs",
            lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES,
            lsp.DidChangeWatchedFilesRegistrationOptions(
                [lsp.FileSystemWatcher("**/*.yaml"), lsp.FileSystemWatcher("**/*.yml")]
            ),
        )
    ]
)
"""Asks the editor to say when a file changes on the disk, which an open spec may read."""


class _Protocol(LanguageServerProtocol):
    """The protocol with positions in UTF-16, as every client has them; pygls would choose others.

    Neovim offers UTF-8 first.
    """

    @lsp_method(lsp.INITIALIZE)
    def lsp_initialize(self, params: lsp.InitializeParams) -> Generator[Any, Any, Any]:
        """Answer the first request."""
        if params.capabilities.general is not None:
            params.capabilities.general.position_encodings = None
        return (yield from super().lsp_initialize(params))


class Server(LanguageServer):
    """A server with its open documents."""

    def __init__(self) -> None:
        super().__init__("inception-dsl", __version__, protocol_cls=_Protocol)
        self.documents = Documents(self.publish)

    def publish(self, one: Open, found: Analysis | None) -> None:
        """Send the diagnostics of a document."""
        messages = Messages(self.documents, one, found)
        listed = [messages.diagnostic(d) for d in found.diagnostics] if found else []
        params = lsp.PublishDiagnosticsParams(one.uri, listed, one.version)
        self.text_document_publish_diagnostics(params)


def server() -> Server:
    """A server that answers all its requests."""
    made = Server()
    _follow(made, made.documents)
    _explain(made, made.documents)
    _write(made, made.documents)
    return made


def _follow(made: Server, documents: Documents) -> None:
    """Follow the texts in the editor and the files on the disk."""

    def put(uri: str, version: int, text: Text) -> None:
        path = path_of(uri)
        if path is not None:
            documents.set(uri, path, version, text)

    @made.feature(lsp.INITIALIZED)
    async def started(_: lsp.InitializedParams) -> None:
        workspace = made.client_capabilities.workspace
        watched = workspace and workspace.did_change_watched_files
        if watched and watched.dynamic_registration:
            await made.client_register_capability_async(_WATCHED)

    @made.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        put(item.uri, item.version, Text(item.text))

    @made.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        text = documents.open[uri].text if uri in documents.open else Text("")
        for change in params.content_changes:
            if isinstance(change, lsp.TextDocumentContentChangePartial):
                start, end = (
                    Position(one.line, one.character)
                    for one in (change.range.start, change.range.end)
                )
                text = text.changed(start, end, change.text)
            else:
                text = Text(change.text)
        put(uri, params.text_document.version, text)

    @made.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        documents.close(params.text_document.uri)

    @made.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    async def saved(_: lsp.DidSaveTextDocumentParams) -> None:
        documents.others()

    @made.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def changed_on_disk(_: lsp.DidChangeWatchedFilesParams) -> None:
        documents.others()


def _there(
    documents: Documents, params: lsp.HoverParams | lsp.CompletionParams | lsp.DefinitionParams
) -> tuple[Open, int] | None:
    """The document of a request and the index in its text; ``None`` if it is no spec."""
    one = documents.open.get(params.text_document.uri)
    if one is None or not is_spec(one.text.text, begun=True):
        return None
    return one, one.text.offset(params.position.line, params.position.character)


def _explain(made: Server, documents: Documents) -> None:
    """Answer questions about what is written."""

    @made.feature(lsp.TEXT_DOCUMENT_HOVER)
    async def hovered(params: lsp.HoverParams) -> lsp.Hover | None:
        for found in await documents.analyses(params.text_document.uri):
            if found.typed is None or (at := _there(documents, params)) is None:
                continue
            one, offset = at
            about = hover(found.typed, one.path, *one.text.place(offset))
            if about is not None:
                content = lsp.MarkupContent(lsp.MarkupKind.Markdown, about[0])
                return lsp.Hover(content, range_of(one.text, about[1]))
        return None

    @made.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    async def defined(params: lsp.DefinitionParams) -> lsp.Location | None:
        if (at := _there(documents, params)) is None:
            return None
        (one, offset), texts = at, documents.texts()
        place = one.text.place(offset)
        found = await documents.run(lambda: definition(one.path, one.text.text, place, texts))
        return None if found is None else Messages(documents, one, None).location(*found)


def _write(made: Server, documents: Documents) -> None:
    """Propose what to write."""

    @made.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(_TRIGGERS))
    async def completed(params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
        if (at := _there(documents, params)) is None:
            return []
        (one, offset), texts = at, documents.texts()
        found = await documents.run(lambda: complete(one.path, one.text.text, offset, texts))
        return [item_of(one, item) for item in found]

    @made.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix])
    )
    async def fixes(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        wanted = params.context.only or [lsp.CodeActionKind.QuickFix]
        found = await documents.analysis(params.text_document.uri)
        if found is None or lsp.CodeActionKind.QuickFix not in wanted:
            return []
        messages = Messages(documents, *found)
        start, end = params.range.start, params.range.end
        actions = []
        for d in found[1].diagnostics:
            place = messages.diagnostic(d).range
            if place.start <= end and start <= place.end and (action := messages.fix(d)):
                actions.append(action)
        return actions
