"""Text from a spec is not a ``str``; only the escape functions turn it into source."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inception_dsl.backend import Code, Prose, comment, docstring, literal, name
from inception_dsl.emit.render import _environment
from inception_dsl.ir.typed import TypedProgram

TEXT = 'x"""\nimport os # {{ 7 * 7 }}'
ROOT = Path(__file__).parents[3]
READERS = {
    "types/prose.py",
    "passes/budget.py",
    "emit/pycode.py",
    "emit/about.py",
    "emit/recipe.py",
    "emit/bibtex.py",
    "emit/latex.py",
    "design/catalogue.py",
    "design/summary.py",
    "analysis/records.py",
    "editor/names.py",
    "inception_dsl_documents/page_data.py",  # JSON, which the page shows as text
    "inception_dsl_documents/views.py",
    "testing/symbol_files.py",  # finds the definition of a block by its title
}


@pytest.mark.parametrize(
    "use",
    [
        str,
        lambda prose: f"{prose}",
        lambda prose: f"{prose!s}",
        lambda prose: f"{prose:>9}",
        lambda prose: "{}".format(prose),  # noqa: UP032
        lambda prose: "%s" % prose,  # noqa: UP031
        lambda prose: "x" + prose,
        lambda prose: prose + "x",
        lambda prose: "".join([prose]),
        lambda prose: prose[0],
        list,
        print,
        Code,
        name,
    ],
)
def test_string_functions_reject_prose(use: Callable[[Any], Any]) -> None:
    with pytest.raises((TypeError, AttributeError)):
        use(Prose(TEXT))


def test_the_escape_functions_accept_prose() -> None:
    assert ast.literal_eval(literal(Prose(TEXT))) == TEXT
    assert literal((Prose("a"),)) == '("a",)'
    assert "\n" not in comment(Prose(TEXT))
    [node] = ast.parse(docstring(Prose(TEXT), Prose("more"), Prose())).body
    assert isinstance(node, ast.Expr)
    assert isinstance(node.value, ast.Constant)
    assert all(
        type(text) is Code
        for text in (literal(Prose(TEXT)), comment(Prose(TEXT)), docstring(Prose(TEXT)))
    )


@pytest.mark.parametrize("value", ["a string", Prose("a text"), f"{Code('x')}"])
@pytest.mark.parametrize(
    "template", ["{{ value }}", "{{ [value] | join }}", "{% for v in [value] %}{{ v }}{% endfor %}"]
)
def test_templates_print_only_source(value: object, template: str) -> None:
    found = _environment("inception_dsl_torch").from_string(template)
    with pytest.raises(TypeError):
        found.render(value=value)
    assert (
        _environment("inception_dsl_torch").from_string("{{ value }}").render(value=Code("x"))
        == "x"
    )


def test_every_text_of_a_program_is_prose(compiled: Callable[..., TypedProgram]) -> None:
    paper = (
        "{title: a, authors: b, year: 2016, arxiv: c, doi: d, url: e, table: f, figure: g, "
        "section: h}"
    )
    about = f"title: t\ndescription: d\ndeviation: [v, w]\npaper: {paper}\n"
    typed = compiled(
        f"network: net\n{about}input: {{channels: 3, height: 9, width: 9}}\nclasses: 2\n"
        "training: {initializer: {name: he_normal, note: n}, optimizer: {name: sgd, note: n}, "
        "schedule: {name: constant, note: n}, weight_decay: {rate: 1, note: n}, "
        "gradient_clip: {norm: 1, note: n}, average: {note: n}, augmentation: {note: n}, "
        "deviation: d, note: [m]}\n"
        "body: [{branches: {a: [{op: conv, filters: 1, kernel_size: 1, deviation: o}]}, "
        "merge: concat, deviation: p}]\n"
    )
    program = typed.program
    training = program.training
    assert training is not None
    assert training.initializer is not None
    found = [
        *program.about[:2],
        *program.about.paper.values(),
        *program.about.deviations,
        training.initializer.note,
    ]
    parts = [value for value in training if hasattr(value, "note")]
    found += [*(part.note for part in parts[1:]), *training.notes, *training.deviations]
    fork: Any = program.sections["body"][0]
    found += [*fork.deviations, *fork.branches[0][1][0].op.deviation]
    assert len(found) == 1 + 1 + 9 + 2 + 1 + 6 + 1 + 1 + 1 + 1
    assert all(isinstance(text, Prose) for text in found)


def test_few_modules_read_the_plain_text() -> None:
    """Backends of source do not: what the core builds from a text (a citation) is prose again."""
    for path in [*(ROOT / "inception_dsl").rglob("*.py"), *(ROOT / "backends").rglob("*.py")]:
        folder = ROOT / ("inception_dsl" if "inception_dsl" in path.parts else "backends")
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        reads = any(isinstance(node, ast.Attribute) and node.attr == "plain" for node in nodes)
        assert not reads or path.relative_to(folder).as_posix() in READERS, path


def test_prose_has_no_operators() -> None:
    for operation in (operator.add, operator.mod, operator.mul):
        with pytest.raises(TypeError):
            operation(Prose("a"), "b")
    assert Prose("a") == Prose("a") != Prose("b")
    assert not Prose()
