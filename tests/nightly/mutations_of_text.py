"""Specs with damaged bytes or damaged YAML."""

from __future__ import annotations

import random
import re
from typing import Final

Rng = random.Random


# bytes

BROKEN: Final = (
    *(
        b"\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\x80",
        b"\xe2\x82",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
    ),
    *(
        b"\x00",
        b"\r",
        b"\x1b[2J",
        b"\x7f",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\xe2\x80\xae",
        b"\xe2\x80\x8b",
        b"\xc2\xa0",
    ),
    *(
        b"\xf0\x9f\x91\xbe",
        b"\xf3\xa0\x80\x81",
        b"\t",
        b"\xef\xbf\xbf",
        b"\xcc\x81",
        b"\xee\x80\x80",
        b"\xc2\xad",
    ),
)
ENCODINGS: Final = (
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "latin-1",
    "cp037",
    "utf-7",
    "utf-8-sig",
    "cp1252",
)


def of_bytes(rng: Rng, text: str, changes: int) -> bytes:
    """Flipped bits, lost and repeated parts, truncated text, invalid UTF-8, other encodings."""
    if rng.random() < 0.1:
        return text.encode(rng.choice(ENCODINGS), "replace")
    data = bytearray(text.encode())
    for _ in range(changes):
        place, kind = rng.randrange(len(data) + 1), rng.randrange(8)
        if kind == 0 and place < len(data):
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1 and place < len(data):
            data[place] = rng.randrange(256)
        elif kind == 2:
            data[place:place] = rng.choice(BROKEN)
        elif kind == 3:
            del data[place : place + rng.choice([1, 2, 10, 100])]
        elif kind == 4:
            del data[place:]
        elif kind == 5:
            data[place:place] = data[place : place + rng.choice([1, 10, 100])]
        elif kind == 6:
            data[place:place] = rng.randbytes(rng.choice([1, 2, 8, 64]))
        else:
            other = rng.randrange(len(data) + 1)
            data[place:place] = data[other : other + 40]
    return bytes(data)


# YAML

TOKENS: Final = (
    *(
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        "- ",
        "-",
        ",",
        "#",
        " #",
        "|",
        ">",
        "|2-\n",
        ">+9\n",
        "?",
        "? [a]",
        "'",
        '"',
        "\t",
    ),
    *(
        "&a ",
        "*a",
        "&a &b ",
        "*",
        "&",
        "<<: *a\n",
        "<<: {a: 1}\n",
        "!",
        "!!int ",
        "!!python/none {}",
        "!<x> ",
        "!!set ",
    ),
    *(
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "%TAG ! x\n",
        "\n",
        "\r\n",
        "\n\n",
        " ",
        "  ",
        "`",
        "@",
        "%",
        '"\\0"',
        '"\\uD800"',
    ),
    *(
        '"\\u202E"',
        '"\\x1b"',
        '"\\U000E0001"',
        '"\\',
        "null",
        "~",
        "true",
        "no",
        "010",
        "1:30",
        "0x1f",
        ".inf",
        "1e400",
    ),
)


def of_yaml(rng: Rng, text: str, changes: int) -> bytes:
    """Moved tokens, lines and words; anchors, aliases, tags, nesting, indentation."""
    for _ in range(changes):
        text = rng.choice(_YAML)(rng, text) or "a"
    return text.encode()


def _token(rng: Rng, text: str) -> str:
    place = rng.randrange(len(text) + 1)
    return text[:place] + rng.choice(TOKENS) + text[place:]


def _word(rng: Rng, text: str) -> str:
    words = list(re.finditer(r"[A-Za-z0-9_$.]+", text))
    if not words:
        return text
    word = rng.choice(words)
    new = rng.choice(
        [
            rng.choice(TOKENS),
            rng.choice(words).group(),
            f"&x {word.group()}",
            "*x",
            f"!t {word.group()}",
        ]
    )
    return text[: word.start()] + new + text[word.end() :]


def _nest(rng: Rng, text: str) -> str:
    place, depth = rng.randrange(len(text) + 1), rng.choice([1, 2, 10, 47, 48, 49, 100, 3000])
    opening, closing = rng.choice([("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")])
    return text[:place] + opening * depth + closing * rng.choice([depth, 0, 1]) + text[place:]


def _line(rng: Rng, text: str) -> str:
    lines = text.split("\n")
    here, there = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(6)
    if kind == 0:
        del lines[here]
    elif kind == 1:
        lines.insert(there, lines[here])
    elif kind == 2:
        lines[here], lines[there] = lines[there], lines[here]
    elif kind == 3:
        lines[here] = " " * rng.randrange(1, 9) + lines[here]
    elif kind == 4:
        lines[here] = lines[here].lstrip()
    else:
        lines[here:there] = []
    return "\n".join(lines)


def _alias(rng: Rng, text: str) -> str:
    """Anchors on some values, and aliases to them instead of other values."""
    lines = text.split("\n")
    places = [i for i, line in enumerate(lines) if re.search(r": \S", line)]
    for number, index in enumerate(rng.sample(places, min(len(places), rng.choice([2, 3, 8])))):
        key, _, value = lines[index].partition(": ")
        lines[index] = (
            f"{key}: &a{number} {value}"
            if number % 2 == 0
            else f"{key}: *a{rng.randrange(number + 1)}"
        )
    return "\n".join(lines)


def _quote(rng: Rng, text: str) -> str:
    mark = rng.choice(["'", '"', "#", " ", ": "])
    places = [m.start() for m in re.finditer(re.escape(mark), text)] or [0]
    place = rng.choice(places)
    return text[:place] + rng.choice(["", "'", '"', "\\"]) + text[place + len(mark) :]


_YAML: Final = (_token, _token, _word, _word, _nest, _line, _line, _alias, _quote)
