"""Bombs with few lines and many layers."""

from __future__ import annotations

from bomb import CONV, HEAD, Bombs, body

STEPS = Bombs()
bomb = STEPS.add


# repeats


@bomb("a billion repetitions", "E309")
def _() -> str:
    return body(f"  - {CONV[:-1]}, repeat: 1000000000}}\n")


@bomb("repeats in repeats", "E309")
def _() -> str:
    blocks = "".join(f"  b{i}: {{steps: [{{use: b{i + 1}, repeat: 1000}}]}}\n" for i in range(20))
    return f"{HEAD}blocks:\n{blocks}  b20: {{steps: [{CONV}]}}\nbody: [{{use: b0, repeat: 1000}}]\n"


@bomb("two uses in two uses", "E309")
def _() -> str:
    twice = "{{steps: [{{use: b{0}, name: x}}, {{use: b{0}, name: y}}]}}"
    blocks = "".join(f"  b{i}: {twice.format(i + 1)}\n" for i in range(60))
    return f"{HEAD}blocks:\n{blocks}  b60: {{steps: [{CONV}]}}\nbody: [{{use: b0}}]\n"


@bomb("two uses in two uses of an empty block", "E309")
def _() -> str:
    twice = "{{steps: [{{use: b{0}, name: x}}, {{use: b{0}, name: y}}]}}"
    blocks = "".join(f"  b{i}: {twice.format(i + 1)}\n" for i in range(60))
    return f"{HEAD}blocks:\n{blocks}  b60: {{steps: []}}\nbody: [{{use: b0}}]\n"


@bomb("repeats in repeats of an empty block", "E309")
def _() -> str:
    blocks = "".join(f"  b{i}: {{steps: [{{use: b{i + 1}, repeat: 1000}}]}}\n" for i in range(20))
    return f"{HEAD}blocks:\n{blocks}  b20: {{steps: []}}\nbody: [{{use: b0, repeat: 1000}}]\n"


@bomb("repeats of an empty block, by a parameter", "E309")
def _() -> str:
    inner = "{{params: {{n: int}}, steps: [{{use: b{0}, n: $n, repeat: $n}}]}}"
    blocks = "".join(f"  b{i}: {inner.format(i + 1)}\n" for i in range(20))
    return (
        f"{HEAD}blocks:\n"
        f"{blocks}  b20: {{params: {{n: int}}, steps: []}}\n"
        f"body: [{{use: b0, n: 1000}}]\n"
    )


@bomb("two uses in two uses, all with different shapes", "E309")
def _() -> str:
    twice = "{{steps: [{{use: b{0}, name: x}}, {{use: b{0}, name: y}}]}}"
    blocks = "".join(f"  b{i}: {twice.format(i + 1)}\n" for i in range(60))
    grow = "{op: conv, filters: '${in_channels + 1}', kernel_size: 1}"
    return f"{HEAD}blocks:\n{blocks}  b60: {{steps: [{grow}]}}\nbody: [{{use: b0}}]\n"


@bomb("two uses with doubled parameters", "E309")
def _() -> str:
    twice = (
        "{{params: {{n: int}}, steps: [{{use: b{0}, name: x, n: '${{n * 2}}'}}, {{use: b{0}, "
        "name: y, n: '${{n * 2 + 1}}'}}]}}"
    )
    blocks = "".join(f"  b{i}: {twice.format(i + 1)}\n" for i in range(30))
    last = "{params: {n: int}, steps: [{op: conv, filters: '${n % 1000 + 1}', kernel_size: 1}]}"
    return f"{HEAD}blocks:\n{blocks}  b30: {last}\nbody: [{{use: b0, n: 1}}]\n"


@bomb("forks of uses in forks of uses", "E309")
def _() -> str:
    pair = "{{steps: [{{merge: concat, branches: {{x: [{{use: b{0}}}], y: [{{use: b{0}}}]}}}}]}}"
    blocks = "".join(f"  b{i}: {pair.format(i + 1)}\n" for i in range(30))
    return f"{HEAD}blocks:\n{blocks}  b30: {{steps: [{CONV}]}}\nbody: [{{use: b0}}]\n"


