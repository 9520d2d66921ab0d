"""docs/notebook.ipynb, executed without a browser."""

from __future__ import annotations

import base64
import re
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from paths import ROOT

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The data of each cell's result, or the text that it prints."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = str(tmp_path_factory.mktemp("notebook"))
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}
    ).execute()
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            (output,) = cell.outputs
            found.append(output.get("data") or {"text/plain": output["text"]})
    return found


def test_networks_and_summaries_are_tables(outputs: list[dict[str, Any]]) -> None:
    network, summary = outputs[:2]
    assert network["text/plain"] == "<Network inception_v4 on 299x299x3>"
    for shown in (network, summary):
        assert "<strong>Inception-v4</strong>" in shown["text/html"]
        assert "41,189,770" in shown["text/html"]
    assert summary["text/html"].count("<tr>") > 30 > network["text/html"].count("<tr>")


def test_a_network_has_a_figure(outputs: list[dict[str, Any]]) -> None:
    (data,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', outputs[0]["text/html"])
    svg = base64.b64decode(data).decode()
    assert "<title>Inception-v4</title>" in svg
    assert "inception_a" in svg


def test_the_other_results(outputs: list[dict[str, Any]]) -> None:
    numbers, layer, shape, error = (output["text/plain"] for output in outputs[2:])
    assert numbers.startswith("(41189770, ") and "{'logits': (10,)}" in numbers
    assert layer == "'reduction_a/branch_3x3_double/1'"
    assert shape == "torch.Size([1, 416, 28, 28])"
    assert "error[E201]: unknown field `clases`" in error and "did you mean `classes`?" in error


def test_the_notebook_has_no_outputs() -> None:
    """They would differ between versions."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert cell.cell_type == "markdown" or (not cell.outputs and cell.execution_count is None)
