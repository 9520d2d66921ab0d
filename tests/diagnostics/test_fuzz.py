"""Broken texts by the thousand: whatever is done to the shipped specs, the answer is a network or a report."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics import Report
from inception_dsl.summary import Summary

ROUNDS, SEEDS = 600, 6
ODD = [
    *("null", "[]", "{}", "-1", "0", "1e400", ".inf", "$x", "${a", "${1//0}", '"\\0"', '"\\uD800"', "!!python/none {}"),
    *("&a", "*a", "<<", "? [a]", '"', "'", "{", "}", "[", "]", ":", "- ", "#", "|", ">", "%YAML 1.1\n", "---\n", "..."),
    *("999999999999", "repeat: 1000000000", "true", "~", "0x1f", "1:30", "branches", "merge", "op", "use", "steps"),
    *("\t", "\r", "\x00", "\u2028", "é", "\ufeff", "${in_channels * in_channels * in_channels}", "1.5", '"$classes"'),
    *("extends: x.yaml", "import: [x.yaml]", "extends: spec.yaml"),
]


@pytest.fixture(scope="module")
def texts(root: Path) -> list[str]:
    return [p.read_text(encoding="utf-8") for p in sorted((root / "specs").rglob("*.yaml"))]


def mutated(rng: random.Random, text: str) -> str:
    kind = rng.random()
    lines = text.split("\n")
    words = list(re.finditer(r"[A-Za-z0-9_$.]+", text))
    if kind < 0.25 or not words:
        place = rng.randrange(len(text) + 1)
        return text[:place] + rng.choice(ODD) + text[place:]
    if kind < 0.45:
        place = rng.randrange(len(text))
        return text[:place] + text[place + rng.randrange(1, 12) :]
    if kind < 0.75:
        word = rng.choice(words)
        return text[: word.start()] + rng.choice([rng.choice(ODD), rng.choice(words).group()]) + text[word.end() :]
    if kind < 0.85:
        del lines[rng.randrange(len(lines))]
    else:
        lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    return "\n".join(lines)


def broken(rng: random.Random, texts: list[str]) -> Iterator[bytes]:
    for _ in range(ROUNDS):
        text = rng.choice(texts)
        for _ in range(rng.choice([1, 1, 1, 2, 4])):
            text = mutated(rng, text)
        data = bytearray(text.encode("utf-8", "surrogatepass") or b" ")
        if rng.random() < 0.1:
            data[rng.randrange(len(data))] = rng.randrange(256)
        yield bytes(data)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_text_is_an_exception(seed: int, texts: list[str], root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "specs" / "blocks", tmp_path / "blocks")
    path = tmp_path / "spec.yaml"
    for data in broken(random.Random(seed), texts):
        path.write_bytes(data)
        report = Report()
        typed = compile_spec(path, {}, report)
        assert (typed is None) == (not report.ok), data
        for found in report:
            assert found.span.line >= 1
            assert found.span.column >= 1
        if typed is not None:
            assert Summary(typed).to_dict()["layers"] is not None
            assert str(Summary(typed))
