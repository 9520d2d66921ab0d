"""Texts of the repository use plain technical English: some words and phrases are not allowed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from paths import ROOT

SUFFIXES = {".py", ".md", ".yaml", ".j2"}
EXCEPTIONS = {"tests/repository/test_words.py"}
"""Files that quote the words: only this one."""
FOLDERS = ("inception_dsl", "backends", "specs", "generated", "tests", "benchmarks", "docs")
"""Folders to search without git, in an unpacked source distribution."""
WORDS = {
    "mistake": "error",
    r"mend(ed|s)?\b": "fix (for `recommend`: suggest)",
    "stands? (twice|here|there)": "duplicate, first defined here, is here",
    "leaves? with": "exits with status",
    "told of": "reported",
    "the door": "public API",
    "the house": "architecture",
    "floors": "import layers (for arithmetic: rounds down)",
    "defects? of ours": "internal error",
    "words? of Python": "Python keyword",
    "says? of itself": "metadata",
}
"""Regular expressions, and what to write instead."""
PATTERN = re.compile(
    "|".join(f"(?P<w{i}>{word})" for i, word in enumerate(WORDS)), flags=re.IGNORECASE
)


def tracked(root: Path) -> list[Path]:
    """The files of the repository with texts: those that git tracks, else those in the folders."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True
        ).stdout
        files = [root / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        files = []
    if not files:
        files = [*root.glob("*.md"), *(p for folder in FOLDERS for p in (root / folder).rglob("*"))]
    return sorted(path for path in files if path.suffix in SUFFIXES and path.is_file())


def problems(path: Path, root: Path) -> Iterator[str]:
    """Every banned word in a file, with its line and what to write instead."""
    name = path.relative_to(root).as_posix()
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        for found in PATTERN.finditer(line):
            instead = [*WORDS.values()][int((found.lastgroup or "w0")[1:])]
            yield f"{name}:{number}: `{found.group()}`, write instead: {instead}"


def test_texts_use_plain_words() -> None:
    files = [path for path in tracked(ROOT) if path.relative_to(ROOT).as_posix() not in EXCEPTIONS]
    found = [problem for path in files for problem in problems(path, ROOT)]
    if found:
        pytest.fail("\n".join([f"{len(found)} banned words", *found]), pytrace=False)


def test_texts_of_every_kind_are_searched() -> None:
    files = tracked(ROOT)
    assert {path.suffix for path in files} == SUFFIXES
    assert {path.relative_to(ROOT).parts[0] for path in files} >= {*FOLDERS, "README.md"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("one Mistake, two mistakes", "mistake"),
        ("mend", r"mend(ed|s)?\b"),
        ("It mends what is recommended.", r"mend(ed|s)?\b"),
        ("the key stands twice", "stands? (twice|here|there)"),
        ("Stand here.", "stands? (twice|here|there)"),
        ("it leaves with 1", "leaves? with"),
        ("is told of", "told of"),
        ("THE DOOR", "the door"),
        ("the house", "the house"),
        ("floors", "floors"),
        ("a defect of ours", "defects? of ours"),
        ("a word of Python", "words? of Python"),
        ("what the file says of itself", "says? of itself"),
    ],
)
def test_banned_word_is_found(text: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / "docs" / "page.md"
    path.parent.mkdir()
    path.write_text(f"# Title\n\n{text}\n", encoding="utf-8")
    assert tracked(tmp_path) == [path]
    found = [*problems(path, tmp_path)]
    assert found
    for problem in found:
        assert problem.startswith("docs/page.md:3: `")
        assert problem.endswith(f"write instead: {WORDS[word]}")


@pytest.mark.parametrize(
    "text", ["an error", "dimension, amendment, mending", "outdoor", "warehouse", "exits with 1"]
)
def test_plain_words_are_accepted(text: str, tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(f"{text}\n", encoding="utf-8")
    assert not [*problems(path, tmp_path)]
