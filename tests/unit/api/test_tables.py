"""HTML for notebooks: complete, escaped, without colours of its own; and short texts elsewhere."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

import inception_dsl
from inception_dsl import plugins
from inception_dsl.backend import Backend, Report, Request, TypedProgram
from inception_dsl.plugins import Plugin

TEXT = (
    "network: net\n"
    "title: '<script>alert(\"$x$\")</script> & co'\n"
    "input: {channels: 3, height: 8, width: 8}\n"
    "body: [{op: conv, filters: 4, kernel_size: 3}]\n"
)


class Tables(HTMLParser):
    """Reads tables, and checks that every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.rows: list[list[str]] = []
        self.styles: set[str] = set()
        self.images: list[dict[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            return
        if tag == "img":
            self.images.append({name: value or "" for name, value in attrs})
            return
        self.open.append(tag)
        self.styles |= {value or "" for name, value in attrs if name == "style"}
        assert {name for name, _ in attrs} <= {"style", "class"}
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


@pytest.mark.parametrize("name", ["v3", "inception_resnet_v1", "v0"])
def test_the_tables_have_all_numbers(name: str) -> None:
    """As the text of the summary, which has one more line below its header."""
    network = inception_dsl.load(name)
    summary = network.summary()
    found = Tables(summary._repr_html_())
    plain = [re.sub(r"\s+", "", line) for line in str(summary).splitlines()]
    rows = ["".join(row).replace(" ", "") for row in found.rows]
    assert [row for row in plain[1:] if row and set(row) != {"-"}] == rows
    facts = Tables(network._repr_html_()).rows
    assert facts == found.rows[-len(facts) :]
    assert dict(facts)["parameters"] == f"{network.parameters:,}"


@pytest.mark.parametrize("of", ["network", "summary"])
def test_texts_are_escaped_and_nothing_has_a_colour(write: Callable[..., Path], of: str) -> None:
    network = inception_dsl.load(write(TEXT))
    html = (network if of == "network" else network.summary())._repr_html_()
    found = Tables(html)
    assert "script" not in html.replace("&lt;script&gt;", "").replace("&lt;/script&gt;", "")
    assert found.texts[0] == '<script>alert("$x$")</script> & co'
    allowed = r"text-align: (left|right)(; padding-left: [\d.]+em)?"
    assert all(re.fullmatch(allowed, style) for style in found.styles)
    assert "mathjax_ignore" in html


DATA = "data:image/svg+xml;base64,"


def test_a_network_has_its_figure(write: Callable[..., Path]) -> None:
    """As an image, which runs no script whatever the texts of the spec are."""
    network = inception_dsl.load(write(TEXT))
    (image,) = Tables(network._repr_html_()).images
    assert image.keys() == {"alt", "style", "src"}
    assert image["src"].startswith(DATA)
    svg = base64.b64decode(image["src"].removeprefix(DATA)).decode()
    assert svg == inception_dsl.load(write(TEXT)).source("svg")
    assert "&lt;script&gt;" in svg
    assert Tables(network.summary()._repr_html_()).images == []


@pytest.mark.parametrize("why", ["none is installed", "it reports an error"])
def test_without_a_figure_there_is_the_table(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usable = plugins.usable

    def emit(typed: TypedProgram, _: Request, report: Report) -> None:
        report.error("E503", "cannot be drawn", typed.program.origin.span())

    def changed() -> tuple[list[tuple[Plugin, Backend]], list[str]]:
        pairs = [
            (plugin, backend._replace(emit=emit))
            for plugin, backend in usable()[0]
            if why != "none is installed" or not backend.documents
        ]
        return pairs, []

    monkeypatch.setattr(plugins, "usable", changed)
    found = Tables(inception_dsl.load("v0")._repr_html_())
    assert found.images == []
    assert dict(found.rows)["parameters"] == "387,072"


def test_a_variant_names_its_original(write: Callable[..., Path]) -> None:
    path = write("extends: inception-dsl:v4\nnetwork: mine\nclasses: 10\n")
    texts = Tables(inception_dsl.load(path)._repr_html_()).texts
    assert "Modified from Inception-v4 (Szegedy et al., 2016)" in texts


def test_properties() -> None:
    network = inception_dsl.load("v3", classes=10)
    data = network.summary().to_dict()
    assert network.parameters == data["parameters"]["total"]
    assert network.macs == data["macs"]
    assert network.inputs == {"input": (299, 299, 3)}
    assert network.outputs == {"logits": (10,), "aux": (10,)}
    assert [(one.path, one.op, one.parameters, one.macs) for one in network.layers] == [
        (one["path"], one["op"], one["parameters"], one["macs"]) for one in data["layers"]
    ]
    assert {one.auxiliary for one in network.layers} == {True, False}
    assert (network.layers[0].x.shape, network.layers[0].y.shape) == ((299, 299, 3), (149, 149, 32))


def test_a_repr_is_short() -> None:
    network = inception_dsl.load("v4")
    assert repr(network) == "<Network inception_v4 on 299x299x3>"
    assert repr(network.summary()) == (
        "<Summary of inception_v4: 42,711,400 parameters, 12,253,974,624 MACs>"
    )
