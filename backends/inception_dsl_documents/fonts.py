"""The width of text in Helvetica, with which Arial, Liberation Sans and Nimbus Sans agree.

The widths are those of Adobe's font metrics, in thousandths of the font size.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

_WIDTHS: Final = {
    191: "'",
    222: "ijl",
    260: "|",
    278: " !,./:;I[\\]ft·",
    333: "()-`r",
    334: "{}",
    355: '"',
    389: "*",
    469: "^",
    500: "Jcksvxyz",
    556: "#$0123456789?L_abdeghnopqu",
    584: "+<=>~×−",
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    889: "%",
    944: "W",
    1000: "…",
    1015: "@",
}
_OF: Final = {character: width for width, text in _WIDTHS.items() for character in text}
_WIDE: Final = 1000
_OTHER: Final = 667
"""Of a character that is not in the table: an accented capital."""


@lru_cache(maxsize=4096)
def text_width(text: str, size: float) -> float:
    """The width of a line of text in a font of ``size``, in the same unit."""
    return size * sum(map(_width, text)) / 1000


def _width(character: str) -> int:
    if character in _OF:
        return _OF[character]
    if unicodedata.combining(character):
        return 0
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _OTHER
