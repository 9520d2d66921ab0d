"""Tests the text that ``rewrite`` leaves, what it refuses, and how steps are chosen."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from rewrites import HEAD, added, reasons

import inception_dsl

pytestmark = pytest.mark.filterwarnings("ignore::inception_dsl.SpecWarning")
Write = Callable[..., Path]


# the text


def test_comments_and_layout_stay(net: Callable) -> None:
    result = net("""\
        # the stem
        stem:
          # a large kernel
          - op: conv_bn  # as in v1
            name: first

            filters: 64  # wide
            kernel_size: 5  # large
            allow: [W403]
        body:
        - {op: conv, name: second, filters: 64, kernel_size: 3}  # the end
        """).rewrite("factorise-5x5")
    assert result.text == HEAD + textwrap.dedent("""\
        # the stem
        stem:
          # a large kernel
          - {op: conv_bn, name: first_3x3, filters: 64, kernel_size: 3}
          - op: conv_bn  # as in v1
            name: first

            filters: 64  # wide
            kernel_size: 3  # large
        body:
        - {op: conv, name: second, filters: 64, kernel_size: 3}  # the end
        """)


def test_a_list_on_one_line(net: Callable) -> None:
    result = net("body: [{op: conv, filters: 64, kernel_size: 3}] # a\n").rewrite("asymmetric")
    assert added(result) == [
        "body: [{op: conv, filters: 64, kernel_size: [1, 3]}, "
        "{op: conv, filters: 64, kernel_size: [3, 1]}] # a"
    ]


def test_a_long_list_gets_another_line(net: Callable) -> None:
    result = net(
        "body: [{op: identity}, {op: conv_bn, filters: 64, kernel_size: 5, activation: relu6}]\n"
    ).rewrite("factorise-5x5")
    assert added(result) == [
        "body: [{op: identity}, {op: conv_bn, filters: 64, kernel_size: 3, activation: relu6},",
        "{op: conv_bn, filters: 64, kernel_size: 3, activation: relu6}]",
    ]


def test_line_breaks_of_windows_stay(write: Write, tmp_path: Path) -> None:
    text = f"{HEAD}body:\n  - {{op: conv, filters: 8, kernel_size: 5}}\n".replace("\n", "\r\n")
    path = tmp_path / "net.yaml"
    path.write_bytes(text.encode())
    result = inception_dsl.load(path).rewrite("factorise-5x5")
    assert result.text.count("\r\n") == result.text.count("\n") == 5


def test_a_text_of_several_lines_at_the_end(net: Callable) -> None:
    result = net("""\
        body:
          - op: conv_bn
            filters: 8
            kernel_size: 3
            deviation: |
              A note.  # no comment
        head: [{op: identity}]
        """).rewrite("separable")
    assert "A note.  # no comment\n  - {op: batch_norm}\n  - {op: activation" in result.text


# what is refused


@pytest.mark.parametrize(
    ("rule", "body", "reason"),
    [
        ("asymmetric", "{op: conv, filters: 8, kernel_size: 3, repeat: 2}", "it is repeated"),
        ("asymmetric", "{op: conv, filters: 8, kernel_size: 3, groups: 2}", "it has groups"),
        (
            "asymmetric",
            "{op: conv, filters: 8, kernel_size: 3, padding: [[0, 1], [1, 0]]}",
            "its padding differs",
        ),
        ("two-2x2", "{op: conv, filters: 8, kernel_size: 3, stride: 2}", "cannot be centred"),
        ("two-2x2", "{op: conv, filters: 8, kernel_size: 3, padding: 2}", "more than 1 pixel"),
        (
            "batch-normalise",
            "{op: conv, filters: 8, kernel_size: 3, activation: relu, initializer: {bias: 1}}",
            "its `initializer` sets the bias",
        ),
    ],
)
def test_what_cannot_be_rewritten(net: Callable, rule: str, body: str, reason: str) -> None:
    with pytest.raises(inception_dsl.SpecError) as error:
        net(f"body: [{body}]").rewrite(rule)
    for found in reasons(error):
        assert found.startswith(f"E317 3: `{rule}` cannot rewrite `")
        assert reason in found


def test_a_step_that_is_not_meant(net: Callable) -> None:
    with pytest.raises(inception_dsl.SpecError) as error:
        net("body: [{op: conv, name: a, filters: 8, kernel_size: 3}]").rewrite(
            "factorise-5x5", at="a"
        )
    assert reasons(error) == [
        "E317 3: `factorise-5x5` is for a `conv` or `conv_bn` with a 5x5 kernel; `a` is none"
    ]


def test_an_unknown_path_gets_a_suggestion(net: Callable) -> None:
    with pytest.raises(inception_dsl.SpecError, match="did you mean `first`") as error:
        net("body: [{op: conv, name: first, filters: 8, kernel_size: 3}]").rewrite(
            "asymmetric", at="frist"
        )
    assert reasons(error) == ["E308 1: no step has the path `frist`"]


def test_a_comment_that_would_be_lost(net: Callable) -> None:
    with pytest.raises(inception_dsl.SpecError, match="the comment `# why` would be lost"):
        net("""\
            body:
              - op: conv
                filters: 8
                kernel_size: 3
                use_bias: true  # why
                activation: relu
            """).rewrite("batch-normalise")


def test_a_result_with_an_error_is_not_given_out(net: Callable) -> None:
    with pytest.raises(inception_dsl.SpecError, match="the result has an error, E304"):
        net("body: [{op: conv, filters: 8, kernel_size: 3}]").rewrite("asymmetric", filters="$no")


def test_unknown_rules_and_options(net: Callable) -> None:
    network = net("body: [{op: conv, filters: 8, kernel_size: 3}]")
    with pytest.raises(ValueError, match="did you mean `asymmetric`"):
        network.rewrite("asymetric")
    with pytest.raises(ValueError, match="has no option `ratio`"):
        network.rewrite("asymmetric", ratio=2)
    for value in (0, -1, 1.5, True, "", "1e3", "$", "${a +}", "9" * 40):
        with pytest.raises(ValueError, match=r"`filters`: expected"):
            network.rewrite("asymmetric", filters=value)
    with pytest.raises(ValueError, match="only a network from `load`"):
        inception_dsl.api.Network(network.typed).rewrites()


# places


def test_paths_and_patterns(net: Callable) -> None:
    network = net("""\
        blocks:
          module:
            steps:
              - merge: concat
                branches:
                  left: [{op: conv, filters: 8, kernel_size: 3}]
                  right:
                    - {op: conv, filters: 8, kernel_size: 1}
                    - {op: conv, filters: 8, kernel_size: 3}
        stem: [{op: conv, name: first, filters: 8, kernel_size: 3}]
        body: [{use: module, repeat: 2}, {use: module, name: last}]
        """)

    def found(*at: str) -> list[str]:
        result = network.rewrite("asymmetric", at=at)
        return [saving.path for saving in result.savings]

    everything = ["first", "module/left", "module/right/1"]
    assert found() == everything
    assert found("module") == everything[1:]
    assert found("module/right", "stem") == ["first", "module/right/1"]
    assert found("module/1/left") == found("last/left") == found("*/left") == ["module/left"]
    assert found("**") == found("*") == everything
    assert [move.owner for move in network.rewrites().found if move.rule.name == "asymmetric"] == [
        "",
        "module",
    ]


def test_imported_files_change_in_place_unless_they_are_shipped(write: Write) -> None:
    write("block: mine  # a block\nsteps: [{op: conv, filters: 64, kernel_size: 3}]\n", "mine.yaml")
    path = write(
        f"{HEAD}import: [mine.yaml, 'inception-dsl:blocks/inception_v3_c']\n"
        "body: [{use: mine}, {use: inception_v3_c}]\n",
        "net.yaml",
    )
    network = inception_dsl.load(path)
    one = network.rewrite("asymmetric", at="mine")
    assert [Path(file).name for file in one.files] == ["mine.yaml"]
    assert "change, too" in str(one)
    two = network.rewrite("asymmetric", at="inception_v3_c")
    assert list(two.files) == [str(path)]
    assert "import: [mine.yaml]\nblocks:\n  inception_v3_c:\n    title:" in two.text


def test_inherited_lists_are_taken_over(write: Write) -> None:
    path = write("extends: inception-dsl:v4\nnetwork: mine\n", "mine.yaml")
    result = inception_dsl.load(path).rewrite("asymmetric", at="inception_a")
    head, blocks = "extends: inception-dsl:v4\nnetwork: mine\n", "blocks:\n  inception_a:\n"
    assert result.text.startswith(f"{head}{blocks}    steps:\n    - branches:")
    path.write_text(result.text, encoding="utf-8")
    network = inception_dsl.load(path)
    assert network.macs == result.totals["MACs"].new
    stem = network.rewrite("separable", at="reduction_a/branch_3x3")
    path.write_text(stem.text, encoding="utf-8")
    assert inception_dsl.load(path).macs == stem.totals["MACs"].new


def test_an_inherited_head_is_not_taken_over(write: Write) -> None:
    path = write("extends: inception-dsl:v3\nnetwork: mine\n", "mine.yaml")
    with pytest.raises(inception_dsl.SpecError, match="which the spec extends; rewrite that one"):
        inception_dsl.load(path).rewrite("factorise-5x5", at="aux")


def test_a_part_that_an_overlay_changes(write: Write) -> None:
    text = "extends: inception-dsl:v4\nnetwork: mine\nblocks: {inception_a: {steps: {0: {branches: "
    path = write(f"{text}{{branch_1x1: {{0: {{filters: 32}}}}}}}}}}}}}}\n", "mine.yaml")
    with pytest.raises(inception_dsl.SpecError, match="other files change parts of it"):
        inception_dsl.load(path).rewrite("asymmetric", at="inception_a")


FORKS = {
    "name first": """
        name: m
        branches: {a: [], b: [{op: conv, filters: 8, kernel_size: 3}]}
        merge: concat""",
    "name in between": """
        branches: {a: [], b: [{op: conv, filters: 8, kernel_size: 3}]}
        name: m
        merge: concat""",
    "name last": """
        merge: concat
        branches:
          a: []
          b:
          - op: conv
            filters: 8
            kernel_size: 3
        # the end
        name: m""",
    "braces": """
        {branches: {a: [],
         b: [{op: conv, filters: 8, kernel_size: 3}]}, name: m,
         merge: concat}""",
}


@pytest.mark.parametrize("fields", FORKS.values(), ids=FORKS)
@pytest.mark.parametrize("dash", ["- ", "-  "])
def test_a_fork_around_a_named_fork(net: Callable, fields: str, dash: str) -> None:
    step = textwrap.indent(textwrap.dedent(fields).strip(), " " * (2 + len(dash))).strip()
    result = net(f"body:\n  {dash}{step}\n  - {{op: identity}}\n").rewrite("residualise")
    (outer, relu, last) = result.difference.new.typed.program.sections["body"]
    assert (outer.segments, relu.segments, last.segments) == (("m",), ("relu",), ("body", "2"))
    assert [name for name, _ in outer.branches] == ["shortcut", "residual"]
    assert outer.branches[1][1][0].segments == ()
    assert result.totals["parameters"].difference == "+4,672 (+101.2%)"


@pytest.mark.parametrize("dash", ["- ", "-   "])
def test_spaces_after_a_dash(net: Callable, dash: str) -> None:
    space = " " * len(dash)
    result = net(f"""\
        body:
          {dash}op: conv
          {space}filters: 8
          {space}kernel_size: 3
        """).rewrite("asymmetric")
    new = "{op: conv, filters: 23, kernel_size: [1, 3]}"
    assert f"body:\n  - {new}\n  {dash}op: conv\n" in result.text


@pytest.mark.parametrize(
    "step",
    [
        "  - name: pool  # the pool\n    op: max_pool\n    kernel_size: 3\n    stride: 2\n",
        "  - op: max_pool\n    kernel_size: 3\n    name: pool  # the pool\n    stride: 2\n",
        "  - {name: pool,  # the pool\n     op: max_pool, kernel_size: 3, stride: 2}\n",
    ],
)
def test_the_comment_on_a_name_goes_with_it(net: Callable, step: str) -> None:
    text = net(f"body:\n{step}").rewrite("parallel-reduction").text
    assert (
        text.count("# the pool") == text.count("\n  - name: pool  # the pool\n    branches:\n") == 1
    )


def test_the_comment_on_the_name_of_a_fork_goes_with_it(net: Callable) -> None:
    network = net("""\
        body:
          - name: mixed  # the first module
            branches:
              a: [{op: conv, filters: 32, kernel_size: 3}]
              b: [{op: conv, filters: 32, kernel_size: 3}]
            merge: concat
        """)
    text = network.rewrite("residualise").text
    assert text.count("#") == 1
    assert "\n  - name: mixed  # the first module\n    branches:\n      shortcut: []\n" in text
