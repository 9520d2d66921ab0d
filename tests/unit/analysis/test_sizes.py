"""The sizes that run, compared with the compiler on every size, and their words."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inception_dsl.analysis.infer import infer
from inception_dsl.analysis.size_conditions import AxisSizes, Gap
from inception_dsl.analysis.size_words import left_out, pixels, sentence
from inception_dsl.analysis.sizes import RunningSizes, running_sizes
from inception_dsl.analysis.ties import tied
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedOp, TypedProgram
from inception_dsl.ir.walk import walk_program
from inception_dsl.testing.random_specs import MAIN, random_spec

Compiled = Callable[..., TypedProgram]
CONV = "op: conv, filters: 2, kernel_size"
NETWORK = """
network: net
input: {{channels: 3, height: {size}, width: 35}}
classes: 5
body: [{body}]
head: [{head}]
"""
POOLED = "{op: global_avg_pool}, {op: dense, units: $classes}"
DENSE = "{op: flatten}, {op: dense, units: $classes}"


def weights(typed: TypedProgram) -> dict[tuple[str, ...], tuple[int, ...]]:
    """The shapes of all weights by path, those of auxiliary heads too."""
    return {
        (*path, weight.name): weight.shape
        for path, node in walk_program(typed)
        if isinstance(node, TypedOp)
        for weight in node.weights
    }


def runs(typed: TypedProgram, name: str, axis: int, size: int, *, heads: bool) -> bool:
    """Whether the program compiles for this size, with the same weights.

    Inputs that must have the same size get it, too.
    """
    program = typed.program if heads else typed.program._replace(heads=())
    groups = (names for names in tied(typed, axis) if name in names)
    inputs = dict(program.inputs)
    for changed in next(groups, (name,)):
        spatial = list(inputs[changed].spatial)
        spatial[axis] = size
        inputs[changed] = inputs[changed]._replace(spatial=tuple(spatial))
    own, other = (infer(p, Report()) for p in (program, program._replace(inputs=inputs)))
    assert own is not None
    return other is not None and weights(other) == weights(own)


def disagreements(typed: TypedProgram, above: int) -> Iterator[str]:
    """Sizes for which the sizes that run and the compiler differ.

    A map of one pixel is broadcast, but not where it meets a map that does not change with it.
    """
    for name, x in typed.program.inputs.items():
        found, fork = running_sizes(typed, name), typed.entry
        maps = sum(chain.y.rank > 0 for _, chain in fork.branches) if fork else 1
        for heads, sizes in ((False, found.inference), (True, found.training)):
            for axis, own in enumerate(x.spatial):
                alone = maps > max([len(names) for names in tied(typed, axis)], default=1)
                for size in range(1, own + above):
                    fits = sizes[axis].fits(size)
                    compiles = runs(typed, name, axis, size, heads=heads)
                    if fits != compiles and not (alone and compiles):
                        yield f"{name}, axis {axis}, {size} pixels, heads {heads}: {sizes[axis]}"


NUMBERS = itertools.count()


def fork(merge: str, *branches: str) -> str:
    named = ", ".join(f"branch{n}: [{branch}]" for n, branch in enumerate(branches))
    return f"{{merge: {merge}, name: fork{next(NUMBERS)}, branches: {{{named}}}}}"


POOL = "{op: max_pool, kernel_size: 3, stride: 2, padding: valid}"
CEIL = "{op: max_pool, kernel_size: 3, stride: 2, padding: valid, ceil_mode: true}"
TWO = "{op: max_pool, kernel_size: 2, stride: 2, padding: valid}"
HALF_POOL = "{op: max_pool, kernel_size: 2}"
HALF = f"{{{CONV}: 3, stride: 2}}"
HALF_MAP = "{op: conv, filters: 2, kernel_size: 2, stride: 2, padding: valid}"
UP = "{op: conv_transpose, filters: 2, kernel_size: 2, stride: 2}"
DOUBLE = "{op: upsample, factor: 2}"
EVEN = "{op: zero_pad, padding: [[0, 1], [0, 1]]}"
PAIRS = "{op: space_to_depth, block_size: 2}"
BODIES = {
    "no condition": f"{{{CONV}: 3}}",
    "windows": f"{{{CONV}: 5, padding: valid}}, {POOL}, {POOL}",
    "two roundings": fork("concat", POOL, CEIL),
    "two roundings after a stride": f"{HALF}, {HALF}, {fork('concat', POOL, CEIL)}",
    "two forks with other periods": (
        f"{fork('concat', POOL, CEIL)}, {{op: max_pool, kernel_size: 3, stride: 3, "
        f"padding: valid}}, {fork('concat', POOL, CEIL)}"
    ),
    "nested forks": fork("concat", f"{fork('concat', POOL, CEIL)}", TWO),
    "branches with other strides": fork(
        "concat", f"{{{CONV}: [17, 18], padding: valid}}", f"{{{CONV}: 1, stride: 2}}"
    ),
    "a window as large as the map": fork(
        "multiply", f"{{{CONV}: [33, 1], padding: valid}}", f"{{{CONV}: 1}}"
    ),
    "an adaptive pool": fork(
        "concat", "{op: adaptive_avg_pool, output_size: [17, 18]}", f"{{{CONV}: 1, stride: 2}}"
    ),
    "a gate": fork("multiply", "{op: global_avg_pool, keepdims: true}", ""),
    "a sum that is broadcast": fork("add", f"{{{CONV}: 1, stride: 4}}", f"{{{CONV}: 21, "
                                    "stride: 4, padding: [[10, 10], [8, 12]]}"),
    "repeats": f"{{{CONV}: 3, padding: valid, repeat: 4}}, {fork('concat', POOL, CEIL)}",
    "an encoder and a decoder": "{op: zero_pad, padding: [[1, 2], [0, 1]]}, " + fork(
        "concat", "", f"{TWO}, {fork('concat', '', f'{TWO}, {UP}')}, {DOUBLE}"),
    "a decoder of another size": fork("concat", f"{{{CONV}: 3, padding: valid}}",
                                      f"{HALF}, {{op: conv_transpose, filters: 1, kernel_size: 3, "
                                      "stride: 2, padding: 1}, {op: max_pool, kernel_size: 3, "
                                      "padding: valid}"),
    "blocks": "{op: zero_pad, padding: [[0, 3], [0, 1]]}, {op: space_to_depth, block_size: 6}, "
              "{op: depth_to_space, block_size: 3}, {op: crop, cropping: [[0, 1], [1, 0]]}",
    "blocks after others": f"{EVEN}, {fork('concat', f'{TWO}, {UP}', '')}, "
                           f"{{op: crop, cropping: 1}}, {PAIRS}",
    "blocks of a larger map": f"{DOUBLE}, {PAIRS}",
    "blocks after a stride": f"{HALF}, {{op: zero_pad, padding: [[1, 0], [0, 0]]}}, {PAIRS}",
    "rates that differ": fork("concat", f"{DOUBLE}, {{{CONV}: [34, 36], padding: valid}}", ""),
    "thirds": fork("concat", "{op: upsample, factor: 3}, {op: max_pool, kernel_size: 2, stride: 2}",
                   "{op: max_pool, kernel_size: 2, stride: 2}, {op: upsample, factor: 3}, "
                   f"{{{CONV}: 2, padding: valid}}"),
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("head", [POOLED, DENSE], ids=["pooled", "flattened"])
def test_the_sizes_are_those_that_compile(compiled: Compiled, body: str, head: str) -> None:
    typed = compiled(NETWORK.format(size=33, body=body, head=head))
    assert list(disagreements(typed, 30)) == []


@pytest.mark.parametrize("seed", range(60))
def test_random_networks(tmp_path: Path, seed: int) -> None:
    spec = random_spec(seed)
    for name, text in spec.files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    typed = compile_spec(tmp_path / MAIN, {}, Report())
    assert typed is not None
    assert list(disagreements(typed, 9)) == []


def test_a_decoder_needs_sizes_that_its_strides_divide(compiled: Compiled) -> None:
    inner = fork("concat", "", f"{HALF_MAP}, {UP}")
    body = fork("concat", "", f"{TWO}, {inner}, {DOUBLE}")
    (rows, columns) = running_sizes(
        compiled(NETWORK.format(size=32, body=body, head=POOLED).replace("width: 35", "width: 36"))
    ).inference
    assert rows == columns == AxisSizes(4, None, (Gap(5, 3, 4),))
    assert left_out((rows, columns)) == "5 to 7 and again every 4 pixels on each axis"


def test_maps_that_are_too_complicated_run_at_their_own_size(compiled: Compiled) -> None:
    """A fork after layers whose pixels no short function gives; the limit is on time."""
    step = "{op: max_pool, kernel_size: 3, stride: 3}, {op: upsample, factor: 2}, "
    step += "{op: max_pool, kernel_size: 5, stride: 5}, {op: upsample, factor: 7}, "
    body = step * 12 + fork("concat", "", f"{{{CONV}: 1}}")
    text = NETWORK.format(size=30, body=body, head=POOLED)
    assert running_sizes(compiled(text)).inference == (AxisSizes(30, 30), AxisSizes(35, 35))


def test_googlenet_and_bn_inception() -> None:
    """GoogLeNet's heads flatten a 4x4 map; BN-Inception's grids halve by two roundings."""
    v1, v2 = (compile_spec(f"specs/{name}.yaml", {}, Report()) for name in ("v1", "v2"))
    assert v1 is not None
    assert v2 is not None
    first = running_sizes(v1)
    assert first.inference == first.features == (AxisSizes(31),) * 2
    assert first.training == (AxisSizes(191, 238, fixed=True),) * 2
    assert running_sizes(v2).inference == (AxisSizes(31, None, (Gap(39, 24, 32),)),) * 2
    for typed, axis in ((v1, 0), (v2, 1)):
        found = running_sizes(typed)
        for size in (*range(17, 64), *range(65, 260, 3)):
            for heads, sizes in ((False, found.inference), (True, found.training)):
                assert sizes[axis].fits(size) == runs(typed, "input", axis, size, heads=heads)


def test_a_head_that_flattens_leaves_the_features_free(compiled: Compiled) -> None:
    typed = compiled(NETWORK.format(size=8, body=f"{{{CONV}: 3, padding: valid}}", head=DENSE))
    sizes = running_sizes(typed)
    assert sizes.features == (AxisSizes(3), AxisSizes(3))
    assert sizes.inference == (AxisSizes(8, 8, fixed=True), AxisSizes(35, 35, fixed=True))


def test_a_flattened_output_has_any_length(compiled: Compiled) -> None:
    typed = compiled(
        NETWORK.format(size=8, body=HALF, head="{op: flatten}, {op: dropout, rate: 0.5}")
    )
    assert running_sizes(typed).inference == (AxisSizes(1), AxisSizes(1))


def test_conditions_that_no_larger_size_fulfils(compiled: Compiled) -> None:
    """One branch needs an odd, the other an even size, but for maps that are broadcast."""
    odd, even = fork("add", POOL, CEIL), fork("add", POOL, CEIL)
    body = fork("multiply", odd, f"{{op: zero_pad, padding: [[0, 1], [0, 0]]}}, {even}")
    typed = compiled(NETWORK.format(size=3, body=body, head=POOLED))
    assert running_sizes(typed).inference[0] == AxisSizes(3, 4)
    assert list(disagreements(typed, 30)) == []


def test_broadcasts_in_a_long_network(compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes are followed as far as the limit on time allows; the spec's is always one of them."""
    merge = fork("add", "{op: max_pool, kernel_size: 8, stride: 99, padding: valid}", HALF_POOL)
    text = NETWORK.format(size=9, body=f"{merge}, {{{CONV}: 3, repeat: 60}}", head=POOLED)
    assert running_sizes(compiled(text)).inference[0] == AxisSizes(8, 106)
    monkeypatch.setattr("inception_dsl.analysis.sizes._STEPS", 0)
    assert running_sizes(compiled(text)).inference[0] == AxisSizes(8, 9)


