"""Tests the rules of ``rewrite``: what they save, and how they are chained."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from rewrites import HEAD, added, reasons

import inception_dsl
from inception_dsl.design.compared import Difference
from inception_dsl.design.summary import Summary

pytestmark = pytest.mark.filterwarnings("ignore::inception_dsl.SpecWarning")
Write = Callable[..., Path]


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


@pytest.mark.parametrize("padding", ["same", "valid", "0", "1", "[2, 2]", "3"])
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


def test_a_module_with_biases_and_5x5_becomes_block_a_of_v3(write: Write) -> None:
    """The shipped block keeps one 5x5 and has two 3x3 in place of the other."""
    text = Path("specs/blocks/inception_v3_a.yaml").read_text(encoding="utf-8")
    double = "        - {op: conv_bn, filters: 96, kernel_size: 3}\n" * 2
    assert double in text
    before = text.replace(double, double[: len(double) // 2].replace("size: 3", "size: 5"))
    before = before.replace("conv_bn", "conv") + "defaults: {conv: {activation: relu}}\n"
    path, given = write(before, "a.yaml"), {"input": "35x35x192", "filters_pool": 32}
    for rule, options in (
        ("batch-normalise", {}),
        ("factorise-5x5", {"at": "branch_3x3_double", "filters": 96}),
    ):
        result = inception_dsl.load(path, **given).rewrite(rule, **options)
        path.write_text(result.text, encoding="utf-8")
    shipped = inception_dsl.load("blocks/inception_v3_a", **given)
    assert not shipped.diff(inception_dsl.load(path, **given))


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


VARYING = """\
blocks:
  b:
    params: {k: int}
    steps: [{op: max_pool, kernel_size: 3}, {op: conv, filters: 64, kernel_size: $k}]
body: [{use: b, name: p, k: 5}, {use: b, name: q, k: %s}]
"""


@pytest.mark.parametrize("rule", ["factorise-5x5", "asymmetric"])
def test_a_kernel_with_several_values_is_the_reason(net: Callable, rule: str) -> None:
    with pytest.raises(inception_dsl.SpecError) as error:
        net(VARYING % 7).rewrite(rule)
    reason = "`b/1`: its kernel differs between its uses: 5x5 and 7x7"
    assert reasons(error) == [f"E317 6: `{rule}` cannot rewrite {reason}"]


@pytest.mark.parametrize("rule", ["reduce", "separable"])
def test_a_kernel_with_several_values_stays_a_parameter(net: Callable, rule: str) -> None:
    result = net(VARYING % 7).rewrite(rule)
    assert result.text.count("kernel_size: $k") == 1
    with pytest.raises(inception_dsl.SpecError) as error:
        net(VARYING % 1).rewrite(rule)
    reason = "`b/1`: its kernel is 1x1 in some of its uses"
    assert reasons(error) == [f"E317 6: `{rule}` cannot rewrite {reason}"]
