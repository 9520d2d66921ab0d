"""Suggestions for unknown words: a similar known word, or the synonym of another framework."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from .synonyms import SYNONYMS

_SEARCHED: Final = 100


def bare(word: str) -> str:
    """``word`` in lower case, without punctuation and without a final ``1d``, ``2d`` or ``3d``."""
    found = re.sub(r"[^a-z0-9]", "", word[:100].lower())
    return re.sub(r"[123]d$", "", found)


def _parts(word: str) -> list[str]:
    """The words of a name, sorted."""
    return sorted(re.findall(r"[a-z0-9]+", word[:100].lower()))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is probably meant by ``word``, if any."""
    words = list(known)
    if len(words) > _SEARCHED:
        words = [w for w in words if w[:1] == word[:1] and abs(len(w) - len(word)) < 4][:_SEARCHED]
    return same(word, words) or _closest(word[:100], words) or _synonym(word, words)


def _synonym(word: str, words: list[str]) -> str | None:
    """The known word whose synonym is ``word`` with a typing error."""
    plain = bare(word)
    for known, meant in SYNONYMS.items():
        close = min(len(plain), len(known)) > 5 and abs(len(plain) - len(known)) < 3
        if close and plain[0] == known[0] and typing_error(plain, known):
            return next((w for w in meant.split() if w in words), None)
    return None


def same(word: str, known: Iterable[str]) -> str | None:
    """The known word that means the same as ``word``: another spelling, or a synonym."""
    words, plain = list(known), bare(word)
    for found in words:
        if bare(found) == plain != "":
            return found
    for meant in SYNONYMS.get(plain, "").split():
        if meant in words:
            return meant
    parts = _parts(word)
    return next((w for w in words if len(parts) > 1 and _parts(w) == parts), None)


def typing_error(word: str, known: str) -> bool:
    """Whether ``word`` is ``known`` with a typing error, and not another word like it."""
    from difflib import SequenceMatcher

    return SequenceMatcher(None, word[:100].lower(), known).ratio() >= 0.8


def _closest(word: str, words: list[str]) -> str | None:
    """The most similar of ``words``, if its similarity is above 0.6.

    Words whose letters alone rule them out are not compared: the comparison is slow.
    """
    from difflib import SequenceMatcher  # slow to import, and only errors need it

    matcher = SequenceMatcher(b=word)
    bounds = []
    for known in words:
        matcher.set_seq1(known)
        bounds.append((matcher.quick_ratio(), known))
    best = (0.6, "")
    for bound, known in sorted(bounds, reverse=True):
        if bound < best[0]:
            break
        matcher.set_seq1(known)
        best = max(best, (matcher.ratio(), known))
    return best[1] or None


def suggestion(word: str, known: Iterable[str], *, what: str) -> str:
    """A help text: the nearest known word, or else all of them."""
    words = sorted(known)
    best = nearest(word, words)
    if best is not None:
        return f"did you mean `{best}`?"
    return f"{what}: {listed(words)}" if words else ""


def listed(words: Iterable[str]) -> str:
    """The words separated by commas; of more than 30, the first 30."""
    found = list(words)
    more = f" and {len(found) - 30} more" if len(found) > 30 else ""
    return ", ".join(found[:30]) + more


def counted(value: float, unit: str) -> str:
    """``1 step``, ``2,400,000 steps``, ``0.5 epochs``; ``unit`` is a plural."""
    return f"{value:,.10g} {unit[:-1] if value == 1 else unit}"