def test_the_sizes_do_not_depend_on_the_size_of_the_spec(compiled: Compiled) -> None:
    """Maps of one pixel are broadcast up to 39 pixels, in a network of many layers."""
    rounds = [
        fork("add", *(f"{{op: max_pool, kernel_size: {k}, stride: {k}, padding: {p}}}" for p in (
            "valid", "same")))
        for k in (20, 2)
    ]  # fmt: skip
    body = f"{{{CONV}: 3, repeat: 300}}, {', '.join(rounds)}"
    sizes = (40, 60, 640)
    found = {
        running_sizes(compiled(NETWORK.format(size=size, body=body, head=POOLED))).inference[0]
        for size in sizes
    }
    once, again = (Gap(41, 19, 0), Gap(61, 19, 0)), Gap(81, 39, 40)
    assert found == {AxisSizes(21, None, (*once, again))}


def test_a_long_period_takes_no_time(compiled: Compiled) -> None:
    deep = "{op: max_pool, kernel_size: 2, stride: 2, repeat: 400}"
    typed = compiled(
        NETWORK.format(size=8, body=f"{deep}, {fork('add', f'{{{CONV}: 1}}', HALF)}", head=POOLED)
    )
    (height, _) = running_sizes(typed).inference
    assert all(height.fits(size) for size in (1, 2, 8, 200))


