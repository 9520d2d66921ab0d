"""Names, blocks, parameters, defaults: from a checked spec to a program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from inception_dsl.analysis.cost import layers
from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedProgram

Body = Callable[..., TypedProgram]


def paths(typed: TypedProgram) -> list[str]:
    return [layer.path for layer in layers(typed)]


def test_paths(compiled: Callable[..., TypedProgram]) -> None:
    typed = compiled("""
        network: net
        input: {channels: 3, height: 32, width: 32}
        blocks:
          one: {steps: [{op: conv, filters: 4, kernel_size: 1}]}
          two: {steps: [{op: identity}, {op: identity, name: last}]}
          fork: {steps: [{merge: add, branches: {a: [], b: [{op: identity}, {op: identity}]}}]}
        stem: [{op: conv, filters: 4, kernel_size: 3}]
        body:
          - {op: identity}
          - {use: one}
          - {use: two, name: named}
          - {use: fork, repeat: 2}
          - {name: joined, merge: add, branches: {x: [{op: identity}], y: []}}
          - {op: identity, name: thrice, repeat: 3}
        head: [{op: global_avg_pool}, {op: dense, name: classifier, units: 2}]
        """)
    assert paths(typed) == [
        "stem",
        "body/0",
        "one",
        "named/0",
        "named/last",
        "fork/0/b/0",
        "fork/0/b/1",
        "fork/0",
        "fork/1/b/0",
        "fork/1/b/1",
        "fork/1",
        "joined/x",
        "joined",
        "thrice/0",
        "thrice/1",
        "thrice/2",
        "head/0",
        "classifier",
    ]


def test_defaults_of_the_network_then_of_the_block_then_of_the_step(
    write: Callable[..., Path],
) -> None:
    write(
        "block: b\n"
        "defaults: {conv: {use_bias: true}}\n"
        "steps: [{op: conv, filters: 2, kernel_size: 1}]\n",
        "b.yaml",
    )
    spec = write("""
        network: net
        input: {channels: 3, height: 8, width: 8}
        import: [b.yaml]
        defaults: {conv: {use_bias: false, activation: relu}, conv_bn: {padding: valid},
            batch_norm: {scale: false}}
        body:
          - {op: conv, name: a, filters: 2, kernel_size: 1}
          - {use: b}
          - {op: conv, name: c, filters: 2, kernel_size: 1, use_bias: true}
          - {op: conv_bn, name: d, filters: 2, kernel_size: 3}
          - {op: conv_bn, name: e, filters: 2, kernel_size: 3, padding: same,
              batch_norm: {scale: true}}
        """)
    report = Report()
    typed = compile_spec(spec, {}, report)
    assert typed is not None, report.render()
    found = {layer.path: ([w.name for w in layer.weights], str(layer.y)) for layer in layers(typed)}
    norm = ["bn/beta", "bn/moving_mean", "bn/moving_variance"]
    assert found == {
        "a": (["kernel"], "8x8x2"),
        "b": (["kernel", "bias"], "8x8x2"),
        "c": (["kernel", "bias"], "8x8x2"),
        "d": (["conv/kernel", *norm], "6x6x2"),
        "e": (["conv/kernel", "bn/gamma", *norm], "6x6x2"),
    }


def test_parameters_reach_attributes_repeats_and_other_blocks(body: Body) -> None:
    blocks = """
blocks:
  inner: {params: {filters: int, times: {type: int, default: 1}},
      steps: [{op: conv, filters: $filters, kernel_size: 1, repeat: $times}]}
  outer: {params: {width: int},
      steps: [{use: inner, filters: "${width // 2}", times: 2},
      {use: inner, name: last, filters: $in_channels}]}
