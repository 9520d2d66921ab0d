"""Texts for LaTeX: none of their characters is markup, and the result is ASCII."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_dsl.emit.latex import divided, latex
from inception_dsl.types.prose import Prose

MARKUP = re.compile(
    r"\$(?:\\[a-zA-Z]+|-|\^[123]|\^\\circ)\$|\{[\[*]?\}"
    r"|\\(?:[a-zA-Z]+\{\d*\}|[&%$#_]|[`'^~=.\"uHvdcbr]\{[a-zA-Z]\})"
)
"""The commands that the result may have."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50% of a_b & c#d$", r"50\% of a\_b \& c\#d\$"),
        ("\\input{x}", r"\textbackslash{}input\textbraceleft{}x\textbraceright{}"),
        ("~^<>|", r"\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}\textbar{}"),
        ('"', r"\symbol{34}"),
        ("[1] *", "{[}1] {*}"),
        ("a -> b → c", r"a $\to$ b $\to$ c"),
        ("3×3", r"3$\times$3"),
        ("café, Erdős, Žižek", r"caf\'{e}, Erd\H{o}s, \v{Z}i\v{z}ek"),
        ("Øst, Łódź, Straße", r"\O{}st, \L{}\'{o}d\'{z}, Stra\ss{}e"),
        ("α ≤ Ω", r"$\alpha$ $\leq$ $\Omega$"),
        ("ﬁt ½ ²", "fit 1/2 $^2$"),
        ("a–b—c…", r"a--b---c\ldots{}"),
        ("--help ``x'' ?`", "-{}-help `{}`x'{}' ?{}`"),
        ("中 😀", "{[}U+4E2D] {[}U+1F600]"),
        ("ế ą", "{[}U+1EBF] {[}U+0105]"),
        (")\u0301", "){[}U+0301]"),
        ("x\u0301\u0302", r"\'{x}{[}U+0302]"),
        ("a\x07\nb\u202e", r"a\textbackslash{}x07\textbackslash{}nb\textbackslash{}u202e"),
        ("a\N{NO-BREAK SPACE}b", "a~b"),
    ],
)
def test_characters(text: str, expected: str) -> None:
    assert latex(text) == expected


@given(st.text())
def test_no_character_is_markup(text: str) -> None:
    found = latex(text)
    assert found.isascii()
    assert found.isprintable()
    assert not set(MARKUP.sub("", found).replace("~", "")) & set('\\{}$&#%_^"<>|*[')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("short/ab words", "short/ab words"),
        ("https://a.b/c_d", r"https://\allowbreak{}a.b/\allowbreak{}c\_d"),
        ("a" * 20, r"aaaaaaaa\-aaaaaaaa\-aaaa"),
        ("a" * 7 + "%" * 7 + "a", r"aaaaaaa\%\-\%\%\%\%\%\%a"),
        ("2×Inception-v3-A", r"2$\times$Incept\-ion-v3\mbox{-A}"),
        ("-A", "-A"),
        (Prose("two\n  lines"), "two lines"),
    ],
)
def test_long_words_may_be_divided(text: str | Prose, expected: str) -> None:
    assert divided(text, 12) == expected