E = AxisSizes


@pytest.mark.parametrize(
    ("sizes", "range_", "gaps"),
    [
        ((E(47), E(47)), "at least 47x47 pixels", ""),
        ((E(9), E(7)), "at least 9x7 pixels", ""),
        ((E(191, 238), E(191, 238)), "191x191 to 238x238 pixels", ""),
        ((E(8, 8), E(8, 8)), "8x8 pixels", ""),
        ((E(8), E(5, 9)), "at least 8 pixels of height, 5 to 9 pixels of width", ""),
        ((E(3, None, (Gap(5, 1, 8),)),), "at least 3 pixels", "5 and again every 8 pixels"),
        ((E(3, None, (Gap(5, 2, 0),)),), "at least 3 pixels", "5 to 6"),
        ((E(3, 9, (Gap(5, 2, 0), Gap(8, 1, 0))),), "3 to 9 pixels", "5 to 6, 8"),
        ((E(1, None, (Gap(2, 1, 0), Gap(9, 3, 9))),), "at least 1 pixel",
         "2, 9 to 11 and so on"),
        ((E(3), E(3, None, (Gap(5, 1, 8),))), "at least 3x3 pixels",
         "width 5 and again every 8 pixels"),
    ],
)  # fmt: skip
def test_the_words(sizes: tuple[AxisSizes, ...], range_: str, gaps: str) -> None:
    assert (pixels(sizes), left_out(sizes)) == (range_, gaps)