"""
    typed = body("{use: outer, width: 10}", more=blocks)
    assert [(layer.path, layer.y.channels) for layer in layers(typed)] == [
        ("body/inner/0", 5),
        ("body/inner/1", 5),
        ("body/last/0", 3),
    ]


def test_unused_blocks_are_left_out(body: Body) -> None:
    typed = body(
        "{op: identity}",
        more="blocks: {unused: {params: {x: int}, steps: [{op: dense, units: $x}]}}",
    )
    assert typed.program.blocks == {}


def test_a_block_is_built_alone_on_its_input(compiled: Callable[..., TypedProgram]) -> None:
    text = (
        "block: b\n"
        "params: {n: {type: int, default: 4}}\n"
        "steps: [{op: conv, filters: $n, kernel_size: 3}]\n"
    )
    assert str(compiled(text, input="9x7x2").y) == "9x7x4"
    assert str(compiled(text, input="9x2", n="5").outputs["output"]) == "9x5"
    assert str(compiled(text, input="4x5x6x2").y) == "4x5x6x4"


def test_files_that_import_each_other(write: Callable[..., Path]) -> None:
    write("block: a\nimport: [b.yaml]\nsteps: [{use: b}]\n", "a.yaml")
    write("block: b\nimport: [a.yaml]\nsteps: [{op: identity}]\n", "b.yaml")
    spec = write(
        "network: n\ninput: {channels: 1, length: 4}\nimport: [a.yaml, b.yaml]\nbody: [{use: a}]\n"
    )
    report = Report()
    assert compile_spec(spec, {}, report) is not None, report.render()


def test_a_long_chain_of_imports(write: Callable[..., Path]) -> None:
    for i in range(90):
        write(f"block: b{i}\nimport: [b{i + 1}.yaml]\nsteps: [{{op: identity}}]\n", f"b{i}.yaml")
    write("block: b90\nsteps: [{op: identity}]\n", "b90.yaml")
    spec = write(
        "network: n\ninput: {channels: 1, length: 4}\nimport: [b0.yaml]\nbody: [{use: b0}]\n"
    )
    report = Report()
    assert compile_spec(spec, {}, report) is not None, report.render()


def test_nesting_up_to_the_limit(compiled: Callable[..., TypedProgram]) -> None:
    def text(count: int) -> str:
        blocks = "\n".join(f"  b{i}: {{steps: [{{use: b{i + 1}}}]}}" for i in range(count))
        end = f"  b{count}: {{steps: [{{op: identity}}]}}"
        return (
            f"network: n\n"
            f"input: {{channels: 1, length: 4}}\n"
            f"body: [{{use: b0}}]\n"
            f"blocks:\n"
            f"{blocks}\n"
            f"{end}\n"
        )

    assert [layer.op for layer in layers(compiled(text(62)))] == ["identity"]


def test_a_block_cannot_use_itself(errors: Callable[..., Report]) -> None:
    text = (
        "network: n\ninput: {channels: 1, length: 4}\nbody: [{use: a}]\n"
        "blocks: {a: {steps: [{use: b}]}, b: {steps: [{use: a}]}}\n"
    )
    (found,) = errors(text)
    assert (found.code, found.message) == ("E306", "circular use of blocks: a -> b -> a")
    assert found.help == "a block cannot use itself, directly or through other blocks"


def test_deeper_nesting_is_one_error(errors: Callable[..., Report]) -> None:
    blocks = "\n".join(f"  b{i}: {{steps: [{{use: b{i + 1}}}]}}" for i in range(900))
    text = (
        f"network: n\n"
        f"input: {{channels: 1, length: 4}}\n"
        f"body: [{{use: b0}}]\n"
        f"blocks:\n"
        f"{blocks}\n"
        f"  b900: {{steps: []}}\n"
    )
    assert [d.code for d in errors(text)] == ["E309"]


def test_deep_nesting_is_found_from_any_block(errors: Callable[..., Report]) -> None:
    blocks = "\n".join(f"  b{i}: {{steps: [{{use: b{i - 1}}}]}}" for i in range(1, 200))
    uses = ", ".join(f"{{use: b{i}}}" for i in range(0, 200, 7))
    text = (
        f"network: n\n"
        f"input: {{channels: 1, length: 4}}\n"
        f"body: [{uses}]\n"
        f"blocks:\n"
        f"  b0: {{steps: [{{op: identity}}]}}\n"
        f"{blocks}\n"
    )
    assert [d.code for d in errors(text)] == ["E309"]
