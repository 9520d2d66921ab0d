"""Text of a spec for LaTeX: no character of it is markup, and pdflatex can typeset all of it.

The result is ASCII, and needs no package and no font encoding besides LaTeX's own (OT1).
"""

from __future__ import annotations

import re
from typing import Final

from ..diagnostics.text import printable
from ..types.prose import Prose
from .pycode import Code

_ASCII: Final = {
    **{character: f"\\{character}" for character in "&%$#_"},
    "{": r"\textbraceleft{}",  # BibTeX counts braces, also escaped ones
    "}": r"\textbraceright{}",
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\symbol{34}",  # \textquotedbl is not in OT1, and a plain one may be active in babel
    "[": "{[}",  # after \\, it would begin an argument
    "*": "{*}",
}
_LIGATURE: Final = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=`)(?=`)|(?<=[?!])(?=`)|(?<=,)(?=,)")
"""Where LaTeX would make one sign of two characters."""
_END: Final = re.compile("(?<=.)-[A-Za-z0-9]$")
_SLASH: Final = re.compile("/(?=[^/ ]{3})")
# fmt: off
_MATH: Final = {
    "×": "times", "÷": "div", "±": "pm", "·": "cdot", "⊙": "odot", "⊗": "otimes",
    "→": "to", "←": "leftarrow", "↔": "leftrightarrow", "⇒": "Rightarrow", "⊕": "oplus",
    "≤": "leq", "≥": "geq", "≠": "neq", "≈": "approx", "∞": "infty", "√": "surd",
    "∑": "sum", "∏": "prod", "∈": "in", "∂": "partial", "∇": "nabla", "µ": "mu",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu",
    "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "ς": "varsigma", "τ": "tau",
    "υ": "upsilon", "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma",
    "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma",
    "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega", "«": "ll", "»": "gg",
}
_OTHER: Final = {
    "—": "---", "–": "--", "…": r"\ldots{}", "−": "$-$", "⁄": "/", "°": r"$^\circ$",
    "‘": "`", "’": "'", "“": "``", "”": "''", "²": "$^2$", "³": "$^3$", "¹": "$^1$",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ı": r"\i{}",
    "ø": r"\o{}", "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}", "¡": "!`", "¿": "?`",
    "§": r"\S{}", "¶": r"\P{}", "©": r"\copyright{}", "£": r"\pounds{}", "•": "$\\bullet$",
    "†": r"\dag{}", "‡": r"\ddag{}",
}
_ACCENTS: Final = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u",
    "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0323": "d",
    "\u0327": "c", "\u0331": "b",
}
"""Combining characters that have a command in OT1."""
# fmt: on


def latex(text: str | Prose) -> Code:
    """The text as LaTeX; free text of a spec in one line.

    Accents, Greek letters and common signs become commands; what has a plain form in Unicode
    (``fi`` as one letter) is written so. Any other character becomes its code, as ``[U+4E2D]``.
    """
    shown = _line(text).replace(" -> ", " → ").split("\N{NO-BREAK SPACE}")
    return Code("~".join("".join(map(_part, _clusters(printable(part)))) for part in shown))


def divided(text: str | Prose, long: int) -> Code:
    """The text as LaTeX, of which long words may be divided.

    A line may end after a slash with a longer text behind it, and in a word of more than ``long``
    characters after every eighth, with a hyphen; not before the last letter of ``Inception-v3-A``.
    """
    words = ([_pieces(w, long) for w in _SLASH.split(word)] for word in _line(text).split(" "))
    return Code(" ".join(map(r"/\allowbreak{}".join, words)))


def _line(text: str | Prose) -> str:
    return " ".join(text.plain.split()) if isinstance(text, Prose) else text


def _pieces(word: str, long: int) -> str:
    if end := _END.search(word):
        return rf"{_pieces(word[: end.start()], long)}\mbox{{{latex(end[0])}}}"
    if len(word) <= long or "\N{NO-BREAK SPACE}" in word:
        return latex(word)
    return r"\-".join(latex(word[i : i + 8]) for i in range(0, len(word), 8))


def _clusters(text: str) -> list[str]:
    """The characters, a letter with its accents as one; an empty one separates a ligature."""
    parts = _LIGATURE.split(text)
    if text.isascii():
        return [c for i, part in enumerate(parts) for c in ([""] * bool(i) + [*part])]
    from unicodedata import combining, normalize  # only text that is not ASCII needs it

    found: list[str] = []
    for i, part in enumerate(parts):
        found += [""] * bool(i)
        for character in normalize("NFC", part):
            if combining(character) and found and found[-1].isalpha():
                found[-1] += character
            else:
                found.append(character)
    return found


def _part(cluster: str) -> str:
    """One character, or a letter with accents; empty: what separates a ligature."""
    if not cluster:
        return "{}"
    if cluster.isascii():
        return _ASCII.get(cluster, cluster)
    if cluster in _OTHER:
        return _OTHER[cluster]
    if cluster in _MATH:
        return rf"$\{_MATH[cluster]}$"
    from unicodedata import normalize

    letter, *marks = list(normalize("NFD", cluster))
    if letter.isascii() and len(marks) == 1 and marks[0] in _ACCENTS:
        return rf"\{_ACCENTS[marks[0]]}{{{letter}}}"
    plain = normalize("NFKC", cluster)
    if plain != cluster and all(c.isascii() or c in _OTHER or c in _MATH for c in plain):
        return "".join(map(_part, plain))
    return "".join(c if c.isascii() else f"{{[}}U+{ord(c):04X}]" for c in cluster)