def test_the_sentence() -> None:
    free, gaps = (E(47), E(47)), (E(63, None, (Gap(71, 24, 32),)),) * 2
    fixed, mixed = (E(191, 238), E(191, 238)), (E(8), E(5, 9))
    without = "63x63, without the sizes 71 to 94 and again every 32 pixels on each axis"
    assert sentence(RunningSizes(free, free, free)) == "the smallest input is 47x47"
    assert sentence(RunningSizes(free, free, fixed)) == (
        "the smallest input is 47x47; with auxiliary heads 191x191, the largest 238x238"
    )
    assert sentence(RunningSizes(gaps, gaps, gaps)) == f"the smallest input is {without}"
    assert sentence(RunningSizes(free, mixed, mixed)) == (
        "the smallest input is 8x5, the largest anyx9"
    )
    assert sentence(RunningSizes(free, free, gaps)).endswith(f"with auxiliary heads {without}")


@pytest.mark.parametrize("op", ["max_pool", "avg_pool"])
def test_the_smallest_input_of_pools_in_ceil_mode(compiled: Compiled, op: str) -> None:
    """The last pool runs on two pixels, though its window has three."""
    pool = f"{{op: {op}, kernel_size: 3, stride: 2, padding: valid, ceil_mode: true}}, "
    typed = compiled(NETWORK.format(size=64, body=pool * 3 + f"{{{CONV}: 1}}", head=POOLED))
    assert running_sizes(typed).inference == (AxisSizes(8),) * 2
    assert not [*disagreements(typed, 4)]


def test_an_average_over_three_axes_needs_its_window(compiled: Compiled) -> None:
    """`nn.AvgPool3d` rejects a smaller map in ceil mode; `nn.MaxPool3d` does not."""
    for op, least in (("max_pool", 2), ("avg_pool", 3)):
        typed = compiled(
            "network: net\ninput: {channels: 1, depth: 9, height: 8, width: 7}\nbody:\n"
            f"- {{op: {op}, kernel_size: 3, stride: 2, padding: valid, ceil_mode: true}}\n"
        )
        assert running_sizes(typed).inference == (AxisSizes(least),) * 3
        assert not [*disagreements(typed, 4)]