@bomb("a repeat with growing channels", "E309")
def _() -> str:
    return body("  - {op: conv, filters: '${in_channels + 1}', kernel_size: 1, repeat: 90000}\n")


@bomb("nested repeats with growing channels", "E309")
def _() -> str:
    grow = "{op: conv, filters: '${in_channels + 1}', kernel_size: 1, repeat: 1000}"
    return f"{HEAD}blocks: {{a: {{steps: [{grow}]}}}}\nbody: [{{use: a, repeat: 90}}]\n"


@bomb("a repeat of padding", "E309")
def _() -> str:
    return body("  - {op: zero_pad, padding: 1, repeat: 90000}\n")


@bomb("repeats up to the limit", "")
def _() -> str:
    return body("  - {op: identity, repeat: 10000}\n")


@bomb("repeats with growing channels, up to the limit", "")
def _() -> str:
    return body("  - {op: conv, filters: '${in_channels + 1}', kernel_size: 1, repeat: 990}\n")


@bomb("a repeated fork", "")
def _() -> str:
    return body(
        f"  - {{merge: add, branches: {{a: [], b: [{CONV[:-1]}, repeat: 2}}]}}, repeat: 3000}}\n"
    )


@bomb("repeated forks, nested", "E309")
def _() -> str:
    inner = "{op: identity}"
    for i in range(12):
        inner = f"{{merge: concat, name: f{i}, branches: {{b: [{inner}]}}, repeat: 2}}"
    return body(f"  - {inner}\n")


@bomb("a repeated fork without a rule for its channels", "")
def _() -> str:
    return body(
        "  - {merge: concat, branches: {b: [{op: conv_bn, "
        "filters: '${in_channels * in_channels % 11 + 1}', kernel_size: 1}]}, repeat: 900}\n"
    )


@bomb("a thousand branches", "")
def _() -> str:
    return (
        f"{HEAD}body: [{{merge: add, "
        f"branches: {{{','.join(f'b{i}: []' for i in range(1_000))}}}}}]\n"
    )


@bomb("six hundred steps", "")
def _() -> str:
    return body(
        "".join(f"  - {{op: conv, filters: {i + 1}, kernel_size: 3}}\n" for i in range(600))
    )


@bomb("two hundred blocks", "")
def _() -> str:
    blocks = "".join(f"  b{i}: {{steps: [{{op: max_pool, kernel_size: 3}}]}}\n" for i in range(200))
    return f"{HEAD}blocks:\n{blocks}body:\n" + "".join(f"  - {{use: b{i}}}\n" for i in range(200))


@bomb("a thousand outputs", "")
def _() -> str:
    return f"{HEAD}body: [{{op: identity, name: a}}]\noutputs:\n" + "".join(
        f"  o{i}: a\n" for i in range(1_000)
    )


@bomb("a block with a thousand kernel sizes", "E309")
def _() -> str:
    uses = "".join(f"  - {{use: a, name: u{i}, n: {i + 1}}}\n" for i in range(1_000))
    text = "word " * 10_000
    return (
        f"{HEAD}blocks:\n"
        f"  a: {{description: '{text}', params: {{n: int}}, steps: [{{op: max_pool, "
        f"kernel_size: $n}}]}}\n"
        f"body:\n"
        f"{uses}"
    )


@bomb("a long description of each of two hundred blocks", "E309")
def _() -> str:
    text = "word " * 10_000
    blocks = "".join(f"  b{i}: {{description: *text, steps: []}}\n" for i in range(200))
    uses = "".join(f"  - {{use: b{i}}}\n" for i in range(200))
    return f"{HEAD}description: &text '{text}'\nblocks:\n{blocks}body:\n{uses}"


@bomb("published names for every layer", "")
def _() -> str:
    names = "".join(f"      c{i}: C{i}\n" for i in range(600))
    steps = "".join(
        f"  - {{op: conv, name: c{i}, filters: 8, kernel_size: 1}}\n" for i in range(600)
    )
    return f"{HEAD}body:\n{steps}checkpoints:\n  timm:\n    names:\n{names}"
