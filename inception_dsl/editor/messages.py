"""What the other modules find, as messages of the Language Server Protocol."""

from __future__ import annotations

import os
from typing import Final
from urllib.parse import urlsplit

from lsprotocol import types as lsp
from pygls.uris import from_fs_path, to_fs_path

from ..diagnostics.report import Diagnostic, Span
from ..diagnostics.text import printable
from ..language.file_names import same
from .analysis import Analysis
from .completion import Item
from .definition import file_of
from .documents import Documents, Open
from .positions import Text

_KINDS: Final = {
    "op": lsp.CompletionItemKind.Class,
    "field": lsp.CompletionItemKind.Property,
    "block": lsp.CompletionItemKind.Module,
    "parameter": lsp.CompletionItemKind.Variable,
    "value": lsp.CompletionItemKind.EnumMember,
    "spec": lsp.CompletionItemKind.File,
}


def path_of(uri: str) -> str | None:
    """The path of a document's file; ``None`` if it is no local file."""
    try:
        path = to_fs_path(uri) if urlsplit(uri).scheme == "file" else None
    except ValueError:
        return None
    return os.path.normpath(path) if path and "\0" not in path else None


def range_of(text: Text, span: Span) -> lsp.Range:
    """The range of a location in a text."""
    start, end = text.range(span)
    return lsp.Range(lsp.Position(*start), lsp.Position(*end))


class Messages:
    """Messages about one document and its analysis."""

    def __init__(self, documents: Documents, one: Open, found: Analysis | None) -> None:
        self.documents, self.one, self.found = documents, one, found

    def diagnostic(self, d: Diagnostic) -> lsp.Diagnostic:
        """A diagnostic for the editor."""
        lines = [d.message, *([d.label] if d.label else []), *d.notes]
        lines += [f"help: {d.help}"] if d.help else []
        related = [
            lsp.DiagnosticRelatedInformation(self.location(span), printable(label))
            for span, label in d.related
            if not span.on_command_line
        ]
        warning = d.severity == "warning"
        severity = lsp.DiagnosticSeverity.Warning if warning else lsp.DiagnosticSeverity.Error
        return lsp.Diagnostic(
            range_of(self.one.text, d.span),
            "\n".join(map(printable, lines)),
            severity,
            d.code,
            source="inception-dsl",
            related_information=related or None,
        )

    def location(self, span: Span, text: str | None = None) -> lsp.Location:
        """A location in any file, for the editor; ``text`` is that of the file, if it is known."""
        path = os.path.abspath(file_of(span))
        for one in self.documents.open.values():
            if same(one.path) == same(path):  # as the editor calls it
                return lsp.Location(one.uri, range_of(one.text, span))
        if text is None:
            text = self.found.report.texts.get(span.file, "") if self.found is not None else ""
        return lsp.Location(from_fs_path(path) or "", range_of(Text(text), span))

    def fix(self, d: Diagnostic) -> lsp.CodeAction | None:
        """The edits of a diagnostic as a quick fix; ``None`` without edits in files of the user."""
        if not d.fix or not all(edit.span.in_a_file for edit in d.fix):
            return None
        changes: dict[str, list[lsp.TextEdit]] = {}
        for span, new in d.fix:
            place = self.location(span)
            changes.setdefault(place.uri, []).append(lsp.TextEdit(place.range, new))
        edits = []
        for uri, listed in changes.items():
            version = self.documents.open[uri].version if uri in self.documents.open else None
            document = lsp.OptionalVersionedTextDocumentIdentifier(uri, version)
            edits.append(lsp.TextDocumentEdit(document, list(listed)))
        return lsp.CodeAction(
            printable(d.help or d.message),
            lsp.CodeActionKind.QuickFix,
            [self.diagnostic(d)],
            is_preferred=True,
            edit=lsp.WorkspaceEdit(document_changes=edits),
        )


def item_of(one: Open, item: Item) -> lsp.CompletionItem:
    """A completion, with the range that it replaces."""
    start, end = one.text.position(item.start), one.text.position(item.end)
    place = lsp.Range(lsp.Position(*start), lsp.Position(*end))
    return lsp.CompletionItem(
        item.label,
        kind=_KINDS[item.kind],
        documentation=item.about or None,
        text_edit=lsp.TextEdit(place, item.text),
    )
