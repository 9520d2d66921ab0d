"""The field `requires` compares versions as pip does."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version
from pydantic_core import PydanticCustomError

from inception_dsl.diagnostics.report import Report
from inception_dsl.language import requires
from inception_dsl.language.load import load
from inception_dsl.language.requires import meets, requirement
from inception_dsl.version import __version__

VERSIONS = (
    *("0.1.0", "0.2", "0.2.0", "0.2.0rc1", "0.2.0.dev3", "0.2.post1", "0.2.1", "1.0", "0.10"),
    *("2", "0.2.0+local", "0.2a1.dev2", "1.0b2", "0.2.0.post1.dev2"),
)
RELEASES = ("0.1", "0.2", "0.2.0", "0.2.1", "1", "0.10", "0", "0.1.*", "0.2.*", "0.2.0.*", "1.*")
SIGNS = ("==", "!=", ">=", "<=", "<", ">", "~=")
HEAD = "network: n\ninput: {channels: 3, height: 8, width: 8}\nbody: [{op: identity}]\n"


def valid(text: str) -> bool:
    try:
        requirement(f"inception-dsl {text}")
    except PydanticCustomError:
        return False
    return True


def test_all_comparisons_are_those_of_pip() -> None:
    counted = 0
    for sign, release in product(SIGNS, RELEASES):
        try:
            expected = SpecifierSet(f"{sign}{release}")
        except InvalidSpecifier:
            assert not valid(f"{sign} {release}")
            continue
        assert valid(f"{sign} {release}")
        for version in VERSIONS:
            counted += 1
            found = meets(version, f"inception-dsl {sign} {release}")
            assert found == expected.contains(Version(version), prereleases=True), (
                f"{version} {sign} {release}"
            )
    assert counted > 700


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (">= 0.2, < 0.3", "0.2.5"),
        (">=0.2,<0.3", "0.2.5"),
        ("~= 0.2, != 0.2.3", "0.9"),
    ],
)
def test_several_conditions(text: str, expected: str) -> None:
    assert valid(text)
    assert meets(expected, f"inception-dsl {text}")
    assert not meets("0.1", f"inception-dsl {text}")
    assert not meets("1.0", f"inception-dsl {text}")


@pytest.mark.parametrize(
    "text", ["", "0.2", "=> 0.2", ">= 0.2rc1", ">= x", ">= 1,", ">= 1 < 2", "= 1", "> 1.*", "===1"]
)
def test_what_is_no_requirement(text: str) -> None:
    assert not valid(text)


@pytest.mark.parametrize(
    "name", ["torch", "inception_dsl", "Inception-DSL", "inception-dsl[torch]"]
)
def test_other_names(name: str) -> None:
    with pytest.raises(PydanticCustomError):
        requirement(f"{name} >= 0.2")


def test_this_version_is_understood() -> None:
    assert meets(__version__, f"inception-dsl == {__version__}")


def test_one_line_and_nothing_that_follows(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer language may have other fields, in this file and in those that it names."""
    monkeypatch.setattr(requires, "__version__", "0.1.0")
    write(
        "requires: inception-dsl ~= 0.3\nblock: tower\nstrange: 1\nsteps: [{op: new}]\n", "t.yaml"
    )
    write(f"requires: inception-dsl >= 0.2, < 1\n{HEAD}strange: 1\n", "base.yaml")
    cases = {
        f"requires: inception-dsl >= 0.2\n{HEAD}strange: 1\n": ("spec.yaml:1:11", ">= 0.2"),
        "extends: base.yaml\nhead: [{op: strange}]\n": ("base.yaml:1:11", ">= 0.2, < 1"),
        f"import: [t.yaml]\n{HEAD}head: [{{use: tower}}]\n": ("t.yaml:1:11", "~= 0.3"),
    }
    for text, (place, versions) in cases.items():
        report = Report()
        spec = load(write(text), {}, report)
        if spec is not None:
            from inception_dsl.language.link import link

            link(spec, report)
        (found,) = report
        assert (found.code, str(found.span).endswith(place)) == ("E315", True), found
        versions_and_this = f"requires inception-dsl {versions.replace('~= ', '~=')}"
        assert found.message.replace(" ", "").startswith(versions_and_this.replace(" ", ""))
        assert found.message.endswith("and this is 0.1.0")
        assert found.help.startswith("pip install 'inception-dsl")
