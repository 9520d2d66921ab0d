"""SARIF output, validated with the parts of its schema that are used."""

from __future__ import annotations

import json
from email.message import Message
from importlib import metadata
from typing import Any

import pytest
from documents import anchors
from paths import ROOT
from reports import some_report

import inception_dsl
from inception_dsl.diagnostics.codes import CODES
from inception_dsl.diagnostics.explain.explanations import explanations
from inception_dsl.diagnostics.formats import sarif
from inception_dsl.diagnostics.report import Report, Span

FIX: dict[str, Any] = {
    "required": ["artifactChanges"],
    "properties": {
        "description": {"required": ["text"]},
        "artifactChanges": {
            "type": "array",
            "minItems": 1,
            "items": {
                "required": ["artifactLocation", "replacements"],
                "properties": {
                    "replacements": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"required": ["deletedRegion"]},
                    },
                },
            },
        },
    },
}
SARIF: dict[str, Any] = {  # requirements of the standard
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {"required": ["id"]},
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "required": ["message"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"]},
                                "locations": {
                                    "type": "array",
                                    "items": {"$ref": "#/definitions/location"},
                                },
                                "relatedLocations": {
                                    "type": "array",
                                    "items": {"$ref": "#/definitions/location"},
                                },
                                "fixes": {"type": "array", "uniqueItems": True, "items": FIX},
                            },
                        },
                    },
                },
            },
        },
    },
    "definitions": {
        "location": {
            "required": ["physicalLocation"],
            "properties": {
                "physicalLocation": {
                    "required": ["artifactLocation", "region"],
                    "properties": {
                        "artifactLocation": {
                            "required": ["uri"],
                            "properties": {"uri": {"pattern": "^[!-~]+$"}},
                        },
                        "region": {
                            "required": ["startLine", "startColumn", "endLine", "endColumn"],
                            "additionalProperties": {"type": "integer", "minimum": 1},
                        },
                    },
                }
            },
        }
    },
}


def test_sarif() -> None:
    import jsonschema

    log = json.loads(sarif(some_report(), inception_dsl.__version__))
    jsonschema.Draft7Validator(SARIF).validate(log)
    run = log["runs"][0]
    assert run["tool"]["driver"]["semanticVersion"] == inception_dsl.__version__
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert rules[result["ruleIndex"]]["shortDescription"]["text"] == CODES[result["ruleId"]]
    outside, inside = run["results"]
    assert outside["locations"] == []
    place = {
        "artifactLocation": {"uri": "a%20b.yaml"},
        "region": {"startLine": 2, "startColumn": 6, "endLine": 2, "endColumn": 11},
    }
    assert inside["locations"] == [{"physicalLocation": place}]
    assert inside["relatedLocations"] == [{"physicalLocation": place, "message": {"text": "here"}}]
    change = {"deletedRegion": place["region"], "insertedContent": {"text": "3"}}
    assert inside["fixes"] == [
        {
            "description": {"text": "try ::"},
            "artifactChanges": [
                {"artifactLocation": place["artifactLocation"], "replacements": [change]}
            ],
        }
    ]
    report = Report()
    report.error("E101", "x", Span("/a b.yaml", 1, 1, 1, 2))
    uri = json.loads(sarif(report, "1.2.3"))["runs"][0]["results"][0]["locations"][0][
        "physicalLocation"
    ]["artifactLocation"]
    assert uri == {"uri": "file:///a%20b.yaml"}


@pytest.mark.parametrize(
    "stated",
    [
        ["Homepage, https://a.b", "Repository, https://example.org/inception-dsl.git"],
        ["Source Code,https://example.org/inception-dsl/"],
        ["Changelog, https://example.org/x"],
        None,
    ],
)
def test_rules_explain_themselves(
    stated: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a link to their section of the page, if the package states its repository."""
    about = Message()
    for url in stated or ():
        about["Project-URL"] = url
    monkeypatch.setattr(metadata, "metadata", lambda _: about)
    report = Report()
    for code in CODES:
        (report.warning if code[0] == "W" else report.error)(code, "x", Span("a", 1, 1, 1, 2))
    rules = json.loads(sarif(report, "1.2.3"))["runs"][0]["tool"]["driver"]["rules"]
    assert {rule["id"] for rule in rules} == {*CODES}
    known = anchors(ROOT / "docs" / "errors.md")
    for rule in rules:
        found = explanations()[rule["id"]]
        assert rule["fullDescription"]["text"] == found.why
        assert rule["help"]["markdown"] == found.markdown()
        assert found.why.split()[0] in rule["help"]["text"] and "Wrong" in rule["help"]["text"]
        assert (
            rule["defaultConfiguration"]["level"] == {"W": "warning", "E": "error"}[found.code[0]]
        )
        page, _, anchor = rule.get("helpUri", "").partition("#")
        linked = stated is not None and "Changelog" not in stated[0]
        assert bool(page) == linked
        if linked:
            assert page == "https://example.org/inception-dsl/blob/HEAD/docs/errors.md"
            assert anchor in known


def test_a_package_that_is_not_installed_has_no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "metadata", missing)
    rules = json.loads(sarif(some_report(), "1"))["runs"][0]["tool"]["driver"]["rules"]
    assert rules and not any("helpUri" in rule for rule in rules)


def test_a_spec_cannot_add_links_to_sarif() -> None:
    report = Report()
    report.error(
        "E201",
        "unknown field `[a](http://b)\x1b`",
        Span("a", 1, 1, 1, 2),
        related=[(Span("a", 2, 1, 2, 2), "[b](1)")],
    )
    (result,) = json.loads(sarif(report, "1.2.3"))["runs"][0]["results"]
    assert result["message"]["text"] == r"unknown field `\[a\](http://b)\\x1b`"
    assert result["relatedLocations"][0]["message"]["text"] == r"\[b\](1)"
