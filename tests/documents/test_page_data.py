"""The file of a page and its data: policy, mark, costs, attributes, colours."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inception_dsl_documents import HTML
from inception_dsl_documents.heat import COLOURS, LIMITS, contrast, ink, luminance
from inception_dsl_documents.html import embedded
from inception_dsl_documents.page_data import page_data
from inception_dsl_documents.page_style import colours
from paths import ROOT

from inception_dsl.backend import Report, Request, TypedProgram, cost, layers, main_text
from inception_dsl.cli import main
from inception_dsl.compiler import compile_spec
from inception_dsl.testing.random_specs import random_spec

SPECS = sorted(p for f in ("", "family") for p in (ROOT / "specs" / f).glob("*.yaml"))


def compiled(path: Path) -> TypedProgram:
    typed = compile_spec(path, {}, Report())
    assert typed is not None
    return typed


def page(typed: TypedProgram, **options: str) -> str:
    files = HTML.emit(typed, Request("page", options), Report())
    assert files is not None and list(files) == ["page.html"]
    return main_text(files)


def element(text: str, name: str) -> str:
    """The content of the last element of this name."""
    found = re.findall(rf"<{name}[^>]*>(.*?)</{name}>", text, re.DOTALL)
    return str(found[-1])


def items(chain: Any) -> Iterator[dict[str, Any]]:
    """All items of a chain as plain data, also those in blocks and heads."""
    for item in chain["items"]:
        yield item
        for branch in item.get("branches", ()):
            yield from items(branch["chain"])
        if "inside" in item:
            yield from items(item["inside"])
    for head in chain.get("heads", ()):
        yield from items(head["chain"])


def boxes(chain: Any) -> Iterator[dict[str, Any]]:
    """The layers: boxes that are no blocks, inputs or outputs."""
    return (i for i in items(chain) if i["kind"] == "box" and "op" in i and "inside" not in i)


def check_costs(typed: TypedProgram) -> None:
    """All boxes together cost what the network does; a layer that is drawn alone, what it does."""
    chain = page_data(typed, up=True)["chain"]
    sums = cost(list(layers(typed)))
    found = list(boxes(chain))
    assert len({item["id"] for item in items(chain)}) == sum(1 for _ in items(chain))
    assert sum(item.get("parameters", 0) for item in found) == sums.total
    assert sum(item.get("macs", 0) for item in found if "training" not in item) == sums.macs
    blocks = [i for i in items(chain) if "inside" in i and i["kind"] == "box"]
    for block in blocks:
        inner = list(boxes(block["inside"]))
        for name in ("parameters", "macs"):
            assert block.get(name, 0) == sum(item.get(name, 0) for item in inner), block["id"]
    known = {layer.path: layer for layer in layers(typed)}
    for item in found:
        layer = known[item.get("path", "")]
        assert item["op"] == layer.op
        if "count" not in item:
            assert (
                item.get("parameters", 0) == layer.parameters and item.get("macs", 0) == layer.macs
            )
            assert item["shapes"] == f"{layer.x} → {layer.y}".replace("x", "×")
    applied = sum(item.get("count", 1) for item in found)
    assert applied == sum(layer.op not in ("concat", "add", "multiply") for layer in known.values())


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_costs_of_shipped_specs(path: Path) -> None:
    typed = compiled(path)
    check_costs(typed)
    assert len(page(typed).encode()) < 150_000


@pytest.mark.parametrize("part", range(4))
def test_costs_of_random_networks(part: int, tmp_path: Path) -> None:
    for seed in range(part, 120, 4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        check_costs(compiled(random_spec(seed).write(folder)))


def test_the_page_loads_nothing_and_runs_only_its_script() -> None:
    text = page(compiled(ROOT / "specs/v4.yaml"))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].split(";"))
    for name in ("script", "style"):
        digest = hashlib.sha256(element(text, name).encode()).digest()
        assert rules[f"{name}-src"] == f"'sha256-{base64.b64encode(digest).decode()}'"
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert not re.search(r"<link|<img|<iframe|\bsrc=|\bhref=|url\(|@import|\bon[a-z]+=", text)
    assert "innerHTML" not in text and "eval(" not in text
    assert text.startswith("<!DOCTYPE html>")


def test_the_script_and_the_style_are_the_same_in_every_page() -> None:
    texts = [
        page(compiled(ROOT / f"specs/{name}.yaml")) for name in ("v0", "v3", "family/resnet_50")
    ]
    for name in ("script", "style"):
        assert len({element(text, name) for text in texts}) == 1
    assert page(compiled(ROOT / "specs/v0.yaml")) == texts[0]


def test_facts_of_a_layer() -> None:
    data = page_data(compiled(ROOT / "specs/v4.yaml"), up=True)
    found = {item["id"]: item for item in items(data["chain"])}
    layer = found["inception_b/0/branch_7x7/1"]
    attributes = dict(data["attributes"][n] for n in layer["attributes"])
    assert attributes["kernel_size"] == "1×7" and attributes["stride"] == "1×1"
    assert attributes["padding"] == "same (0+0 × 3+3 pixels)"
    assert layer["count"] == 7 and layer["line"] == "v4.yaml:33"
    assert layer["spec"] == "op: conv_bn, filters: 224, kernel_size: [1, 7]"
    assert layer["parameters"] == 7 * (192 * 224 * 7 + 3 * 224)
    block = found["inception_b/0"]
    assert (block["op"], block["line"]) == ("block inception_b", "v4.yaml:63")
    assert block["shapes"] == "17×17×1024 → 17×17×1024"
    assert data["summary"]["receptive field"] == "2071 of inception_c/2"


def test_shared_weights_count_once_and_heads_are_marked() -> None:
    data = page_data(compiled(ROOT / "specs/family/siamese_googlenet.yaml"), up=True)
    shared = [item for item in items(data["chain"]) if item.get("weights")]
    assert shared and not any(i.get("parameters") for s in shared for i in [s, *boxes(s["inside"])])
    heads = page_data(compiled(ROOT / "specs/v1.yaml"), up=True)["chain"]["heads"]
    assert all(item["training"] for head in heads for item in items(head["chain"]))


def test_embedded_text_ends_no_element() -> None:
    texts = ["</script><!--", "a & b", "\u2028\u2029\x7f\x85", "\ud800", '{"id":1}', "é × 中 😀"]
    text = embedded([{"id": t} for t in texts])
    assert not re.search("[<>&\u2028\u2029\x7f\x85\ud800]", text) and "é × 中 😀" in text
    assert [item["id"] for item in json.loads(text)] == texts


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_can_be_read(theme: str) -> None:
    """On every fill and on the page; and lines and marks of the focus and of hits can be seen."""
    found = colours(theme)
    page = found["background"]
    fills = [found[name] for name in ("block", "conv", "pool", "dense", "norm", "activation")]
    for fill in [*fills, found["other"], found["merge"], page]:
        assert contrast(found["text"], fill) >= 4.5
    assert contrast(found["outside"], page) >= 4.5
    for name in ("line", "border", "focus", "hit"):
        assert contrast(found[name], page) >= 3
    for level, fill in enumerate(COLOURS[theme]):
        assert found[f"h{level}"] == fill and found[f"i{level}"] == ink(fill)
        assert contrast(found[f"i{level}"], fill) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_heat_is_ordered_by_its_lightness(theme: str) -> None:
    """In grayscale the levels differ, so that they do for everybody."""
    found = [luminance(colour) for colour in COLOURS[theme]]
    assert len(found) == len(LIMITS) + 1
    assert found == sorted(found, reverse=theme == "light")
    assert all(contrast(a, b) > 1.15 for a, b in pairwise(COLOURS[theme]))


def test_options_and_check(tmp_path: Path) -> None:
    run = CliRunner().invoke
    arguments = ["build", "v0", "--backend", "html", "--out", str(tmp_path)]
    options = ["--option", "theme=dark", "--option", "direction=down"]
    assert run(main, [*arguments, *options]).exit_code == 0
    file = tmp_path / "html/v0.html"
    dark = file.read_text(encoding="utf-8")
    assert '"up":false' in dark and "prefers-color-scheme" not in dark
    assert run(main, [*arguments, *options, "--check"]).exit_code == 0
    stale = run(main, [*arguments, "--check"])
    assert stale.exit_code == 1 and "is not up to date" in stale.output
    assert run(main, arguments).exit_code == 0
    text = file.read_text(encoding="utf-8")
    assert '"up":true' in text and "prefers-color-scheme:dark" in text
    assert "<!-- Generated by inception-dsl from the spec `inception_naive`;" in text
    file.write_text(text.replace("concat", "add"), encoding="utf-8")
    edited = run(main, arguments)
    assert edited.exit_code == 1 and "was edited since it was generated" in edited.output
    wrong = run(main, [*arguments, "--option", "theme=transparent"])
    assert wrong.exit_code == 2 and "`theme=auto`" in wrong.output
