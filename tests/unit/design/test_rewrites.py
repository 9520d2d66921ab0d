"""Tests the rules of ``rewrite``: what they save, what they refuse, and the text they leave."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import inception_dsl
from inception_dsl.design.compared import Difference
from inception_dsl.design.rewrites.rewriting import Rewritten
from inception_dsl.design.summary import Summary

pytestmark = pytest.mark.filterwarnings("ignore::inception_dsl.SpecWarning")
Write = Callable[..., Path]
HEAD = "network: n\ninput: {channels: 64, height: 32, width: 32}\n"


@pytest.fixture
def net(write: Write) -> Callable[[str], inception_dsl.Network]:
    """Compiles a network on 64 channels; ``net.yaml`` has its text."""

    def made(text: str, head: str = HEAD) -> inception_dsl.Network:
        return inception_dsl.load(write(head + textwrap.dedent(text), "net.yaml"))

    return made


def reasons(error: pytest.ExceptionInfo[inception_dsl.SpecError]) -> list[str]:
    return [f"{d.code} {d.span.line}: {d.message}" for d in error.value.diagnostics]


def added(result: Rewritten) -> list[str]:
    """The lines that the diff adds, without their indentation."""
    lines = result.diff().splitlines()
    return [line[1:].strip() for line in lines if line[:1] == "+" and line[:3] != "+++"]


# what the papers say, on equal channels and without bias


@pytest.mark.parametrize(
    ("rule", "kernel", "percent"),
    [
        ("factorise-5x5", 5, "-28.0%"),
        ("factorise-7x7", 7, "-44.9%"),
        ("asymmetric", 3, "-33.3%"),
        ("asymmetric", 7, "-71.4%"),
        ("two-2x2", 3, "-11.1%"),
    ],
)
def test_savings_of_the_papers(net: Callable, rule: str, kernel: int, percent: str) -> None:
    step = f"{{op: conv, filters: 64, kernel_size: {kernel}, use_bias: false}}"
    result = net(f"body: [{step}]").rewrite(rule)
    for total in ("parameters", "MACs"):
        assert result.totals[total].difference.endswith(f"({percent})")
    assert f"({percent})" in str(result)
    field = result.totals["receptive field"]
    assert field.old == field.new == kernel
    assert result.difference.old.typed.outputs == result.difference.new.typed.outputs


@pytest.mark.parametrize("padding", ["same", "valid", "0", "1", "2", "3"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(
    ("rule", "kernel"),
    [("factorise-5x5", 5), ("factorise-7x7", 7), ("asymmetric", 3), ("asymmetric", 4)],
)
def test_windows_keep_their_shape(
    net: Callable, rule: str, kernel: int, stride: int, padding: str
) -> None:
    step = f"{{op: conv, filters: 8, kernel_size: {kernel}, stride: {stride}, padding: {padding}}}"
    result = net(f"body: [{step}]").rewrite(rule)
    old, new = (side.typed for side in (result.difference.old, result.difference.new))
    assert old.outputs == new.outputs
    assert result.totals["receptive field"].difference == ""


@pytest.mark.parametrize("padding", ["same", "valid", "0", "1"])
def test_two_2x2_are_centred_as_the_3x3(net: Callable, padding: str) -> None:
    network = net(f"body: [{{op: conv, filters: 8, kernel_size: 3, padding: {padding}}}]")
    result = network.rewrite("two-2x2")
    assert pads_of(network.summary()) == pads_of(result.difference.new)


def pads_of(summary: Summary) -> list[list[int]]:
    """The pixels of padding before and after each axis, those of all layers added up."""
    layers = [layer["attributes"]["pads"] for layer in summary.to_dict()["layers"]]
    return [[sum(side) for side in zip(*axis, strict=True)] for axis in zip(*layers, strict=True)]


# chains of rules, compared with the shipped blocks


def renamed_only(old: inception_dsl.Network, new: inception_dsl.Network) -> None:
    """Two networks differ in nothing but the names of steps and branches, and what is written about
    them.
    """
    found = Difference(old.typed, new.typed).changes
    assert [str(c) for c in found if c.kind != "renamed"] == []


def test_the_module_of_v1_becomes_that_of_v2(write: Write) -> None:
    """Batch norm, and two 3x3 in place of the 5x5: figure 5 of Szegedy et al. 2015."""
    v1 = inception_dsl.load("v1").rewrite("batch-normalise", at="inception")
    path = write(v1.text, "one.yaml")
    two = inception_dsl.load(path).rewrite("factorise-5x5", at="inception", filters="$filters_5x5")
    block = blocks_of(two.text, "inception")
    names = ["filters_1x1", "filters_3x3_reduce", "filters_3x3"]
    params = {"5x5_reduce": "double_reduce", "5x5": "double"}
    for old, new in params.items():
        block = block.replace(f"filters_{old}", f"filters_{new}").replace(old, new)
    sizes = [*names, "filters_double_reduce", "filters_double", "filters_pool"]
    use = ", ".join(f"{name}: {8 * i}" for i, name in enumerate(sizes, 1))
    shipped = blocks_of(Path("specs/v2.yaml").read_text(encoding="utf-8"), "inception_max")
    head = f"{HEAD}defaults: {{max_pool: {{padding: same}}}}\n"
    networks = [
        inception_dsl.load(write(f"{head}body: [{{use: m, {use}}}]\nblocks:\n  m:\n{b}", "n.yaml"))
        for b in (shipped, block.replace("padding: 1", "padding: same"))
    ]
    renamed_only(*networks)


def blocks_of(text: str, name: str) -> str:
    """The lines of a block."""
    lines = text.splitlines()
    start = lines.index(f"  {name}:") + 1
    end = next(i for i, line in enumerate(lines[start:], start) if line[:4].strip())
    return "\n".join(lines[start:end]) + "\n"


def test_the_asymmetric_module_of_v3(write: Write) -> None:
    """A module with 7x7 convolutions becomes figure 6 of Szegedy et al. 2015."""
    steps = """
    steps:
      - branches:
          branch_1x1: [{op: conv_bn, filters: 192, kernel_size: 1}]
          branch_7x7:  # to be 1x7, 7x1
            - {op: conv_bn, filters: $filters_7x7, kernel_size: 1}
            - {op: conv_bn, filters: 192, kernel_size: 7}
          branch_7x7_double:
            - {op: conv_bn, filters: $filters_7x7, kernel_size: 1}
            - {op: conv_bn, filters: $filters_7x7, kernel_size: 7}
            - {op: conv_bn, filters: 192, kernel_size: 7}
          branch_pool:
            - {op: avg_pool, kernel_size: 3}
            - {op: conv_bn, filters: 192, kernel_size: 1}
        merge: concat
    """
    params = "params: {filters_7x7: {type: int, default: 128}}\n"
    head = "block: inception_v3_b\ninput: {channels: 768, height: 17, width: 17}\n"
    path = write(f"{head}{params}{textwrap.dedent(steps)}", "b.yaml")
    filters = {"filters": "$filters_7x7"}
    one = inception_dsl.load(path).rewrite("asymmetric", at="branch_7x7", **filters)
    path.write_text(one.text, encoding="utf-8")
    two = inception_dsl.load(path).rewrite(
        "asymmetric", at="branch_7x7_double", first="nx1", **filters
    )
    assert "# to be 1x7, 7x1" in two.text
    path.write_text(two.text, encoding="utf-8")
    shipped = inception_dsl.load("blocks/inception_v3_b", input="17x17x768", filters_7x7=128)
    assert not [c for c in shipped.diff(inception_dsl.load(path)).changes if c.places], str(
        shipped.diff(inception_dsl.load(path))
    )


@pytest.mark.parametrize("name", ["inception_resnet_a", "inception_resnet_b"])
def test_a_module_becomes_a_residual(write: Write, name: str) -> None:
    """Without shortcut, projection and scaling a block of Inception-ResNet is a module of v4's
    kind; ``residualise`` makes them, as figures 10 and 11 of Szegedy et al. 2016 have them.
    """
    text = Path(f"specs/blocks/{name}.yaml").read_text(encoding="utf-8")
    head, _, rest = text.partition("steps:\n")
    start = rest.index("        - branches:")
    end = rest.index("        - op: conv\n")
    module = textwrap.dedent(rest[start:end])
    path = write(f"{head}steps:\n{textwrap.indent(module, '  ')}", f"{name}.yaml")
    names = head[head.index("params: {") + 9 : head.index("}", head.index("params: {"))]
    given = {n.split(":")[0].strip(): 32 for n in names.split(",")} | {"residual_scale": 0.2}
    plain = inception_dsl.load(path, input="17x17x256", **given)
    result = plain.rewrite("residualise", scale="$residual_scale")
    path.write_text(result.text, encoding="utf-8")
    new = inception_dsl.load(path, input="17x17x256", **given)
    shipped = inception_dsl.load(f"blocks/{name}", input="17x17x256", **given)
    assert [str(c) for c in shipped.diff(new).changes if c.places] == []
    assert new.parameters == shipped.parameters


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


# the rules one by one


def test_batch_norm_keeps_the_defaults_of_the_convolution(net: Callable) -> None:
    result = net("""\
        defaults: {conv: {activation: relu6, stride: 2, padding: valid}, conv_bn: {use_bias: true}}
        body:
          - {op: conv, filters: 8, kernel_size: 3}
          - {op: conv, filters: 8, kernel_size: 3, use_bias: true, activation: relu}
        """).rewrite("batch-normalise")
    rest = "stride: 2, padding: valid, use_bias: false"
    first, second = added(result)
    for part in ("op: conv_bn", "stride: 2", "padding: valid", "use_bias: false"):
        assert part in first, rest
        assert part in second
    assert "activation: relu6" in first
    assert "activation" not in second


def test_a_reduction_has_half_of_the_input(net: Callable) -> None:
    result = net("""\
        blocks:
          module:
            params: {n: int}
            steps: [{op: conv, filters: $n, kernel_size: 3}]
        body: [{use: module, n: 8}, {use: module, name: again, n: 24}]
        """).rewrite("reduce")
    assert added(result) == [
        "steps: [{op: conv, filters: '${in_channels // 2}', kernel_size: 1},",
        "{op: conv, filters: $n, kernel_size: 3}]",
    ]
    assert result.uses == {"module": 2}
    assert "`module` changes in all its 2 uses" in str(result)


def test_a_separable_conv_bn_is_followed_by_its_norm(net: Callable) -> None:
    result = net("""\
        body:
          - {op: conv_bn, name: a, filters: 8, kernel_size: 3, batch_norm: {epsilon: 0.01}}
        """).rewrite("separable", depth_multiplier=2)
    assert added(result) == [
        "- {op: separable_conv, use_bias: false, depth_multiplier: 2, name: a, filters: 8, "
        "kernel_size: 3}",
        "- {op: batch_norm, name: a_bn, epsilon: 0.01}",
        "- {op: activation, name: a_activation, function: relu}",
    ]


def test_a_pool_gets_a_convolution_beside_it(net: Callable) -> None:
    result = net("""\
        body:
          - {op: max_pool, name: pool, kernel_size: 3, stride: 2, padding: valid} # smaller
          - {op: conv_bn, filters: 128, kernel_size: 1}
        """).rewrite("parallel-reduction")
    assert added(result) == [
        "- name: pool",
        "branches:",
        "branch_conv: [{op: conv_bn, filters: 64, kernel_size: 3, stride: 2, padding: valid}]",
        "branch_pool:",
        "- {op: max_pool, kernel_size: 3, stride: 2, padding: valid} # smaller",
        "merge: concat",
    ]
    channels = [layer.x.channels for layer in result.difference.new.layers]
    assert channels[-1] == 128


def test_squeeze_and_excitation_of_computed_channels(net: Callable) -> None:
    result = net("""\
        blocks:
          module:
            params: {n: int, m: int}
            steps:
              - merge: concat
                branches:
                  a: [{op: conv, filters: $n, kernel_size: 1}]
                  b: [{op: conv, filters: "${2 * m}", kernel_size: 3}, {op: identity}]
                  c: [{op: conv, filters: 32, kernel_size: 1}]
                  d: []
        body: [{use: module, n: 8, m: 8}, {use: module, name: again, n: 24, m: 4}]
        """).rewrite("squeeze-excite", ratio=8)
    text = "n + 2 * m + in_channels + 32"
    assert f"units: '${{({text}) // 8}}'" in result.text
    assert f"units: '${{{text}}}'" in result.text


def test_width_scales_new_filters_once(net: Callable) -> None:
    network = net("""\
        width: 0.5
        body:
          - {op: conv, filters: 96, kernel_size: 3}
          - {op: conv, filters: 96, kernel_size: 5, use_bias: false}
        """)
    result = network.rewrite("factorise-5x5")
    assert "filters: 96, kernel_size: 3, use_bias: false" in added(result)[0]
    assert result.savings[0].more_parameters == -(25 - 18) * 48 * 48


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
        ("separable", "{op: conv, kernel_size: 3, each: {filters: [8, 16]}}", "repetitions differ"),
        (
            "asymmetric",
            "{op: conv, name: a, filters: 64, kernel_size: 3}, "
            "{op: conv, filters: 64, kernel_size: 3, weights: a}",
            "share weights",
        ),
        (
            "batch-normalise",
            "{op: conv, filters: 8, kernel_size: 3, activation: relu, initializer: {bias: 1}}",
            "its `initializer` sets the bias",
        ),
        ("asymmetric", "&a {op: conv, filters: 64, kernel_size: 3}, *a", "an anchor or an alias"),
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


def test_published_names_forbid_other_layers() -> None:
    with pytest.raises(inception_dsl.SpecError, match="names of published weights") as error:
        inception_dsl.load("published/torchvision_googlenet").rewrite("asymmetric")
    assert error.value.diagnostics[0].code == "E317"


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


def test_a_part_that_an_overlay_changes(write: Write) -> None:
    text = "extends: inception-dsl:v4\nnetwork: mine\nblocks: {inception_a: {steps: {0: {branches: "
    path = write(f"{text}{{branch_1x1: {{0: {{filters: 32}}}}}}}}}}}}}}\n", "mine.yaml")
    with pytest.raises(inception_dsl.SpecError, match="other files change parts of it"):
        inception_dsl.load(path).rewrite("asymmetric", at="inception_a")
